#include "browser.h"

#include <string.h>

#include "accept.h"
#include "browser_page.h"
#include "client.h"
#include "problem.h"
#include "webform.h"

static const struct igw_page_field signin_fields[] = {
    { "username", "text", "username", true },
    { "password", "password", "current-password", true },
};

static const struct igw_page_field register_fields[] = {
    { "username", "text", "username", true },
    { "email", "text", "email", true },
    { "first_name", "text", "given-name", true },
    { "last_name", "text", "family-name", false },
    { "password", "password", "new-password", true },
};

static void
answer_signin(struct igw_call *call, const struct browser_content *content,
              int status)
{
    struct igw_page page;

    browser_begin(&page, call, "signin");
    igw_page_set_done(&page, content->query);
    browser_set_return(&page, call, content);
    igw_page_set_problem(&page, call, content->problem);
    igw_page_set_fields(&page, "fields", signin_fields,
                        sizeof(signin_fields) / sizeof(signin_fields[0]),
                        content->given, content->problem);
    igw_page_answer(&page, call, status);
}

static void
answer_register(struct igw_call *call, const struct browser_content *content,
                int status)
{
    struct igw_page page;

    browser_begin(&page, call, "register");
    browser_set_return(&page, call, content);
    igw_page_set_problem(&page, call, content->problem);
    igw_page_set_fields(&page, "fields", register_fields,
                        sizeof(register_fields) / sizeof(register_fields[0]),
                        content->given, content->problem);
    igw_page_answer(&page, call, status);
}

static void
answer_message(struct igw_call *call, const struct browser_content *content,
               int status)
{
    struct igw_page page;

    browser_begin(&page, call, "message");
    igw_page_set_problem(&page, call, content->problem);
    igw_page_answer(&page, call, status);
}

/* --- pages that are asked for -------------------------------------------- */

void
browser_signin(struct igw_call *call)
{
    struct browser_content content = browser_query(call);

    answer_signin(call, &content, 200);
    browser_content_clear(&content);
}

void
browser_register_get(struct igw_call *call)
{
    const struct app *app = call->app;
    struct browser_content content = browser_query(call);

    if (app->settings->registration == APP_REGISTRATION_OPEN) {
        answer_register(call, &content, 200);
    } else {
        igw_problem(call, 403, "registration_closed",
                    "Registration is closed here.");
    }
    browser_content_clear(&content);
}

/* A page that says who is signed in; that is nobody without a session. */
static void
answer_by_session(struct igw_call *call, const char *name)
{
    struct browser_content content = browser_query(call);
    struct client_caller caller;
    enum igw_result rc = client_find(call, &caller);
    struct igw_page page;

    if (rc != IGW_OK && rc != IGW_NOT_FOUND) {
        igw_problem_result(call, rc);
        browser_content_clear(&content);
        return;
    }
    browser_begin(&page, call, name);
    igw_page_set_done(&page, content.query);
    if (rc == IGW_OK) {
        browser_set_user(&page, &caller.session.account);
    } else if (strcmp(name, "logout") == 0) {
        igw_page_set_key(&page, "title", "logout_title_out");
    }
    igw_page_answer(&page, call, 200);
    client_caller_clear(&caller);
    browser_content_clear(&content);
}

void
browser_home_get(struct igw_call *call)
{
    answer_by_session(call, "home");
}

void
browser_logout_get(struct igw_call *call)
{
    answer_by_session(call, "logout");
}

void
browser_account_get(struct igw_call *call)
{
    struct browser_content content = browser_query(call);

    if (!browser_account(call, &content, 200)) {
        client_refuse(call);
    }
    browser_content_clear(&content);
}

void
browser_account_go(struct igw_call *call)
{
    igw_response_headerf(call->response, "Location", "%s/account",
                         call->request->prefix);
    igw_response_empty(call->response, 303);
}

/* --- errors -------------------------------------------------------------- */

/* What the API says of the whole is said of the field that it is about. */
static void
point_at_field(struct json_t *problem)
{
    static const struct {
        const char *code;
        const char *field;
    } table[] = { { "username_taken", "username" },
                  { "email_taken", "email" } };
    struct igw_slice code = igw_json_text(igw_json_get(problem, "code"));
    struct igw_errors errors = { 0 };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (igw_slice_is(code, table[i].code)) {
            igw_errors_add(&errors, table[i].field, table[i].code, "");
            (void)igw_json_set(problem, "errors", igw_json_share(errors.list));
        }
    }
    igw_errors_clear(&errors);
}

/* Whether the form's own page is to show this; others say all there is. */
static bool
is_of_form(const struct igw_call *call, const struct json_t *problem)
{
    static const char *const others[] = { "cross_site", "registration_closed",
                                          "method_not_allowed" };
    struct igw_slice code = igw_json_text(igw_json_get(problem, "code"));

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (igw_slice_is(code, others[i])) {
            return false;
        }
    }
    return call->request->method == IGW_POST && igw_webform_is(call->request);
}

static bool
is_of_account(const char *path)
{
    return strcmp(path, "/account") == 0 || strcmp(path, "/password") == 0
           || strcmp(path, "/account/delete") == 0
           || strcmp(path, "/sessions") == 0
           || strncmp(path, "/sessions/", strlen("/sessions/")) == 0;
}

/* Signing in leads to the account's page, where the form is. */
static void
ask_to_sign_in(struct igw_call *call, struct browser_content *content,
               int status)
{
    struct igw_buf path;

    igw_json_free(&content->given);
    igw_buf_init(&path);
    igw_buf_printf(&path, "%s/account", call->request->prefix);
    content->query = igw_json_object();
    (void)igw_json_set_text(content->query, "return_to", igw_buf_slice(&path));
    igw_buf_clear(&path);
    answer_signin(call, content, status);
}

static void
mend(struct igw_call *call, struct browser_content *content)
{
    const char *path = call->request->path;
    int status = call->response->status;
    bool is_of_its_form = is_of_form(call, content->problem);

    if (igw_slice_is(igw_json_text(igw_json_get(content->problem, "code")),
                     "no_session")
        && is_of_account(path)) {
        ask_to_sign_in(call, content, status);
    } else if (is_of_its_form && strcmp(path, "/login") == 0) {
        answer_signin(call, content, status);
    } else if (is_of_its_form && strcmp(path, "/register") == 0) {
        answer_register(call, content, status);
    } else if (!is_of_its_form || !is_of_account(path)
               || !browser_account(call, content, status)) {
        answer_message(call, content, status);
    }
}

void
browser_mend(struct igw_call *call)
{
    struct browser_content content = { 0 };

    if (call->response->status < 400 || call->request->is_internal
        || !igw_accept_is_of_browser(call->request)) {
        return;
    }
    content.problem = igw_page_problem(call);
    if (content.problem == NULL) {
        return;
    }
    point_at_field(content.problem);
    content.given = igw_webform_texts(call->request->body);
    mend(call, &content);
    browser_content_clear(&content);
}
