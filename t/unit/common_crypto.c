/*
 * Hashes, keys, ES256 and RS256, with vectors and keys of other
 * implementations.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include "jwk.h"
#include "text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* RFC 7515 A.3, and the thumbprint that jwcrypto gives its key. */
#define RFC_X     "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""
#define RFC_Y     "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define RFC_POINT RFC_X "," RFC_Y
#define RFC_TEXT                                                           \
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQo" \
    "gImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RFC_SIGNATURE                                                      \
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQ" \
    "xfKTUJqPP3-Kg6NU1Q"
#define RFC_THUMBPRINT "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"

#define EC  "\"kty\":\"EC\",\"crv\":\"P-256\""
#define KID "\"kid\":\"k1\""

/* RFC 7515 A.3's key, written by `openssl pkcs8 -topk8`, 1,000 rounds. */
static const char by_openssl[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhJ4FgLcVE7OAICA+gw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEENhxcXwEyuz7ernJQQZGYwMEgZDh\n"
    "lOF0Edn94MAkKI9xbZVmDF5ZeL+a/S5JKFLTtqQ2cBRcc2iXY5gvtyn7SI9pXQ1G\n"
    "+mySPsKXlPtJhpmwNO6AReu4d5OV5n0lX9fXD9sLzCaM0IFrOkaLA996BSjFc3ty\n"
    "C0vLkwpZYJkXe27PtGAm1+sRHLtq6xkzNSbdfrRqA7stxZO2hXflBvF6mMbbZ+s=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

/* The same, its public point in compressed form. */
static const char compressed[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHLMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgmuMRXzKjIFgICA+gw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEOsAcOyqkWNOhIpMy/ZfVNkEcMPF\n"
    "IebL9Ji3NpWKDNaAWLqRsVNZCDGmrki51+J3jBKfIQcBh3PUMyAUPV5yFyLvY2Or\n"
    "bqJJYGJgPFa00eLvC+U+Lkma4txAN+5voDR4LYBQkaIbZniiTll6Cyo/0PVKlfFC\n"
    "GREOhVltNq4N9ZnWBgc=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

/* A key of another curve of the same size. */
static const char secp256k1[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAh3D5uV9D+hZAICA+gw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEGTKuTFDZGpSVfzli/CSQPsEgZCm\n"
    "Ca78qAV+JNnJBIDlaGP+JCsWb27sDbj9PAVpR2/VEzWR3pppaw/ICCaAbiFhSuPD\n"
    "MAgQ2hGallGBqARXlz9i1Naxo+SB7SvNgSSP5JP0lsWPkfpS26TAP16/dJiQpChO\n"
    "2csC5wu4AMmFB9Mk6QkSkxGr/rXpYxNqWdmLZlFLlVXbofBIv35nTprXDLCwZkE=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static const char ed25519[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg9UG2Jn9N7jQICA+gw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEGUHW3bI5TxogNm0G9Xvao8EQHBJ\n"
    "4M/DzANHx/jV+Yr5WgmuixmkkelH2it4pvxH5fJEqazmCZLfDZYeJE6tfQK6cBlr\n"
    "gD9Lzs1f3euXKimyd7E=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

/* RFC 7515 A.3's d with the public point of another key. */
static const char mismatched[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiX7BNnmPddywICA+gw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEPqJxxrRwDywOb+XCMdQ1ZsEgZCZ\n"
    "6sY/bHuyuFTXrqDPyILUeCC8Hi53NBEN2mOrRClHhoRtFtRmnknRrw2XUgfELqLG\n"
    "grpbcfLCdlTF9fkUIYz8TILlaAUMgp8CuMiKrB20eooYCjY59iqHblukdkDC7OmW\n"
    "5+o20/DoBY6J+tm9cVJGd0WDWxSpC6DtTNVhiK897uqcXzfTMsslzuq3PxJJbms=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static const char plain[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"
    "H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"
    "7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"
    "-----END PRIVATE KEY-----\n";

/* The form before PKCS#8, which OpenSSL would ask a passphrase for. */
static const char legacy[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "Proc-Type: 4,ENCRYPTED\n"
    "DEK-Info: AES-256-CBC,4FFFA36FCD9A56C8D0A2B25E2D45D508\n"
    "\n"
    "W/CZ+ib15q8KytlqODWsaZGE9aL5YsywcS1I1WZZBgaW57H+RWGrs6pRRoaTMdOd\n"
    "D/mpuhOGkBEIPdePqSoIXgugWLmC7Mb/iGivcj33d6arcmuGrKDw3EdRB6I8H/R2\n"
    "+ZDPxGbQMgzE7eC2nOiYGhrwTUlm/yURjLZt/3LmPhE=\n"
    "-----END EC PRIVATE KEY-----\n";

static const char passphrase[] = "geheim";

static struct json_t *
parse(const char *text)
{
    struct json_t *json = NULL;
    struct igw_json_fault fault;

    assert_int_equal(igw_json_parse(igw_slice_of(text), &json, &fault), IGW_OK);
    return json;
}

static enum igw_result
from_jwk(const char *text, struct igw_key **key)
{
    struct json_t *jwk = parse(text);
    enum igw_result rc = igw_key_from_jwk(jwk, key);

    igw_json_free(&jwk);
    return rc;
}

static struct igw_key *
rfc_key(void)
{
    struct igw_key *key = NULL;

    assert_int_equal(from_jwk("{" EC "," RFC_POINT "," KID "}", &key), IGW_OK);
    return key;
}

static struct igw_slice
slice(const void *data, size_t len)
{
    return (struct igw_slice){ data, len };
}

static void
sha256_gives_the_standards_digests(void **state)
{
    static const struct {
        const char *text;
        const char *digest;
    } vectors[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb924"
              "27ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223"
                 "b00361a396177a9cb410ff61f20015ad" },
    };
    unsigned char digest[IGW_SHA256_SIZE];
    char hex[2 * IGW_SHA256_SIZE + 1];

    for (size_t i = 0; i < COUNT(vectors); i++) {
        assert_int_equal(
            igw_sha256(vectors[i].text, strlen(vectors[i].text), digest),
            IGW_OK);
        igw_hex(digest, sizeof(digest), hex);
        assert_string_equal(hex, vectors[i].digest);
    }
}

static void
random_bytes_differ(void **state)
{
    unsigned char a[32] = { 0 };
    unsigned char b[32] = { 0 };

    assert_int_equal(igw_random(a, sizeof(a)), IGW_OK);
    assert_int_equal(igw_random(b, sizeof(b)), IGW_OK);
    assert_memory_not_equal(a, b, sizeof(a));
    assert_int_equal(igw_random(a, (size_t)INT32_MAX + 1), IGW_ERROR);
    assert_int_equal(igw_random(a, (size_t)1 << 32), IGW_ERROR);
}

static void
secrets_are_equal_only_when_every_byte_is(void **state)
{
    unsigned char a[32] = "the same bytes on both sides...";
    unsigned char b[32];

    memcpy(b, a, sizeof(a));
    assert_true(igw_secret_equal(a, b, sizeof(a)));
    for (size_t i = 0; i < sizeof(a); i++) {
        b[i] ^= 1;
        assert_false(igw_secret_equal(a, b, sizeof(a)));
        b[i] ^= 1;
    }
    igw_wipe(a, sizeof(a));
    memset(b, 0, sizeof(b));
    assert_memory_equal(a, b, sizeof(a));
}

static void
a_new_key_signs_what_it_verifies(void **state)
{
    static const char text[] = "header.payload";
    unsigned char signature[IGW_ES256_SIGNATURE_SIZE];
    struct igw_key *key = igw_key_generate(IGW_ES256);
    struct igw_key *other = igw_key_generate(IGW_ES256);

    assert_true(igw_key_is_private(key));
    assert_int_equal(strlen(igw_key_kid(key)), IGW_KID_SIZE);
    assert_string_not_equal(igw_key_kid(key), igw_key_kid(other));
    assert_int_equal(igw_key_sign(key, igw_slice_of(text), signature), IGW_OK);
    assert_int_equal(igw_key_verify(key, igw_slice_of(text),
                                    slice(signature, sizeof(signature))),
                     IGW_OK);
    assert_int_equal(igw_key_verify(key, igw_slice_of("header.payloae"),
                                    slice(signature, sizeof(signature))),
                     IGW_DENIED);
    assert_int_equal(igw_key_verify(other, igw_slice_of(text),
                                    slice(signature, sizeof(signature))),
                     IGW_DENIED);
    igw_key_free(&key);
    assert_null(key);
    igw_key_free(&key);
    igw_key_free(&other);
}

static void
a_public_key_signs_nothing(void **state)
{
    unsigned char signature[IGW_ES256_SIGNATURE_SIZE];
    struct igw_key *key = rfc_key();
    struct igw_buf pem;

    igw_buf_init(&pem);
    assert_false(igw_key_is_private(key));
    assert_int_equal(igw_key_sign(key, igw_slice_of("text"), signature),
                     IGW_ERROR);
    assert_int_equal(igw_key_export(key, igw_slice_of(passphrase), &pem),
                     IGW_INVALID);
    assert_int_equal(pem.len, 0);
    igw_key_free(&key);
}

static void
the_rfcs_signature_verifies(void **state)
{
    struct igw_key *key = rfc_key();
    struct igw_buf signature;

    igw_buf_init(&signature);
    assert_int_equal(
        igw_base64url_decode(igw_slice_of(RFC_SIGNATURE), &signature), IGW_OK);
    assert_int_equal(
        igw_key_verify(key, igw_slice_of(RFC_TEXT), igw_buf_slice(&signature)),
        IGW_OK);
    for (size_t i = 0; i < signature.len * 8; i++) {
        signature.data[i / 8] ^= (char)(1U << i % 8);
        assert_int_equal(igw_key_verify(key, igw_slice_of(RFC_TEXT),
                                        igw_buf_slice(&signature)),
                         IGW_DENIED);
        signature.data[i / 8] ^= (char)(1U << i % 8);
    }
    igw_buf_clear(&signature);
    igw_key_free(&key);
}

/* CVE-2022-21449: r and s are 1 to n - 1. */
static void
a_signature_out_of_range_is_no_signature(void **state)
{
    static const unsigned char zero[32] = { 0 };
    static const unsigned char one[32] = { [31] = 1 };
    static const unsigned char n[32] = {
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
        0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51
    };
    unsigned char most[32];
    unsigned char good[IGW_ES256_SIGNATURE_SIZE];
    const unsigned char *values[] = { zero, one,  n,
                                      most, good, good + sizeof(zero) };
    struct igw_key *key = igw_key_generate(IGW_ES256);

    memset(most, 0xff, sizeof(most));
    assert_int_equal(igw_key_sign(key, igw_slice_of("text"), good), IGW_OK);
    for (size_t i = 0; i < COUNT(values) * COUNT(values); i++) {
        const unsigned char *r = values[i / COUNT(values)];
        const unsigned char *s = values[i % COUNT(values)];
        unsigned char both[IGW_ES256_SIGNATURE_SIZE];
        bool is_good = r == good && s == good + sizeof(zero);

        memcpy(both, r, sizeof(zero));
        memcpy(both + sizeof(zero), s, sizeof(zero));
        assert_int_equal(igw_key_verify(key, igw_slice_of("text"),
                                        slice(both, sizeof(both))),
                         is_good ? IGW_OK : IGW_DENIED);
    }
    igw_key_free(&key);
}

static void
a_signature_of_another_length_is_none(void **state)
{
    unsigned char signature[IGW_ES256_SIGNATURE_SIZE + 8] = { 0 };
    struct igw_key *key = igw_key_generate(IGW_ES256);

    assert_int_equal(igw_key_sign(key, igw_slice_of("text"), signature),
                     IGW_OK);
    for (size_t len = 0; len <= sizeof(signature); len++) {
        assert_int_equal(
            igw_key_verify(key, igw_slice_of("text"), slice(signature, len)),
            len == IGW_ES256_SIGNATURE_SIZE ? IGW_OK : IGW_DENIED);
    }
    assert_int_equal(igw_key_verify(key, igw_slice_of("text"), slice(NULL, 0)),
                     IGW_DENIED);
    igw_key_free(&key);
}

static void
an_exported_key_comes_back(void **state)
{
    unsigned char signature[IGW_ES256_SIGNATURE_SIZE];
    struct igw_key *key = igw_key_generate(IGW_ES256);
    struct igw_key *again = NULL;
    struct igw_buf pem;

    igw_buf_init(&pem);
    igw_buf_puts(&pem, "# stays\n");
    assert_int_equal(igw_key_export(key, igw_slice_of(passphrase), &pem),
                     IGW_OK);
    assert_memory_equal(pem.data, "# stays\n-----BEGIN ENCRYPTED PRIVATE KEY",
                        sizeof("# stays\n-----BEGIN ENCRYPTED PRIVATE KEY")
                            - 1);
    assert_int_equal(
        igw_key_import(igw_buf_slice(&pem), igw_slice_of(passphrase), &again),
        IGW_OK);
    assert_string_equal(igw_key_kid(again), igw_key_kid(key));
    assert_true(igw_key_is_private(again));
    assert_int_equal(igw_key_sign(again, igw_slice_of("text"), signature),
                     IGW_OK);
    assert_int_equal(igw_key_verify(key, igw_slice_of("text"),
                                    slice(signature, sizeof(signature))),
                     IGW_OK);
    igw_key_free(&again);
    assert_int_equal(
        igw_key_import(igw_buf_slice(&pem), igw_slice_of("geheimnis"), &again),
        IGW_DENIED);
    assert_null(again);
    igw_buf_clear(&pem);
    igw_key_free(&key);
}

static void
an_empty_passphrase_protects_nothing(void **state)
{
    struct igw_key *key = igw_key_generate(IGW_ES256);
    struct igw_buf pem;

    igw_buf_init(&pem);
    assert_int_equal(igw_key_export(key, igw_slice_of(""), &pem), IGW_INVALID);
    assert_int_equal(pem.len, 0);
    igw_key_free(&key);
}

static void
keys_of_openssl_are_read(void **state)
{
    static const char *const pems[] = { by_openssl, compressed };
    struct igw_key *public = rfc_key();

    for (size_t i = 0; i < COUNT(pems); i++) {
        unsigned char signature[IGW_ES256_SIGNATURE_SIZE];
        struct igw_key *key = NULL;

        assert_int_equal(igw_key_import(igw_slice_of(pems[i]),
                                        igw_slice_of(passphrase), &key),
                         IGW_OK);
        assert_string_equal(igw_key_kid(key), RFC_THUMBPRINT);
        assert_int_equal(igw_key_sign(key, igw_slice_of("text"), signature),
                         IGW_OK);
        assert_int_equal(igw_key_verify(public, igw_slice_of("text"),
                                        slice(signature, sizeof(signature))),
                         IGW_OK);
        igw_key_free(&key);
    }
    igw_key_free(&public);
}

static void
what_is_no_p256_key_is_not_imported(void **state)
{
    static const struct {
        const char *pem;
        const char *passphrase;
        enum igw_result expected;
    } cases[] = {
        { by_openssl, "", IGW_DENIED },
        { by_openssl, "Geheim", IGW_DENIED },
        { by_openssl, "geheim ", IGW_DENIED },
        { by_openssl, "gehei", IGW_DENIED },
        { secp256k1, passphrase, IGW_INVALID },
        { ed25519, passphrase, IGW_INVALID },
        { mismatched, passphrase, IGW_INVALID },
        { plain, passphrase, IGW_INVALID },
        { legacy, passphrase, IGW_INVALID },
        { "", passphrase, IGW_INVALID },
        { "no PEM at all", passphrase, IGW_INVALID },
        { "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
          "-----END ENCRYPTED PRIVATE KEY-----\n",
          passphrase, IGW_INVALID },
        { "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAAwAA==\n"
          "-----END ENCRYPTED PRIVATE KEY-----\n",
          passphrase, IGW_INVALID },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct igw_key *key = (struct igw_key *)(uintptr_t)1;

        assert_int_equal(igw_key_import(igw_slice_of(cases[i].pem),
                                        igw_slice_of(cases[i].passphrase),
                                        &key),
                         cases[i].expected);
        assert_null(key);
    }
}

static void
a_damaged_pem_gives_no_other_key(void **state)
{
    char pem[sizeof(by_openssl)];

    for (size_t i = 0; i < sizeof(pem) - 1; i++) {
        struct igw_key *key = NULL;

        memcpy(pem, by_openssl, sizeof(pem));
        pem[i] ^= 1;
        if (igw_key_import(igw_slice_of(pem), igw_slice_of(passphrase), &key)
            == IGW_OK) {
            assert_string_equal(igw_key_kid(key), RFC_THUMBPRINT);
        }
        igw_key_free(&key);
    }
}

static void
a_jwk_has_the_public_half_only(void **state)
{
    static const char *const names[] = { "kty", "crv", "x",  "y",
                                         "use", "alg", "kid" };
    struct igw_key *key = NULL;
    struct igw_buf text;
    struct json_t *jwk;
    size_t at = 0;

    assert_int_equal(igw_key_import(igw_slice_of(by_openssl),
                                    igw_slice_of(passphrase), &key),
                     IGW_OK);
    jwk = igw_key_jwk(key);
    assert_non_null(jwk);
    for (void *iter = igw_json_first(jwk); iter != NULL;
         iter = igw_json_next(jwk, iter)) {
        assert_true(at < COUNT(names));
        assert_string_equal(igw_json_name(iter), names[at++]);
    }
    igw_buf_init(&text);
    assert_int_equal(igw_json_dump(jwk, &text), IGW_OK);
    assert_string_equal(text.data,
                        "{" EC "," RFC_POINT ",\"use\":\"sig\","
                        "\"alg\":\"ES256\",\"kid\":\"" RFC_THUMBPRINT "\"}");
    igw_buf_clear(&text);
    igw_json_free(&jwk);
    igw_key_free(&key);
}

static void
a_jwk_becomes_a_public_key(void **state)
{
    static const char *const good[] = {
        "{" EC "," RFC_POINT "," KID "}",
        "{" EC "," RFC_POINT "," KID ",\"use\":\"sig\",\"alg\":\"ES256\"}",
        "{" EC "," RFC_POINT "," KID ",\"key_ops\":[\"verify\"]}",
        "{" EC "," RFC_POINT "," KID ",\"x5t\":\"unknown members are free\"}",
    };

    for (size_t i = 0; i < COUNT(good); i++) {
        struct igw_key *key = NULL;

        assert_int_equal(from_jwk(good[i], &key), IGW_OK);
        assert_string_equal(igw_key_kid(key), "k1");
        assert_false(igw_key_is_private(key));
        igw_key_free(&key);
    }
}

static void
a_jwk_that_is_not_es256_public_is_refused(void **state)
{
    static const char *const bad[] = {
        "null",
        "[]",
        "\"EC\"",
        "{}",
        /* another kind or curve */
        "{\"kty\":\"ec\",\"crv\":\"P-256\"," RFC_POINT "," KID "}",
        "{\"kty\":\"oct\",\"k\":\"AAAA\"," KID "}",
        "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"," KID "}",
        "{\"crv\":\"P-256\"," RFC_POINT "," KID "}",
        "{\"kty\":\"EC\"," RFC_POINT "," KID "}",
        "{\"kty\":\"EC\",\"crv\":\"P-384\"," RFC_POINT "," KID "}",
        "{\"kty\":\"EC\",\"crv\":\"p-256\"," RFC_POINT "," KID "}",
        "{\"kty\":\"EC\",\"crv\":\"secp256k1\"," RFC_POINT "," KID "}",
        "{\"kty\":\"EC\",\"crv\":256," RFC_POINT "," KID "}",
        /* a private member, whatever it holds */
        "{" EC "," RFC_POINT "," KID
        ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}",
        "{" EC "," RFC_POINT "," KID ",\"d\":\"\"}",
        "{" EC "," RFC_POINT "," KID ",\"d\":null}",
        /* another purpose */
        "{" EC "," RFC_POINT "," KID ",\"use\":\"enc\"}",
        "{" EC "," RFC_POINT "," KID ",\"use\":null}",
        "{" EC "," RFC_POINT "," KID ",\"use\":[\"sig\"]}",
        "{" EC "," RFC_POINT "," KID ",\"alg\":\"ES384\"}",
        "{" EC "," RFC_POINT "," KID ",\"alg\":\"es256\"}",
        "{" EC "," RFC_POINT "," KID ",\"alg\":\"none\"}",
        "{" EC "," RFC_POINT "," KID ",\"alg\":\"HS256\"}",
        "{" EC "," RFC_POINT "," KID ",\"alg\":\"\"}",
        "{" EC "," RFC_POINT "," KID ",\"key_ops\":[\"deriveBits\"]}",
        "{" EC "," RFC_POINT "," KID ",\"key_ops\":[]}",
        "{" EC "," RFC_POINT "," KID ",\"key_ops\":\"verify\"}",
        /* kid */
        "{" EC "," RFC_POINT "}",
        "{" EC "," RFC_POINT ",\"kid\":\"\"}",
        "{" EC "," RFC_POINT ",\"kid\":1}",
        "{" EC "," RFC_POINT ",\"kid\":null}",
        "{" EC "," RFC_POINT ",\"kid\":\"a b\"}",
        "{" EC "," RFC_POINT ",\"kid\":\"a.b\"}",
        "{" EC "," RFC_POINT ",\"kid\":\"../../dev/null\"}",
        "{" EC "," RFC_POINT ",\"kid\":\"' OR 1=1\"}",
        "{" EC "," RFC_POINT ",\"kid\":\"k\\n\"}",
        "{" EC "," RFC_POINT ",\"kid\":\"\xc3\xa9\"}",
        "{" EC "," RFC_POINT ",\"kid\":\"0123456789abcdef0123456789abcdef"
        "0123456789abcdef0123456789abcdefg\"}",
        /* a coordinate that is missing, short, long, padded, another text */
        "{" EC "," RFC_X "," KID "}",
        "{" EC "," RFC_Y "," KID "}",
        "{" EC ",\"x\":1," RFC_Y "," KID "}",
        "{" EC ",\"x\":\"\"," RFC_Y "," KID "}",
        "{" EC ",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU=\"," RFC_Y
        "," KID "}",
        "{" EC ",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVE\"," RFC_Y
        "," KID "}",
        "{" EC ",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEUA\"," RFC_Y
        "," KID "}",
        "{" EC ",\"x\":\"AH_Nzidw9sRdQYPL7m_bS3tYBzM1e-nvE7rPbjx70VRF\"," RFC_Y
        "," KID "}",
        "{" EC ",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEV\"," RFC_Y
        "," KID "}",
        /* no point: off the curve, swapped, (0, 0), (p, p) */
        "{" EC ",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEQ\"," RFC_Y
        "," KID "}",
        "{" EC ",\"x\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\","
        "\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," KID "}",
        "{" EC ",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
        "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"," KID "}",
        "{" EC ",\"x\":\"_____wAAAAEAAAAAAAAAAAAAAAD_______________8\","
        "\"y\":\"_____wAAAAEAAAAAAAAAAAAAAAD_______________8\"," KID "}",
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        struct igw_key *key = (struct igw_key *)(uintptr_t)1;

        if (from_jwk(bad[i], &key) != IGW_INVALID || key != NULL) {
            fail_msg("taken: %s", bad[i]);
        }
    }
}

static void
any_kid_of_the_alphabet_is_kept(void **state)
{
    struct igw_key *key = NULL;

    assert_int_equal(from_jwk("{" EC "," RFC_POINT
                              ",\"kid\":\"0123456789ABCDEFabcdef_-01234567"
                              "0123456789abcdef0123456789abcdef\"}",
                              &key),
                     IGW_OK);
    assert_string_equal(
        igw_key_kid(key),
        "0123456789ABCDEFabcdef_-012345670123456789abcdef0123456789abcdef");
    igw_key_free(&key);
}

static void
a_key_set_takes_the_keys_it_can_use(void **state)
{
    static const char text[] =
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"rsa\"},"
        "{" EC "," RFC_POINT ",\"kid\":\"one\"},"
        "{" EC "," RFC_POINT ",\"kid\":\"two\",\"use\":\"sig\"},"
        "{" EC "," RFC_POINT ",\"kid\":\"enc\",\"use\":\"enc\"},"
        "{" EC "," RFC_POINT ",\"kid\":\"secret\",\"d\":\"AA\"}],\"more\":1}";
    struct igw_keyset *set = NULL;
    char why[160];

    assert_int_equal(igw_keyset_parse(igw_slice_of(text), &set, why), IGW_OK);
    assert_string_equal(igw_key_kid(igw_keyset_find(set, igw_slice_of("one"))),
                        "one");
    assert_string_equal(igw_key_kid(igw_keyset_find(set, igw_slice_of("two"))),
                        "two");
    assert_null(igw_keyset_find(set, igw_slice_of("rsa")));
    assert_null(igw_keyset_find(set, igw_slice_of("enc")));
    assert_null(igw_keyset_find(set, igw_slice_of("secret")));
    assert_null(igw_keyset_find(set, igw_slice_of("")));
    assert_null(igw_keyset_find(set, igw_slice_of("on")));
    assert_null(igw_keyset_find(set, igw_slice_of("onee")));
    assert_null(igw_keyset_find(set, igw_slice_of("ONE")));
    assert_null(igw_keyset_find(set, slice("one", 4)));
    assert_null(igw_keyset_find(NULL, igw_slice_of("one")));
    igw_keyset_free(&set);
    assert_null(set);
    igw_keyset_free(&set);
}

static void
a_key_set_of_no_use_says_why(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        { "", "Syntax error at line 1, column 0 of the JSON text." },
        { "{\"keys\":[],\"keys\":[]}",
          "A member is there twice at line 1, column 17 of the JSON text." },
        { "[]", "It has no array \"keys\"." },
        { "{}", "It has no array \"keys\"." },
        { "{\"keys\":{}}", "It has no array \"keys\"." },
        { "{\"keys\":[]}", "Its array \"keys\" is empty." },
        { "{\"keys\":[1]}", "Key 1 of 1 is of no use: it is not an object." },
        { "{\"keys\":[1,{\"kty\":\"RSA\"}]}",
          "Key 2 of 2 is of no use: its kid is not 1 to 64 of A-Z a-z 0-9 - _." },
        { "{\"keys\":[{\"kty\":\"oct\"}]}",
          "Key 1 of 1 is of no use: its kty is not EC or RSA." },
        { "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"," KID
          "}]}",
          "Key 1 of 1 is of no use: its n and e are not an RSA key of 3072 to "
          "4096 bits with the exponent 65537." },
        { "{\"keys\":[{" EC "," RFC_POINT "," KID ",\"d\":\"AA\"}]}",
          "Key 1 of 1 is of no use: it holds the private key." },
        { "{\"keys\":[{" EC "," RFC_X "," KID "}]}",
          "Key 1 of 1 is of no use: its x and y are not a point of the "
          "curve." },
        { "{\"keys\":[{" EC "," RFC_POINT "," KID "},{" EC "," RFC_POINT "," KID
          "}]}",
          "Two of its keys have the kid k1." },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct igw_keyset *set = NULL;
        char why[160];

        assert_int_equal(
            igw_keyset_parse(igw_slice_of(cases[i].text), &set, why),
            IGW_INVALID);
        assert_null(set);
        assert_string_equal(why, cases[i].why);
    }
}

