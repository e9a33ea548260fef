/*
 * page.c: see page.h.
 */
#include "page.h"

#include <stdio.h>
#include <string.h>

#include "template.h"

enum { KEY_SIZE = 128 };

/* {{>page}} is the page that is being made. */
static const char *
find_file(const void *arg, struct igw_slice name)
{
    const struct igw_page *page = arg;
    char file[KEY_SIZE];

    if (!igw_slice_is(name, "page")) {
        return igw_pages_file(page->pages, name);
    }
    (void)snprintf(file, sizeof(file), "%s.html", page->name);
    return igw_pages_file(page->pages, igw_slice_of(file));
}

static struct igw_template_set
set_of(const struct igw_page *page)
{
    return (struct igw_template_set){ find_file, page, page->texts };
}

void
igw_page_init(struct igw_page *page, const struct igw_pages *pages,
              const struct igw_call *call, const char *name)
{
    *page = (struct igw_page){
        .pages = pages,
        .name = name,
        .texts = igw_pages_texts(
            pages, igw_request_param(call->request, "HTTP_ACCEPT_LANGUAGE")),
        .values = igw_json_object(),
    };
    page->failed = !igw_json_set_bool(page->values, name, true);
    igw_page_set_text(page, "page", igw_slice_of(name));
    igw_page_set_text(page, "prefix", igw_slice_of(call->request->prefix));
    igw_page_set_text(page, "request_id", igw_slice_of(call->request->id));
}

void
igw_page_set(struct igw_page *page, const char *name, struct json_t *value)
{
    page->failed |= !igw_json_set(page->values, name, value);
}

void
igw_page_set_text(struct igw_page *page, const char *name,
                  struct igw_slice text)
{
    page->failed |= !igw_json_set_text(page->values, name, text);
}

/* False: there is no such text, and nothing is set. */
static bool
set_key(struct igw_page *page, struct json_t *object, const char *name,
        const char *key)
{
    const struct igw_template_set set = set_of(page);
    struct igw_buf text;
    bool is_there;

    igw_buf_init(&text);
    is_there = igw_template_text(&set, key, page->values, &text);
    if (is_there) {
        page->failed |=
            text.failed
            || !igw_json_set_text(object, name, igw_buf_slice(&text));
    }
    igw_buf_clear(&text);
    return is_there;
}

void
igw_page_set_key(struct igw_page *page, const char *name, const char *key)
{
    page->failed |= !set_key(page, page->values, name, key);
}

void
igw_page_set_done(struct igw_page *page, const struct json_t *query)
{
    struct igw_slice done = igw_json_text(igw_json_get(query, "done"));
    char key[KEY_SIZE];

    if (done.len > 0 && done.len <= 16) {
        (void)snprintf(key, sizeof(key), "done_%s", done.data);
        (void)set_key(page, page->values, "done", key);
    }
}

static void
put_headers(const struct igw_page *page, struct igw_call *call)
{
    struct igw_response *response = call->response;

    igw_response_set_header(response, "Cache-Control",
                            igw_slice_of("no-store"));
    igw_response_set_header(
        response, "Vary",
        igw_slice_of("Accept, Accept-Language, Sec-Fetch-Mode,"
                     " Sec-Fetch-Dest"));
    igw_response_set_header(response, "Content-Language",
                            igw_json_text(igw_json_get(page->texts, "lang")));
    igw_response_set_header(response, "Content-Security-Policy",
                            igw_slice_of(igw_pages_csp(page->pages)));
    igw_response_guard(response);
}

void
igw_page_answer(struct igw_page *page, struct igw_call *call, int status)
{
    const struct igw_template_set set = set_of(page);
    const char *layout =
        igw_pages_file(page->pages, igw_slice_of("layout.html"));
    struct igw_buf html;
    char key[KEY_SIZE];

    (void)snprintf(key, sizeof(key), "%s_title", page->name);
    if (igw_json_get(page->values, "title") == NULL) {
        igw_page_set_key(page, "title", key);
    }
    igw_buf_init(&html);
    igw_template_render(&set, layout, page->values, &html);
    igw_response_text(call->response, status, "text/html; charset=utf-8",
                      igw_buf_slice(&html));
    put_headers(page, call);
    call->response->is_broken |= page->failed || html.failed;
    igw_buf_clear(&html);
    igw_page_clear(page);
}

void
igw_page_clear(struct igw_page *page)
{
    igw_json_free(&page->values);
}

/* --- forms --------------------------------------------------------------- */

static const struct json_t *
error_of(const struct json_t *problem, const char *name)
{
    const struct json_t *errors = igw_json_get(problem, "errors");

    for (size_t i = 0; i < igw_json_size(errors); i++) {
        const struct json_t *error = igw_json_at(errors, i);

        if (igw_slice_is(igw_json_text(igw_json_get(error, "field")), name)) {
            return error;
        }
    }
    return NULL;
}

static void
set_error(struct igw_page *page, struct json_t *field, const char *name,
          const struct json_t *error)
{
    const char *code = igw_json_text(igw_json_get(error, "code")).data;
    char key[KEY_SIZE];

    if (error == NULL) {
        return;
    }
    (void)snprintf(key, sizeof(key), "error_%s_%s", name, code);
    if (set_key(page, field, "error", key)) {
        return;
    }
    (void)snprintf(key, sizeof(key), "error_%s", code);
    if (!set_key(page, field, "error", key)) {
        page->failed |= !igw_json_set_text(
            field, "error", igw_json_text(igw_json_get(error, "detail")));
    }
}

