/*
 * Where the session id is found in a request, and how a cookie is written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session.h"

#define ID "q8Zk_3-"

struct example {
    const char *header;  /* NULL: there is none */
    const char *cookies; /* NULL: there is none */
    const char *id;      /* "": no session */
};

static const struct example examples[] = {
    { NULL, NULL, "" },
    { ID, NULL, ID },
    { NULL, "JSESSIONID=" ID, ID },

    /* A header that is present counts alone. */
    { ID, "JSESSIONID=other", ID },
    { "", "JSESSIONID=" ID, "" },
    { "two words", "JSESSIONID=" ID, "" },
    { "a, b", NULL, "" },

    /* What is no id. */
    { "", NULL, "" },
    { " ", NULL, "" },
    { ID " ", NULL, "" },
    { " " ID, NULL, "" },
    { "a\tb", NULL, "" },
    { "a\x01", NULL, "" },
    { "a\x7f", NULL, "" },
    { "a\x80", NULL, "" },
    { "\xc3\xa9", NULL, "" },
    { "!~", NULL, "!~" },
    { NULL, "JSESSIONID=", "" },
    { NULL, "JSESSIONID=a b", "" },
    { NULL, "JSESSIONID=\xc3\xa9", "" },
    { NULL, "JSESSIONID", "" },

    /* Around the cookie. */
    { NULL, "a=b; JSESSIONID=" ID "; c=d", ID },
    { NULL, "a=b;JSESSIONID=" ID ";c=d", ID },
    { NULL, ";; JSESSIONID=" ID " ;", ID },
    { NULL, "\tJSESSIONID\t=\t" ID "\t", ID },
    { NULL, "JSESSIONID=" ID "=", ID "=" },
    { NULL, "JSESSIONID=\"" ID "\"", "\"" ID "\"" },
    { NULL, "jsessionid=" ID, "" },
    { NULL, "XJSESSIONID=" ID, "" },
    { NULL, "JSESSIONIDX=" ID, "" },
    { NULL, "a=JSESSIONID=" ID, "" },
    { NULL, "a=\"; JSESSIONID=" ID "; \"", ID },
    { NULL, "=JSESSIONID", "" },
    { NULL, "", "" },
    { NULL, ";", "" },

    /* Two cookies of the name. */
    { NULL, "JSESSIONID=" ID "; JSESSIONID=" ID, ID },
    { NULL, "JSESSIONID=" ID "; JSESSIONID=other", "" },
    { NULL, "JSESSIONID=other; a=b; JSESSIONID=" ID, "" },
    { NULL, "JSESSIONID=; JSESSIONID=" ID, "" },
    { NULL, "JSESSIONID=" ID "; JSESSIONID=", "" },
    { NULL, "JSESSIONID=" ID "; JSESSIONID=" ID "; JSESSIONID=x", "" },
    { NULL, "JSESSIONID=x; JSESSIONID=" ID "; JSESSIONID=" ID, "" },
    { NULL, "JSESSIONID=" ID "; JSESSIONID", ID },
    { ID, "JSESSIONID=a; JSESSIONID=b", ID },
};

static void
test_where_the_id_is(void **state)
{
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
        const struct example *example = &examples[i];
        struct igw_slice id =
            session_choose(example->header, example->cookies, "JSESSIONID");

        if (!igw_slice_is(id, example->id)) {
            fail_msg("%zu: header \"%s\" cookies \"%s\": \"%.*s\"", i,
                     example->header ? example->header : "(none)",
                     example->cookies ? example->cookies : "(none)",
                     (int)id.len, id.data ? id.data : "");
        }
    }
}

static void
test_an_id_has_at_most_512_bytes(void **state)
{
    char text[SESSION_ID_MAX + 2];
    char cookies[sizeof(text) + 16];

    memset(text, 'a', sizeof(text) - 1);
    text[SESSION_ID_MAX + 1] = '\0';
    snprintf(cookies, sizeof(cookies), "JSESSIONID=%s", text);
    assert_int_equal(session_in_header(text).len, 0);
    assert_int_equal(session_in_cookies(cookies, "JSESSIONID").len, 0);

    text[SESSION_ID_MAX] = '\0';
    snprintf(cookies, sizeof(cookies), "JSESSIONID=%s", text);
    assert_int_equal(session_in_header(text).len, SESSION_ID_MAX);
    assert_int_equal(session_in_cookies(cookies, "JSESSIONID").len,
                     SESSION_ID_MAX);
}

static void
check_all(const char *header, const char *cookies, const char *expected)
{
    struct igw_slice ids[SESSION_ALL_MAX];
    size_t count = session_all(header, cookies, "s", ids);
    struct igw_buf found;

    igw_buf_init(&found);
    igw_buf_puts(&found, "");
    for (size_t i = 0; i < count; i++) {
        igw_buf_append(&found, ids[i].data, ids[i].len);
        igw_buf_puts(&found, " ");
    }
    assert_string_equal(found.data != NULL ? found.data : "", expected);
    igw_buf_clear(&found);
}

static void
test_all_ids_that_came(void **state)
{
    check_all(NULL, NULL, "");
    check_all("a", NULL, "a ");
    check_all("a b", "s=", "");
    check_all("a", "s=b", "a b ");
    check_all("", "s=b; x=c; s=d; S=e", "b d ");
    check_all("a", "s=a; s=a", "a a a ");
    check_all("a b", "s=b c; s=d", "d ");
}