static EVP_PKEY *
rsa_pkey(unsigned bits, unsigned exponent)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_BITS, &bits),
        OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &exponent),
        OSSL_PARAM_construct_end()
    };
    EVP_PKEY *pkey = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(ctx, params), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &pkey), 1);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* As another tool would store it. */
static void
put_pkcs8(EVP_PKEY *pkey, struct igw_buf *pem)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    long len;

    assert_int_equal(
        PEM_write_bio_PKCS8PrivateKey(bio, pkey, EVP_aes_256_cbc(), passphrase,
                                      (int)strlen(passphrase), NULL, NULL),
        1);
    len = BIO_get_mem_data(bio, &data);
    igw_buf_append(pem, data, (size_t)len);
    BIO_free(bio);
}

static void
put_rsa_jwk(const EVP_PKEY *pkey, const char *more, struct igw_buf *out)
{
    static const char *const names[] = { OSSL_PKEY_PARAM_RSA_N,
                                         OSSL_PKEY_PARAM_RSA_E };

    igw_buf_puts(out, "{\"kty\":\"RSA\"," KID);
    for (size_t i = 0; i < COUNT(names); i++) {
        unsigned char bytes[1024];
        BIGNUM *number = NULL;

        assert_int_equal(EVP_PKEY_get_bn_param(pkey, names[i], &number), 1);
        igw_buf_printf(out, ",\"%s\":\"", names[i]);
        igw_base64url_encode(bytes, (size_t)BN_bn2bin(number, bytes), out);
        igw_buf_puts(out, "\"");
        BN_free(number);
    }
    igw_buf_printf(out, "%s}", more);
}

