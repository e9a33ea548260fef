/*
 * token.h: access tokens (RFC 9068, JWS compact, ES256 and RS256). libjwt holds
 * the claims; header, base64url, signature and every decision are ours, because
 * libjwt 1.10.2 rewrites `typ`, parses the key for every token and accepts
 * what RFC 8725 forbids. token_sign.c alone includes jwt.h.
 */
#ifndef IGW_TOKEN_H
#define IGW_TOKEN_H

#include "jwk.h"

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
    struct igw_slice family_name;
    const struct igw_slice *groups; /* signing only */
    size_t group_count;
    bool email_verified;
    int64_t iat; /* seconds since 1970 */
    int64_t nbf;
    int64_t exp;
    void *owner; /* verified claims live here until igw_claims_clear */
};

/*
 * Appends the compact token to out. Borrows everything in claims; an empty
 * text is left out, email_verified too without an email. IGW_INVALID: what
 * igw_token_verify would refuse: a required claim is empty, a text holds NUL
 * or is not UTF-8, a time is negative, the token gets longer than
 * IGW_TOKEN_MAX. out is unchanged unless IGW_OK.
 */
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
 * IGW_DENIED: not a token to act on; *reason is a constant for the log and
 * error_description: too_long, malformed, unknown_header, wrong_algorithm,
 * wrong_type, unknown_key, bad_signature, bad_claims, wrong_issuer,
 * wrong_audience, expired, not_yet_valid. The payload is read only behind a
 * good signature.
 *
 * iss, aud (string or array), sub, exp, iat and preferred_username must be
 * there with the right types, the others may be; times are integers of 0 to
 * 2^53 - 1; an iat or nbf later than now and the leeway is refused, and so is
 * an exp not later than now less the leeway. Header members other than alg,
 * typ, kid are refused, and so are duplicates, padding and any byte outside
 * the alphabet. alg must be the key's and is compared exactly, typ (at+jwt,
 * application/at+jwt) in any case of its letters, as media types are (RFC 7515
 * 4.1.9, RFC 2045 5.1).
 *
 * On IGW_OK the claims own their bytes, each NUL-terminated, until
 * igw_claims_clear; groups are checked, not handed out. Otherwise claims is
 * all zero, and clearing it does no harm.
 */
enum igw_result igw_token_verify(const struct igw_keyset *keys,
                                 struct igw_slice token,
                                 const struct igw_token_policy *policy,
                                 struct igw_claims *claims,
                                 const char **reason) IGW_MUST_CHECK;
void igw_claims_clear(struct igw_claims *claims);

#endif
