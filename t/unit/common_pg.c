/*
 * One PostgreSQL connection and its accidents, against a real server.
 * t/200-common-pg.t starts one, names a database of it that can be spoilt in
 * IGW_TEST_DATABASE, and runs this.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <time.h>

#include "log.h"
#include "migrate.h"

enum statement {
    INSERT,
    FIND,
    COUNT,
    TYPES,
    NAP,
    LONG_NAP,
    NAP_AND_INSERT,
    MATCH,
    WRONG
};

static const struct igw_pg_statement statements[] = {
    [INSERT] = { "insert",
                 "INSERT INTO unit.thing (id, name, parent, bytes)"
                 " VALUES ($1, $2, $3, $4) RETURNING id",
                 false },
    [FIND] = { "find",
               "SELECT name, parent, bytes FROM unit.thing"
               " WHERE id = $1",
               true },
    [COUNT] = { "count", "SELECT count(*), count(*) > 0 FROM unit.thing",
                true },
    [TYPES] = { "types",
                "SELECT $1::int + 1, $2::uuid, $3::interval > '1 hour',"
                " $4::bytea[], octet_length($5::bytea)",
                true },
    [NAP] = { "nap", "SELECT pg_sleep(0.6), pg_backend_pid()", true },
    [LONG_NAP] = { "long_nap", "SELECT pg_sleep(20)", false },
    [NAP_AND_INSERT] = { "nap_and_insert",
                         "INSERT INTO unit.thing (id, name)"
                         " SELECT $1, 'n' FROM pg_sleep(0.6)",
                         false },
    [MATCH] = { "match", "SELECT 'a' ~ '('", true },
    [WRONG] = { "wrong", "SELECT missing FROM nowhere", false }
};

static const char *database;
static struct igw_pg *pg;
static struct igw_pg *other; /* to do harm with */

static struct igw_pg *
connection(const char *conninfo, int64_t statement_timeout_ms)
{
    const struct igw_pg_config config = {
        .conninfo = conninfo,
        .application_name = "unit",
        .statements = statements,
        .statement_count = sizeof(statements) / sizeof(statements[0]),
        .connect_timeout_ms = 2000,
        .statement_timeout_ms = statement_timeout_ms
    };
    struct igw_pg *made = igw_pg_new(&config);

    assert_non_null(made);
    return made;
}

static void
script(struct igw_pg *on, const char *sql)
{
    if (igw_pg_script(on, sql) != IGW_OK) {
        fail_msg("%s: %s", sql, igw_pg_message(on));
    }
}

static int64_t
number(struct igw_pg *on, const char *sql)
{
    struct igw_rows *rows = NULL;
    int64_t value;

    if (igw_pg_query(on, sql, NULL, 0, &rows) != IGW_OK) {
        fail_msg("%s: %s", sql, igw_pg_message(on));
    }
    value = igw_rows_integer(rows, 0, 0);
    igw_rows_free(&rows);
    return value;
}

static int
setup(void **state)
{
    pg = connection(database, 3000);
    other = connection(database, 3000);
    script(other, "DROP SCHEMA IF EXISTS unit CASCADE;"
                  "CREATE SCHEMA unit;"
                  "CREATE TABLE unit.thing ("
                  " id text CONSTRAINT thing_pkey PRIMARY KEY,"
                  " name text NOT NULL CONSTRAINT thing_name CHECK"
                  " (name <> 'bad'),"
                  " parent text CONSTRAINT thing_parent"
                  " REFERENCES unit.thing,"
                  " bytes bytea)");
    (void)state;
    return 0;
}

static int
teardown(void **state)
{
    igw_pg_free(&pg);
    igw_pg_free(&other);
    (void)state;
    return 0;
}

static enum igw_result
insert(const char *id, const char *name, const char *parent)
{
    const struct igw_pg_param params[] = { igw_pg_string(id),
                                           igw_pg_string(name),
                                           igw_pg_string(parent),
                                           igw_pg_string(NULL) };

    return igw_pg_exec(pg, INSERT, params, 4, NULL);
}

static int64_t
count_things(void)
{
    return number(other, "SELECT count(*) FROM unit.thing");
}