static void
an_rsa_key_signs_what_it_verifies(void **state)
{
    unsigned char signature[IGW_SIGNATURE_MAX];
    struct igw_key *key = igw_key_generate(IGW_RS256);
    struct igw_key *again = NULL;
    struct json_t *jwk;
    struct igw_buf pem;

    assert_non_null(key);
    assert_int_equal(igw_key_algorithm(key), IGW_RS256);
    assert_int_equal(igw_key_signature_size(key), 384);
    igw_buf_init(&pem);
    assert_int_equal(igw_key_export(key, igw_slice_of(passphrase), &pem),
                     IGW_OK);
    assert_int_equal(
        igw_key_import(igw_buf_slice(&pem), igw_slice_of(passphrase), &again),
        IGW_OK);
    assert_string_equal(igw_key_kid(again), igw_key_kid(key));
    assert_int_equal(igw_key_sign(again, igw_slice_of("text"), signature),
                     IGW_OK);
    igw_key_free(&again);

    jwk = igw_key_jwk(key);
    assert_int_equal(igw_key_from_jwk(jwk, &again), IGW_OK);
    igw_json_free(&jwk);
    assert_int_equal(igw_key_algorithm(again), IGW_RS256);
    assert_string_equal(igw_key_kid(again), igw_key_kid(key));
    assert_int_equal(
        igw_key_verify(again, igw_slice_of("text"), slice(signature, 384)),
        IGW_OK);
    assert_int_equal(
        igw_key_verify(again, igw_slice_of("texu"), slice(signature, 384)),
        IGW_DENIED);
    assert_int_equal(
        igw_key_verify(again, igw_slice_of("text"), slice(signature, 383)),
        IGW_DENIED);
    igw_buf_clear(&pem);
    igw_key_free(&again);
    igw_key_free(&key);
}

