/*
 * Strict JSON: what is refused and why, and what is written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "json.h"

#define BYTES(text)            \
    (struct igw_slice)         \
    {                          \
        text, sizeof(text) - 1 \
    }

static struct json_t *
parse(struct igw_slice text)
{
    struct igw_json_fault why;
    struct json_t *json;

    if (igw_json_parse(text, &json, &why) != IGW_OK) {
        fail_msg("%.*s: %s", (int)text.len, text.data, why.detail);
    }
    return json;
}

static void
what_is_refused_has_a_code(void **state)
{
    static const struct {
        struct igw_slice text;
        const char *code;
    } cases[] = {
        { BYTES(""), "invalid_json" },
        { BYTES(" "), "invalid_json" },
        { BYTES("{"), "invalid_json" },
        { BYTES("{}{}"), "invalid_json" },
        { BYTES("{} x"), "invalid_json" },
        { BYTES("{\"a\":1,}"), "invalid_json" },
        { BYTES("{'a':1}"), "invalid_json" },
        { BYTES("[01]"), "invalid_json" },
        { BYTES("[1.]"), "invalid_json" },
        { BYTES("[NaN]"), "invalid_json" },
        { BYTES("[1e400]"), "invalid_json" },
        { BYTES("[9223372036854775808]"), "invalid_json" },
        { BYTES("\xef\xbb\xbf{}"), "invalid_json" },
        { BYTES("/**/{}"), "invalid_json" },
        { BYTES("[\"a\nb\"]"), "invalid_json" },
        { BYTES("[\"\\ud800\"]"), "invalid_json" },
        { BYTES("[\"\\x41\"]"), "invalid_json" },
        { BYTES("{}\0"), "invalid_encoding" },
        { BYTES("2\0"), "invalid_encoding" },
        { BYTES("[2\0]"), "invalid_encoding" },
        { BYTES("[\"\xff\"]"), "invalid_encoding" },
        { BYTES("[\"\xc0\xaf\"]"), "invalid_encoding" },
        { BYTES("[\"\xed\xa0\x80\"]"), "invalid_encoding" },
        { BYTES("[\"\\u0000\"]"), "invalid_encoding" },
        { BYTES("{\"\\u0000\":1}"), "invalid_encoding" },
        { BYTES("{\"a\":1,\"a\":1}"), "duplicate_member" },
        { BYTES("{\"a\":1,\"\\u0061\":2}"), "duplicate_member" },
        { BYTES("[{\"x\":{\"a\":1,\"a\":null}}]"), "duplicate_member" },
        { BYTES("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"), "too_deep" },
        { BYTES("[[[[[[[[[[[[[[[[{\"a\":1}]]]]]]]]]]]]]]]]"), "too_deep" },
        { BYTES("[[[[[[[[[[[[[[[[["), "too_deep" }
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct igw_json_fault why = { "none", "" };
        struct json_t *json;

        assert_int_equal(igw_json_parse(cases[i].text, &json, &why),
                         IGW_INVALID);
        assert_null(json);
        if (strcmp(why.code, cases[i].code) != 0) {
            fail_msg("%s: %s", cases[i].text.data, why.code);
        }
        assert_true(strlen(why.detail) > 0);
    }
    (void)state;
}

static void
a_megabyte_of_brackets_is_refused_without_recursion(void **state)
{
    size_t len = 1 << 20;
    char *text = malloc(len);
    struct igw_json_fault why;
    struct json_t *json;

    assert_non_null(text);
    memset(text, '[', len);
    assert_int_equal(
        igw_json_parse((struct igw_slice){ text, len }, &json, &why),
        IGW_INVALID);
    assert_string_equal(why.code, "too_deep");
    free(text);
    (void)state;
}

static void
brackets_in_strings_do_not_count(void **state)
{
    struct json_t *json =
        parse(BYTES("[\"[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[[[[[[\\\\\"]"));

    assert_int_equal(igw_json_size(json), 1);
    igw_json_free(&json);
    json = parse(BYTES("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]")); /* 16 */
    igw_json_free(&json);
    assert_null(json);
    (void)state;
}

