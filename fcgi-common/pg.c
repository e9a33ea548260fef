/*
 * pg.c: see pg.h. A failed statement leaves the connection idle, in the
 * caller's transaction, or closed; nothing else.
 */
#include "pg.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "log.h"

enum {
    GRACE_MS = 500, /* the server's own time-out comes first */
    MS_PER_SEC = 1000,
    NS_PER_MS = 1000000,
    DECIMAL = 10
};

/* A server process; the time it began at makes its number unique. */
struct server_process {
    char pid[16]; /* "": none */
    char started_at[48];
};

struct igw_pg {
    struct igw_pg_config config;
    PGconn *conn;    /* NULL: not connected */
    bool is_counted; /* among the open connections */
    bool *is_prepared;
    bool in_transaction;
    bool is_lost;      /* the last statement broke the connection */
    bool is_cut_short; /* a notice: committed here, not on the standby */
    bool is_ending;    /* a notice: the server is closing this connection */
    struct server_process own;       /* serves this connection */
    struct server_process abandoned; /* may wait for a standby for ever */
    struct igw_buf scratch;          /* text parameters with their NULs */
    char state[6];                   /* SQLSTATE of the last failure */
    char constraint[64];
    char message[256];
};

/* One statement under way; sql alone for one that is not prepared. */
struct command {
    const char *name;
    const char *sql;
    int count;
    const char *values[IGW_PG_PARAMS_MAX];
    int lengths[IGW_PG_PARAMS_MAX];
    int formats[IGW_PG_PARAMS_MAX];
};

/*
 * SQLSTATE by its beginning (PostgreSQL's appendix A), the first that fits.
 * drops: the connection is of no more use.
 */
static const struct {
    const char *state;
    enum igw_result result;
    bool drops;
} outcomes[] = {
    { "23505", IGW_CONFLICT, false },    /* unique_violation */
    { "23P01", IGW_CONFLICT, false },    /* exclusion_violation */
    { "23", IGW_INVALID, false },        /* other constraints */
    { "2201B", IGW_UNAVAILABLE, false }, /* regular expression: no memory */
    { "22", IGW_INVALID, false },        /* data exceptions */
    { "40", IGW_UNAVAILABLE, false },    /* serialization, deadlock */
    { "57014", IGW_UNAVAILABLE, false }, /* query_canceled: time-out */
    { "57", IGW_UNAVAILABLE, true },     /* operator intervention */
    { "08", IGW_UNAVAILABLE, true },     /* connection exceptions */
    { "53", IGW_UNAVAILABLE, false },    /* resources: disk, memory */
    { "55P03", IGW_UNAVAILABLE, false }, /* lock_not_available */
    { "58", IGW_UNAVAILABLE, true },     /* system errors */
    { "25006", IGW_UNAVAILABLE, true },  /* a primary no more */
    { "26000", IGW_UNAVAILABLE, true },  /* lost its prepared statement */
    { "0A000", IGW_UNAVAILABLE, true },  /* its plan's table has changed */
};

static atomic_uint_fast64_t connections;
static atomic_uint_fast64_t connects;
static atomic_uint_fast64_t losses;
static atomic_uint_fast64_t statements;

static void tally(atomic_uint_fast64_t *number);
static enum igw_result ready(struct igw_pg *pg, bool is_repeatable);
static enum igw_result connect_now(struct igw_pg *pg);
static enum igw_result set_up(struct igw_pg *pg);
static enum igw_result learn_own(struct igw_pg *pg);
static void end_abandoned(struct igw_pg *pg);
static bool is_idle(PGconn *conn, bool is_repeatable);
static void disconnect(struct igw_pg *pg);
static enum igw_result run(struct igw_pg *pg, const struct command *command,
                           bool *is_prepared, struct igw_rows **rows);
static enum igw_result prepare(struct igw_pg *pg, const struct command *command,
                               bool *is_prepared);
static enum igw_result simple(struct igw_pg *pg, const char *sql,
                              const char *tag);
static enum igw_result finish(struct igw_pg *pg, PGresult **result);
static enum igw_result await(struct igw_pg *pg, PGresult **result);
static enum igw_result judge(struct igw_pg *pg, const PGresult *result);
static enum igw_result late(struct igw_pg *pg);
static enum igw_result lost(struct igw_pg *pg, const char *why);

/* --- connections ---------------------------------------------------------- */

