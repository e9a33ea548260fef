/*
 * Access tokens: what is signed, and above all what is refused. Unless a
 * test is about signatures, a hostile token bears a good one, so that only
 * the check it is about can refuse it.
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

static void
put_jwk(const struct igw_key *key, const char *kid, struct igw_buf *out)
{
    struct json_t *jwk = igw_key_jwk(key);

    assert_true(igw_json_set_text(jwk, "kid", igw_slice_of(kid)));
    assert_int_equal(igw_json_dump(jwk, out), IGW_OK);
    igw_json_free(&jwk);
}

static int
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

static int
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

static struct igw_slice
slice(const void *data, size_t len)
{
    return (struct igw_slice){ data, len };
}

/* The reason of the refusal; NULL: taken. */
static const char *
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

static const char *
verify(const struct keys *keys, const struct igw_buf *token)
{
    return verify_at(keys, igw_buf_slice(token), NOW);
}

static void
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
static void
put_signature(const struct igw_key *key, struct igw_buf *token)
{
    unsigned char signature[IGW_ES256_SIGNATURE_SIZE];

    assert_int_equal(igw_key_sign(key, igw_buf_slice(token), signature),
                     IGW_OK);
    igw_buf_puts(token, ".");
    igw_base64url_encode(signature, sizeof(signature), token);
}

/* A token of these very parts, in the place of what token held. */
static void
forge_encoded(const struct igw_key *key, const char *header,
              const char *payload, struct igw_buf *token)
{
    igw_buf_reset(token);
    igw_buf_printf(token, "%s.%s", header, payload);
    put_signature(key, token);
    assert_false(token->failed);
}

static void
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

static void
forge(const struct igw_key *key, const char *header, const char *payload,
      struct igw_buf *token)
{
    forge_bytes(key, igw_slice_of(header), igw_slice_of(payload), token);
}

struct header_case {
    const char *header;
    const char *reason; /* NULL: taken */
};

static void
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

static void
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

/* --- signing ------------------------------------------------------------ */

static struct igw_claims
full_claims(void)
{
    static struct igw_slice groups[2];

    groups[0] = igw_slice_of("readers");
    groups[1] = igw_slice_of("\xd0\xbf\xd0\xb8\xd1\x81\xd1\x86\xd1\x8b");
    return (struct igw_claims){
        .iss = igw_slice_of("identprov"),
        .aud = igw_slice_of("identgw"),
        .sub = igw_slice_of("550e8400-e29b-41d4-a716-446655440000"),
        .sid = igw_slice_of("0123456789abcdef"),
        .jti = igw_slice_of("AAECAwQFBgcICQoLDA0ODw"),
        .preferred_username = igw_slice_of("\xe5\xa4\xaa\xe9\x83\x8e"),
        .email = igw_slice_of("taro@example.org"),
        .email_verified = true,
        .given_name = igw_slice_of("\"Taro\" \\ \xe2\x9c\x93"),
        .family_name = igw_slice_of("Yamada"),
        .groups = groups,
        .group_count = COUNT(groups),
        .iat = 1000,
        .nbf = 1001,
        .exp = 1300,
    };
}

static struct igw_claims
least_claims(void)
{
    return (struct igw_claims){
        .iss = igw_slice_of("identprov"),
        .aud = igw_slice_of("identgw"),
        .sub = igw_slice_of("s"),
        .preferred_username = igw_slice_of("u"),
        .iat = 1000,
        .exp = 1300,
    };
}

/* Part 0 or 1 of a token, decoded. */
static void
decode_part(const struct igw_buf *token, size_t index, struct igw_buf *out)
{
    const char *part = token->data;
    const char *end = strchr(part, '.');

    if (index == 1) {
        part = end + 1;
        end = strchr(part, '.');
    }
    igw_buf_init(out);
    assert_int_equal(
        igw_base64url_decode(slice(part, (size_t)(end - part)), out), IGW_OK);
}

static void
a_signed_token_gives_its_claims_back(void **state)
{
    const struct keys *keys = *state;
    const struct igw_token_policy policy = { igw_slice_of("identprov"),
                                             igw_slice_of("identgw"), NOW, 0 };
    const struct igw_claims in = full_claims();
    struct igw_claims out;
    struct igw_buf token;
    const char *reason = NULL;

    igw_buf_init(&token);
    assert_int_equal(igw_token_sign(keys->k2, &in, &token), IGW_OK);
    assert_int_equal(igw_token_verify(keys->set, igw_buf_slice(&token), &policy,
                                      &out, &reason),
                     IGW_OK);
    igw_buf_clear(&token);
    assert_true(igw_slice_equal(out.iss, in.iss));
    assert_true(igw_slice_equal(out.aud, in.aud));
    assert_true(igw_slice_equal(out.sub, in.sub));
    assert_true(igw_slice_equal(out.sid, in.sid));
    assert_true(igw_slice_equal(out.jti, in.jti));
    assert_true(igw_slice_equal(out.preferred_username, in.preferred_username));
    assert_true(igw_slice_equal(out.email, in.email));
    assert_true(igw_slice_equal(out.given_name, in.given_name));
    assert_true(igw_slice_equal(out.family_name, in.family_name));
    assert_true(out.email_verified);
    assert_int_equal(out.iat, 1000);
    assert_int_equal(out.nbf, 1001);
    assert_int_equal(out.exp, 1300);
    assert_int_equal(out.sub.data[out.sub.len], '\0');
    igw_claims_clear(&out);
    assert_null(out.owner);
    igw_claims_clear(&out);
}

static void
a_token_says_exactly_this(void **state)
{
    const struct keys *keys = *state;
    const struct igw_claims full = full_claims();
    const struct igw_claims least = least_claims();
    struct igw_buf token;
    struct igw_buf part;
    char header[128];

    igw_buf_init(&token);
    assert_int_equal(igw_token_sign(keys->k2, &full, &token), IGW_OK);
    decode_part(&token, 0, &part);
    (void)snprintf(header, sizeof(header),
                   "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
                   igw_key_kid(keys->k2));
    assert_string_equal(part.data, header);
    igw_buf_clear(&part);
    decode_part(&token, 1, &part);
    assert_string_equal(
        part.data,
        "{\"aud\":\"identgw\",\"email\":\"taro@example.org\","
        "\"email_verified\":true,\"exp\":1300,"
        "\"family_name\":\"Yamada\","
        "\"given_name\":\"\\\"Taro\\\" \\\\ \xe2\x9c\x93\","
        "\"groups\":[\"readers\",\"\xd0\xbf\xd0\xb8\xd1\x81\xd1\x86\xd1\x8b\"],"
        "\"iat\":1000,\"iss\":\"identprov\","
        "\"jti\":\"AAECAwQFBgcICQoLDA0ODw\",\"nbf\":1001,"
        "\"preferred_username\":\"\xe5\xa4\xaa\xe9\x83\x8e\","
        "\"sid\":\"0123456789abcdef\","
        "\"sub\":\"550e8400-e29b-41d4-a716-446655440000\"}");
    igw_buf_clear(&part);

    igw_buf_reset(&token);
    assert_int_equal(igw_token_sign(keys->k2, &least, &token), IGW_OK);
    decode_part(&token, 1, &part);
    assert_string_equal(part.data,
                        "{\"aud\":\"identgw\",\"exp\":1300,\"iat\":1000,"
                        "\"iss\":\"identprov\",\"nbf\":0,"
                        "\"preferred_username\":\"u\",\"sub\":\"s\"}");
    igw_buf_clear(&part);
    igw_buf_clear(&token);
}

