/*
 * tokens.h: tokens that have been verified, so that each pays for its
 * signature once. A fixed number of slots, each with at most TOKENS_TEXT_MAX
 * bytes of names; the key is the SHA-256 of the whole token, so that another
 * spelling is another token. What is remembered holds for one generation of
 * keys; its times are the caller's to look at each time.
 */
#ifndef USERPROFILE_TOKENS_H
#define USERPROFILE_TOKENS_H

#include "crypto.h"
#include "token.h"

/* The names of identprov and of others alike: 255 and 256 bytes, two NULs. */
enum { TOKENS_COUNT = 2048, TOKENS_TEXT_MAX = 513 };

/* Whose a token is. */
struct identity {
    struct igw_slice sub;      /* both end with a NUL behind their length */
    struct igw_slice username; /* preferred_username */
    int64_t begin;             /* iat and nbf have come then */
    int64_t exp;
    char text[IGW_TOKEN_MAX]; /* the slices' bytes */
};

/* From verified claims, which fit: they were in a token. */
void identity_fill(struct identity *identity, const struct igw_claims *claims);

struct tokens;

struct tokens *tokens_new(void) IGW_MUST_CHECK;
void tokens_free(struct tokens **tokens);

bool tokens_find(struct tokens *tokens,
                 const unsigned char digest[IGW_SHA256_SIZE],
                 uint64_t generation, struct identity *identity) IGW_MUST_CHECK;

/*
 * In the place of one from another generation, else of the one of eight that
 * expires first. One with long names is not kept.
 */
void tokens_keep(struct tokens *tokens,
                 const unsigned char digest[IGW_SHA256_SIZE],
                 uint64_t generation, const struct identity *identity);

#endif