const char *
igw_pg_conninfo_fault(const char *conninfo)
{
    static const char has_password[] =
        "a password is in the environment, where others can read it: put it"
        " into a file with mode 0600, and passfile=FILE into the connection"
        " string";
    PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
    const char *fault = options == NULL ? "it is no connection string" : NULL;

    for (PQconninfoOption *option = options;
         option != NULL && option->keyword != NULL; option++) {
        if (strstr(option->keyword, "password") != NULL
            && option->val != NULL) {
            fault = has_password;
        }
    }
    PQconninfoFree(options);
    return getenv("PGPASSWORD") != NULL ? has_password : fault;
}

struct igw_pg *
igw_pg_new(const struct igw_pg_config *config)
{
    struct igw_pg *pg = calloc(1, sizeof(*pg));

    if (pg == NULL) {
        return NULL;
    }

    pg->config = *config;
    igw_buf_init(&pg->scratch);
    pg->is_prepared =
        calloc(config->statement_count + 1, sizeof(*pg->is_prepared));
    if (pg->is_prepared == NULL) {
        free(pg);
        return NULL;
    }
    return pg;
}

void
igw_pg_free(struct igw_pg **pg)
{
    if (*pg == NULL) {
        return;
    }

    disconnect(*pg);
    igw_buf_clear(&(*pg)->scratch);
    free((*pg)->is_prepared);
    free(*pg);
    *pg = NULL;
}

static void
disconnect(struct igw_pg *pg)
{
    if (pg->is_counted) {
        (void)atomic_fetch_sub_explicit(&connections, 1, memory_order_relaxed);
        pg->is_counted = false;
    }
    PQfinish(pg->conn);
    pg->conn = NULL;
    pg->is_ending = false;
    memset(pg->is_prepared, 0,
           pg->config.statement_count * sizeof(*pg->is_prepared));
}

/* A connection to send on. Within a transaction there is only its own. */
static enum igw_result
ready(struct igw_pg *pg, bool is_repeatable)
{
    pg->is_lost = false;
    pg->is_cut_short = false;
    pg->state[0] = '\0';
    pg->constraint[0] = '\0';
    pg->message[0] = '\0';

    if (pg->in_transaction) {
        return pg->conn != NULL ? IGW_OK : IGW_UNAVAILABLE;
    }
    if (pg->conn != NULL
        && (!is_idle(pg->conn, is_repeatable) || pg->is_ending)) {
        disconnect(pg);
    }
    return pg->conn != NULL ? IGW_OK : connect_now(pg);
}

/*
 * False when the server has closed an unused connection. That is not looked
 * for, which costs a system call, when what is to be sent is repeatable: it
 * will be noticed.
 */
static bool
is_idle(PGconn *conn, bool is_repeatable)
{
    struct pollfd peer = { .fd = PQsocket(conn), .events = POLLIN };

    while (!is_repeatable && poll(&peer, 1, 0) > 0) {
        /* A parameter's new value or a notice; or the end. */
        if (PQconsumeInput(conn) == 0 || PQisBusy(conn) != 0) {
            return false;
        }
    }
    return PQstatus(conn) == CONNECTION_OK
           && PQtransactionStatus(conn) == PQTRANS_IDLE;
}

static void
copy_field(char *out, size_t size, const PGresult *result, int field)
{
    const char *text = PQresultErrorField(result, field);

    snprintf(out, size, "%s", text != NULL ? text : "");
}

/*
 * SECURITY: success with a warning of no class of its own is no success:
 * SyncRepWaitForLSN's has none, and its text is in the server's language. A
 * FATAL comes here when no statement waits, perhaps before the connection ends.
 */
static void
on_notice(void *arg, const PGresult *notice)
{
    struct igw_pg *pg = arg;
    char severity[16];
    char state[6];
    const char *text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);

    copy_field(severity, sizeof(severity), notice,
               PG_DIAG_SEVERITY_NONLOCALIZED);
    copy_field(state, sizeof(state), notice, PG_DIAG_SQLSTATE);
    if (strcmp(severity, "WARNING") == 0 && strcmp(state, "01000") == 0) {
        pg->is_cut_short = true;
    }
    if (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0) {
        pg->is_ending = true;
    }
    igw_logf(IGW_LOG_INFO, "database_notice", "%s %s", state,
             text != NULL ? text : "");
}

