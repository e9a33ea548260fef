#include "chores.h"

#include "log.h"
#include "store_feed.h"
#include "store_session.h"
#include "store_throttle.h"

/* Between two batches, so that the database serves others, too. */
enum { REST_MS = 20 };

static enum igw_result
prune(struct ticker *ticker, struct igw_pg *pg)
{
    bool is_done;
    enum igw_result rc = store_prune(pg, &is_done);

    while (rc == IGW_OK && !is_done && ticker_rest(ticker, REST_MS)) {
        rc = store_prune(pg, &is_done);
    }
    return rc;
}

static enum igw_result
remove_expired(struct ticker *ticker, struct igw_pg *pg, int64_t idle_ms)
{
    struct session_walk walk = { 0 };
    enum igw_result rc = store_remove_expired(pg, idle_ms, &walk);

    while (rc == IGW_OK && !walk.has_ended && ticker_rest(ticker, REST_MS)) {
        rc = store_remove_expired(pg, idle_ms, &walk);
    }
    return rc;
}

static enum igw_result
prune_throttle(struct ticker *ticker, struct igw_pg *pg)
{
    bool is_done;
    enum igw_result rc = store_prune_throttle(pg, &is_done);

    while (rc == IGW_OK && !is_done && ticker_rest(ticker, REST_MS)) {
        rc = store_prune_throttle(pg, &is_done);
    }
    return rc;
}

void
chores_do(struct ticker *ticker, struct igw_pg *pg, void *arg)
{
    const struct chores *chores = arg;
    bool is_ours;
    enum igw_result rc;

    rc = store_move_floor(pg, chores->interval_ms, &is_ours);
    if (rc == IGW_OK && is_ours) {
        rc = prune(ticker, pg);
    }
    if (rc == IGW_OK && is_ours) {
        rc = remove_expired(ticker, pg, chores->session_idle_ms);
    }
    if (rc == IGW_OK && is_ours) {
        rc = prune_throttle(ticker, pg);
    }
    if (rc != IGW_OK) {
        igw_logf(IGW_LOG_WARN, "chores_failed",
                 "old revocations, sessions and failures stay for now: %s",
                 igw_pg_message(pg));
    }
}
