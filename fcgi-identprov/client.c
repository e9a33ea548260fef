#include "client.h"

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

enum igw_result
client_all_sessions(const struct igw_call *call,
                    struct session_hash hashes[SESSION_ALL_MAX], size_t *count)
{
    struct igw_slice ids[SESSION_ALL_MAX];
    enum igw_result rc = IGW_OK;

    *count = session_all(session_header(call), cookies(call),
                         client_session_name(call), ids);
    for (size_t i = 0; i < *count && rc == IGW_OK; i++) {
        rc = session_hash(ids[i], &hashes[i]);
    }
    return rc;
}

void
client_set_cookie(struct igw_call *call, const char *id)
{
    const char *name = client_session_name(call);
    bool is_https = call->request->is_https;
    struct igw_buf cookie;

    igw_buf_init(&cookie);
    if (id != NULL) {
        session_cookie(&cookie, name, id, is_https);
    } else {
        session_cookie_clear(&cookie, name, is_https);
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
client_challenge(struct igw_call *call)
{
    igw_response_header(call->response, "WWW-Authenticate",
                        igw_slice_of("Session realm=\"identgw\""));
}

struct json_t *
client_account_json(const struct account *account)
{
    struct json_t *json = igw_json_object();

    if (!igw_json_set_text(json, "id", igw_slice_of(account->id))
        || !igw_json_set_text(json, "username", igw_slice_of(account->username))
        || !igw_json_set_text(json, "email", igw_slice_of(account->email))
        || !igw_json_set_bool(json, "email_verified", account->email_verified)
        || !igw_json_set_text(json, "first_name",
                              igw_slice_of(account->first_name))
        || !igw_json_set_text(json, "last_name",
                              igw_slice_of(account->last_name))
        || !igw_json_set_text(json, "created_at",
                              igw_slice_of(account->created_at))) {
        igw_json_free(&json);
    }
    return json;
}
