/*
 * crypto.c: hashes, random bytes, P-256 keys and ES256 over OpenSSL 3.
 */
#include "crypto.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum {
    COORDINATE_SIZE = 32,
    KID_MAX = 64,
    DER_SIGNATURE_MAX = 80, /* 72 for P-256 */
    PBKDF2_ITERATIONS = 600000,
    SALT_SIZE = 16,
    WHY_SIZE = 160
};

struct igw_key {
    EVP_PKEY *pkey;
    unsigned char x[COORDINATE_SIZE];
    unsigned char y[COORDINATE_SIZE];
    char kid[KID_MAX + 1];
    bool is_private;
};

struct igw_keyset {
    struct igw_key **keys;
    size_t count;
};

/* A JWK's text member that may have one value only. */
struct jwk_rule {
    const char *name;
    const char *value;
    bool is_required;
    const char *fault;
};

static const struct jwk_rule jwk_rules[] = {
    { "kty", "EC", true, "its kty is not EC" },
    { "crv", "P-256", true, "its crv is not P-256" },
    { "use", "sig", false, "its use is not sig" },
    { "alg", "ES256", false, "its alg is not ES256" },
};

static pthread_once_t digest_once = PTHREAD_ONCE_INIT;
static EVP_MD *digest_sha256;

static void fetch_digest(void);
static struct igw_key *key_new(EVP_PKEY *pkey, bool is_private);
static bool has_point(struct igw_key *key);
static bool get_coordinate(const EVP_PKEY *pkey, const char *name,
                           unsigned char out[COORDINATE_SIZE]);
static bool put_thumbprint(struct igw_key *key);
static void put_coordinate(const unsigned char coordinate[COORDINATE_SIZE],
                           struct igw_buf *out);
static X509_SIG *encrypt_key(const EVP_PKEY *pkey, struct igw_slice passphrase);
static enum igw_result append_pem(const X509_SIG *box, struct igw_buf *pem);
static X509_SIG *read_pem(struct igw_slice pem);
static int refuse_to_prompt(char *out, int size, int is_writing, void *data);
static EVP_PKEY *decrypt_key(const X509_SIG *box, struct igw_slice passphrase,
                             enum igw_result *rc);
static bool is_p256_pair(EVP_PKEY *pkey);
static const char *jwk_fault(const struct json_t *jwk);
static bool is_kid(struct igw_slice kid);
static bool has_verify(const struct json_t *key_ops);
static enum igw_result from_jwk(const struct json_t *jwk, struct igw_key **key,
                                const char **fault);
static EVP_PKEY *import_point(const struct json_t *jwk);
static bool get_jwk_coordinate(const struct json_t *jwk, const char *name,
                               unsigned char out[COORDINATE_SIZE]);
static EVP_PKEY *new_public(unsigned char *point, size_t len);
static bool der_to_raw(const unsigned char *der, size_t len,
                       unsigned char raw[IGW_ES256_SIGNATURE_SIZE]);
static size_t raw_to_der(const unsigned char *raw,
                         unsigned char der[DER_SIGNATURE_MAX]);
static enum igw_result fill_keyset(struct igw_keyset *set,
                                   const struct json_t *keys,
                                   char why[WHY_SIZE]);
static enum igw_result add_to_keyset(struct igw_keyset *set,
                                     struct igw_key *key, char why[WHY_SIZE]);

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
igw_key_generate(void)
{
    return key_new(EVP_EC_gen("P-256"), true);
}

void
igw_key_free(struct igw_key **key)
{
    if (*key == NULL) {
        return;
    }
    EVP_PKEY_free((*key)->pkey);
    free(*key);
    *key = NULL;
}

const char *
igw_key_kid(const struct igw_key *key)
{
    return key->kid;
}

bool
igw_key_is_private(const struct igw_key *key)
{
    return key->is_private;
}

enum igw_result
igw_key_export(const struct igw_key *key, struct igw_slice passphrase,
               struct igw_buf *pem)
{
    X509_SIG *box;
    enum igw_result rc = IGW_ERROR;

