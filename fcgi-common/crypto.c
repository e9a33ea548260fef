/*
 * crypto.c: hashes, random bytes, keys and signatures over OpenSSL 3.
 */
#include "crypto.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum {
    COORDINATE_SIZE = 32,
    EXPONENT = 65537,
    DER_SIGNATURE_MAX = 80, /* 72 for P-256 */
    PBKDF2_ITERATIONS = 600000,
    SALT_SIZE = 16
};

/*
 * The two contexts are set up once and copied for each use: to set one up
 * takes the library's locks and a quarter of what a signature costs.
 */
struct igw_key {
    enum igw_algorithm algorithm;
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *signer; /* NULL: a public key */
    EVP_PKEY_CTX *verifier;
    struct igw_key_numbers numbers;
    char kid[IGW_KID_MAX + 1];
};

static const struct {
    const char *name;
    const char *numbers[2]; /* OpenSSL's names of them */
} algorithms[] = {
    [IGW_ES256] = { "ES256",
                    { OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y } },
    [IGW_RS256] = { "RS256", { OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E } },
};

static pthread_once_t digest_once = PTHREAD_ONCE_INIT;
static EVP_MD *digest_sha256;

static void fetch_digest(void);
static struct igw_key *key_new(enum igw_algorithm algorithm, EVP_PKEY *pkey,
                               bool is_private);
static bool has_contexts(struct igw_key *key, bool is_private);
static EVP_PKEY_CTX *new_context(const struct igw_key *key,
                                 int (*init)(EVP_PKEY_CTX *ctx));
static bool has_numbers(struct igw_key *key);
static bool get_number(struct igw_key *key, size_t which);
static bool put_thumbprint(struct igw_key *key);
static void put_required_members(const struct igw_key *key,
                                 struct igw_buf *out);
static X509_SIG *encrypt_key(const EVP_PKEY *pkey, struct igw_slice passphrase);
static enum igw_result append_pem(const X509_SIG *box, struct igw_buf *pem);
static X509_SIG *read_pem(struct igw_slice pem);
static int refuse_to_prompt(char *out, int size, int is_writing, void *data);
static EVP_PKEY *decrypt_key(const X509_SIG *box, struct igw_slice passphrase,
                             enum igw_result *rc);
static bool is_out_of_memory(void);
static bool algorithm_of(const EVP_PKEY *pkey, enum igw_algorithm *algorithm);
static bool is_sound(EVP_PKEY *pkey, int (*check)(EVP_PKEY_CTX *ctx));
static EVP_PKEY *new_public(enum igw_algorithm algorithm,
                            const struct igw_key_numbers *numbers);
static EVP_PKEY *new_point(const struct igw_key_numbers *numbers);
static EVP_PKEY *new_modulus(const struct igw_key_numbers *numbers);
static EVP_PKEY *from_params(const char *type, OSSL_PARAM *params);
static bool der_to_raw(const unsigned char *der, size_t len,
                       unsigned char *raw);
static size_t raw_to_der(const unsigned char *raw,
                         unsigned char der[DER_SIGNATURE_MAX]);

enum igw_result
igw_sha256(const void *data, size_t len, unsigned char digest[IGW_SHA256_SIZE])
{
    (void)pthread_once(&digest_once, fetch_digest);
    if (digest_sha256 == NULL
        || EVP_Digest(data, len, digest, NULL, digest_sha256, NULL) != 1) {
        ERR_clear_error();
        return IGW_ERROR;
    }
    return IGW_OK;
}

enum igw_result
igw_pbkdf2(const char *digest, struct igw_slice password, struct igw_slice salt,
           int iterations, unsigned char *out, size_t len)
{
    const EVP_MD *md = EVP_get_digestbyname(digest);

    if (md == NULL || password.len > INT_MAX || salt.len > INT_MAX
        || len > INT_MAX) {
        return IGW_ERROR;
    }
    return PKCS5_PBKDF2_HMAC(password.data, (int)password.len,
                             (const unsigned char *)salt.data, (int)salt.len,
                             iterations, md, (int)len, out)
                   == 1
               ? IGW_OK
               : IGW_ERROR;
}

enum igw_result
igw_random(void *out, size_t len)
{
    if (len > INT_MAX || RAND_priv_bytes(out, (int)len) != 1) {
        ERR_clear_error();
        return IGW_ERROR;
    }
    return IGW_OK;
}

void
igw_wipe(void *data, size_t len)
{
    OPENSSL_cleanse(data, len);
}

