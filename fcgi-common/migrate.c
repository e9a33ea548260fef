/*
 * migrate.c: see migrate.h. One row a migration in <schema>.schema_version.
 */
#include "migrate.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "log.h"

/*
 * A migration waits for a table for so long only, and then again after a
 * pause: whoever serves meanwhile waits behind it. Shorter than PostgreSQL's
 * deadlock_timeout (1 s), so a deadlock ends the migration's try and never a
 * user's request.
 */
#define LOCK_TIMEOUT "300ms"
enum { SQL_MAX = 512, ROLE_MAX = 63, TRIES_MAX = 120, PAUSE_MS = 200 };

static enum igw_result current(struct igw_pg *pg, const char *schema,
                               int64_t *version);
static enum igw_result prepare_schema(struct igw_pg *pg, const char *schema);
static enum igw_result apply(struct igw_pg *pg, const char *schema,
                             const struct igw_migration *migration);
static enum igw_result try_once(struct igw_pg *pg, const char *schema,
                                const struct igw_migration *migration);
static enum igw_result apply_locked(struct igw_pg *pg, const char *schema,
                                    const struct igw_migration *migration);
static enum igw_result record(struct igw_pg *pg, const char *schema,
                              const struct igw_migration *migration);
static enum igw_result lock(struct igw_pg *pg, const char *schema);
static bool is_role(const char *role);
static enum igw_result grant_all(struct igw_pg *pg, const char *schema,
                                 const char *role,
                                 const struct igw_grant *grants, size_t count);

enum igw_result
igw_migrate_check(struct igw_pg *pg, const char *schema, int64_t version)
{
    int64_t found = 0;
    enum igw_result rc = current(pg, schema, &found);

    if (rc != IGW_OK) {
        return rc;
    }
    if (found != version && found != version + 1) {
        igw_logf(IGW_LOG_ERROR, "schema_version",
                 "schema \"%s\" has version %lld, this program runs on %lld "
                 "and %lld; its command `migrate` brings it to %lld",
                 schema, (long long)found, (long long)version,
                 (long long)version + 1, (long long)version);
        return IGW_INVALID;
    }
    return IGW_OK;
}

/* 0: there is no such schema, or no migration has run. */
static enum igw_result
current(struct igw_pg *pg, const char *schema, int64_t *version)
{
    struct igw_pg_param param = igw_pg_string(schema);
    struct igw_rows *rows = NULL;
    char sql[SQL_MAX];
    enum igw_result rc;
    bool is_there;

    rc = igw_pg_query(pg,
                      "SELECT to_regclass(quote_ident($1)"
                      " || '.schema_version') IS NOT NULL",
                      &param, 1, &rows);
    is_there = rc == IGW_OK && igw_rows_bool(rows, 0, 0);
    igw_rows_free(&rows);
    if (rc != IGW_OK || !is_there) {
        return rc;
    }

    snprintf(sql, sizeof(sql),
             "SELECT coalesce(max(version), 0) FROM \"%s\".schema_version",
             schema);
    rc = igw_pg_query(pg, sql, NULL, 0, &rows);
    if (rc == IGW_OK) {
        *version = igw_rows_integer(rows, 0, 0);
    }
    igw_rows_free(&rows);
    return rc;
}

enum igw_result
igw_migrate(struct igw_pg *pg, const char *schema,
            const struct igw_migration *list, size_t count)
{
    enum igw_result rc = prepare_schema(pg, schema);

    for (size_t i = 0; i < count && rc == IGW_OK; i++) {
        rc = apply(pg, schema, &list[i]);
    }
    return rc;
}

static enum igw_result
prepare_schema(struct igw_pg *pg, const char *schema)
{
    char sql[SQL_MAX];
    enum igw_result rc = igw_pg_begin(pg);

    snprintf(sql, sizeof(sql),
             "SET LOCAL client_min_messages = warning;"
             "CREATE SCHEMA IF NOT EXISTS \"%s\";"
             "CREATE TABLE IF NOT EXISTS \"%s\".schema_version ("
             " version bigint CONSTRAINT schema_version_pkey PRIMARY KEY,"
             " name text NOT NULL,"
             " applied_at timestamptz NOT NULL DEFAULT clock_timestamp())",
             schema, schema);
    if (rc == IGW_OK) {
        rc = lock(pg, schema);
    }
    if (rc == IGW_OK) {
        rc = igw_pg_script(pg, sql);
    }
    if (rc == IGW_OK) {
        return igw_pg_commit(pg);
    }
    igw_pg_rollback(pg);
    return rc;
}

