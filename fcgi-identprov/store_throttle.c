#include "store_throttle.h"

#include "store_sql.h"

enum { PRUNE_AT_ONCE = 1000 };

/* A count as in the rows; t is the row. */
#define COUNT_COLUMNS                                                     \
    " coalesce(t.failures, 0),"                                           \
    " coalesce((1000 * extract(epoch FROM t.free_at - clock_timestamp())" \
    "  )::bigint, 0),"                                                    \
    " (1000 * extract(epoch FROM t.turn_at - clock_timestamp()))::bigint"

/* Two rows when nobody has failed before: that is nearly always. */
const char sql_first_attempt[] =
    "INSERT INTO identprov.throttle (key, failures)"
    " SELECT k.key, 1 FROM (VALUES ($1::bytea), ($2::bytea)) AS k (key)"
    " WHERE NOT EXISTS ("
    "  SELECT FROM identprov.throttle WHERE key IN ($1, $2))"
    " ON CONFLICT (key) DO NOTHING RETURNING 1";

const char sql_find_throttle[] =
    "SELECT" COUNT_COLUMNS
    " FROM (VALUES (1, $1::bytea), (2, $2::bytea)) AS k (number, key)"
    " LEFT JOIN identprov.throttle AS t ON t.key = k.key ORDER BY k.number";

/* Locks both rows, the network's first, so that nobody waits in a circle. */
const char sql_lock_throttle[] =
    "INSERT INTO identprov.throttle AS t (key) VALUES ($1), ($2)"
    " ON CONFLICT (key) DO UPDATE SET key = excluded.key"
    " RETURNING" COUNT_COLUMNS;

const char sql_save_throttle[] =
    "UPDATE identprov.throttle AS t SET failures = v.failures,"
    " free_at = clock_timestamp() + v.free_in_ms * interval '1 millisecond',"
    " turn_at = clock_timestamp() + v.turn_in_ms * interval '1 millisecond'"
    " FROM (VALUES ($1::bytea, $2::bigint, $3::bigint, $4::bigint),"
    "  ($5, $6, $7, NULL)) AS v (key, failures, free_in_ms, turn_in_ms)"
    " WHERE t.key = v.key";

const char sql_prune_throttle[] =
    "WITH gone AS (DELETE FROM identprov.throttle WHERE key IN ("
    "  SELECT key FROM identprov.throttle"
    "  WHERE free_at < now() - $1::bigint * interval '1 millisecond'"
    "  ORDER BY free_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED)"
    " RETURNING key) SELECT count(*) FROM gone";

const char sql_forgive[] =
    "WITH gone AS MATERIALIZED ("
    " SELECT k.key FROM (VALUES (1, $1::bytea), (2, $2::bytea))"
    "  AS k (number, key)"
    " JOIN identprov.throttle AS t ON t.key = k.key"
    " ORDER BY k.number FOR UPDATE OF t"
    ") DELETE FROM identprov.throttle AS t USING gone WHERE t.key = gone.key";

/* No row: it has been too often. free_at is when the bucket is full again. */
const char sql_take[] =
    "INSERT INTO identprov.throttle AS t (key, free_at)"
    " VALUES ($1, clock_timestamp() + $2::bigint * interval '1 millisecond')"
    " ON CONFLICT (key) DO UPDATE"
    " SET free_at = greatest(t.free_at, clock_timestamp())"
    "  + $2::bigint * interval '1 millisecond'"
    " WHERE t.free_at <= clock_timestamp()"
    "  + ($3::bigint - 1) * $2::bigint * interval '1 millisecond'"
    " RETURNING 1";

static struct igw_pg_param
key_param(const struct throttle_key *key)
{
    return igw_pg_bytes(key->bytes, sizeof(key->bytes));
}

static struct throttle_count
count_at(const struct igw_rows *rows, size_t row)
{
    return (struct throttle_count){
        .failures = igw_rows_integer(rows, row, 0),
        .free_in_ms = igw_rows_integer(rows, row, 1),
        .has_turn = !igw_rows_is_null(rows, row, 2),
        .turn_in_ms = igw_rows_integer(rows, row, 2),
    };
}

/* With one of the statements that give both counts. */
static enum igw_result
read_counts(struct igw_pg *pg, enum statement statement,
            const struct throttle_keys *keys, struct throttle *state)
{
    const struct igw_pg_param params[] = { key_param(&keys->network),
                                           key_param(&keys->account) };
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    rc = igw_pg_exec(pg, statement, params, 2, &rows);
    if (rc != IGW_OK) {
        return rc;
    }
    if (igw_rows_count(rows) == 2) {
        state->network = count_at(rows, 0);
        state->account = count_at(rows, 1);
    } else {
        rc = IGW_ERROR;
    }
    igw_rows_free(&rows);
    return rc;
}

