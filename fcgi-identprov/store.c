#include "store.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

enum statement {
    ADD_ACCOUNT,
    FIND_CREDENTIAL,
    UPDATE_HASH,
    ADD_SESSION,
    KEEP_SESSIONS,
    FIND_SESSION,
    REVOKE_SESSIONS,
    TOUCH_SESSIONS,
    LIST_KEYS,
    LOCK_KEYS,
    ADD_KEY
};

/* Columns of struct account, in account_take's order. */
#define ACCOUNT_COLUMNS                              \
    " a.id,"                                         \
    " a.username,"                                   \
    " a.email,"                                      \
    " a.first_name,"                                 \
    " a.last_name,"                                  \
    " to_char(a.created_at AT TIME ZONE 'UTC',"      \
    "         'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')," \
    " a.email_verified"

enum { ACCOUNT_WIDTH = 7 };

/* No row: the e-mail address is another account's, verified. */
static const char add_account[] =
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

static const char find_credential[] = "SELECT" ACCOUNT_COLUMNS ","
                                      " a.password_hash,"
                                      " a.credential_version,"
                                      " a.disabled"
                                      " FROM identprov.account AS a"
                                      " WHERE a.username_key = $1";

static const char update_hash[] =
    "UPDATE identprov.account SET password_hash = $3"
    " WHERE id = $1 AND password_hash = $2";

/*
 * The row lock makes logins of one account wait for each other and for what
 * changes its credential; the session begins once the lock is there.
 */
static const char add_session[] =
    "WITH owner AS ("
    " SELECT id FROM identprov.account"
    " WHERE id = $2 AND credential_version = $3 AND NOT disabled"
    " FOR NO KEY UPDATE"
    "), start AS MATERIALIZED ("
    " SELECT id, clock_timestamp() AS at FROM owner"
    ") INSERT INTO identprov.session AS s (hash, account_id, created_at,"
    "  last_used_at, expires_at)"
    " SELECT $1::bytea, id, at,"
    "  at, at + $4::bigint * interval '1 millisecond' FROM start"
    " RETURNING to_char(s.expires_at AT TIME ZONE 'UTC',"
    "                   'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";

static const char keep_sessions[] =
    "DELETE FROM identprov.session"
    " WHERE account_id = $1 AND hash NOT IN ("
    "  SELECT hash FROM identprov.session"
    "  WHERE account_id = $1 AND expires_at > now()"
    "   AND last_used_at > now() - $2::bigint * interval '1 millisecond'"
    "  ORDER BY hash = $4 DESC, created_at DESC"
    "  LIMIT $3::bigint)";

static const char find_session[] =
    "SELECT" ACCOUNT_COLUMNS ","
    " (1000 * extract(epoch FROM s.expires_at - now()))::bigint,"
    " s.last_used_at <= now() - $3::bigint * interval '1 millisecond'"
    " FROM identprov.session AS s"
    " JOIN identprov.account AS a ON a.id = s.account_id"
    " WHERE s.hash = $1 AND s.expires_at > now() AND NOT a.disabled"
    "  AND s.last_used_at > now() - $2::bigint * interval '1 millisecond'";

static const char revoke_sessions[] =
    "DELETE FROM identprov.session WHERE hash = ANY ($1::bytea[])";

/*
 * Rows that another transaction holds are passed over: a login or logout that
 * deletes them shall neither wait for this nor deadlock with it.
 */
static const char touch_sessions[] =
    "WITH quick AS MATERIALIZED ("
    " SELECT set_config('synchronous_commit', 'off', true)"
    "), used AS MATERIALIZED ("
    " SELECT hash FROM identprov.session"
    " WHERE hash = ANY ($1::bytea[])"
    "  AND last_used_at <= now() - $2::bigint * interval '1 millisecond'"
    " FOR NO KEY UPDATE SKIP LOCKED"
    ") UPDATE identprov.session AS s SET last_used_at = now()"
    " FROM used, quick WHERE s.hash = used.hash";

static const char list_keys[] =
    "SELECT kid, public_jwk, private_pem FROM identprov.signing_key"
    " ORDER BY created_at, kid";

static const char lock_keys[] = "SELECT pg_advisory_xact_lock("
                                "hashtextextended('identprov.signing_key', 0))";