static enum igw_result
apply(struct igw_pg *pg, const char *schema,
      const struct igw_migration *migration)
{
    const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
    enum igw_result rc = try_once(pg, schema, migration);

    for (int i = 1; i < TRIES_MAX && rc != IGW_OK && igw_pg_is_contended(pg);
         i++) {
        (void)nanosleep(&pause, NULL);
        rc = try_once(pg, schema, migration);
    }
    if (rc != IGW_OK) {
        igw_logf(IGW_LOG_ERROR, "migration_failed", "%s: %s", migration->name,
                 igw_pg_message(pg));
    }
    return rc;
}

static enum igw_result
try_once(struct igw_pg *pg, const char *schema,
         const struct igw_migration *migration)
{
    enum igw_result rc = igw_pg_begin(pg);

    if (rc == IGW_OK) {
        rc = apply_locked(pg, schema, migration);
    }
    if (rc == IGW_OK) {
        return igw_pg_commit(pg);
    }
    igw_pg_rollback(pg);
    return rc;
}

/* Another `migrate` may have been first: looked up under the lock. */
static enum igw_result
apply_locked(struct igw_pg *pg, const char *schema,
             const struct igw_migration *migration)
{
    int64_t version = 0;
    enum igw_result rc = lock(pg, schema);

    if (rc == IGW_OK) {
        rc = igw_pg_script(pg, "SET LOCAL lock_timeout = '" LOCK_TIMEOUT "'");
    }
    if (rc == IGW_OK) {
        rc = current(pg, schema, &version);
    }
    if (rc != IGW_OK || version >= migration->version) {
        return rc;
    }
    rc = igw_pg_script(pg, migration->sql);
    if (rc == IGW_OK) {
        rc = record(pg, schema, migration);
    }
    if (rc == IGW_OK) {
        printf("%s\n", migration->name);
    }
    return rc;
}

static enum igw_result
record(struct igw_pg *pg, const char *schema,
       const struct igw_migration *migration)
{
    struct igw_pg_param row[2];
    char number[24];
    char sql[SQL_MAX];

    snprintf(number, sizeof(number), "%lld", (long long)migration->version);
    snprintf(sql, sizeof(sql),
             "INSERT INTO \"%s\".schema_version (version, name)"
             " VALUES ($1, $2)",
             schema);
    row[0] = igw_pg_string(number);
    row[1] = igw_pg_string(migration->name);
    return igw_pg_query(pg, sql, row, 2, NULL);
}

/* Until the transaction's end; one number per schema. */
static enum igw_result
lock(struct igw_pg *pg, const char *schema)
{
    struct igw_pg_param param = igw_pg_string(schema);

    return igw_pg_query(pg,
                        "SELECT pg_advisory_xact_lock("
                        "hashtextextended('identgw migrate ' || $1, 0))",
                        &param, 1, NULL);
}

enum igw_result
igw_migrate_grant(struct igw_pg *pg, const char *schema, const char *role,
                  const struct igw_grant *grants, size_t count)
{
    enum igw_result rc;

    if (!is_role(role)) {
        return IGW_INVALID;
    }
    rc = igw_pg_begin(pg);
    if (rc == IGW_OK) {
        rc = lock(pg, schema);
    }
    if (rc == IGW_OK) {
        rc = grant_all(pg, schema, role, grants, count);
    }
    if (rc == IGW_OK) {
        return igw_pg_commit(pg);
    }
    igw_pg_rollback(pg);
    return rc;
}

/* What needs no quoting in quotes. */
static bool
is_role(const char *role)
{
    size_t len = strspn(role, "abcdefghijklmnopqrstuvwxyz0123456789_");

    return len > 0 && len <= ROLE_MAX && role[len] == '\0';
}

static enum igw_result
grant_all(struct igw_pg *pg, const char *schema, const char *role,
          const struct igw_grant *grants, size_t count)
{
    char sql[SQL_MAX];
    enum igw_result rc;

    snprintf(sql, sizeof(sql),
             "REVOKE ALL ON ALL TABLES IN SCHEMA \"%s\" FROM \"%s\";"
             "REVOKE ALL ON SCHEMA \"%s\" FROM \"%s\";"
             "GRANT USAGE ON SCHEMA \"%s\" TO \"%s\";"
             "GRANT SELECT ON \"%s\".schema_version TO \"%s\"",
             schema, role, schema, role, schema, role, schema, role);
    rc = igw_pg_script(pg, sql);
    for (size_t i = 0; i < count && rc == IGW_OK; i++) {
        snprintf(sql, sizeof(sql), "GRANT %s ON \"%s\".\"%s\" TO \"%s\"",
                 grants[i].privileges, schema, grants[i].table, role);
        rc = igw_pg_script(pg, sql);
    }
    return rc;
}