/* Found with UBSan: a connection's first values, none of which is a text. */
static void
bytes_alone_are_values_enough(void **state)
{
    const struct igw_pg_param params[] = { igw_pg_bytes("a", 1) };
    struct igw_rows *rows;

    assert_int_equal(igw_pg_exec(pg, FIND, params, 1, &rows), IGW_OK);
    assert_int_equal(igw_rows_count(rows), 0);
    igw_rows_free(&rows);

    assert_int_equal(insert("a", "n", NULL), IGW_OK);
    assert_int_equal(igw_pg_exec(pg, FIND, params, 1, &rows), IGW_OK);
    assert_int_equal(igw_rows_count(rows), 1);
    igw_rows_free(&rows);
    (void)state;
}

static void
values_come_back_as_they_went(void **state)
{
    static const char bytes[] = "\0\xff\\x'\n";
    const struct igw_pg_param params[] = {
        igw_pg_string("a'b\\"),
        igw_pg_text((struct igw_slice){ "\xd0\x98 rest", 3 }),
        igw_pg_string(NULL), igw_pg_bytes(bytes, sizeof(bytes) - 1)
    };
    const struct igw_pg_param types[] = {
        igw_pg_string("41"),
        igw_pg_string("00000000-0000-4000-8000-000000000001"),
        igw_pg_string("2 hours"), igw_pg_string("{\"\\\\x00ff\"}"),
        igw_pg_bytes("", 0)
    };
    struct igw_rows *rows;

    assert_int_equal(igw_pg_exec(pg, INSERT, params, 4, &rows), IGW_OK);
    assert_int_equal(igw_rows_count(rows), 1);
    assert_string_equal(igw_rows_string(rows, 0, 0), "a'b\\");
    igw_rows_free(&rows);
    assert_null(rows);

    assert_int_equal(igw_pg_exec(pg, FIND, params, 1, &rows), IGW_OK);
    assert_string_equal(igw_rows_string(rows, 0, 0), "\xd0\x98 ");
    assert_int_equal(igw_rows_text(rows, 0, 0).len, 3);
    assert_true(igw_rows_is_null(rows, 0, 1));
    assert_string_equal(igw_rows_string(rows, 0, 1), "");
    assert_string_equal(igw_rows_string(rows, 0, 2), "\\x00ff5c78270a");
    igw_rows_free(&rows);

    assert_int_equal(igw_pg_exec(pg, TYPES, types, 5, &rows), IGW_OK);
    assert_int_equal(igw_rows_integer(rows, 0, 0), 42);
    assert_true(igw_rows_bool(rows, 0, 2));
    assert_int_equal(igw_rows_integer(rows, 0, 4), 0);
    igw_rows_free(&rows);

    assert_int_equal(igw_pg_exec(pg, FIND, &types[0], 1, &rows), IGW_OK);
    assert_int_equal(igw_rows_count(rows), 0);
    igw_rows_free(&rows);
    (void)state;
}

static void
a_nul_is_refused_not_cut(void **state)
{
    const struct igw_pg_param params[] = {
        igw_pg_text((struct igw_slice){ "ab\0cd", 5 }), igw_pg_string("n"),
        igw_pg_string(NULL), igw_pg_string(NULL)
    };

    assert_int_equal(igw_pg_exec(pg, INSERT, params, 4, NULL), IGW_INVALID);
    assert_int_equal(count_things(), 0);
    (void)state;
}

static void
results_by_sqlstate(void **state)
{
    assert_int_equal(insert("a", "x", NULL), IGW_OK);
    assert_string_equal(igw_pg_constraint(pg), "");
    assert_int_equal(insert("a", "x", NULL), IGW_CONFLICT);
    assert_string_equal(igw_pg_constraint(pg), "thing_pkey");
    assert_int_equal(insert("b", "bad", NULL), IGW_INVALID);
    assert_string_equal(igw_pg_constraint(pg), "thing_name");
    assert_int_equal(insert("b", "x", "nobody"), IGW_INVALID);
    assert_string_equal(igw_pg_constraint(pg), "thing_parent");
    assert_int_equal(insert("b", NULL, NULL), IGW_INVALID);
    assert_string_equal(igw_pg_constraint(pg), "");
    assert_int_equal(insert("\xff", "x", NULL), IGW_INVALID);
    assert_int_equal(igw_pg_exec(pg, MATCH, NULL, 0, NULL), IGW_UNAVAILABLE);
    assert_int_equal(igw_pg_exec(pg, WRONG, NULL, 0, NULL), IGW_ERROR);
    assert_true(strlen(igw_pg_message(pg)) > 0);
    assert_int_equal(insert("c", "x", NULL), IGW_OK);
    assert_string_equal(igw_pg_message(pg), "");
    assert_int_equal(count_things(), 2);
    (void)state;
}

