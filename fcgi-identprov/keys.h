/*
 * keys.h: this process's view of the signing keys, shared by its threads and
 * read again in the background. What a process does not know yet was made
 * after its last look, so it signs nothing for keychain_wait_ms from then on.
 * Until then the view is exact; past it nothing is signed or published, and no
 * key set that goes out may be kept for longer.
 */
#ifndef KEYS_H
#define KEYS_H

#include "keychain.h"
#include "ticker.h"

enum { KEYS_WHY_SIZE = KEYCHAIN_WHY_SIZE, KEYS_RELOAD_MS = 1000 };

struct keys;

/*
 * Makes the first key if there is none, and opens those that sign now or will.
 * On every failure `why` is a line for people. The policy is borrowed.
 */
enum igw_result keys_new(struct igw_pg *pg, const struct key_policy *policy,
                         struct keys **keys,
                         char why[KEYS_WHY_SIZE]) IGW_MUST_CHECK;
void keys_free(struct keys **keys);

/* For struct ticker_config, every KEYS_RELOAD_MS: arg is a struct keys. */
void keys_reload(struct ticker *ticker, struct igw_pg *pg, void *arg);

struct held_key;

struct signing_key {
    const struct igw_key *key;
    int64_t token_ttl_ms; /* the longest that its tokens may live */
    struct held_key *held;
};

/*
 * The key that signs now, until keys_return. IGW_UNAVAILABLE: the keys could
 * not be read for too long, or the one that signs now cannot be opened.
 */
enum igw_result keys_borrow(struct keys *keys,
                            struct signing_key *signing) IGW_MUST_CHECK;
void keys_return(struct keys *keys, struct signing_key *signing);

/*
 * Appends the JWKS; *max_age_sec is how long it may be kept.
 * IGW_UNAVAILABLE: the keys could not be read for too long.
 */
enum igw_result keys_jwks(struct keys *keys, struct igw_buf *out,
                          int64_t *max_age_sec) IGW_MUST_CHECK;

struct keys_count {
    size_t next; /* published, but not signing yet */
    size_t signing;
    size_t old; /* not signing any more, but published */
    int64_t read_ms_ago;
};

struct keys_count keys_count(struct keys *keys);

#endif