static void
an_rsa_key_is_of_3072_to_4096_bits(void **state)
{
    static const struct {
        unsigned bits;
        unsigned exponent;
        const char *more;
        enum igw_result imported;
        enum igw_result taken;
    } cases[] = {
        { 2048, 65537, "", IGW_INVALID, IGW_INVALID },
        { 3071, 65537, "", IGW_INVALID, IGW_INVALID },
        { 3072, 3, "", IGW_INVALID, IGW_INVALID },
        { 3072, 65537, "", IGW_OK, IGW_OK },
        { 3072, 65537, ",\"use\":\"sig\",\"alg\":\"RS256\"", IGW_OK, IGW_OK },
        { 3072, 65537, ",\"alg\":\"PS256\"", IGW_OK, IGW_INVALID },
        { 3072, 65537, ",\"alg\":\"ES256\"", IGW_OK, IGW_INVALID },
        { 3072, 65537, ",\"p\":\"AQAB\"", IGW_OK, IGW_INVALID },
        { 3072, 65537, ",\"d\":\"AQAB\"", IGW_OK, IGW_INVALID },
    };
    EVP_PKEY *pkey = NULL;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct igw_buf text;
        struct igw_key *key = NULL;

        if (i == 0 || cases[i].bits != cases[i - 1].bits
            || cases[i].exponent != cases[i - 1].exponent) {
            EVP_PKEY_free(pkey);
            pkey = rsa_pkey(cases[i].bits, cases[i].exponent);
        }
        igw_buf_init(&text);
        put_pkcs8(pkey, &text);
        assert_int_equal(igw_key_import(igw_buf_slice(&text),
                                        igw_slice_of(passphrase), &key),
                         cases[i].imported);
        igw_key_free(&key);
        igw_buf_reset(&text);
        put_rsa_jwk(pkey, cases[i].more, &text);
        assert_int_equal(from_jwk(text.data, &key), cases[i].taken);
        igw_key_free(&key);
        igw_buf_clear(&text);
    }
    EVP_PKEY_free(pkey);
}