bool
igw_secret_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

struct igw_key *
igw_key_generate(enum igw_algorithm algorithm)
{
    EVP_PKEY *pkey = algorithm == IGW_RS256 ? EVP_RSA_gen(IGW_RSA_BITS_MIN)
                                            : EVP_EC_gen("P-256");

    return key_new(algorithm, pkey, true);
}

void
igw_key_free(struct igw_key **key)
{
    if (*key == NULL) {
        return;
    }
    EVP_PKEY_CTX_free((*key)->signer);
    EVP_PKEY_CTX_free((*key)->verifier);
    EVP_PKEY_free((*key)->pkey);
    free(*key);
    *key = NULL;
}

const char *
igw_key_kid(const struct igw_key *key)
{
    return key->kid;
}

enum igw_algorithm
igw_key_algorithm(const struct igw_key *key)
{
    return key->algorithm;
}

const char *
igw_algorithm_name(enum igw_algorithm algorithm)
{
    return algorithms[algorithm].name;
}

bool
igw_key_is_private(const struct igw_key *key)
{
    return key->signer != NULL;
}

const struct igw_key_numbers *
igw_key_numbers(const struct igw_key *key)
{
    return &key->numbers;
}

enum igw_result
igw_key_export(const struct igw_key *key, struct igw_slice passphrase,
               struct igw_buf *pem)
{
    X509_SIG *box;
    enum igw_result rc = IGW_ERROR;

    if (key->signer == NULL || passphrase.len == 0
        || passphrase.len > INT_MAX) {
        return IGW_INVALID;
    }
    box = encrypt_key(key->pkey, passphrase);
    if (box != NULL) {
        rc = append_pem(box, pem);
    }
    X509_SIG_free(box);
    ERR_clear_error();
    return rc;
}

enum igw_result
igw_key_import(struct igw_slice pem, struct igw_slice passphrase,
               struct igw_key **key)
{
    X509_SIG *box = NULL;
    EVP_PKEY *pkey = NULL;
    enum igw_algorithm algorithm;
    enum igw_result rc = IGW_INVALID;

    *key = NULL;
    if (pem.len > INT_MAX || passphrase.len > INT_MAX) {
        return IGW_INVALID;
    }
    box = read_pem(pem);
    if (box == NULL) {
        rc = is_out_of_memory() ? IGW_ERROR : IGW_INVALID;
        goto done;
    }
    pkey = decrypt_key(box, passphrase, &rc);
    if (pkey == NULL) {
        goto done;
    }
    if (!algorithm_of(pkey, &algorithm) || !is_sound(pkey, EVP_PKEY_check)) {
        rc = is_out_of_memory() ? IGW_ERROR : IGW_INVALID;
        goto done;
    }
    *key = key_new(algorithm, pkey, true);
    pkey = NULL;
    rc = *key != NULL ? IGW_OK : IGW_ERROR;

done:
    EVP_PKEY_free(pkey);
    X509_SIG_free(box);
    ERR_clear_error();
    return rc;
}

enum igw_result
igw_key_from_numbers(enum igw_algorithm algorithm,
                     const struct igw_key_numbers *numbers,
                     struct igw_slice kid, struct igw_key **key)
{
    EVP_PKEY *pkey = NULL;
    enum igw_algorithm found;
    enum igw_result rc;

    *key = NULL;
    if (kid.len == 0 || kid.len > IGW_KID_MAX) {
        return IGW_INVALID;
    }
    pkey = new_public(algorithm, numbers);
    if (pkey == NULL || !algorithm_of(pkey, &found) || found != algorithm
        || !is_sound(pkey, EVP_PKEY_public_check)) {
        rc = is_out_of_memory() ? IGW_ERROR : IGW_INVALID;
        EVP_PKEY_free(pkey);
        ERR_clear_error();
        return rc;
    }
    *key = key_new(algorithm, pkey, false);
    if (*key == NULL) {
        return IGW_ERROR;
    }
    memcpy((*key)->kid, kid.data, kid.len);
    (*key)->kid[kid.len] = '\0';
    return IGW_OK;
}

size_t
igw_key_signature_size(const struct igw_key *key)
{
    return key->algorithm == IGW_ES256 ? IGW_ES256_SIGNATURE_SIZE
                                       : key->numbers.len[0];
}

