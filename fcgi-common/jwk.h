/*
 * jwk.h: public keys as JSON (RFC 7517).
 */
#ifndef IGW_JWK_H
#define IGW_JWK_H

#include "crypto.h"
#include "json.h"

/* kty, crv x y or n e, use=sig, alg, kid; never a private member. */
struct json_t *igw_key_jwk(const struct igw_key *key) IGW_MUST_CHECK;
/*
 * IGW_INVALID: not a public key that crypto.h takes, or it has a private
 * member, another `use` or `alg`, key_ops without verify, or a kid that is not
 * [A-Za-z0-9_-]{1,64}. The kid is kept as it is, because another provider's
 * need not be a thumbprint.
 */
enum igw_result igw_key_from_jwk(const struct json_t *jwk,
                                 struct igw_key **key) IGW_MUST_CHECK;

/* A set of public keys, found by exact kid. Not changed once it is shared. */
struct igw_keyset;

/*
 * JWKS text. Keys of other kinds or algorithms are passed over; none left, or
 * one kid twice, is IGW_INVALID. Unless IGW_OK, `why` says what was wrong.
 */
enum igw_result igw_keyset_parse(struct igw_slice jwks, struct igw_keyset **set,
                                 char why[160]) IGW_MUST_CHECK;
void igw_keyset_free(struct igw_keyset **set);
const struct igw_key *igw_keyset_find(const struct igw_keyset *set,
                                      struct igw_slice kid);

#endif