    if (!key->is_private || passphrase.len == 0 || passphrase.len > INT_MAX) {
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
    enum igw_result rc = IGW_INVALID;

    *key = NULL;
    if (pem.len > INT_MAX || passphrase.len > INT_MAX) {
        return IGW_INVALID;
    }
    box = read_pem(pem);
    if (box == NULL) {
        goto done;
    }
    pkey = decrypt_key(box, passphrase, &rc);
    if (pkey == NULL) {
        goto done;
    }
    rc = IGW_INVALID;
    if (!is_p256_pair(pkey)) {
        goto done;
    }
    *key = key_new(pkey, true);
    pkey = NULL;
    rc = *key != NULL ? IGW_OK : IGW_ERROR;

done:
    EVP_PKEY_free(pkey);
    X509_SIG_free(box);
    ERR_clear_error();
    return rc;
}

struct json_t *
igw_key_jwk(const struct igw_key *key)
{
    struct json_t *jwk = igw_json_object();
    struct igw_buf x;
    struct igw_buf y;
    bool is_done;

    igw_buf_init(&x);
    igw_buf_init(&y);
    put_coordinate(key->x, &x);
    put_coordinate(key->y, &y);
    is_done = !x.failed && !y.failed
              && igw_json_set_text(jwk, "kty", igw_slice_of("EC"))
              && igw_json_set_text(jwk, "crv", igw_slice_of("P-256"))
              && igw_json_set_text(jwk, "x", igw_buf_slice(&x))
              && igw_json_set_text(jwk, "y", igw_buf_slice(&y))
              && igw_json_set_text(jwk, "use", igw_slice_of("sig"))
              && igw_json_set_text(jwk, "alg", igw_slice_of("ES256"))
              && igw_json_set_text(jwk, "kid", igw_slice_of(key->kid));
    igw_buf_clear(&x);
    igw_buf_clear(&y);
    if (!is_done) {
        igw_json_free(&jwk);
    }
    return jwk;
}

enum igw_result
igw_key_from_jwk(const struct json_t *jwk, struct igw_key **key)
{
    const char *fault;

    return from_jwk(jwk, key, &fault);
}

enum igw_result
igw_key_sign(const struct igw_key *key, struct igw_slice data,
             unsigned char signature[IGW_ES256_SIGNATURE_SIZE])
{
    unsigned char der[DER_SIGNATURE_MAX];
    size_t len = sizeof(der);
    EVP_MD_CTX *ctx = NULL;
    enum igw_result rc = IGW_ERROR;

    if (!key->is_private) {
        return IGW_ERROR;
    }
    ctx = EVP_MD_CTX_new();
    if (ctx == NULL
        || EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, key->pkey,
                                 NULL)
               != 1
        || EVP_DigestSign(ctx, der, &len, (const unsigned char *)data.data,
                          data.len)
               != 1) {
        goto done;
    }
    rc = der_to_raw(der, len, signature) ? IGW_OK : IGW_ERROR;

done:
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return rc;
}

enum igw_result
igw_key_verify(const struct igw_key *key, struct igw_slice data,
               struct igw_slice signature)
{
    unsigned char der[DER_SIGNATURE_MAX];
    EVP_MD_CTX *ctx = NULL;
    size_t len;
    enum igw_result rc = IGW_ERROR;

    if (signature.len != IGW_ES256_SIGNATURE_SIZE) {
        return IGW_DENIED;
    }
    len = raw_to_der((const unsigned char *)signature.data, der);
    ctx = EVP_MD_CTX_new();
    if (len == 0 || ctx == NULL
        || EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, key->pkey,
                                   NULL)
               != 1) {
        goto done;
    }
    /* 0 and negative: r or s out of range, or another signature. */
    rc = EVP_DigestVerify(ctx, der, len, (const unsigned char *)data.data,
                          data.len)
                 == 1
             ? IGW_OK
             : IGW_DENIED;

done:
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return rc;
}

enum igw_result
igw_keyset_parse(struct igw_slice jwks, struct igw_keyset **set,
                 char why[WHY_SIZE])
{
    struct igw_json_fault fault = { .detail = "Out of memory." };
    struct json_t *json = NULL;
    const struct json_t *keys;
    enum igw_result rc;

    *set = NULL;
    why[0] = '\0';
    rc = igw_json_parse(jwks, &json, &fault);
    if (rc != IGW_OK) {
        (void)snprintf(why, WHY_SIZE, "%s", fault.detail);
        return rc;
    }
    keys = igw_json_get(json, "keys");
    if (igw_json_type(keys) != IGW_JSON_ARRAY) {
        (void)snprintf(why, WHY_SIZE, "It has no array \"keys\".");
        rc = IGW_INVALID;
        goto done;
    }
    *set = calloc(1, sizeof(**set));
    rc = *set != NULL ? fill_keyset(*set, keys, why) : IGW_ERROR;
    if (rc != IGW_OK) {
        igw_keyset_free(set);
    }

done:
    igw_json_free(&json);
    return rc;
}

