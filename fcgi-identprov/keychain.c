#include "keychain.h"

#include <stdio.h>
#include <string.h>

#include "passphrase.h"
#include "store_audit.h"

_Static_assert((int)KEYCHAIN_WHY_SIZE == (int)PASSPHRASE_WHY_SIZE,
               "why is passed on");

/* A key's name, and who did something to it. */
enum { DETAIL_SIZE = 128 };

/* A key on its way into the database. */
struct made_key {
    struct igw_key *key;
    struct igw_buf pem;
    struct igw_buf jwk;
};

struct order {
    const struct key_policy *policy;
    const struct made_key *made; /* NULL: none is needed */
    const char *kid;             /* of the key to withdraw */
};

/* What is done under the lock, in a transaction. */
typedef enum igw_result locked_fn(struct igw_pg *pg, const struct order *order,
                                  const struct igw_rows *rows);

static enum igw_result
fail_store(struct igw_pg *pg, enum igw_result rc, char why[KEYCHAIN_WHY_SIZE])
{
    (void)snprintf(why, KEYCHAIN_WHY_SIZE,
                   "the signing keys cannot be read or written: %s",
                   igw_pg_message(pg));
    return rc;
}

static enum igw_result
fail_key(const char *kid, const char *reason, char why[KEYCHAIN_WHY_SIZE])
{
    (void)snprintf(why, KEYCHAIN_WHY_SIZE, "signing key %s: %s", kid, reason);
    return IGW_ERROR;
}

int64_t
keychain_wait_ms(int64_t jwks_max_age_ms)
{
    int64_t margin_ms = jwks_max_age_ms / 5;

    return jwks_max_age_ms
           + (margin_ms > KEYCHAIN_MARGIN_MS ? margin_ms : KEYCHAIN_MARGIN_MS);
}

/* --- making keys -----------------------------------------------------------
 */

/* Appends the public half of a key as JSON text. */
static enum igw_result
put_public(const struct igw_key *key, struct igw_buf *out)
{
    struct json_t *jwk = igw_key_jwk(key);
    enum igw_result rc = IGW_ERROR;

    if (jwk != NULL) {
        rc = igw_json_dump(jwk, out);
    }
    igw_json_free(&jwk);
    return rc;
}

/* Slow, so that it is done outside of the lock. Clear *made in every case. */
static enum igw_result
make_key(const struct key_policy *policy, struct made_key *made,
         char why[KEYCHAIN_WHY_SIZE])
{
    struct igw_buf passphrase;
    enum igw_result rc;

    *made = (struct made_key){ 0 };
    igw_buf_init(&made->pem);
    igw_buf_init(&made->jwk);
    igw_buf_init(&passphrase);
    rc = passphrase_read(policy->passphrase_file, &passphrase, why);
    if (rc != IGW_OK) {
        goto done;
    }
    rc = IGW_ERROR;
    (void)snprintf(why, KEYCHAIN_WHY_SIZE, "a signing key cannot be made");
    made->key = igw_key_generate(policy->algorithm);
    if (made->key == NULL
        || igw_key_export(made->key, igw_buf_slice(&passphrase), &made->pem)
               != IGW_OK) {
        goto done;
    }
    rc = put_public(made->key, &made->jwk);

done:
    igw_buf_clear(&passphrase);
    return rc;
}

static void
clear_made(struct made_key *made)
{
    igw_buf_clear(&made->jwk);
    igw_buf_clear(&made->pem);
    igw_key_free(&made->key);
}

/* Together with what was done, unless that failed. */
static enum igw_result
write_down(struct igw_pg *pg, const struct order *order, enum igw_result rc,
           enum audit_event event, const char *kid)
{
    char detail[DETAIL_SIZE];
    const struct audit_entry entry = { .event = event, .detail = detail };

    (void)snprintf(detail, sizeof(detail), "%s, %s", order->policy->who, kid);
    return rc == IGW_OK ? store_audit(pg, &entry) : rc;
}

