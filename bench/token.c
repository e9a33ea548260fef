/*
 * token: prints what a token of each algorithm costs, in microseconds of the
 * processor: "ES256 SIGN VERIFY", and the same for RS256.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "buf.h"
#include "json.h"
#include "jwk.h"
#include "token.h"

enum { TIMES = 2000 };

static const struct igw_claims claims = {
    .iss = { "identprov", 9 },
    .aud = { "identgw", 7 },
    .sub = { "550e8400-e29b-41d4-a716-446655440000", 36 },
    .sid = { "0123456789abcdef", 16 },
    .jti = { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 32 },
    .preferred_username = { "ivan", 4 },
    .email = { "ivan@example.org", 16 },
    .given_name = { "Ivan", 4 },
    .iat = 1000,
    .nbf = 1000,
    .exp = 1300,
};

static void
need(bool is_good, const char *what)
{
    if (!is_good) {
        fprintf(stderr, "token: %s\n", what);
        exit(1);
    }
}

static struct igw_keyset *
keyset_of(const struct igw_key *key)
{
    struct json_t *jwk = igw_key_jwk(key);
    struct igw_keyset *set = NULL;
    struct igw_buf text;
    char why[160];

    igw_buf_init(&text);
    igw_buf_puts(&text, "{\"keys\":[");
    need(igw_json_dump(jwk, &text) == IGW_OK, "the key as JSON");
    igw_buf_puts(&text, "]}");
    need(igw_keyset_parse(igw_buf_slice(&text), &set, why) == IGW_OK, why);
    igw_buf_clear(&text);
    igw_json_free(&jwk);
    return set;
}

static double
each_us(clock_t since)
{
    return (double)(clock() - since) * 1e6 / CLOCKS_PER_SEC / TIMES;
}

static void
measure(const char *name, enum igw_algorithm algorithm)
{
    const struct igw_token_policy policy = { .issuer = claims.iss,
                                             .audience = claims.aud,
                                             .now = 1100 };
    struct igw_key *key = igw_key_generate(algorithm);
    struct igw_keyset *set;
    struct igw_claims found;
    struct igw_buf token;
    const char *reason = NULL;
    double signing;
    clock_t start;

    need(key != NULL, "no key");
    set = keyset_of(key);
    igw_buf_init(&token);
    start = clock();
    for (int i = 0; i < TIMES; i++) {
        igw_buf_reset(&token);
        need(igw_token_sign(key, &claims, &token) == IGW_OK, "signing");
    }
    signing = each_us(start);
    start = clock();
    for (int i = 0; i < TIMES; i++) {
        need(igw_token_verify(set, igw_buf_slice(&token), &policy, &found,
                              &reason)
                 == IGW_OK,
             reason);
        igw_claims_clear(&found);
    }
    printf("%s %.1f %.1f\n", name, signing, each_us(start));
    igw_buf_clear(&token);
    igw_keyset_free(&set);
    igw_key_free(&key);
}

int
main(void)
{
    measure("ES256", IGW_ES256);
    measure("RS256", IGW_RS256);
    return 0;
}