void
igw_keyset_free(struct igw_keyset **set)
{
    if (*set == NULL) {
        return;
    }
    for (size_t i = 0; i < (*set)->count; i++) {
        igw_key_free(&(*set)->keys[i]);
    }
    free((*set)->keys);
    free(*set);
    *set = NULL;
}

const struct igw_key *
igw_keyset_find(const struct igw_keyset *set, struct igw_slice kid)
{
    for (size_t i = 0; set != NULL && i < set->count; i++) {
        if (igw_slice_is(kid, set->keys[i]->kid)) {
            return set->keys[i];
        }
    }
    return NULL;
}

/* Once, because every implicit fetch takes the library's locks. */
static void
fetch_digest(void)
{
    digest_sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

/* Takes over pkey, also when it fails or pkey is NULL. */
static struct igw_key *
key_new(EVP_PKEY *pkey, bool is_private)
{
    struct igw_key *key = calloc(1, sizeof(*key));

    if (key == NULL || pkey == NULL) {
        EVP_PKEY_free(pkey);
        free(key);
        ERR_clear_error();
        return NULL;
    }
    key->pkey = pkey;
    key->is_private = is_private;
    if (!has_point(key) || !put_thumbprint(key)) {
        igw_key_free(&key);
    }
    ERR_clear_error();
    return key;
}

/* Reads the public point once, whatever form the key came in. */
static bool
has_point(struct igw_key *key)
{
    return get_coordinate(key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, key->x)
           && get_coordinate(key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, key->y);
}

static bool
get_coordinate(const EVP_PKEY *pkey, const char *name,
               unsigned char out[COORDINATE_SIZE])
{
    BIGNUM *number = NULL;
    bool is_read =
        EVP_PKEY_get_bn_param(pkey, name, &number) == 1
        && BN_bn2binpad(number, out, COORDINATE_SIZE) == COORDINATE_SIZE;

    BN_free(number);
    return is_read;
}

/* RFC 7638 3.2: the required members in the order of their names. */
static bool
put_thumbprint(struct igw_key *key)
{
    unsigned char digest[IGW_SHA256_SIZE];
    struct igw_buf text;
    bool is_done;

    igw_buf_init(&text);
    igw_buf_puts(&text, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"");
    put_coordinate(key->x, &text);
    igw_buf_puts(&text, "\",\"y\":\"");
    put_coordinate(key->y, &text);
    igw_buf_puts(&text, "\"}");
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

static void
put_coordinate(const unsigned char coordinate[COORDINATE_SIZE],
               struct igw_buf *out)
{
    igw_base64url_encode(coordinate, COORDINATE_SIZE, out);
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

/* NULL: *rc says whether the passphrase or what it opened is wrong. */
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
    PKCS8_PRIV_KEY_INFO_free(info);
    return pkey;
}

static bool
is_p256_pair(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *ctx = NULL;
    char group[64];
    bool is_right = false;

    if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1
        || strcmp(group, SN_X9_62_prime256v1) != 0) {
        return false;
    }
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (ctx != NULL) {
        is_right = EVP_PKEY_check(ctx) == 1;
    }
    EVP_PKEY_CTX_free(ctx);
    return is_right;
}

/* What forbids to take a JWK as an ES256 public key; NULL: nothing. */
static const char *
jwk_fault(const struct json_t *jwk)
{
    const struct json_t *key_ops = igw_json_get(jwk, "key_ops");

    if (igw_json_type(jwk) != IGW_JSON_OBJECT) {
        return "it is not an object";
    }
    for (size_t i = 0; i < sizeof(jwk_rules) / sizeof(jwk_rules[0]); i++) {
        const struct jwk_rule *rule = &jwk_rules[i];
        const struct json_t *value = igw_json_get(jwk, rule->name);

        if (value == NULL && !rule->is_required) {
            continue;
        }
        if (!igw_slice_is(igw_json_text(value), rule->value)) {
            return rule->fault;
        }
    }
    if (igw_json_get(jwk, "d") != NULL) {
        return "it holds the private key";
    }
    if (key_ops != NULL && !has_verify(key_ops)) {
        return "its key_ops do not have verify";
    }
    if (!is_kid(igw_json_text(igw_json_get(jwk, "kid")))) {
        return "its kid is not 1 to 64 of A-Z a-z 0-9 - _";
    }
    return NULL;
}

static bool
is_kid(struct igw_slice kid)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789-_";

    for (size_t i = 0; i < kid.len; i++) {
        if (memchr(alphabet, kid.data[i], sizeof(alphabet) - 1) == NULL) {
            return false;
        }
    }
    return kid.len > 0 && kid.len <= KID_MAX;
}

