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
        rc = store_migrate(pg, settings->serve_role);
    }
    if (rc != IGW_OK) {
        (void)fprintf(stderr, "identprov: migrate: %s\n",
                      pg != NULL ? igw_pg_message(pg) : "out of memory");
    }
    igw_pg_free(&pg);
    return rc == IGW_OK ? COMMAND_DONE : COMMAND_FAILED;
}
