#include "store_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_sql.h"
#include "text.h"

enum { WALK_AT_ONCE = 1000 };

/*
 * The row lock makes logins of one account wait for each other and for what
 * changes its credential; the session begins once the lock is there.
 */
const char sql_add_session[] =
    "WITH owner AS ("
    " SELECT id FROM identprov.account"
    " WHERE id = $2 AND credential_version = $3 AND NOT disabled"
    " FOR NO KEY UPDATE"
    "), start AS MATERIALIZED ("
    " SELECT id, clock_timestamp() AS at FROM owner"
    ") INSERT INTO identprov.session AS s (hash, account_id, created_at,"
    "  last_used_at, expires_at, address, agent)"
    " SELECT $1::bytea, id, at,"
    "  at, at + $4::bigint * interval '1 millisecond', $5, $6 FROM start"
    " RETURNING" TIME_OF("s.expires_at");

/* Behind "WITH gone AS (... RETURNING hash, account_id)", of gone `which`. */
#define TELL_AND_WRITE_DOWN(which)                               \
    ", told AS (" REVOKE_GONE ") INSERT INTO identprov.audit"    \
    " (event, account_id, sid, request_id, address, detail)"     \
    " SELECT $2, account_id, encode(substr(hash, 1, 8), 'hex')," \
    "  $3, $4, $5 FROM gone " which " RETURNING 1"

/* What is over already goes, too, and is not worth a line. */
#define IS_LIVE           \
    "(expires_at > now()" \
    " AND last_used_at > now() - $6::bigint * interval '1 millisecond')"

const char sql_keep_sessions[] =
    "WITH gone AS ("
    " DELETE FROM identprov.session"
    " WHERE account_id = $1 AND hash NOT IN ("
    "  SELECT hash FROM identprov.session"
    "  WHERE account_id = $1 AND " IS_LIVE
    "  ORDER BY hash = $8 DESC, created_at DESC"
    "  LIMIT $7::bigint)"
    " RETURNING hash, account_id, " IS_LIVE " AS was_live"
    ")" TELL_AND_WRITE_DOWN("WHERE was_live");

const char sql_find_session[] =
    "SELECT" ACCOUNT_COLUMNS ","
    " (1000 * extract(epoch FROM s.expires_at - now()))::bigint,"
    " s.last_used_at <= now() - $3::bigint * interval '1 millisecond',"
    " current_setting('identgw.epoch')"
    " FROM identprov.session AS s"
    " JOIN identprov.account AS a ON a.id = s.account_id"
    " WHERE s.hash = $1 AND s.expires_at > now() AND NOT a.disabled"
    "  AND s.last_used_at > now() - $2::bigint * interval '1 millisecond'";

const char sql_count_sessions[] =
    "SELECT CASE WHEN n_live_tup > 100000 THEN n_live_tup ELSE ("
    "  SELECT count(*) FROM identprov.session"
    "  WHERE expires_at > now()"
    "   AND last_used_at > now() - $1::bigint * interval '1 millisecond')"
    " END FROM pg_stat_user_tables"
    " WHERE relid = 'identprov.session'::regclass";

const char sql_revoke_sessions[] =
    "WITH gone AS ("
    " DELETE FROM identprov.session WHERE hash = ANY ($1::bytea[])"
    " RETURNING hash, account_id"
    ")" TELL_AND_WRITE_DOWN("");

const char sql_end_session[] =
    "WITH gone AS ("
    " DELETE FROM identprov.session"
    " WHERE account_id = $1 AND encode(substr(hash, 1, 8), 'hex') = $6"
    " RETURNING hash, account_id"
    ")" TELL_AND_WRITE_DOWN("");

const char sql_list_sessions[] =
    "SELECT encode(substr(hash, 1, 8), 'hex'), hash = $2::bytea," TIME_OF("created_at") "," TIME_OF(
        "last_used_at") "," TIME_OF("expires_at") ", address, agent"
                                                  " FROM identprov.session"
                                                  " WHERE account_id = $1 AND expires_at > now()"
                                                  "  AND last_used_at > now() - $3::bigint * interval '1 millisecond'"
                                                  " ORDER BY created_at DESC, hash";

/* In the order of the primary key: last_used_at is in no index. */
const char sql_remove_expired[] =
    "WITH seen AS MATERIALIZED ("
    " SELECT hash, expires_at <= now()"
    "  OR last_used_at <= now() - $2::bigint * interval '1 millisecond'"
    "  AS is_over"
    " FROM identprov.session WHERE hash > $1::bytea"
    " ORDER BY hash LIMIT $3::bigint"
    "), locked AS MATERIALIZED ("
    " SELECT hash FROM identprov.session"
    " WHERE hash = ANY (ARRAY(SELECT hash FROM seen WHERE is_over))"
    "  AND (expires_at <= now()"
    "   OR last_used_at <= now() - $2::bigint * interval '1 millisecond')"
    " FOR UPDATE SKIP LOCKED"
    "), gone AS ("
    " DELETE FROM identprov.session"
    " WHERE hash = ANY (ARRAY(SELECT hash FROM locked))"
    ") SELECT (SELECT count(*) FROM seen),"
    " (SELECT encode(hash, 'hex') FROM seen ORDER BY hash DESC LIMIT 1)";

