/*
 * hasher.h: a bounded number of threads that hash passwords at a low priority,
 * so that a storm of logins cannot take all of the machine. Who comes to them
 * is bounded by the server's turns.
 */
#ifndef HASHER_H
#define HASHER_H

#include "password.h"

struct hasher;

struct hasher_config {
    int64_t slots; /* hashes at once */
    struct password_cost cost;
};

/*
 * NULL: no memory or no thread; nothing is left behind. Signals are blocked
 * already (igw_server_block_signals), so that these threads get none.
 */
struct hasher *hasher_new(const struct hasher_config *config) IGW_MUST_CHECK;
/* No call may be under way. */
void hasher_free(struct hasher **hasher);

/* Both wait. IGW_UNAVAILABLE: no memory. */
enum igw_result hasher_hash(struct hasher *hasher, struct igw_slice password,
                            char hash[PASSWORD_HASH_SIZE]) IGW_MUST_CHECK;

struct hasher_verdict {
    bool matches;
    bool is_renewed;               /* `hash` is at today's cost */
    char hash[PASSWORD_HASH_SIZE]; /* to be stored instead of the old one */
};

/*
 * stored NULL: an unknown user, which costs the same and never matches.
 * IGW_ERROR: the hashing itself failed.
 */
enum igw_result hasher_check(struct hasher *hasher, struct igw_slice password,
                             const char *stored,
                             struct hasher_verdict *verdict) IGW_MUST_CHECK;

struct hasher_count {
    int64_t jobs; /* hashing and waiting */
    int64_t slots;
    int64_t done; /* since the start */
};

struct hasher_count hasher_count(struct hasher *hasher);

#endif