static void
a_token_is_appended(void **state)
{
    const struct keys *keys = *state;
    const struct igw_claims claims = least_claims();
    struct igw_buf out;

    igw_buf_init(&out);
    igw_buf_puts(&out, "Bearer ");
    assert_int_equal(igw_token_sign(keys->k2, &claims, &out), IGW_OK);
    assert_memory_equal(out.data, "Bearer ey", strlen("Bearer ey"));
    assert_null(
        verify_at(keys, slice(out.data + strlen("Bearer "), out.len - 7), NOW));
    igw_buf_clear(&out);
}

static void
expect_unsigned(const struct keys *keys, const struct igw_claims *claims)
{
    struct igw_buf out;

    igw_buf_init(&out);
    igw_buf_puts(&out, "before");
    assert_int_equal(igw_token_sign(keys->k2, claims, &out), IGW_INVALID);
    assert_string_equal(out.data, "before");
    igw_buf_clear(&out);
}

static void
claims_that_would_be_refused_are_not_signed(void **state)
{
    static const size_t required[] = {
        offsetof(struct igw_claims, iss), offsetof(struct igw_claims, aud),
        offsetof(struct igw_claims, sub),
        offsetof(struct igw_claims, preferred_username)
    };
    static const size_t texts[] = {
        offsetof(struct igw_claims, iss),
        offsetof(struct igw_claims, aud),
        offsetof(struct igw_claims, sub),
        offsetof(struct igw_claims, sid),
        offsetof(struct igw_claims, jti),
        offsetof(struct igw_claims, preferred_username),
        offsetof(struct igw_claims, email),
        offsetof(struct igw_claims, given_name),
        offsetof(struct igw_claims, family_name),
    };
    static const size_t times[] = { offsetof(struct igw_claims, iat),
                                    offsetof(struct igw_claims, nbf),
                                    offsetof(struct igw_claims, exp) };
    const struct igw_slice bad[] = { slice("ivan\0root", 9), slice("\xff", 1),
                                     slice("\xc0\xaf", 2),
                                     slice("\xed\xa0\x80", 3) };
    const int64_t bad_times[] = { -1, INT64_MIN, (int64_t)1 << 53, INT64_MAX };
    const struct keys *keys = *state;
    struct igw_claims claims;

    for (size_t i = 0; i < COUNT(required); i++) {
        claims = full_claims();
        memset((char *)&claims + required[i], 0, sizeof(struct igw_slice));
        expect_unsigned(keys, &claims);
    }
    for (size_t i = 0; i < COUNT(texts) * COUNT(bad); i++) {
        claims = full_claims();
        memcpy((char *)&claims + texts[i / COUNT(bad)], &bad[i % COUNT(bad)],
               sizeof(struct igw_slice));
        expect_unsigned(keys, &claims);
    }
    for (size_t i = 0; i < COUNT(times) * COUNT(bad_times); i++) {
        claims = full_claims();
        memcpy((char *)&claims + times[i / COUNT(bad_times)],
               &bad_times[i % COUNT(bad_times)], sizeof(int64_t));
        expect_unsigned(keys, &claims);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        claims = full_claims();
        claims.groups = &bad[i];
        claims.group_count = 1;
        expect_unsigned(keys, &claims);
    }
}

static void
no_token_is_signed_that_is_too_long_to_verify(void **state)
{
    const struct keys *keys = *state;
    static char name[4096];
    struct igw_claims claims = least_claims();
    size_t longest = 0;

    memset(name, 'a', sizeof(name));
    for (size_t len = 2500; len < 3500; len++) {
        struct igw_buf token;

        igw_buf_init(&token);
        claims.given_name = slice(name, len);
        if (igw_token_sign(keys->k2, &claims, &token) == IGW_OK) {
            assert_int_equal(longest, len == 2500 ? 0 : len - 1);
            longest = len;
            assert_null(verify(keys, &token));
        }
        igw_buf_clear(&token);
    }
    assert_in_range(longest, 2600, 2950);
    claims.given_name = slice(name, longest + 1);
    expect_unsigned(keys, &claims);
}

static void
a_public_key_signs_no_token(void **state)
{
    const struct keys *keys = *state;
    const struct igw_claims claims = least_claims();
    struct igw_buf out;

    igw_buf_init(&out);
    assert_int_equal(
        igw_token_sign(igw_keyset_find(keys->set, igw_slice_of("k1")), &claims,
                       &out),
        IGW_ERROR);
    assert_int_equal(out.len, 0);
    igw_buf_clear(&out);
}

/* --- form --------------------------------------------------------------- */

/* By jwcrypto, with the key of RFC 7515 A.3; blanks, \u and no nbf in it. */
static void
a_token_of_another_implementation_is_taken(void **state)
{
    static const char jwks[] =
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"rfc7515\","
        "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";
    static const char token[] =
        "eyJ0eXAiOiAiYXQrand0IiwgImFsZyI6ICJFUzI1NiIsICJraWQiOiAicmZjNzUxNSJ9"
        ".eyJpc3MiOiAiaWRlbnRwcm92IiwgImF1ZCI6IFsib3RoZXIiLCAiaWRlbnRndyJdLCA"
        "ic3ViIjogIjU1MGU4NDAwLWUyOWItNDFkNC1hNzE2LTQ0NjY1NTQ0MDAwMCIsICJwcmV"
        "mZXJyZWRfdXNlcm5hbWUiOiAiSm9zXHUwMGU5IiwgImlhdCI6IDEwMDAsICJleHAiOiA"
        "xMzAwfQ.tpZcpGh8SIobDlIvTFamO30ycGwDDUGpTq1za-GAXntIBm-0gkYX-9Ujvg0h"
        "4N4R7Blh5SVUvbc73I_hPAWnig";
    const struct igw_token_policy policy = { igw_slice_of("identprov"),
                                             igw_slice_of("identgw"), NOW, 0 };
    struct igw_keyset *set = NULL;
    struct igw_claims claims;
    const char *reason = NULL;
    char why[160];

    assert_int_equal(igw_keyset_parse(igw_slice_of(jwks), &set, why), IGW_OK);
    assert_int_equal(
        igw_token_verify(set, igw_slice_of(token), &policy, &claims, &reason),
        IGW_OK);
    assert_true(igw_slice_is(claims.preferred_username, "Jos\xc3\xa9"));
    assert_true(igw_slice_is(claims.aud, "identgw"));
    igw_claims_clear(&claims);
    igw_keyset_free(&set);
}

static void
the_number_of_parts_is_three(void **state)
{
    static const char *const bad[] = {
        "",    ".",    "..",      "...",       "....",    "a",
        "a.b", "a.b.", ".b.c",    "a..c",      "a.b.c.",  ".a.b.c",
        "a.",  ".a",   "a.b.c.d", "a.b.c.d.e", "a.b..c",  "..c",
        "a..", ".b.",  " . . ",   "e30.e30.",  "e30..AA", ".e30.AA",
    };
    const struct keys *keys = *state;
    struct igw_buf token;

    for (size_t i = 0; i < COUNT(bad); i++) {
        expect(bad[i], verify_at(keys, igw_slice_of(bad[i]), NOW), "malformed");
    }
    assert_string_equal(verify_at(keys, slice(NULL, 0), NOW), "malformed");

    igw_buf_init(&token);
    forge(keys->k1, HEADER, PAYLOAD, &token);
    assert_null(verify(keys, &token));
    igw_buf_puts(&token, ".");
    expect("a dot more", verify(keys, &token), "malformed");
    igw_buf_puts(&token, "AA");
    expect("a part more", verify(keys, &token), "malformed");
    forge(keys->k1, HEADER, "", &token);
    expect("an empty payload", verify(keys, &token), "malformed");
    igw_buf_clear(&token);
}

