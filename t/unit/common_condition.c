/*
 * Entity tags and their lists (RFC 9110 8.8.3, 13.1): which request goes on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "condition.h"

static const char etag[] = "\"abc\"";

/* Of a request with these fields, NULL: without. */
static enum igw_condition
verdict(enum igw_method method, const char *if_match, const char *if_none_match,
        const char *current)
{
    char match[256];
    char none_match[256];
    char *params[3] = { NULL };
    struct igw_request request = { .method = method, .params = params };
    size_t count = 0;

    (void)snprintf(match, sizeof(match), "HTTP_IF_MATCH=%s", if_match);
    (void)snprintf(none_match, sizeof(none_match), "HTTP_IF_NONE_MATCH=%s",
                   if_none_match);
    if (if_match != NULL) {
        params[count++] = match;
    }
    if (if_none_match != NULL) {
        params[count] = none_match;
    }
    assert_true(igw_condition_is_there(&request)
                == (if_match != NULL || if_none_match != NULL));
    return igw_condition_check(&request, current);
}

static void
no_condition_holds(void **state)
{
    (void)state;
    assert_int_equal(verdict(IGW_PUT, NULL, NULL, etag), IGW_CONDITION_HOLDS);
    assert_int_equal(verdict(IGW_PUT, NULL, NULL, NULL), IGW_CONDITION_HOLDS);
}

static void
if_match_compares_strongly(void **state)
{
    static const struct {
        const char *list;
        bool holds;
    } cases[] = {
        { "\"abc\"", true },
        { "*", true },
        { " * ", true },
        { "\"x\", \"abc\"", true },
        { "\"abc\",\"x\"", true },
        { ",, \"abc\" ,,", true },
        { "\t\"abc\"\t", true },
        { "\"x,\", \"abc\"", true },
        { "\"x\"", false },
        { "W/\"abc\"", false },
        { "W/\"abc\", \"x\"", false },
        { "\"\"", false },
        { "\"ABC\"", false },
        { "\"abc,\"", false },
        { "\"x,abc\"", false },
        { "W/\"abc\", \"abc\"", true },
        { "\"\xc3\xa9\"", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum igw_condition rc = verdict(IGW_PUT, cases[i].list, NULL, etag);

        if (rc
            != (cases[i].holds ? IGW_CONDITION_HOLDS : IGW_CONDITION_FAILED)) {
            fail_msg("If-Match: %s: %d", cases[i].list, rc);
        }
        /* Where there is nothing, nothing matches. */
        assert_int_equal(verdict(IGW_PUT, cases[i].list, NULL, NULL),
                         IGW_CONDITION_FAILED);
        assert_int_equal(verdict(IGW_GET, cases[i].list, NULL, etag), rc);
    }
}

static void
if_none_match_compares_weakly(void **state)
{
    static const struct {
        const char *list;
        bool matches;
    } cases[] = {
        { "\"abc\"", true },   { "W/\"abc\"", true },
        { "*", true },         { "\"x\", W/\"abc\"", true },
        { "\"x\"", false },    { "W/\"x\", \"y\"", false },
        { "\"abcd\"", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool matches = cases[i].matches;

        assert_int_equal(verdict(IGW_GET, NULL, cases[i].list, etag),
                         matches ? IGW_CONDITION_NOT_MODIFIED
                                 : IGW_CONDITION_HOLDS);
        assert_int_equal(verdict(IGW_POST, NULL, cases[i].list, etag),
                         matches ? IGW_CONDITION_FAILED : IGW_CONDITION_HOLDS);
        assert_int_equal(verdict(IGW_POST, NULL, cases[i].list, NULL),
                         IGW_CONDITION_HOLDS);
    }
}

static void
if_match_goes_first(void **state)
{
    (void)state;
    assert_int_equal(verdict(IGW_GET, "\"x\"", "\"abc\"", etag),
                     IGW_CONDITION_FAILED);
    assert_int_equal(verdict(IGW_GET, "\"abc\"", "\"abc\"", etag),
                     IGW_CONDITION_NOT_MODIFIED);
    assert_int_equal(verdict(IGW_PUT, "*", "\"x\"", etag), IGW_CONDITION_HOLDS);
}

static void
what_is_no_list_of_tags_is_malformed(void **state)
{
    static const char *const cases[] = {
        "",           " ",           ",",
        ", ,",        "abc",         "\"",
        "\"abc",      "abc\"",       "'abc'",
        "w/\"abc\"",  "W\"abc\"",    "W/abc",
        "W/ \"abc\"", "W/",          "W/W/\"abc\"",
        "\"a b\"",    "\"a\tb\"",    "\"abc\" \"x\"",
        "\"abc\"x",   "\"abc\";",    "*, \"abc\"",
        "\"abc\", *", "**",          "* *",
        "\"abc\", x", "\"abc\"\"\"", "\"abc\", \"",
        "W/*",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (verdict(IGW_PUT, cases[i], NULL, etag) != IGW_CONDITION_MALFORMED
            || verdict(IGW_GET, NULL, cases[i], etag) != IGW_CONDITION_MALFORMED
            || verdict(IGW_PUT, "\"x\"", cases[i], NULL)
                   != IGW_CONDITION_MALFORMED) {
            fail_msg("<%s> is taken for a list", cases[i]);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_condition_holds),
        cmocka_unit_test(if_match_compares_strongly),
        cmocka_unit_test(if_none_match_compares_weakly),
        cmocka_unit_test(if_match_goes_first),
        cmocka_unit_test(what_is_no_list_of_tags_is_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
