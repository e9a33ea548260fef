/*
 * What templates make of values, and which templates are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "template.h"

static const char texts_json[] =
    "{\"hello\":\"Hello, {{name}} & <{{list}}>\",\"plain\":\"a < b\"}";
static const char values_json[] =
    "{\"name\":\"<b title=\\\"x\\\" id='y'>&`\",\"empty\":\"\",\"yes\":true,"
    "\"no\":false,\"number\":-7,\"list\":[{\"name\":\"one\"},{\"other\":1}],"
    "\"words\":[\"a\",\"<\"],\"none\":[],\"object\":{\"name\":\"inner\"},"
    "\"tag\":\"{{name}} {{t.plain}}\",\"control\":\"a\\u0001\\u007fb\\tc\"}";

static struct json_t *
parse(const char *text)
{
    struct igw_json_fault why;
    struct json_t *json = NULL;

    assert_int_equal(igw_json_parse(igw_slice_of(text), &json, &why), IGW_OK);
    return json;
}

static const char *
find(const void *arg, struct igw_slice name)
{
    (void)arg;
    if (igw_slice_is(name, "part.html")) {
        return "[{{name}}]";
    }
    return igw_slice_is(name, "a.css") ? "b { c: '{{name}}' }" : NULL;
}

struct example {
    const char *text;
    const char *html;
};

static const struct example examples[] = {
    { "", "" },
    { "<p>{ } }} &", "<p>{ } }} &" },
    { "{{name}}", "&lt;b title=&quot;x&quot; id=&#39;y&#39;&gt;&amp;&#96;" },
    { "a{{ number }}b", "a-7b" },
    { "{{empty}}{{nothing}}{{yes}}{{list}}{{object}}", "" },
    { "{{tag}}", "{{name}} {{t.plain}}" },
    { "{{control}}", "a\xef\xbf\xbd\xef\xbf\xbd"
                     "b\tc" },
    { "{{object.name}}{{object.nothing}}{{name.name}}", "inner" },
    { "{{#yes}}y{{/yes}}{{#no}}n{{/no}}{{#empty}}e{{/empty}}", "y" },
    { "{{^yes}}y{{/yes}}{{^no}}n{{/no}}{{^empty}}e{{/empty}}", "ne" },
    { "{{^nothing}}-{{/nothing}}{{^none}}0{{/none}}{{#none}}1{{/none}}", "-0" },
    { "{{#object}}{{name}}{{number}}{{/object}}", "inner-7" },
    { "{{#words}}({{.}}){{/words}}", "(a)(&lt;)" },
    { "{{#list}}{{other}},{{/list}}", ",1," },
    { "{{#yes}}{{#yes}}in{{/yes}}out{{/yes}}", "inout" },
    { "{{#object}}{{>part.html}}{{/object}}", "[inner]" },
    { "{{>a.css}}", "b { c: '{{name}}' }" },
    { "{{t.plain}}", "a &lt; b" },
    { "{{#object}}{{t.hello}}{{/object}}", "Hello, inner &amp; &lt;&gt;" },
    { "a\n{{! {{no}}\n{{#yes}}\nb\n{{/yes}}\nc", "a\nb\nc" },
};

static void
values_are_escaped_and_sections_kept(void **state)
{
    struct json_t *texts = parse(texts_json);
    struct json_t *values = parse(values_json);
    const struct igw_template_set set = { find, NULL, texts };
    struct igw_template_fault fault;
    struct igw_buf out;

    (void)state;
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        igw_buf_init(&out);
        assert_int_equal(igw_template_check(&set, examples[i].text, &fault),
                         IGW_OK);
        igw_template_render(&set, examples[i].text, values, &out);
        assert_string_equal(out.data == NULL ? "" : out.data, examples[i].html);
        igw_buf_clear(&out);
    }
    igw_json_free(&values);
    igw_json_free(&texts);
}

static void
no_value_leaves_its_place(void **state)
{
    static const char page[] =
        "<p title=\"{{v}}\">{{v}}{{#v}}{{.}}{{/v}}{{t.text}}</p>";
    struct json_t *texts = parse("{\"text\":\"{{v}}\"}");
    const struct igw_template_set set = { find, NULL, texts };

    (void)state;
    for (int c = 1; c < 256; c++) {
        struct json_t *values = igw_json_object();
        char text[8] = { (char)c, '\0' };
        struct igw_buf out;

        if (c >= 0x80) {
            (void)snprintf(text, sizeof(text), "%c%c", 0xc0 | (c >> 6),
                           0x80 | (c & 0x3f));
        }
        igw_buf_init(&out);
        assert_true(igw_json_set_text(values, "v", igw_slice_of(text)));
        igw_template_render(&set, page, values, &out);
        assert_null(strpbrk(out.data + strlen("<p title=\""), "'`"));
        assert_ptr_equal(strchr(out.data + 1, '<'),
                         out.data + out.len - strlen("</p>"));
        assert_null(strchr(strchr(out.data, '>') + 1, '"'));
        igw_buf_clear(&out);
        igw_json_free(&values);
    }
    igw_json_free(&texts);
}

static const struct {
    const char *text;
    size_t line;
    const char *detail;
} bad[] = {
    { "a\n{{b", 2, "{{ has no }}" },
    { "{{}}", 1, "no name" },
    { "{{a b}}", 1, "no name" },
    { "{{{a}}}", 1, "no name" },
    { "{{&a}}", 1, "no name" },
    { "{{A}}", 1, "no name" },
    { "\n\n{{#a}}\n", 4, "a: this section is not closed" },
    { "{{/a}}", 1, "a: it is not the innermost" },
    { "{{#a}}{{^b}}\n{{/a}}{{/b}}", 2, "a: it is not the innermost" },
    { "{{>nothing.html}}", 1, "nothing.html: there is no such file" },
    { "{{t.nothing}}", 1, "t.nothing: there is no such text" },
};

static void
bad_templates_are_refused(void **state)
{
    struct json_t *texts = parse(texts_json);
    const struct igw_template_set set = { find, NULL, texts };
    struct igw_template_fault fault;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(igw_template_check(&set, bad[i].text, &fault),
                         IGW_INVALID);
        assert_int_equal(fault.line, bad[i].line);
        assert_non_null(strstr(fault.detail, bad[i].detail));
    }
    igw_json_free(&texts);
}

/* Files that are in each other: self, one -> two -> one, trap -> self. */
static const struct {
    const char *name;
    const char *text;
} knots[] = {
    { "self.html", "a\n{{>self.html}}" },
    { "one.html", "\n\n{{>leaf.html}}{{>two.html}}" },
    { "two.html", "{{#a}}\n{{>one.html}}{{>one.html}}{{/a}}" },
    { "trap.html", "{{>leaf.html}}\n{{>self.html}}{{>leaf.html}}" },
    { "leaf.html", "{{>self.css}}" },
    { "self.css", "{{>self.css}} {{>leaf.html}}" },
};

