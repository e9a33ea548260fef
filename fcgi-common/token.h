/*
 * token.h: access tokens (RFC 9068, JWS compact, ES256 only). libjwt holds the
 * claims; header, base64url, signature and every decision are ours, because
 * libjwt 1.10.2 rewrites `typ`, parses the key for every token and accepts
 * what RFC 8725 forbids. token.c alone includes jwt.h.
 */
#ifndef IGW_TOKEN_H
#define IGW_TOKEN_H

#include "crypto.h"

enum { IGW_TOKEN_MAX = 4096 }; /* bytes; longer is refused unread */

struct igw_claims {
    struct igw_slice iss;
    struct igw_slice aud;
    struct igw_slice sub;
    struct igw_slice sid; /* 16 hex digits of the session's hash */
    struct igw_slice jti;
    struct igw_slice preferred_username;
    struct igw_slice email;
    struct igw_slice given_name;
    struct igw_slice family_name;   /* empty: the claim is left out */
    const struct igw_slice *groups; /* signing only */
    size_t group_count;
    bool email_verified;
    int64_t iat; /* seconds since 1970 */
    int64_t nbf;
    int64_t exp;
    void *owner; /* verified claims live here until igw_claims_clear */
};

/* Appends the compact token to out. Borrows everything in claims. */
enum igw_result igw_token_sign(const struct igw_key *key,
                               const struct igw_claims *claims,
                               struct igw_buf *out) IGW_MUST_CHECK;

struct igw_token_policy {
    struct igw_slice issuer;
    struct igw_slice audience;
    int64_t now;        /* seconds since 1970 */
    int64_t leeway_sec; /* for exp and nbf */
};

/*
 * IGW_DENIED: not a token to act on; *reason is a constant such as "expired",
 * "bad_signature", "unknown_key", for the log and error_description. On
 * IGW_OK the claims own their bytes: igw_claims_clear.
 * iss, aud (string or array), sub, exp, iat and preferred_username must be
 * there with the right types; header members other than alg, typ, kid are
 * refused, and so are duplicates, padding and any byte outside the alphabet.
 */
enum igw_result igw_token_verify(const struct igw_keyset *keys,
                                 struct igw_slice token,
                                 const struct igw_token_policy *policy,
                                 struct igw_claims *claims,
                                 const char **reason) IGW_MUST_CHECK;
void igw_claims_clear(struct igw_claims *claims);

#endif
