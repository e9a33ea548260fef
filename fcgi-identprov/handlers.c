#include "handlers.h"

#include "app.h"
#include "browser.h"
#include "client.h"
#include "problem.h"
#include "ready.h"
#include "route.h"

static const struct igw_route routes[] = {
    { IGW_POST, "/register", register_post, IGW_ROUTE_SLOW },
    { IGW_POST, "/login", login_post, IGW_ROUTE_SLOW },
    { IGW_GET, "/authenticate", authenticate_get, IGW_ROUTE_USUAL },
    { IGW_POST, "/logout", logout_post, IGW_ROUTE_USUAL },
    { IGW_GET, "/account", account_get, IGW_ROUTE_USUAL },
    { IGW_PATCH, "/account", account_patch, IGW_ROUTE_USUAL },
    { IGW_DELETE, "/account", account_delete, IGW_ROUTE_SLOW },
    { IGW_POST, "/account", account_patch, IGW_ROUTE_USUAL },
    { IGW_POST, "/account/delete", account_delete, IGW_ROUTE_SLOW },
    { IGW_POST, "/password", password_post, IGW_ROUTE_SLOW },
    { IGW_GET, "/sessions", sessions_get, IGW_ROUTE_USUAL },
    { IGW_DELETE, "/sessions", sessions_delete, IGW_ROUTE_USUAL },
    { IGW_POST, "/sessions", sessions_delete, IGW_ROUTE_USUAL },
    { IGW_DELETE, "/sessions/*", session_delete, IGW_ROUTE_USUAL },
    { IGW_POST, "/sessions/*", session_delete, IGW_ROUTE_USUAL },
    { IGW_GET, "/signin", signin_get, IGW_ROUTE_USUAL },
    { IGW_GET, "/.well-known/jwks.json", jwks_get, IGW_ROUTE_USUAL },
    { IGW_GET, "/revocations", revocations_get, IGW_ROUTE_INTERNAL },
    { IGW_GET, "/metrics", metrics_get, IGW_ROUTE_INTERNAL },
    { IGW_GET, "/healthz", healthz_get, IGW_ROUTE_USUAL },
    { IGW_GET, "/readyz", readyz_get, IGW_ROUTE_USUAL },
    { IGW_GET, "/", browser_home_get, IGW_ROUTE_PAGE },
    { IGW_GET, "/register", browser_register_get, IGW_ROUTE_PAGE },
    { IGW_GET, "/login", browser_signin, IGW_ROUTE_PAGE },
    { IGW_GET, "/logout", browser_logout_get, IGW_ROUTE_PAGE },
    { IGW_GET, "/password", browser_account_go, IGW_ROUTE_PAGE },
    { IGW_GET, "/account/delete", browser_account_go, IGW_ROUTE_PAGE },
    { IGW_GET, "/sessions/*", browser_account_go, IGW_ROUTE_PAGE },
};

static void
answer(struct igw_call *call)
{
    if (client_is_foreign(call)) {
        igw_problem(call, 403, "cross_site",
                    "Another site may not write with this browser.");
        return;
    }
    igw_route(call, routes, sizeof(routes) / sizeof(routes[0]));
}

void
handlers_handle(struct igw_call *call)
{
    answer(call);
    browser_mend(call);
    if (!call->request->is_internal) {
        igw_response_guard(call->response);
    }
}

bool
handlers_is_slow(const struct igw_request *request)
{
    return igw_route_is_slow(request, routes,
                             sizeof(routes) / sizeof(routes[0]));
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

void
healthz_get(struct igw_call *call)
{
    igw_ready_live(call);
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
    const struct app *app = call->app;
    const enum igw_result store = store_check_schema(call->pg);
    const struct igw_lack lacks[] = {
        { "database_unavailable", "The database cannot be asked.",
          store != IGW_OK && store != IGW_INVALID },
        { "wrong_schema", "The database schema is not this program's.",
          store == IGW_INVALID },
        { "no_commit", "The database has not committed for too long.",
          app->heartbeat != NULL && !heartbeat_is_there(app->heartbeat) },
        { "no_signing_key", "No signing key can be used.", !can_sign(call) },
    };

    igw_ready_answer(call, lacks, sizeof(lacks) / sizeof(lacks[0]));
}
