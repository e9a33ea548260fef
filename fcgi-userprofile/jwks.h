/*
 * jwks.h: the public keys that tokens are verified with, from a JWKS file. A
 * thread of its own looks once a second whether the file has changed; a new
 * file that is no key set is logged, and the old keys stay.
 */
#ifndef USERPROFILE_JWKS_H
#define USERPROFILE_JWKS_H

#include "jwk.h"

enum { JWKS_FILE_MAX = 1048576 }; /* bytes */

struct jwks;

/* Looks at the file once; that it is missing or bad is logged, no error. */
struct jwks *jwks_new(const char *path) IGW_MUST_CHECK;
/* Stops the thread and frees all. */
void jwks_free(struct jwks **jwks);
enum igw_result jwks_start(struct jwks *jwks) IGW_MUST_CHECK;

/* What the thread does once a second. */
void jwks_check(struct jwks *jwks);

/*
 * The keys of now, NULL while there were none yet, for use until
 * jwks_release; any number of threads at once.
 */
const struct igw_keyset *jwks_acquire(struct jwks *jwks) IGW_MUST_CHECK;
void jwks_release(struct jwks *jwks);

#endif
