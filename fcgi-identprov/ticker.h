/*
 * ticker.h: something that is done in the background every so often, in a
 * thread with a database connection of its own.
 */
#ifndef TICKER_H
#define TICKER_H

#include "pg.h"

struct ticker;

struct ticker_config {
    struct igw_pg_config pg;
    int64_t interval_ms; /* from the end of one tick to the next; the first
                            one comes at once */
    void (*tick)(struct ticker *ticker, struct igw_pg *pg, void *arg);
    void *arg;
};

/* Signals are blocked already (igw_server_block_signals). */
struct ticker *ticker_new(const struct ticker_config *config) IGW_MUST_CHECK;
/* Waits for a tick that is under way. */
void ticker_free(struct ticker **ticker);

/* For a long tick: waits a little. False: it shall come to its end. */
bool ticker_rest(struct ticker *ticker, int64_t ms);

#endif