static void *
sign_and_verify(void *arg)
{
    const struct igw_key *key = arg;
    unsigned char signature[IGW_ES256_SIGNATURE_SIZE];
    uintptr_t failures = 0;

    for (int i = 0; i < 100; i++) {
        struct igw_slice text = slice(&i, sizeof(i));

        if (igw_key_sign(key, text, signature) != IGW_OK
            || igw_key_verify(key, text, slice(signature, sizeof(signature)))
                   != IGW_OK) {
            failures++;
        }
    }
    return (void *)failures;
}

static void
one_key_serves_many_threads(void **state)
{
    struct igw_key *key = igw_key_generate(IGW_ES256);
    pthread_t threads[4];
    void *failures;

    for (size_t i = 0; i < COUNT(threads); i++) {
        assert_int_equal(
            pthread_create(&threads[i], NULL, sign_and_verify, key), 0);
    }
    for (size_t i = 0; i < COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], &failures), 0);
        assert_null(failures);
    }
    igw_key_free(&key);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_standards_digests),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(secrets_are_equal_only_when_every_byte_is),
        cmocka_unit_test(a_new_key_signs_what_it_verifies),
        cmocka_unit_test(a_public_key_signs_nothing),
        cmocka_unit_test(the_rfcs_signature_verifies),
        cmocka_unit_test(a_signature_out_of_range_is_no_signature),
        cmocka_unit_test(a_signature_of_another_length_is_none),
        cmocka_unit_test(an_exported_key_comes_back),
        cmocka_unit_test(an_empty_passphrase_protects_nothing),
        cmocka_unit_test(keys_of_openssl_are_read),
        cmocka_unit_test(what_is_no_p256_key_is_not_imported),
        cmocka_unit_test(a_damaged_pem_gives_no_other_key),
        cmocka_unit_test(a_jwk_has_the_public_half_only),
        cmocka_unit_test(a_jwk_becomes_a_public_key),
        cmocka_unit_test(a_jwk_that_is_not_es256_public_is_refused),
        cmocka_unit_test(any_kid_of_the_alphabet_is_kept),
        cmocka_unit_test(a_key_set_takes_the_keys_it_can_use),
        cmocka_unit_test(a_key_set_of_no_use_says_why),
        cmocka_unit_test(an_rsa_key_signs_what_it_verifies),
        cmocka_unit_test(an_rsa_key_is_of_3072_to_4096_bits),
        cmocka_unit_test(one_key_serves_many_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
