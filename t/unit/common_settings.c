/*
 * Settings, the command line and log lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli.h"
#include "json.h"
#include "log.h"

struct settings {
    const char *database;
    const char *listen;
    int64_t threads;
    bool verbose;
    int64_t ttl_ms;
    int64_t body_max;
    int64_t registration;
};

#define AT(field) offsetof(struct settings, field)

static const struct igw_setting table[] = {
    { "DATABASE", IGW_SETTING_TEXT, NULL, 1, 100, NULL, "Where.",
      AT(database) },
    { "LISTEN", IGW_SETTING_TEXT, "", 0, 10, NULL, "Address.", AT(listen) },
    { "THREADS", IGW_SETTING_INTEGER, "4", 1, 64, NULL, "Threads.",
      AT(threads) },
    { "VERBOSE", IGW_SETTING_BOOL, "off", 0, 0, NULL, "Talk.", AT(verbose) },
    { "TTL", IGW_SETTING_DURATION, "5m", 250, 86400000, NULL, "Life.",
      AT(ttl_ms) },
    { "BODY_MAX", IGW_SETTING_SIZE, "64k", 512, 16 << 20, NULL, "Body.",
      AT(body_max) },
    { "REGISTRATION", IGW_SETTING_CHOICE, "closed", 0, 0, "open|closed|mail",
      "Who.", AT(registration) }
};

enum { COUNT = sizeof(table) / sizeof(table[0]) };

static char said[4096]; /* what the last load wrote */

static enum igw_result
load(struct settings *settings)
{
    FILE *errors = fmemopen(said, sizeof(said), "w");
    enum igw_result rc;

    assert_non_null(errors);
    memset(said, 0, sizeof(said));
    rc = igw_settings_load(table, COUNT, "UNIT_", settings, errors);
    (void)fclose(errors);
    return rc;
}

static int
clear(void **state)
{
    (void)unsetenv("UNIT_LISTEN");
    (void)unsetenv("UNIT_THREADS");
    (void)unsetenv("UNIT_VERBOSE");
    (void)unsetenv("UNIT_TTL");
    (void)unsetenv("UNIT_BODY_MAX");
    (void)unsetenv("UNIT_REGISTRATION");
    (void)unsetenv("UNIT_THREAD");
    (void)state;
    return setenv("UNIT_DATABASE", "dbname=x", 1);
}

static void
fallbacks_are_read_like_values(void **state)
{
    struct settings settings = { 0 };

    assert_int_equal(load(&settings), IGW_OK);
    assert_string_equal(said, "");
    assert_string_equal(settings.database, "dbname=x");
    assert_string_equal(settings.listen, "");
    assert_int_equal(settings.threads, 4);
    assert_false(settings.verbose);
    assert_int_equal(settings.ttl_ms, 300000);
    assert_int_equal(settings.body_max, 65536);
    assert_int_equal(settings.registration, 1);
    (void)state;
}

static void
values_in_their_units(void **state)
{
    static const struct {
        const char *name;
        const char *value;
        size_t offset;
        int64_t expected; /* -1: refused */
    } cases[] = { { "UNIT_THREADS", "1", AT(threads), 1 },
                  { "UNIT_THREADS", "64", AT(threads), 64 },
                  { "UNIT_THREADS", "0", AT(threads), -1 },
                  { "UNIT_THREADS", "65", AT(threads), -1 },
                  { "UNIT_THREADS", "-1", AT(threads), -1 },
                  { "UNIT_THREADS", "", AT(threads), -1 },
                  { "UNIT_THREADS", "4x", AT(threads), -1 },
                  { "UNIT_THREADS", " 4", AT(threads), -1 },
                  { "UNIT_THREADS", "+4", AT(threads), -1 },
                  { "UNIT_THREADS", "0x4", AT(threads), -1 },
                  { "UNIT_THREADS", "18446744073709551620", AT(threads), -1 },
                  { "UNIT_TTL", "250ms", AT(ttl_ms), 250 },
                  { "UNIT_TTL", "249ms", AT(ttl_ms), -1 },
                  { "UNIT_TTL", "30s", AT(ttl_ms), 30000 },
                  { "UNIT_TTL", "12h", AT(ttl_ms), 43200000 },
                  { "UNIT_TTL", "1d", AT(ttl_ms), 86400000 },
                  { "UNIT_TTL", "2d", AT(ttl_ms), -1 },
                  { "UNIT_TTL", "30", AT(ttl_ms), -1 },
                  { "UNIT_TTL", "30 s", AT(ttl_ms), -1 },
                  { "UNIT_TTL", "1h30m", AT(ttl_ms), -1 },
                  { "UNIT_TTL", "200000000000000d", AT(ttl_ms), -1 },
                  { "UNIT_BODY_MAX", "512", AT(body_max), 512 },
                  { "UNIT_BODY_MAX", "1k", AT(body_max), 1024 },
                  { "UNIT_BODY_MAX", "1K", AT(body_max), 1024 },
                  { "UNIT_BODY_MAX", "16m", AT(body_max), 16 << 20 },
                  { "UNIT_BODY_MAX", "17m", AT(body_max), -1 },
                  { "UNIT_BODY_MAX", "17592186044417m", AT(body_max),
                    -1 }, /* 2^64+1m */
                  { "UNIT_BODY_MAX", "1kb", AT(body_max), -1 },
                  { "UNIT_REGISTRATION", "open", AT(registration), 0 },
                  { "UNIT_REGISTRATION", "mail", AT(registration), 2 },
                  { "UNIT_REGISTRATION", "Open", AT(registration), -1 },
                  { "UNIT_REGISTRATION", "ope", AT(registration), -1 },
                  { "UNIT_REGISTRATION", "open|closed", AT(registration), -1 },
                  { "UNIT_REGISTRATION", "", AT(registration), -1 } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct settings settings = { 0 };
        enum igw_result rc;

        (void)clear(NULL);
        (void)setenv(cases[i].name, cases[i].value, 1);
        rc = load(&settings);
        if (rc != (cases[i].expected < 0 ? IGW_INVALID : IGW_OK)) {
            fail_msg("%s=%s", cases[i].name, cases[i].value);
        }
        if (rc == IGW_OK) {
            const char *field = (const char *)&settings + cases[i].offset;
            int64_t found;

            memcpy(&found, field, sizeof(found));
            assert_int_equal(found, cases[i].expected);
        } else {
            assert_non_null(strstr(said, cases[i].name));
        }
    }
    (void)state;
}

