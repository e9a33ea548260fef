/*
 * pg.h: one PostgreSQL connection of one thread, over libpq, which pg.c alone
 * includes. It knows nothing of tables.
 *
 * Connects at the first use and, when broken, again at the next. Commits are
 * synchronous, whatever the server's setting. A statement
 * has a time-out on the server and, half a second later, a deadline here; past
 * that the connection is closed (a write is never
 * cancelled: PQcancel during the synchronous-commit wait reports success)
 * and the outcome is unknown: IGW_UNAVAILABLE; the next connection ends the
 * server process that was left with it. A notice that the synchronous
 * wait was cut short makes the statement IGW_UNAVAILABLE, too. A connection
 * with any protocol surprise is closed, never used again.
 */
#ifndef IGW_PG_H
#define IGW_PG_H

#include "igw.h"

struct igw_pg;
struct igw_rows;

struct igw_pg_statement {
    const char *name;   /* of the prepared statement */
    const char *sql;    /* constant, with $1... */
    bool is_repeatable; /* reads only: asked again once on a new connection
                           when the old one broke under it */
};

struct igw_pg_config {
    const char *conninfo; /* target_session_attrs=read-write is added */
    const char *application_name;
    const char *setup; /* SQL for every new connection, or NULL */
    const struct igw_pg_statement *statements; /* indexed by the app's enum */
    size_t statement_count;
    int64_t connect_timeout_ms; /* per host; libpq counts in seconds, from 2 */
    int64_t statement_timeout_ms; /* 0: none, for migrations */
};

/*
 * What is wrong with a connection string, or NULL; the text has none of its
 * words. A password is wrong, there as in PGPASSWORD: others can read the
 * environment; libpq reads one from a file (passfile=).
 */
const char *igw_pg_conninfo_fault(const char *conninfo) IGW_MUST_CHECK;

struct igw_pg *igw_pg_new(const struct igw_pg_config *config) IGW_MUST_CHECK;
void igw_pg_free(struct igw_pg **pg);

enum igw_pg_type { IGW_PG_NULL, IGW_PG_TEXT, IGW_PG_BYTES };

struct igw_pg_param {
    enum igw_pg_type type; /* TEXT: any SQL type; BYTES: bytea, sent binary */
    struct igw_slice value;
};

struct igw_pg_param igw_pg_text(struct igw_slice text);
struct igw_pg_param igw_pg_string(const char *text); /* NULL: SQL NULL */
struct igw_pg_param igw_pg_bytes(const void *data, size_t len);

enum { IGW_PG_PARAMS_MAX = 32 };

/*
 * Runs one prepared statement, preparing it first on a new connection. *rows
 * (may be NULL when not wanted) is the caller's, freed by igw_rows_free.
 * IGW_INVALID: a text with a NUL, which libpq would cut; nothing is sent.
 * IGW_CONFLICT: unique or exclusion constraint, IGW_INVALID: check, not-null,
 * foreign key or data exception, each with its name in igw_pg_constraint.
 * Serialization failures and deadlocks are IGW_UNAVAILABLE.
 */
enum igw_result igw_pg_exec(struct igw_pg *pg, size_t statement,
                            const struct igw_pg_param *params,
                            size_t param_count,
                            struct igw_rows **rows) IGW_MUST_CHECK;

/* The same for a statement that is asked once, not prepared. */
enum igw_result igw_pg_query(struct igw_pg *pg, const char *sql,
                             const struct igw_pg_param *params,
                             size_t param_count,
                             struct igw_rows **rows) IGW_MUST_CHECK;

/* Valid until the next statement; "" when none. */
const char *igw_pg_constraint(const struct igw_pg *pg);

/*
 * A transaction, in which each statement sees what was committed before it.
 * Commit's IGW_UNAVAILABLE means outcome unknown. Rollback never
 * fails for the caller: what cannot be rolled back is disconnected.
 */
enum igw_result igw_pg_begin(struct igw_pg *pg) IGW_MUST_CHECK;
enum igw_result igw_pg_commit(struct igw_pg *pg) IGW_MUST_CHECK;
void igw_pg_rollback(struct igw_pg *pg);

/* Several statements in one text, for migrations and SET; no parameters. */
enum igw_result igw_pg_script(struct igw_pg *pg,
                              const char *sql) IGW_MUST_CHECK;
/* The server's message of the last failure, for the log and the command line.
 */
const char *igw_pg_message(const struct igw_pg *pg);
/*
 * The last failure was for another transaction's sake (deadlock, lock_timeout,
 * serialization): the same transaction may go through a moment later.
 */
bool igw_pg_is_contended(const struct igw_pg *pg);

/* What all connections of the program have done. */
struct igw_pg_counts {
    uint64_t connections; /* open now */
    uint64_t connects;
    uint64_t losses; /* not made, or given up */
    uint64_t statements;
};

struct igw_pg_counts igw_pg_counts(void);

size_t igw_rows_count(const struct igw_rows *rows);
bool igw_rows_is_null(const struct igw_rows *rows, size_t row, size_t column);
/* Text form of a value; NULL is "". Borrowed from rows. */
struct igw_slice igw_rows_text(const struct igw_rows *rows, size_t row,
                               size_t column);
const char *igw_rows_string(const struct igw_rows *rows, size_t row,
                            size_t column);
int64_t igw_rows_integer(const struct igw_rows *rows, size_t row,
                         size_t column);
bool igw_rows_bool(const struct igw_rows *rows, size_t row, size_t column);
void igw_rows_free(struct igw_rows **rows);

#endif
