/*
 * Private keys under a passphrase, with those of OpenSSL.
 */
#include "key_fixture.h"

/* The key of the fixture, its public point in compressed form. */
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

static void
an_exported_key_comes_back(void **state)
{
    unsigned char signature[IGW_ES256_SIGNATURE_SIZE];
    struct igw_key *key = igw_key_generate(IGW_ES256);
    struct igw_key *again = NULL;
    struct igw_buf pem;

    igw_buf_init(&pem);
    igw_buf_puts(&pem, "# stays\n");
    assert_int_equal(igw_key_export(key, igw_slice_of(PASSPHRASE), &pem),
                     IGW_OK);
    assert_memory_equal(pem.data, "# stays\n-----BEGIN ENCRYPTED PRIVATE KEY",
                        sizeof("# stays\n-----BEGIN ENCRYPTED PRIVATE KEY")
                            - 1);
    assert_int_equal(
        igw_key_import(igw_buf_slice(&pem), igw_slice_of(PASSPHRASE), &again),
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
                                        igw_slice_of(PASSPHRASE), &key),
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
        { secp256k1, PASSPHRASE, IGW_INVALID },
        { ed25519, PASSPHRASE, IGW_INVALID },
        { mismatched, PASSPHRASE, IGW_INVALID },
        { plain, PASSPHRASE, IGW_INVALID },
        { legacy, PASSPHRASE, IGW_INVALID },
        { "", PASSPHRASE, IGW_INVALID },
        { "no PEM at all", PASSPHRASE, IGW_INVALID },
        { "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
          "-----END ENCRYPTED PRIVATE KEY-----\n",
          PASSPHRASE, IGW_INVALID },
        { "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAAwAA==\n"
          "-----END ENCRYPTED PRIVATE KEY-----\n",
          PASSPHRASE, IGW_INVALID },
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
        if (igw_key_import(igw_slice_of(pem), igw_slice_of(PASSPHRASE), &key)
            == IGW_OK) {
            assert_string_equal(igw_key_kid(key), RFC_THUMBPRINT);
        }
        igw_key_free(&key);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exported_key_comes_back),
        cmocka_unit_test(an_empty_passphrase_protects_nothing),
        cmocka_unit_test(keys_of_openssl_are_read),
        cmocka_unit_test(what_is_no_p256_key_is_not_imported),
        cmocka_unit_test(a_damaged_pem_gives_no_other_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
