/*
 * browser_account.c: the account's page: what there is of it, its sessions, and
 * the forms to change it.
 */
#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "browser_page.h"
#include "client.h"
#include "problem.h"

enum { TIME_SIZE = 32 };

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct igw_page_field details_fields[] = {
    { "email", "text", "email", true },
    { "first_name", "text", "given-name", true },
    { "last_name", "text", "family-name", false },
};

static const struct igw_page_field password_fields[] = {
    { "current", "password", "current-password", true },
    { "new", "password", "new-password", true },
};

static const struct igw_page_field deletion_fields[] = {
    { "password", "password", "current-password", true },
};

/* "2026-11-27T07:22:40Z" as "2026-11-27 07:22". */
static bool
set_time(struct json_t *object, const char *name, const char *member)
{
    struct igw_slice from = igw_json_text(igw_json_get(object, member));
    char text[TIME_SIZE];

    (void)snprintf(text, sizeof(text), "%.16s", from.data);
    if (strlen(text) == 16) {
        text[10] = ' ';
    }
    return igw_json_set_text(object, name, igw_slice_of(text));
}

static bool
dress_session(struct json_t *session)
{
    char name[AGENT_NAME_SIZE];

    agent_name(igw_json_text(igw_json_get(session, "user_agent")).data, name);
    return igw_json_set_text(session, "client", igw_slice_of(name))
           && set_time(session, "created", "created_at")
           && set_time(session, "used", "last_used_at");
}

static enum igw_result
set_sessions(struct igw_page *page, struct igw_call *call,
             const struct client_caller *caller)
{
    const struct app *app = call->app;
    struct igw_rows *rows = NULL;
    struct json_t *list = NULL;
    enum igw_result rc;

    rc = store_list_sessions(call->pg, caller->session.account.id,
                             &caller->hash, app->limits.idle_ms, &rows);
    if (rc == IGW_OK) {
        list = shown_sessions(rows);
        for (size_t i = 0; i < igw_json_size(list); i++) {
            page->failed |= !dress_session(igw_json_at(list, i));
        }
        igw_page_set(page, "has_others",
                     igw_json_new_bool(igw_json_size(list) > 1));
        igw_page_set(page, "sessions", list);
    }
    igw_rows_free(&rows);
    return rc;
}

static void
set_account(struct igw_page *page, const struct account *account)
{
    struct json_t *shown = shown_account(account);

    browser_set_user(page, account);
    page->failed |= !set_time(shown, "created", "created_at");
    igw_page_set(page, "verified", igw_json_new_bool(account->email_verified));
    igw_page_set(page, "groups", shown_groups(account));
    igw_page_set(page, "account", shown);
}

/* What was typed where that failed, else what there is. */
static void
set_forms(struct igw_page *page, const struct igw_call *call,
          const struct browser_content *content)
{
    bool is_details =
        strcmp(call->request->path, "/account") == 0 && content->given != NULL;
    bool is_deletion = strcmp(call->request->path, "/account/delete") == 0;

    igw_page_set_fields(page, "details", details_fields, COUNT(details_fields),
                        is_details ? content->given
                                   : igw_json_get(page->values, "account"),
                        is_details ? content->problem : NULL);
    igw_page_set_fields(page, "password", password_fields,
                        COUNT(password_fields), NULL, content->problem);
    igw_page_set_fields(page, "deletion", deletion_fields,
                        COUNT(deletion_fields), NULL,
                        is_deletion ? content->problem : NULL);
}

bool
browser_account(struct igw_call *call, const struct browser_content *content,
                int status)
{
    struct client_caller caller;
    struct igw_page page;
    enum igw_result rc = client_find(call, &caller);

    if (rc == IGW_NOT_FOUND) {
        return false;
    }
    browser_begin(&page, call, "account");
    if (rc == IGW_OK) {
        rc = set_sessions(&page, call, &caller);
    }
    if (rc == IGW_OK) {
        igw_page_set_done(&page, content->query);
        igw_page_set_problem(&page, call, content->problem);
        set_account(&page, &caller.session.account);
        set_forms(&page, call, content);
        igw_page_answer(&page, call, status);
    } else {
        igw_page_clear(&page);
        igw_problem_result(call, rc);
    }
    client_caller_clear(&caller);
    return true;
}
