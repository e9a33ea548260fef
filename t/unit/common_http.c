/*
 * Routes, answers, problems: what handlers use, without a connection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"
#include "problem.h"
#include "route.h"

static struct igw_request request;
static struct igw_response response;
static struct igw_call call = { .request = &request, .response = &response };
static const char *handled;

static int
begin(void **state)
{
    request = (struct igw_request){ .method = IGW_GET,
                                    .prefix = "",
                                    .path = "/",
                                    .query = "",
                                    .id = "r1",
                                    .address = "",
                                    .content_type = "" };
    handled = "";
    igw_response_clear(&response);
    (void)state;
    return 0;
}

static int
end(void **state)
{
    igw_response_clear(&response);
    (void)state;
    return 0;
}

static const char *
headers(void)
{
    return response.headers.data == NULL ? "" : response.headers.data;
}

static void
get_thing(struct igw_call *c)
{
    handled = "get";
    (void)c;
}

static void
post_thing(struct igw_call *c)
{
    handled = "post";
    (void)c;
}

static void
get_inner(struct igw_call *c)
{
    handled = "inner";
    (void)c;
}

static const struct igw_route routes[] = {
    { IGW_GET, "/thing", get_thing, IGW_ROUTE_USUAL },
    { IGW_POST, "/thing", post_thing, IGW_ROUTE_USUAL },
    { IGW_GET, "/inner", get_inner, IGW_ROUTE_INTERNAL },
    { IGW_PUT, "/thing", get_inner, IGW_ROUTE_INTERNAL },
    { IGW_PATCH, "/patched", post_thing, IGW_ROUTE_USUAL }
};

static void
routing(void **state)
{
    static const struct {
        enum igw_method method;
        const char *path;
        bool is_internal;
        const char *handled;
        int status;
        const char *allow;
    } cases[] = {
        { IGW_GET, "/thing", false, "get", 0, NULL },
        { IGW_POST, "/thing", false, "post", 0, NULL },
        { IGW_DELETE, "/thing", false, "", 405, "OPTIONS, GET, HEAD, POST" },
        { IGW_METHOD_OTHER, "/thing", false, "", 405,
          "OPTIONS, GET, HEAD, POST" },
        { IGW_PUT, "/thing", false, "", 405, "OPTIONS, GET, HEAD, POST" },
        { IGW_PUT, "/thing", true, "inner", 0, NULL },
        { IGW_DELETE, "/thing", true, "", 405,
          "OPTIONS, GET, HEAD, POST, PUT" },
        { IGW_OPTIONS, "/thing", false, "", 204, "OPTIONS, GET, HEAD, POST" },
        { IGW_GET, "/inner", false, "", 404, NULL },
        { IGW_OPTIONS, "/inner", false, "", 404, NULL },
        { IGW_GET, "/inner", true, "inner", 0, NULL },
        { IGW_GET, "/thing/", false, "", 404, NULL },
        { IGW_GET, "/thin", false, "", 404, NULL },
        { IGW_GET, "/thingx", false, "", 404, NULL },
        { IGW_GET, "/Thing", false, "", 404, NULL },
        { IGW_GET, "/", false, "", 404, NULL },
        { IGW_OPTIONS, "/", false, "", 404, NULL }
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char allow[64];

        (void)begin(NULL);
        request.method = cases[i].method;
        request.path = cases[i].path;
        request.is_internal = cases[i].is_internal;
        igw_route(&call, routes, sizeof(routes) / sizeof(routes[0]));
        assert_string_equal(handled, cases[i].handled);
        assert_int_equal(response.status, cases[i].status);
        (void)snprintf(allow, sizeof(allow), "Allow: %s\r\n",
                       cases[i].allow == NULL ? "" : cases[i].allow);
        if ((strstr(headers(), allow) != NULL) != (cases[i].allow != NULL)) {
            fail_msg("case %zu: %s", i, headers());
        }
    }
    (void)state;
}

static void
who_takes_patches_says_which(void **state)
{
    static const char accept[] =
        "Accept-Patch: application/merge-patch+json\r\n";
    struct json_t *json = NULL;

    request.path = "/patched";
    request.method = IGW_OPTIONS;
    igw_route(&call, routes, sizeof(routes) / sizeof(routes[0]));
    assert_non_null(strstr(headers(), accept));

    (void)begin(NULL);
    request.path = "/thing";
    request.method = IGW_OPTIONS;
    igw_route(&call, routes, sizeof(routes) / sizeof(routes[0]));
    assert_null(strstr(headers(), accept));

    (void)begin(NULL);
    request.method = IGW_PATCH;
    request.content_type = "application/json-patch+json";
    assert_false(igw_call_json(&call, &json));
    assert_int_equal(response.status, 415);
    assert_non_null(strstr(headers(), accept));

    (void)begin(NULL);
    request.body = igw_slice_of("{}");
    request.content_type = "application/merge-patch+json";
    assert_false(igw_call_json(&call, &json));
    assert_int_equal(response.status, 415);
    request.method = IGW_PATCH;
    assert_true(igw_call_json(&call, &json));
    igw_json_free(&json);
    request.content_type = "application/json; charset=utf-8";
    assert_true(igw_call_json(&call, &json));
    igw_json_free(&json);
    (void)state;
}

static void
a_header_with_a_control_byte_breaks_the_answer(void **state)
{
    static const struct {
        const char *name;
        struct igw_slice value;
    } cases[] = { { "X-A", { "a\r\nX-B: c", 9 } }, { "X-A", { "a\nb", 3 } },
                  { "X-A", { "a\0b", 3 } },        { "X-A", { "a\tb", 3 } },
                  { "X-A", { "\x7f", 1 } },        { "X A", { "a", 1 } },
                  { "X-A:", { "a", 1 } },          { "", { "a", 1 } },
                  { "X-\r\nA", { "a", 1 } } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)begin(NULL);
        igw_response_header(&response, cases[i].name, cases[i].value);
        assert_true(response.is_broken);
        assert_string_equal(headers(), "");
    }
    (void)begin(NULL);
    igw_response_header(&response, "X-Name", igw_slice_of("\xd0\x98 b"));
    igw_response_headerf(&response, "X-N", "%d", 7);
    assert_string_equal(headers(), "X-Name: \xd0\x98 b\r\nX-N: 7\r\n");
    assert_false(response.is_broken);
    (void)state;
}

static void
headers_are_counted_and_replaced(void **state)
{
    for (int i = 0; i < IGW_RESPONSE_HEADERS_MAX; i++) {
        igw_response_headerf(&response, i % 2 == 0 ? "X-Even" : "X-Odd", "%d",
                             i);
    }
    assert_false(response.is_broken);
    assert_true(igw_response_has_header(&response, "x-even"));
    assert_false(igw_response_has_header(&response, "X-Eve"));
    assert_false(igw_response_has_header(&response, "Even"));
    igw_response_set_header(&response, "X-EVEN", igw_slice_of("one"));
    igw_response_set_header(&response, "X-Odd", igw_slice_of("two"));
    assert_string_equal(headers(), "X-EVEN: one\r\nX-Odd: two\r\n");
    assert_int_equal(response.header_count, 2);
    assert_false(response.is_broken);
    for (int i = 2; i <= IGW_RESPONSE_HEADERS_MAX; i++) {
        igw_response_header(&response, "X-A", igw_slice_of("b"));
    }
    assert_true(response.is_broken);
    (void)state;
}

static struct json_t *
body(void)
{
    struct igw_json_fault why;
    struct json_t *json;

    if (igw_json_parse(igw_buf_slice(&response.body), &json, &why) != IGW_OK) {
        fail_msg("%s", why.detail);
    }
    return json;
}

static void
a_problem_says_all_that_rfc_9457_names(void **state)
{
    struct json_t *json;

    igw_response_header(&response, "Cache-Control", igw_slice_of("max-age=9"));
    igw_problem(&call, 404, "no_such", "There is no \"such\".");
    assert_int_equal(response.status, 404);
    assert_string_equal(response.content_type, "application/problem+json");
    assert_string_equal(headers(), "Cache-Control: no-store\r\n");
    assert_string_equal(response.body.data,
                        "{\"type\":\"about:blank\",\"title\":\"Not Found\","
                        "\"status\":404,\"detail\":\"There is no \\\"such\\\"."
                        "\",\"code\":\"no_such\",\"request_id\":\"r1\"}");
    igw_problem(&call, 422, "other", "Other.");
    json = body();
    assert_true(igw_slice_is(igw_json_text(igw_json_get(json, "code")),
                             "other")); /* the last one counts, alone */
    igw_json_free(&json);
    (void)state;
}