/*
 * Rows that another transaction holds are passed over: a login or logout that
 * deletes them shall neither wait for this nor deadlock with it.
 */
const char sql_touch_sessions[] =
    "WITH quick AS MATERIALIZED ("
    " SELECT set_config('synchronous_commit', 'off', true)"
    "), used AS MATERIALIZED ("
    " SELECT hash FROM identprov.session"
    " WHERE hash = ANY ($1::bytea[])"
    "  AND last_used_at <= now() - $2::bigint * interval '1 millisecond'"
    " FOR NO KEY UPDATE SKIP LOCKED"
    ") UPDATE identprov.session AS s SET last_used_at = now()"
    " FROM used, quick WHERE s.hash = used.hash";

static enum igw_result
begin_session(struct igw_pg *pg, const struct new_session *new,
              int64_t absolute_ms, char expires_at[STORE_TIME_SIZE])
{
    char absolute[NUMBER_SIZE];
    char address[ADDRESS_MAX + 1];
    const struct igw_pg_param params[] = {
        store_sql_hash(&new->hash),
        igw_pg_string(new->account_id),
        igw_pg_string(new->credential_version),
        store_sql_number(absolute_ms, absolute),
        store_sql_address(new->address, address),
        igw_pg_text(new->agent),
    };
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    rc = igw_pg_exec(pg, ADD_SESSION, params, 6, &rows);
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
            const struct session_limits *limits,
            const struct audit_entry *audit)
{
    char address[ADDRESS_MAX + 1];
    char idle[NUMBER_SIZE];
    char max[NUMBER_SIZE];
    struct igw_pg_param params[AUDIT_PARAMS + 4];

    params[0] = igw_pg_string(new->account_id);
    store_sql_audit(audit, address, params + 1);
    params[AUDIT_PARAMS + 1] = store_sql_number(limits->idle_ms, idle);
    params[AUDIT_PARAMS + 2] = store_sql_number(limits->max, max);
    params[AUDIT_PARAMS + 3] = store_sql_hash(&new->hash);
    return igw_pg_exec(pg, KEEP_SESSIONS, params, AUDIT_PARAMS + 4, NULL);
}

