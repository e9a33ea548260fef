/*
 * chores.h: what the database has to be rid of, done in the background.
 */
#ifndef CHORES_H
#define CHORES_H

#include "pg.h"

struct chores {
    int64_t prune_interval_ms;
};

/* For struct ticker_config; arg is a const struct chores. */
void chores_do(struct igw_pg *pg, void *arg);

#endif