static void
results_have_one_status_each(void **state)
{
    static const struct {
        enum igw_result result;
        int status;
        bool has_retry;
    } cases[] = { { IGW_INVALID, 422, false },    { IGW_DENIED, 401, false },
                  { IGW_NOT_FOUND, 404, false },  { IGW_CONFLICT, 409, false },
                  { IGW_UNAVAILABLE, 503, true }, { IGW_ERROR, 500, false },
                  { IGW_OK, 500, false } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)begin(NULL);
        igw_problem_result(&call, cases[i].result);
        assert_int_equal(response.status, cases[i].status);
        assert_true(igw_response_has_header(&response, "Retry-After")
                    == cases[i].has_retry);
    }
    (void)begin(NULL);
    igw_response_header(&response, "Retry-After", igw_slice_of("30"));
    igw_problem(&call, 429, "slow", "Slow down.");
    assert_string_equal(headers(),
                        "Retry-After: 30\r\nCache-Control: no-store\r\n");
    (void)state;
}

static void
check_error(const struct json_t *error, const char *field, const char *pointer)
{
    assert_true(
        igw_slice_is(igw_json_text(igw_json_get(error, "field")), field));
    assert_true(
        igw_slice_is(igw_json_text(igw_json_get(error, "pointer")), pointer));
}