static void
a_transaction_is_all_or_nothing(void **state)
{
    assert_int_equal(igw_pg_begin(pg), IGW_OK);
    assert_int_equal(insert("a", "x", NULL), IGW_OK);
    assert_int_equal(count_things(), 0);
    igw_pg_rollback(pg);
    assert_int_equal(count_things(), 0);

    assert_int_equal(igw_pg_begin(pg), IGW_OK);
    assert_int_equal(insert("a", "x", NULL), IGW_OK);
    assert_int_equal(igw_pg_commit(pg), IGW_OK);
    assert_int_equal(count_things(), 1);

    assert_int_equal(igw_pg_begin(pg), IGW_OK);
    assert_int_equal(insert("b", "x", NULL), IGW_OK);
    assert_int_equal(insert("a", "x", NULL), IGW_CONFLICT);
    assert_int_not_equal(igw_pg_commit(pg), IGW_OK);
    assert_int_equal(count_things(), 1);
    igw_pg_rollback(pg);
    assert_int_equal(insert("c", "x", NULL), IGW_OK);
    (void)state;
}

static void
terminate(void)
{
    (void)number(other, "SELECT count(pg_terminate_backend(pid))"
                        " FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                        " AND application_name = 'unit'");
    /* Until it is gone, so that what follows meets a closed connection. */
    while (number(other, "SELECT count(*) FROM pg_stat_activity"
                         " WHERE pid <> pg_backend_pid()"
                         " AND application_name = 'unit'")
           > 0) {
        const struct timespec pause = { .tv_nsec = 10000000 };

        (void)nanosleep(&pause, NULL);
    }
}

static void
a_connection_that_died_unused_is_replaced(void **state)
{
    assert_int_equal(insert("a", "x", NULL), IGW_OK);
    terminate();
    assert_int_equal(insert("b", "x", NULL), IGW_OK);
    terminate();
    assert_int_equal(igw_pg_begin(pg), IGW_OK);
    assert_int_equal(insert("c", "x", NULL), IGW_OK);
    assert_int_equal(igw_pg_commit(pg), IGW_OK);
    assert_int_equal(count_things(), 3);
    (void)state;
}

static void
a_transaction_dies_with_its_connection(void **state)
{
    assert_int_equal(igw_pg_begin(pg), IGW_OK);
    assert_int_equal(insert("a", "x", NULL), IGW_OK);
    terminate();
    assert_int_equal(insert("b", "x", NULL), IGW_UNAVAILABLE);
    assert_int_equal(insert("c", "x", NULL), IGW_UNAVAILABLE);
    assert_int_equal(igw_pg_commit(pg), IGW_UNAVAILABLE);
    igw_pg_rollback(pg);
    assert_int_equal(count_things(), 0);
    assert_int_equal(insert("d", "x", NULL), IGW_OK);
    (void)state;
}

/* Ends pg's session, or cancels its statement, while one is running. */
static void *
harm(void *data)
{
    const struct timespec pause = { .tv_nsec = 200000000 };

    (void)nanosleep(&pause, NULL);
    script(other, data);
    return NULL;
}

static enum igw_result
run_with_harm(enum statement statement, const struct igw_pg_param *params,
              size_t count, struct igw_rows **rows, char *sql)
{
    enum igw_result rc;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, harm, sql), 0);
    rc = igw_pg_exec(pg, statement, params, count, rows);
    (void)pthread_join(thread, NULL);
    return rc;
}

static char terminate_sql[] =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND application_name = 'unit'";
static char cancel_sql[] =
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND application_name = 'unit'";

static void
only_what_reads_is_sent_again(void **state)
{
    const struct igw_pg_param id = igw_pg_string("a");
    struct igw_rows *rows = NULL;

    assert_int_equal(run_with_harm(NAP, NULL, 0, &rows, terminate_sql), IGW_OK);
    assert_int_equal(igw_rows_count(rows), 1);
    igw_rows_free(&rows);

    assert_int_equal(run_with_harm(NAP_AND_INSERT, &id, 1, NULL, terminate_sql),
                     IGW_UNAVAILABLE);
    assert_int_equal(count_things(), 0);
    assert_int_equal(insert("b", "x", NULL), IGW_OK);

    assert_int_equal(igw_pg_begin(pg), IGW_OK);
    assert_int_equal(run_with_harm(NAP, NULL, 0, &rows, terminate_sql),
                     IGW_UNAVAILABLE);
    assert_null(rows);
    igw_pg_rollback(pg);
    (void)state;
}

