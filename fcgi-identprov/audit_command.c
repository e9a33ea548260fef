#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "cli.h"
#include "commands.h"
#include "rules.h"

enum { LIMIT_DEFAULT = 1000, LIMIT_MAX = 100000 };

static void
complain(const char *why)
{
    (void)fprintf(stderr, "identprov: audit: %s\n", why);
}

/* No field has a blank in it but the last, the detail. */
static bool
print_row(const struct audit_row *row)
{
    const char *const fields[] = {
        row->at,  row->event,      row->username, row->account_id,
        row->sid, row->request_id, row->address,
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        if (printf("%s ", fields[i][0] != '\0' ? fields[i] : "-") < 0) {
            return false;
        }
    }
    return printf("%s\n", row->detail[0] != '\0' ? row->detail : "-") > 0;
}

static enum igw_result
print_rows(const struct igw_rows *rows)
{
    for (size_t i = 0; i < igw_rows_count(rows); i++) {
        struct audit_row row = store_audit_at(rows, i);

        if (!print_row(&row)) {
            perror("identprov: standard output");
            return IGW_ERROR;
        }
    }
    if (fflush(stdout) != 0) {
        perror("identprov: standard output");
        return IGW_ERROR;
    }
    return IGW_OK;
}

/* Whether there is the account whose name is asked for, if one is. */
static enum igw_result
find_user(struct igw_pg *pg, const struct audit_query *query)
{
    struct credential credential;
    enum igw_result rc;

    if (query->username_key == NULL) {
        return IGW_OK;
    }
    rc = store_find_credential(pg, query->username_key, &credential);
    account_clear(&credential.account);
    return rc;
}

static enum igw_result
list(const struct app_settings *settings, const struct audit_query *query)
{
    const struct igw_pg_config config = app_pg_config(settings);
    struct igw_pg *pg = igw_pg_new(&config);
    struct igw_rows *rows = NULL;
    enum igw_result rc = IGW_ERROR;

    if (pg != NULL) {
        rc = find_user(pg, query);
    }
    if (rc == IGW_OK) {
        rc = store_list_audit(pg, query, &rows);
    }
    if (rc == IGW_OK) {
        rc = print_rows(rows);
    } else if (rc == IGW_NOT_FOUND) {
        complain("there is no such user; of a deleted one, ask by --account");
    } else {
        complain(pg != NULL ? igw_pg_message(pg) : "out of memory");
    }
    igw_rows_free(&rows);
    igw_pg_free(&pg);
    return rc;
}

static bool
is_event(const char *name)
{
    for (int i = 0; i < AUDIT_EVENTS; i++) {
        if (strcmp(audit_event_names[i], name) == 0) {
            return true;
        }
    }
    (void)fprintf(stderr, "identprov: audit: there is no event %s\n", name);
    return false;
}

static bool
read_limit(const char *text, int64_t *limit)
{
    char *end;

    *limit = text != NULL ? strtoll(text, &end, 10) : LIMIT_DEFAULT;
    if (text == NULL
        || (end != text && *end == '\0' && *limit >= 1
            && *limit <= LIMIT_MAX)) {
        return true;
    }
    (void)fprintf(stderr, "identprov: audit: --limit is 1 to %d\n", LIMIT_MAX);
    return false;
}

int
audit_command(void *target, int argc, char **argv)
{
    struct audit_query query = { 0 };
    const char *username;
    const char *limit;
    char *key = NULL;
    enum igw_result rc = IGW_ERROR;

    if (!igw_cli_option(&argc, argv, "--user", &username)
        || !igw_cli_option(&argc, argv, "--account", &query.account_id)
        || !igw_cli_option(&argc, argv, "--since", &query.since)
        || !igw_cli_option(&argc, argv, "--until", &query.until)
        || !igw_cli_option(&argc, argv, "--event", &query.event)
        || !igw_cli_option(&argc, argv, "--limit", &limit)
        || !igw_cli_end(argc, argv) || !read_limit(limit, &query.limit)
        || (query.event != NULL && !is_event(query.event))) {
        return COMMAND_WRONG_USAGE;
    }

    commands_init_log();
    if (username != NULL) {
        key = rules_username_key(igw_slice_of(username));
        query.username_key = key;
    }
    if (username != NULL && key == NULL) {
        complain("the name is not UTF-8");
    } else {
        rc = list(target, &query);
    }
    free(key);
    return rc == IGW_OK ? COMMAND_DONE : COMMAND_FAILED;
}
