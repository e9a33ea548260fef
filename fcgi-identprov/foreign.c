#include "foreign.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "text.h"

enum {
    BCRYPT_LEN = 60,
    BCRYPT_READS = 72, /* bytes of a password */
    BCRYPT_COST_MAX = 16,
    ITERATIONS_MAX = 10000000,
    SALT_MAX = 128,
    DERIVED_MAX = 64,
    DECIMAL = 10
};

/* One digest, as the programs and OpenSSL call it. */
static const struct algorithm {
    const char *stored;
    const char *digest;
    size_t len; /* of what it derives */
} sha1 = { "$pbkdf2-sha1$", "SHA1", 20 },
  sha256 = { "$pbkdf2-sha256$", "SHA256", 32 },
  sha512 = { "$pbkdf2-sha512$", "SHA512", 64 };

static const struct spelling {
    const char *prefix;
    const struct algorithm *algorithm;
    bool salt_is_text;
} spellings[] = {
    { "$pbkdf2-sha256$", &sha256, false }, { "pbkdf2_sha256$", &sha256, true },
    { "$pbkdf2-sha512$", &sha512, false }, { "pbkdf2_sha512$", &sha512, true },
    { "$pbkdf2-sha1$", &sha1, false },     { "pbkdf2_sha1$", &sha1, true },
    { "$pbkdf2$", &sha1, false },
};

/* A hash taken apart. */
struct pbkdf2 {
    const struct algorithm *algorithm;
    int iterations;
    unsigned char salt[SALT_MAX];
    size_t salt_len;
    unsigned char derived[DERIVED_MAX];
};

static bool
begins(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool
is_bcrypt(const char *hash)
{
    static const char alphabet[] =
        "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    int cost;

    if (strlen(hash) != BCRYPT_LEN
        || !(begins(hash, "$2a$") || begins(hash, "$2b$")
             || begins(hash, "$2y$"))
        || strspn(hash + 4, "0123456789") != 2 || hash[6] != '$') {
        return false;
    }
    cost = (hash[4] - '0') * DECIMAL + (hash[5] - '0');
    return cost >= 4 && cost <= BCRYPT_COST_MAX
           && strspn(hash + 7, alphabet) == BCRYPT_LEN - 7;
}

/* Base64 with "+" or "." and with or without its padding. */
static bool
decode(struct igw_slice text, unsigned char *out, size_t max, size_t *len)
{
    char url[2 * FOREIGN_SIZE];
    struct igw_buf bytes;
    bool is_good;

    while (text.len > 0 && text.data[text.len - 1] == '=') {
        text.len--;
    }
    if (text.len >= sizeof(url)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c == '-' || c == '_') {
            return false;
        }
        url[i] = (char)(c == '+' || c == '.' ? '-' : c == '/' ? '_' : c);
    }
    igw_buf_init(&bytes);
    is_good = igw_base64url_decode((struct igw_slice){ url, text.len }, &bytes)
                  == IGW_OK
              && bytes.len <= max;
    if (is_good && bytes.len > 0) {
        memcpy(out, bytes.data, bytes.len);
    }
    *len = bytes.len;
    igw_buf_clear(&bytes);
    return is_good;
}

/* Takes the part before the next "$" off *text; false when there is none. */
static bool
take(const char **text, struct igw_slice *part)
{
    const char *end = strchr(*text, '$');

    if (end == NULL) {
        return false;
    }
    *part = (struct igw_slice){ *text, (size_t)(end - *text) };
    *text = end + 1;
    return true;
}

static bool
read_iterations(const char **text, int *iterations)
{
    struct igw_slice digits;
    long value;

    if (!take(text, &digits) || digits.len == 0 || digits.len > 8
        || strspn(digits.data, "0123456789") != digits.len) {
        return false;
    }
    value = strtol(digits.data, NULL, DECIMAL);
    *iterations = (int)value;
    return value > 0 && value <= ITERATIONS_MAX;
}

