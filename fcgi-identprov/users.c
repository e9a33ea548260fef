/*
 * users.c: what the command line does to one account.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "ask.h"
#include "cli.h"
#include "commands.h"
#include "crypto.h"
#include "rules.h"
#include "shown.h"

/* One command under way. */
struct order {
    const struct app_settings *settings;
    struct igw_pg *pg;
    struct credential credential; /* of the account that is named */
    struct audit_entry audit;
    const char *add; /* of user group */
    const char *remove;
};

static enum igw_result
complain(const char *why)
{
    (void)fprintf(stderr, "identprov: %s\n", why);
    return IGW_ERROR;
}

static enum igw_result
find(struct order *order, const char *name)
{
    char *key = rules_username_key(igw_slice_of(name));
    enum igw_result rc;

    if (key == NULL) {
        return complain("the name is not UTF-8");
    }
    rc = store_find_credential(order->pg, key, &order->credential);
    free(key);
    if (rc == IGW_NOT_FOUND) {
        (void)fprintf(stderr, "identprov: there is no user \"%s\"\n", name);
    } else if (rc != IGW_OK) {
        (void)complain(igw_pg_message(order->pg));
    }
    return rc;
}

static enum igw_result
run(struct order *order, const char *name,
    enum igw_result (*act)(struct order *order))
{
    const struct igw_pg_config config = app_pg_config(order->settings);
    enum igw_result rc;

    order->audit.detail = "command line";
    order->pg = commands_open(&config);
    if (order->pg == NULL) {
        return IGW_ERROR;
    }
    rc = find(order, name);
    if (rc == IGW_OK) {
        rc = act(order);
    }
    account_clear(&order->credential.account);
    igw_pg_free(&order->pg);
    return rc;
}

/* A command with a NAME and nothing else. */
static int
command(void *target, int argc, char **argv, enum audit_event event,
        enum igw_result (*act)(struct order *order))
{
    struct order order = { .settings = target, .audit = { .event = event } };

    if (argc < 1) {
        (void)fprintf(stderr, "a NAME is missing; see --help\n");
        return COMMAND_WRONG_USAGE;
    }
    if (!igw_cli_end(argc - 1, argv + 1)) {
        return COMMAND_WRONG_USAGE;
    }
    return run(&order, argv[0], act) == IGW_OK ? COMMAND_DONE : COMMAND_FAILED;
}

static enum igw_result
said(const struct order *order, enum igw_result rc)
{
    if (rc == IGW_NOT_FOUND) {
        (void)complain("the account is gone");
    } else if (rc != IGW_OK) {
        (void)complain(igw_pg_message(order->pg));
    }
    return rc;
}

static enum igw_result
disable(struct order *order)
{
    return said(order,
                store_set_disabled(order->pg, order->credential.account.id,
                                   true, &order->audit));
}

int
user_disable_command(void *target, int argc, char **argv)
{
    return command(target, argc, argv, AUDIT_ACCOUNT_DISABLED, disable);
}

static enum igw_result
enable(struct order *order)
{
    return said(order,
                store_set_disabled(order->pg, order->credential.account.id,
                                   false, &order->audit));
}

int
user_enable_command(void *target, int argc, char **argv)
{
    return command(target, argc, argv, AUDIT_ACCOUNT_ENABLED, enable);
}

static enum igw_result
end_sessions(struct order *order)
{
    return said(order,
                store_end_sessions(order->pg, order->credential.account.id,
                                   NULL, &order->audit));
}

int
user_logout_command(void *target, int argc, char **argv)
{
    return command(target, argc, argv, AUDIT_SESSIONS_REVOKED, end_sessions);
}

static enum igw_result
verify_email(struct order *order)
{
    enum igw_result rc = store_verify_email(
        order->pg, order->credential.account.id, &order->audit);

    if (rc == IGW_CONFLICT) {
        (void)complain("another account has this e-mail address, verified");
        return rc;
    }
    return said(order, rc);
}

int
user_verify_email_command(void *target, int argc, char **argv)
{
    return command(target, argc, argv, AUDIT_ACCOUNT_CHANGED, verify_email);
}

static enum igw_result
delete_account(struct order *order)
{
    return said(order,
                store_delete_account(order->pg, order->credential.account.id,
                                     NULL, &order->audit));
}