static void
the_detail_does_not_quote_the_input(void **state)
{
    struct igw_json_fault why;
    struct json_t *json;

    assert_int_equal(
        igw_json_parse(BYTES("{\"password\": secret}"), &json, &why),
        IGW_INVALID);
    assert_null(strstr(why.detail, "secret"));
    assert_non_null(strstr(why.detail, "line 1"));
    (void)state;
}

static void
types_are_what_they_are(void **state)
{
    struct json_t *json =
        parse(BYTES("{\"t\":\"x\",\"i\":7,\"r\":1.0,\"b\":true,\"n\":null,"
                    "\"a\":[1,2],\"o\":{}}"));
    static const struct {
        const char *name;
        enum igw_json_type type;
    } cases[] = { { "t", IGW_JSON_STRING }, { "i", IGW_JSON_INTEGER },
                  { "r", IGW_JSON_REAL },   { "b", IGW_JSON_BOOL },
                  { "n", IGW_JSON_NULL },   { "a", IGW_JSON_ARRAY },
                  { "o", IGW_JSON_OBJECT }, { "absent", IGW_JSON_NULL } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(igw_json_type(igw_json_get(json, cases[i].name)),
                         cases[i].type);
    }
    /* Another type than asked for is empty, zero, false. */
    assert_int_equal(igw_json_integer(igw_json_get(json, "t")), 0);
    assert_int_equal(igw_json_integer(igw_json_get(json, "r")), 0);
    assert_int_equal(igw_json_text(igw_json_get(json, "i")).len, 0);
    assert_false(igw_json_bool(igw_json_get(json, "i")));
    assert_null(igw_json_get(igw_json_get(json, "a"), "x"));
    assert_int_equal(igw_json_integer(igw_json_at(igw_json_get(json, "a"), 1)),
                     2);
    assert_null(igw_json_at(igw_json_get(json, "a"), 2));
    igw_json_free(&json);
    (void)state;
}

static void
members_keep_their_order(void **state)
{
    struct json_t *json =
        parse(BYTES("{\"z\":1,\"a\":2,\"m\":3,\"b\":4,\"y\":5}"));
    char order[8] = "";
    struct igw_buf out;

    for (void *i = igw_json_first(json); i != NULL;
         i = igw_json_next(json, i)) {
        strcat(order, igw_json_name(i));
    }
    assert_string_equal(order, "zamby");
    igw_buf_init(&out);
    assert_int_equal(igw_json_dump(json, &out), IGW_OK);
    assert_string_equal(out.data, "{\"z\":1,\"a\":2,\"m\":3,\"b\":4,\"y\":5}");
    igw_buf_clear(&out);
    igw_json_free(&json);
    (void)state;
}

static void
text_is_written_escaped_and_read_back(void **state)
{
    struct json_t *json = igw_json_object();
    struct igw_buf out;

    assert_true(igw_json_set_text(json, "t", BYTES("\"\\\n\x01<\xd0\x98")));
    assert_true(igw_json_set_bool(json, "b", false));
    assert_true(igw_json_set_integer(json, "i", INT64_MIN));
    igw_buf_init(&out);
    assert_int_equal(igw_json_dump(json, &out), IGW_OK);
    assert_string_equal(out.data, "{\"t\":\"\\\"\\\\\\n\\u0001<\xd0\x98\","
                                  "\"b\":false,\"i\":-9223372036854775808}");
    igw_buf_clear(&out);
    igw_json_free(&json);
    (void)state;
}

static void
a_setter_that_fails_says_so(void **state)
{
    struct json_t *json = igw_json_object();
    struct json_t *array = igw_json_array();
    struct igw_buf out;

    assert_false(igw_json_set_text(json, "t", BYTES("\xff")));
    assert_false(igw_json_set(NULL, "t", igw_json_array()));
    assert_false(igw_json_append(array, NULL));
    igw_buf_init(&out);
    assert_int_equal(igw_json_dump(NULL, &out), IGW_ERROR);
    igw_buf_clear(&out);
    igw_json_free(&array);
    igw_json_free(&json);
    (void)state;
}

