/*
 * Access tokens: whose signature counts.
 */
#include "token_fixture.h"

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_the_named_keys_signature_counts),
        TEST(a_signature_out_of_range_is_refused),
        TEST(a_der_signature_is_refused),
        TEST(a_signature_of_another_length_is_refused),
        TEST(the_hmac_of_these_tests_is_right),
        TEST(a_mac_with_what_is_public_is_no_signature),
        TEST(without_keys_nothing_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
