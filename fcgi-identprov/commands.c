#include "commands.h"

#include <stdio.h>

#include "app.h"
#include "cli.h"
#include "log.h"

void
commands_init_log(void)
{
    igw_log_init("identprov", IGW_LOG_ERROR);
}

int
migrate_command(void *target, int argc, char **argv)
{
    const struct app_settings *settings = target;
    struct igw_pg_config config = app_pg_config(settings);
    struct igw_pg *pg;
    enum igw_result rc = IGW_ERROR;

    if (!igw_cli_end(argc, argv)) {
        return COMMAND_WRONG_USAGE;
    }
    commands_init_log();
    config.statement_timeout_ms = 0; /* a migration takes its time */
    pg = igw_pg_new(&config);
    if (pg != NULL) {
        rc = store_migrate(pg);
    }
    if (rc != IGW_OK) {
        (void)fprintf(stderr, "identprov: migrate: %s\n",
                      pg != NULL ? igw_pg_message(pg) : "out of memory");
    }
    igw_pg_free(&pg);
    return rc == IGW_OK ? COMMAND_DONE : COMMAND_FAILED;
}

static enum igw_result
print(const struct igw_buf *text)
{
    if (fwrite(text->data, 1, text->len, stdout) != text->len
        || putchar('\n') == EOF || fflush(stdout) != 0) {
        perror("identprov: standard output");
        return IGW_ERROR;
    }
    return IGW_OK;
}

static enum igw_result export(const struct app_settings *settings,
                              struct igw_buf *jwks) {
    const struct igw_pg_config config = app_pg_config(settings);
    struct igw_pg *pg = igw_pg_new(&config);
    char why[KEYS_WHY_SIZE] = "out of memory"; enum igw_result rc = IGW_ERROR;

    if (pg != NULL){
        rc = keys_export(pg, settings->key_passphrase_file, jwks, why); }
if (rc != IGW_OK)
{
    (void)fprintf(stderr, "identprov: %s\n", why);
}
igw_pg_free(&pg);
return rc;
}

int
key_export_command(void *target, int argc, char **argv)
{
    struct igw_buf jwks;
    enum igw_result rc;

    if (!igw_cli_end(argc, argv)) {
        return COMMAND_WRONG_USAGE;
    }
    commands_init_log();
    igw_buf_init(&jwks);
    rc = export(target, &jwks);
    if (rc == IGW_OK) {
        rc = print(&jwks);
    }
    igw_buf_clear(&jwks);
    return rc == IGW_OK ? COMMAND_DONE : COMMAND_FAILED;
}
