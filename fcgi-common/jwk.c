/*
 * jwk.c: public keys as JSON.
 */
#include "jwk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { WHY_SIZE = 160 };

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

enum { RULES = 4 };

/* Which keys one algorithm takes, and the names of their two numbers. */
static const struct {
    const char *kty;
    struct jwk_rule rules[RULES];
    const char *numbers[2];
    const char *fault;
} kinds[] = {
    [IGW_ES256] = { "EC",
                    { { "crv", "P-256", true, "its crv is not P-256" },
                      { "use", "sig", false, "its use is not sig" },
                      { "alg", "ES256", false, "its alg is not ES256" } },
                    { "x", "y" },
                    "its x and y are not a point of the curve" },
    [IGW_RS256] = { "RSA",
                    { { "use", "sig", false, "its use is not sig" },
                      { "alg", "RS256", false, "its alg is not RS256" } },
                    { "n", "e" },
                    "its n and e are not an RSA key of 3072 to 4096 bits"
                    " with the exponent 65537" },
};

/* RFC 7518 6.2.2 and 6.3.2: what only a private key has. */
static const char *const private_members[] = { "d",  "p",  "q",   "dp",
                                               "dq", "qi", "oth", "k" };

static bool put_number(struct json_t *jwk, const struct igw_key *key,
                       size_t which);
static bool find_kind(const struct json_t *jwk, enum igw_algorithm *algorithm);
static const char *jwk_fault(const struct json_t *jwk,
                             const struct jwk_rule rules[RULES]);
static bool is_kid(struct igw_slice kid);
static bool has_verify(const struct json_t *key_ops);
static enum igw_result from_jwk(const struct json_t *jwk, struct igw_key **key,
                                const char **fault);
static enum igw_result get_numbers(const struct json_t *jwk,
                                   const char *const names[2],
                                   struct igw_key_numbers *numbers);
static enum igw_result fill_keyset(struct igw_keyset *set,
                                   const struct json_t *keys,
                                   char why[WHY_SIZE]);
static enum igw_result add_to_keyset(struct igw_keyset *set,
                                     struct igw_key *key, char why[WHY_SIZE]);

struct json_t *
igw_key_jwk(const struct igw_key *key)
{
    enum igw_algorithm algorithm = igw_key_algorithm(key);
    struct json_t *jwk = igw_json_object();
    bool is_done;

    is_done = igw_json_set_text(jwk, "kty", igw_slice_of(kinds[algorithm].kty))
              && (algorithm != IGW_ES256
                  || igw_json_set_text(jwk, "crv", igw_slice_of("P-256")))
              && put_number(jwk, key, 0) && put_number(jwk, key, 1)
              && igw_json_set_text(jwk, "use", igw_slice_of("sig"))
              && igw_json_set_text(jwk, "alg",
                                   igw_slice_of(igw_algorithm_name(algorithm)))
              && igw_json_set_text(jwk, "kid", igw_slice_of(igw_key_kid(key)));
    if (!is_done) {
        igw_json_free(&jwk);
    }
    return jwk;
}

static bool
put_number(struct json_t *jwk, const struct igw_key *key, size_t which)
{
    const struct igw_key_numbers *numbers = igw_key_numbers(key);
    const char *name = kinds[igw_key_algorithm(key)].numbers[which];
    struct igw_buf text;
    bool is_put;

    igw_buf_init(&text);
    igw_base64url_encode(numbers->bytes[which], numbers->len[which], &text);
    is_put = !text.failed && igw_json_set_text(jwk, name, igw_buf_slice(&text));
    igw_buf_clear(&text);
    return is_put;
}

enum igw_result
igw_key_from_jwk(const struct json_t *jwk, struct igw_key **key)
{
    const char *fault;

    return from_jwk(jwk, key, &fault);
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
        if (igw_slice_is(kid, igw_key_kid(set->keys[i]))) {
            return set->keys[i];
        }
    }
    return NULL;
}

static bool
find_kind(const struct json_t *jwk, enum igw_algorithm *algorithm)
{
    struct igw_slice kty = igw_json_text(igw_json_get(jwk, "kty"));

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (igw_slice_is(kty, kinds[i].kty)) {
            *algorithm = (enum igw_algorithm)i;
            return true;
        }
    }
    return false;
}

/* What forbids to take a JWK as a public key of ours; NULL: nothing. */
static const char *
jwk_fault(const struct json_t *jwk, const struct jwk_rule rules[RULES])
{
    const struct json_t *key_ops = igw_json_get(jwk, "key_ops");

    for (size_t i = 0; i < RULES && rules[i].name != NULL; i++) {
        const struct json_t *value = igw_json_get(jwk, rules[i].name);

        if (value == NULL && !rules[i].is_required) {
            continue;
        }
        if (!igw_slice_is(igw_json_text(value), rules[i].value)) {
            return rules[i].fault;
        }
    }
    for (size_t i = 0; i < sizeof(private_members) / sizeof(char *); i++) {
        if (igw_json_get(jwk, private_members[i]) != NULL) {
            return "it holds the private key";
        }
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
    return kid.len > 0 && kid.len <= IGW_KID_MAX;
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
    enum igw_algorithm algorithm;
    struct igw_key_numbers numbers;
    enum igw_result rc;

    *key = NULL;
    *fault = "it is not an object";
    if (igw_json_type(jwk) != IGW_JSON_OBJECT) {
        return IGW_INVALID;
    }
    *fault = "its kty is not EC or RSA";
    if (!find_kind(jwk, &algorithm)) {
        return IGW_INVALID;
    }
    *fault = jwk_fault(jwk, kinds[algorithm].rules);
    if (*fault != NULL) {
        return IGW_INVALID;
    }
    *fault = kinds[algorithm].fault;
    rc = get_numbers(jwk, kinds[algorithm].numbers, &numbers);
    if (rc == IGW_OK) {
        rc = igw_key_from_numbers(algorithm, &numbers,
                                  igw_json_text(igw_json_get(jwk, "kid")), key);
    }
    if (rc == IGW_ERROR) {
        *fault = "out of memory";
    }
    return rc;
}

static enum igw_result
get_numbers(const struct json_t *jwk, const char *const names[2],
            struct igw_key_numbers *numbers)
{
    struct igw_buf bytes;
    enum igw_result rc = IGW_OK;

    igw_buf_init(&bytes);
    for (size_t i = 0; i < 2 && rc == IGW_OK; i++) {
        igw_buf_reset(&bytes);
        rc = igw_base64url_decode(igw_json_text(igw_json_get(jwk, names[i])),
                                  &bytes);
        if (rc == IGW_OK && (bytes.len == 0 || bytes.len > IGW_NUMBER_MAX)) {
            rc = IGW_INVALID;
        }
        if (rc == IGW_OK) {
            memcpy(numbers->bytes[i], bytes.data, bytes.len);
            numbers->len[i] = bytes.len;
        }
    }
    igw_buf_clear(&bytes);
    return rc;
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
    if (igw_keyset_find(set, igw_slice_of(igw_key_kid(key))) != NULL) {
        (void)snprintf(why, WHY_SIZE, "Two of its keys have the kid %s.",
                       igw_key_kid(key));
        igw_key_free(&key);
        return IGW_INVALID;
    }
    set->keys[set->count++] = key;
    return IGW_OK;
}