enum igw_result
igw_key_sign(const struct igw_key *key, struct igw_slice data,
             unsigned char *signature)
{
    unsigned char digest[IGW_SHA256_SIZE];
    unsigned char made[IGW_SIGNATURE_MAX];
    size_t len = sizeof(made);
    EVP_PKEY_CTX *ctx = NULL;
    enum igw_result rc = IGW_ERROR;

    if (key->signer == NULL
        || igw_sha256(data.data, data.len, digest) != IGW_OK) {
        return IGW_ERROR;
    }
    ctx = EVP_PKEY_CTX_dup(key->signer);
    if (ctx == NULL
        || EVP_PKEY_sign(ctx, made, &len, digest, sizeof(digest)) != 1) {
        goto done;
    }
    if (key->algorithm == IGW_ES256) {
        rc = der_to_raw(made, len, signature) ? IGW_OK : IGW_ERROR;
    } else if (len == igw_key_signature_size(key)) {
        memcpy(signature, made, len);
        rc = IGW_OK;
    }

done:
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return rc;
}

enum igw_result
igw_key_verify(const struct igw_key *key, struct igw_slice data,
               struct igw_slice signature)
{
    unsigned char digest[IGW_SHA256_SIZE];
    unsigned char der[DER_SIGNATURE_MAX];
    const unsigned char *bytes = (const unsigned char *)signature.data;
    size_t len = signature.len;
    EVP_PKEY_CTX *ctx = NULL;
    enum igw_result rc = IGW_ERROR;

    if (len != igw_key_signature_size(key)) {
        return IGW_DENIED;
    }
    if (key->algorithm == IGW_ES256) {
        len = raw_to_der(bytes, der);
        bytes = der;
    }
    ctx = EVP_PKEY_CTX_dup(key->verifier);
    if (len == 0 || ctx == NULL
        || igw_sha256(data.data, data.len, digest) != IGW_OK) {
        goto done;
    }
    /* 0 and negative: r or s out of range, or another signature. */
    if (EVP_PKEY_verify(ctx, bytes, len, digest, sizeof(digest)) == 1) {
        rc = IGW_OK;
    } else if (!is_out_of_memory()) {
        rc = IGW_DENIED;
    }

done:
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return rc;
}

/* Once, because every implicit fetch takes the library's locks. */
static void
fetch_digest(void)
{
    digest_sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

/* Takes over pkey, also when it fails or pkey is NULL. */
static struct igw_key *
key_new(enum igw_algorithm algorithm, EVP_PKEY *pkey, bool is_private)
{
    struct igw_key *key = calloc(1, sizeof(*key));

    (void)pthread_once(&digest_once, fetch_digest);
    if (key == NULL || pkey == NULL) {
        EVP_PKEY_free(pkey);
        free(key);
        ERR_clear_error();
        return NULL;
    }
    key->algorithm = algorithm;
    key->pkey = pkey;
    if (!has_contexts(key, is_private) || !has_numbers(key)
        || !put_thumbprint(key)) {
        igw_key_free(&key);
    }
    ERR_clear_error();
    return key;
}

static bool
has_contexts(struct igw_key *key, bool is_private)
{
    key->verifier = new_context(key, EVP_PKEY_verify_init);
    if (is_private) {
        key->signer = new_context(key, EVP_PKEY_sign_init);
    }
    return key->verifier != NULL && (key->signer != NULL || !is_private);
}

static EVP_PKEY_CTX *
new_context(const struct igw_key *key, int (*init)(EVP_PKEY_CTX *ctx))
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);

    if (ctx != NULL && init(ctx) == 1
        && (key->algorithm == IGW_ES256
            || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1)
        && EVP_PKEY_CTX_set_signature_md(ctx, digest_sha256) == 1) {
        return ctx;
    }
    EVP_PKEY_CTX_free(ctx);
    return NULL;
}

/* Reads the public numbers once, whatever form the key came in. */
static bool
has_numbers(struct igw_key *key)
{
    return get_number(key, 0) && get_number(key, 1);
}

/* RFC 7518 6.2.1.2, 6.3.1: coordinates in full size, the others short. */
static bool
get_number(struct igw_key *key, size_t which)
{
    const char *name = algorithms[key->algorithm].numbers[which];
    BIGNUM *number = NULL;
    int len = COORDINATE_SIZE;
    bool is_read = EVP_PKEY_get_bn_param(key->pkey, name, &number) == 1;

    if (is_read && key->algorithm == IGW_RS256) {
        len = BN_num_bytes(number);
    }
    is_read = is_read && len <= IGW_NUMBER_MAX
              && BN_bn2binpad(number, key->numbers.bytes[which], len) == len;
    key->numbers.len[which] = (size_t)len;
    BN_free(number);
    return is_read;
}

