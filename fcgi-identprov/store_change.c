#include "store_change.h"

#include <string.h>

#include "store_feed.h"
#include "store_sql.h"

/* Logins of the account wait for the end of this transaction. */
const char sql_lock_account[] =
    "SELECT FROM identprov.account WHERE id = $1 FOR UPDATE";

/* No row: the e-mail address is another account's, verified. */
const char sql_change_person[] =
    "UPDATE identprov.account AS a"
    " SET email = coalesce($2::text, a.email),"
    "  email_key = coalesce($3::text, a.email_key),"
    "  email_verified = a.email_verified"
    "   AND a.email_key = coalesce($3::text, a.email_key),"
    "  first_name = coalesce($4::text, a.first_name),"
    "  last_name = coalesce($5::text, a.last_name)"
    " WHERE a.id = $1 AND NOT EXISTS ("
    "  SELECT FROM identprov.account AS b"
    "  WHERE b.email_key = $3::text AND b.email_verified AND b.id <> $1)"
    " RETURNING" ACCOUNT_COLUMNS;

const char sql_change_password[] =
    "UPDATE identprov.account"
    " SET password_hash = $3, credential_version = credential_version + 1"
    " WHERE id = $1 AND ($2::bigint IS NULL"
    "  OR (credential_version = $2::bigint AND NOT disabled))"
    " RETURNING id";

const char sql_set_disabled[] =
    "UPDATE identprov.account"
    " SET disabled = $2, credential_version = credential_version + 1"
    " WHERE id = $1 RETURNING id";

const char sql_verify_email[] = "UPDATE identprov.account AS a"
                                " SET email_verified = true"
                                " WHERE id = $1 RETURNING id";

const char sql_add_group[] = "UPDATE identprov.account SET groups = ARRAY("
                             "  SELECT name FROM unnest(groups || $2::text)"
                             "   AS g (name) GROUP BY name ORDER BY name)"
                             " WHERE id = $1 RETURNING id";

const char sql_remove_group[] =
    "UPDATE identprov.account SET groups = array_remove(groups, $2::text)"
    " WHERE id = $1 RETURNING id";

const char sql_delete_account[] =
    "DELETE FROM identprov.account WHERE id = $1 AND ($2::bigint IS NULL"
    "  OR (credential_version = $2::bigint AND NOT disabled))"
    " RETURNING id";

const char sql_tell_sessions[] =
    "INSERT INTO identprov.revocation (hash)"
    " SELECT hash FROM identprov.session WHERE account_id = $1";

const char sql_end_sessions[] =
    "WITH gone AS ("
    " DELETE FROM identprov.session"
    " WHERE account_id = $1 AND hash IS DISTINCT FROM $2::bytea"
    " RETURNING hash"
    ")" REVOKE_GONE;

const char sql_end_all_sessions[] =
    "WITH gone AS ("
    " DELETE FROM identprov.session RETURNING hash"
    "), told AS (" REVOKE_GONE " RETURNING 1) SELECT count(*) FROM told";

/* More than the feed tells one by one are a reset. */
const char sql_tell_all[] = "INSERT INTO identprov.revocation (hash)"
                            " SELECT hash FROM identprov.session"
                            " LIMIT $1::bigint";

/* One change; the sessions are told of it, or end. */
struct change {
    enum statement statement;
    const struct igw_pg_param *params;
    size_t param_count;
    bool ends_sessions;
    const struct session_hash *kept;
    const struct audit_entry *audit;
    enum igw_result otherwise; /* when the statement changes nothing */
};

static enum igw_result
lock_account(struct igw_pg *pg, const char *account_id)
{
    const struct igw_pg_param params[] = { igw_pg_string(account_id) };
    struct igw_rows *rows = NULL;
    enum igw_result rc = igw_pg_exec(pg, LOCK_ACCOUNT, params, 1, &rows);

    if (rc == IGW_OK && igw_rows_count(rows) == 0) {
        rc = IGW_NOT_FOUND;
    }
    igw_rows_free(&rows);
    return rc;
}

static enum igw_result
make_change(struct igw_pg *pg, const struct change *change,
            struct igw_rows **rows)
{
    enum igw_result rc = igw_pg_exec(pg, change->statement, change->params,
                                     change->param_count, rows);

    if (rc == IGW_OK && igw_rows_count(*rows) == 0) {
        rc = change->otherwise;
    }
    return rc;
}

static enum igw_result
end_or_tell(struct igw_pg *pg, const char *account_id, bool ends_sessions,
            const struct session_hash *kept)
{
    const struct igw_pg_param params[] = {
        igw_pg_string(account_id),
        kept != NULL ? store_sql_hash(kept) : igw_pg_string(NULL),
    };

    if (ends_sessions) {
        return igw_pg_exec(pg, END_SESSIONS, params, 2, NULL);
    }
    return igw_pg_exec(pg, TELL_SESSIONS, params, 1, NULL);
}

/* Sessions go first, for DELETE_ACCOUNT would take them along untold. */
static enum igw_result
lock_and_change(struct igw_pg *pg, const char *account_id,
                const struct change *change, struct igw_rows **rows)
{
    enum igw_result rc = lock_account(pg, account_id);

    if (rc == IGW_OK) {
        rc = end_or_tell(pg, account_id, change->ends_sessions, change->kept);
    }
    if (rc == IGW_OK && change->params != NULL) {
        rc = make_change(pg, change, rows);
    }
    return rc;
}

static enum igw_result
write_down(struct igw_pg *pg, const char *account_id,
           const struct audit_entry *audit)
{
    struct audit_entry entry = *audit;

    entry.account_id = account_id;
    return store_audit(pg, &entry);
}