/* Blocking: libpq's own walk over several hosts needs it. */
static enum igw_result
connect_now(struct igw_pg *pg)
{
    char seconds[24];
    /* What stands before dbname gives way to the conninfo's own. */
    const char *const names[] = {
        "connect_timeout",           "target_session_attrs",
        "tcp_user_timeout",          "keepalives_idle",
        "keepalives_interval",       "keepalives_count",
        "fallback_application_name", "dbname",
        "client_encoding",           NULL
    };
    const char *const values[] = { seconds,
                                   "read-write",
                                   "3000",
                                   "5",
                                   "2",
                                   "2",
                                   pg->config.application_name,
                                   pg->config.conninfo,
                                   "UTF8",
                                   NULL };

    snprintf(seconds, sizeof(seconds), "%lld",
             (long long)(pg->config.connect_timeout_ms + MS_PER_SEC - 1)
                 / MS_PER_SEC);
    pg->conn = PQconnectdbParams(names, values, 1);
    if (PQstatus(pg->conn) != CONNECTION_OK
        || PQsetnonblocking(pg->conn, 1) != 0) {
        return lost(pg, PQerrorMessage(pg->conn));
    }

    pg->is_counted = true;
    tally(&connections);
    tally(&connects);
    PQsetNoticeReceiver(pg->conn, on_notice, pg);
    return set_up(pg);
}

static enum igw_result
set_up(struct igw_pg *pg)
{
    char settings[512];
    enum igw_result rc;

    /* A program that is stopped must not hold its rows' locks for ever. */
    snprintf(settings, sizeof(settings),
             "SELECT set_config(name, CASE WHEN setting IN ('off', 'local')"
             " THEN 'on' ELSE setting END, false)"
             " FROM (VALUES ('synchronous_commit',"
             "  current_setting('synchronous_commit'))) AS v (name, setting);"
             "SET statement_timeout = %lld;"
             "SET idle_in_transaction_session_timeout = '15s'",
             (long long)pg->config.statement_timeout_ms);
    rc = simple(pg, settings, "SET");
    if (rc == IGW_OK && pg->config.setup != NULL) {
        rc = simple(pg, pg->config.setup, NULL);
    }
    if (rc == IGW_OK) {
        rc = learn_own(pg);
    }
    if (rc == IGW_OK) {
        end_abandoned(pg);
        rc = pg->conn != NULL ? IGW_OK : IGW_UNAVAILABLE;
    }
    if (rc != IGW_OK && pg->conn != NULL) {
        disconnect(pg);
    }
    return rc;
}

static enum igw_result
learn_own(struct igw_pg *pg)
{
    const struct command command = {
        .sql = "SELECT pid, backend_start"
               " FROM pg_stat_get_activity(pg_backend_pid())"
    };
    struct igw_rows *rows = NULL;
    enum igw_result rc = run(pg, &command, NULL, &rows);

    memset(&pg->own, 0, sizeof(pg->own));
    if (rc == IGW_OK && igw_rows_count(rows) == 1) {
        snprintf(pg->own.pid, sizeof(pg->own.pid), "%s",
                 igw_rows_string(rows, 0, 0));
        snprintf(pg->own.started_at, sizeof(pg->own.started_at), "%s",
                 igw_rows_string(rows, 0, 1));
    }
    igw_rows_free(&rows);
    return rc;
}

/*
 * A process that waits for a synchronous standby does not notice that nobody
 * waits for it: some time of that, and nobody could connect any more. What it
 * has committed stays; its outcome is unknown here anyway.
 */
static void
end_abandoned(struct igw_pg *pg)
{
    const struct command command = {
        .sql = "SELECT pg_terminate_backend(pid)"
               " FROM pg_stat_get_activity($1::integer)"
               " WHERE backend_start = $2::timestamptz",
        .count = 2,
        .values = { pg->abandoned.pid, pg->abandoned.started_at },
    };

    if (pg->abandoned.pid[0] != '\0') {
        (void)run(pg, &command, NULL, NULL);
        pg->abandoned.pid[0] = '\0';
    }
}

/* --- statements ----------------------------------------------------------- */

struct igw_pg_param
igw_pg_text(struct igw_slice text)
{
    return (struct igw_pg_param){ .type = IGW_PG_TEXT, .value = text };
}

struct igw_pg_param
igw_pg_string(const char *text)
{
    return (struct igw_pg_param){ .type =
                                      text != NULL ? IGW_PG_TEXT : IGW_PG_NULL,
                                  .value = igw_slice_of(text) };
}

struct igw_pg_param
igw_pg_bytes(const void *data, size_t len)
{
    return (struct igw_pg_param){ .type = IGW_PG_BYTES,
                                  .value = { .data = data, .len = len } };
}

