/*
 * inject.c: makes the n-th call of what can fail fail, in a program of ours
 * that is linked with it. The linker (--wrap) puts these functions before those
 * that our objects call, and jansson is given them; what other libraries call
 * among themselves is left alone.
 *
 * IGW_INJECT names a file of struct orders, which the test writes and reads
 * while the program runs; without it everything works.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <jwt.h>
#include <libpq-fe.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <utf8proc.h>

#include "connection.h"
#include "server.h"

/* As the test has it: four 32-bit numbers and a text. */
struct orders {
    atomic_uint fail_at;    /* 0: nothing is counted */
    atomic_uint everywhere; /* else only where requests are answered */
    atomic_uint calls;      /* since the test set it to 0 */
    atomic_uint failed;     /* how many were made to fail */
    char name[48];          /* of the function that was */
};

static struct orders *orders;
static _Thread_local bool is_serving;

void *__real_malloc(size_t size);
static void begin(void) __attribute__((constructor));

static bool
is_chosen(const char *name)
{
    unsigned int fail_at = orders == NULL ? 0 : atomic_load(&orders->fail_at);

    if (!is_serving && fail_at != 0 && !atomic_load(&orders->everywhere)
        && strncmp(name, "crypto_pwhash", strlen("crypto_pwhash")) != 0) {
        return false;
    }
    if (fail_at == 0 || atomic_fetch_add(&orders->calls, 1) + 1 != fail_at) {
        return false;
    }
    snprintf(orders->name, sizeof(orders->name), "%s", name);
    atomic_fetch_add(&orders->failed, 1);
    errno = ENOMEM;
    return true;
}

static void
raise_out_of_memory(void)
{
    ERR_raise(ERR_LIB_CRYPTO, ERR_R_MALLOC_FAILURE);
}

static void *
make(size_t size)
{
    return is_chosen("jansson's malloc") ? NULL : __real_malloc(size);
}

static void
begin(void)
{
    const char *path = getenv("IGW_INJECT");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *page;

    if (fd < 0) {
        return;
    }
    page = mmap(NULL, sizeof(struct orders), PROT_READ | PROT_WRITE, MAP_SHARED,
                fd, 0);
    (void)close(fd);
    if (page == MAP_FAILED) {
        abort();
    }
    orders = page;
    json_set_alloc_funcs(make, free);
}

/*
 * FAILS(name, type, what it returns when it fails, parameters, arguments). The
 * Makefile takes the names from the beginnings of these lines.
 */