/* Every byte value in front, behind, and at each border of the parts. */
static void
no_byte_may_be_added(void **state)
{
    const struct keys *keys = *state;
    struct igw_buf token;
    struct igw_buf more;
    size_t payload_at;
    size_t signature_at;

    igw_buf_init(&token);
    igw_buf_init(&more);
    forge(keys->k1, HEADER, PAYLOAD, &token);
    payload_at = (size_t)(strchr(token.data, '.') - token.data) + 1;
    signature_at = (size_t)(strrchr(token.data, '.') - token.data) + 1;
    for (size_t byte = 0; byte < 256; byte++) {
        const size_t places[] = { 0,
                                  1,
                                  payload_at - 1,
                                  payload_at,
                                  signature_at - 1,
                                  signature_at,
                                  token.len - 1,
                                  token.len };
        const char c = (char)byte;

        for (size_t i = 0; i < COUNT(places); i++) {
            igw_buf_reset(&more);
            igw_buf_append(&more, token.data, places[i]);
            igw_buf_append(&more, &c, 1);
            igw_buf_append(&more, token.data + places[i],
                           token.len - places[i]);
            assert_non_null(verify(keys, &more));
        }
    }
    igw_buf_clear(&token);
    igw_buf_clear(&more);
}

static void
a_byte_outside_the_alphabet_is_refused_though_signed(void **state)
{
    static const char *const tails[] = { "=",    "==",   "!",    " ",
                                         "\n",   "\r\n", "\t",   "+",
                                         "/",    "%",    "*",    ",",
                                         "\x7f", "\x80", "\xff", "====" };
    const struct keys *keys = *state;
    struct igw_buf header;
    struct igw_buf payload;
    struct igw_buf token;
    struct igw_buf more;

    igw_buf_init(&header);
    igw_buf_init(&payload);
    igw_buf_init(&token);
    igw_buf_init(&more);
    igw_base64url_encode(HEADER, strlen(HEADER), &header);
    igw_base64url_encode(PAYLOAD, strlen(PAYLOAD), &payload);
    for (size_t i = 0; i < COUNT(tails); i++) {
        igw_buf_reset(&more);
        igw_buf_printf(&more, "%s%s", header.data, tails[i]);
        forge_encoded(keys->k1, more.data, payload.data, &token);
        expect(more.data, verify(keys, &token), "malformed");

        igw_buf_reset(&more);
        igw_buf_printf(&more, "%s%s", payload.data, tails[i]);
        forge_encoded(keys->k1, header.data, more.data, &token);
        expect(more.data, verify(keys, &token), "malformed");

        forge_encoded(keys->k1, header.data, payload.data, &token);
        assert_null(verify(keys, &token));
        igw_buf_puts(&token, tails[i]);
        expect("tail", verify(keys, &token), "malformed");
    }
    igw_buf_clear(&header);
    igw_buf_clear(&payload);
    igw_buf_clear(&token);
    igw_buf_clear(&more);
}

/* Base64 of RFC 4648 4 in the place of its 5. */
static void
the_other_alphabet_is_refused(void **state)
{
    static const char pairs[] = "-+_/";
    const struct keys *keys = *state;
    struct igw_buf header;
    struct igw_buf payload;
    struct igw_buf token;

    igw_buf_init(&header);
    igw_buf_init(&payload);
    igw_buf_init(&token);
    igw_base64url_encode(HEADER, strlen(HEADER), &header);
    for (const char *pair = pairs; *pair != '\0'; pair += 2) {
        static const char text[] =
            "{\"given_name\":\"~~~~~?????\"," ISS AUD SUB USER IAT NBF EXP END;
        char *place;

        igw_buf_reset(&payload);
        igw_base64url_encode(text, strlen(text), &payload);
        forge_encoded(keys->k1, header.data, payload.data, &token);
        assert_null(verify(keys, &token));
        place = strchr(payload.data, pair[0]);
        assert_non_null(place);
        *place = pair[1];
        forge_encoded(keys->k1, header.data, payload.data, &token);
        expect(payload.data, verify(keys, &token), "malformed");
    }
    igw_buf_clear(&header);
    igw_buf_clear(&payload);
    igw_buf_clear(&token);
}

/* A text whose last letter has unused bits, all of its other spellings. */
static void
try_other_spellings(const struct keys *keys, const char *header,
                    const char *payload, struct igw_buf *text, bool is_header)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789-_";
    const char last = text->data[text->len - 1];
    const size_t value = (size_t)(strchr(alphabet, last) - alphabet);
    const size_t unused = text->len % 4 == 2 ? 4 : text->len % 4 == 3 ? 2 : 0;
    struct igw_buf token;

    igw_buf_init(&token);
    for (size_t i = 1; i < (size_t)1 << unused; i++) {
        text->data[text->len - 1] = alphabet[value + i];
        forge_encoded(keys->k1, is_header ? text->data : header,
                      is_header ? payload : text->data, &token);
        expect(text->data, verify(keys, &token), "malformed");
    }
    text->data[text->len - 1] = last;
    igw_buf_clear(&token);
}

static void
a_value_has_one_spelling(void **state)
{
    const struct keys *keys = *state;
    struct igw_buf header;
    struct igw_buf payload;

    igw_buf_init(&header);
    igw_buf_init(&payload);
    for (int blanks = 0; blanks < 3; blanks++) {
        igw_buf_reset(&header);
        igw_buf_reset(&payload);
        /* A blank more moves the number of unused bits on. */
        igw_base64url_encode(HEADER "  ", strlen(HEADER) + (size_t)blanks,
                             &header);
        igw_base64url_encode(PAYLOAD "  ", strlen(PAYLOAD) + (size_t)blanks,
                             &payload);
        try_other_spellings(keys, header.data, payload.data, &header, true);
        try_other_spellings(keys, header.data, payload.data, &payload, false);
    }
    igw_buf_clear(&header);
    igw_buf_clear(&payload);
}

/* A good token of exactly this length. */
static void
forge_long(const struct igw_key *key, size_t len, struct igw_buf *token)
{
    static const char blanks[] = "   ";
    struct igw_buf payload;
    struct igw_buf header;

    igw_buf_init(&payload);
    igw_buf_init(&header);
    igw_buf_reset(token);
    for (size_t i = 0; token->len != len; i++) {
        assert_true(i < 4 * IGW_TOKEN_MAX);
        igw_buf_reset(&header);
        igw_buf_reset(&payload);
        igw_buf_printf(&header, "%s%.*s", HEADER, (int)(i % 4), blanks);
        igw_buf_printf(&payload, "%s%*s", PAYLOAD, (int)(i / 4), "");
        if (payload.len * 4 / 3 + header.len * 4 / 3 + 100 > len) {
            forge(key, header.data, payload.data, token);
        }
    }
    igw_buf_clear(&payload);
    igw_buf_clear(&header);
}

static void
a_token_has_at_most_4096_bytes(void **state)
{
    const struct keys *keys = *state;
    struct igw_buf token;
    char *huge;

    igw_buf_init(&token);
    forge_long(keys->k1, IGW_TOKEN_MAX, &token);
    assert_int_equal(token.len, 4096);
    assert_null(verify(keys, &token));
    forge_long(keys->k1, IGW_TOKEN_MAX + 1, &token);
    expect("4097", verify(keys, &token), "too_long");
    igw_buf_clear(&token);

    huge = malloc(1 << 20);
    assert_non_null(huge);
    memset(huge, '.', 1 << 20);
    assert_string_equal(verify_at(keys, slice(huge, 1 << 20), NOW), "too_long");
    free(huge);
}

static void
a_part_of_a_token_is_none(void **state)
{
    const struct keys *keys = *state;
    struct igw_buf token;

    igw_buf_init(&token);
    forge(keys->k1, HEADER, PAYLOAD, &token);
    for (size_t len = 0; len < token.len; len++) {
        /* A copy, so that a read behind its end is seen. */
        char *part = malloc(len + 1);

        assert_non_null(part);
        memcpy(part, token.data, len);
        assert_non_null(verify_at(keys, slice(part, len), NOW));
        free(part);
    }
    igw_buf_clear(&token);
}

