/*
 * store_key.h: the keys that sign tokens, and when they do. Times are the
 * database's own.
 */
#ifndef STORE_KEY_H
#define STORE_KEY_H

#include "pg.h"

/* A row of signing_key; borrowed from rows. */
struct stored_key {
    const char *kid;
    const char *algorithm;
    struct igw_slice public_jwk;
    struct igw_slice private_pem;
    int64_t signs_in_ms;   /* negative: it does, or did */
    int64_t retires_in_ms; /* INT64_MAX: nothing comes after it */
    int64_t token_ttl_ms;
    int64_t jwks_max_age_ms;
    const char *created_at; /* RFC 3339, UTC */
    const char *signs_from;
    const char *retires_at; /* "" while nothing comes after it */
};

/* In the order in which they sign; *rows is the caller's. */
enum igw_result store_list_keys(struct igw_pg *pg,
                                struct igw_rows **rows) IGW_MUST_CHECK;
struct stored_key store_key_at(const struct igw_rows *rows, size_t row);

/* Inside a transaction: until its end, nobody else makes or changes keys. */
enum igw_result store_lock_keys(struct igw_pg *pg) IGW_MUST_CHECK;

struct new_key {
    const char *kid;
    const char *algorithm;
    struct igw_slice public_jwk;
    struct igw_slice private_pem;
    int64_t signs_in_ms;
    int64_t token_ttl_ms;
    int64_t jwks_max_age_ms;
};

enum igw_result store_add_key(struct igw_pg *pg,
                              const struct new_key *key) IGW_MUST_CHECK;
/* Raises what is written down of the keys that have not retired. */
enum igw_result store_raise_keys(struct igw_pg *pg, int64_t token_ttl_ms,
                                 int64_t jwks_max_age_ms) IGW_MUST_CHECK;
/* Its time has come. */
enum igw_result store_sign_now(struct igw_pg *pg,
                               const char *kid) IGW_MUST_CHECK;
enum igw_result store_delete_key(struct igw_pg *pg,
                                 const char *kid) IGW_MUST_CHECK;

#endif