/* What stands behind the algorithm. */
static bool
read_rest(const char *text, bool salt_is_text, struct pbkdf2 *hash)
{
    struct igw_slice salt;
    size_t len;

    if (!read_iterations(&text, &hash->iterations) || !take(&text, &salt)) {
        return false;
    }
    if (salt_is_text && salt.len <= SALT_MAX) {
        memcpy(hash->salt, salt.data, salt.len);
        hash->salt_len = salt.len;
    } else if (salt_is_text
               || !decode(salt, hash->salt, SALT_MAX, &hash->salt_len)) {
        return false;
    }
    return hash->salt_len > 0
           && decode(igw_slice_of(text), hash->derived, DERIVED_MAX, &len)
           && len == hash->algorithm->len;
}

static bool
read_pbkdf2(const char *text, struct pbkdf2 *hash)
{
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        const struct spelling *spelling = &spellings[i];

        if (begins(text, spelling->prefix)) {
            hash->algorithm = spelling->algorithm;
            return read_rest(text + strlen(spelling->prefix),
                             spelling->salt_is_text, hash);
        }
    }
    return false;
}

/* In passlib's alphabet. */
static void
put_base64(struct igw_buf *out, const unsigned char *data, size_t len)
{
    size_t start = out->len;

    igw_base64url_encode(data, len, out);
    for (size_t i = start; i < out->len; i++) {
        if (out->data[i] == '-') {
            out->data[i] = '.';
        } else if (out->data[i] == '_') {
            out->data[i] = '/';
        }
    }
}

enum igw_result
foreign_import(const char *given, struct igw_buf *out)
{
    struct pbkdf2 hash;

    if (is_bcrypt(given)) {
        igw_buf_puts(out, given);
    } else if (read_pbkdf2(given, &hash)) {
        igw_buf_printf(out, "%s%d$", hash.algorithm->stored, hash.iterations);
        put_base64(out, hash.salt, hash.salt_len);
        igw_buf_puts(out, "$");
        put_base64(out, hash.derived, hash.algorithm->len);
    } else {
        return IGW_INVALID;
    }
    if (out->failed) {
        return IGW_ERROR;
    }
    return out->len < FOREIGN_SIZE ? IGW_OK : IGW_INVALID;
}

static enum igw_result
check_bcrypt(struct igw_slice password, const char *hash)
{
    struct crypt_data *data = calloc(1, sizeof(*data));
    char *text =
        strndup(password.data,
                password.len < BCRYPT_READS ? password.len : BCRYPT_READS);
    const char *made = NULL;
    enum igw_result rc = IGW_ERROR;

    if (data != NULL && text != NULL) {
        made = crypt_r(text, hash, data);
    }
    if (made != NULL && strlen(made) == BCRYPT_LEN) {
        rc = igw_secret_equal(made, hash, BCRYPT_LEN) ? IGW_OK : IGW_DENIED;
    }
    if (text != NULL) {
        igw_wipe(text, strlen(text));
    }
    if (data != NULL) {
        igw_wipe(data, sizeof(*data));
    }
    free(text);
    free(data);
    return rc;
}

bool
foreign_is_cut(struct igw_slice password, const char *hash)
{
    return is_bcrypt(hash) && password.len > BCRYPT_READS;
}

enum igw_result
foreign_check(struct igw_slice password, const char *hash)
{
    struct pbkdf2 stored;
    unsigned char derived[DERIVED_MAX];
    enum igw_result rc;

    if (is_bcrypt(hash)) {
        return check_bcrypt(password, hash);
    }
    if (!read_pbkdf2(hash, &stored)) {
        return IGW_ERROR;
    }
    rc = igw_pbkdf2(
        stored.algorithm->digest, password,
        (struct igw_slice){ (const char *)stored.salt, stored.salt_len },
        stored.iterations, derived, stored.algorithm->len);
    if (rc == IGW_OK
        && !igw_secret_equal(derived, stored.derived, stored.algorithm->len)) {
        rc = IGW_DENIED;
    }
    igw_wipe(derived, sizeof(derived));
    return rc;
}