int
user_delete_command(void *target, int argc, char **argv)
{
    return command(target, argc, argv, AUDIT_ACCOUNT_DELETED, delete_account);
}

static enum igw_result
hash_and_set(struct order *order, char *password)
{
    const struct password_cost cost = app_password_cost(order->settings);
    char hash[PASSWORD_HASH_SIZE];

    if (password_init() != IGW_OK
        || password_hash(igw_slice_of(password), &cost, hash) != IGW_OK) {
        return complain("out of memory");
    }
    return said(order,
                store_change_password(order->pg, order->credential.account.id,
                                      NULL, hash, NULL, &order->audit));
}

static enum igw_result
set_password(struct order *order)
{
    char line[ASK_SIZE];
    struct rules_fault fault = { 0 };
    char *password = NULL;
    enum igw_result rc = IGW_INVALID;

    if (ask_password(line)) {
        rc = app_new_password(order->settings, &order->credential.account,
                              igw_slice_of(line), &password, &fault);
        if (fault.code != NULL) {
            (void)fprintf(stderr, "identprov: password %s\n", fault.detail);
        }
    }
    if (rc == IGW_OK) {
        rc = hash_and_set(order, password);
    }
    rules_wipe(&password);
    igw_wipe(line, sizeof(line));
    return rc;
}

int
user_set_password_command(void *target, int argc, char **argv)
{
    return command(target, argc, argv, AUDIT_PASSWORD_CHANGED, set_password);
}

static enum igw_result
set_group(struct order *order, const char *group, bool is_member)
{
    enum igw_result rc =
        store_set_group(order->pg, order->credential.account.id, group,
                        is_member, &order->audit);

    if (rc == IGW_INVALID) {
        (void)complain("a group has 1 to 64 letters, digits, and . _ : -; an"
                       " account is in 32 at most, of 768 bytes together");
        return rc;
    }
    return said(order, rc);
}

static enum igw_result
change_groups(struct order *order)
{
    char *id = strdup(order->credential.account.id);
    enum igw_result rc = id != NULL ? IGW_OK : complain("out of memory");

    if (rc == IGW_OK && order->add != NULL) {
        rc = set_group(order, order->add, true);
    }
    if (rc == IGW_OK && order->remove != NULL) {
        rc = set_group(order, order->remove, false);
    }
    if (rc == IGW_OK) {
        account_clear(&order->credential.account);
        rc = said(order,
                  store_find_credential_of(order->pg, id, &order->credential));
    }
    if (rc == IGW_OK
        && (puts(order->credential.account.groups) == EOF
            || fflush(stdout) != 0)) {
        rc = complain("standard output cannot be written");
    }
    free(id);
    return rc;
}

int
user_group_command(void *target, int argc, char **argv)
{
    struct order order = { .settings = target,
                           .audit = { .event = AUDIT_ACCOUNT_CHANGED } };

    if (!igw_cli_option(&argc, argv, "--add", &order.add)
        || !igw_cli_option(&argc, argv, "--remove", &order.remove)) {
        return COMMAND_WRONG_USAGE;
    }
    if (argc < 1) {
        (void)fprintf(stderr, "a NAME is missing; see --help\n");
        return COMMAND_WRONG_USAGE;
    }
    if (!igw_cli_end(argc - 1, argv + 1)) {
        return COMMAND_WRONG_USAGE;
    }
    return run(&order, argv[0], change_groups) == IGW_OK ? COMMAND_DONE
                                                         : COMMAND_FAILED;
}

static struct json_t *
account_json(const struct credential *credential)
{
    struct json_t *json = shown_account(&credential->account);

    if (json == NULL
        || !igw_json_set(json, "groups", shown_groups(&credential->account))
        || !igw_json_set_bool(json, "disabled", credential->is_disabled)) {
        igw_json_free(&json);
    }
    return json;
}

static enum igw_result
print(const struct json_t *json)
{
    struct igw_buf line;
    enum igw_result rc = IGW_ERROR;

    igw_buf_init(&line);
    if (json != NULL) {
        rc = igw_json_dump(json, &line);
    }
    if (rc != IGW_OK) {
        rc = complain("out of memory");
    } else if (puts(line.data) == EOF) {
        rc = complain("standard output cannot be written");
    }
    igw_buf_clear(&line);
    return rc;
}

