/*
 * touch.h: records in the background that sessions are used. The request that
 * used one does not wait for it; a use that cannot be recorded is tried again
 * at the next use.
 */
#ifndef TOUCH_H
#define TOUCH_H

#include "pg.h"
#include "session.h"

struct touch;

/*
 * Starts a thread with a connection of its own; signals are blocked already
 * (igw_server_block_signals). NULL: no memory, no thread.
 */
struct touch *touch_new(const struct igw_pg_config *pg,
                        int64_t touch_after_ms) IGW_MUST_CHECK;
/* Writes what is waiting, ends the thread. */
void touch_free(struct touch **touch);

/* Never blocks on the database. */
void touch_note(struct touch *touch, const struct session_hash *hash);

#endif
