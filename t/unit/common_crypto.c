/*
 * Hashes, random bytes and ES256, with vectors of other implementations.
 */
#include <pthread.h>

#include "key_fixture.h"

/* RFC 7515 A.3: what its key has signed. */
#define RFC_TEXT                                                           \
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQo" \
    "gImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RFC_SIGNATURE                                                      \
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQ" \
    "xfKTUJqPP3-Kg6NU1Q"

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
    assert_int_equal(igw_key_export(key, igw_slice_of(PASSPHRASE), &pem),
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
        cmocka_unit_test(one_key_serves_many_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
