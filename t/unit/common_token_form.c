/*
 * Access tokens: their form and their header, and what is refused of them.
 */
#include "token_fixture.h"

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
