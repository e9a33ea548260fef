#include "attempt.h"
#include "body.h"
#include "form.h"
#include "handlers.h"
#include "log.h"
#include "rules.h"

static void
answer_fields(struct igw_call *call, const struct form_field *fields,
              const struct rules_applicant *applicant,
              struct igw_errors *errors)
{
    const struct rules_fault *faults = applicant->faults;

    for (int i = 0; i < RULES_FIELDS; i++) {
        if (faults[i].code != NULL && !fields[i].is_faulty) {
            igw_errors_add(errors, fields[i].name, faults[i].code,
                           faults[i].detail);
        }
    }
    igw_problem_fields(call, errors);
}

static void
answer_account(struct igw_call *call, const struct account *account)
{
    struct json_t *json = shown_account(account);

    if (json == NULL) {
        igw_problem_result(call, IGW_ERROR);
        return;
    }
    igw_response_header(call->response, "Cache-Control",
                        igw_slice_of("no-store"));
    igw_response_json(call->response, 201, json);
    igw_json_free(&json);
}

static void
answer_conflict(struct igw_call *call, enum store_conflict conflict)
{
    if (conflict == STORE_EMAIL_TAKEN) {
        igw_problem(call, 409, "email_taken",
                    "Another account has this e-mail address.");
    } else {
        igw_problem(call, 409, "username_taken",
                    "This username is taken, or was once.");
    }
}

static void
add(struct igw_call *call, const struct rules_applicant *applicant,
    const char *password_hash)
{
    const struct new_account new = {
        .username = applicant->username,
        .username_key = applicant->username_key,
        .email = applicant->email,
        .email_key = applicant->email_key,
        .first_name = applicant->first_name,
        .last_name = applicant->last_name,
        .password_hash = password_hash,
    };
    const struct audit_entry audit = client_audit(call, AUDIT_REGISTERED);
    struct account account;
    enum store_conflict conflict;
    enum igw_result rc;

    rc = store_register(call->pg, &new, &audit, &account, &conflict);
    if (rc == IGW_CONFLICT) {
        answer_conflict(call, conflict);
        return;
    }
    if (rc != IGW_OK) {
        igw_problem_result(call, rc);
        return;
    }
    igw_log_user(account.id);
    igw_logf(IGW_LOG_INFO, "registered", "by %s", call->request->address);
    answer_account(call, &account);
    account_clear(&account);
}

static void
hash_and_add(struct igw_call *call, const struct rules_applicant *applicant)
{
    const struct app *app = call->app;
    char hash[PASSWORD_HASH_SIZE];
    enum igw_result rc;

    if (!attempt_register(call)) {
        return;
    }
    rc = hasher_hash(app->hasher, igw_slice_of(applicant->password), hash);
    if (rc == IGW_UNAVAILABLE) {
        igw_problem(call, 503, "busy", "Too many passwords are being hashed.");
        return;
    }
    if (rc != IGW_OK) {
        igw_problem_result(call, rc);
        return;
    }
    add(call, applicant, hash);
}

static void
check_and_add(struct igw_call *call, struct form_field fields[RULES_FIELDS],
              struct igw_errors *errors)
{
    const struct app *app = call->app;
    const struct rules_password policy = app_password_policy(app->settings);
    struct igw_slice given[RULES_FIELDS];
    struct rules_applicant applicant;
    enum igw_result rc;

    for (int i = 0; i < RULES_FIELDS; i++) {
        given[i] = fields[i].value;
    }
    rc = rules_applicant_check(given, &policy, &applicant);
    if (rc == IGW_INVALID || igw_errors_any(errors)) {
        answer_fields(call, fields, &applicant, errors);
    } else if (rc != IGW_OK) {
        igw_problem_result(call, rc);
    } else {
        hash_and_add(call, &applicant);
    }
    rules_applicant_clear(&applicant);
}

void
register_post(struct igw_call *call)
{
    const struct app *app = call->app;
    struct form_field fields[RULES_FIELDS] = { { 0 } };
    struct igw_errors errors = { 0 };
    struct body body;

    if (app->settings->registration != APP_REGISTRATION_OPEN) {
        igw_problem(call, 403, "registration_closed",
                    "Registration is closed here.");
        return;
    }
    if (!body_read(call, &body)) {
        body_clear(&body);
        return;
    }
    for (int i = 0; i < RULES_FIELDS; i++) {
        fields[i].name = rules_field_names[i];
    }
    form_read(body.json, fields, RULES_FIELDS, &errors);
    check_and_add(call, fields, &errors);
    body_redirects(call, &body);
    igw_errors_clear(&errors);
    body_clear(&body);
}