static const char add_key[] =
    "INSERT INTO identprov.signing_key (kid, algorithm, public_jwk,"
    "  private_pem)"
    " VALUES ($1, 'ES256', $2::jsonb, $3)";

const struct igw_pg_statement store_statements[] = {
    [ADD_ACCOUNT] = { "add_account", add_account, false },
    [FIND_CREDENTIAL] = { "find_credential", find_credential, true },
    [UPDATE_HASH] = { "update_hash", update_hash, false },
    [ADD_SESSION] = { "add_session", add_session, false },
    [KEEP_SESSIONS] = { "keep_sessions", keep_sessions, false },
    [FIND_SESSION] = { "find_session", find_session, true },
    [REVOKE_SESSIONS] = { "revoke_sessions", revoke_sessions, false },
    [TOUCH_SESSIONS] = { "touch_sessions", touch_sessions, false },
    [LIST_KEYS] = { "list_keys", list_keys, true },
    [LOCK_KEYS] = { "lock_keys", lock_keys, false },
    [ADD_KEY] = { "add_key", add_key, false },
};

const size_t store_statement_count =
    sizeof(store_statements) / sizeof(store_statements[0]);

/* A number as a parameter; text has to outlive the call. */
enum { NUMBER_SIZE = 24 };

static struct igw_pg_param
number(int64_t value, char text[NUMBER_SIZE])
{
    (void)snprintf(text, NUMBER_SIZE, "%lld", (long long)value);
    return igw_pg_string(text);
}

static struct igw_pg_param
hash_param(const struct session_hash *hash)
{
    return igw_pg_bytes(hash->bytes, sizeof(hash->bytes));
}

enum igw_result
store_check_schema(struct igw_pg *pg)
{
    return igw_migrate_check(pg, STORE_SCHEMA,
                             (int64_t)identprov_migrations_count);
}

enum igw_result
store_migrate(struct igw_pg *pg)
{
    return igw_migrate(pg, STORE_SCHEMA, identprov_migrations,
                       identprov_migrations_count);
}

/* Takes over the rows, whose first row begins with ACCOUNT_COLUMNS. */
static void
account_take(struct account *account, struct igw_rows *rows)
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

