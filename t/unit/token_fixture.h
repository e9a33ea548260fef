/*
 * token_fixture.h: what the tests of access tokens share. Unless a test is
 * about signatures, a hostile token bears a good one, so that only the check it
 * is about can refuse it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text.h"
#include "token.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define HEADER "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}"

/* The claims of a good payload, each with the comma behind it. */
#define ISS     "\"iss\":\"identprov\","
#define AUD     "\"aud\":\"identgw\","
#define SUB     "\"sub\":\"550e8400-e29b-41d4-a716-446655440000\","
#define USER    "\"preferred_username\":\"ivan\","
#define IAT     "\"iat\":1000,"
#define NBF     "\"nbf\":1000,"
#define EXP     "\"exp\":1300,"
#define END     "\"email\":\"ivan@example.org\"}"
#define PAYLOAD "{" ISS AUD SUB USER IAT NBF EXP END

enum { NOW = 1100, LEEWAY_SEC = 5 };

struct keys {
    struct igw_key *k1;
    struct igw_key *k2;
    struct igw_key *stranger; /* not in the set */
    struct igw_keyset *set;
};

static inline void
put_jwk(const struct igw_key *key, const char *kid, struct igw_buf *out)
{
    struct json_t *jwk = igw_key_jwk(key);

    assert_true(igw_json_set_text(jwk, "kid", igw_slice_of(kid)));
    assert_int_equal(igw_json_dump(jwk, out), IGW_OK);
    igw_json_free(&jwk);
}

static inline int
set_up(void **state)
{
    struct keys *keys = calloc(1, sizeof(*keys));
    struct igw_buf jwks;
    char why[160];

    assert_non_null(keys);
    keys->k1 = igw_key_generate(IGW_ES256);
    keys->k2 = igw_key_generate(IGW_ES256);
    keys->stranger = igw_key_generate(IGW_ES256);
    igw_buf_init(&jwks);
    igw_buf_puts(&jwks, "{\"keys\":[");
    put_jwk(keys->k1, "k1", &jwks);
    igw_buf_puts(&jwks, ",");
    put_jwk(keys->k2, igw_key_kid(keys->k2), &jwks);
    igw_buf_puts(&jwks, "]}");
    assert_int_equal(igw_keyset_parse(igw_buf_slice(&jwks), &keys->set, why),
                     IGW_OK);
    igw_buf_clear(&jwks);
    *state = keys;
    return 0;
}

static inline int
tear_down(void **state)
{
    struct keys *keys = *state;

    igw_key_free(&keys->k1);
    igw_key_free(&keys->k2);
    igw_key_free(&keys->stranger);
    igw_keyset_free(&keys->set);
    free(keys);
    return 0;
}

static inline struct igw_slice
slice(const void *data, size_t len)
{
    return (struct igw_slice){ data, len };
}

/* The reason of the refusal; NULL: taken. */
static inline const char *
verify_at(const struct keys *keys, struct igw_slice token, int64_t now)
{
    const struct igw_token_policy policy = {
        .issuer = igw_slice_of("identprov"),
        .audience = igw_slice_of("identgw"),
        .now = now,
        .leeway_sec = LEEWAY_SEC,
    };
    struct igw_claims claims;
    const char *reason = "no reason was given";
    enum igw_result rc =
        igw_token_verify(keys->set, token, &policy, &claims, &reason);

    if (rc == IGW_OK) {
        assert_non_null(claims.owner);
        igw_claims_clear(&claims);
        assert_null(reason);
        return NULL;
    }
    assert_int_equal(rc, IGW_DENIED);
    assert_non_null(reason);
    assert_null(claims.owner);
    assert_int_equal(claims.sub.len, 0);
    igw_claims_clear(&claims);
    return reason;
}

static inline const char *
verify(const struct keys *keys, const struct igw_buf *token)
{
    return verify_at(keys, igw_buf_slice(token), NOW);
}

static inline void
expect(const char *title, const char *reason, const char *expected)
{
    if (expected == NULL ? reason != NULL
                         : reason == NULL || strcmp(reason, expected) != 0) {
        fail_msg("%s: expected %s, got %s", title,
                 expected == NULL ? "no refusal" : expected,
                 reason == NULL ? "no refusal" : reason);
    }
}

/* Appends "." and this key's signature of all that is there. */
static inline void
put_signature(const struct igw_key *key, struct igw_buf *token)
{
    unsigned char signature[IGW_ES256_SIGNATURE_SIZE];

    assert_int_equal(igw_key_sign(key, igw_buf_slice(token), signature),
                     IGW_OK);
    igw_buf_puts(token, ".");
    igw_base64url_encode(signature, sizeof(signature), token);
}

/* A token of these very parts, in the place of what token held. */
static inline void
forge_encoded(const struct igw_key *key, const char *header,
              const char *payload, struct igw_buf *token)
{
    igw_buf_reset(token);
    igw_buf_printf(token, "%s.%s", header, payload);
    put_signature(key, token);
    assert_false(token->failed);
}

static inline void
forge_bytes(const struct igw_key *key, struct igw_slice header,
            struct igw_slice payload, struct igw_buf *token)
{
    igw_buf_reset(token);
    igw_base64url_encode(header.data, header.len, token);
    igw_buf_puts(token, ".");
    igw_base64url_encode(payload.data, payload.len, token);
    put_signature(key, token);
    assert_false(token->failed);
}

static inline void
forge(const struct igw_key *key, const char *header, const char *payload,
      struct igw_buf *token)
{
    forge_bytes(key, igw_slice_of(header), igw_slice_of(payload), token);
}

struct header_case {
    const char *header;
    const char *reason; /* NULL: taken */
};

static inline void
check_headers(const struct keys *keys, const struct header_case *cases,
              size_t count)
{
    struct igw_buf token;

    igw_buf_init(&token);
    for (size_t i = 0; i < count; i++) {
        forge(keys->k1, cases[i].header, PAYLOAD, &token);
        expect(cases[i].header, verify(keys, &token), cases[i].reason);
    }
    igw_buf_clear(&token);
}

struct payload_case {
    const char *payload;
    const char *reason;
};

static inline void
check_payloads(const struct keys *keys, const struct payload_case *cases,
               size_t count)
{
    struct igw_buf token;

    igw_buf_init(&token);
    for (size_t i = 0; i < count; i++) {
        forge(keys->k1, HEADER, cases[i].payload, &token);
        expect(cases[i].payload, verify(keys, &token), cases[i].reason);
    }
    igw_buf_clear(&token);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
