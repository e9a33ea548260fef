#include "password.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "foreign.h"

_Static_assert(PASSWORD_HASH_SIZE == crypto_pwhash_argon2id_STRBYTES,
               "a stored hash is libsodium's string");

/* More than any setting allows: a stored hash may not ask for the machine. */
enum { MEMORY_MAX_KIB = 4 * 1024 * 1024, PASSES_MAX = 1000, LANES_MAX = 16 };

static const char argon2id[] = "$argon2id$";

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

enum igw_result
password_hash(struct igw_slice password, const struct password_cost *cost,
              char hash[PASSWORD_HASH_SIZE])
{
    int failed = crypto_pwhash_argon2id_str(hash, password.data, password.len,
                                            (unsigned long long)cost->passes,
                                            (size_t)cost->memory_bytes);

    return failed ? IGW_ERROR : IGW_OK;
}

/* Takes `name` and the number behind it off *text; false above max. */
static bool
take_number(const char **text, const char *name, unsigned long max)
{
    size_t len = strlen(name);
    unsigned long value;
    char *end;

    if (strncmp(*text, name, len) != 0) {
        return false;
    }
    value = strtoul(*text + len, &end, 10); /* the greatest when too great */
    *text = end;
    return value <= max;
}

static bool
is_affordable(const char *hash)
{
    return take_number(&hash, "$argon2id$v=19$m=", MEMORY_MAX_KIB)
           && take_number(&hash, ",t=", PASSES_MAX)
           && take_number(&hash, ",p=", LANES_MAX) && hash[0] == '$';
}

enum igw_result
password_check(struct igw_slice password, const char *hash)
{
    if (strncmp(hash, argon2id, strlen(argon2id)) != 0) {
        return foreign_check(password, hash);
    }
    if (strlen(hash) >= PASSWORD_HASH_SIZE || !is_affordable(hash)) {
        return IGW_ERROR;
    }
    errno = 0;
    if (crypto_pwhash_argon2id_str_verify(hash, password.data, password.len)
        == 0) {
        return IGW_OK;
    }
    /* That is a mismatch; anything else says nothing about the password. */
    return errno == EINVAL ? IGW_DENIED : IGW_ERROR;
}

/* The library says -1 of what it cannot read. */
static bool
is_argon2id(const char *hash)
{
    return strlen(hash) < PASSWORD_HASH_SIZE && is_affordable(hash)
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
password_is_outdated(const char *hash, const struct password_cost *cost)
{
    return crypto_pwhash_argon2id_str_needs_rehash(
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
