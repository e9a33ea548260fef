#include "client.h"

#include <string.h>

#include "log.h"
#include "origin.h"
#include "problem.h"
#include "text.h"
#include "webform.h"

enum { AGENT_MAX = 256 };

static const struct app_settings *
settings_of(const struct igw_call *call)
{
    const struct app *app = call->app;

    return app->settings;
}

const char *
client_session_name(const struct igw_call *call)
{
    const char *name = igw_request_param(call->request, "IDENTGW_SESSION_NAME");

    if (name != NULL && session_name_is_valid(name)) {
        return name;
    }
    return settings_of(call)->session_name;
}

static const char *
session_header(const struct igw_call *call)
{
    char param[SESSION_PARAM_SIZE];

    session_param(client_session_name(call), param);
    return igw_request_param(call->request, param);
}

static const char *
cookies(const struct igw_call *call)
{
    return igw_request_param(call->request, "HTTP_COOKIE");
}

struct igw_slice
client_session(const struct igw_call *call)
{
    return session_choose(session_header(call), cookies(call),
                          client_session_name(call));
}

/* The ids themselves; SESSION_ALL_MAX + 1 when there are more. */
static size_t
all_ids(const struct igw_call *call, struct igw_slice ids[SESSION_ALL_MAX])
{
    return session_all(session_header(call), cookies(call),
                       client_session_name(call), ids);
}

bool
client_sessions_fit(struct igw_call *call)
{
    struct igw_slice ids[SESSION_ALL_MAX];

    if (all_ids(call, ids) <= SESSION_ALL_MAX) {
        return true;
    }
    igw_problem(call, 400, "too_many_sessions",
                "More session ids came than can be ended at once.");
    return false;
}

enum igw_result
client_all_sessions(const struct igw_call *call,
                    struct session_hash hashes[SESSION_ALL_MAX], size_t *count)
{
    struct igw_slice ids[SESSION_ALL_MAX];
    enum igw_result rc = IGW_OK;

    *count = all_ids(call, ids);
    if (*count > SESSION_ALL_MAX) {
        return IGW_ERROR;
    }
    for (size_t i = 0; i < *count && rc == IGW_OK; i++) {
        rc = session_hash(ids[i], &hashes[i]);
    }
    return rc;
}

void
client_set_cookie(struct igw_call *call, const char *id)
{
    static const char *const same_site[] = {
        [APP_SAME_SITE_LAX] = "Lax",
        [APP_SAME_SITE_STRICT] = "Strict",
        [APP_SAME_SITE_NONE] = "None",
    };
    const struct app_settings *settings = settings_of(call);
    const struct session_cookie rules = {
        .name = client_session_name(call),
        .domain = settings->cookie_domain,
        .same_site = same_site[settings->cookie_same_site],
        .is_secure = call->request->is_https
                     || settings->cookie_secure == APP_SECURE_ALWAYS,
    };
    struct igw_buf cookie;

    igw_buf_init(&cookie);
    if (id != NULL) {
        session_cookie_set(&cookie, &rules, id);
    } else {
        session_cookie_clear(&cookie, &rules);
    }
    if (cookie.failed) {
        call->response->is_broken = true;
    } else {
        igw_response_header(call->response, "Set-Cookie",
                            igw_buf_slice(&cookie));
    }
    igw_buf_clear(&cookie);
}

struct audit_entry
client_audit(const struct igw_call *call, enum audit_event event)
{
    return (struct audit_entry){
        .event = event,
        .request_id = call->request->id,
        .address = call->request->address,
    };
}

void
client_answer_empty(struct igw_call *call)
{
    igw_response_header(call->response, "Cache-Control",
                        igw_slice_of("no-store"));
    igw_response_empty(call->response, 204);
}

void
client_challenge(struct igw_call *call)
{
    igw_response_header(call->response, "WWW-Authenticate",
                        igw_slice_of("Session realm=\"identgw\""));
}

struct igw_slice
client_agent(const struct igw_call *call)
{
    struct igw_slice agent =
        igw_slice_of(igw_request_param(call->request, "HTTP_USER_AGENT"));

    if (agent.len > AGENT_MAX) {
        agent.len = AGENT_MAX;
        while (agent.len > 0 && (agent.data[agent.len] & 0xc0) == 0x80) {
            agent.len--;
        }
    }
    if (igw_text_check(agent) != IGW_TEXT_OK) {
        agent.len = 0;
    }
    return agent;
}

void
client_refuse(struct igw_call *call)
{
    struct igw_buf detail;

    igw_buf_init(&detail);
    igw_buf_printf(&detail,
                   "There is no valid session. Send the id that POST /login"
                   " answered with as the header or cookie %s; a bearer token"
                   " is not taken here.",
                   client_session_name(call));
    client_challenge(call);
    igw_problem(call, 401, "no_session",
                detail.failed ? "There is no valid session." : detail.data);
    igw_buf_clear(&detail);
}

enum igw_result
client_find(struct igw_call *call, struct client_caller *caller)
{
    const struct app *app = call->app;
    struct igw_slice id = client_session(call);
    enum igw_result rc = IGW_NOT_FOUND;

    memset(caller, 0, sizeof(*caller));
    if (id.len > 0) {
        rc = session_hash(id, &caller->hash);
    }
    if (rc == IGW_OK) {
        rc = store_find_session(call->pg, &caller->hash, app->limits.idle_ms,
                                app->touch_after_ms, &caller->session);
    }
    if (rc == IGW_OK) {
        igw_log_user(caller->session.account.id);
    }
    if (rc == IGW_OK && caller->session.use_is_to_record) {
        touch_note(app->touch, &caller->hash);
    }
    return rc;
}

bool
client_caller(struct igw_call *call, struct client_caller *caller)
{
    enum igw_result rc = client_find(call, caller);

    if (rc == IGW_NOT_FOUND) {
        client_refuse(call);
        return false;
    }
    if (rc != IGW_OK) {
        igw_problem_result(call, rc);
        return false;
    }
    return true;
}

void
client_caller_clear(struct client_caller *caller)
{
    account_clear(&caller->session.account);
}

bool
client_is_foreign(const struct igw_call *call)
{
    const struct igw_request *request = call->request;
    bool has_cookie =
        session_header(call) == NULL
        && session_all(NULL, cookies(call), client_session_name(call),
                       (struct igw_slice[SESSION_ALL_MAX]){ { 0 } })
               > 0;

    if (request->method == IGW_GET || request->method == IGW_OPTIONS) {
        return false;
    }
    return (has_cookie || igw_webform_is(request))
           && igw_origin_is_foreign(request);
}
