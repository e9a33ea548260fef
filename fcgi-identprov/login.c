#include <stdlib.h>
#include <string.h>

#include "attempt.h"
#include "body.h"
#include "crypto.h"
#include "form.h"
#include "handlers.h"
#include "log.h"
#include "rules.h"
#include "text.h"
#include "webform.h"

enum field { USERNAME, PASSWORD, FIELDS };

/* What a login ended with; the log says which, the client never learns. */
struct outcome {
    enum igw_result result; /* IGW_DENIED: no login */
    const char *reason;
    char id[SESSION_ID_LEN + 1];
    char expires_at[STORE_TIME_SIZE];
};

static void
answer_denied(struct igw_call *call)
{
    client_challenge(call);
    igw_problem(call, 401, "login_failed",
                "The username or the password is wrong.");
}

static void
answer_session(struct igw_call *call, const struct account *account,
               const struct outcome *outcome)
{
    struct json_t *json = igw_json_object();

    if (!igw_json_set(json, "user", shown_account(account))
        || !igw_json_set_text(json, "expires_at",
                              igw_slice_of(outcome->expires_at))) {
        igw_problem_result(call, IGW_ERROR);
        igw_json_free(&json);
        return;
    }
    if (!igw_webform_is(call->request)) {
        igw_response_header(call->response, client_session_name(call),
                            igw_slice_of(outcome->id));
    }
    client_set_cookie(call, outcome->id);
    igw_response_header(call->response, "Cache-Control",
                        igw_slice_of("no-store"));
    igw_response_json(call->response, 200, json);
    igw_json_free(&json);
}

static void
answer(struct igw_call *call, const struct account *account,
       const struct outcome *outcome)
{
    const struct igw_log_field fields[] = {
        { "reason", outcome->reason },
        { "address", call->request->address },
        { NULL, NULL },
    };

    igw_log_user(account->id);
    igw_log(IGW_LOG_INFO, outcome->result == IGW_OK ? "login" : "login_failed",
            fields);
    if (outcome->result == IGW_OK) {
        answer_session(call, account, outcome);
    } else if (outcome->result == IGW_DENIED) {
        answer_denied(call);
    } else if (strcmp(outcome->reason, "busy") == 0) {
        igw_problem(call, 503, "busy", "Too many passwords are being hashed.");
    } else {
        igw_problem_result(call, outcome->result);
    }
}

static void
end(struct outcome *outcome, enum igw_result result, const char *reason)
{
    outcome->result = result;
    outcome->reason = reason;
}

/* Today's cost for the stored hash; the login does not depend on it. */
static void
renew_hash(struct igw_call *call, const struct credential *credential,
           const struct hasher_verdict *verdict)
{
    enum igw_result rc;

    if (!verdict->is_renewed) {
        return;
    }
    rc = store_update_hash(call->pg, credential->account.id,
                           credential->password_hash, verdict->hash);
    if (rc != IGW_OK) {
        igw_logf(IGW_LOG_WARN, "rehash_failed",
                 "the stored hash stays as it was");
    }
}

static void
open_session(struct igw_call *call, const struct credential *credential,
             const struct throttle_keys *keys, struct outcome *outcome)
{
    const struct app *app = call->app;
    struct session_hash revoked[SESSION_ALL_MAX];
    char sid[SESSION_SID_LEN + 1];
    struct new_session new = {
        .account_id = credential->account.id,
        .credential_version = credential->version,
        .address = call->request->address,
        .agent = client_agent(call),
        .revoked = revoked,
        .forgiven = keys,
        .audit = client_audit(call, AUDIT_LOGIN),
    };
    enum igw_result rc;

    rc = session_new(outcome->id);
    if (rc == IGW_OK) {
        rc = session_hash(igw_slice_of(outcome->id), &new.hash);
    }
    if (rc == IGW_OK) {
        rc = client_all_sessions(call, revoked, &new.revoked_count);
    }
    if (rc != IGW_OK) {
        end(outcome, rc, "no_session_id");
        return;
    }
    session_sid(&new.hash, sid);
    new.audit.account_id = credential->account.id;
    new.audit.sid = sid;
    rc = store_open_session(call->pg, &new, &app->limits, outcome->expires_at);
    end(outcome, rc, rc == IGW_OK ? "ok" : "not_stored");
}

