/*
 * browser_page.c: what the pages of identprov have in common.
 */
#include "browser_page.h"

#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "webform.h"

static const struct app *
app_of(const struct igw_call *call)
{
    return call->app;
}

/* --- what every page has ------------------------------------------------- */

void
browser_begin(struct igw_page *page, struct igw_call *call, const char *name)
{
    const struct app_settings *settings = app_of(call)->settings;

    igw_page_init(page, app_of(call)->pages, call, name);
    igw_page_set_text(page, "identprov", igw_slice_of(call->request->prefix));
    igw_page_set_text(page, "profile_path",
                      igw_slice_of(settings->profile_path));
    igw_page_set(page, "password_min",
                 igw_json_new_integer(settings->password_min));
    igw_page_set(
        page, "is_open",
        igw_json_new_bool(settings->registration == APP_REGISTRATION_OPEN));
}

void
browser_set_user(struct igw_page *page, const struct account *account)
{
    igw_page_set_text(page, "username", igw_slice_of(account->username));
    igw_page_set_text(page, "first_name", igw_slice_of(account->first_name));
}

/* The query, as far as it is one. */
struct browser_content
browser_query(const struct igw_call *call)
{
    return (struct browser_content){
        .query = igw_webform_texts(igw_slice_of(call->request->query)),
    };
}

void
browser_content_clear(struct browser_content *content)
{
    igw_json_free(&content->query);
    igw_json_free(&content->given);
    igw_json_free(&content->problem);
}

/* --- where to go when it is done ----------------------------------------- */

/* What came as return_to, as it may be used: a path here, or NULL. */
static char *
return_to_of(const struct igw_call *call, const struct browser_content *content)
{
    const struct json_t *from =
        content->given != NULL ? content->given : content->query;
    struct igw_slice text = igw_json_text(igw_json_get(from, "return_to"));

    if (call->request->is_internal) {
        text = igw_slice_of(
            igw_request_param(call->request, "HTTP_X_ORIGINAL_URI"));
    }
    return text.len > 0 ? body_return_to(text) : NULL;
}

static void
put_query_value(struct igw_buf *out, const char *value)
{
    for (; *value != '\0'; value++) {
        if (strchr("&#+%?=", *value) != NULL) {
            igw_buf_printf(out, "%%%02X", (unsigned char)*value);
        } else {
            igw_buf_append(out, value, 1);
        }
    }
}

/* Where the form shall lead. */
static void
put_target(const struct igw_page *page, const struct igw_call *call,
           const struct browser_content *content, const char *path,
           struct igw_buf *target)
{
    bool is_register = strcmp(page->name, "register") == 0;

    if (path != NULL && (!is_register || content->given != NULL)) {
        igw_buf_puts(target, path);
    } else if (!is_register) {
        igw_buf_printf(target, "%s/", call->request->prefix);
    } else {
        igw_buf_printf(target, "%s/signin?done=registered",
                       call->request->prefix);
        if (path != NULL) {
            igw_buf_puts(target, "&return_to=");
            put_query_value(target, path);
        }
    }
}

/* What takes it along to the other one of the two pages. */
static void
put_query(const struct igw_page *page, const struct browser_content *content,
          const char *path, struct igw_buf *query)
{
    static const char name[] = "return_to=";
    bool is_nested =
        strcmp(page->name, "register") == 0 && content->given != NULL;
    const char *nested = path != NULL && is_nested ? strstr(path, name) : NULL;

    if (nested != NULL) {
        igw_buf_printf(query, "?%s", nested);
    } else if (path != NULL && !is_nested) {
        igw_buf_printf(query, "?%s", name);
        put_query_value(query, path);
    }
}

void
browser_set_return(struct igw_page *page, const struct igw_call *call,
                   const struct browser_content *content)
{
    char *path = return_to_of(call, content);
    struct igw_buf target;
    struct igw_buf query;

    igw_buf_init(&target);
    igw_buf_init(&query);
    put_target(page, call, content, path, &target);
    put_query(page, content, path, &query);
    igw_page_set_text(page, "return_to", igw_buf_slice(&target));
    igw_page_set_text(page, "return_query", igw_buf_slice(&query));
    page->failed |= query.failed || target.failed;
    igw_buf_clear(&query);
    igw_buf_clear(&target);
    free(path);
}