/*
 * libpq takes texts as C strings and would cut one at a NUL. IGW_INVALID
 * for such a one.
 */
static enum igw_result
bind(struct igw_pg *pg, const struct igw_pg_param *params, size_t count,
     struct command *command)
{
    size_t start[IGW_PG_PARAMS_MAX] = { 0 };

    if (count > IGW_PG_PARAMS_MAX) {
        return IGW_ERROR;
    }

    igw_buf_reset(&pg->scratch);
    for (size_t i = 0; i < count; i++) {
        struct igw_slice value = params[i].value;

        start[i] = pg->scratch.len;
        command->lengths[i] = (int)value.len;
        command->formats[i] = params[i].type == IGW_PG_BYTES;
        if (params[i].type != IGW_PG_TEXT) {
            continue;
        }
        if (value.len > 0 && memchr(value.data, '\0', value.len) != NULL) {
            return IGW_INVALID;
        }
        igw_buf_append(&pg->scratch, value.data, value.len);
        igw_buf_append(&pg->scratch, "", 1);
    }
    if (pg->scratch.failed) {
        return IGW_ERROR;
    }

    for (size_t i = 0; i < count; i++) {
        command->values[i] = NULL;
        if (params[i].type == IGW_PG_TEXT) {
            command->values[i] = pg->scratch.data + start[i];
        } else if (params[i].type == IGW_PG_BYTES) {
            command->values[i] = params[i].value.data;
        }
    }
    command->count = (int)count;
    return IGW_OK;
}

static enum igw_result
execute(struct igw_pg *pg, struct command *command, bool *is_prepared,
        bool is_repeatable, const struct igw_pg_param *params, size_t count,
        struct igw_rows **rows)
{
    enum igw_result rc;

    if (rows != NULL) {
        *rows = NULL;
    }

    rc = bind(pg, params, count, command);
    if (rc != IGW_OK) {
        return rc;
    }

    rc = ready(pg, is_repeatable);
    if (rc != IGW_OK) {
        return rc;
    }

    rc = run(pg, command, is_prepared, rows);
    if (pg->is_lost && is_repeatable && !pg->in_transaction
        && ready(pg, false) == IGW_OK) {
        rc = run(pg, command, is_prepared, rows);
    }
    return rc;
}

enum igw_result
igw_pg_exec(struct igw_pg *pg, size_t statement,
            const struct igw_pg_param *params, size_t param_count,
            struct igw_rows **rows)
{
    const struct igw_pg_statement *of = &pg->config.statements[statement];
    struct command command = { .name = of->name, .sql = of->sql };

    return execute(pg, &command, &pg->is_prepared[statement], of->is_repeatable,
                   params, param_count, rows);
}

enum igw_result
igw_pg_query(struct igw_pg *pg, const char *sql,
             const struct igw_pg_param *params, size_t param_count,
             struct igw_rows **rows)
{
    struct command command = { .sql = sql };

    return execute(pg, &command, NULL, false, params, param_count, rows);
}

/* is_prepared: of this statement on this connection; NULL: never. */
static enum igw_result
run(struct igw_pg *pg, const struct command *command, bool *is_prepared,
    struct igw_rows **rows)
{
    PGresult *result = NULL;
    enum igw_result rc;
    int is_sent;

    if (is_prepared == NULL) {
        is_sent = PQsendQueryParams(pg->conn, command->sql, command->count,
                                    NULL, command->values, command->lengths,
                                    command->formats, 0);
    } else {
        rc = prepare(pg, command, is_prepared);
        if (rc != IGW_OK) {
            return rc;
        }
        is_sent = PQsendQueryPrepared(pg->conn, command->name, command->count,
                                      command->values, command->lengths,
                                      command->formats, 0);
    }

    rc = is_sent ? finish(pg, &result) : lost(pg, PQerrorMessage(pg->conn));
    if (rc == IGW_OK && rows != NULL) {
        *rows = (struct igw_rows *)result;
    } else {
        PQclear(result);
    }
    return rc;
}

static enum igw_result
prepare(struct igw_pg *pg, const struct command *command, bool *is_prepared)
{
    PGresult *result = NULL;
    enum igw_result rc;

    if (*is_prepared) {
        return IGW_OK;
    }

    rc = PQsendPrepare(pg->conn, command->name, command->sql, 0, NULL)
             ? finish(pg, &result)
             : lost(pg, PQerrorMessage(pg->conn));
    PQclear(result);
    *is_prepared = rc == IGW_OK;
    return rc;
}