static const char *
find_knot(const void *arg, struct igw_slice name)
{
    (void)arg;
    for (size_t i = 0; i < sizeof(knots) / sizeof(knots[0]); i++) {
        if (igw_slice_is(name, knots[i].name)) {
            return knots[i].text;
        }
    }
    return NULL;
}

static void
a_file_within_itself_is_refused(void **state)
{
    static const size_t lines[] = { 2, 3, 2, 0, 0 };
    const struct igw_template_set set = { find_knot, NULL, NULL };
    struct igw_template_fault fault;

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        fault.line = 0;
        assert_int_equal(igw_template_check(&set, knots[i].text, &fault),
                         lines[i] > 0 ? IGW_INVALID : IGW_OK);
        assert_int_equal(fault.line, lines[i]);
        if (lines[i] > 0) {
            assert_non_null(strstr(fault.detail, "within itself"));
        }
    }
}

static void
what_is_in_itself_ends(void **state)
{
    struct json_t *values = parse("{\"a\":{\"b\":1}}");
    struct json_t *texts = parse("{\"x\":\"-{{t.x}}\"}");
    const struct igw_template_set set = { find, NULL, texts };
    struct igw_buf out;

    (void)state;
    igw_buf_init(&out);
    igw_template_render(&set, "{{t.x}}", values, &out);
    assert_in_range(out.len, 1, 100);
    igw_buf_clear(&out);
    igw_json_free(&values);
    igw_json_free(&texts);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_escaped_and_sections_kept),
        cmocka_unit_test(no_value_leaves_its_place),
        cmocka_unit_test(bad_templates_are_refused),
        cmocka_unit_test(a_file_within_itself_is_refused),
        cmocka_unit_test(what_is_in_itself_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
