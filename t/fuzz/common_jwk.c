/*
 * A set of keys that is taken has keys, each found by its kid, public, and the
 * same when it is written and read again.
 */
#include "fuzz.h"
#include "jwk.h"

/*
 * OpenSSL tries a modulus with random numbers: one with a prime factor just
 * above those that it divides by (up to 751) is refused once in a hundred.
 */
enum { READS = 20 };

static void
read_again(const struct json_t *jwk, struct igw_key **key)
{
    for (int i = 0; i < READS && *key == NULL; i++) {
        (void)igw_key_from_jwk(jwk, key);
    }
}

static void
check_key(const struct igw_key *key)
{
    struct json_t *jwk = igw_key_jwk(key);
    struct igw_key *again = NULL;

    MUST(!igw_key_is_private(key));
    MUST(jwk != NULL && igw_json_get(jwk, "d") == NULL);
    read_again(jwk, &again);
    MUST(again != NULL);
    MUST(strcmp(igw_key_kid(again), igw_key_kid(key)) == 0);
    MUST(igw_key_algorithm(again) == igw_key_algorithm(key));
    igw_key_free(&again);
    igw_json_free(&jwk);
}

static void
check_found(const struct igw_keyset *set, struct igw_slice text)
{
    struct igw_json_fault fault;
    struct json_t *json = NULL;
    const struct json_t *list;
    size_t found = 0;

    MUST(igw_json_parse(text, &json, &fault) == IGW_OK);
    list = igw_json_get(json, "keys");
    for (size_t i = 0; i < igw_json_size(list); i++) {
        const struct json_t *jwk = igw_json_at(list, i);
        struct igw_slice kid = igw_json_text(igw_json_get(jwk, "kid"));
        const struct igw_key *key = igw_keyset_find(set, kid);

        if (key != NULL) {
            MUST(igw_slice_is(kid, igw_key_kid(key)));
            check_key(key);
            found++;
        }
    }
    MUST(found > 0);
    igw_json_free(&json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    struct igw_keyset *set = NULL;
    char why[160] = "";
    enum igw_result rc =
        igw_keyset_parse((struct igw_slice){ text, size }, &set, why);

    MUST((rc == IGW_OK) == (set != NULL));
    MUST(rc == IGW_OK || why[0] != '\0');
    if (set != NULL) {
        check_found(set, (struct igw_slice){ text, size });
    }
    igw_keyset_free(&set);
    free(text);
    return 0;
}