/* One path for known and unknown users: always one hash, then the decision. */
static void
check(struct igw_call *call, struct igw_slice password,
      const struct credential *credential, const struct throttle_keys *keys,
      struct outcome *outcome)
{
    const struct app *app = call->app;
    struct hasher_verdict verdict;
    enum igw_result rc;

    rc = hasher_check(app->hasher, password, credential->password_hash,
                      &verdict);
    if (rc == IGW_UNAVAILABLE) {
        end(outcome, rc, "busy");
    } else if (rc != IGW_OK) {
        end(outcome, rc, "hash_failed");
    } else if (credential->password_hash == NULL) {
        end(outcome, IGW_DENIED, "unknown_user");
    } else if (!verdict.matches) {
        end(outcome, IGW_DENIED, "wrong_password");
    } else if (credential->is_disabled) {
        end(outcome, IGW_DENIED, "disabled");
    } else {
        renew_hash(call, credential, &verdict);
        open_session(call, credential, keys, outcome);
    }
}

/* A failure that is not written down is no answer yet. */
static void
audit_failure(struct igw_call *call, const struct account *account,
              const struct attempt *attempt, struct outcome *outcome)
{
    struct audit_entry entry = client_audit(call, AUDIT_LOGIN_FAILED);
    char detail[ATTEMPT_DETAIL_SIZE];
    enum igw_result rc;

    attempt_detail(attempt, outcome->reason, detail);
    entry.account_id = account->id;
    entry.detail = detail;
    rc = store_audit(call->pg, &entry);
    if (rc != IGW_OK) {
        end(outcome, rc, "not_audited");
    }
}

static void
login(struct igw_call *call, const char *username_key,
      struct igw_slice password)
{
    struct attempt attempt;
    struct credential credential;
    struct outcome outcome = { 0 };
    enum igw_result rc;

    if (!attempt_begin(call, username_key, &attempt)) {
        return;
    }
    rc = store_find_credential(call->pg, username_key, &credential);
    if (rc == IGW_OK || rc == IGW_NOT_FOUND) {
        check(call, password, &credential, &attempt.keys, &outcome);
    } else {
        end(&outcome, rc, "store");
    }
    if (outcome.result == IGW_DENIED) {
        audit_failure(call, &credential.account, &attempt, &outcome);
    }
    answer(call, &credential.account, &outcome);
    account_clear(&credential.account);
    igw_wipe(&outcome, sizeof(outcome));
}

static void
normalize_and_login(struct igw_call *call,
                    const struct form_field fields[FIELDS])
{
    char *username_key = rules_username_key(fields[USERNAME].value);
    char *password = igw_text_nfkc(fields[PASSWORD].value);

    if (username_key == NULL || password == NULL) {
        igw_problem_result(call, IGW_ERROR);
    } else {
        login(call, username_key, igw_slice_of(password));
    }
    if (password != NULL) {
        igw_wipe(password, strlen(password));
    }
    free(password);
    free(username_key);
}

void
login_post(struct igw_call *call)
{
    struct form_field fields[FIELDS] = {
        [USERNAME] = { .name = "username" },
        [PASSWORD] = { .name = "password" },
    };
    struct igw_errors errors = { 0 };
    struct body body;

    if (!client_sessions_fit(call)) {
        return;
    }
    if (!body_read(call, &body)) {
        body_clear(&body);
        return;
    }
    form_read(body.json, fields, FIELDS, &errors);
    form_require(fields, FIELDS, &errors);
    if (igw_errors_any(&errors)) {
        igw_problem_fields(call, &errors);
    } else {
        normalize_and_login(call, fields);
    }
    body_redirects(call, &body);
    igw_errors_clear(&errors);
    body_clear(&body);
}