static enum igw_result
insert(struct igw_pg *pg, const struct order *order, enum audit_event event,
       int64_t signs_in_ms)
{
    const struct made_key *made = order->made;
    const struct new_key row = {
        .kid = igw_key_kid(made->key),
        .algorithm = igw_algorithm_name(order->policy->algorithm),
        .public_jwk = igw_buf_slice(&made->jwk),
        .private_pem = igw_buf_slice(&made->pem),
        .signs_in_ms = signs_in_ms,
        .token_ttl_ms = order->policy->token_ttl_ms,
        .jwks_max_age_ms = order->policy->jwks_max_age_ms,
    };

    return write_down(pg, order, store_add_key(pg, &row), event, row.kid);
}

/* Whether any key was told less than what this process does. */
static bool
is_to_raise(const struct igw_rows *rows, const struct key_policy *policy)
{
    for (size_t i = 0; i < igw_rows_count(rows); i++) {
        struct stored_key row = store_key_at(rows, i);

        if (row.token_ttl_ms < policy->token_ttl_ms
            || row.jwks_max_age_ms < policy->jwks_max_age_ms) {
            return true;
        }
    }
    return false;
}

static enum igw_result
add_first(struct igw_pg *pg, const struct order *order,
          const struct igw_rows *rows)
{
    return igw_rows_count(rows) > 0 ? IGW_OK
                                    : insert(pg, order, AUDIT_KEY_CREATED, 0);
}

static enum igw_result
raise(struct igw_pg *pg, const struct order *order, const struct igw_rows *rows)
{
    return store_raise_keys(pg, order->policy->token_ttl_ms,
                            order->policy->jwks_max_age_ms);
}

static enum igw_result
delete_retired(struct igw_pg *pg, const struct order *order,
               const struct igw_rows *rows)
{
    enum igw_result rc = IGW_OK;

    for (size_t i = 0; i < igw_rows_count(rows) && rc == IGW_OK; i++) {
        struct stored_key row = store_key_at(rows, i);

        if (row.retires_in_ms < 0) {
            rc = write_down(pg, order, store_delete_key(pg, row.kid),
                            AUDIT_KEY_RETIRED, row.kid);
        }
    }
    return rc;
}

static int64_t
longest_max_age_ms(const struct igw_rows *rows, const struct key_policy *policy)
{
    int64_t longest = policy->jwks_max_age_ms;

    for (size_t i = 0; i < igw_rows_count(rows); i++) {
        struct stored_key row = store_key_at(rows, i);

        longest = row.jwks_max_age_ms > longest ? row.jwks_max_age_ms : longest;
    }
    return longest;
}

static enum igw_result
add_next(struct igw_pg *pg, const struct order *order,
         const struct igw_rows *rows)
{
    int64_t signs_in_ms = 0;
    enum igw_result rc = delete_retired(pg, order, rows);

    if (rc != IGW_OK) {
        return rc;
    }
    if (igw_rows_count(rows) > 0) {
        signs_in_ms = keychain_wait_ms(longest_max_age_ms(rows, order->policy));
    }
    return insert(pg, order, AUDIT_KEY_ROTATED, signs_in_ms);
}

/* What has retired must not be the last one that is left, and sign again. */
static enum igw_result
withdraw(struct igw_pg *pg, const struct order *order,
         const struct igw_rows *rows)
{
    size_t count = igw_rows_count(rows);
    size_t signing = keychain_signing(rows);
    size_t i = 0;
    enum igw_result rc;

    while (i < count && strcmp(store_key_at(rows, i).kid, order->kid) != 0) {
        i++;
    }
    if (i == count) {
        return IGW_NOT_FOUND;
    }
    rc = write_down(pg, order, store_delete_key(pg, order->kid),
                    AUDIT_KEY_WITHDRAWN, order->kid);
    if (rc == IGW_OK) {
        rc = delete_retired(pg, order, rows);
    }
    if (rc != IGW_OK || i != signing) {
        return rc;
    }
    return i + 1 < count ? store_sign_now(pg, store_key_at(rows, i + 1).kid)
                         : insert(pg, order, AUDIT_KEY_CREATED, 0);
}

