/*
 * token_claims.h: which claims a token has, for token.c, which reads them, and
 * token_sign.c, which writes them.
 */
#ifndef IGW_TOKEN_CLAIMS_H
#define IGW_TOKEN_CLAIMS_H

#include "token.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A claim and its place in struct igw_claims. */
struct claim {
    const char *name;
    size_t offset;
    bool is_required;
};

#define CLAIM(member) #member, offsetof(struct igw_claims, member)

static const struct claim text_claims[] = {
    { CLAIM(iss), true },
    { CLAIM(sub), true },
    { CLAIM(sid), false },
    { CLAIM(jti), false },
    { CLAIM(preferred_username), true },
    { CLAIM(email), false },
    { CLAIM(given_name), false },
    { CLAIM(family_name), false },
};

/* Apart, because a token of others may have an array of them. */
static const struct claim aud_claim = { CLAIM(aud), true };

static const struct claim time_claims[] = {
    { CLAIM(iat), true },
    { CLAIM(nbf), false },
    { CLAIM(exp), true },
};

/* Seconds; 2^53 - 1: what every JSON reader can hold (RFC 7493 2.2). */
static inline bool
igw_token_is_time(int64_t seconds)
{
    return seconds >= 0 && seconds <= INT64_C(9007199254740991);
}

#endif