static void
test_more_ids_than_fit_are_told(void **state)
{
    struct igw_slice ids[SESSION_ALL_MAX];
    struct igw_buf cookies;

    igw_buf_init(&cookies);
    for (int i = 0; i < SESSION_ALL_MAX; i++) {
        igw_buf_printf(&cookies, "s=%d; ", i);
    }
    assert_int_equal(session_all(NULL, cookies.data, "s", ids),
                     SESSION_ALL_MAX);
    assert_true(igw_slice_is(ids[SESSION_ALL_MAX - 1], "127"));
    assert_int_equal(session_all("a", cookies.data, "s", ids),
                     SESSION_ALL_MAX + 1);
    igw_buf_puts(&cookies, "x=1; s=");
    assert_int_equal(session_all(NULL, cookies.data, "s", ids),
                     SESSION_ALL_MAX);
    igw_buf_puts(&cookies, "1");
    assert_int_equal(session_all(NULL, cookies.data, "s", ids),
                     SESSION_ALL_MAX + 1);
    igw_buf_clear(&cookies);
    (void)state;
}

static void
test_names(void **state)
{
    char name[SESSION_NAME_MAX + 2];
    char param[SESSION_PARAM_SIZE];

    memset(name, 'n', sizeof(name) - 1);
    name[SESSION_NAME_MAX + 1] = '\0';
    assert_false(session_name_is_valid(name));
    name[SESSION_NAME_MAX] = '\0';
    assert_true(session_name_is_valid(name));
    session_param(name, param);
    assert_int_equal(strlen(param), SESSION_NAME_MAX + strlen("HTTP_"));

    assert_true(session_name_is_valid("JSESSIONID"));
    assert_true(session_name_is_valid("__Host-sid"));
    assert_false(session_name_is_valid(""));
    assert_false(session_name_is_valid("a b"));
    assert_false(session_name_is_valid("a=b"));
    assert_false(session_name_is_valid("a;b"));
    assert_false(session_name_is_valid("a\r\nb"));
    assert_false(session_name_is_valid("\xc3\xa9"));

    session_param("JSESSIONID", param);
    assert_string_equal(param, "HTTP_JSESSIONID");
    session_param("__Host-sid", param);
    assert_string_equal(param, "HTTP___HOST_SID");
}

static void
test_cookies_as_they_are_set(void **state)
{
    static const char expired[] =
        " Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
    static const struct {
        struct session_cookie cookie;
        const char *attributes;
    } cases[] = {
        { { "JSESSIONID", "", "Lax", false }, "; SameSite=Lax" },
        { { "sid", "", "Lax", true }, "; SameSite=Lax; Secure" },
        { { "sid", "a.example", "Strict", false },
          "; Domain=a.example; SameSite=Strict" },
        { { "sid", "", "None", false }, "; SameSite=None; Secure" },
        { { "__Host-sid", "", "Lax", false }, "; SameSite=Lax; Secure" },
        { { "__host-sid", "a.example", "Lax", false },
          "; SameSite=Lax; Secure" },
        { { "__Secure-sid", "a.example", "Lax", false },
          "; Domain=a.example; SameSite=Lax; Secure" },
    };
    struct igw_buf out;
    char expected[256];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct session_cookie *cookie = &cases[i].cookie;

        igw_buf_init(&out);
        session_cookie_set(&out, cookie, ID);
        (void)snprintf(expected, sizeof(expected),
                       "%s=" ID "; Path=/; HttpOnly%s", cookie->name,
                       cases[i].attributes);
        assert_string_equal(out.data, expected);
        igw_buf_reset(&out);
        session_cookie_clear(&out, cookie);
        (void)snprintf(expected, sizeof(expected), "%s=; Path=/; HttpOnly%s;%s",
                       cookie->name, cases[i].attributes, expired);
        assert_string_equal(out.data, expected);
        igw_buf_clear(&out);
    }
}

static void
test_new_ids_are_found_again_and_never_equal(void **state)
{
    enum { COUNT = 1000 };
    static char ids[COUNT][SESSION_ID_LEN + 1];

    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(session_new(ids[i]), IGW_OK);
        assert_int_equal(strlen(ids[i]), SESSION_ID_LEN);
        assert_true(igw_slice_is(session_in_header(ids[i]), ids[i]));
    }
    qsort(ids, COUNT, sizeof(*ids),
          (int (*)(const void *, const void *))strcmp);
    for (size_t i = 1; i < COUNT; i++) {
        assert_string_not_equal(ids[i - 1], ids[i]);
    }
}

static void
test_the_hash_is_sha256(void **state)
{
    struct session_hash hash;
    char sid[SESSION_SID_LEN + 1];

    assert_int_equal(session_hash(igw_slice_of("abc"), &hash), IGW_OK);
    session_sid(&hash, sid);
    assert_string_equal(sid, "ba7816bf8f01cfea");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_the_id_is),
        cmocka_unit_test(test_an_id_has_at_most_512_bytes),
        cmocka_unit_test(test_all_ids_that_came),
        cmocka_unit_test(test_more_ids_than_fit_are_told),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_cookies_as_they_are_set),
        cmocka_unit_test(test_new_ids_are_found_again_and_never_equal),
        cmocka_unit_test(test_the_hash_is_sha256),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
