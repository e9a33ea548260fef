/*
 * store_key.h: the keys that sign tokens.
 */
#ifndef STORE_KEY_H
#define STORE_KEY_H

#include "pg.h"

/* A row of signing_key; borrowed from rows. */
struct stored_key {
    const char *kid;
    struct igw_slice public_jwk;
    struct igw_slice private_pem;
};

/* Oldest first; *rows is the caller's. */
enum igw_result store_list_keys(struct igw_pg *pg,
                                struct igw_rows **rows) IGW_MUST_CHECK;
struct stored_key store_key_at(const struct igw_rows *rows, size_t row);

/* Inside a transaction: one process at a time makes the first key. */
enum igw_result store_lock_keys(struct igw_pg *pg) IGW_MUST_CHECK;
enum igw_result store_add_key(struct igw_pg *pg,
                              const struct stored_key *key) IGW_MUST_CHECK;

#endif
