/*
 * Which of plain text, HTML and JSON an Accept line gets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "accept.h"

enum { TEXT, HTML, JSON, COUNT };

static const struct igw_accept_offer offers[COUNT] = {
    [TEXT] = { "text/plain", NULL },
    [HTML] = { "text/html", NULL },
    [JSON] = { "application/problem+json", "application/json" },
};

struct example {
    const char *accept;
    size_t chosen;
};

static const struct example examples[] = {
    { NULL, TEXT },
    { "", TEXT },
    { "*/*", TEXT },
    { "text/*", TEXT },
    { "text/plain", TEXT },
    { "text/html", HTML },
    { "TEXT/HTML", HTML },
    { "application/json", JSON },
    { "application/problem+json", JSON },
    { "application/*", JSON },

    /* What programs send: browsers, axios, fetch, jQuery. */
    { "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,"
      "image/webp,*/*;q=0.8",
      HTML },
    { "application/json, text/plain, */*", JSON },
    { "application/json, text/javascript, */*; q=0.01", JSON },
    { "image/avif,image/webp,*/*", TEXT },

    /* The highest q, then the name, then the client's order. */
    { "text/html;q=0.5, application/json", JSON },
    { "text/html;q=0.5, application/json;q=0.4", HTML },
    { "text/plain;q=0.1, text/html;q=0.2, application/json;q=0.3", JSON },
    { "text/html, application/json", HTML },
    { "application/json, text/html", JSON },
    { "application/json;q=0.5, */*;q=0.8", TEXT },
    { "text/html, */*", HTML },
    { "*/*, text/html", HTML },
    { "text/*;q=0.5, application/json;q=0.4", TEXT },
    { "text/plain;q=0, */*", HTML },
    { "text/plain;q=0, text/html;q=0, */*", JSON },
    { "text/html;q=0.999, application/json;q=1.0", JSON },

    /* Parameters, blanks, letters of either case. */
    { "text/html;level=1;q=0.2, application/json;q=0.3", JSON },
    { "  text/html \t;  Q=1.000 ", HTML },
    { ",, ,text/html,", HTML },

    /* What is refused, broken or of another kind. */
    { "text/html;q=0", TEXT },
    { "text/html;q=2", TEXT },
    { "text/html;q=1.001", TEXT },
    { "text/html;q=0.0001", TEXT },
    { "text/html;q=-1", TEXT },
    { "text/html;q=", TEXT },
    { "text/html;q=0,5", TEXT },
    { "text/html;q=x", TEXT },
    { "image/png", TEXT },
    { "text", TEXT },
    { "text/", TEXT },
    { "/", TEXT },
    { "*", TEXT },
    { "text/htmlx", TEXT },
    { "xtext/html", TEXT },
    { "text/html/x", TEXT },
    { ";q=1", TEXT },
    { "=;,=;,", TEXT },
};

static void
test_choices(void **state)
{
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
        size_t chosen = igw_accept_choose(examples[i].accept, offers, COUNT);

        if (chosen != examples[i].chosen) {
            fail_msg("%s: %s, not %s",
                     examples[i].accept ? examples[i].accept : "(none)",
                     offers[chosen].type, offers[examples[i].chosen].type);
        }
    }
}

static void
the_language_that_is_liked_best(void **state)
{
    static const char *const languages[] = { "en", "ru", "de" };
    static const struct {
        const char *accept;
        size_t chosen;
    } wishes[] = {
        { NULL, 0 },
        { "", 0 },
        { "*", 0 },
        { "fr", 0 },
        { "ru", 1 },
        { "RU-ru", 1 },
        { "rue", 0 },
        { "ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7", 1 },
        { "en;q=0.1, de;q=0.5, ru;q=0.4", 2 },
        { "de, ru", 2 },
        { "fr, ru;q=0", 0 },
        { "fr;q=1, ru;q=0.001", 1 },
        { ",,;q=,ru;q=x, ;", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        assert_int_equal(igw_accept_language(wishes[i].accept, languages, 3),
                         wishes[i].chosen);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choices),
        cmocka_unit_test(the_language_that_is_liked_best),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
