/*
 * store_feed.h: what gateways have to forget. Whoever changes an authenticate
 * answer adds a row for each session that it is about, in its own transaction.
 */
#ifndef STORE_FEED_H
#define STORE_FEED_H

#include "pg.h"

/*
 * For every new connection: what identgw.epoch, which authenticate answers
 * carry, is on it: the database's system identifier and timeline. Neither
 * changes while a connection to a primary lives.
 */
extern const char store_feed_setup[];

/* What a gateway has seen; borrowed. Both empty: nothing. */
struct feed_cursor {
    struct igw_slice history;  /* of the database, as struct feed has it */
    struct igw_slice snapshot; /* what was visible */
};

/* Borrowed from rows. */
struct feed {
    const char *epoch;
    const char *history; /* the epoch and the time of PostgreSQL's start */
    const char *snapshot;
    bool is_reset; /* the cursor is of no use; there are no hashes */
    int64_t count;
    struct igw_slice hashes; /* in hex, a line each */
    struct igw_rows *rows;
};

enum { FEED_ROWS_MAX = 1000 };

/*
 * One statement, committed synchronously before it returns: what the cursor
 * has not seen. IGW_INVALID: the cursor is none. IGW_UNAVAILABLE: not on a
 * primary, or it cannot commit. Clear feed.
 */
enum igw_result store_poll(struct igw_pg *pg, const struct feed_cursor *cursor,
                           struct feed *feed) IGW_MUST_CHECK;
void feed_clear(struct feed *feed);

/* A synchronous commit of nothing. IGW_UNAVAILABLE as above. */
enum igw_result store_beat(struct igw_pg *pg) IGW_MUST_CHECK;

/*
 * Once in interval_ms, whichever process comes first: what the last time was
 * saved becomes the floor. *is_moved tells that process. Then deletes rows
 * below the floor, at most some hundreds; *is_done when there are no more.
 */
enum igw_result store_move_floor(struct igw_pg *pg, int64_t interval_ms,
                                 bool *is_moved) IGW_MUST_CHECK;
enum igw_result store_prune(struct igw_pg *pg, bool *is_done) IGW_MUST_CHECK;

#endif