#define FAILS(name, type, failure, parameters, arguments) \
    type __real_##name parameters;                        \
    type __wrap_##name parameters;                        \
    type __wrap_##name parameters                         \
    {                                                     \
        if (is_chosen(#name)) {                           \
            return failure;                               \
        }                                                 \
        return __real_##name arguments;                   \
    }
/* One of OpenSSL's, which says why in a queue of its own. */
#define FAILS_SSL(name, type, failure, parameters, arguments) \
    FAILS(name, type, (raise_out_of_memory(), failure), parameters, arguments)
/* One that is written out below. */
#define WRAPS(name)

/* clang-format off */

/* --- the C library --- */

FAILS(malloc, void *, NULL, (size_t size), (size))
FAILS(calloc, void *, NULL, (size_t count, size_t size), (count, size))
FAILS(realloc, void *, NULL, (void *data, size_t size), (data, size))
FAILS(strdup, char *, NULL, (const char *text), (text))
FAILS(strndup, char *, NULL, (const char *text, size_t len), (text, len))
FAILS(vasprintf, int, -1, (char **out, const char *format, va_list args),
      (out, format, args))
FAILS(__getdelim, ssize_t, -1, (char **out, size_t *size, int end, FILE *in),
      (out, size, end, in))
FAILS(fopen, FILE *, NULL, (const char *path, const char *mode), (path, mode))
FAILS(pthread_create, int, EAGAIN,
      (pthread_t *thread, const pthread_attr_t *attributes,
       void *(*work)(void *), void *data),
      (thread, attributes, work, data))
FAILS(pipe2, int, -1, (int ends[2], int flags), (ends, flags))
FAILS(eventfd, int, -1, (unsigned int value, int flags), (value, flags))
FAILS(epoll_create1, int, -1, (int flags), (flags))
FAILS(epoll_ctl, int, -1, (int fd, int op, int of, struct epoll_event *event),
      (fd, op, of, event))
WRAPS(asprintf)
WRAPS(prctl)
WRAPS(igw_server_run)
WRAPS(igw_connection_read)

/* --- libpq --- */

FAILS(PQconninfoParse, PQconninfoOption *, NULL,
      (const char *conninfo, char **why), (conninfo, why))
FAILS(PQconnectdbParams, PGconn *, NULL,
      (const char *const *names, const char *const *values, int expand),
      (names, values, expand))
FAILS(PQsetnonblocking, int, -1, (PGconn *conn, int on), (conn, on))
FAILS(PQsendQuery, int, 0, (PGconn *conn, const char *sql), (conn, sql))
FAILS(PQsendQueryParams, int, 0,
      (PGconn *conn, const char *sql, int count, const Oid *types,
       const char *const *values, const int *lengths, const int *formats,
       int format),
      (conn, sql, count, types, values, lengths, formats, format))
FAILS(PQsendPrepare, int, 0,
      (PGconn *conn, const char *name, const char *sql, int count,
       const Oid *types),
      (conn, name, sql, count, types))
FAILS(PQsendQueryPrepared, int, 0,
      (PGconn *conn, const char *name, int count, const char *const *values,
       const int *lengths, const int *formats, int format),
      (conn, name, count, values, lengths, formats, format))
FAILS(PQflush, int, -1, (PGconn *conn), (conn))
FAILS(PQconsumeInput, int, 0, (PGconn *conn), (conn))
WRAPS(PQgetResult)

/* --- OpenSSL --- */

FAILS_SSL(RAND_priv_bytes, int, 0, (unsigned char *out, int len), (out, len))
FAILS_SSL(EVP_MD_fetch, EVP_MD *, NULL,
      (OSSL_LIB_CTX *ctx, const char *name, const char *properties),
      (ctx, name, properties))
FAILS_SSL(EVP_Digest, int, 0,
      (const void *data, size_t len, unsigned char *out, unsigned int *out_len,
       const EVP_MD *type, ENGINE *engine),
      (data, len, out, out_len, type, engine))
FAILS_SSL(EVP_get_digestbyname, const EVP_MD *, NULL, (const char *name), (name))
FAILS_SSL(PKCS5_PBKDF2_HMAC, int, 0,
      (const char *pass, int len, const unsigned char *salt, int salt_len,
       int count, const EVP_MD *digest, int out_len, unsigned char *out),
      (pass, len, salt, salt_len, count, digest, out_len, out))
FAILS_SSL(EVP_PKEY_CTX_new_from_pkey, EVP_PKEY_CTX *, NULL,
      (OSSL_LIB_CTX *ctx, EVP_PKEY *key, const char *properties),
      (ctx, key, properties))
FAILS_SSL(EVP_PKEY_CTX_new_from_name, EVP_PKEY_CTX *, NULL,
      (OSSL_LIB_CTX *ctx, const char *name, const char *properties),
      (ctx, name, properties))
FAILS_SSL(EVP_PKEY_CTX_dup, EVP_PKEY_CTX *, NULL, (const EVP_PKEY_CTX *of), (of))
FAILS_SSL(EVP_PKEY_CTX_set_signature_md, int, -1,
      (EVP_PKEY_CTX *ctx, const EVP_MD *digest), (ctx, digest))
FAILS_SSL(EVP_PKEY_CTX_set_rsa_padding, int, -1, (EVP_PKEY_CTX *ctx, int padding),
      (ctx, padding))
FAILS_SSL(EVP_PKEY_sign, int, -1,
      (EVP_PKEY_CTX *ctx, unsigned char *out, size_t *out_len,
       const unsigned char *data, size_t len),
      (ctx, out, out_len, data, len))
FAILS_SSL(EVP_PKEY_verify, int, -1,
      (EVP_PKEY_CTX *ctx, const unsigned char *signature, size_t signature_len,
       const unsigned char *data, size_t len),
      (ctx, signature, signature_len, data, len))
FAILS_SSL(EVP_PKEY_get_bn_param, int, 0,
      (const EVP_PKEY *key, const char *name, BIGNUM **number),
      (key, name, number))
FAILS_SSL(EVP_PKEY_get_group_name, int, 0,
      (const EVP_PKEY *key, char *name, size_t size, size_t *len),
      (key, name, size, len))
FAILS_SSL(EVP_PKEY_fromdata_init, int, -1, (EVP_PKEY_CTX *ctx), (ctx))
FAILS_SSL(EVP_PKEY_fromdata, int, -1,
      (EVP_PKEY_CTX *ctx, EVP_PKEY **key, int selection, OSSL_PARAM *params),
      (ctx, key, selection, params))
FAILS_SSL(EVP_PKCS82PKEY, EVP_PKEY *, NULL, (const PKCS8_PRIV_KEY_INFO *info),
      (info))
FAILS_SSL(EVP_PKEY2PKCS8, PKCS8_PRIV_KEY_INFO *, NULL, (const EVP_PKEY *key), (key))
FAILS_SSL(PKCS8_decrypt, PKCS8_PRIV_KEY_INFO *, NULL,
      (const X509_SIG *box, const char *pass, int len), (box, pass, len))
FAILS_SSL(PKCS8_set0_pbe, X509_SIG *, NULL,
      (const char *pass, int len, PKCS8_PRIV_KEY_INFO *info, X509_ALGOR *pbe),
      (pass, len, info, pbe))
FAILS_SSL(PKCS5_pbe2_set_iv, X509_ALGOR *, NULL,
      (const EVP_CIPHER *cipher, int count, unsigned char *salt, int len,
       unsigned char *iv, int prf),
      (cipher, count, salt, len, iv, prf))
FAILS_SSL(PEM_read_bio_PKCS8, X509_SIG *, NULL,
      (BIO *bio, X509_SIG **box, pem_password_cb *ask, void *data),
      (bio, box, ask, data))
FAILS_SSL(PEM_write_bio_PKCS8, int, 0, (BIO *bio, const X509_SIG *box), (bio, box))
FAILS_SSL(BIO_new, BIO *, NULL, (const BIO_METHOD *type), (type))
FAILS_SSL(BIO_new_mem_buf, BIO *, NULL, (const void *data, int len), (data, len))
FAILS_SSL(BN_bin2bn, BIGNUM *, NULL,
      (const unsigned char *data, int len, BIGNUM *out), (data, len, out))
FAILS_SSL(BN_bn2binpad, int, -1, (const BIGNUM *from, unsigned char *out, int len),
      (from, out, len))
FAILS_SSL(ECDSA_SIG_new, ECDSA_SIG *, NULL, (void), ())
FAILS_SSL(ECDSA_SIG_set0, int, 0, (ECDSA_SIG *pair, BIGNUM *r, BIGNUM *s),
      (pair, r, s))
FAILS_SSL(i2d_ECDSA_SIG, int, -1, (const ECDSA_SIG *pair, unsigned char **out),
      (pair, out))
FAILS_SSL(d2i_ECDSA_SIG, ECDSA_SIG *, NULL,
      (ECDSA_SIG **pair, const unsigned char **in, long len), (pair, in, len))
FAILS_SSL(OSSL_PARAM_BLD_new, OSSL_PARAM_BLD *, NULL, (void), ())
FAILS_SSL(OSSL_PARAM_BLD_push_BN, int, 0,
      (OSSL_PARAM_BLD *build, const char *name, const BIGNUM *number),
      (build, name, number))
FAILS_SSL(OSSL_PARAM_BLD_to_param, OSSL_PARAM *, NULL, (OSSL_PARAM_BLD *build),
      (build))
WRAPS(EVP_PKEY_Q_keygen)

/* --- others --- */

FAILS(jwt_new, int, ENOMEM, (jwt_t **jwt), (jwt))
FAILS(jwt_add_grant, int, ENOMEM,
      (jwt_t *jwt, const char *name, const char *value), (jwt, name, value))
FAILS(jwt_add_grant_int, int, ENOMEM,
      (jwt_t *jwt, const char *name, long value), (jwt, name, value))
FAILS(jwt_add_grant_bool, int, ENOMEM,
      (jwt_t *jwt, const char *name, int value), (jwt, name, value))
FAILS(jwt_add_grants_json, int, ENOMEM, (jwt_t *jwt, const char *json),
      (jwt, json))
FAILS(jwt_get_grants_json, char *, NULL, (jwt_t *jwt, const char *name),
      (jwt, name))
FAILS(crypto_pwhash_argon2id_str, int, -1,
      (char *out, const char *password, unsigned long long len,
       unsigned long long passes, size_t memory),
      (out, password, len, passes, memory))
FAILS(crypto_pwhash_argon2id_str_verify, int, -1,
      (const char *hash, const char *password, unsigned long long len),
      (hash, password, len))
FAILS(crypto_pwhash_argon2id_str_needs_rehash, int, -1,
      (const char *hash, unsigned long long passes, size_t memory),
      (hash, passes, memory))
FAILS(utf8proc_map, utf8proc_ssize_t, UTF8PROC_ERROR_NOMEM,
      (const utf8proc_uint8_t *in, utf8proc_ssize_t len,
       utf8proc_uint8_t **out, utf8proc_option_t options),
      (in, len, out, options))
FAILS(curl_url, CURLU *, NULL, (void), ())
FAILS(curl_url_set, CURLUcode, CURLUE_OUT_OF_MEMORY,
      (CURLU *url, CURLUPart part, const char *text, unsigned int flags),
      (url, part, text, flags))
FAILS(curl_url_get, CURLUcode, CURLUE_OUT_OF_MEMORY,
      (const CURLU *url, CURLUPart part, char **text, unsigned int flags),
      (url, part, text, flags))
FAILS(curl_easy_init, CURL *, NULL, (void), ())
FAILS(curl_easy_perform, CURLcode, CURLE_OUT_OF_MEMORY, (CURL *curl), (curl))

/* clang-format on */

int __wrap_asprintf(char **out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int __wrap_prctl(int option, unsigned long value, ...);
int __real_prctl(int option, ...);
enum igw_result __real_igw_server_run(const struct igw_server *config);
enum igw_result __wrap_igw_server_run(const struct igw_server *config);
enum igw_fate __real_igw_connection_read(struct igw_reader *reader,
                                         struct igw_connection *connection);
enum igw_fate __wrap_igw_connection_read(struct igw_reader *reader,
                                         struct igw_connection *connection);
PGresult *__real_PQgetResult(PGconn *conn);
PGresult *__wrap_PQgetResult(PGconn *conn);
EVP_PKEY *__real_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *ctx, const char *properties,
                                   const char *type, ...);
EVP_PKEY *__wrap_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *ctx, const char *properties,
                                   const char *type, ...);