static void
every_flipped_bit_is_noticed(void **state)
{
    const struct keys *keys = *state;
    struct igw_buf token;

    igw_buf_init(&token);
    forge(keys->k1, HEADER, PAYLOAD, &token);
    for (size_t i = 0; i < token.len * 8; i++) {
        token.data[i / 8] ^= (char)(1U << i % 8);
        if (verify(keys, &token) == NULL) {
            fail_msg("bit %zu of byte %zu may be flipped", i % 8, i / 8);
        }
        token.data[i / 8] ^= (char)(1U << i % 8);
    }
    assert_null(verify(keys, &token));
    igw_buf_clear(&token);
}

/* --- header ------------------------------------------------------------- */

static void
only_es256_is_an_algorithm(void **state)
{
#define ALG(json) "{\"alg\":" json ",\"typ\":\"at+jwt\",\"kid\":\"k1\"}"
    static const struct header_case cases[] = {
        { ALG("\"ES256\""), NULL },
        { ALG("\"\\u0045S256\""), NULL }, /* the same text in JSON */
        { ALG("\"none\""), "wrong_algorithm" },
        { ALG("\"None\""), "wrong_algorithm" },
        { ALG("\"NONE\""), "wrong_algorithm" },
        { ALG("\"nOnE\""), "wrong_algorithm" },
        { ALG("\"\""), "wrong_algorithm" },
        { ALG("\"es256\""), "wrong_algorithm" },
        { ALG("\"Es256\""), "wrong_algorithm" },
        { ALG("\"ES256 \""), "wrong_algorithm" },
        { ALG("\" ES256\""), "wrong_algorithm" },
        { ALG("\"ES25\""), "wrong_algorithm" },
        { ALG("\"ES256K\""), "wrong_algorithm" },
        { ALG("\"ES384\""), "wrong_algorithm" },
        { ALG("\"ES512\""), "wrong_algorithm" },
        { ALG("\"HS256\""), "wrong_algorithm" },
        { ALG("\"HS512\""), "wrong_algorithm" },
        { ALG("\"RS256\""), "wrong_algorithm" },
        { ALG("\"PS256\""), "wrong_algorithm" },
        { ALG("\"EdDSA\""), "wrong_algorithm" },
        { ALG("\"ECDH-ES\""), "wrong_algorithm" },
        { ALG("\"PBES2-HS256+A128KW\""), "wrong_algorithm" },
        { ALG("\"dir\""), "wrong_algorithm" },
        { ALG("256"), "wrong_algorithm" },
        { ALG("0"), "wrong_algorithm" },
        { ALG("null"), "wrong_algorithm" },
        { ALG("true"), "wrong_algorithm" },
        { ALG("false"), "wrong_algorithm" },
        { ALG("[\"ES256\"]"), "wrong_algorithm" },
        { ALG("{\"ES256\":1}"), "wrong_algorithm" },
        { ALG("\"ES256\\u0000\""), "malformed" },
        { "{\"typ\":\"at+jwt\",\"kid\":\"k1\"}", "wrong_algorithm" },
        { "{\"Alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}",
          "unknown_header" },
    };

    check_headers(*state, cases, COUNT(cases));
#undef ALG
}

/* RFC 8725 3.1: a key is good for one algorithm, its own. */
static void
an_rsa_key_is_for_rs256_only(void **state)
{
    struct keys *keys = *state;
    struct keys rsa = { .k1 = igw_key_generate(IGW_RS256) };
    unsigned char signature[IGW_SIGNATURE_MAX];
    const char *const algorithms[] = { "RS256", "ES256", "PS256", "HS256",
                                       "none" };
    struct igw_buf text;
    char why[160];

    igw_buf_init(&text);
    igw_buf_puts(&text, "{\"keys\":[");
    put_jwk(rsa.k1, "k1", &text);
    igw_buf_puts(&text, "]}");
    assert_int_equal(igw_keyset_parse(igw_buf_slice(&text), &rsa.set, why),
                     IGW_OK);
    for (size_t i = 0; i < COUNT(algorithms); i++) {
        char header[80];

        (void)snprintf(header, sizeof(header),
                       "{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}",
                       algorithms[i]);
        igw_buf_reset(&text);
        igw_base64url_encode(header, strlen(header), &text);
        igw_buf_puts(&text, ".");
        igw_base64url_encode(PAYLOAD, strlen(PAYLOAD), &text);
        assert_int_equal(igw_key_sign(rsa.k1, igw_buf_slice(&text), signature),
                         IGW_OK);
        igw_buf_puts(&text, ".");
        igw_base64url_encode(signature, igw_key_signature_size(rsa.k1), &text);
        expect(algorithms[i], verify(&rsa, &text),
               i == 0 ? NULL : "wrong_algorithm");
        expect(algorithms[i], verify(keys, &text),
               i == 0 || i == 2 || i == 3 || i == 4 ? "wrong_algorithm"
                                                    : "bad_signature");
    }
    igw_buf_clear(&text);
    igw_keyset_free(&rsa.set);
    igw_key_free(&rsa.k1);
}

static void
only_an_access_token_is_a_type(void **state)
{
#define TYP(json) "{\"alg\":\"ES256\",\"typ\":" json ",\"kid\":\"k1\"}"
    static const struct header_case cases[] = {
        { TYP("\"at+jwt\""), NULL },
        { TYP("\"application/at+jwt\""), NULL },
        { TYP("\"AT+JWT\""), NULL },
        { TYP("\"At+jWt\""), NULL },
        { TYP("\"Application/AT+JWT\""), NULL },
        { TYP("\"JWT\""), "wrong_type" },
        { TYP("\"jwt\""), "wrong_type" },
        { TYP("\"application/jwt\""), "wrong_type" },
        { TYP("\"id+jwt\""), "wrong_type" },
        { TYP("\"logout+jwt\""), "wrong_type" },
        { TYP("\"dpop+jwt\""), "wrong_type" },
        { TYP("\"at+jwt \""), "wrong_type" },
        { TYP("\"at+jw\""), "wrong_type" },
        { TYP("\"at jwt\""), "wrong_type" },
        { TYP("\"at+jwtx\""), "wrong_type" },
        { TYP("\"/at+jwt\""), "wrong_type" },
        { TYP("\"text/at+jwt\""), "wrong_type" },
        { TYP("\"application/at+jwt;v=1\""), "wrong_type" },
        { TYP("\"appl\\u0131cation/at+jwt\""), "wrong_type" },
        { TYP("\"\""), "wrong_type" },
        { TYP("null"), "wrong_type" },
        { TYP("1"), "wrong_type" },
        { TYP("[\"at+jwt\"]"), "wrong_type" },
        { TYP("{}"), "wrong_type" },
        { "{\"alg\":\"ES256\",\"kid\":\"k1\"}", "wrong_type" },
    };

    check_headers(*state, cases, COUNT(cases));
#undef TYP
}

static void
the_kid_names_one_of_our_keys(void **state)
{
#define KID(json) "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":" json "}"
    static const struct header_case cases[] = {
        { KID("\"k1\""), NULL },
        { KID("\"\\u006b1\""), NULL },
        { KID("\"\""), "unknown_key" },
        { KID("\"k\""), "unknown_key" },
        { KID("\"K1\""), "unknown_key" },
        { KID("\"k1 \""), "unknown_key" },
        { KID("\"k11\""), "unknown_key" },
        { KID("\"../../dev/null\""), "unknown_key" },
        { KID("\"/dev/null\""), "unknown_key" },
        { KID("\"' OR 1=1\""), "unknown_key" },
        { KID("\"https://example.org/jwks\""), "unknown_key" },
        { KID("\"%s%n\""), "unknown_key" },
        { KID("1"), "unknown_key" },
        { KID("0"), "unknown_key" },
        { KID("null"), "unknown_key" },
        { KID("[\"k1\"]"), "unknown_key" },
        { KID("{\"k1\":\"k1\"}"), "unknown_key" },
        { KID("\"k1\\u0000\""), "malformed" },
        { "{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}", "unknown_key" },
    };

    check_headers(*state, cases, COUNT(cases));
#undef KID
}