static void
a_switch_is_on_or_off(void **state)
{
    struct settings settings = { 0 };

    (void)setenv("UNIT_VERBOSE", "on", 1);
    assert_int_equal(load(&settings), IGW_OK);
    assert_true(settings.verbose);
    (void)setenv("UNIT_VERBOSE", "yes", 1);
    assert_int_equal(load(&settings), IGW_INVALID);
    assert_string_equal(said,
                        "UNIT_VERBOSE=yes is wrong; it must be on or off\n");
    (void)state;
}

static void
all_faults_are_said_at_once_with_their_ranges(void **state)
{
    struct settings settings = { 0 };

    (void)unsetenv("UNIT_DATABASE");
    (void)setenv("UNIT_TTL", "5", 1);
    (void)setenv("UNIT_REGISTRATION", "no", 1);
    (void)setenv("UNIT_LISTEN", "12345678901", 1);
    (void)setenv("UNIT_THREAD", "4", 1);
    assert_int_equal(load(&settings), IGW_INVALID);
    assert_string_equal(
        said,
        "UNIT_THREAD is no setting of this program\n"
        "UNIT_DATABASE is not set; it must be text of 1 to 100 bytes: Where.\n"
        "UNIT_LISTEN=12345678901 is wrong; it must be text of 0 to 10 bytes\n"
        "UNIT_TTL=5 is wrong; it must be 250ms to 1d\n"
        "UNIT_REGISTRATION=no is wrong; it must be open or closed or mail\n");
    (void)state;
}

static void
help_and_the_table_have_every_setting(void **state)
{
    FILE *out = fmemopen(said, sizeof(said), "w");

    assert_non_null(out);
    igw_settings_help(table, COUNT, "UNIT_", out);
    (void)fclose(out);
    assert_non_null(strstr(said, "  UNIT_DATABASE\n      Where.\n"
                                 "      text of 1 to 100 bytes; required\n"));
    assert_non_null(strstr(said, "  UNIT_TTL\n      Life.\n"
                                 "      250ms to 1d; default: 5m\n"));
    out = fmemopen(said, sizeof(said), "w");
    assert_non_null(out);
    igw_settings_markdown(table, COUNT, "UNIT_", out);
    (void)fclose(out);
    assert_non_null(strstr(said, "| `UNIT_LISTEN` | none | text of 0 to 10 "
                                 "bytes | Address. |\n"));
    assert_non_null(strstr(said, "| `UNIT_BODY_MAX` | `64k` | 512 to 16m | "
                                 "Body. |\n"));
    (void)state;
}

/* --- what is written on stderr -------------------------------------------- */

static int saved_stderr;
static int stderr_pipe[2];

static void
begin_stderr(void)
{
    assert_int_equal(pipe(stderr_pipe), 0);
    saved_stderr = dup(STDERR_FILENO);
    assert_true(dup2(stderr_pipe[1], STDERR_FILENO) >= 0);
}

