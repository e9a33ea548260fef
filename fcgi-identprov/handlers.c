#include "handlers.h"

#include <string.h>

#include "app.h"
#include "client.h"
#include "problem.h"
#include "route.h"

static const struct igw_route routes[] = {
    { IGW_POST, "/register", register_post, false },
    { IGW_POST, "/login", login_post, false },
    { IGW_GET, "/authenticate", authenticate_get, false },
    { IGW_POST, "/logout", logout_post, false },
    { IGW_GET, "/account", account_get, false },
    { IGW_PATCH, "/account", account_patch, false },
    { IGW_DELETE, "/account", account_delete, false },
    { IGW_POST, "/account", account_patch, false },
    { IGW_POST, "/account/delete", account_delete, false },
    { IGW_POST, "/password", password_post, false },
    { IGW_GET, "/sessions", sessions_get, false },
    { IGW_DELETE, "/sessions", sessions_delete, false },
    { IGW_POST, "/sessions", sessions_delete, false },
    { IGW_DELETE, "/sessions/*", session_delete, false },
    { IGW_POST, "/sessions/*", session_delete, false },
    { IGW_GET, "/signin", signin_get, false },
    { IGW_GET, "/.well-known/jwks.json", jwks_get, false },
    { IGW_GET, "/revocations", revocations_get, true },
    { IGW_GET, "/metrics", metrics_get, true },
    { IGW_GET, "/healthz", healthz_get, false },
    { IGW_GET, "/readyz", readyz_get, false },
};

void
handlers_handle(struct igw_call *call)
{
    if (client_is_foreign(call)) {
        igw_problem(call, 403, "cross_site",
                    "Another site may not write with this browser.");
        return;
    }
    igw_route(call, routes, sizeof(routes) / sizeof(routes[0]));
}

bool
handlers_is_slow(const struct igw_request *request)
{
    static const struct {
        enum igw_method method;
        const char *path;
    } slow[] = {
        { IGW_POST, "/register" },       { IGW_POST, "/login" },
        { IGW_POST, "/password" },       { IGW_DELETE, "/account" },
        { IGW_POST, "/account/delete" },
    };

    for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++) {
        if (request->method == slow[i].method
            && strcmp(request->path, slow[i].path) == 0) {
            return true;
        }
    }
    return false;
}

void
jwks_get(struct igw_call *call)
{
    const struct app *app = call->app;
    int64_t max_age_sec = 0;
    struct igw_buf jwks;
    enum igw_result rc;

    igw_buf_init(&jwks);
    rc = keys_jwks(app->keys, &jwks, &max_age_sec);
    if (rc == IGW_OK) {
        igw_response_headerf(call->response, "Cache-Control",
                             "public, max-age=%lld", (long long)max_age_sec);
        igw_response_text(call->response, 200, "application/json",
                          igw_buf_slice(&jwks));
    } else {
        igw_problem_result(call, rc);
    }
    igw_buf_clear(&jwks);
}

static void
answer_status(struct igw_call *call, const char *status)
{
    struct json_t *json = igw_json_object();

    igw_response_header(call->response, "Cache-Control",
                        igw_slice_of("no-store"));
    if (igw_json_set_text(json, "status", igw_slice_of(status))) {
        igw_response_json(call->response, 200, json);
    } else {
        igw_problem_result(call, IGW_ERROR);
    }
    igw_json_free(&json);
}

void
healthz_get(struct igw_call *call)
{
    answer_status(call, "live");
}

static bool
can_sign(struct igw_call *call)
{
    const struct app *app = call->app;
    struct signing_key signing;

    if (keys_borrow(app->keys, &signing) != IGW_OK) {
        return false;
    }
    keys_return(app->keys, &signing);
    return true;
}

void
readyz_get(struct igw_call *call)
{
    enum igw_result rc = store_check_schema(call->pg);
    bool has_key = can_sign(call);

    if (rc == IGW_OK && has_key) {
        answer_status(call, "ready");
    } else if (!call->request->is_internal) {
        igw_problem(call, 503, "not_ready", "This server is not ready.");
    } else if (rc == IGW_INVALID) {
        igw_problem(call, 503, "wrong_schema",
                    "The database schema is not this program's.");
    } else if (rc == IGW_OK) {
        igw_problem(call, 503, "no_signing_key", "No signing key can be used.");
    } else {
        igw_problem(call, 503, "database_unavailable",
                    "The database cannot be asked.");
    }
}
