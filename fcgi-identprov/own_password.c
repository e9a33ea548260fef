#include "own_password.h"

#include <stdlib.h>

#include "attempt.h"
#include "body.h"
#include "handlers.h"
#include "log.h"
#include "rules.h"
#include "text.h"

enum field { CURRENT, NEW, FIELDS };

void
own_password_answer(struct igw_call *call, enum igw_result result,
                    const char *event)
{
    if (result == IGW_OK) {
        igw_logf(IGW_LOG_INFO, event, "by %s", call->request->address);
        client_answer_empty(call);
    } else if (result == IGW_DENIED || result == IGW_NOT_FOUND) {
        client_refuse(call);
    } else {
        igw_problem_result(call, result);
    }
}

static void
answer_unhashed(struct igw_call *call, enum igw_result result)
{
    if (result == IGW_UNAVAILABLE) {
        igw_problem(call, 503, "busy", "Too many passwords are being hashed.");
    } else {
        igw_problem_result(call, result);
    }
}

/* A failure that is not written down is no answer yet. */
static void
answer_wrong(struct igw_call *call, const struct account *account,
             const struct attempt *attempt, const struct form_field *field)
{
    struct audit_entry audit = client_audit(call, AUDIT_PASSWORD_FAILED);
    char detail[ATTEMPT_DETAIL_SIZE];
    struct igw_errors errors = { 0 };
    enum igw_result rc;

    igw_logf(IGW_LOG_INFO, "wrong_password", "by %s", call->request->address);
    attempt_detail(attempt, "wrong_password", detail);
    audit.account_id = account->id;
    audit.detail = detail;
    rc = store_audit(call->pg, &audit);
    if (rc != IGW_OK) {
        igw_problem_result(call, rc);
        return;
    }
    igw_errors_add(&errors, field->name, "wrong_password",
                   "is not your password");
    igw_problem_fields(call, &errors);
    igw_errors_clear(&errors);
}

static bool
is_right(struct igw_call *call, const struct form_field *field,
         const struct attempt *attempt, const struct credential *credential)
{
    const struct app *app = call->app;
    char *password = igw_text_nfkc(field->value);
    struct hasher_verdict verdict = { 0 };
    enum igw_result rc = IGW_ERROR;

    if (password != NULL) {
        rc = hasher_check(app->hasher, igw_slice_of(password),
                          credential->password_hash, &verdict);
    }
    rules_wipe(&password);
    if (rc != IGW_OK) {
        answer_unhashed(call, rc);
    } else if (!verdict.matches) {
        answer_wrong(call, &credential->account, attempt, field);
    }
    return rc == IGW_OK && verdict.matches;
}

/* Guessing with a session is as slow as without one. */
static bool
begin_attempt(struct igw_call *call, const struct account *account,
              struct attempt *attempt)
{
    char *username_key = rules_username_key(igw_slice_of(account->username));
    bool is_begun = false;

    if (username_key == NULL) {
        igw_problem_result(call, IGW_ERROR);
    } else {
        is_begun = attempt_begin(call, username_key, attempt);
    }
    free(username_key);
    return is_begun;
}

bool
own_password_is_right(struct igw_call *call, const struct client_caller *caller,
                      const struct form_field *field,
                      struct credential *credential)
{
    struct attempt attempt;
    enum igw_result rc;

    if (!begin_attempt(call, &caller->session.account, &attempt)) {
        return false;
    }
    rc = store_find_credential_of(call->pg, caller->session.account.id,
                                  credential);
    if (rc != IGW_OK) {
        own_password_answer(call, rc, "");
        return false;
    }
    if (!is_right(call, field, &attempt, credential)) {
        return false;
    }
    rc = store_forgive(call->pg, &attempt.keys);
    if (rc != IGW_OK) {
        igw_problem_result(call, rc);
    }
    return rc == IGW_OK;
}

/* *text is the new password's normal form; wipe it. False: answered. */
static bool
check_new(struct igw_call *call, const struct account *account,
          const struct form_field *field, char **text)
{
    const struct app *app = call->app;
    struct igw_errors errors = { 0 };
    struct rules_fault fault = { 0 };
    enum igw_result rc;

    rc = app_new_password(app->settings, account, field->value, text, &fault);
    if (rc == IGW_INVALID) {
        igw_errors_add(&errors, field->name, fault.code, fault.detail);
        igw_problem_fields(call, &errors);
        igw_errors_clear(&errors);
    } else if (rc != IGW_OK) {
        igw_problem_result(call, rc);
    }
    return rc == IGW_OK;
}

static void
hash_and_store(struct igw_call *call, const struct client_caller *caller,
               const struct credential *credential, const char *password)
{
    const struct app *app = call->app;
    const struct audit_entry audit = client_audit(call, AUDIT_PASSWORD_CHANGED);
    char hash[PASSWORD_HASH_SIZE];
    enum igw_result rc;

    rc = hasher_hash(app->hasher, igw_slice_of(password), hash);
    if (rc != IGW_OK) {
        answer_unhashed(call, rc);
        return;
    }
    rc =
        store_change_password(call->pg, credential->account.id,
                              credential->version, hash, &caller->hash, &audit);
    own_password_answer(call, rc, "password_changed");
}

static void
change(struct igw_call *call, const struct client_caller *caller,
       const struct form_field fields[FIELDS])
{
    struct credential credential = { 0 };
    char *text = NULL;

    if (check_new(call, &caller->session.account, &fields[NEW], &text)
        && own_password_is_right(call, caller, &fields[CURRENT], &credential)) {
        hash_and_store(call, caller, &credential, text);
    }
    rules_wipe(&text);
    account_clear(&credential.account);
}

static void
read_and_change(struct igw_call *call, const struct client_caller *caller,
                struct json_t *json)
{
    struct form_field fields[FIELDS] = {
        [CURRENT] = { .name = "current" },
        [NEW] = { .name = "new" },
    };
    struct igw_errors errors = { 0 };

    form_read(json, fields, FIELDS, &errors);
    form_require(fields, FIELDS, &errors);
    if (igw_errors_any(&errors)) {
        igw_problem_fields(call, &errors);
    } else {
        change(call, caller, fields);
    }
    igw_errors_clear(&errors);
}

void
password_post(struct igw_call *call)
{
    struct client_caller caller;
    struct body body;

    if (client_caller(call, &caller)) {
        if (body_read(call, &body)) {
            read_and_change(call, &caller, body.json);
            body_redirects(call, &body);
        }
        body_clear(&body);
        client_caller_clear(&caller);
    }
}