static void
a_header_has_three_members_only(void **state)
{
#define WITH(json) \
    "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"k1\"," json "}"
    static const struct header_case cases[] = {
        { WITH("\"crit\":[\"exp\"]"), "unknown_header" },
        { WITH("\"crit\":[]"), "unknown_header" },
        { WITH("\"b64\":false,\"crit\":[\"b64\"]"), "unknown_header" },
        { WITH("\"b64\":true"), "unknown_header" },
        { WITH("\"jwk\":{}"), "unknown_header" },
        { WITH("\"jku\":\"http://127.0.0.1/jwks\""), "unknown_header" },
        { WITH("\"x5u\":\"http://127.0.0.1/cert\""), "unknown_header" },
        { WITH("\"x5c\":[\"AA==\"]"), "unknown_header" },
        { WITH("\"x5t\":\"AA\""), "unknown_header" },
        { WITH("\"x5t#S256\":\"AA\""), "unknown_header" },
        { WITH("\"cty\":\"JWT\""), "unknown_header" },
        { WITH("\"zip\":\"DEF\""), "unknown_header" },
        { WITH("\"enc\":\"A128GCM\""), "unknown_header" },
        { WITH("\"iss\":\"identprov\""), "unknown_header" },
        { WITH("\"\":1"), "unknown_header" },
        { WITH("\"ALG\":\"none\""), "unknown_header" },
    };

    check_headers(*state, cases, COUNT(cases));
#undef WITH
}

