/*
 * caller.c: see caller.h.
 */
#include "caller.h"

#include <time.h>

#include "app.h"
#include "log.h"
#include "problem.h"

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

bool
caller_identify(struct igw_call *call, struct identity *identity)
{
    const struct app *app = call->app;
    const char *reason;
    enum igw_result rc;

    rc = auth_identify(&app->auth,
                       igw_request_param(call->request, "HTTP_AUTHORIZATION"),
                       igw_request_param(call->request, "HTTP_X_USER"),
                       time(NULL), identity, &reason);
    if (rc == IGW_DENIED) {
        refuse(call, reason);
        return false;
    }
    if (rc != IGW_OK) {
        igw_problem_result(call, rc);
        return false;
    }

    igw_log_user(identity->sub.data);
    return true;
}
