#include "store_feed.h"

#include <string.h>

#include "store_sql.h"

enum { PRUNE_AT_ONCE = 1000 };

/* pg_walfile_name is for a primary only. */
#define EPOCH                                               \
    " (SELECT system_identifier FROM pg_control_system())"  \
    " || '.'"                                               \
    " || left(pg_walfile_name(pg_current_wal_insert_lsn())" \
    "         , 8)"

const char store_feed_setup[] =
    "SELECT set_config('identgw.epoch', CASE WHEN pg_is_in_recovery() THEN ''"
    " ELSE" EPOCH " END, false)";

/* Whatever is visible in snapshot b is visible in a. */
#define COVERS(a, b)                                             \
    " (pg_snapshot_xmax(" a ") >= pg_snapshot_xmax(" b ")"       \
    " AND NOT EXISTS (SELECT FROM pg_snapshot_xip(" a ") AS xip" \
    "                 WHERE pg_visible_in_snapshot(xip, " b ")))"

/*
 * The message makes the statement a transaction that writes, so that its
 * commit is waited for: by then no id below the cursor can be given out again
 * by a crash, and this is the primary. A row that the statement sees and its
 * snapshot does not is from another cluster's dump.
 */
const char sql_poll[] =
    "WITH present AS MATERIALIZED ("
    " SELECT pg_current_snapshot() AS snapshot,"
    " " EPOCH " AS epoch,"
    "  (1000000 * extract(epoch FROM pg_postmaster_start_time()))::bigint"
    "   AS started,"
    "  pg_logical_emit_message(true, 'identgw', '') AS logged_at"
    " WHERE NOT pg_is_in_recovery()"
    "), good AS MATERIALIZED ("
    " SELECT c.snapshot"
    " FROM (SELECT translate($2, '-_', ':,')::pg_snapshot AS snapshot) AS c,"
    "  present AS p, identprov.revocation_floor AS f"
    " WHERE $1 = p.epoch || '.' || p.started"
    "  AND" COVERS("p.snapshot", "c.snapshot") "  AND" COVERS(
        "c.snapshot",
        "f.floor") "), news AS MATERIALIZED ("
                   " SELECT r.hash FROM identprov.revocation AS r"
                   " WHERE r.xid >= (SELECT pg_snapshot_xmin(snapshot) FROM good)"
                   "  AND NOT pg_visible_in_snapshot(r.xid, (SELECT snapshot FROM good))"
                   "  AND pg_visible_in_snapshot(r.xid, (SELECT snapshot FROM present))"
                   " ORDER BY r.xid LIMIT $3::bigint + 1"
                   "), counted AS ("
                   " SELECT count(*) AS count,"
                   "  string_agg(encode(hash, 'hex'), E'\\n') AS hashes FROM news"
                   ") SELECT p.epoch, p.epoch || '.' || p.started,"
                   " translate(p.snapshot::text, ':,', '-_'),"
                   " NOT EXISTS (SELECT FROM good) OR n.count > $3,"
                   " n.count, n.hashes"
                   " FROM present AS p, counted AS n";

const char sql_beat[] = "SELECT pg_logical_emit_message(true, 'identgw', '')"
                        " WHERE NOT pg_is_in_recovery()";

/*
 * A saved snapshot that the present one does not cover is from another
 * cluster's dump. Then all that is visible now goes below the floor.
 */
const char sql_move_floor[] =
    "UPDATE identprov.revocation_floor AS f"
    " SET floor = CASE WHEN" COVERS(
        "pg_current_snapshot()",
        "f.saved") "  THEN f.saved ELSE pg_current_snapshot() END,"
                   " saved = pg_current_snapshot(),"
                   " saved_at = now()"
                   " WHERE f.saved_at <= now() - $1::bigint * interval '1 millisecond'"
                   "  OR f.saved_at > now()"
                   "  OR NOT" COVERS("pg_current_snapshot()",
                                     "f.saved") " RETURNING 1";

const char sql_prune[] =
    "DELETE FROM identprov.revocation WHERE ctid IN ("
    " (SELECT r.ctid FROM identprov.revocation AS r"
    "  WHERE r.xid < (SELECT pg_snapshot_xmax(floor)"
    "                 FROM identprov.revocation_floor)"
    "   AND pg_visible_in_snapshot(r.xid,"
    "        (SELECT floor FROM identprov.revocation_floor))"
    "  ORDER BY r.xid LIMIT $1::bigint)"
    " UNION ALL"
    " (SELECT r.ctid FROM identprov.revocation AS r"
    "  WHERE r.xid >= pg_snapshot_xmax(pg_current_snapshot())"
    "  ORDER BY r.xid LIMIT $1::bigint)"
    ") RETURNING 1";

enum igw_result
store_poll(struct igw_pg *pg, const struct feed_cursor *cursor,
           struct feed *feed)
{
    char max[NUMBER_SIZE];
    const bool is_given = cursor->snapshot.len > 0;
    const struct igw_pg_param params[] = {
        is_given ? igw_pg_text(cursor->history) : igw_pg_string(NULL),
        is_given ? igw_pg_text(cursor->snapshot) : igw_pg_string(NULL),
        store_sql_number(FEED_ROWS_MAX, max),
    };
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    memset(feed, 0, sizeof(*feed));
    rc = igw_pg_exec(pg, POLL, params, 3, &rows);
    if (rc != IGW_OK) {
        return rc;
    }
    if (igw_rows_count(rows) != 1) {
        igw_rows_free(&rows);
        return IGW_UNAVAILABLE;
    }
    feed->rows = rows;
    feed->epoch = igw_rows_string(rows, 0, 0);
    feed->history = igw_rows_string(rows, 0, 1);
    feed->snapshot = igw_rows_string(rows, 0, 2);
    feed->is_reset = igw_rows_bool(rows, 0, 3);
    if (!feed->is_reset) {
        feed->count = igw_rows_integer(rows, 0, 4);
        feed->hashes = igw_rows_text(rows, 0, 5);
    }
    return IGW_OK;
}

void
feed_clear(struct feed *feed)
{
    igw_rows_free(&feed->rows);
    memset(feed, 0, sizeof(*feed));
}

enum igw_result
store_beat(struct igw_pg *pg)
{
    struct igw_rows *rows = NULL;
    enum igw_result rc = igw_pg_exec(pg, BEAT, NULL, 0, &rows);

    if (rc == IGW_OK && igw_rows_count(rows) != 1) {
        rc = IGW_UNAVAILABLE;
    }
    igw_rows_free(&rows);
    return rc;
}

enum igw_result
store_move_floor(struct igw_pg *pg, int64_t interval_ms, bool *is_moved)
{
    char interval[NUMBER_SIZE];
    const struct igw_pg_param params[] = {
        store_sql_number(interval_ms, interval),
    };

    struct igw_rows *rows = NULL;
    enum igw_result rc = igw_pg_exec(pg, MOVE_FLOOR, params, 1, &rows);

    *is_moved = rc == IGW_OK && igw_rows_count(rows) > 0;
    igw_rows_free(&rows);
    return rc;
}

enum igw_result
store_prune(struct igw_pg *pg, bool *is_done)
{
    char max[NUMBER_SIZE];
    const struct igw_pg_param params[] = {
        store_sql_number(PRUNE_AT_ONCE, max),
    };
    struct igw_rows *rows = NULL;
    enum igw_result rc = igw_pg_exec(pg, PRUNE, params, 1, &rows);

    *is_done = rc != IGW_OK || igw_rows_count(rows) < PRUNE_AT_ONCE;
    igw_rows_free(&rows);
    return rc;
}
