/*
 * keys.h: the keys that sign tokens. They live in the database, the private
 * halves encrypted; the first one is made by whichever process comes first.
 */
#ifndef KEYS_H
#define KEYS_H

#include "jwk.h"
#include "pg.h"

enum { KEYS_WHY_SIZE = 512 };

/* Not changed once it is shared by the threads. */
struct keys {
    struct igw_key *signing; /* the newest one */
    struct igw_buf jwks;     /* all public halves, RFC 7517 */
};

/*
 * Makes the first key if there is none and opens the newest one. On every
 * failure `why` is a line for people. Clear *keys in every case.
 */
enum igw_result keys_load(struct igw_pg *pg, const char *passphrase_file,
                          struct keys *keys,
                          char why[KEYS_WHY_SIZE]) IGW_MUST_CHECK;
void keys_clear(struct keys *keys);

/* Appends the JWKS, making the first key if there is none. */
enum igw_result keys_export(struct igw_pg *pg, const char *passphrase_file,
                            struct igw_buf *jwks,
                            char why[KEYS_WHY_SIZE]) IGW_MUST_CHECK;

#endif
