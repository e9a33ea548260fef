/*
 * password.h: Argon2id over libsodium, which password.c alone includes. Slow by
 * purpose: callers in a server go through hasher.h.
 */
#ifndef PASSWORD_H
#define PASSWORD_H

#include "buf.h"

enum { PASSWORD_HASH_SIZE = 128 }; /* a PHC string with its NUL */

struct password_cost {
    int64_t memory_bytes; /* at least 8 KiB */
    int64_t passes;
};

/*
 * At least what OWASP's Password Storage Cheat Sheet asks for Argon2id with
 * one lane (ASVS 5.0, 11.4.2).
 */
bool password_cost_is_safe(const struct password_cost *cost);

/* Once, before everything else here. */
enum igw_result password_init(void) IGW_MUST_CHECK;

/* `password` is in its normal form (rules.h). IGW_UNAVAILABLE: no memory. */
enum igw_result password_hash(struct igw_slice password,
                              const struct password_cost *cost,
                              char hash[PASSWORD_HASH_SIZE]) IGW_MUST_CHECK;

/*
 * IGW_DENIED: another password. IGW_UNAVAILABLE: no memory. IGW_ERROR: no hash
 * that this program would ever have stored. (Of an imported hash of several
 * lanes, or with another length of salt, no memory is IGW_DENIED: libsodium
 * does not tell.)
 */
enum igw_result password_check(struct igw_slice password,
                               const char *hash) IGW_MUST_CHECK;

/*
 * A hash of another program in the form that is stored, appended to out:
 * Argon2id of up to 16 lanes, 1 GiB, and 4 GiB over its passes, or one of
 * foreign.h's. IGW_INVALID: none.
 */
enum igw_result password_import(const char *given,
                                struct igw_buf *out) IGW_MUST_CHECK;

/*
 * The hash, which the password has matched, was made at another cost or by
 * another program. Not where it says nothing about the password's end
 * (foreign_is_cut): that may be a typing error.
 */
bool password_is_outdated(struct igw_slice password, const char *hash,
                          const struct password_cost *cost);

/* A hash of something that nobody knows. */
enum igw_result password_dummy(const struct password_cost *cost,
                               char hash[PASSWORD_HASH_SIZE]) IGW_MUST_CHECK;

#endif