/* As jansson does it, for each code point that may be different. */
static void
a_quoted_text_is_as_jansson_has_it(void **state)
{
    for (int i = 0; i < 0x80; i++) {
        char bytes[] = "a?\xc3\xa9";
        struct json_t *json;
        struct igw_buf quoted;
        char *dumped;
        struct igw_slice text = { bytes, 4 };

        bytes[1] = (char)i;
        text.len = i % 2 == 0 ? 2 : 4;
        json = igw_json_new_text(text);
        igw_buf_init(&quoted);
        igw_json_quote(text, &quoted);
        dumped = json_dumps(json, JSON_ENCODE_ANY);
        assert_string_equal(quoted.data, dumped);
        igw_buf_clear(&quoted);
        free(dumped);
        igw_json_free(&json);
    }
    (void)state;
}

/* What has come goes as it came, white space and needless digits apart. */
static void
values_are_dumped_as_they_came(void **state)
{
    static const char *const texts[][2] = {
        { "{\"a\":[1,{\"b\":null},[],{}],\"c\":[true,false,\"\"]}" },
        { "[19.99,0.1,0.3,1.0,-2.5,3.141592653589793,1e300]" },
        { "[0.30000000000000004,2.2250738585072014e-308]" },
        { "[ 1.50, 1e3, 1E-7, -0.0 ]", "[1.5,1000.0,1e-7,-0.0]" },
        { "[123456789012345680.0]", "[1.2345678901234568e17]" },
        { "9223372036854775807" },
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct json_t *json =
            parse((struct igw_slice){ texts[i][0], strlen(texts[i][0]) });
        struct igw_buf out;

        igw_buf_init(&out);
        assert_int_equal(igw_json_dump(json, &out), IGW_OK);
        assert_string_equal(out.data, texts[i][texts[i][1] == NULL ? 0 : 1]);
        igw_buf_clear(&out);
        igw_json_free(&json);
    }
    (void)state;
}

static struct json_t *
parsed(const char *text)
{
    struct igw_json_fault fault;
    struct json_t *json = NULL;

    assert_int_equal(igw_json_parse(igw_slice_of(text), &json, &fault), IGW_OK);
    return json;
}

/* The cases of RFC 7396 appendix A whose target and patch are objects. */
static void
a_merge_patch_merges(void **state)
{
    static const struct {
        const char *target;
        const char *patch;
        const char *result;
    } cases[] = {
        { "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
        { "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}" },
        { "{\"a\":\"b\"}", "{\"a\":null}", "{}" },
        { "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}" },
        { "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
        { "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
        { "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
          "{\"a\":{\"b\":\"d\"}}" },
        { "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" },
        { "{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}" },
        { "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" },
        { "{\"a\":1}", "{\"a\":{\"b\":null,\"c\":[null]}}",
          "{\"a\":{\"c\":[null]}}" },
        { "{}", "{\"x\":null}", "{}" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct json_t *target = parsed(cases[i].target);
        struct json_t *patch = parsed(cases[i].patch);
        struct igw_buf out;

        igw_buf_init(&out);
        assert_true(igw_json_merge(target, patch));
        igw_json_free(&patch);
        assert_int_equal(igw_json_dump(target, &out), IGW_OK);
        assert_string_equal(out.data, cases[i].result);
        igw_buf_clear(&out);
        igw_json_free(&target);
    }
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_refused_has_a_code),
        cmocka_unit_test(a_megabyte_of_brackets_is_refused_without_recursion),
        cmocka_unit_test(brackets_in_strings_do_not_count),
        cmocka_unit_test(the_detail_does_not_quote_the_input),
        cmocka_unit_test(types_are_what_they_are),
        cmocka_unit_test(members_keep_their_order),
        cmocka_unit_test(text_is_written_escaped_and_read_back),
        cmocka_unit_test(a_setter_that_fails_says_so),
        cmocka_unit_test(a_quoted_text_is_as_jansson_has_it),
        cmocka_unit_test(values_are_dumped_as_they_came),
        cmocka_unit_test(a_merge_patch_merges)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