int
__wrap_asprintf(char **out, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = __wrap_vasprintf(out, format, args);
    va_end(args);
    return len;
}

/* Who looks for leaks at the end has to be able to look. */
int
__wrap_prctl(int option, unsigned long value, ...)
{
    return option == PR_SET_DUMPABLE ? 0 : __real_prctl(option, value, 0, 0, 0);
}

/* One thread, so that a request has the same calls each time. */
enum igw_result
__wrap_igw_server_run(const struct igw_server *config)
{
    struct igw_server single = *config;

    single.threads = 1;
    return __real_igw_server_run(&single);
}

/* The thread, from its first request on. */
enum igw_fate
__wrap_igw_connection_read(struct igw_reader *reader,
                           struct igw_connection *connection)
{
    is_serving = true;
    return __real_igw_connection_read(reader, connection);
}

/* As libpq does without memory: a failure of no class, in place of the answer.
 */
PGresult *
__wrap_PQgetResult(PGconn *conn)
{
    PGresult *result = __real_PQgetResult(conn);

    if (result != NULL && is_chosen("PQgetResult")) {
        PQclear(result);
        return PQmakeEmptyPGresult(conn, PGRES_FATAL_ERROR);
    }
    return result;
}

/* OpenSSL's own EVP_EC_gen and EVP_RSA_gen are this. */
EVP_PKEY *
__wrap_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *ctx, const char *properties,
                         const char *type, ...)
{
    EVP_PKEY *key = NULL;
    va_list args;

    if (is_chosen("EVP_PKEY_Q_keygen")) {
        raise_out_of_memory();
        return NULL;
    }
    va_start(args, type);
    key = strcmp(type, "RSA") == 0
              ? __real_EVP_PKEY_Q_keygen(ctx, properties, type,
                                         va_arg(args, size_t))
              : __real_EVP_PKEY_Q_keygen(ctx, properties, type,
                                         va_arg(args, char *));
    va_end(args);
    return key;
}