/* *rows, if wanted, is the caller's when IGW_OK. */
static enum igw_result
run(struct igw_pg *pg, const char *account_id, const struct change *change,
    struct igw_rows **wanted)
{
    struct igw_rows *rows = NULL;
    enum igw_result rc = igw_pg_begin(pg);

    if (rc != IGW_OK) {
        return rc;
    }
    rc = lock_and_change(pg, account_id, change, &rows);
    if (rc == IGW_OK) {
        rc = write_down(pg, account_id, change->audit);
    }
    if (rc == IGW_OK) {
        rc = igw_pg_commit(pg);
    } else {
        igw_pg_rollback(pg);
    }
    if (rc == IGW_OK && wanted != NULL) {
        *wanted = rows;
    } else {
        igw_rows_free(&rows);
    }
    return rc;
}

enum igw_result
store_change_person(struct igw_pg *pg, const char *account_id,
                    const struct new_person *person,
                    const struct audit_entry *audit, struct account *account)
{
    const struct igw_pg_param params[] = {
        igw_pg_string(account_id),        igw_pg_string(person->email),
        igw_pg_string(person->email_key), igw_pg_string(person->first_name),
        igw_pg_string(person->last_name),
    };
    const struct change change = {
        .statement = CHANGE_PERSON,
        .params = params,
        .param_count = 5,
        .audit = audit,
        .otherwise = IGW_CONFLICT,
    };
    struct igw_rows *rows = NULL;
    enum igw_result rc = run(pg, account_id, &change, &rows);

    memset(account, 0, sizeof(*account));
    if (rc == IGW_OK) {
        store_sql_account(account, rows);
    }
    return rc;
}

enum igw_result
store_change_password(struct igw_pg *pg, const char *account_id,
                      const char *version, const char *hash,
                      const struct session_hash *kept,
                      const struct audit_entry *audit)
{
    const struct igw_pg_param params[] = {
        igw_pg_string(account_id),
        igw_pg_string(version),
        igw_pg_string(hash),
    };
    const struct change change = {
        .statement = CHANGE_PASSWORD,
        .params = params,
        .param_count = 3,
        .ends_sessions = true,
        .kept = kept,
        .audit = audit,
        .otherwise = IGW_DENIED,
    };

    return run(pg, account_id, &change, NULL);
}

enum igw_result
store_set_disabled(struct igw_pg *pg, const char *account_id, bool is_disabled,
                   const struct audit_entry *audit)
{
    const struct igw_pg_param params[] = {
        igw_pg_string(account_id),
        igw_pg_string(is_disabled ? "t" : "f"),
    };
    const struct change change = {
        .statement = SET_DISABLED,
        .params = params,
        .param_count = 2,
        .ends_sessions = true,
        .audit = audit,
        .otherwise = IGW_NOT_FOUND,
    };

    return run(pg, account_id, &change, NULL);
}

enum igw_result
store_verify_email(struct igw_pg *pg, const char *account_id,
                   const struct audit_entry *audit)
{
    const struct igw_pg_param params[] = { igw_pg_string(account_id) };
    const struct change change = {
        .statement = VERIFY_EMAIL,
        .params = params,
        .param_count = 1,
        .audit = audit,
        .otherwise = IGW_NOT_FOUND,
    };

    return run(pg, account_id, &change, NULL);
}

enum igw_result
store_set_group(struct igw_pg *pg, const char *account_id, const char *group,
                bool is_member, const struct audit_entry *audit)
{
    const struct igw_pg_param params[] = {
        igw_pg_string(account_id),
        igw_pg_string(group),
    };
    const struct change change = {
        .statement = is_member ? ADD_GROUP : REMOVE_GROUP,
        .params = params,
        .param_count = 2,
        .audit = audit,
        .otherwise = IGW_NOT_FOUND,
    };

    /* Parted by commas, it would look like several. */
    if (strchr(group, ',') != NULL) {
        return IGW_INVALID;
    }
    return run(pg, account_id, &change, NULL);
}

enum igw_result
store_end_sessions(struct igw_pg *pg, const char *account_id,
                   const struct session_hash *kept,
                   const struct audit_entry *audit)
{
    const struct change change = {
        .ends_sessions = true,
        .kept = kept,
        .audit = audit,
    };

    return run(pg, account_id, &change, NULL);
}

enum igw_result
store_delete_account(struct igw_pg *pg, const char *account_id,
                     const char *version, const struct audit_entry *audit)
{
    const struct igw_pg_param params[] = {
        igw_pg_string(account_id),
        igw_pg_string(version),
    };
    const struct change change = {
        .statement = DELETE_ACCOUNT,
        .params = params,
        .param_count = 2,
        .ends_sessions = true,
        .audit = audit,
        .otherwise = IGW_DENIED,
    };

    return run(pg, account_id, &change, NULL);
}

enum igw_result
store_end_all_sessions(struct igw_pg *pg, const struct audit_entry *audit,
                       int64_t *count)
{
    struct igw_rows *rows = NULL;
    enum igw_result rc = igw_pg_begin(pg);

    if (rc != IGW_OK) {
        return rc;
    }
    rc = igw_pg_exec(pg, END_ALL_SESSIONS, NULL, 0, &rows);
    if (rc == IGW_OK) {
        *count = igw_rows_integer(rows, 0, 0);
        rc = store_audit(pg, audit);
    }
    igw_rows_free(&rows);
    if (rc == IGW_OK) {
        return igw_pg_commit(pg);
    }
    igw_pg_rollback(pg);
    return rc;
}

enum igw_result
store_tell_all(struct igw_pg *pg)
{
    char max[NUMBER_SIZE];
    const struct igw_pg_param params[] = {
        store_sql_number(FEED_ROWS_MAX + 1, max),
    };

    return igw_pg_exec(pg, TELL_ALL, params, 1, NULL);
}