static void
a_header_is_one_object_without_duplicates(void **state)
{
    static const struct header_case cases[] = {
        { " \t\r\n" HEADER "\n", NULL }, /* JSON's own blanks */
        { "{\"alg\":\"none\",\"alg\":\"ES256\",\"typ\":\"at+jwt\","
          "\"kid\":\"k1\"}",
          "malformed" },
        { "{\"alg\":\"ES256\",\"alg\":\"ES256\",\"typ\":\"at+jwt\","
          "\"kid\":\"k1\"}",
          "malformed" },
        { "{\"alg\":\"none\",\"\\u0061lg\":\"ES256\",\"typ\":\"at+jwt\","
          "\"kid\":\"k1\"}",
          "malformed" },
        { "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"typ\":\"at+jwt\","
          "\"kid\":\"k1\"}",
          "malformed" },
        { "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"k2\","
          "\"ki\\u0064\":\"k1\"}",
          "malformed" },
        { "{}", "wrong_algorithm" },
        { "[]", "malformed" },
        { "[" HEADER "]", "malformed" },
        { "null", "malformed" },
        { "1", "malformed" },
        { "\"ES256\"", "malformed" },
        { HEADER "x", "malformed" },
        { HEADER HEADER, "malformed" },
        { "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"k1\"", "malformed" },
        { "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"k1\",}",
          "malformed" },
        { "{'alg':'ES256','typ':'at+jwt','kid':'k1'}", "malformed" },
        { "\xef\xbb\xbf" HEADER, "malformed" },
        { "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"\xff\"}",
          "malformed" },
        { "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "malformed" },
    };

    check_headers(*state, cases, COUNT(cases));
}

static void
bytes_behind_a_nul_are_not_overlooked(void **state)
{
    const struct keys *keys = *state;
    struct igw_buf token;

    igw_buf_init(&token);
    forge_bytes(keys->k1, slice(HEADER "\0", sizeof(HEADER)),
                igw_slice_of(PAYLOAD), &token);
    expect("header", verify(keys, &token), "malformed");
    forge_bytes(keys->k1, igw_slice_of(HEADER),
                slice(PAYLOAD "\0{}", sizeof(PAYLOAD) + 2), &token);
    expect("payload", verify(keys, &token), "malformed");
    igw_buf_clear(&token);
}

/* --- signature ---------------------------------------------------------- */

static void
only_the_named_keys_signature_counts(void **state)
{
    const struct keys *keys = *state;
    struct igw_buf token;
    struct igw_buf header;

    igw_buf_init(&token);
    igw_buf_init(&header);
    forge(keys->stranger, HEADER, PAYLOAD, &token);
    expect("a stranger's", verify(keys, &token), "bad_signature");
    forge(keys->k2, HEADER, PAYLOAD, &token);
    expect("another one of ours", verify(keys, &token), "bad_signature");

    /* CVE-2018-0114: the key comes with the token. */
    igw_buf_puts(&header, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"k1\""
                          ",\"jwk\":");
    put_jwk(keys->stranger, "k1", &header);
    igw_buf_puts(&header, "}");
    forge(keys->stranger, header.data, PAYLOAD, &token);
    expect("its own key", verify(keys, &token), "unknown_header");

    igw_buf_reset(&header);
    igw_buf_printf(&header,
                   "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}",
                   igw_key_kid(keys->stranger));
    forge(keys->stranger, header.data, PAYLOAD, &token);
    expect("a stranger's kid", verify(keys, &token), "unknown_key");
    igw_buf_clear(&header);
    igw_buf_clear(&token);
}

/* In the place of the signature that token has. */
static void
replace_signature(struct igw_buf *token, const void *data, size_t len)
{
    token->len = (size_t)(strrchr(token->data, '.') - token->data) + 1;
    token->data[token->len] = '\0';
    igw_base64url_encode(data, len, token);
}

static void
a_signature_out_of_range_is_refused(void **state)
{
    static const unsigned char zero[32] = { 0 };
    static const unsigned char n[32] = {
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
        0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51
    };
    unsigned char most[32];
    const unsigned char *const bad[] = { zero, n, most };
    const struct keys *keys = *state;
    unsigned char good[64];
    struct igw_buf token;
    struct igw_buf bytes;

    memset(most, 0xff, sizeof(most));
    igw_buf_init(&token);
    igw_buf_init(&bytes);
    forge(keys->k1, HEADER, PAYLOAD, &token);
    assert_int_equal(igw_base64url_decode(
                         igw_slice_of(strrchr(token.data, '.') + 1), &bytes),
                     IGW_OK);
    memcpy(good, bytes.data, sizeof(good));
    for (size_t i = 0; i < COUNT(bad); i++) {
        unsigned char both[64];

        memcpy(both, good, sizeof(good));
        memcpy(both, bad[i], 32);
        replace_signature(&token, both, sizeof(both));
        expect("r", verify(keys, &token), "bad_signature");
        memcpy(both + 32, bad[i], 32);
        replace_signature(&token, both, sizeof(both));
        expect("r and s", verify(keys, &token), "bad_signature");
        memcpy(both, good, 32);
        replace_signature(&token, both, sizeof(both));
        expect("s", verify(keys, &token), "bad_signature");
    }
    replace_signature(&token, good, sizeof(good));
    assert_null(verify(keys, &token));
    igw_buf_clear(&bytes);
    igw_buf_clear(&token);
}

/* An INTEGER of DER: no leading zeros, one when the top bit is set. */
static size_t
put_integer(const unsigned char *bytes, unsigned char *der)
{
    size_t skip = 0;
    size_t sign;

    while (bytes[skip] == 0) {
        skip++;
    }
    sign = bytes[skip] >> 7;
    der[0] = 2;
    der[1] = (unsigned char)(32 - skip + sign);
    der[2] = 0;
    memcpy(der + 2 + sign, bytes + skip, 32 - skip);
    return 2 + sign + 32 - skip;
}

static void
a_der_signature_is_refused(void **state)
{
    const struct keys *keys = *state;
    unsigned char raw[IGW_ES256_SIGNATURE_SIZE];
    unsigned char der[80] = { 0x30 };
    struct igw_buf token;
    size_t len;

    igw_buf_init(&token);
    forge(keys->k1, HEADER, PAYLOAD, &token);
    token.len = (size_t)(strrchr(token.data, '.') - token.data);
    assert_int_equal(igw_key_sign(keys->k1, igw_buf_slice(&token), raw),
                     IGW_OK);
    len = put_integer(raw, der + 2);
    len += put_integer(raw + 32, der + 2 + len);
    der[1] = (unsigned char)len;
    replace_signature(&token, raw, sizeof(raw));
    assert_null(verify(keys, &token));
    replace_signature(&token, der, len + 2);
    expect("DER", verify(keys, &token), "bad_signature");
    igw_buf_clear(&token);
}

static void
a_signature_of_another_length_is_refused(void **state)
{
    const struct keys *keys = *state;
    unsigned char bytes[96] = { 0 };
    struct igw_buf token;

    igw_buf_init(&token);
    forge(keys->k1, HEADER, PAYLOAD, &token);
    token.len = (size_t)(strrchr(token.data, '.') - token.data);
    assert_int_equal(igw_key_sign(keys->k1, igw_buf_slice(&token), bytes),
                     IGW_OK);
    for (size_t len = 1; len <= sizeof(bytes); len++) {
        replace_signature(&token, bytes, len);
        expect("length", verify(keys, &token),
               len == IGW_ES256_SIGNATURE_SIZE ? NULL : "bad_signature");
    }
    igw_buf_clear(&token);
}

/* RFC 2104, with a key of any length. */
static void
hmac_sha256(struct igw_slice key, struct igw_slice text,
            unsigned char mac[IGW_SHA256_SIZE])
{
    unsigned char pads[2][64] = { { 0 }, { 0 } };
    unsigned char inner[IGW_SHA256_SIZE];
    struct igw_buf all;

    if (key.len > 64) {
        assert_int_equal(igw_sha256(key.data, key.len, pads[0]), IGW_OK);
    } else if (key.len > 0) {
        memcpy(pads[0], key.data, key.len);
    }
    for (size_t i = 0; i < 64; i++) {
        pads[1][i] = pads[0][i] ^ 0x5c;
        pads[0][i] ^= 0x36;
    }
    igw_buf_init(&all);
    igw_buf_append(&all, pads[0], 64);
    igw_buf_append(&all, text.data, text.len);
    assert_int_equal(igw_sha256(all.data, all.len, inner), IGW_OK);
    igw_buf_reset(&all);
    igw_buf_append(&all, pads[1], 64);
    igw_buf_append(&all, inner, sizeof(inner));
    assert_int_equal(igw_sha256(all.data, all.len, mac), IGW_OK);
    igw_buf_clear(&all);
}

static void
the_hmac_of_these_tests_is_right(void **state)
{
    /* RFC 4231, 4.3. */
    static const char text[] = "what do ya want for nothing?";
    unsigned char mac[IGW_SHA256_SIZE];
    char hex[2 * IGW_SHA256_SIZE + 1];

    hmac_sha256(igw_slice_of("Jefe"), igw_slice_of(text), mac);
    igw_hex(mac, sizeof(mac), hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c7"
                             "5a003f089d2739839dec58b964ec3843");
}

/* SubjectPublicKeyInfo of a JWK, as DER. */
static void
put_spki(const struct igw_key *key, struct igw_buf *out)
{
    static const unsigned char head[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07,
                                          0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
                                          0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                          0xce, 0x3d, 0x03, 0x01, 0x07, 0x03,
                                          0x42, 0x00, 0x04 };
    struct json_t *jwk = igw_key_jwk(key);

    igw_buf_append(out, head, sizeof(head));
    assert_int_equal(
        igw_base64url_decode(igw_json_text(igw_json_get(jwk, "x")), out),
        IGW_OK);
    assert_int_equal(
        igw_base64url_decode(igw_json_text(igw_json_get(jwk, "y")), out),
        IGW_OK);
    assert_int_equal(out->len, 91);
    igw_json_free(&jwk);
}

static void
put_pem(const struct igw_buf *der, struct igw_buf *out)
{
    struct igw_buf text;

    igw_buf_init(&text);
    igw_base64url_encode(der->data, der->len, &text);
    for (size_t i = 0; i < text.len; i++) {
        char *c = &text.data[i];

        *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
    }
    igw_buf_printf(out,
                   "-----BEGIN PUBLIC KEY-----\n%.64s\n%s==\n"
                   "-----END PUBLIC KEY-----\n",
                   text.data, text.data + 64);
    igw_buf_clear(&text);
}

static void
check_mac(const struct keys *keys, const char *alg, const char *title,
          struct igw_slice secret)
{
    unsigned char mac[IGW_SHA256_SIZE];
    struct igw_buf header;
    struct igw_buf token;

    igw_buf_init(&header);
    igw_buf_init(&token);
    igw_buf_printf(&header,
                   "{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}", alg);
    igw_base64url_encode(header.data, header.len, &token);
    igw_buf_puts(&token, ".");
    igw_base64url_encode(PAYLOAD, strlen(PAYLOAD), &token);
    hmac_sha256(secret, igw_buf_slice(&token), mac);
    igw_buf_puts(&token, ".");
    igw_base64url_encode(mac, sizeof(mac), &token);
    expect(title, verify(keys, &token),
           strcmp(alg, "ES256") == 0 ? "bad_signature" : "wrong_algorithm");
    igw_buf_clear(&header);
    igw_buf_clear(&token);
}

/* CVE-2015-9235, CVE-2016-10555 and their kin. */
static void
a_mac_with_what_is_public_is_no_signature(void **state)
{
    static const char *const algs[] = { "HS256", "hs256", "ES256" };
    const struct keys *keys = *state;
    struct igw_buf der;
    struct igw_buf pem;
    struct igw_buf jwk;

    igw_buf_init(&der);
    igw_buf_init(&pem);
    igw_buf_init(&jwk);
    put_spki(keys->k1, &der);
    put_pem(&der, &pem);
    put_jwk(keys->k1, "k1", &jwk);
    for (size_t i = 0; i < COUNT(algs); i++) {
        check_mac(keys, algs[i], "PEM", igw_buf_slice(&pem));
        check_mac(keys, algs[i], "PEM without its newline",
                  slice(pem.data, pem.len - 1));
        check_mac(keys, algs[i], "DER", igw_buf_slice(&der));
        check_mac(keys, algs[i], "the point",
                  slice(der.data + 26, der.len - 26));
        check_mac(keys, algs[i], "JWK", igw_buf_slice(&jwk));
        check_mac(keys, algs[i], "kid", igw_slice_of("k1"));
        check_mac(keys, algs[i], "nothing", slice("", 0));
    }
    igw_buf_clear(&der);
    igw_buf_clear(&pem);
    igw_buf_clear(&jwk);
}

static void
without_keys_nothing_is_taken(void **state)
{
    const struct keys *keys = *state;
    const struct keys none = { .set = NULL };
    struct igw_buf token;

    igw_buf_init(&token);
    forge(keys->k1, HEADER, PAYLOAD, &token);
    expect("no set", verify(&none, &token), "unknown_key");
    igw_buf_clear(&token);
}

/* --- claims ------------------------------------------------------------- */

static void
a_payload_is_one_object_without_duplicates(void **state)
{
    static const struct payload_case cases[] = {
        { PAYLOAD, NULL },
        { " " PAYLOAD "\n", NULL },
        { "{" SUB ISS AUD SUB USER IAT NBF EXP END, "malformed" },
        { "{\"s\\u0075b\":\"root\"," ISS AUD SUB USER IAT NBF EXP END,
          "malformed" },
        { "{\"exp\":9000," ISS AUD SUB USER IAT NBF EXP END, "malformed" },
        { "{\"a\":{\"b\":1,\"b\":2}," ISS AUD SUB USER IAT NBF EXP END,
          "malformed" },
        { "{}", "bad_claims" },
        { "[]", "malformed" },
        { "[" PAYLOAD "]", "malformed" },
        { "null", "malformed" },
        { "\"sub\"", "malformed" },
        { "7", "malformed" },
        { PAYLOAD PAYLOAD, "malformed" },
        { PAYLOAD ",", "malformed" },
        { "{" ISS AUD SUB USER IAT NBF EXP "}", "malformed" },
        { "\xef\xbb\xbf" PAYLOAD, "malformed" },
        { "{\"given_name\":\"\xff\"," ISS AUD SUB USER IAT NBF EXP END,
          "malformed" },
        { "{\"given_name\":\"\\ud800\"," ISS AUD SUB USER IAT NBF EXP END,
          "malformed" },
        { "{\"given_name\":\"a\\u0000b\"," ISS AUD SUB USER IAT NBF EXP END,
          "malformed" },
        { "{\"deep\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]," ISS AUD SUB USER IAT NBF
              EXP END,
          NULL },
        { "{\"deep\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]," ISS AUD SUB USER IAT NBF
              EXP END,
          "malformed" },
        { "{\"unknown\":{\"claims\":[\"are\",\"free\"]}," ISS AUD SUB USER IAT
              NBF EXP END,
          NULL },
    };

    check_payloads(*state, cases, COUNT(cases));
}

static void
a_required_claim_is_a_text(void **state)
{
    static const struct payload_case cases[] = {
        { "{" AUD SUB USER IAT NBF EXP END, "bad_claims" },
        { "{" ISS SUB USER IAT NBF EXP END, "bad_claims" },
        { "{" ISS AUD USER IAT NBF EXP END, "bad_claims" },
        { "{" ISS AUD SUB IAT NBF EXP END, "bad_claims" },
        { "{\"iss\":\"\"," AUD SUB USER IAT NBF EXP END, "bad_claims" },
        { "{\"iss\":null," AUD SUB USER IAT NBF EXP END, "bad_claims" },
        { "{\"iss\":1," AUD SUB USER IAT NBF EXP END, "bad_claims" },
        { "{\"iss\":[\"identprov\"]," AUD SUB USER IAT NBF EXP END,
          "bad_claims" },
        { "{\"sub\":\"\"," ISS AUD USER IAT NBF EXP END, "bad_claims" },
        { "{\"sub\":null," ISS AUD USER IAT NBF EXP END, "bad_claims" },
        { "{\"sub\":7," ISS AUD USER IAT NBF EXP END, "bad_claims" },
        { "{\"sub\":{\"a\":1}," ISS AUD USER IAT NBF EXP END, "bad_claims" },
        { "{\"sub\":[\"a\"]," ISS AUD USER IAT NBF EXP END, "bad_claims" },
        { "{\"Sub\":\"a\"," ISS AUD USER IAT NBF EXP END, "bad_claims" },
        { "{\"preferred_username\":\"\"," ISS AUD SUB IAT NBF EXP END,
          "bad_claims" },
        { "{\"preferred_username\":null," ISS AUD SUB IAT NBF EXP END,
          "bad_claims" },
        { "{\"preferred_username\":true," ISS AUD SUB IAT NBF EXP END,
          "bad_claims" },
    };

    check_payloads(*state, cases, COUNT(cases));
}

static void
an_optional_claim_has_its_type(void **state)
{
#define WITH(json) "{" json "," ISS AUD SUB USER IAT NBF EXP "\"z\":0}"
    static const struct payload_case cases[] = {
        { WITH("\"sid\":\"\""), NULL },
        { WITH("\"sid\":\"0123456789abcdef\""), NULL },
        { WITH("\"sid\":1"), "bad_claims" },
        { WITH("\"jti\":null"), "bad_claims" },
        { WITH("\"jti\":[]"), "bad_claims" },
        { WITH("\"email\":false"), "bad_claims" },
        { WITH("\"email\":{}"), "bad_claims" },
        { WITH("\"given_name\":0"), "bad_claims" },
        { WITH("\"family_name\":[\"a\"]"), "bad_claims" },
        { WITH("\"email_verified\":true"), NULL },
        { WITH("\"email_verified\":false"), NULL },
        { WITH("\"email_verified\":\"true\""), "bad_claims" },
        { WITH("\"email_verified\":1"), "bad_claims" },
        { WITH("\"email_verified\":null"), "bad_claims" },
        { WITH("\"groups\":[]"), NULL },
        { WITH("\"groups\":[\"a\",\"b\"]"), NULL },
        { WITH("\"groups\":\"a\""), "bad_claims" },
        { WITH("\"groups\":{\"a\":\"b\"}"), "bad_claims" },
        { WITH("\"groups\":[\"a\",1]"), "bad_claims" },
        { WITH("\"groups\":[[\"a\"]]"), "bad_claims" },
        { WITH("\"groups\":null"), "bad_claims" },
    };

    check_payloads(*state, cases, COUNT(cases));
#undef WITH
}

static void
the_issuer_is_ours(void **state)
{
#define ISSUER(text) "{\"iss\":\"" text "\"," AUD SUB USER IAT NBF EXP END
    static const struct payload_case cases[] = {
        { ISSUER("identprov"), NULL },
        { ISSUER("Identprov"), "wrong_issuer" },
        { ISSUER("identprov "), "wrong_issuer" },
        { ISSUER("identpro"), "wrong_issuer" },
        { ISSUER("identprovx"), "wrong_issuer" },
        { ISSUER("https://identprov"), "wrong_issuer" },
    };

    check_payloads(*state, cases, COUNT(cases));
#undef ISSUER
}

static void
the_audience_is_ours(void **state)
{
#define AUDIENCE(json) "{\"aud\":" json "," ISS SUB USER IAT NBF EXP END
    static const struct payload_case cases[] = {
        { AUDIENCE("\"identgw\""), NULL },
        { AUDIENCE("[\"identgw\"]"), NULL },
        { AUDIENCE("[\"other\",\"identgw\"]"), NULL },
        { AUDIENCE("[\"identgw\",\"other\"]"), NULL },
        { AUDIENCE("\"other\""), "wrong_audience" },
        { AUDIENCE("\"\""), "wrong_audience" },
        { AUDIENCE("\"IDENTGW\""), "wrong_audience" },
        { AUDIENCE("\"identgw \""), "wrong_audience" },
        { AUDIENCE("\"identgw,other\""), "wrong_audience" },
        { AUDIENCE("\"identg\""), "wrong_audience" },
        { AUDIENCE("[]"), "wrong_audience" },
        { AUDIENCE("[\"other\"]"), "wrong_audience" },
        { AUDIENCE("[\"\"]"), "wrong_audience" },
        { AUDIENCE("[\"identgw\",1]"), "bad_claims" },
        { AUDIENCE("[[\"identgw\"]]"), "bad_claims" },
        { AUDIENCE("{\"identgw\":\"identgw\"}"), "bad_claims" },
        { AUDIENCE("null"), "bad_claims" },
        { AUDIENCE("true"), "bad_claims" },
        { AUDIENCE("0"), "bad_claims" },
    };

    check_payloads(*state, cases, COUNT(cases));
#undef AUDIENCE
}

static void
no_audience_of_ours_matches_none(void **state)
{
    static const char *const auds[] = { "\"\"", "[]", "[\"\"]" };
    const struct keys *keys = *state;
    const struct igw_token_policy policy = { .issuer =
                                                 igw_slice_of("identprov"),
                                             .audience = igw_slice_of(""),
                                             .now = NOW };
    struct igw_buf token;
    struct igw_buf payload;

    igw_buf_init(&token);
    igw_buf_init(&payload);
    for (size_t i = 0; i < COUNT(auds); i++) {
        struct igw_claims claims;
        const char *reason = NULL;

        igw_buf_reset(&payload);
        igw_buf_printf(&payload, "{\"aud\":%s,%s", auds[i],
                       ISS SUB USER IAT NBF EXP END);
        forge(keys->k1, HEADER, payload.data, &token);
        assert_int_equal(igw_token_verify(keys->set, igw_buf_slice(&token),
                                          &policy, &claims, &reason),
                         IGW_DENIED);
        assert_string_equal(reason, "wrong_audience");
    }
    igw_buf_clear(&payload);
    igw_buf_clear(&token);
}

static void
times_are_integers(void **state)
{
#define TIMES(iat, nbf, exp) \
    "{" ISS AUD SUB USER "\"iat\":" iat ",\"nbf\":" nbf ",\"exp\":" exp "," END
    static const struct payload_case cases[] = {
        { TIMES("1000", "1000", "1300"), NULL },
        { TIMES("0", "0", "1300"), NULL },
        { TIMES("1000", "1000", "9007199254740991"), NULL },
        { "{" ISS AUD SUB USER IAT EXP END, NULL },
        { "{" ISS AUD SUB USER NBF EXP END, "bad_claims" },
        { "{" ISS AUD SUB USER IAT NBF END, "bad_claims" },
        { TIMES("1000", "1000", "9007199254740992"), "bad_claims" },
        { TIMES("1000", "1000", "9223372036854775807"), "bad_claims" },
        { TIMES("1000", "1000", "9223372036854775808"), "malformed" },
        { TIMES("1000", "1000", "99999999999999999999999"), "malformed" },
        { TIMES("1000", "1000", "1e400"), "malformed" },
        { TIMES("1000", "1000", "1300.0"), "bad_claims" },
        { TIMES("1000", "1000", "1.3e3"), "bad_claims" },
        { TIMES("1000", "1000", "-1"), "bad_claims" },
        { TIMES("1000", "1000", "-9223372036854775808"), "bad_claims" },
        { TIMES("1000", "1000", "-0"), "expired" },
        { TIMES("1000", "1000", "\"1300\""), "bad_claims" },
        { TIMES("1000", "1000", "\"\""), "bad_claims" },
        { TIMES("1000", "1000", "null"), "bad_claims" },
        { TIMES("1000", "1000", "true"), "bad_claims" },
        { TIMES("1000", "1000", "[1300]"), "bad_claims" },
        { TIMES("1000", "1000", "{}"), "bad_claims" },
        { TIMES("1000", "1000", "0x514"), "malformed" },
        { TIMES("1000", "1000", "01300"), "malformed" },
        { TIMES("1000", "1000", "Infinity"), "malformed" },
        { TIMES("\"1000\"", "1000", "1300"), "bad_claims" },
        { TIMES("1000.5", "1000", "1300"), "bad_claims" },
        { TIMES("-1", "1000", "1300"), "bad_claims" },
        { TIMES("null", "1000", "1300"), "bad_claims" },
        { TIMES("9007199254740992", "1000", "1300"), "bad_claims" },
        { TIMES("1000", "\"1000\"", "1300"), "bad_claims" },
        { TIMES("1000", "1000.5", "1300"), "bad_claims" },
        { TIMES("1000", "-1", "1300"), "bad_claims" },
        { TIMES("1000", "null", "1300"), "bad_claims" },
        { TIMES("1000", "9007199254740991", "1300"), "not_yet_valid" },
        { TIMES("9007199254740991", "1000", "1300"), "not_yet_valid" },
    };

    check_payloads(*state, cases, COUNT(cases));
#undef TIMES
}

static void
a_token_is_good_from_its_beginning_to_its_end(void **state)
{
    static const struct {
        int iat;
        int nbf;
        int exp;
        int now;
        const char *reason;
    } cases[] = {
        /* exp: now must be before it, give or take the leeway */
        { 1000, 1000, 1300, 1299, NULL },
        { 1000, 1000, 1300, 1300, NULL },
        { 1000, 1000, 1300, 1300 + LEEWAY_SEC - 1, NULL },
        { 1000, 1000, 1300, 1300 + LEEWAY_SEC, "expired" },
        { 1000, 1000, 1300, 1300 + LEEWAY_SEC + 1, "expired" },
        /* nbf */
        { 1000, 1100, 1300, 1100, NULL },
        { 1000, 1100, 1300, 1100 - LEEWAY_SEC + 1, NULL },
        { 1000, 1100, 1300, 1100 - LEEWAY_SEC, NULL },
        { 1000, 1100, 1300, 1100 - LEEWAY_SEC - 1, "not_yet_valid" },
        /* iat */
        { 1100, 1000, 1300, 1100, NULL },
        { 1100, 1000, 1300, 1100 - LEEWAY_SEC + 1, NULL },
        { 1100, 1000, 1300, 1100 - LEEWAY_SEC, NULL },
        { 1100, 1000, 1300, 1100 - LEEWAY_SEC - 1, "not_yet_valid" },
        { 0, 0, 0, 0, NULL },
        { 0, 0, 0, LEEWAY_SEC, "expired" },
    };
    const struct keys *keys = *state;
    struct igw_buf token;
    struct igw_buf payload;

    igw_buf_init(&token);
    igw_buf_init(&payload);
    for (size_t i = 0; i < COUNT(cases); i++) {
        igw_buf_reset(&payload);
        igw_buf_printf(
            &payload, "{\"iat\":%d,\"nbf\":%d,\"exp\":%d," ISS AUD SUB USER END,
            cases[i].iat, cases[i].nbf, cases[i].exp);
        forge(keys->k1, HEADER, payload.data, &token);
        expect(payload.data,
               verify_at(keys, igw_buf_slice(&token), cases[i].now),
               cases[i].reason);
    }
    igw_buf_clear(&token);
    igw_buf_clear(&payload);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_signed_token_gives_its_claims_back),
        TEST(a_token_says_exactly_this),
        TEST(a_token_is_appended),
        TEST(claims_that_would_be_refused_are_not_signed),
        TEST(no_token_is_signed_that_is_too_long_to_verify),
        TEST(a_public_key_signs_no_token),
        TEST(a_token_of_another_implementation_is_taken),
        TEST(the_number_of_parts_is_three),
        TEST(no_byte_may_be_added),
        TEST(a_byte_outside_the_alphabet_is_refused_though_signed),
        TEST(the_other_alphabet_is_refused),
        TEST(a_value_has_one_spelling),
        TEST(a_token_has_at_most_4096_bytes),
        TEST(a_part_of_a_token_is_none),
        TEST(every_flipped_bit_is_noticed),
        TEST(only_es256_is_an_algorithm),
        TEST(an_rsa_key_is_for_rs256_only),
        TEST(only_an_access_token_is_a_type),
        TEST(the_kid_names_one_of_our_keys),
        TEST(a_header_has_three_members_only),
        TEST(a_header_is_one_object_without_duplicates),
        TEST(bytes_behind_a_nul_are_not_overlooked),
        TEST(only_the_named_keys_signature_counts),
        TEST(a_signature_out_of_range_is_refused),
        TEST(a_der_signature_is_refused),
        TEST(a_signature_of_another_length_is_refused),
        TEST(the_hmac_of_these_tests_is_right),
        TEST(a_mac_with_what_is_public_is_no_signature),
        TEST(without_keys_nothing_is_taken),
        TEST(a_payload_is_one_object_without_duplicates),
        TEST(a_required_claim_is_a_text),
        TEST(an_optional_claim_has_its_type),
        TEST(the_issuer_is_ours),
        TEST(the_audience_is_ours),
        TEST(no_audience_of_ours_matches_none),
        TEST(times_are_integers),
        TEST(a_token_is_good_from_its_beginning_to_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