static void
field_errors_come_all_at_once(void **state)
{
    struct igw_errors errors = { 0 };
    struct json_t *json;
    const struct json_t *list;

    assert_false(igw_errors_any(&errors));
    igw_errors_add(&errors, "name", "too_short", "Longer.");
    igw_errors_add_below(&errors, "/address", "x/~y", "unknown", "Unknown.");
    igw_errors_add(&errors, "/a~", "unknown", "Unknown.");
    assert_true(igw_errors_any(&errors));
    igw_problem_fields(&call, &errors);
    assert_int_equal(response.status, 422);
    json = body();
    list = igw_json_get(json, "errors");
    assert_int_equal(igw_json_size(list), 3);
    check_error(igw_json_at(list, 0), "name", "/name");
    check_error(igw_json_at(list, 1), "/address/x~1~0y", "/address/x~1~0y");
    check_error(igw_json_at(list, 2), "/a~", "/~1a~0");
    igw_json_free(&json);

    igw_errors_add(&errors, "\xff", "x", "x"); /* not UTF-8: cannot be said */
    igw_problem_fields(&call, &errors);
    assert_int_equal(response.status, 500);
    igw_errors_clear(&errors);
    assert_false(igw_errors_any(&errors));
    (void)state;
}

static void
an_answer_replaces_the_one_before(void **state)
{
    igw_response_text(&response, 200, "text/plain", igw_slice_of("long text"));
    igw_response_text(&response, 201, "text/html", igw_slice_of("x"));
    assert_string_equal(response.body.data, "x");
    assert_string_equal(response.content_type, "text/html");
    igw_response_empty(&response, 204);
    assert_int_equal(response.body.len, 0);
    assert_null(response.content_type);
    assert_string_equal(igw_status_text(204), "No Content");
    assert_string_equal(igw_status_text(299), "Unknown");
    (void)state;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(routing),
        TEST(who_takes_patches_says_which),
        TEST(a_header_with_a_control_byte_breaks_the_answer),
        TEST(headers_are_counted_and_replaced),
        TEST(a_problem_says_all_that_rfc_9457_names),
        TEST(results_have_one_status_each),
        TEST(field_errors_come_all_at_once),
        TEST(an_answer_replaces_the_one_before)
    };

    igw_log_init("unit", (enum igw_log_level)(IGW_LOG_ERROR + 1));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