static enum igw_result
change_locked(struct igw_pg *pg, const struct order *order, locked_fn *change)
{
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    rc = store_lock_keys(pg);
    if (rc == IGW_OK) {
        rc = store_list_keys(pg, &rows);
    }
    if (rc == IGW_OK) {
        rc = change(pg, order, rows);
    }
    igw_rows_free(&rows);
    return rc;
}

/* One process at a time; *rows is what there is then. */
static enum igw_result
change(struct igw_pg *pg, const struct order *order, locked_fn *what,
       struct igw_rows **rows, char why[KEYCHAIN_WHY_SIZE])
{
    enum igw_result rc;

    rc = igw_pg_begin(pg);
    if (rc != IGW_OK) {
        return fail_store(pg, rc, why);
    }
    rc = change_locked(pg, order, what);
    if (rc != IGW_OK) {
        (void)fail_store(pg, rc, why);
        igw_pg_rollback(pg);
        return rc;
    }
    rc = igw_pg_commit(pg);
    if (rc == IGW_OK) {
        rc = store_list_keys(pg, rows);
    }
    return rc == IGW_OK ? IGW_OK : fail_store(pg, rc, why);
}

static enum igw_result
change_by(struct igw_pg *pg, const struct key_policy *policy, const char *kid,
          locked_fn *add, struct igw_rows **rows, char why[KEYCHAIN_WHY_SIZE])
{
    struct made_key made;
    const struct order order = { policy, &made, kid };
    enum igw_result rc = make_key(policy, &made, why);

    if (rc == IGW_OK) {
        rc = change(pg, &order, add, rows, why);
    }
    clear_made(&made);
    return rc;
}

enum igw_result
keychain_list(struct igw_pg *pg, const struct key_policy *policy,
              struct igw_rows **rows, char why[KEYCHAIN_WHY_SIZE])
{
    const struct order order = { .policy = policy };
    enum igw_result rc = store_list_keys(pg, rows);

    if (rc == IGW_OK && igw_rows_count(*rows) == 0) {
        igw_rows_free(rows);
        rc = change_by(pg, policy, NULL, add_first, rows, why);
    } else if (rc != IGW_OK) {
        (void)fail_store(pg, rc, why);
    }
    if (rc != IGW_OK || !is_to_raise(*rows, policy)) {
        return rc;
    }
    igw_rows_free(rows);
    return change(pg, &order, raise, rows, why);
}

/* Keys of several passphrases would be a start that fails some day. */
static enum igw_result
check_passphrase(struct igw_pg *pg, const struct key_policy *policy,
                 char why[KEYCHAIN_WHY_SIZE])
{
    struct igw_rows *rows = NULL;
    struct igw_key *key = NULL;
    struct stored_key newest;
    enum igw_result rc = store_list_keys(pg, &rows);

    if (rc != IGW_OK) {
        return fail_store(pg, rc, why);
    }
    if (igw_rows_count(rows) > 0) {
        newest = store_key_at(rows, igw_rows_count(rows) - 1);
        rc = keychain_open(&newest, policy->passphrase_file, &key, why);
    }
    igw_key_free(&key);
    igw_rows_free(&rows);
    return rc;
}

enum igw_result
keychain_rotate(struct igw_pg *pg, const struct key_policy *policy,
                struct igw_rows **rows, char why[KEYCHAIN_WHY_SIZE])
{
    enum igw_result rc = check_passphrase(pg, policy, why);

    *rows = NULL;
    if (rc != IGW_OK) {
        return rc;
    }
    return change_by(pg, policy, NULL, add_next, rows, why);
}

