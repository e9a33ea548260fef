#include "attempt.h"

#include <stdio.h>

#include "log.h"
#include "problem.h"

enum { MS_PER_MINUTE = 60000 };

static void
answer_wait(struct igw_call *call, int64_t wait_ms)
{
    long long retry_sec = (long long)throttle_retry_sec(wait_ms);

    igw_logf(IGW_LOG_INFO, "throttled", "%s has to wait for %lld s",
             call->request->address, retry_sec);
    igw_response_headerf(call->response, "Retry-After", "%lld", retry_sec);
    igw_problem(call, 429, "too_many_requests",
                "Too many attempts. Try again after as many seconds as"
                " Retry-After says.");
}

bool
attempt_begin(struct igw_call *call, const char *username_key,
              struct attempt *attempt)
{
    struct app *app = call->app;
    int64_t wait_ms = 0;
    enum igw_result rc;

    proxy_watch_note(&app->proxy_watch, call->request->address);
    rc = throttle_keys(username_key, call->request->address, &attempt->keys);
    if (rc == IGW_OK) {
        rc = store_attempt(call->pg, &attempt->keys, &wait_ms,
                           &attempt->delay_ms);
    }
    if (rc != IGW_OK) {
        igw_problem_result(call, rc);
        return false;
    }
    if (wait_ms > 0) {
        answer_wait(call, wait_ms);
        return false;
    }
    return true;
}

void
attempt_detail(const struct attempt *attempt, const char *reason,
               char detail[ATTEMPT_DETAIL_SIZE])
{
    int len = snprintf(detail, ATTEMPT_DETAIL_SIZE, "%s", reason);

    if (attempt->delay_ms > 0) {
        (void)snprintf(detail + len, ATTEMPT_DETAIL_SIZE - (size_t)len,
                       ", throttled for %lld s",
                       (long long)throttle_retry_sec(attempt->delay_ms));
    }
}

bool
attempt_register(struct igw_call *call)
{
    const struct app *app = call->app;
    int64_t rate = app->settings->registration_rate;
    int64_t step_ms = MS_PER_MINUTE / rate;
    struct throttle_key key;
    bool is_allowed = false;
    enum igw_result rc;

    rc = throttle_register_key(call->request->address, &key);
    if (rc == IGW_OK) {
        rc = store_take(call->pg, &key, step_ms, rate, &is_allowed);
    }
    if (rc != IGW_OK) {
        igw_problem_result(call, rc);
        return false;
    }
    if (!is_allowed) {
        answer_wait(call, step_ms);
        return false;
    }
    return true;
}