static void
the_servers_time_out_leaves_the_connection(void **state)
{
    int64_t pid;

    igw_pg_free(&pg);
    pg = connection(database, 300);
    pid = number(pg, "SELECT pg_backend_pid()");
    assert_int_equal(igw_pg_exec(pg, LONG_NAP, NULL, 0, NULL), IGW_UNAVAILABLE);
    assert_int_equal(number(pg, "SELECT pg_backend_pid()"), pid);
    (void)state;
}

static void
past_our_deadline_the_connection_is_closed(void **state)
{
    int64_t pid;

    igw_pg_free(&pg);
    pg = connection(database, 300);
    script(pg, "SET statement_timeout = 0");
    pid = number(pg, "SELECT pg_backend_pid()");
    assert_int_equal(igw_pg_exec(pg, LONG_NAP, NULL, 0, NULL), IGW_UNAVAILABLE);
    assert_int_not_equal(number(pg, "SELECT pg_backend_pid()"), pid);
    (void)state;
}

static void
no_server_is_unavailable(void **state)
{
    igw_pg_free(&pg);
    pg = connection("host=/nonexistent dbname=x", 300);
    assert_int_equal(insert("a", "x", NULL), IGW_UNAVAILABLE);
    assert_true(strlen(igw_pg_message(pg)) > 0);
    assert_int_equal(igw_pg_begin(pg), IGW_UNAVAILABLE);
    assert_int_equal(insert("a", "x", NULL), IGW_UNAVAILABLE);
    igw_pg_rollback(pg);
    igw_pg_free(&pg);
    pg = connection("no conninfo", 300);
    assert_int_equal(igw_pg_begin(pg), IGW_UNAVAILABLE);
    (void)state;
}

/* --- the database server's own conditions -------------------------------- */

static void
reconfigure(const char *sql)
{
    script(other, sql);
    script(other, "SELECT pg_reload_conf()");
}

static void
wait_for_setting(const char *sql)
{
    while (number(other, sql) == 0) {
        const struct timespec pause = { .tv_nsec = 10000000 };

        (void)nanosleep(&pause, NULL);
    }
}

static int
reset_server(void **state)
{
    script(other, "SET default_transaction_read_only = off");
    script(other, "SET synchronous_commit = local");
    script(other, "ALTER SYSTEM RESET synchronous_standby_names");
    script(other, "ALTER SYSTEM RESET default_transaction_read_only");
    script(other, "SELECT pg_reload_conf()");
    return teardown(state);
}

/* Without its standby, a commit waits; a cancel makes it look done. */
static void
a_commit_that_reached_no_standby_is_not_acknowledged(void **state)
{
    const struct igw_pg_param id = igw_pg_string("a");

    script(other, "SET synchronous_commit = local");
    reconfigure("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    wait_for_setting("SELECT count(*) FROM pg_settings WHERE name ="
                     " 'synchronous_standby_names' AND setting = 'nobody'");
    assert_int_equal(run_with_harm(NAP_AND_INSERT, &id, 1, NULL, cancel_sql),
                     IGW_UNAVAILABLE);
    assert_int_equal(count_things(), 0); /* cancelled before the commit */

    (void)state;
    {
        static char late_cancel[] =
            "SELECT pg_sleep(0.8); SELECT pg_cancel_backend(pid)"
            " FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND application_name = 'unit'";

        assert_int_equal(
            run_with_harm(NAP_AND_INSERT, &id, 1, NULL, late_cancel),
            IGW_UNAVAILABLE);
    }
    assert_int_equal(count_things(), 1); /* it is there, but only here */

    /* And uncancelled: our deadline. */
    igw_pg_free(&pg);
    pg = connection(database, 300);
    assert_int_equal(insert("b", "x", NULL), IGW_UNAVAILABLE);
}

static void
a_server_that_takes_no_writes_is_not_used(void **state)
{
    reconfigure("ALTER SYSTEM SET default_transaction_read_only = on");
    wait_for_setting("SELECT count(*) FROM pg_settings WHERE name ="
                     " 'default_transaction_read_only' AND setting = 'on'");
    igw_pg_free(&pg);
    pg = connection(database, 3000);
    assert_int_equal(igw_pg_exec(pg, COUNT, NULL, 0, NULL), IGW_UNAVAILABLE);
    (void)state;
}

