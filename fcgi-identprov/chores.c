#include "chores.h"

#include "log.h"
#include "store_feed.h"

static enum igw_result
prune(struct igw_pg *pg, int64_t interval_ms)
{
    bool is_done = false;
    enum igw_result rc = store_move_floor(pg, interval_ms);

    while (rc == IGW_OK && !is_done) {
        rc = store_prune(pg, &is_done);
    }
    return rc;
}

void
chores_do(struct igw_pg *pg, void *arg)
{
    const struct chores *chores = arg;

    if (prune(pg, chores->prune_interval_ms) != IGW_OK) {
        igw_logf(IGW_LOG_WARN, "prune_failed",
                 "old revocations stay for now: %s", igw_pg_message(pg));
    }
}
