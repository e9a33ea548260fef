/*
 * jwks.h: the public keys that tokens are verified with, from a file or a URL.
 * A thread of its own follows the source, so that no request waits for it: a
 * file is looked at once a second, a URL is fetched every refresh_ms or when
 * its Cache-Control says that it is stale, and, when somebody wants a key that
 * is not there or the last try failed, retry_ms after the last try, which is
 * the least. What is no key set is logged, and the keys from before stay.
 */
#ifndef USERPROFILE_JWKS_H
#define USERPROFILE_JWKS_H

#include "jwk.h"

enum { JWKS_MAX = 262144, JWKS_TIMEOUT_MS = 5000 }; /* bytes; of a fetch */

struct jwks;

struct jwks_source {
    const char *file;
    const char *url;     /* when there is no file */
    const char *ca_file; /* of https; "" for the system's */
    int64_t refresh_ms;
    int64_t retry_ms;
};

/*
 * Looks once, for JWKS_TIMEOUT_MS at most, so that who serves next has keys:
 * that the source is missing, bad or down is logged, no error.
 */
struct jwks *jwks_new(const struct jwks_source *source) IGW_MUST_CHECK;
/* Stops the thread and frees all. */
void jwks_free(struct jwks **jwks);
enum igw_result jwks_start(struct jwks *jwks) IGW_MUST_CHECK;

/* What the thread does whenever it is time. */
void jwks_check(struct jwks *jwks);

/* A token came whose key is not there; never waits. */
void jwks_want(struct jwks *jwks);

/*
 * The keys of now, NULL while there were none yet, for use until
 * jwks_release; any number of threads at once. *generation, unless NULL, is
 * theirs.
 */
const struct igw_keyset *jwks_acquire(struct jwks *jwks,
                                      uint64_t *generation) IGW_MUST_CHECK;
void jwks_release(struct jwks *jwks);

/* Another number with each set of keys that is not the one before; from 1. */
uint64_t jwks_generation(const struct jwks *jwks);

#endif
