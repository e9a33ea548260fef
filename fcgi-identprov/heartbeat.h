/*
 * heartbeat.h: whether the database still commits. A primary that has been
 * deposed reads on, but without its synchronous standby it cannot commit.
 */
#ifndef HEARTBEAT_H
#define HEARTBEAT_H

#include "pg.h"

struct heartbeat;

/* Beats several times in within_ms, in a thread of its own. */
struct heartbeat *heartbeat_new(const struct igw_pg_config *pg,
                                int64_t within_ms) IGW_MUST_CHECK;
void heartbeat_free(struct heartbeat **heartbeat);

/* A commit that began less than within_ms ago has succeeded. */
bool heartbeat_is_there(const struct heartbeat *heartbeat);

#endif