static void
set_label(struct igw_page *page, struct json_t *field, const char *what,
          const char *prefix, const char *name)
{
    char key[KEY_SIZE];

    (void)snprintf(key, sizeof(key), "%s_%s", prefix, name);
    (void)set_key(page, field, what, key);
}

/* The ids of what stands beside the field. */
static void
describe(struct igw_page *page, struct json_t *field, const char *name)
{
    bool has_hint = igw_json_get(field, "hint") != NULL;
    bool has_error = igw_json_get(field, "error") != NULL;
    struct igw_buf ids;

    igw_buf_init(&ids);
    if (has_hint) {
        igw_buf_printf(&ids, "%s-hint%s", name, has_error ? " " : "");
    }
    if (has_error) {
        igw_buf_printf(&ids, "%s-error", name);
    }
    page->failed |=
        ids.failed
        || !igw_json_set_text(field, "described", igw_buf_slice(&ids));
    igw_buf_clear(&ids);
}

/* Names of accounts and the like: no capital to begin with, and nothing to be
 * corrected. */
static bool
is_plain(const struct igw_page_field *field)
{
    return strcmp(field->autocomplete, "username") == 0
           || strcmp(field->autocomplete, "email") == 0
           || strcmp(field->autocomplete, "url") == 0
           || strcmp(field->autocomplete, "photo") == 0
           || strcmp(field->autocomplete, "language") == 0;
}

static struct json_t *
make_field(struct igw_page *page, const struct igw_page_field *table,
           const struct json_t *given, const struct json_t *problem)
{
    struct json_t *field = igw_json_object();
    bool is_secret = strcmp(table->type, "password") == 0;
    struct igw_slice value = igw_json_text(igw_json_get(given, table->name));

    page->failed |=
        !igw_json_set_text(field, "name", igw_slice_of(table->name))
        || !igw_json_set_text(field, "type", igw_slice_of(table->type))
        || !igw_json_set_text(field, "autocomplete",
                              igw_slice_of(table->autocomplete))
        || !igw_json_set_bool(field, "required", table->is_required)
        || !igw_json_set_bool(field, "textarea",
                              strcmp(table->type, "textarea") == 0)
        || !igw_json_set_bool(field, "plain", is_plain(table))
        || !igw_json_set_text(field, "value",
                              is_secret ? igw_slice_of("") : value);
    set_label(page, field, "label", "field", table->name);
    set_label(page, field, "hint", "hint", table->name);
    set_label(page, field, "hint", "hint", table->autocomplete);
    set_error(page, field, table->name, error_of(problem, table->name));
    describe(page, field, table->name);
    return field;
}

void
igw_page_set_fields(struct igw_page *page, const char *name,
                    const struct igw_page_field *fields, size_t count,
                    const struct json_t *given, const struct json_t *problem)
{
    struct json_t *list = igw_json_array();

    for (size_t i = 0; i < count; i++) {
        page->failed |= !igw_json_append(
            list, make_field(page, &fields[i], given, problem));
    }
    igw_page_set(page, name, list);
}

/* --- problems ------------------------------------------------------------ */

struct json_t *
igw_page_problem(const struct igw_call *call)
{
    const struct igw_response *response = call->response;
    struct igw_json_fault why;
    struct json_t *problem = NULL;

    if (response->content_type == NULL
        || strcmp(response->content_type, "application/problem+json") != 0
        || igw_json_parse(igw_buf_slice(&response->body), &problem, &why)
               != IGW_OK) {
        return NULL;
    }
    return problem;
}

/* All that is wrong with fields, for the top of the page. */
static void
set_faults(struct igw_page *page, const struct json_t *problem)
{
    const struct json_t *errors = igw_json_get(problem, "errors");
    struct json_t *list = igw_json_array();

    for (size_t i = 0; i < igw_json_size(errors); i++) {
        const struct json_t *error = igw_json_at(errors, i);
        struct igw_slice name = igw_json_text(igw_json_get(error, "field"));
        struct json_t *fault = igw_json_object();

        page->failed |= !igw_json_set_text(fault, "name", name)
                        || !igw_json_set_text(fault, "label", name);
        set_label(page, fault, "label", "field", name.data);
        set_error(page, fault, name.data, error);
        page->failed |= !igw_json_append(list, fault);
    }
    igw_page_set(page, "has_faults",
                 igw_json_new_bool(igw_json_size(list) > 0));
    igw_page_set(page, "faults", list);
}

void
igw_page_set_problem(struct igw_page *page, const struct igw_call *call,
                     const struct json_t *problem)
{
    struct igw_slice retry =
        igw_response_header_value(call->response, "Retry-After");
    char key[KEY_SIZE];

    if (problem == NULL) {
        return;
    }
    set_faults(page, problem);
    igw_page_set_text(page, "retry_sec", retry);
    (void)snprintf(key, sizeof(key), "problem_%s",
                   igw_json_text(igw_json_get(problem, "code")).data);
    if (!set_key(page, page->values, "problem", key)) {
        igw_page_set_text(page, "problem",
                          igw_json_text(igw_json_get(problem, "detail")));
    }
}
