/*
 * sessions.c: what a user sees and ends of the account's own sessions.
 */
#include <string.h>

#include "accept.h"
#include "app.h"
#include "body.h"
#include "browser.h"
#include "client.h"
#include "handlers.h"
#include "log.h"
#include "problem.h"
#include "route.h"
#include "webform.h"

static enum igw_result
answer_list(struct igw_call *call, const struct igw_rows *rows)
{
    struct json_t *json = igw_json_object();
    bool is_made = igw_json_set(json, "sessions", shown_sessions(rows));

    if (is_made) {
        igw_response_header(call->response, "Cache-Control",
                            igw_slice_of("no-store"));
        igw_response_json(call->response, 200, json);
    }
    igw_json_free(&json);
    return is_made ? IGW_OK : IGW_ERROR;
}

void
sessions_get(struct igw_call *call)
{
    const struct app *app = call->app;
    struct client_caller caller;
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    if (igw_accept_is_of_browser(call->request)) {
        browser_account_go(call);
        return;
    }
    if (!client_caller(call, &caller)) {
        return;
    }
    rc = store_list_sessions(call->pg, caller.session.account.id, &caller.hash,
                             app->limits.idle_ms, &rows);
    if (rc == IGW_OK) {
        rc = answer_list(call, rows);
    }
    if (rc != IGW_OK) {
        igw_problem_result(call, rc);
    }
    igw_rows_free(&rows);
    client_caller_clear(&caller);
}

/* A form is read for where to go then. False: answered. */
static bool
read_form(struct igw_call *call, struct body *body)
{
    *body = (struct body){ 0 };
    return !igw_webform_is(call->request) || body_read(call, body);
}

static void
end_others(struct igw_call *call, const struct client_caller *caller)
{
    const struct audit_entry audit = client_audit(call, AUDIT_SESSIONS_REVOKED);
    enum igw_result rc;

    rc = store_end_sessions(call->pg, caller->session.account.id, &caller->hash,
                            &audit);
    if (rc != IGW_OK) {
        igw_problem_result(call, rc);
        return;
    }
    igw_logf(IGW_LOG_INFO, "sessions_ended", "by %s", call->request->address);
    client_answer_empty(call);
}

void
sessions_delete(struct igw_call *call)
{
    struct client_caller caller;
    struct body body;

    if (client_caller(call, &caller)) {
        if (read_form(call, &body)) {
            end_others(call, &caller);
            body_redirects(call, &body);
        }
        body_clear(&body);
        client_caller_clear(&caller);
    }
}

static bool
is_sid(const char *text)
{
    return strlen(text) == SESSION_SID_LEN
           && strspn(text, "0123456789abcdef") == SESSION_SID_LEN;
}

static void
end_one(struct igw_call *call, const struct client_caller *caller)
{
    const struct audit_entry audit = client_audit(call, AUDIT_SESSION_REVOKED);
    const char *sid = igw_route_last(call);
    char own[SESSION_SID_LEN + 1];
    enum igw_result rc;

    rc = is_sid(sid) ? store_end_session(call->pg, caller->session.account.id,
                                         sid, &audit)
                     : IGW_NOT_FOUND;
    if (rc == IGW_NOT_FOUND) {
        igw_problem(call, 404, "no_such_session",
                    "You have no session of this id.");
        return;
    }
    if (rc != IGW_OK) {
        igw_problem_result(call, rc);
        return;
    }
    igw_logf(IGW_LOG_INFO, "session_ended", "%s by %s", sid,
             call->request->address);
    session_sid(&caller->hash, own);
    if (strcmp(own, sid) == 0) {
        client_set_cookie(call, NULL);
    }
    client_answer_empty(call);
}

void
session_delete(struct igw_call *call)
{
    struct client_caller caller;
    struct body body;

    if (client_caller(call, &caller)) {
        if (read_form(call, &body)) {
            end_one(call, &caller);
            body_redirects(call, &body);
        }
        body_clear(&body);
        client_caller_clear(&caller);
    }
}
