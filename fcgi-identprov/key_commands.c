#include <stdio.h>
#include <time.h>

#include "app.h"
#include "cli.h"
#include "commands.h"

/* Until every process has read the keys again, whatever else it does. */
enum { RELOADED_SEC = 3 * KEYS_RELOAD_MS / 1000 };

typedef enum igw_result keys_fn(struct igw_pg *pg,
                                const struct key_policy *policy,
                                const char *kid, struct igw_rows **rows,
                                char why[KEYCHAIN_WHY_SIZE]);
typedef enum igw_result print_fn(const struct igw_rows *rows,
                                 struct igw_buf *out,
                                 char why[KEYCHAIN_WHY_SIZE]);

static enum igw_result
print(const struct igw_buf *text)
{
    if (fwrite(text->data, 1, text->len, stdout) != text->len
        || fflush(stdout) != 0) {
        perror("identprov: standard output");
        return IGW_ERROR;
    }
    return IGW_OK;
}

/* What all of them do: get the keys, one way or the other, and print them. */
static int
run(const struct app_settings *settings, keys_fn *get, const char *kid,
    print_fn *put)
{
    const struct igw_pg_config config = app_pg_config(settings);
    const struct key_policy policy = app_key_policy(settings);
    struct igw_pg *pg = igw_pg_new(&config);
    struct igw_rows *rows = NULL;
    char why[KEYCHAIN_WHY_SIZE] = "out of memory";
    struct igw_buf text;
    enum igw_result rc = IGW_ERROR;

    commands_init_log();
    igw_buf_init(&text);
    if (pg != NULL) {
        rc = get(pg, &policy, kid, &rows, why);
    }
    if (rc == IGW_OK) {
        rc = put(rows, &text, why);
    }
    if (rc != IGW_OK) {
        (void)fprintf(stderr, "identprov: %s\n", why);
    } else {
        rc = print(&text);
    }
    igw_buf_clear(&text);
    igw_rows_free(&rows);
    igw_pg_free(&pg);
    return rc == IGW_OK ? COMMAND_DONE : COMMAND_FAILED;
}

static enum igw_result
put_set(const struct igw_rows *rows, struct igw_buf *out,
        char why[KEYCHAIN_WHY_SIZE])
{
    enum igw_result rc = keychain_jwks(rows, out, why);

    igw_buf_puts(out, "\n");
    return rc;
}

static enum igw_result
list_or_make(struct igw_pg *pg, const struct key_policy *policy,
             const char *kid, struct igw_rows **rows,
             char why[KEYCHAIN_WHY_SIZE])
{
    return keychain_list(pg, policy, rows, why);
}

int
key_export_command(void *target, int argc, char **argv)
{
    if (!igw_cli_end(argc, argv)) {
        return COMMAND_WRONG_USAGE;
    }
    return run(target, list_or_make, NULL, put_set);
}

/* What becomes of the key on row i. */
static const char *
state_of(const struct igw_rows *rows, size_t i)
{
    size_t signing = keychain_signing(rows);

    if (i == signing) {
        return "signing";
    }
    if (i > signing) {
        return "next";
    }
    return store_key_at(rows, i).retires_in_ms < 0 ? "retired" : "old";
}

static enum igw_result
put_table(const struct igw_rows *rows, struct igw_buf *out,
          char why[KEYCHAIN_WHY_SIZE])
{
    igw_buf_printf(out, "%-43s %-9s %-7s %-20s %-20s %s\n", "KID", "ALGORITHM",
                   "STATE", "CREATED", "SIGNS FROM", "RETIRES");
    for (size_t i = 0; i < igw_rows_count(rows); i++) {
        struct stored_key row = store_key_at(rows, i);

        igw_buf_printf(out, "%-43s %-9s %-7s %-20s %-20s %s\n", row.kid,
                       row.algorithm, state_of(rows, i), row.created_at,
                       row.signs_from,
                       row.retires_at[0] != '\0' ? row.retires_at : "-");
    }
    return out->failed ? IGW_ERROR : IGW_OK;
}

static enum igw_result
just_list(struct igw_pg *pg, const struct key_policy *policy, const char *kid,
          struct igw_rows **rows, char why[KEYCHAIN_WHY_SIZE])
{
    enum igw_result rc = store_list_keys(pg, rows);

    if (rc != IGW_OK) {
        (void)snprintf(why, KEYCHAIN_WHY_SIZE, "%s", igw_pg_message(pg));
    }
    return rc;
}

/* Asks for no passphrase and changes nothing. */
int
key_list_command(void *target, int argc, char **argv)
{
    if (!igw_cli_end(argc, argv)) {
        return COMMAND_WRONG_USAGE;
    }
    return run(target, just_list, NULL, put_table);
}

static enum igw_result
rotate(struct igw_pg *pg, const struct key_policy *policy, const char *kid,
       struct igw_rows **rows, char why[KEYCHAIN_WHY_SIZE])
{
    return keychain_rotate(pg, policy, rows, why);
}

int
key_rotate_command(void *target, int argc, char **argv)
{
    if (!igw_cli_end(argc, argv)) {
        return COMMAND_WRONG_USAGE;
    }
    return run(target, rotate, NULL, put_table);
}

/*
 * What gateways keep has tokens of that key: they are told when no process
 * makes such ones any more.
 */
static enum igw_result
withdraw(struct igw_pg *pg, const struct key_policy *policy, const char *kid,
         struct igw_rows **rows, char why[KEYCHAIN_WHY_SIZE])
{
    const struct timespec reloaded = { .tv_sec = RELOADED_SEC };
    enum igw_result rc = keychain_withdraw(pg, policy, kid, rows, why);

    if (rc != IGW_OK) {
        return rc;
    }
    (void)nanosleep(&reloaded, NULL);
    rc = store_tell_all(pg);
    if (rc != IGW_OK) {
        (void)snprintf(why, KEYCHAIN_WHY_SIZE,
                       "the key is withdrawn, but gateways do not know that"
                       " they have to forget its tokens: %s",
                       igw_pg_message(pg));
    }
    return rc;
}

int
key_withdraw_command(void *target, int argc, char **argv)
{
    if (argc < 1) {
        (void)fprintf(stderr, "a KID is missing; see identprov key list\n");
        return COMMAND_WRONG_USAGE;
    }
    if (!igw_cli_end(argc - 1, argv + 1)) {
        return COMMAND_WRONG_USAGE;
    }
    return run(target, withdraw, argv[0], put_table);
}