static bool
has_verify(const struct json_t *key_ops)
{
    size_t count =
        igw_json_type(key_ops) == IGW_JSON_ARRAY ? igw_json_size(key_ops) : 0;

    for (size_t i = 0; i < count; i++) {
        if (igw_slice_is(igw_json_text(igw_json_at(key_ops, i)), "verify")) {
            return true;
        }
    }
    return false;
}

static enum igw_result
from_jwk(const struct json_t *jwk, struct igw_key **key, const char **fault)
{
    EVP_PKEY *pkey;
    struct igw_slice kid;

    *key = NULL;
    *fault = jwk_fault(jwk);
    if (*fault != NULL) {
        return IGW_INVALID;
    }
    pkey = import_point(jwk);
    ERR_clear_error();
    if (pkey == NULL) {
        *fault = "its x and y are not a point of the curve";
        return IGW_INVALID;
    }
    *key = key_new(pkey, false);
    if (*key == NULL) {
        *fault = "out of memory";
        return IGW_ERROR;
    }
    kid = igw_json_text(igw_json_get(jwk, "kid"));
    memcpy((*key)->kid, kid.data, kid.len);
    (*key)->kid[kid.len] = '\0';
    return IGW_OK;
}

static EVP_PKEY *
import_point(const struct json_t *jwk)
{
    unsigned char point[1 + 2 * COORDINATE_SIZE] = {
        POINT_CONVERSION_UNCOMPRESSED
    };
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = NULL;

    if (!get_jwk_coordinate(jwk, "x", point + 1)
        || !get_jwk_coordinate(jwk, "y", point + 1 + COORDINATE_SIZE)) {
        return NULL;
    }
    pkey = new_public(point, sizeof(point));
    if (pkey == NULL) {
        return NULL;
    }
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (ctx == NULL || EVP_PKEY_public_check(ctx) != 1) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* RFC 7518 6.2.1.2: the full size of a coordinate, leading zeros too. */
static bool
get_jwk_coordinate(const struct json_t *jwk, const char *name,
                   unsigned char out[COORDINATE_SIZE])
{
    struct igw_buf bytes;
    bool is_right;

    igw_buf_init(&bytes);
    is_right =
        igw_base64url_decode(igw_json_text(igw_json_get(jwk, name)), &bytes)
            == IGW_OK
        && bytes.len == COORDINATE_SIZE;
    if (is_right) {
        memcpy(out, bytes.data, COORDINATE_SIZE);
    }
    igw_buf_clear(&bytes);
    return is_right;
}

static EVP_PKEY *
new_public(unsigned char *point, size_t len)
{
    char group[] = SN_X9_62_prime256v1;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, len),
        OSSL_PARAM_construct_end()
    };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *pkey = NULL;

    if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1) {
        (void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
    }
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static bool
der_to_raw(const unsigned char *der, size_t len,
           unsigned char raw[IGW_ES256_SIGNATURE_SIZE])
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

/* RFC 7517 5: what we do not understand or support is passed over. */
static enum igw_result
fill_keyset(struct igw_keyset *set, const struct json_t *keys,
            char why[WHY_SIZE])
{
    size_t count = igw_json_size(keys);

    (void)snprintf(why, WHY_SIZE, "Its array \"keys\" is empty.");
    set->keys = calloc(count + 1, sizeof(struct igw_key *));
    if (set->keys == NULL) {
        return IGW_ERROR;
    }
    for (size_t i = 0; i < count; i++) {
        struct igw_key *key = NULL;
        const char *fault = NULL;
        enum igw_result rc = from_jwk(igw_json_at(keys, i), &key, &fault);

        if (rc == IGW_INVALID) {
            (void)snprintf(why, WHY_SIZE, "Key %zu of %zu is of no use: %s.",
                           i + 1, count, fault);
            continue;
        }
        if (rc == IGW_OK) {
            rc = add_to_keyset(set, key, why);
        }
        if (rc != IGW_OK) {
            return rc;
        }
    }
    return set->count > 0 ? IGW_OK : IGW_INVALID;
}

/* Takes over key. IGW_INVALID: which of two keys a kid means is unclear. */
static enum igw_result
add_to_keyset(struct igw_keyset *set, struct igw_key *key, char why[WHY_SIZE])
{
    if (igw_keyset_find(set, igw_slice_of(key->kid)) != NULL) {
        (void)snprintf(why, WHY_SIZE, "Two of its keys have the kid %s.",
                       key->kid);
        igw_key_free(&key);
        return IGW_INVALID;
    }
    set->keys[set->count++] = key;
    return IGW_OK;
}
