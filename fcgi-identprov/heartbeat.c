#include "heartbeat.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "log.h"
#include "store_feed.h"
#include "ticker.h"

enum { BEATS = 4, MS_PER_SEC = 1000, NS_PER_MS = 1000000 };

struct heartbeat {
    struct ticker *ticker;
    int64_t within_ms;
    _Atomic int64_t began_ms; /* the last commit that succeeded; 0: none */
};

/* The time that a machine sleeps counts. */
static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * MS_PER_SEC + now.tv_nsec / NS_PER_MS;
}

static void
beat(struct ticker *ticker, struct igw_pg *pg, void *arg)
{
    struct heartbeat *heartbeat = arg;
    int64_t began_ms = now_ms();

    (void)ticker;
    if (store_beat(pg) == IGW_OK) {
        atomic_store(&heartbeat->began_ms, began_ms);
    } else {
        igw_logf(IGW_LOG_WARN, "no_heartbeat",
                 "the database does not commit: %s", igw_pg_message(pg));
    }
}

struct heartbeat *
heartbeat_new(const struct igw_pg_config *pg, int64_t within_ms)
{
    struct heartbeat *heartbeat = calloc(1, sizeof(*heartbeat));
    const struct ticker_config config = {
        .pg = *pg,
        .interval_ms = within_ms / BEATS + 1,
        .tick = beat,
        .arg = heartbeat,
    };

    if (heartbeat == NULL) {
        return NULL;
    }
    heartbeat->within_ms = within_ms;
    heartbeat->ticker = ticker_new(&config);
    if (heartbeat->ticker == NULL) {
        free(heartbeat);
        return NULL;
    }
    return heartbeat;
}

void
heartbeat_free(struct heartbeat **heartbeat)
{
    if (*heartbeat == NULL) {
        return;
    }
    ticker_free(&(*heartbeat)->ticker);
    free(*heartbeat);
    *heartbeat = NULL;
}

bool
heartbeat_is_there(const struct heartbeat *heartbeat)
{
    int64_t began_ms = atomic_load(&heartbeat->began_ms);

    return began_ms > 0 && now_ms() - began_ms < heartbeat->within_ms;
}
