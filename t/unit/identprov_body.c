/*
 * Browsers' forms as objects, where they send the browser, and from which
 * sites.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "body.h"
#include "origin.h"
#include "webform.h"

static void
is_form(const char *text, const char *expected)
{
    struct json_t *json = igw_json_object();
    struct igw_json_fault why;
    struct igw_buf out;

    igw_buf_init(&out);
    if (igw_webform_parse(igw_slice_of(text), json, &why) == IGW_OK) {
        assert_int_equal(igw_json_dump(json, &out), IGW_OK);
        assert_string_equal(out.data, expected);
    } else {
        assert_string_equal(why.code, expected);
    }
    igw_buf_clear(&out);
    igw_json_free(&json);
}

static void
forms_are_objects(void **state)
{
    is_form("", "{}");
    is_form("a=b", "{\"a\":\"b\"}");
    is_form("a=b&c=d", "{\"a\":\"b\",\"c\":\"d\"}");
    is_form("a", "{\"a\":\"\"}");
    is_form("a=", "{\"a\":\"\"}");
    is_form("=b", "{\"\":\"b\"}");
    is_form("&&a=b&", "{\"a\":\"b\"}");
    is_form("a=b=c", "{\"a\":\"b=c\"}");
    is_form("a=1+2%2B3", "{\"a\":\"1 2+3\"}");
    is_form("a=%2541", "{\"a\":\"%41\"}");
    is_form("%61%3D=%26", "{\"a=\":\"&\"}");
    is_form("a=%d0%9F", "{\"a\":\"\xd0\x9f\"}");
    is_form("a=%0A", "{\"a\":\"\\n\"}");
    is_form("a=%00b", "{\"a\":\"\\u0000b\"}");
}

static void
broken_forms_are_refused(void **state)
{
    is_form("a=%", "invalid_form");
    is_form("a=%4", "invalid_form");
    is_form("a=%4g", "invalid_form");
    is_form("%zz=a", "invalid_form");
    is_form("a=%ff", "invalid_encoding");
    is_form("a=%c0%80", "invalid_encoding");
    is_form("a%00=b", "invalid_encoding");
    is_form("a=b&a=c", "duplicate_member");
    is_form("a=b&%61=b", "duplicate_member");
}

static void
is_sent(const char *text, const char *expected)
{
    char *location = body_return_to(igw_slice_of(text));

    assert_non_null(location);
    assert_string_equal(location, expected);
    free(location);
}

static void
browsers_are_sent_to_paths_here(void **state)
{
    struct igw_slice nul = { "/a\0b", 4 };
    char *location = body_return_to(nul);

    assert_string_equal(location, "/");
    free(location);
    is_sent("/", "/");
    is_sent("/a?b=c&d#e", "/a?b=c&d#e");
    is_sent("/a%2f%5c", "/a%2f%5c");
    is_sent("/a b<\"\\", "/a%20b%3C%22%5C");
    is_sent("/\xd1\x91", "/%D1%91");
    is_sent("", "/");
    is_sent("a", "/");
    is_sent("//a", "/");
    is_sent("/\\a", "/");
    is_sent("\\/a", "/");
    is_sent("http://a/", "/");
    is_sent(" /a", "/");
    is_sent("/\t/a", "/");
    is_sent("/a\r\nb: c", "/");
    is_sent("/\xff", "/");
    is_sent("/\xc2\x85", "/");
}

static bool
is_foreign(const char *site, const char *origin, const char *host, bool tls)
{
    const char *names[] = { "HTTP_SEC_FETCH_SITE", "HTTP_ORIGIN", "HTTP_HOST" };
    const char *values[] = { site, origin, host };
    char lines[3][128];
    char *params[4] = { NULL };
    size_t count = 0;
    struct igw_request request = { .params = params, .is_https = tls };

    for (size_t i = 0; i < 3; i++) {
        if (values[i] != NULL) {
            (void)snprintf(lines[i], sizeof(lines[i]), "%s=%s", names[i],
                           values[i]);
            params[count++] = lines[i];
        }
    }
    return igw_origin_is_foreign(&request);
}

static void
sites_are_told_apart(void **state)
{
    assert_false(is_foreign(NULL, NULL, "a", false));
    assert_false(is_foreign("same-origin", "http://b", "a", false));
    assert_false(is_foreign("none", NULL, "a", false));
    assert_true(is_foreign("same-site", NULL, "a", false));
    assert_true(is_foreign("cross-site", "http://a", "a", false));
    assert_true(is_foreign("", NULL, "a", false));
    assert_true(is_foreign("same-origin, none", NULL, "a", false));
    assert_false(is_foreign(NULL, "http://a", "a", false));
    assert_false(is_foreign(NULL, "http://a", "A:80", false));
    assert_false(is_foreign(NULL, "http://a:80", "a", false));
    assert_false(is_foreign(NULL, "https://a", "a:443", true));
    assert_false(is_foreign(NULL, "http://[::1]:8080", "[::1]:8080", false));
    assert_true(is_foreign(NULL, "https://a", "a", false));
    assert_true(is_foreign(NULL, "http://a", "a", true));
    assert_true(is_foreign(NULL, "http://a:443", "a", true));
    assert_true(is_foreign(NULL, "http://a:81", "a", false));
    assert_true(is_foreign(NULL, "http://a.b", "a", false));
    assert_true(is_foreign(NULL, "http://a", "a.b", false));
    assert_true(is_foreign(NULL, "http://a/", "a", false));
    assert_true(is_foreign(NULL, "null", "a", false));
    assert_true(is_foreign(NULL, "http://", "", false));
    assert_true(is_foreign(NULL, "http://a", NULL, false));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_are_objects),
        cmocka_unit_test(broken_forms_are_refused),
        cmocka_unit_test(browsers_are_sent_to_paths_here),
        cmocka_unit_test(sites_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
