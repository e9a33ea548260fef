/*
 * RSA keys: RS256, as PEM and as JWK.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include "key_fixture.h"

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
        PEM_write_bio_PKCS8PrivateKey(bio, pkey, EVP_aes_256_cbc(), PASSPHRASE,
                                      (int)strlen(PASSPHRASE), NULL, NULL),
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
    assert_int_equal(igw_key_export(key, igw_slice_of(PASSPHRASE), &pem),
                     IGW_OK);
    assert_int_equal(
        igw_key_import(igw_buf_slice(&pem), igw_slice_of(PASSPHRASE), &again),
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
                                        igw_slice_of(PASSPHRASE), &key),
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_rsa_key_signs_what_it_verifies),
        cmocka_unit_test(an_rsa_key_is_of_3072_to_4096_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
