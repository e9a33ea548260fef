/*
 * feed_read.c: what a poll may say, every byte of it. The module's file is
 * included: it needs nothing of nginx.
 */

#include "../../ngx_http_identgw_module/ngx_http_identgw_feed_read.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define HASH "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
#define ENDS "cursor e:1\n"

/* A copy without room behind it, for the sanitizers and valgrind to watch. */

static const char *
read_text(const char *text, size_t size, ngx_http_identgw_feed_read_t *feed,
          unsigned char **copy)
{
    *copy = malloc(size == 0 ? 1 : size);
    assert_non_null(*copy);
    memcpy(*copy, text, size);
    return ngx_http_identgw_feed_read(*copy, size, feed);
}

static int
is_good(const char *text, size_t size)
{
    unsigned char *copy;
    const char *fault;
    ngx_http_identgw_feed_read_t feed;

    fault = read_text(text, size, &feed, &copy);
    free(copy);
    return fault == NULL;
}

static void
reads_a_cursor_and_rows(void **state)
{
    static const char text[] =
        "cursor 71.00000001:700:701,3\n" HASH "\n" HASH "\nend 2\n";
    static const unsigned char key[] = { 0x01, 0x23, 0x45, 0x67,
                                         0x89, 0xab, 0xcd, 0xef };
    unsigned char *copy;
    ngx_http_identgw_feed_read_t feed;

    (void)state;
    assert_null(read_text(text, sizeof(text) - 1, &feed, &copy));
    assert_false(feed.is_reset);
    assert_int_equal(feed.cursor_size, strlen("71.00000001:700:701,3"));
    assert_memory_equal(feed.cursor, "71.00000001:700:701,3", 21);
    assert_int_equal(feed.epoch_size, strlen("71.00000001"));
    assert_int_equal(feed.nkeys, 2);
    for (size_t i = 0; i < 8; i++) {
        assert_memory_equal(feed.keys + 8 * i, key, 8);
    }
    free(copy);
}

static void
reads_a_reset(void **state)
{
    static const char text[] = "reset e:x\nend 0";
    unsigned char *copy;
    ngx_http_identgw_feed_read_t feed;

    (void)state;
    assert_null(read_text(text, sizeof(text) - 1, &feed, &copy));
    assert_true(feed.is_reset);
    assert_int_equal(feed.nkeys, 0);
    free(copy);
}

static void
refuses_anything_else(void **state)
{
    static const char *const bad[] = {
        "",
        "\n",
        "end 0\n",
        "cursor\nend 0\n",
        "cursor \nend 0\n",
        "cursor e:1",
        ENDS,
        ENDS "\n",
        "cursors e:1\nend 0\n",
        " cursor e:1\nend 0\n",
        "Cursor e:1\nend 0\n",
        "cursor  e:1\nend 0\n",
        "cursor e:1 \nend 0\n",
        "cursor e:1\r\nend 0\r\n",
        "cursor e:1\tx\nend 0\n",

        "cursor e:\x80\nend 0\n",
        "cursor e:1\nreset e:1\nend 0\n",
        "reset\nend 0\n",
        ENDS "end\n",
        ENDS "end \n",
        ENDS "end 1\n",
        ENDS "end -0\n",
        ENDS "end 00\n",
        ENDS "end +0\n",
        ENDS "end 0 \n",
        ENDS "end 0x0\n",
        ENDS "end 0\n\n",
        ENDS "end 0\nend 0\n",
        ENDS "end 0\n" HASH "\n",
        ENDS "END 0\n",
        ENDS "\nend 0\n",
        ENDS HASH "\nend 0\n",
        ENDS HASH "\nend 2\n",
        ENDS HASH "\nend 01\n",
        ENDS HASH "\nend 10\n",
        ENDS HASH "\n",
        ENDS HASH,
        ENDS HASH "0\nend 1\n",
        ENDS HASH "\r\nend 1\n",
        ENDS " " HASH "\nend 1\n",
        ENDS HASH HASH "\nend 2\n",
        ENDS "0123\nend 1\n",
        ENDS "g123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcde"
             "f\nend 1\n",
        ENDS "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcde"
             "G\nend 1\n",
        "<html>\n<body>502</body>\n</html>\n"
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (is_good(bad[i], strlen(bad[i]))) {
            fail_msg("taken for a poll: \"%s\"", bad[i]);
        }
    }
    assert_false(is_good(ENDS "end 0\0", sizeof(ENDS "end 0\0") - 1));
    assert_false(is_good("cursor e:\0\nend 0\n", 17));
}

static int
takes_size(size_t size)
{
    int good;
    size_t used;
    char *text = malloc(size + 32);

    assert_non_null(text);
    used = (size_t)sprintf(text, "cursor ");
    memset(text + used, 'a', size);
    used += size;
    used += (size_t)sprintf(text + used, "\nend 0\n");
    good = is_good(text, used);
    free(text);
    return good;
}

static void
bounds_the_cursor(void **state)
{
    (void)state;
    assert_false(takes_size(0));
    assert_true(takes_size(1));
    assert_true(takes_size(8192));
    assert_false(takes_size(8193));
}

static void
finds_the_epoch(void **state)
{
    static const struct {
        const char *cursor;
        size_t size;
    } cases[] = {
        { "71.00000001", 11 },
        { "71.00000001:9", 11 },
        { "71.0000000A.9.1-2-", 11 },
        { "7.0000000f,", 10 },
        { "71.0000001:9", 0 },
        { "71.000000012", 0 },
        { "71:00000001", 0 },
        { "71", 0 },
        { "71.", 0 },
        { ".00000001", 0 },
        { "x1.00000001", 0 },
        { "opaque", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64];
        unsigned char *copy;
        ngx_http_identgw_feed_read_t feed;
        int used = sprintf(text, "reset %s\nend 0\n", cases[i].cursor);

        assert_null(read_text(text, (size_t)used, &feed, &copy));
        assert_int_equal(feed.epoch_size, cases[i].size);
        free(copy);
    }
}

/* Cut at any byte, or with any byte changed, a good one is good or refused. */

static void
survives_damage(void **state)
{
    static const char text[] =
        "cursor 71.00000001:700\n" HASH "\n" HASH "\n" HASH "\nend 3\n";
    unsigned seed = (unsigned)time(NULL);
    char damaged[sizeof(text)];

    (void)state;
    print_message("seed %u\n", seed);
    srand(seed);
    for (size_t size = 0; size < sizeof(text) - 1; size++) {
        int is_whole = size >= sizeof(text) - 2;
        assert_int_equal(is_good(text, size), is_whole);
    }
    for (int i = 0; i < 200000; i++) {
        memcpy(damaged, text, sizeof(text));
        for (int n = rand() % 4; n >= 0; n--) {
            damaged[(size_t)rand() % (sizeof(text) - 1)] = (char)rand();
        }
        (void)is_good(damaged, sizeof(text) - 1);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_cursor_and_rows),
        cmocka_unit_test(reads_a_reset),
        cmocka_unit_test(refuses_anything_else),
        cmocka_unit_test(bounds_the_cursor),
        cmocka_unit_test(finds_the_epoch),
        cmocka_unit_test(survives_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