static bool
put_thumbprint(struct igw_key *key)
{
    unsigned char digest[IGW_SHA256_SIZE];
    struct igw_buf text;
    bool is_done;

    igw_buf_init(&text);
    put_required_members(key, &text);
    is_done = !text.failed && igw_sha256(text.data, text.len, digest) == IGW_OK;
    igw_buf_reset(&text);
    if (is_done) {
        igw_base64url_encode(digest, sizeof(digest), &text);
        is_done = !text.failed && text.len == IGW_KID_SIZE;
    }
    if (is_done) {
        memcpy(key->kid, text.data, text.len + 1);
    }
    igw_buf_clear(&text);
    return is_done;
}

/* RFC 7638 3.2: the required members in the order of their names. */
static void
put_required_members(const struct igw_key *key, struct igw_buf *out)
{
    static const char *const texts[][3] = {
        [IGW_ES256] = { "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"",
                        "\",\"y\":\"", "\"}" },
        [IGW_RS256] = { "{\"e\":\"", "\",\"kty\":\"RSA\",\"n\":\"", "\"}" },
    };
    const char *const *text = texts[key->algorithm];
    size_t first = key->algorithm == IGW_RS256 ? 1 : 0;
    const struct igw_key_numbers *numbers = &key->numbers;

    igw_buf_puts(out, text[0]);
    igw_base64url_encode(numbers->bytes[first], numbers->len[first], out);
    igw_buf_puts(out, text[1]);
    igw_base64url_encode(numbers->bytes[1 - first], numbers->len[1 - first],
                         out);
    igw_buf_puts(out, text[2]);
}

/* The parts by hand, because the one-call form takes 2,048 iterations. */
static X509_SIG *
encrypt_key(const EVP_PKEY *pkey, struct igw_slice passphrase)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
    X509_ALGOR *pbe =
        PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), PBKDF2_ITERATIONS, NULL, SALT_SIZE,
                          NULL, NID_hmacWithSHA256);
    X509_SIG *box = NULL;

    if (info != NULL && pbe != NULL) {
        box = PKCS8_set0_pbe(passphrase.data, (int)passphrase.len, info, pbe);
    }
    if (box == NULL) {
        X509_ALGOR_free(pbe);
    }
    PKCS8_PRIV_KEY_INFO_free(info);
    return box;
}

static enum igw_result
append_pem(const X509_SIG *box, struct igw_buf *pem)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    long len = 0;

    if (bio != NULL && PEM_write_bio_PKCS8(bio, box) == 1) {
        len = BIO_get_mem_data(bio, &data);
    }
    if (len > 0) {
        igw_buf_append(pem, data, (size_t)len);
    }
    BIO_free(bio);
    return len > 0 && !pem->failed ? IGW_OK : IGW_ERROR;
}

/* Only "ENCRYPTED PRIVATE KEY" is taken: no clear and no legacy form. */
static X509_SIG *
read_pem(struct igw_slice pem)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509_SIG *box = NULL;

    if (bio != NULL) {
        box = PEM_read_bio_PKCS8(bio, NULL, refuse_to_prompt, NULL);
    }
    BIO_free(bio);
    return box;
}

/* The library's own callback would ask on the terminal. */
static int
refuse_to_prompt(char *out, int size, int is_writing, void *data)
{
    return -1;
}

/* NULL: *rc says whether the passphrase or what it opened is wrong, or neither.
 */
static EVP_PKEY *
decrypt_key(const X509_SIG *box, struct igw_slice passphrase,
            enum igw_result *rc)
{
    PKCS8_PRIV_KEY_INFO *info =
        PKCS8_decrypt(box, passphrase.data, (int)passphrase.len);
    EVP_PKEY *pkey = NULL;

    *rc = info == NULL ? IGW_DENIED : IGW_INVALID;
    if (info != NULL) {
        pkey = EVP_PKCS82PKEY(info);
    }
    if (pkey == NULL && is_out_of_memory()) {
        *rc = IGW_ERROR;
    }
    PKCS8_PRIV_KEY_INFO_free(info);
    return pkey;
}

/*
 * Whether that is what a call of the library has failed for, and not what it
 * was given: a good key or signature is not to be taken for a bad one.
 */
static bool
is_out_of_memory(void)
{
    return ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE;
}

