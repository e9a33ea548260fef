/*
 * keychain.h: the keys that sign tokens, as all processes have them in the
 * database: made, rotated, opened. A new key is published at once and signs
 * when the longest time is over for which a key set may be kept, and a fifth
 * of it more: at least KEYCHAIN_MARGIN_MS, for processes to notice the key and
 * for verifiers to fetch the set.
 */
#ifndef KEYCHAIN_H
#define KEYCHAIN_H

#include "jwk.h"
#include "store_key.h"

enum { KEYCHAIN_WHY_SIZE = 512, KEYCHAIN_MARGIN_MS = 5000 };

/* Of this process. */
struct key_policy {
    const char *who; /* of what is done to keys, for the audit log */
    const char *passphrase_file;
    enum igw_algorithm algorithm; /* of new keys */
    int64_t token_ttl_ms;
    int64_t jwks_max_age_ms;
};

/* How long a new key is only published. */
int64_t keychain_wait_ms(int64_t jwks_max_age_ms);

/*
 * Below, on every failure `why` is a line for people. IGW_DENIED: the
 * passphrase file is of no use, or does not open a key.
 */

/*
 * All keys in the order in which they sign, none of which was told less than
 * the policy. Makes the first one if there is none. *rows is the caller's.
 */
enum igw_result keychain_list(struct igw_pg *pg,
                              const struct key_policy *policy,
                              struct igw_rows **rows,
                              char why[KEYCHAIN_WHY_SIZE]) IGW_MUST_CHECK;

/*
 * Makes a key, to sign once every verifier can know it, deletes those that
 * have retired, and returns the keys as keychain_list does. The passphrase
 * has to be the one that opens the newest key.
 */
enum igw_result keychain_rotate(struct igw_pg *pg,
                                const struct key_policy *policy,
                                struct igw_rows **rows,
                                char why[KEYCHAIN_WHY_SIZE]) IGW_MUST_CHECK;

/*
 * Deletes a key that must not be used any more, and whatever has retired. If
 * it was the one that signs, the next one does from now on or, if there is
 * none, a new one. IGW_NOT_FOUND: there is no such key.
 */
enum igw_result keychain_withdraw(struct igw_pg *pg,
                                  const struct key_policy *policy,
                                  const char *kid, struct igw_rows **rows,
                                  char why[KEYCHAIN_WHY_SIZE]) IGW_MUST_CHECK;

/* Appends the JWKS of those that have not retired. */
enum igw_result keychain_jwks(const struct igw_rows *rows, struct igw_buf *out,
                              char why[KEYCHAIN_WHY_SIZE]) IGW_MUST_CHECK;

/* The row of the key that signs now; the first one while none does. */
size_t keychain_signing(const struct igw_rows *rows);

enum igw_result keychain_open(const struct stored_key *row,
                              const char *passphrase_file, struct igw_key **key,
                              char why[KEYCHAIN_WHY_SIZE]) IGW_MUST_CHECK;

#endif
