#include "app.h"
#include "body.h"
#include "client.h"
#include "handlers.h"
#include "log.h"
#include "problem.h"
#include "webform.h"

static enum igw_result
end_sessions(struct igw_call *call)
{
    const struct audit_entry audit = client_audit(call, AUDIT_LOGOUT);
    struct session_hash hashes[SESSION_ALL_MAX];
    size_t count;
    enum igw_result rc;

    rc = client_all_sessions(call, hashes, &count);
    if (rc == IGW_OK) {
        rc = store_revoke_sessions(call->pg, hashes, count, &audit);
    }
    if (rc == IGW_OK && count > 0) {
        igw_logf(IGW_LOG_INFO, "logout", "by %s", call->request->address);
    }
    return rc;
}

void
logout_post(struct igw_call *call)
{
    struct body body = { 0 };
    enum igw_result rc;

    if (!client_sessions_fit(call)) {
        return;
    }
    /* Whatever else comes is not asked for. */
    if (igw_webform_is(call->request) && !body_read(call, &body)) {
        body_clear(&body);
        return;
    }
    rc = end_sessions(call);
    if (rc != IGW_OK) {
        igw_problem_result(call, rc);
        body_clear(&body);
        return;
    }
    client_set_cookie(call, NULL);
    client_answer_empty(call);
    body_redirects(call, &body);
    body_clear(&body);
}
