#include "keys.h"

#include <stdio.h>
#include <string.h>

#include "passphrase.h"
#include "store.h"

_Static_assert((int)KEYS_WHY_SIZE == (int)PASSPHRASE_WHY_SIZE,
               "why is passed on");

static enum igw_result
fail_store(struct igw_pg *pg, enum igw_result rc, char why[KEYS_WHY_SIZE])
{
    (void)snprintf(why, KEYS_WHY_SIZE, "the signing keys cannot be read: %s",
                   igw_pg_message(pg));
    return rc;
}

static enum igw_result
fail_key(const char *kid, const char *reason, char why[KEYS_WHY_SIZE])
{
    (void)snprintf(why, KEYS_WHY_SIZE, "signing key %s: %s", kid, reason);
    return IGW_ERROR;
}

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

static enum igw_result
insert_new(struct igw_pg *pg, struct igw_slice passphrase)
{
    struct igw_key *key = igw_key_generate(IGW_ES256);
    struct igw_buf pem;
    struct igw_buf jwk;
    struct stored_key row;
    enum igw_result rc = IGW_ERROR;

    igw_buf_init(&pem);
    igw_buf_init(&jwk);
    if (key == NULL || igw_key_export(key, passphrase, &pem) != IGW_OK
        || put_public(key, &jwk) != IGW_OK) {
        goto done;
    }
    row = (struct stored_key){
        .kid = igw_key_kid(key),
        .public_jwk = igw_buf_slice(&jwk),
        .private_pem = igw_buf_slice(&pem),
    };
    rc = store_add_key(pg, &row);

done:
    igw_buf_clear(&jwk);
    igw_buf_clear(&pem);
    igw_key_free(&key);
    return rc;
}

/* The rows that are there now that nobody else can be making one. */
static enum igw_result
list_or_insert(struct igw_pg *pg, struct igw_slice passphrase,
               struct igw_rows **rows)
{
    enum igw_result rc;

    rc = store_lock_keys(pg);
    if (rc != IGW_OK) {
        return rc;
    }
    rc = store_list_keys(pg, rows);
    if (rc != IGW_OK || igw_rows_count(*rows) > 0) {
        return rc;
    }
    igw_rows_free(rows);
    rc = insert_new(pg, passphrase);
    if (rc != IGW_OK) {
        return rc;
    }
    return store_list_keys(pg, rows);
}

static enum igw_result
make_first(struct igw_pg *pg, struct igw_slice passphrase,
           struct igw_rows **rows, char why[KEYS_WHY_SIZE])
{
    enum igw_result rc;

    rc = igw_pg_begin(pg);
    if (rc != IGW_OK) {
        return fail_store(pg, rc, why);
    }
    rc = list_or_insert(pg, passphrase, rows);
    if (rc != IGW_OK) {
        (void)fail_store(pg, rc, why);
        igw_pg_rollback(pg);
        return rc;
    }
    rc = igw_pg_commit(pg);
    return rc == IGW_OK ? IGW_OK : fail_store(pg, rc, why);
}

static enum igw_result
list(struct igw_pg *pg, struct igw_slice passphrase, struct igw_rows **rows,
     char why[KEYS_WHY_SIZE])
{
    enum igw_result rc = store_list_keys(pg, rows);

    if (rc != IGW_OK) {
        return fail_store(pg, rc, why);
    }
    if (igw_rows_count(*rows) > 0) {
        return IGW_OK;
    }
    igw_rows_free(rows);
    return make_first(pg, passphrase, rows, why);
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

static enum igw_result
put_jwks(const struct igw_rows *rows, struct igw_buf *out,
         char why[KEYS_WHY_SIZE])
{
    struct json_t *set = igw_json_object();
    struct json_t *array = igw_json_array();
    enum igw_result rc = IGW_OK;

    for (size_t i = 0; i < igw_rows_count(rows) && rc == IGW_OK; i++) {
        struct stored_key row = store_key_at(rows, i);

        rc = append_public(array, &row);
        if (rc != IGW_OK) {
            rc = fail_key(row.kid, "its public half is not one", why);
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
open_private(const struct stored_key *row, struct igw_slice passphrase,
             const char *passphrase_file, struct igw_key **key,
             char why[KEYS_WHY_SIZE])
{
    enum igw_result rc = igw_key_import(row->private_pem, passphrase, key);

    if (rc == IGW_DENIED) {
        (void)snprintf(
            why, KEYS_WHY_SIZE,
            "the passphrase in %s does not open signing key %s: bring back"
            " the file that the key was made with, or give the key up"
            " (DELETE FROM identprov.signing_key) and start again",
            passphrase_file, row->kid);
        return rc;
    }
    if (rc != IGW_OK || strcmp(igw_key_kid(*key), row->kid) != 0) {
        return fail_key(row->kid, "its private half is not one", why);
    }
    return IGW_OK;
}

enum igw_result
keys_load(struct igw_pg *pg, const char *passphrase_file, struct keys *keys,
          char why[KEYS_WHY_SIZE])
{
    struct igw_buf passphrase;
    struct igw_rows *rows = NULL;
    struct stored_key newest;
    enum igw_result rc;

    memset(keys, 0, sizeof(*keys));
    igw_buf_init(&keys->jwks);
    igw_buf_init(&passphrase);
    rc = passphrase_read(passphrase_file, &passphrase, why);
    if (rc != IGW_OK) {
        goto done;
    }
    rc = list(pg, igw_buf_slice(&passphrase), &rows, why);
    if (rc != IGW_OK) {
        goto done;
    }
    rc = put_jwks(rows, &keys->jwks, why);
    if (rc != IGW_OK) {
        goto done;
    }
    newest = store_key_at(rows, igw_rows_count(rows) - 1);
    rc = open_private(&newest, igw_buf_slice(&passphrase), passphrase_file,
                      &keys->signing, why);

done:
    igw_rows_free(&rows);
    igw_buf_clear(&passphrase);
    return rc;
}

void
keys_clear(struct keys *keys)
{
    igw_key_free(&keys->signing);
    igw_buf_clear(&keys->jwks);
}

enum igw_result
keys_export(struct igw_pg *pg, const char *passphrase_file,
            struct igw_buf *jwks, char why[KEYS_WHY_SIZE])
{
    struct igw_buf passphrase;
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    igw_buf_init(&passphrase);
    rc = passphrase_read(passphrase_file, &passphrase, why);
    if (rc == IGW_OK) {
        rc = list(pg, igw_buf_slice(&passphrase), &rows, why);
    }
    if (rc == IGW_OK) {
        rc = put_jwks(rows, jwks, why);
    }
    igw_rows_free(&rows);
    igw_buf_clear(&passphrase);
    return rc;
}
