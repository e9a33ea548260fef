#include "shown.h"

struct json_t *
shown_account(const struct account *account)
{
    struct json_t *json = igw_json_object();

    if (!igw_json_set_text(json, "id", igw_slice_of(account->id))
        || !igw_json_set_text(json, "username", igw_slice_of(account->username))
        || !igw_json_set_text(json, "email", igw_slice_of(account->email))
        || !igw_json_set_bool(json, "email_verified", account->email_verified)
        || !igw_json_set_text(json, "first_name",
                              igw_slice_of(account->first_name))
        || !igw_json_set_text(json, "last_name",
                              igw_slice_of(account->last_name))
        || !igw_json_set_text(json, "created_at",
                              igw_slice_of(account->created_at))) {
        igw_json_free(&json);
    }
    return json;
}

struct json_t *
shown_groups(const struct account *account)
{
    struct igw_slice groups[APP_GROUPS_MAX];
    size_t count = app_groups(account->groups, groups);
    struct json_t *json = igw_json_array();

    for (size_t i = 0; i < count && json != NULL; i++) {
        if (!igw_json_append(json, igw_json_new_text(groups[i]))) {
            igw_json_free(&json);
        }
    }
    return json;
}

static bool
set_session(struct json_t *json, const struct listed_session *session)
{
    return igw_json_set_text(json, "id", igw_slice_of(session->sid))
           && igw_json_set_bool(json, "current", session->is_current)
           && igw_json_set_text(json, "created_at",
                                igw_slice_of(session->created_at))
           && igw_json_set_text(json, "last_used_at",
                                igw_slice_of(session->last_used_at))
           && igw_json_set_text(json, "expires_at",
                                igw_slice_of(session->expires_at))
           && igw_json_set_text(json, "address", igw_slice_of(session->address))
           && igw_json_set_text(json, "user_agent",
                                igw_slice_of(session->agent));
}

struct json_t *
shown_sessions(const struct igw_rows *rows)
{
    struct json_t *list = igw_json_array();

    for (size_t i = 0; i < igw_rows_count(rows) && list != NULL; i++) {
        const struct listed_session session = store_session_at(rows, i);
        struct json_t *item = igw_json_object();
        bool is_made = set_session(item, &session);

        if (!igw_json_append(list, item) || !is_made) {
            igw_json_free(&list);
        }
    }
    return list;
}
