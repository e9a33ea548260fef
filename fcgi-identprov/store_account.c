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
    "  email_key, first_name, last_name, password_hash, groups,"
    "  email_verified, disabled)"
    " SELECT $1::text, $2::text, $3::text,"
    "  $4::text, $5::text, $6::text, $7::text,"
    "  string_to_array(coalesce($8::text, ''), ','), $9::boolean,"
    "  $10::boolean FROM issued"
    " RETURNING id, username, email, first_name, last_name, created_at,"
    "  email_verified, groups"
    ") SELECT" ACCOUNT_COLUMNS " FROM a";

/* Columns of struct credential. */
#define CREDENTIAL_COLUMNS                   \
    ACCOUNT_COLUMNS ","                      \
                    " a.password_hash,"      \
                    " a.credential_version," \
                    " a.disabled"

const char sql_find_credential[] =
    "SELECT" CREDENTIAL_COLUMNS " FROM identprov.account AS a"
    " WHERE a.username_key = $1";

const char sql_find_credential_of[] =
    "SELECT" CREDENTIAL_COLUMNS " FROM identprov.account AS a"
    " WHERE a.id = $1";

const char sql_list_accounts[] =
    "SELECT" CREDENTIAL_COLUMNS ", a.username_key"
    " FROM identprov.account AS a WHERE a.username_key > $1"
    " ORDER BY a.username_key LIMIT 1000";

const char sql_update_hash[] = "UPDATE identprov.account SET password_hash = $3"
                               " WHERE id = $1 AND password_hash = $2";

static void
read_account(struct account *account, const struct igw_rows *rows, size_t row)
{
    account->id = igw_rows_string(rows, row, 0);
    account->username = igw_rows_string(rows, row, 1);
    account->email = igw_rows_string(rows, row, 2);
    account->first_name = igw_rows_string(rows, row, 3);
    account->last_name = igw_rows_string(rows, row, 4);
    account->created_at = igw_rows_string(rows, row, 5);
    account->email_verified = igw_rows_bool(rows, row, 6);
    account->groups = igw_rows_string(rows, row, 7);
}

static void
read_credential(struct credential *credential, const struct igw_rows *rows,
                size_t row)
{
    read_account(&credential->account, rows, row);
    credential->password_hash = igw_rows_string(rows, row, ACCOUNT_WIDTH);
    credential->version = igw_rows_string(rows, row, ACCOUNT_WIDTH + 1);
    credential->is_disabled = igw_rows_bool(rows, row, ACCOUNT_WIDTH + 2);
}

void
store_sql_account(struct account *account, struct igw_rows *rows)
{
    read_account(account, rows, 0);
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
        igw_pg_string(new->username),
        igw_pg_string(new->username_key),
        igw_pg_string(new->email),
        igw_pg_string(new->email_key),
        igw_pg_string(new->first_name),
        igw_pg_string(new->last_name),
        igw_pg_string(new->password_hash),
        igw_pg_string(new->groups),
        igw_pg_string(new->email_verified ? "t" : "f"),
        igw_pg_string(new->is_disabled ? "t" : "f"),
    };
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    rc = igw_pg_exec(pg, ADD_ACCOUNT, params, sizeof(params) / sizeof(*params),
                     &rows);
    if (rc != IGW_OK) {
        *conflict =
            strcmp(igw_pg_constraint(pg), "account_verified_email_unique") == 0
                ? STORE_EMAIL_TAKEN
                : STORE_USERNAME_TAKEN;
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

static enum igw_result
find_credential(struct igw_pg *pg, enum statement statement, const char *by,
                struct credential *credential)
{
    const struct igw_pg_param params[] = { igw_pg_string(by) };
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    memset(credential, 0, sizeof(*credential));
    rc = igw_pg_exec(pg, statement, params, 1, &rows);
    if (rc != IGW_OK) {
        return rc;
    }
    if (igw_rows_count(rows) == 0) {
        igw_rows_free(&rows);
        return IGW_NOT_FOUND;
    }
    read_credential(credential, rows, 0);
    credential->account.rows = rows;
    return IGW_OK;
}

enum igw_result
store_find_credential(struct igw_pg *pg, const char *username_key,
                      struct credential *credential)
{
    return find_credential(pg, FIND_CREDENTIAL, username_key, credential);
}

enum igw_result
store_find_credential_of(struct igw_pg *pg, const char *account_id,
                         struct credential *credential)
{
    return find_credential(pg, FIND_CREDENTIAL_OF, account_id, credential);
}

enum igw_result
store_list_accounts(struct igw_pg *pg, const char *after,
                    struct igw_rows **rows)
{
    const struct igw_pg_param params[] = { igw_pg_string(after) };

    return igw_pg_exec(pg, LIST_ACCOUNTS, params, 1, rows);
}

void
store_account_at(struct igw_rows *rows, size_t row,
                 struct credential *credential, const char **key)
{
    memset(credential, 0, sizeof(*credential));
    read_credential(credential, rows, row);
    *key = igw_rows_string(rows, row, ACCOUNT_WIDTH + 3);
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
