#include "password.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "foreign.h"

_Static_assert(PASSWORD_HASH_SIZE == crypto_pwhash_argon2id_STRBYTES,
               "a stored hash is libsodium's string");

/* What settings allow: a stored hash may not ask for the machine. */
enum { MEMORY_MAX_KIB = 1024 * 1024, PASSES_MAX = 100, LANES_MAX = 16 };

/* Memory and passes, multiplied, of a hash that comes in: some seconds. */
enum { IMPORT_WORK_MAX_KIB = 4 * MEMORY_MAX_KIB };

enum { KIB = 1024, OWN_HASH_BYTES = 32 };

static const char argon2id[] = "$argon2id$";

struct work {
    unsigned long memory_kib;
    unsigned long passes;
    unsigned long lanes;
    const char *rest; /* behind them: salt and hash */
};

/* Each is as much work as the others. */
static const struct password_cost least[] = {
    { 46 << 20, 1 }, { 19 << 20, 2 }, { 12 << 20, 3 },
    { 9 << 20, 4 },  { 7 << 20, 5 },
};

bool
password_cost_is_safe(const struct password_cost *cost)
{
    for (size_t i = 0; i < sizeof(least) / sizeof(least[0]); i++) {
        if (cost->memory_bytes >= least[i].memory_bytes
            && cost->passes >= least[i].passes) {
            return true;
        }
    }
    return false;
}

enum igw_result
password_init(void)
{
    return sodium_init() < 0 ? IGW_ERROR : IGW_OK;
}

/* Of libsodium, which leaves in errno why. */
static enum igw_result
failed_result(void)
{
    return errno == ENOMEM ? IGW_UNAVAILABLE : IGW_ERROR;
}

enum igw_result
password_hash(struct igw_slice password, const struct password_cost *cost,
              char hash[PASSWORD_HASH_SIZE])
{
    errno = 0;
    return crypto_pwhash_argon2id_str(hash, password.data, password.len,
                                      (unsigned long long)cost->passes,
                                      (size_t)cost->memory_bytes)
                   == 0
               ? IGW_OK
               : failed_result();
}

/* Takes `name` and the number behind it off *text; false above max. */
static bool
take_number(const char **text, const char *name, unsigned long max,
            unsigned long *value)
{
    size_t len = strlen(name);
    char *end;

    if (strncmp(*text, name, len) != 0) {
        return false;
    }
    *value = strtoul(*text + len, &end, 10); /* the greatest when too great */
    *text = end;
    return *value <= max;
}

/* What a stored hash asks for; false when that is too much. */
static bool
read_work(const char *hash, struct work *work)
{
    work->rest = hash;
    return take_number(&work->rest, "$argon2id$v=19$m=", MEMORY_MAX_KIB,
                       &work->memory_kib)
           && take_number(&work->rest, ",t=", PASSES_MAX, &work->passes)
           && take_number(&work->rest, ",p=", LANES_MAX, &work->lanes)
           && work->rest[0] == '$';
}

/* Takes "$" and the bytes behind it off *text; how many, 0: none. */
static size_t
take_bytes(const char **text, unsigned char *bytes, size_t size)
{
    size_t len = 0;

    if (**text != '$'
        || sodium_base642bin(bytes, size, *text + 1, strlen(*text + 1), NULL,
                             &len, text,
                             sodium_base64_VARIANT_ORIGINAL_NO_PADDING)
               != 0) {
        return 0;
    }
    return len;
}

/*
 * False: not of the form that password_hash makes. libsodium's own verification
 * of a string (1.0.18) calls it a mismatch when it has no memory.
 */
static bool
check_own(struct igw_slice password, const struct work *work,
          enum igw_result *result)
{
    unsigned char salt[crypto_pwhash_argon2id_SALTBYTES];
    unsigned char expected[OWN_HASH_BYTES];
    unsigned char hash[OWN_HASH_BYTES];
    const char *rest = work->rest;

    if (work->lanes != 1
        || take_bytes(&rest, salt, sizeof(salt)) != sizeof(salt)
        || take_bytes(&rest, expected, sizeof(expected)) != sizeof(expected)
        || *rest != '\0') {
        return false;
    }
    errno = 0;
    if (crypto_pwhash_argon2id(hash, sizeof(hash), password.data, password.len,
                               salt, work->passes, work->memory_kib * KIB,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13)
        != 0) {
        *result = failed_result();
    } else {
        *result = sodium_memcmp(hash, expected, sizeof(hash)) == 0 ? IGW_OK
                                                                   : IGW_DENIED;
    }
    sodium_memzero(hash, sizeof(hash));
    return true;
}

enum igw_result
password_check(struct igw_slice password, const char *hash)
{
    enum igw_result result;
    struct work work;

    if (strncmp(hash, argon2id, strlen(argon2id)) != 0) {
        return foreign_check(password, hash);
    }
    if (strlen(hash) >= PASSWORD_HASH_SIZE || !read_work(hash, &work)) {
        return IGW_ERROR;
    }
    if (check_own(password, &work, &result)) {
        return result;
    }
    errno = 0;
    if (crypto_pwhash_argon2id_str_verify(hash, password.data, password.len)
        == 0) {
        return IGW_OK;
    }
    /* That is a mismatch; anything else says nothing about the password. */
    return errno == EINVAL ? IGW_DENIED : failed_result();
}

/* The library says -1 of what it cannot read. */
static bool
is_argon2id(const char *hash)
{
    struct work work;

    return strlen(hash) < PASSWORD_HASH_SIZE && read_work(hash, &work)
           && work.memory_kib * work.passes <= IMPORT_WORK_MAX_KIB
           && crypto_pwhash_argon2id_str_needs_rehash(
                  hash, crypto_pwhash_argon2id_OPSLIMIT_MIN,
                  crypto_pwhash_argon2id_MEMLIMIT_MIN)
                  >= 0;
}

enum igw_result
password_import(const char *given, struct igw_buf *out)
{
    if (is_argon2id(given)) {
        igw_buf_puts(out, given);
        return out->failed ? IGW_ERROR : IGW_OK;
    }
    return foreign_import(given, out);
}

bool
password_is_outdated(struct igw_slice password, const char *hash,
                     const struct password_cost *cost)
{
    return !foreign_is_cut(password, hash)
           && crypto_pwhash_argon2id_str_needs_rehash(
                  hash, (unsigned long long)cost->passes,
                  (size_t)cost->memory_bytes)
                  != 0;
}

enum igw_result
password_dummy(const struct password_cost *cost, char hash[PASSWORD_HASH_SIZE])
{
    char secret[32];
    struct igw_slice password = { secret, sizeof(secret) };
    enum igw_result rc;

    randombytes_buf(secret, sizeof(secret));
    rc = password_hash(password, cost, hash);
    sodium_memzero(secret, sizeof(secret));
    return rc;
}