static size_t
end_stderr(char *text, size_t size)
{
    ssize_t len;

    assert_true(dup2(saved_stderr, STDERR_FILENO) >= 0);
    (void)close(saved_stderr);
    (void)close(stderr_pipe[1]);
    len = read(stderr_pipe[0], text, size - 1);
    assert_true(len >= 0);
    (void)close(stderr_pipe[0]);
    text[len] = '\0';
    return (size_t)len;
}

/* --- the command line ---------------------------------------------------- */

static int ran;
static int rest_count;
static char rest_first[16];

static int
run_serve(void *settings, int argc, char **argv)
{
    ran = 1;
    rest_count = argc;
    (void)snprintf(rest_first, sizeof(rest_first), "%s",
                   argc > 0 ? argv[0] : "");
    (void)settings;
    return 10;
}

static int
run_key(void *settings, int argc, char **argv)
{
    ran = 2;
    rest_count = argc;
    (void)snprintf(rest_first, sizeof(rest_first), "%s",
                   argc > 0 ? argv[0] : "");
    (void)settings;
    return 11;
}

static const struct igw_command commands[] = {
    { "serve", "[--listen ADDRESS]", "Serves.", run_serve },
    { "key export", "", "Prints the keys.", run_key }
};

static const struct igw_cli cli = { .program = "unit",
                                    .version = "1",
                                    .summary = "A test.",
                                    .prefix = "UNIT_",
                                    .settings = table,
                                    .setting_count = COUNT,
                                    .commands = commands,
                                    .command_count = 2 };

static int
run(int argc, const char *a, const char *b, const char *c)
{
    char words[4][32] = { "unit" };
    char *argv[] = { words[0], words[1], words[2], words[3], NULL };
    const char *given[] = { a, b, c };
    struct settings settings;

    for (int i = 0; i < 3; i++) {
        (void)snprintf(words[i + 1], sizeof(words[0]), "%s", given[i]);
    }
    ran = 0;
    return igw_cli_main(&cli, &settings, argc, argv);
}

static void
commands_are_found_by_their_words(void **state)
{
    char text[1024];

    assert_int_equal(run(1, "", "", ""), 10);
    assert_int_equal(ran, 1);
    assert_int_equal(run(2, "--listen=x", "", ""), 10);
    assert_string_equal(rest_first, "--listen=x");
    assert_int_equal(run(3, "serve", "x", ""), 10);
    assert_string_equal(rest_first, "x");
    assert_int_equal(rest_count, 1);
    assert_int_equal(run(4, "key", "export", "y"), 11);
    assert_int_equal(ran, 2);
    assert_string_equal(rest_first, "y");
    assert_int_equal(rest_count, 1);
    begin_stderr();
    assert_int_equal(run(2, "key", "", ""), 2);
    assert_int_equal(ran, 0);
    assert_int_equal(run(2, "serv", "", ""), 2);
    (void)end_stderr(text, sizeof(text));
    assert_string_equal(text, "unit: no command \"key\"; see unit --help\n"
                              "unit: no command \"serv\"; see unit --help\n");
    assert_int_equal(run(3, "serve", "--help", ""), 0);
    assert_int_equal(ran, 0);
    (void)unsetenv("UNIT_DATABASE");
    begin_stderr();
    assert_int_equal(run(2, "serve", "", ""), 2);
    assert_int_equal(ran, 0);
    (void)end_stderr(text, sizeof(text));
    assert_non_null(strstr(text, "UNIT_DATABASE is not set"));
    assert_int_equal(run(2, "--version", "", ""), 0);
    assert_int_equal(run(2, "--settings-markdown", "", ""), 0);
    (void)state;
}

static void
options_are_taken_out(void **state)
{
    char words[][16] = { "a", "--listen", "x", "b", "--listen=y" };
    char *argv[] = { words[0], words[1], words[2], words[3], words[4] };
    const char *value;
    char text[1024];
    int argc = 4;

    begin_stderr();
    assert_true(igw_cli_option(&argc, argv, "--listen", &value));
    assert_string_equal(value, "x");
    assert_int_equal(argc, 2);
    assert_string_equal(argv[1], "b");
    assert_false(igw_cli_end(argc, argv));
    assert_true(igw_cli_end(0, argv));
    assert_true(igw_cli_option(&argc, argv, "--other", &value));
    assert_null(value);

    argv[1] = words[1];
    argv[2] = words[2];
    argv[3] = words[3];
    argc = 5;
    assert_false(igw_cli_option(&argc, argv, "--listen", &value));
    argc = 2;
    argv[0] = words[0];
    argv[1] = words[1];
    assert_false(igw_cli_option(&argc, argv, "--listen", &value));
    (void)end_stderr(text, sizeof(text));
    assert_string_equal(text, "unknown argument \"a\"; see --help\n"
                              "--listen is there twice\n"
                              "--listen has no value\n");
    (void)state;
}

/* --- log lines ------------------------------------------------------------ */