/* A text of statements; tag: what the last one must report, or NULL. */
static enum igw_result
simple(struct igw_pg *pg, const char *sql, const char *tag)
{
    PGresult *result = NULL;
    enum igw_result rc;

    rc = PQsendQuery(pg->conn, sql) ? finish(pg, &result)
                                    : lost(pg, PQerrorMessage(pg->conn));
    if (rc == IGW_OK && tag != NULL && strcmp(PQcmdStatus(result), tag) != 0) {
        rc = IGW_ERROR;
    }
    PQclear(result);
    return rc;
}

enum igw_result
igw_pg_begin(struct igw_pg *pg)
{
    enum igw_result rc = ready(pg, false);

    if (rc == IGW_OK) {
        rc = simple(pg, "BEGIN ISOLATION LEVEL READ COMMITTED", "BEGIN");
    }
    pg->in_transaction = rc == IGW_OK;
    return rc;
}

/* COMMIT of a failed transaction answers ROLLBACK. */
enum igw_result
igw_pg_commit(struct igw_pg *pg)
{
    enum igw_result rc = ready(pg, false);

    if (rc == IGW_OK) {
        rc = simple(pg, "COMMIT", "COMMIT");
    }
    pg->in_transaction = false;
    return rc;
}

void
igw_pg_rollback(struct igw_pg *pg)
{
    if (pg->in_transaction && pg->conn != NULL
        && simple(pg, "ROLLBACK", "ROLLBACK") != IGW_OK) {
        disconnect(pg);
    }
    pg->in_transaction = false;
}

enum igw_result
igw_pg_script(struct igw_pg *pg, const char *sql)
{
    enum igw_result rc = ready(pg, false);

    return rc == IGW_OK ? simple(pg, sql, NULL) : rc;
}

/* --- the way of one statement to its result ------------------------------- */

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_SEC + now.tv_nsec / NS_PER_MS;
}

/* False when the deadline (0: none) has passed. */
static bool
wait_for(PGconn *conn, short events, int64_t deadline_ms)
{
    struct pollfd peer = { .fd = PQsocket(conn), .events = events };
    int64_t left_ms = -1;
    int rc;

    do {
        if (deadline_ms > 0) {
            left_ms = deadline_ms - now_ms();
            if (left_ms <= 0) {
                return false;
            }
        }
        rc = poll(&peer, 1, (int)left_ms);
    } while (rc < 0 && errno == EINTR);

    return rc > 0;
}

/* All results of what was sent; *result is the last one, or the failed. */
static enum igw_result
finish(struct igw_pg *pg, PGresult **result)
{
    enum igw_result rc = await(pg, result);

    tally(&statements);
    if (rc == IGW_OK) {
        rc = judge(pg, *result);
    }
    if (rc == IGW_OK && pg->is_cut_short) {
        return lost(pg, "the wait for a synchronous standby was cut short");
    }
    return rc;
}

static enum igw_result
await(struct igw_pg *pg, PGresult **result)
{
    PGresult *next;
    int64_t deadline_ms = pg->config.statement_timeout_ms;
    int rc;

    if (deadline_ms > 0) {
        deadline_ms += now_ms() + GRACE_MS;
    }

    while ((rc = PQflush(pg->conn)) > 0) {
        if (!wait_for(pg->conn, POLLIN | POLLOUT, deadline_ms)) {
            return late(pg);
        }
        if (PQconsumeInput(pg->conn) == 0) {
            return lost(pg, PQerrorMessage(pg->conn));
        }
    }
    if (rc < 0) {
        return lost(pg, PQerrorMessage(pg->conn));
    }

    for (;;) {
        while (PQisBusy(pg->conn)) {
            if (!wait_for(pg->conn, POLLIN, deadline_ms)) {
                return late(pg);
            }
            if (PQconsumeInput(pg->conn) == 0) {
                return lost(pg, PQerrorMessage(pg->conn));
            }
        }

        next = PQgetResult(pg->conn);
        if (next == NULL) {
            return IGW_OK;
        }
        PQclear(*result);
        *result = next;
        if (PQresultStatus(next) != PGRES_COMMAND_OK
            && PQresultStatus(next) != PGRES_TUPLES_OK
            && PQresultStatus(next) != PGRES_FATAL_ERROR) {
            return lost(pg, "an answer of an unexpected kind");
        }
    }
}