static enum igw_result
save(struct igw_pg *pg, const struct throttle_keys *keys,
     const struct throttle *state)
{
    const struct throttle_count *network = &state->network;
    const struct throttle_count *account = &state->account;
    char numbers[5][NUMBER_SIZE];
    const struct igw_pg_param params[] = {
        key_param(&keys->network),
        store_sql_number(network->failures, numbers[0]),
        store_sql_number(network->free_in_ms, numbers[1]),
        network->has_turn ? store_sql_number(network->turn_in_ms, numbers[2])
                          : igw_pg_string(NULL),
        key_param(&keys->account),
        store_sql_number(account->failures, numbers[3]),
        store_sql_number(account->free_in_ms, numbers[4]),
    };

    return igw_pg_exec(pg, SAVE_THROTTLE, params,
                       sizeof(params) / sizeof(*params), NULL);
}

/* When two are first at once, the slower one counts twice. */
static enum igw_result
first_attempt(struct igw_pg *pg, const struct throttle_keys *keys,
              bool *is_first)
{
    const struct igw_pg_param params[] = { key_param(&keys->network),
                                           key_param(&keys->account) };
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    rc = igw_pg_exec(pg, FIRST_ATTEMPT, params, 2, &rows);
    if (rc == IGW_OK) {
        *is_first = igw_rows_count(rows) == 2;
    }
    igw_rows_free(&rows);
    return rc;
}

enum igw_result
store_attempt(struct igw_pg *pg, const struct throttle_keys *keys,
              int64_t *wait_ms, int64_t *delay_ms)
{
    struct throttle state;
    bool is_first;
    bool is_changed;
    enum igw_result rc;

    *wait_ms = 0;
    *delay_ms = 0;
    rc = first_attempt(pg, keys, &is_first);
    if (rc != IGW_OK || is_first) {
        return rc;
    }
    /* Who has to wait costs no lock. */
    rc = read_counts(pg, FIND_THROTTLE, keys, &state);
    if (rc != IGW_OK) {
        return rc;
    }
    *wait_ms = throttle_attempt(&state, &is_changed);
    if (!is_changed) {
        return IGW_OK;
    }

    rc = igw_pg_begin(pg);
    if (rc != IGW_OK) {
        return rc;
    }
    rc = read_counts(pg, LOCK_THROTTLE, keys, &state);
    if (rc != IGW_OK) {
        goto fail;
    }
    *wait_ms = throttle_attempt(&state, &is_changed);
    if (!is_changed) {
        goto fail;
    }
    rc = save(pg, keys, &state);
    if (rc != IGW_OK) {
        goto fail;
    }
    *delay_ms = state.network.free_in_ms;
    return igw_pg_commit(pg);

fail:
    igw_pg_rollback(pg);
    return rc;
}

enum igw_result
store_forgive(struct igw_pg *pg, const struct throttle_keys *keys)
{
    const struct igw_pg_param params[] = { key_param(&keys->network),
                                           key_param(&keys->account) };

    return igw_pg_exec(pg, FORGIVE, params, 2, NULL);
}

enum igw_result
store_take(struct igw_pg *pg, const struct throttle_key *key, int64_t step_ms,
           int64_t burst, bool *is_allowed)
{
    char step[NUMBER_SIZE];
    char times[NUMBER_SIZE];
    const struct igw_pg_param params[] = {
        key_param(key),
        store_sql_number(step_ms, step),
        store_sql_number(burst, times),
    };
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    rc = igw_pg_exec(pg, TAKE, params, 3, &rows);
    if (rc == IGW_OK) {
        *is_allowed = igw_rows_count(rows) == 1;
    }
    igw_rows_free(&rows);
    return rc;
}

enum igw_result
store_prune_throttle(struct igw_pg *pg, bool *is_done)
{
    char forget[NUMBER_SIZE];
    char most[NUMBER_SIZE];
    const struct igw_pg_param params[] = {
        store_sql_number(THROTTLE_FORGET_MS, forget),
        store_sql_number(PRUNE_AT_ONCE, most),
    };
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    rc = igw_pg_exec(pg, PRUNE_THROTTLE, params, 2, &rows);
    if (rc == IGW_OK) {
        *is_done = igw_rows_integer(rows, 0, 0) < PRUNE_AT_ONCE;
    }
    igw_rows_free(&rows);
    return rc;
}