static void
a_line_is_one_json_object_whatever_is_in_it(void **state)
{
    static const char nasty[] = "a\"b\\c\n\x1b[2J\x7f\xc2\x85\xff\xe2\x80\xa8"
                                "\xd0\x98";
    struct igw_json_fault why;
    struct json_t *json;
    char text[8192];
    size_t len;

    begin_stderr();
    igw_log_init("unit", IGW_LOG_INFO);
    igw_log_request("r1");
    igw_log_user("u1");
    igw_log(IGW_LOG_DEBUG, "hidden", NULL);
    igw_log(IGW_LOG_WARN, "event",
            (struct igw_log_field[]){
                { "a", nasty }, { "left_out", NULL }, { NULL, NULL } });
    igw_log_request(NULL);
    len = end_stderr(text, sizeof(text));
    assert_int_equal(text[len - 1], '\n');
    assert_ptr_equal(strchr(text, '\n'), text + len - 1);
    assert_int_equal(
        igw_json_parse((struct igw_slice){ text, len }, &json, &why), IGW_OK);
    assert_true(igw_slice_is(igw_json_text(igw_json_get(json, "a")),
                             "a\"b\\c\n\x1b[2J\x7f\xc2\x85\xef\xbf\xbd"
                             "\xe2\x80\xa8\xd0\x98"));
    assert_true(
        igw_slice_is(igw_json_text(igw_json_get(json, "level")), "warn"));
    assert_true(
        igw_slice_is(igw_json_text(igw_json_get(json, "request_id")), "r1"));
    assert_true(
        igw_slice_is(igw_json_text(igw_json_get(json, "user_id")), "u1"));
    assert_null(igw_json_get(json, "left_out"));
    assert_int_equal(igw_json_text(igw_json_get(json, "time")).len, 24);
    assert_null(strchr(text, 0x1b));
    igw_json_free(&json);
    (void)state;
}

static void
a_user_is_forgotten_with_the_request(void **state)
{
    char text[4096];

    begin_stderr();
    igw_log_user("u1");
    igw_log_request("r2");
    igw_logf(IGW_LOG_INFO, "event", "%d of %s", 1, "x");
    igw_log_request(NULL);
    (void)end_stderr(text, sizeof(text));
    assert_null(strstr(text, "user_id"));
    assert_non_null(strstr(text, "\"detail\":\"1 of x\"}"));
    (void)state;
}

static void
a_line_stays_json_when_it_is_full(void **state)
{
    char *large = calloc(1, 100001);
    struct igw_log_field fields[12];
    struct igw_json_fault why;
    struct json_t *json;
    char text[8192];
    size_t len;

    assert_non_null(large);
    memset(large, '"', 100000);
    for (size_t i = 0; i < 11; i++) {
        fields[i] = (struct igw_log_field){ "x", i % 2 == 0 ? large : "small" };
    }
    fields[1].name = "y";
    for (size_t i = 2; i < 11; i++) {
        fields[i].name = NULL;
    }
    begin_stderr();
    igw_log(IGW_LOG_ERROR, "event", fields);
    len = end_stderr(text, sizeof(text));
    assert_true(len <= 4096);
    assert_int_equal(
        igw_json_parse((struct igw_slice){ text, len }, &json, &why), IGW_OK);
    assert_int_equal(igw_json_text(igw_json_get(json, "x")).len, 1024);
    igw_json_free(&json);

    memset(large, 'x', 100000); /* fills the line to its last byte */
    for (size_t i = 0; i < 11; i++) {
        static const char *const names[] = { "a", "b", "c", "d", "e", "f",
                                             "g", "h", "i", "j", "k" };

        fields[i] = (struct igw_log_field){ names[i], large };
    }
    fields[11].name = NULL;
    begin_stderr();
    igw_log(IGW_LOG_ERROR, "event", fields);
    len = end_stderr(text, sizeof(text));
    assert_true(len <= 4096);
    assert_int_equal(
        igw_json_parse((struct igw_slice){ text, len }, &json, &why), IGW_OK);
    assert_null(igw_json_get(json, "k"));
    igw_json_free(&json);
    free(large);
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(fallbacks_are_read_like_values, clear),
        cmocka_unit_test_setup(values_in_their_units, clear),
        cmocka_unit_test_setup(a_switch_is_on_or_off, clear),
        cmocka_unit_test_setup(all_faults_are_said_at_once_with_their_ranges,
                               clear),
        cmocka_unit_test_setup(help_and_the_table_have_every_setting, clear),
        cmocka_unit_test_setup(commands_are_found_by_their_words, clear),
        cmocka_unit_test(options_are_taken_out),
        cmocka_unit_test(a_line_is_one_json_object_whatever_is_in_it),
        cmocka_unit_test(a_user_is_forgotten_with_the_request),
        cmocka_unit_test(a_line_stays_json_when_it_is_full)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
