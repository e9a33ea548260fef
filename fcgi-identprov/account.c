/*
 * account.c: what a user sees of the own account, changes, and how it ends.
 */
#include <stdlib.h>
#include <string.h>

#include "accept.h"
#include "app.h"
#include "body.h"
#include "browser.h"
#include "client.h"
#include "form.h"
#include "handlers.h"
#include "log.h"
#include "own_password.h"
#include "problem.h"
#include "rules.h"

enum field { EMAIL, FIRST_NAME, LAST_NAME, FIELDS };

/* The normal forms of what came; all NULL to begin. */
struct change {
    char *email;
    char *email_key;
    char *first_name;
    char *last_name;
};

static void
answer_account(struct igw_call *call, const struct account *account)
{
    struct json_t *json = shown_account(account);

    if (json == NULL || !igw_json_set(json, "groups", shown_groups(account))) {
        igw_problem_result(call, IGW_ERROR);
    } else {
        igw_response_header(call->response, "Cache-Control",
                            igw_slice_of("no-store"));
        igw_response_json(call->response, 200, json);
    }
    igw_json_free(&json);
}

void
account_get(struct igw_call *call)
{
    struct client_caller caller;

    if (igw_accept_is_of_browser(call->request)) {
        browser_account_get(call);
        return;
    }
    if (client_caller(call, &caller)) {
        answer_account(call, &caller.session.account);
        client_caller_clear(&caller);
    }
}

static enum igw_result
check_field(enum field field, struct igw_slice given, struct change *change,
            struct rules_fault *fault)
{
    if (field == EMAIL) {
        return rules_email(given, &change->email, &change->email_key, fault);
    }
    if (field == FIRST_NAME) {
        return rules_person_name(given, &change->first_name, fault);
    }
    if (given.len == 0) {
        change->last_name = strdup("");
        return change->last_name != NULL ? IGW_OK : IGW_ERROR;
    }
    return rules_person_name(given, &change->last_name, fault);
}

/* What did not come stays NULL; what is wrong is put on errors. */
static enum igw_result
check(const struct form_field fields[FIELDS], struct change *change,
      struct igw_errors *errors)
{
    struct rules_fault fault;
    enum igw_result rc;

    for (int i = 0; i < FIELDS; i++) {
        if (fields[i].value.data == NULL) {
            continue;
        }
        fault.code = NULL;
        rc = check_field((enum field)i, fields[i].value, change, &fault);
        if (rc == IGW_INVALID) {
            igw_errors_add(errors, fields[i].name, fault.code, fault.detail);
        } else if (rc != IGW_OK) {
            return rc;
        }
    }
    return igw_errors_any(errors) ? IGW_INVALID : IGW_OK;
}

static void
store(struct igw_call *call, const struct client_caller *caller,
      const struct change *change)
{
    const struct new_person person = {
        .email = change->email,
        .email_key = change->email_key,
        .first_name = change->first_name,
        .last_name = change->last_name,
    };
    const struct audit_entry audit = client_audit(call, AUDIT_ACCOUNT_CHANGED);
    struct account account;
    enum igw_result rc;

    rc = store_change_person(call->pg, caller->session.account.id, &person,
                             &audit, &account);
    if (rc == IGW_OK) {
        igw_logf(IGW_LOG_INFO, "account_changed", "by %s",
                 call->request->address);
        answer_account(call, &account);
        account_clear(&account);
    } else if (rc == IGW_CONFLICT) {
        igw_problem(call, 409, "email_taken",
                    "Another account has this e-mail address.");
    } else if (rc == IGW_NOT_FOUND) {
        client_refuse(call);
    } else {
        igw_problem_result(call, rc);
    }
}

static void
change(struct igw_call *call, const struct client_caller *caller,
       struct json_t *json)
{
    struct form_field fields[FIELDS] = {
        [EMAIL] = { .name = "email" },
        [FIRST_NAME] = { .name = "first_name" },
        [LAST_NAME] = { .name = "last_name", .may_be_null = true },
    };
    struct igw_errors errors = { 0 };
    struct change found = { 0 };
    enum igw_result rc;

    form_read(json, fields, FIELDS, &errors);
    rc = check(fields, &found, &errors);
    if (rc == IGW_OK) {
        store(call, caller, &found);
    } else if (rc == IGW_INVALID) {
        igw_problem_fields(call, &errors);
    } else {
        igw_problem_result(call, rc);
    }
    igw_errors_clear(&errors);
    free(found.email);
    free(found.email_key);
    free(found.first_name);
    free(found.last_name);
}

void
account_patch(struct igw_call *call)
{
    struct client_caller caller;
    struct body body;

    if (client_caller(call, &caller)) {
        if (body_read(call, &body)) {
            change(call, &caller, body.json);
            body_redirects(call, &body);
        }
        body_clear(&body);
        client_caller_clear(&caller);
    }
}

static void
delete_account(struct igw_call *call, const struct client_caller *caller,
               struct json_t *json)
{
    const struct audit_entry audit = client_audit(call, AUDIT_ACCOUNT_DELETED);
    struct form_field password = { .name = "password" };
    struct igw_errors errors = { 0 };
    struct credential credential = { 0 };
    enum igw_result rc = IGW_INVALID;

    form_read(json, &password, 1, &errors);
    form_require(&password, 1, &errors);
    if (igw_errors_any(&errors)) {
        igw_problem_fields(call, &errors);
    } else if (own_password_is_right(call, caller, &password, &credential)) {
        rc = store_delete_account(call->pg, credential.account.id,
                                  credential.version, &audit);
        own_password_answer(call, rc, "account_deleted");
    }
    if (rc == IGW_OK) {
        client_set_cookie(call, NULL);
    }
    igw_errors_clear(&errors);
    account_clear(&credential.account);
}

void
account_delete(struct igw_call *call)
{
    struct client_caller caller;
    struct body body;

    if (client_caller(call, &caller)) {
        if (body_read(call, &body)) {
            delete_account(call, &caller, body.json);
            body_redirects(call, &body);
        }
        body_clear(&body);
        client_caller_clear(&caller);
    }
}
