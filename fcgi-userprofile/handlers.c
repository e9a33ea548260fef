#include "handlers.h"

#include <time.h>

#include "log.h"
#include "problem.h"
#include "route.h"
#include "rules.h"
#include "store.h"

static void get_profile(struct igw_call *call);
static void post_profile(struct igw_call *call);
static void put_profile(struct igw_call *call);
static void get_health(struct igw_call *call);
static void get_readiness(struct igw_call *call);

static const struct igw_route routes[] = {
    { IGW_GET, "/userprofile", get_profile, false },
    { IGW_POST, "/userprofile", post_profile, false },
    { IGW_PUT, "/userprofile", put_profile, false },
    { IGW_GET, "/healthz", get_health, false },
    { IGW_GET, "/readyz", get_readiness, false },
};

typedef enum igw_result write_function(struct igw_pg *pg,
                                       struct igw_slice subject,
                                       struct profile *profile);

static bool identify(struct igw_call *call, struct igw_claims *claims);
static bool read_profile(struct igw_call *call, struct profile *profile);
static void write_profile(struct igw_call *call, write_function *write,
                          int status);
static void answer(struct igw_call *call, enum igw_result rc, int status,
                   const struct igw_claims *claims,
                   const struct profile *profile);
static void answer_profile(struct igw_call *call, int status,
                           const struct igw_claims *claims,
                           const struct profile *profile);
static void refuse(struct igw_call *call, const char *reason);
static void answer_status(struct igw_call *call, const char *status);
static void no_store(struct igw_call *call);

void
handlers_serve(struct igw_call *call)
{
    igw_route(call, routes, sizeof(routes) / sizeof(routes[0]));
}

static void
get_profile(struct igw_call *call)
{
    struct igw_claims claims;
    struct profile profile;
    enum igw_result rc;

    if (!identify(call, &claims)) {
        return;
    }

    profile_init(&profile);
    rc = store_find(call->pg, claims.sub, &profile);
    answer(call, rc, 200, &claims, &profile);

    profile_clear(&profile);
    igw_claims_clear(&claims);
}

static void
post_profile(struct igw_call *call)
{
    write_profile(call, store_insert, 201);
}

static void
put_profile(struct igw_call *call)
{
    write_profile(call, store_replace, 200);
}

static void
write_profile(struct igw_call *call, write_function *write, int status)
{
    struct igw_claims claims;
    struct profile profile;
    enum igw_result rc;

    if (!identify(call, &claims)) {
        return;
    }

    profile_init(&profile);
    if (read_profile(call, &profile)) {
        rc = write(call->pg, claims.sub, &profile);
        answer(call, rc, status, &claims, &profile);
    }

    profile_clear(&profile);
    igw_claims_clear(&claims);
}

/* False: the call has been answered. */
static bool
identify(struct igw_call *call, struct igw_claims *claims)
{
    const struct app *app = call->app;
    const char *reason;
    enum igw_result rc;

    rc = auth_identify(&app->auth,
                       igw_request_param(call->request, "HTTP_AUTHORIZATION"),
                       igw_request_param(call->request, "HTTP_X_USER"),
                       time(NULL), claims, &reason);
    if (rc == IGW_DENIED) {
        refuse(call, reason);
        return false;
    }
    if (rc != IGW_OK) {
        igw_problem_result(call, rc);
        return false;
    }

    igw_log_user(claims->sub.data);
    return true;
}

/* RFC 6750 3: no error code where no credentials came. */
static void
refuse(struct igw_call *call, const char *reason)
{
    if (reason == NULL) {
        igw_response_headerf(call->response, "WWW-Authenticate",
                             "Bearer realm=\"userprofile\"");
        igw_problem(call, 401, "unauthenticated",
                    "Send a bearer token in Authorization and its user's "
                    "name in X-User; the gateway does so.");
        return;
    }

    igw_log(IGW_LOG_WARN, "token_refused",
            (struct igw_log_field[]){ { "reason", reason }, { NULL, NULL } });
    igw_response_headerf(call->response, "WWW-Authenticate",
                         "Bearer realm=\"userprofile\", "
                         "error=\"invalid_token\", "
                         "error_description=\"%s\"",
                         reason);
    igw_problem(call, 401, "invalid_token",
                "The bearer token is not acceptable.");
}

/* False: the call has been answered. */
static bool
read_profile(struct igw_call *call, struct profile *profile)
{
    struct igw_errors errors = { 0 };
    struct json_t *document = NULL;
    enum igw_result rc;

    if (!igw_call_json(call, &document)) {
        return false;
    }

    rc = rules_read(document, profile, &errors);
    if (rc == IGW_INVALID) {
        igw_problem_fields(call, &errors);
    } else if (rc != IGW_OK) {
        igw_problem_result(call, rc);
    }

    igw_errors_clear(&errors);
    igw_json_free(&document);
    return rc == IGW_OK;
}

static void
answer(struct igw_call *call, enum igw_result rc, int status,
       const struct igw_claims *claims, const struct profile *profile)
{
    switch (rc) {
    case IGW_OK:
        answer_profile(call, status, claims, profile);
        break;
    case IGW_NOT_FOUND:
        igw_problem(call, 404, "no_profile",
                    "You have no profile yet; POST makes one.");
        break;
    case IGW_CONFLICT:
        igw_problem(call, 409, "profile_exists",
                    "You have a profile already; PUT replaces it.");
        break;
    default:
        igw_problem_result(call, rc);
    }
}

static void
answer_profile(struct igw_call *call, int status,
               const struct igw_claims *claims, const struct profile *profile)
{
    struct json_t *document = igw_json_object();

    if (igw_json_set_text(document, "sub", claims->sub)
        && igw_json_set_text(document, "preferred_username",
                             claims->preferred_username)
        && rules_write(profile, document) == IGW_OK
        && igw_json_set_integer(document, "updated_at", profile->updated_at)) {
        no_store(call);
        igw_response_json(call->response, status, document);
    } else {
        igw_problem_result(call, IGW_ERROR);
    }
    igw_json_free(&document);
}

static void
get_health(struct igw_call *call)
{
    answer_status(call, "live");
}

static void
get_readiness(struct igw_call *call)
{
    const struct app *app = call->app;
    bool has_keys = jwks_acquire(app->auth.jwks) != NULL;
    enum igw_result rc;

    jwks_release(app->auth.jwks);
    rc = store_check(call->pg);
    if (has_keys && rc == IGW_OK) {
        answer_status(call, "ready");
    } else if (!call->request->is_internal) {
        igw_problem(call, 503, "not_ready", "This server is not ready.");
    } else if (!has_keys) {
        igw_problem(call, 503, "no_keys",
                    "There are no keys to verify tokens with.");
    } else if (rc == IGW_INVALID) {
        igw_problem(call, 503, "wrong_schema",
                    "The database schema is not this program's.");
    } else {
        igw_problem(call, 503, "database_unavailable",
                    "The database cannot be asked.");
    }
}

static void
answer_status(struct igw_call *call, const char *status)
{
    struct json_t *json = igw_json_object();

    if (igw_json_set_text(json, "status", igw_slice_of(status))) {
        no_store(call);
        igw_response_json(call->response, 200, json);
    } else {
        igw_problem_result(call, IGW_ERROR);
    }
    igw_json_free(&json);
}

static void
no_store(struct igw_call *call)
{
    igw_response_header(call->response, "Cache-Control",
                        igw_slice_of("no-store"));
}