enum igw_result
keychain_withdraw(struct igw_pg *pg, const struct key_policy *policy,
                  const char *kid, struct igw_rows **rows,
                  char why[KEYCHAIN_WHY_SIZE])
{
    enum igw_result rc;

    *rows = NULL;
    rc = change_by(pg, policy, kid, withdraw, rows, why);
    if (rc == IGW_NOT_FOUND) {
        (void)snprintf(why, KEYCHAIN_WHY_SIZE, "there is no signing key %s",
                       kid);
    }
    return rc;
}

/* --- reading them ----------------------------------------------------------
 */

size_t
keychain_signing(const struct igw_rows *rows)
{
    size_t signing = 0;

    for (size_t i = 0; i < igw_rows_count(rows); i++) {
        if (store_key_at(rows, i).signs_in_ms <= 0) {
            signing = i;
        }
    }
    return signing;
}

/* Takes the row's public half into the array if it is one. */
static enum igw_result
append_public(struct json_t *array, const struct stored_key *row)
{
    struct igw_json_fault fault;
    struct json_t *jwk = NULL;
    struct igw_key *key = NULL;
    enum igw_result rc;

    rc = igw_json_parse(row->public_jwk, &jwk, &fault);
    if (rc != IGW_OK) {
        return rc;
    }
    rc = igw_key_from_jwk(jwk, &key);
    if (rc == IGW_OK && strcmp(igw_key_kid(key), row->kid) != 0) {
        rc = IGW_INVALID;
    }
    if (rc == IGW_OK && !igw_json_append(array, igw_json_share(jwk))) {
        rc = IGW_ERROR;
    }
    igw_key_free(&key);
    igw_json_free(&jwk);
    return rc;
}

enum igw_result
keychain_jwks(const struct igw_rows *rows, struct igw_buf *out,
              char why[KEYCHAIN_WHY_SIZE])
{
    struct json_t *set = igw_json_object();
    struct json_t *array = igw_json_array();
    enum igw_result rc = IGW_OK;

    for (size_t i = 0; i < igw_rows_count(rows) && rc == IGW_OK; i++) {
        struct stored_key row = store_key_at(rows, i);

        if (row.retires_in_ms < 0) {
            continue;
        }
        rc = append_public(array, &row);
        if (rc != IGW_OK) {
            rc = fail_key(row.kid,
                          rc == IGW_ERROR ? "out of memory"
                                          : "its public half is not one",
                          why);
        }
    }
    if (rc == IGW_OK
        && (!igw_json_set(set, "keys", igw_json_share(array))
            || igw_json_dump(set, out) != IGW_OK)) {
        rc = fail_key("set", "out of memory", why);
    }
    igw_json_free(&array);
    igw_json_free(&set);
    return rc;
}

static enum igw_result
open_private(const struct stored_key *row, const char *passphrase_file,
             struct igw_slice passphrase, struct igw_key **key,
             char why[KEYCHAIN_WHY_SIZE])
{
    enum igw_result rc = igw_key_import(row->private_pem, passphrase, key);

    if (rc == IGW_DENIED) {
        (void)snprintf(
            why, KEYCHAIN_WHY_SIZE,
            "the passphrase in %s does not open signing key %s: bring back"
            " the file that the key was made with, or give the key up"
            " (identprov key withdraw %s)",
            passphrase_file, row->kid, row->kid);
        return rc;
    }
    if (rc == IGW_OK && strcmp(igw_key_kid(*key), row->kid) == 0) {
        return IGW_OK;
    }
    igw_key_free(key);
    return fail_key(
        row->kid,
        rc == IGW_ERROR ? "out of memory" : "its private half is not one", why);
}

enum igw_result
keychain_open(const struct stored_key *row, const char *passphrase_file,
              struct igw_key **key, char why[KEYCHAIN_WHY_SIZE])
{
    struct igw_buf passphrase;
    enum igw_result rc;

    *key = NULL;
    igw_buf_init(&passphrase);
    rc = passphrase_read(passphrase_file, &passphrase, why);
    if (rc == IGW_OK) {
        rc = open_private(row, passphrase_file, igw_buf_slice(&passphrase), key,
                          why);
    }
    igw_buf_clear(&passphrase);
    return rc;
}
