#include "store_account.h"

#include <string.h>

#include "store_sql.h"

/* No row: the e-mail address is another account's, verified. */
const char sql_add_account[] =
    "WITH free AS ("
    " SELECT WHERE NOT EXISTS ("
    "  SELECT FROM identprov.account"
    "  WHERE email_key = $4 AND email_verified)"
    "), issued AS ("
    " INSERT INTO identprov.issued_username (hash)"
    " SELECT sha256(convert_to($2::text, 'UTF8')) FROM free"
    " RETURNING hash"
    "), a AS ("
    " INSERT INTO identprov.account (username, username_key, email,"
    "  email_key, first_name, last_name, password_hash)"
    " SELECT $1::text, $2::text, $3::text,"
    "  $4::text, $5::text, $6::text, $7::text FROM issued"
    " RETURNING id, username, email, first_name, last_name, created_at,"
    "  email_verified"
    ") SELECT" ACCOUNT_COLUMNS " FROM a";

const char sql_find_credential[] = "SELECT" ACCOUNT_COLUMNS ","
                                   " a.password_hash,"
                                   " a.credential_version,"
                                   " a.disabled"
                                   " FROM identprov.account AS a"
                                   " WHERE a.username_key = $1";

const char sql_update_hash[] = "UPDATE identprov.account SET password_hash = $3"
                               " WHERE id = $1 AND password_hash = $2";

void
store_sql_account(struct account *account, struct igw_rows *rows)
{
    account->id = igw_rows_string(rows, 0, 0);
    account->username = igw_rows_string(rows, 0, 1);
    account->email = igw_rows_string(rows, 0, 2);
    account->first_name = igw_rows_string(rows, 0, 3);
    account->last_name = igw_rows_string(rows, 0, 4);
    account->created_at = igw_rows_string(rows, 0, 5);
    account->email_verified = igw_rows_bool(rows, 0, 6);
    account->rows = rows;
}

void
account_clear(struct account *account)
{
    igw_rows_free(&account->rows);
    memset(account, 0, sizeof(*account));
}

static enum igw_result
add_account(struct igw_pg *pg, const struct new_account *new,
            struct account *account, enum store_conflict *conflict)
{
    const struct igw_pg_param params[] = {
        igw_pg_string(new->username),      igw_pg_string(new->username_key),
        igw_pg_string(new->email),         igw_pg_string(new->email_key),
        igw_pg_string(new->first_name),    igw_pg_string(new->last_name),
        igw_pg_string(new->password_hash),
    };
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    rc = igw_pg_exec(pg, ADD_ACCOUNT, params, sizeof(params) / sizeof(*params),
                     &rows);
    if (rc != IGW_OK) {
        *conflict = STORE_USERNAME_TAKEN;
        return rc;
    }
    if (igw_rows_count(rows) == 0) {
        igw_rows_free(&rows);
        *conflict = STORE_EMAIL_TAKEN;
        return IGW_CONFLICT;
    }
    store_sql_account(account, rows);
    return IGW_OK;
}

enum igw_result
store_register(struct igw_pg *pg, const struct new_account *new,
               const struct audit_entry *audit, struct account *account,
               enum store_conflict *conflict)
{
    struct audit_entry entry = *audit;
    enum igw_result rc;

    memset(account, 0, sizeof(*account));
    rc = igw_pg_begin(pg);
    if (rc != IGW_OK) {
        return rc;
    }
    rc = add_account(pg, new, account, conflict);
    if (rc != IGW_OK) {
        goto fail;
    }
    entry.account_id = account->id;
    rc = store_audit(pg, &entry);
    if (rc != IGW_OK) {
        goto fail;
    }
    rc = igw_pg_commit(pg);
    if (rc != IGW_OK) {
        account_clear(account);
    }
    return rc;

fail:
    igw_pg_rollback(pg);
    account_clear(account);
    return rc;
}

enum igw_result
store_find_credential(struct igw_pg *pg, const char *username_key,
                      struct credential *credential)
{
    const struct igw_pg_param params[] = { igw_pg_string(username_key) };
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    memset(credential, 0, sizeof(*credential));
    rc = igw_pg_exec(pg, FIND_CREDENTIAL, params, 1, &rows);
    if (rc != IGW_OK) {
        return rc;
    }
    if (igw_rows_count(rows) == 0) {
        igw_rows_free(&rows);
        return IGW_NOT_FOUND;
    }
    store_sql_account(&credential->account, rows);
    credential->password_hash = igw_rows_string(rows, 0, ACCOUNT_WIDTH);
    credential->version = igw_rows_string(rows, 0, ACCOUNT_WIDTH + 1);
    credential->is_disabled = igw_rows_bool(rows, 0, ACCOUNT_WIDTH + 2);
    return IGW_OK;
}

enum igw_result
store_update_hash(struct igw_pg *pg, const char *account_id, const char *old,
                  const char *new)
{
    const struct igw_pg_param params[] = {
        igw_pg_string(account_id),
        igw_pg_string(old),
        igw_pg_string(new),
    };

    return igw_pg_exec(pg, UPDATE_HASH, params, 3, NULL);
}
