/*
 * chores.h: what the database has to be rid of, done in the background by
 * whichever process comes first.
 */
#ifndef CHORES_H
#define CHORES_H

#include "ticker.h"

struct chores {
    int64_t interval_ms;
    int64_t session_idle_ms;
};

/* For struct ticker_config; arg is a const struct chores. */
void chores_do(struct ticker *ticker, struct igw_pg *pg, void *arg);

#endif