static enum igw_result
show(struct order *order)
{
    const struct session_hash none = { { 0 } };
    struct json_t *json = account_json(&order->credential);
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    rc =
        said(order,
             store_list_sessions(order->pg, order->credential.account.id, &none,
                                 order->settings->session_idle_ms, &rows));
    if (rc == IGW_OK && !igw_json_set(json, "sessions", shown_sessions(rows))) {
        rc = complain("out of memory");
    }
    if (rc == IGW_OK) {
        rc = print(json);
    }
    if (rc == IGW_OK && fflush(stdout) != 0) {
        rc = complain("standard output cannot be written");
    }
    igw_rows_free(&rows);
    igw_json_free(&json);
    return rc;
}

int
user_show_command(void *target, int argc, char **argv)
{
    return command(target, argc, argv, AUDIT_ACCOUNT_CHANGED, show);
}

/* *after becomes the key of the last one. */
static enum igw_result
print_rows(struct igw_rows *rows, char **after)
{
    enum igw_result rc = IGW_OK;
    const char *key = "";

    for (size_t i = 0; i < igw_rows_count(rows) && rc == IGW_OK; i++) {
        struct credential credential;
        struct json_t *json;

        store_account_at(rows, i, &credential, &key);
        json = account_json(&credential);
        rc = print(json);
        igw_json_free(&json);
    }
    free(*after);
    *after = strdup(key);
    return *after != NULL ? rc : complain("out of memory");
}

static enum igw_result
list(struct igw_pg *pg)
{
    char *after = strdup("");
    bool is_done = false;
    enum igw_result rc = after != NULL ? IGW_OK : complain("out of memory");

    while (rc == IGW_OK && !is_done) {
        struct igw_rows *rows = NULL;

        rc = store_list_accounts(pg, after, &rows);
        if (rc != IGW_OK) {
            (void)complain(igw_pg_message(pg));
            break;
        }
        is_done = igw_rows_count(rows) == 0;
        rc = print_rows(rows, &after);
        igw_rows_free(&rows);
    }
    free(after);
    if (rc == IGW_OK && fflush(stdout) != 0) {
        rc = complain("standard output cannot be written");
    }
    return rc;
}

int
user_list_command(void *target, int argc, char **argv)
{
    const struct igw_pg_config config = app_pg_config(target);
    struct igw_pg *pg;
    enum igw_result rc;

    if (!igw_cli_end(argc, argv)) {
        return COMMAND_WRONG_USAGE;
    }
    pg = commands_open(&config);
    if (pg == NULL) {
        return COMMAND_FAILED;
    }
    rc = list(pg);
    igw_pg_free(&pg);
    return rc == IGW_OK ? COMMAND_DONE : COMMAND_FAILED;
}

/* Takes a word out of the arguments; false when it is not there. */
static bool
take_word(int *argc, char **argv, const char *word)
{
    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], word) == 0) {
            memmove(argv + i, argv + i + 1,
                    (size_t)(*argc - i - 1) * sizeof(*argv));
            (*argc)--;
            return true;
        }
    }
    return false;
}

int
session_revoke_command(void *target, int argc, char **argv)
{
    const struct audit_entry audit = { .event = AUDIT_SESSIONS_REVOKED,
                                       .detail = "command line, all" };
    struct igw_pg_config config = app_pg_config(target);
    struct igw_pg *pg;
    int64_t count = 0;
    enum igw_result rc;

    if (!take_word(&argc, argv, "--all")) {
        (void)fprintf(stderr, "say --all to end every session\n");
        return COMMAND_WRONG_USAGE;
    }
    if (!igw_cli_end(argc, argv)) {
        return COMMAND_WRONG_USAGE;
    }
    config.statement_timeout_ms = 0; /* as long as there are sessions */
    pg = commands_open(&config);
    if (pg == NULL) {
        return COMMAND_FAILED;
    }
    rc = store_end_all_sessions(pg, &audit, &count);
    if (rc == IGW_OK) {
        (void)printf("%lld sessions have ended\n", (long long)count);
    } else {
        (void)complain(igw_pg_message(pg));
    }
    igw_pg_free(&pg);
    return rc == IGW_OK ? COMMAND_DONE : COMMAND_FAILED;
}
