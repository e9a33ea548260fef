#include "app.h"
#include "client.h"
#include "handlers.h"
#include "log.h"
#include "problem.h"

void
logout_post(struct igw_call *call)
{
    struct session_hash hashes[SESSION_ALL_MAX];
    size_t count;
    enum igw_result rc;

    rc = client_all_sessions(call, hashes, &count);
    if (rc == IGW_OK) {
        rc = store_revoke_sessions(call->pg, hashes, count);
    }
    if (rc != IGW_OK) {
        igw_problem_result(call, rc);
        return;
    }
    if (count > 0) {
        igw_logf(IGW_LOG_INFO, "logout", "by %s", call->request->address);
    }
    client_set_cookie(call, NULL);
    igw_response_header(call->response, "Cache-Control",
                        igw_slice_of("no-store"));
    igw_response_empty(call->response, 204);
}