static enum igw_result
judge(struct igw_pg *pg, const PGresult *result)
{
    size_t i;

    if (PQresultStatus(result) != PGRES_FATAL_ERROR) {
        return result != NULL ? IGW_OK : lost(pg, "no answer");
    }

    copy_field(pg->state, sizeof(pg->state), result, PG_DIAG_SQLSTATE);
    copy_field(pg->constraint, sizeof(pg->constraint), result,
               PG_DIAG_CONSTRAINT_NAME);
    copy_field(pg->message, sizeof(pg->message), result,
               PG_DIAG_MESSAGE_PRIMARY);

    if (PQstatus(pg->conn) != CONNECTION_OK || pg->state[0] == '\0') {
        return lost(pg, PQresultErrorMessage(result));
    }
    for (i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        if (strncmp(pg->state, outcomes[i].state, strlen(outcomes[i].state))
            == 0) {
            break;
        }
    }
    if (i == sizeof(outcomes) / sizeof(outcomes[0])) {
        igw_logf(IGW_LOG_ERROR, "database_error", "%s %s", pg->state,
                 pg->message);
        return IGW_ERROR;
    }
    if (outcomes[i].drops) {
        return lost(pg, PQresultErrorMessage(result));
    }
    if (outcomes[i].result != IGW_CONFLICT) {
        igw_logf(IGW_LOG_WARN, "database_refused", "%s %s", pg->state,
                 pg->message);
    }
    return outcomes[i].result;
}

/* A deadline has passed: not to be waited for a second time. */
static enum igw_result
late(struct igw_pg *pg)
{
    enum igw_result rc;

    pg->abandoned = pg->own;
    rc = lost(pg, "deadline passed; the outcome is unknown");
    pg->is_lost = false;
    return rc;
}

/* Closes the connection, whose state is not known any more. */
static enum igw_result
lost(struct igw_pg *pg, const char *why)
{
    int len = (int)strcspn(why, "\n");

    snprintf(pg->message, sizeof(pg->message), "%.*s", len, why);
    igw_logf(IGW_LOG_WARN, "database_lost", "%s", pg->message);
    disconnect(pg);
    tally(&losses);
    pg->is_lost = true;
    return IGW_UNAVAILABLE;
}

static void
tally(atomic_uint_fast64_t *number)
{
    (void)atomic_fetch_add_explicit(number, 1, memory_order_relaxed);
}

struct igw_pg_counts
igw_pg_counts(void)
{
    return (struct igw_pg_counts){
        .connections = atomic_load(&connections),
        .connects = atomic_load(&connects),
        .losses = atomic_load(&losses),
        .statements = atomic_load(&statements),
    };
}

/* --- what they leave ------------------------------------------------------ */

const char *
igw_pg_constraint(const struct igw_pg *pg)
{
    return pg->constraint;
}

const char *
igw_pg_message(const struct igw_pg *pg)
{
    return pg->message;
}

bool
igw_pg_is_contended(const struct igw_pg *pg)
{
    return strncmp(pg->state, "40", 2) == 0 || strcmp(pg->state, "55P03") == 0;
}

static const PGresult *
result_of(const struct igw_rows *rows)
{
    return (const PGresult *)rows;
}

size_t
igw_rows_count(const struct igw_rows *rows)
{
    return (size_t)PQntuples(result_of(rows));
}

bool
igw_rows_is_null(const struct igw_rows *rows, size_t row, size_t column)
{
    return PQgetisnull(result_of(rows), (int)row, (int)column) != 0;
}

const char *
igw_rows_string(const struct igw_rows *rows, size_t row, size_t column)
{
    return PQgetvalue(result_of(rows), (int)row, (int)column);
}

struct igw_slice
igw_rows_text(const struct igw_rows *rows, size_t row, size_t column)
{
    return (struct igw_slice){
        .data = PQgetvalue(result_of(rows), (int)row, (int)column),
        .len = (size_t)PQgetlength(result_of(rows), (int)row, (int)column),
    };
}

int64_t
igw_rows_integer(const struct igw_rows *rows, size_t row, size_t column)
{
    return strtoll(igw_rows_string(rows, row, column), NULL, DECIMAL);
}

bool
igw_rows_bool(const struct igw_rows *rows, size_t row, size_t column)
{
    return igw_rows_string(rows, row, column)[0] == 't';
}

void
igw_rows_free(struct igw_rows **rows)
{
    PQclear((PGresult *)*rows);
    *rows = NULL;
}
