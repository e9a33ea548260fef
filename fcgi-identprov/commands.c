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

struct igw_pg *
commands_open(const struct igw_pg_config *config)
{
    struct igw_pg *pg = igw_pg_new(config);

    commands_init_log();
    if (pg == NULL) {
        (void)fprintf(stderr, "identprov: out of memory\n");
    }
    return pg;
}

int
migrate_command(void *target, int argc, char **argv)
{
    const struct app_settings *settings = target;
    struct igw_pg_config config = app_pg_config(settings);
    struct igw_pg *pg;
    enum igw_result rc;

    if (!igw_cli_end(argc, argv)) {
        return COMMAND_WRONG_USAGE;
    }
    config.statement_timeout_ms = 0; /* a migration takes its time */
    pg = commands_open(&config);
    if (pg == NULL) {
        return COMMAND_FAILED;
    }
    rc = store_migrate(pg, settings->serve_role);
    if (rc != IGW_OK) {
        (void)fprintf(stderr, "identprov: migrate: %s\n", igw_pg_message(pg));
    }
    igw_pg_free(&pg);
    return rc == IGW_OK ? COMMAND_DONE : COMMAND_FAILED;
}