static void
a_primary_that_is_none_any_more_is_left(void **state)
{
    int64_t pid = number(pg, "SELECT pg_backend_pid()");

    script(pg, "SET default_transaction_read_only = on");
    assert_int_equal(insert("a", "x", NULL), IGW_UNAVAILABLE);
    assert_int_equal(insert("a", "x", NULL), IGW_OK);
    assert_int_not_equal(number(pg, "SELECT pg_backend_pid()"), pid);
    (void)state;
}

static void
a_changed_table_costs_one_statement_at_most(void **state)
{
    const struct igw_pg_param id = igw_pg_string("a");
    struct igw_rows *rows = NULL;

    assert_int_equal(insert("a", "x", NULL), IGW_OK);
    assert_int_equal(igw_pg_exec(pg, FIND, &id, 1, NULL), IGW_OK);
    script(other, "ALTER TABLE unit.thing ALTER name TYPE varchar(9)");
    assert_int_equal(igw_pg_exec(pg, FIND, &id, 1, &rows), IGW_OK);
    assert_int_equal(igw_rows_count(rows), 1);
    igw_rows_free(&rows);
    script(pg, "DEALLOCATE ALL");
    assert_int_equal(igw_pg_exec(pg, FIND, &id, 1, NULL), IGW_OK);
    (void)state;
}

static void
the_first_of_several_hosts_may_be_down(void **state)
{
    char conninfo[512];
    const char *host = strstr(database, "host=");
    size_t len;

    assert_non_null(host);
    host += strlen("host=");
    len = strcspn(host, " ");
    (void)snprintf(conninfo, sizeof(conninfo), "host=/nonexistent,%.*s%s",
                   (int)len, host, host + len);
    igw_pg_free(&pg);
    pg = connection(conninfo, 3000);
    assert_int_equal(insert("a", "x", NULL), IGW_OK);
    (void)state;
}

/* --- migrations ----------------------------------------------------------- */

static const struct igw_migration good[] = {
    { 1, "0001-first", "CREATE TABLE unit2.one (a int); SELECT 1" },
    { 2, "0002-second", "ALTER TABLE unit2.one ADD b int" },
    { 3, "0003-third", "INSERT INTO unit2.one (a, b) VALUES (1, 2)" }
};

static const struct igw_migration bad[] = {
    { 1, "0001-first", "CREATE TABLE unit2.one (a int)" },
    { 2, "0002-second",
      "CREATE TABLE unit2.two (a int); SELECT missing FROM nowhere" },
    { 3, "0003-third", "CREATE TABLE unit2.three (a int)" }
};

static void
migrations_go_forward_once(void **state)
{
    script(other, "DROP SCHEMA IF EXISTS unit2 CASCADE");
    assert_int_equal(igw_migrate_check(pg, "unit2", 3), IGW_INVALID);
    assert_int_equal(igw_migrate(pg, "unit2", good, 2), IGW_OK);
    assert_int_equal(igw_migrate_check(pg, "unit2", 3), IGW_INVALID);
    assert_int_equal(igw_migrate_check(pg, "unit2", 2), IGW_OK);
    assert_int_equal(igw_migrate_check(pg, "unit2", 1), IGW_OK);
    assert_int_equal(igw_migrate(pg, "unit2", good, 3), IGW_OK);
    assert_int_equal(igw_migrate(pg, "unit2", good, 3), IGW_OK);
    assert_int_equal(igw_migrate_check(pg, "unit2", 1), IGW_INVALID);
    assert_int_equal(number(pg, "SELECT count(*) FROM unit2.one"), 1);
    assert_int_equal(number(pg, "SELECT count(*) FROM unit2.schema_version"),
                     3);
    (void)state;
}

static void
a_migration_that_fails_leaves_nothing(void **state)
{
    script(other, "DROP SCHEMA IF EXISTS unit2 CASCADE");
    assert_int_not_equal(igw_migrate(pg, "unit2", bad, 3), IGW_OK);
    assert_int_equal(number(pg, "SELECT max(version) FROM"
                                " unit2.schema_version"),
                     1);
    assert_int_equal(number(pg, "SELECT count(*) FROM pg_tables WHERE"
                                " schemaname = 'unit2'"),
                     2); /* one and schema_version */
    (void)state;
}