enum igw_result
store_add_account(struct igw_pg *pg, const struct new_account *new,
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

    memset(account, 0, sizeof(*account));
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
    account_take(account, rows);
    return IGW_OK;
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
    account_take(&credential->account, rows);
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

static enum igw_result
begin_session(struct igw_pg *pg, const struct new_session *new,
              int64_t absolute_ms, char expires_at[STORE_TIME_SIZE])
{
    char absolute[NUMBER_SIZE];
    const struct igw_pg_param params[] = {
        hash_param(&new->hash),
        igw_pg_string(new->account_id),
        igw_pg_string(new->credential_version),
        number(absolute_ms, absolute),
    };
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    rc = igw_pg_exec(pg, ADD_SESSION, params, 4, &rows);
    if (rc != IGW_OK) {
        return rc;
    }
    if (igw_rows_count(rows) == 1) {
        (void)snprintf(expires_at, STORE_TIME_SIZE, "%s",
                       igw_rows_string(rows, 0, 0));
    } else {
        rc = IGW_DENIED;
    }
    igw_rows_free(&rows);
    return rc;
}

/* Leaves the newest live sessions, the new one always among them. */
static enum igw_result
keep_newest(struct igw_pg *pg, const struct new_session *new,
            const struct session_limits *limits)
{
    char idle[NUMBER_SIZE];
    char max[NUMBER_SIZE];
    const struct igw_pg_param params[] = {
        igw_pg_string(new->account_id),
        number(limits->idle_ms, idle),
        number(limits->max, max),
        hash_param(&new->hash),
    };

    return igw_pg_exec(pg, KEEP_SESSIONS, params, 4, NULL);
}

enum igw_result
store_open_session(struct igw_pg *pg, const struct new_session *new,
                   const struct session_limits *limits,
                   char expires_at[STORE_TIME_SIZE])
{
    enum igw_result rc;

    rc = igw_pg_begin(pg);
    if (rc != IGW_OK) {
        return rc;
    }
    rc = begin_session(pg, new, limits->absolute_ms, expires_at);
    if (rc != IGW_OK) {
        goto fail;
    }
    rc = store_revoke_sessions(pg, new->revoked, new->revoked_count);
    if (rc != IGW_OK) {
        goto fail;
    }
    rc = keep_newest(pg, new, limits);
    if (rc != IGW_OK) {
        goto fail;
    }
    return igw_pg_commit(pg);

fail:
    igw_pg_rollback(pg);
    return rc;
}

enum igw_result
store_find_session(struct igw_pg *pg, const struct session_hash *hash,
                   int64_t idle_ms, int64_t touch_ms,
                   struct live_session *session)
{
    char idle[NUMBER_SIZE];
    char touch[NUMBER_SIZE];
    const struct igw_pg_param params[] = {
        hash_param(hash),
        number(idle_ms, idle),
        number(touch_ms, touch),
    };
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    memset(session, 0, sizeof(*session));
    rc = igw_pg_exec(pg, FIND_SESSION, params, 3, &rows);
    if (rc != IGW_OK) {
        return rc;
    }
    if (igw_rows_count(rows) == 0) {
        igw_rows_free(&rows);
        return IGW_NOT_FOUND;
    }
    account_take(&session->account, rows);
    session->left_ms = igw_rows_integer(rows, 0, ACCOUNT_WIDTH);
    session->use_is_to_record = igw_rows_bool(rows, 0, ACCOUNT_WIDTH + 1);
    return IGW_OK;
}

/* An array literal of bytea: {"\\x0123...","\\x..."} */
static void
put_hashes(struct igw_buf *out, const struct session_hash *hashes, size_t count)
{
    char hex[2 * IGW_SHA256_SIZE + 1];

    igw_buf_puts(out, "{");
    for (size_t i = 0; i < count; i++) {
        igw_hex(hashes[i].bytes, IGW_SHA256_SIZE, hex);
        igw_buf_printf(out, "%s\"\\\\x%s\"", i == 0 ? "" : ",", hex);
    }
    igw_buf_puts(out, "}");
}

/* A statement whose first parameter is hashes, and a second one or none. */
static enum igw_result
exec_hashes(struct igw_pg *pg, enum statement statement,
            const struct session_hash *hashes, size_t count, const char *second)
{
    struct igw_pg_param params[2];
    struct igw_buf list;
    enum igw_result rc = IGW_ERROR;

    igw_buf_init(&list);
    put_hashes(&list, hashes, count);
    if (!list.failed) {
        params[0] = igw_pg_text(igw_buf_slice(&list));
        params[1] = igw_pg_string(second);
        rc = igw_pg_exec(pg, statement, params, second == NULL ? 1 : 2, NULL);
    }
    igw_buf_clear(&list);
    return rc;
}

enum igw_result
store_revoke_sessions(struct igw_pg *pg, const struct session_hash *hashes,
                      size_t count)
{
    if (count == 0) {
        return IGW_OK;
    }
    return exec_hashes(pg, REVOKE_SESSIONS, hashes, count, NULL);
}

enum igw_result
store_touch_sessions(struct igw_pg *pg, const struct session_hash *hashes,
                     size_t count, int64_t touch_ms)
{
    char touch[NUMBER_SIZE];

    (void)number(touch_ms, touch);
    return exec_hashes(pg, TOUCH_SESSIONS, hashes, count, touch);
}

enum igw_result
store_list_keys(struct igw_pg *pg, struct igw_rows **rows)
{
    return igw_pg_exec(pg, LIST_KEYS, NULL, 0, rows);
}

struct stored_key
store_key_at(const struct igw_rows *rows, size_t row)
{
    return (struct stored_key){
        .kid = igw_rows_string(rows, row, 0),
        .public_jwk = igw_rows_text(rows, row, 1),
        .private_pem = igw_rows_text(rows, row, 2),
    };
}

enum igw_result
store_lock_keys(struct igw_pg *pg)
{
    return igw_pg_exec(pg, LOCK_KEYS, NULL, 0, NULL);
}

enum igw_result
store_add_key(struct igw_pg *pg, const struct stored_key *key)
{
    const struct igw_pg_param params[] = {
        igw_pg_string(key->kid),
        igw_pg_text(key->public_jwk),
        igw_pg_text(key->private_pem),
    };

    return igw_pg_exec(pg, ADD_KEY, params, 3, NULL);
}