/* P-256, or RSA of a length that we take; false: another key. */
static bool
algorithm_of(const EVP_PKEY *pkey, enum igw_algorithm *algorithm)
{
    char group[64];
    int bits = EVP_PKEY_get_bits(pkey);
    BIGNUM *exponent = NULL;
    bool is_right;

    if (EVP_PKEY_is_a(pkey, "EC") == 1) {
        *algorithm = IGW_ES256;
        return EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1
               && strcmp(group, SN_X9_62_prime256v1) == 0;
    }
    *algorithm = IGW_RS256;
    is_right =
        EVP_PKEY_is_a(pkey, "RSA") == 1 && bits >= IGW_RSA_BITS_MIN
        && bits <= IGW_RSA_BITS_MAX
        && EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1
        && BN_is_word(exponent, EXPONENT);
    BN_free(exponent);
    return is_right;
}

static bool
is_sound(EVP_PKEY *pkey, int (*check)(EVP_PKEY_CTX *ctx))
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool is_right = ctx != NULL && check(ctx) == 1;

    EVP_PKEY_CTX_free(ctx);
    return is_right;
}

static EVP_PKEY *
new_public(enum igw_algorithm algorithm, const struct igw_key_numbers *numbers)
{
    return algorithm == IGW_ES256 ? new_point(numbers) : new_modulus(numbers);
}

static EVP_PKEY *
new_point(const struct igw_key_numbers *numbers)
{
    unsigned char point[1 + 2 * COORDINATE_SIZE] = {
        POINT_CONVERSION_UNCOMPRESSED
    };
    char group[] = SN_X9_62_prime256v1;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(
                                OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                            OSSL_PARAM_construct_octet_string(
                                OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
                            OSSL_PARAM_construct_end() };

    if (numbers->len[0] != COORDINATE_SIZE
        || numbers->len[1] != COORDINATE_SIZE) {
        return NULL;
    }
    memcpy(point + 1, numbers->bytes[0], COORDINATE_SIZE);
    memcpy(point + 1 + COORDINATE_SIZE, numbers->bytes[1], COORDINATE_SIZE);
    return from_params("EC", params);
}

/* RFC 7518 6.3.1.1: no leading zeros. */
static EVP_PKEY *
new_modulus(const struct igw_key_numbers *numbers)
{
    BIGNUM *n = NULL;
    BIGNUM *e = NULL;
    OSSL_PARAM_BLD *build = NULL;
    OSSL_PARAM *params = NULL;
    EVP_PKEY *pkey = NULL;

    if (numbers->len[0] == 0 || numbers->bytes[0][0] == 0
        || numbers->len[1] == 0 || numbers->bytes[1][0] == 0) {
        return NULL;
    }
    n = BN_bin2bn(numbers->bytes[0], (int)numbers->len[0], NULL);
    e = BN_bin2bn(numbers->bytes[1], (int)numbers->len[1], NULL);
    build = OSSL_PARAM_BLD_new();
    if (n != NULL && e != NULL && build != NULL
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        params = OSSL_PARAM_BLD_to_param(build);
    }
    if (params != NULL) {
        pkey = from_params("RSA", params);
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(e);
    BN_free(n);
    return pkey;
}

static EVP_PKEY *
from_params(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *pkey = NULL;

    if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1) {
        (void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
    }
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static bool
der_to_raw(const unsigned char *der, size_t len, unsigned char *raw)
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool is_done = pair != NULL
                   && BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, COORDINATE_SIZE)
                          == COORDINATE_SIZE
                   && BN_bn2binpad(ECDSA_SIG_get0_s(pair),
                                   raw + COORDINATE_SIZE, COORDINATE_SIZE)
                          == COORDINATE_SIZE;

    ECDSA_SIG_free(pair);
    return is_done;
}

/* The length of the DER form; 0: out of memory. */
static size_t
raw_to_der(const unsigned char *raw, unsigned char der[DER_SIGNATURE_MAX])
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, COORDINATE_SIZE, NULL);
    BIGNUM *s = BN_bin2bn(raw + COORDINATE_SIZE, COORDINATE_SIZE, NULL);
    int len = 0;

    if (pair == NULL || r == NULL || s == NULL
        || ECDSA_SIG_set0(pair, r, s) != 1) {
        BN_free(r);
        BN_free(s);
    } else {
        len = i2d_ECDSA_SIG(pair, &der);
    }
    ECDSA_SIG_free(pair);
    return len > 0 ? (size_t)len : 0;
}
