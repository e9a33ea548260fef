/*
 * The feed's cursor: what is written is read back, and nothing else is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cursor.h"

static const char history[] = "7400000000000000001.00000001.1790000000000000";

static void
is_written(const char *snapshot, const char *expected)
{
    struct feed feed = { .history = history, .snapshot = snapshot };
    struct feed_cursor cursor;
    struct igw_buf text;

    igw_buf_init(&text);
    igw_buf_puts(&text, "cursor ");
    assert_int_equal(cursor_write(&feed, &text), IGW_OK);
    assert_true(text.len - strlen("cursor ") <= CURSOR_MAX);
    cursor = cursor_read(igw_slice_of(text.data + strlen("cursor ")));
    assert_true(igw_slice_is(cursor.history, history));
    assert_true(igw_slice_is(cursor.snapshot, expected));
    igw_buf_clear(&text);
}

static void
is_read_back(void **state)
{
    is_written("5-5-", "5-5-");
    is_written("812-815-813_814", "812-815-813_814");
}

static void
is_cut_to_an_older_one(void **state)
{
    struct igw_buf snapshot;

    igw_buf_init(&snapshot);
    igw_buf_puts(&snapshot, "1000-9999-1000");
    for (int id = 1001; id < 9000; id++) {
        igw_buf_printf(&snapshot, "_%d", id);
    }
    is_written(snapshot.data, "1000-1000-");
    igw_buf_clear(&snapshot);
}

static void
every_change_makes_none(void **state)
{
    struct feed feed = { .history = history, .snapshot = "812-815-813_814" };
    struct igw_buf text;

    igw_buf_init(&text);
    assert_int_equal(cursor_write(&feed, &text), IGW_OK);
    for (size_t i = 0; i < text.len; i++) {
        struct igw_slice torn = { text.data, i };
        char was = text.data[i];

        assert_int_equal(cursor_read(torn).snapshot.len, 0);
        text.data[i] = was == '1' ? '2' : '1';
        assert_int_equal(cursor_read(igw_buf_slice(&text)).snapshot.len, 0);
        text.data[i] = was;
    }
    assert_int_not_equal(cursor_read(igw_buf_slice(&text)).snapshot.len, 0);
    igw_buf_clear(&text);
}

static void
junk_is_none(void **state)
{
    static const char *const junk[] = {
        "", ".", "..", "...", "a.b", "e3b0c44298fc1c14", ".e3b0c44298fc1c14"
    };

    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
        assert_int_equal(cursor_read(igw_slice_of(junk[i])).snapshot.len, 0);
    }
    assert_int_equal(cursor_read((struct igw_slice){ NULL, 0 }).history.len, 0);
}

static void
is_found_in_a_query(void **state)
{
    assert_true(igw_slice_is(cursor_in_query("since=a"), "a"));
    assert_true(igw_slice_is(cursor_in_query("x=y&since=a.b&z"), "a.b"));
    assert_int_equal(cursor_in_query("").len, 0);
    assert_int_equal(cursor_in_query("since=").len, 0);
    assert_int_equal(cursor_in_query("xsince=a").len, 0);
    assert_int_equal(cursor_in_query("since=a&since=a").len, 0);
    assert_int_equal(cursor_in_query("since=&since=a").len, 0);
    assert_int_equal(cursor_in_query("&&").len, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_read_back),
        cmocka_unit_test(is_cut_to_an_older_one),
        cmocka_unit_test(every_change_makes_none),
        cmocka_unit_test(junk_is_none),
        cmocka_unit_test(is_found_in_a_query),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
