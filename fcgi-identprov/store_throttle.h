/*
 * store_throttle.h: what throttle.h counts, shared by all identprov processes.
 */
#ifndef STORE_THROTTLE_H
#define STORE_THROTTLE_H

#include "pg.h"
#include "throttle.h"

/*
 * Counts one attempt, in one transaction, or changes nothing. *wait_ms: 0, or
 * how long to wait, for then the attempt must not be made. *delay_ms: how long
 * the network has to wait for the next one unless this one succeeds. Of
 * attempts at once each one sees those before it.
 */
enum igw_result store_attempt(struct igw_pg *pg,
                              const struct throttle_keys *keys,
                              int64_t *wait_ms,
                              int64_t *delay_ms) IGW_MUST_CHECK;

/* Ends both counts. Within the transaction of a success, if there is one. */
enum igw_result store_forgive(struct igw_pg *pg,
                              const struct throttle_keys *keys) IGW_MUST_CHECK;

/*
 * One of something that a network may do once in step_ms, and burst times at
 * once. *is_allowed: it may.
 */
enum igw_result store_take(struct igw_pg *pg, const struct throttle_key *key,
                           int64_t step_ms, int64_t burst,
                           bool *is_allowed) IGW_MUST_CHECK;

/* Removes some of what is forgotten. *is_done: there was no more of it. */
enum igw_result store_prune_throttle(struct igw_pg *pg,
                                     bool *is_done) IGW_MUST_CHECK;

#endif