enum igw_result
store_open_session(struct igw_pg *pg, const struct new_session *new,
                   const struct session_limits *limits,
                   char expires_at[STORE_TIME_SIZE])
{
    struct audit_entry revoked = new->audit;
    enum igw_result rc;

    rc = igw_pg_begin(pg);
    if (rc != IGW_OK) {
        return rc;
    }
    rc = begin_session(pg, new, limits->absolute_ms, expires_at);
    if (rc != IGW_OK) {
        goto fail;
    }
    revoked.event = AUDIT_SESSION_REVOKED;
    revoked.detail = "login";
    rc = store_revoke_sessions(pg, new->revoked, new->revoked_count, &revoked);
    if (rc != IGW_OK) {
        goto fail;
    }
    revoked.detail = "session limit";
    rc = keep_newest(pg, new, limits, &revoked);
    if (rc != IGW_OK) {
        goto fail;
    }
    rc = store_forgive(pg, new->forgiven);
    if (rc != IGW_OK) {
        goto fail;
    }
    rc = store_audit(pg, &new->audit);
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
        store_sql_hash(hash),
        store_sql_number(idle_ms, idle),
        store_sql_number(touch_ms, touch),
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
    store_sql_account(&session->account, rows);
    session->left_ms = igw_rows_integer(rows, 0, ACCOUNT_WIDTH);
    session->use_is_to_record = igw_rows_bool(rows, 0, ACCOUNT_WIDTH + 1);
    session->epoch = igw_rows_string(rows, 0, ACCOUNT_WIDTH + 2);
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

/* A statement whose first parameter, to be set here, is hashes. */
static enum igw_result
exec_hashes(struct igw_pg *pg, enum statement statement,
            const struct session_hash *hashes, size_t count,
            struct igw_pg_param *params, size_t param_count)
{
    struct igw_buf list;
    enum igw_result rc = IGW_ERROR;

    igw_buf_init(&list);
    put_hashes(&list, hashes, count);
    if (!list.failed) {
        params[0] = igw_pg_text(igw_buf_slice(&list));
        rc = igw_pg_exec(pg, statement, params, param_count, NULL);
    }
    igw_buf_clear(&list);
    return rc;
}

enum igw_result
store_revoke_sessions(struct igw_pg *pg, const struct session_hash *hashes,
                      size_t count, const struct audit_entry *audit)
{
    char address[ADDRESS_MAX + 1];
    struct igw_pg_param params[1 + AUDIT_PARAMS];

    if (count == 0) {
        return IGW_OK;
    }
    store_sql_audit(audit, address, params + 1);
    return exec_hashes(pg, REVOKE_SESSIONS, hashes, count, params,
                       1 + AUDIT_PARAMS);
}

enum igw_result
store_touch_sessions(struct igw_pg *pg, const struct session_hash *hashes,
                     size_t count, int64_t touch_ms)
{
    char touch[NUMBER_SIZE];
    struct igw_pg_param params[2];

    params[1] = store_sql_number(touch_ms, touch);
    return exec_hashes(pg, TOUCH_SESSIONS, hashes, count, params, 2);
}

enum igw_result
store_end_session(struct igw_pg *pg, const char *account_id, const char *sid,
                  const struct audit_entry *audit)
{
    char address[ADDRESS_MAX + 1];
    struct igw_pg_param params[2 + AUDIT_PARAMS];
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    params[0] = igw_pg_string(account_id);
    store_sql_audit(audit, address, params + 1);
    params[1 + AUDIT_PARAMS] = igw_pg_string(sid);
    rc = igw_pg_exec(pg, END_SESSION, params, 2 + AUDIT_PARAMS, &rows);
    if (rc == IGW_OK && igw_rows_count(rows) == 0) {
        rc = IGW_NOT_FOUND;
    }
    igw_rows_free(&rows);
    return rc;
}

enum igw_result
store_list_sessions(struct igw_pg *pg, const char *account_id,
                    const struct session_hash *current, int64_t idle_ms,
                    struct igw_rows **rows)
{
    char idle[NUMBER_SIZE];
    const struct igw_pg_param params[] = {
        igw_pg_string(account_id),
        store_sql_hash(current),
        store_sql_number(idle_ms, idle),
    };

    return igw_pg_exec(pg, LIST_SESSIONS, params, 3, rows);
}

struct listed_session
store_session_at(const struct igw_rows *rows, size_t row)
{
    return (struct listed_session){
        .sid = igw_rows_string(rows, row, 0),
        .is_current = igw_rows_bool(rows, row, 1),
        .created_at = igw_rows_string(rows, row, 2),
        .last_used_at = igw_rows_string(rows, row, 3),
        .expires_at = igw_rows_string(rows, row, 4),
        .address = igw_rows_string(rows, row, 5),
        .agent = igw_rows_string(rows, row, 6),
    };
}

/* walk->last from the digits that the database has made of it. */
static void
walk_to(struct session_walk *walk, const char *hex)
{
    char digits[3] = "";
    char *end;

    for (size_t i = 0; i < sizeof(walk->last.bytes); i++) {
        snprintf(digits, sizeof(digits), "%s", hex);
        walk->last.bytes[i] = (unsigned char)strtoul(digits, &end, 16);
        if (end != digits + 2) {
            walk->has_ended = true;
            return;
        }
        hex += 2;
    }
}

enum igw_result
store_remove_expired(struct igw_pg *pg, int64_t idle_ms,
                     struct session_walk *walk)
{
    char idle[NUMBER_SIZE];
    char max[NUMBER_SIZE];
    const struct igw_pg_param params[] = {
        store_sql_hash(&walk->last),
        store_sql_number(idle_ms, idle),
        store_sql_number(WALK_AT_ONCE, max),
    };
    struct igw_rows *rows = NULL;
    enum igw_result rc = igw_pg_exec(pg, REMOVE_EXPIRED, params, 3, &rows);

    walk->has_ended =
        rc != IGW_OK || igw_rows_integer(rows, 0, 0) < WALK_AT_ONCE;
    if (!walk->has_ended) {
        walk_to(walk, igw_rows_string(rows, 0, 1));
    }
    igw_rows_free(&rows);
    return rc;
}

enum igw_result
store_count_sessions(struct igw_pg *pg, int64_t idle_ms, int64_t *count)
{
    char idle[NUMBER_SIZE];
    const struct igw_pg_param params[] = { store_sql_number(idle_ms, idle) };
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    rc = igw_pg_exec(pg, COUNT_SESSIONS, params, 1, &rows);
    if (rc == IGW_OK && igw_rows_count(rows) != 1) {
        rc = IGW_NOT_FOUND;
    }
    if (rc == IGW_OK) {
        *count = igw_rows_integer(rows, 0, 0);
    }
    igw_rows_free(&rows);
    return rc;
}
