/*
 * foreign.h: password hashes that other programs have made: bcrypt over
 * libcrypt, which foreign.c alone includes, and PBKDF2.
 */
#ifndef FOREIGN_H
#define FOREIGN_H

#include "buf.h"

enum { FOREIGN_SIZE = 256 }; /* of a stored hash with its NUL */

/*
 * The form that is stored, appended to out:
 * $2a$, $2b$, $2y$            bcrypt, of a cost up to 16
 * $pbkdf2-sha256$I$SALT$HASH  PBKDF2 (-sha512; -sha1 or nothing) as passlib
 *                             writes it; up to 10,000,000 iterations
 * pbkdf2_sha256$I$SALT$HASH   the same as Django writes it (_sha1, ...)
 * IGW_INVALID: none of these.
 */
enum igw_result foreign_import(const char *given,
                               struct igw_buf *out) IGW_MUST_CHECK;

/* IGW_DENIED: another password. IGW_ERROR: no hash of the stored form. */
enum igw_result foreign_check(struct igw_slice password,
                              const char *hash) IGW_MUST_CHECK;

/* The hash is of the password's beginning alone: bcrypt reads 72 bytes. */
bool foreign_is_cut(struct igw_slice password, const char *hash);

#endif