static void *
migrate_too(void *data)
{
    struct igw_pg *own = connection(database, 0);
    enum igw_result *rc = data;

    *rc = igw_migrate(own, "unit2", good, 3);
    igw_pg_free(&own);
    return NULL;
}

static void
two_may_migrate_at_once(void **state)
{
    enum igw_result results[4];
    pthread_t threads[4];

    script(other, "DROP SCHEMA IF EXISTS unit2 CASCADE");
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(
            pthread_create(&threads[i], NULL, migrate_too, &results[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        (void)pthread_join(threads[i], NULL);
        assert_int_equal(results[i], IGW_OK);
    }
    assert_int_equal(number(pg, "SELECT count(*) FROM unit2.one"), 1);
    (void)state;
}

/*
 * As a request that uses one table and later the other: later than a migration
 * that waits looks for a deadlock, so that it is the request that finds one.
 */
static void *
use_one_then_two(void *data)
{
    const struct timespec moment = { .tv_sec = 1, .tv_nsec = 300000000 };
    enum igw_result *rc = data;

    (void)nanosleep(&moment, NULL);
    *rc = igw_pg_script(other, "SELECT * FROM unit2.two");
    if (*rc == IGW_OK) {
        *rc = igw_pg_commit(other);
    }
    return NULL;
}

static void
a_migration_gives_way_to_requests(void **state)
{
    static const struct igw_migration list[] = {
        { 1, "0001-first",
          "CREATE TABLE unit2.one (a int); CREATE TABLE unit2.two (a int)" },
        { 2, "0002-second",
          "ALTER TABLE unit2.two ADD b int; ALTER TABLE unit2.one ADD b int" }
    };
    enum igw_result rc = IGW_ERROR;
    pthread_t thread;

    script(other, "DROP SCHEMA IF EXISTS unit2 CASCADE");
    assert_int_equal(igw_migrate(pg, "unit2", list, 1), IGW_OK);
    assert_int_equal(igw_pg_begin(other), IGW_OK);
    script(other, "INSERT INTO unit2.one (a) VALUES (1)");
    assert_int_equal(pthread_create(&thread, NULL, use_one_then_two, &rc), 0);
    assert_int_equal(igw_migrate(pg, "unit2", list, 2), IGW_OK);
    (void)pthread_join(thread, NULL);
    assert_int_equal(rc, IGW_OK);
    (void)state;
}

static void
without_a_database_nothing_is_said_of_the_schema(void **state)
{
    igw_pg_free(&pg);
    pg = connection("host=/nonexistent dbname=x", 300);
    assert_int_equal(igw_migrate_check(pg, "unit2", 1), IGW_UNAVAILABLE);
    assert_int_equal(igw_migrate(pg, "unit2", good, 3), IGW_UNAVAILABLE);
    (void)state;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define SERVER_TEST(name) \
    cmocka_unit_test_setup_teardown(name, setup, reset_server)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_alone_are_values_enough),
        TEST(values_come_back_as_they_went),
        TEST(a_nul_is_refused_not_cut),
        TEST(results_by_sqlstate),
        TEST(a_transaction_is_all_or_nothing),
        TEST(a_connection_that_died_unused_is_replaced),
        TEST(a_transaction_dies_with_its_connection),
        TEST(only_what_reads_is_sent_again),
        TEST(the_servers_time_out_leaves_the_connection),
        TEST(past_our_deadline_the_connection_is_closed),
        TEST(no_server_is_unavailable),
        TEST(the_first_of_several_hosts_may_be_down),
        TEST(a_primary_that_is_none_any_more_is_left),
        TEST(a_changed_table_costs_one_statement_at_most),
        TEST(migrations_go_forward_once),
        TEST(a_migration_that_fails_leaves_nothing),
        TEST(two_may_migrate_at_once),
        TEST(a_migration_gives_way_to_requests),
        TEST(without_a_database_nothing_is_said_of_the_schema),
        SERVER_TEST(a_commit_that_reached_no_standby_is_not_acknowledged),
        SERVER_TEST(a_server_that_takes_no_writes_is_not_used)
    };

    database = getenv("IGW_TEST_DATABASE");
    if (database == NULL) {
        (void)printf("1..0 # SKIP t/200-common-pg.t runs this\n");
        return 0;
    }
    igw_log_init("common_pg", IGW_LOG_INFO);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
