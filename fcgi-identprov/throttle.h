/*
 * throttle.h: how often somebody may guess. Pure: no HTTP, no SQL, no clock.
 *
 * An attempt to sign in counts as a failure from its beginning until it has
 * succeeded, so that many at once are no more than one after the other.
 *
 * Failures are counted for an account and a network: the first four cost
 * nothing, the fifth one second of waiting, and each further one twice the
 * time of the one before, to 30 seconds. They are counted for the account,
 * too: once they are 50, from wherever, a network that does not wait already
 * has to take its turn, one a second, and 30 seconds after it has asked for one
 * at the latest. A network that has waited is let in whatever others do.
 *
 * Success ends both counts; 15 minutes without a failure do, too.
 */
#ifndef THROTTLE_H
#define THROTTLE_H

#include "crypto.h"

enum {
    THROTTLE_FREE_FAILURES = 4,
    THROTTLE_CROWD_FAILURES = 50,
    THROTTLE_STEP_MS = 1000,
    THROTTLE_WAIT_MAX_MS = 30000,
    THROTTLE_FORGET_MS = 15 * 60 * 1000
};

struct throttle_count {
    int64_t failures;
    int64_t free_in_ms; /* negative: free since then */
    bool has_turn;      /* of a network: it has been told when to come */
    int64_t turn_in_ms;
};

struct throttle {
    struct throttle_count network; /* of an account in a network */
    struct throttle_count account; /* of it everywhere */
};

/*
 * How long to wait, in milliseconds; 0: the attempt may be made, and is counted
 * in *state. *state may change in both cases and is then to be stored:
 * *is_changed.
 */
int64_t throttle_attempt(struct throttle *state, bool *is_changed);

/* Retry-After of so much waiting: whole seconds, 1 at least. */
int64_t throttle_retry_sec(int64_t wait_ms);

struct throttle_key {
    unsigned char bytes[IGW_SHA256_SIZE];
};

struct throttle_keys {
    struct throttle_key network;
    struct throttle_key account;
};

/*
 * What the counts of a (folded) username are kept under, whether there is such
 * an account or not; it cannot be read back.
 */
enum igw_result throttle_keys(const char *username_key, const char *address,
                              struct throttle_keys *keys) IGW_MUST_CHECK;

/* For registrations from a network. */
enum igw_result throttle_register_key(const char *address,
                                      struct throttle_key *key) IGW_MUST_CHECK;

#endif
