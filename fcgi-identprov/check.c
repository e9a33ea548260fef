/*
 * check.c: whether serve would start, and on what.
 */
#include <stdio.h>

#include "app.h"
#include "cli.h"
#include "commands.h"

/* Settings were read before; a wrong one never comes here. */
static enum igw_result
check_schema(struct igw_pg *pg)
{
    enum igw_result rc = store_check_schema(pg);

    if (rc == IGW_OK) {
        (void)printf("settings: ok\ndatabase: ok\nschema: ok\n");
    } else if (rc == IGW_INVALID) {
        (void)fprintf(stderr, "identprov: the database's schema is not this"
                              " program's: identprov migrate\n");
    } else {
        (void)fprintf(stderr, "identprov: database: %s\n", igw_pg_message(pg));
    }
    return rc;
}

static enum igw_result
check_feed(struct igw_pg *pg)
{
    const struct feed_cursor none = { { NULL, 0 }, { NULL, 0 } };
    struct feed feed = { 0 };
    enum igw_result rc = store_poll(pg, &none, &feed);

    if (rc == IGW_OK) {
        (void)printf("commits: ok, epoch %s\n", feed.epoch);
    } else {
        (void)fprintf(stderr, "identprov: the database does not commit: %s\n",
                      igw_pg_message(pg));
    }
    feed_clear(&feed);
    return rc;
}

static enum igw_result
check_keys(struct igw_pg *pg, const struct app_settings *settings)
{
    const struct key_policy policy = app_key_policy(settings);
    struct keys *keys = NULL;
    char why[KEYS_WHY_SIZE];
    enum igw_result rc = keys_new(pg, &policy, &keys, why);

    if (rc == IGW_OK) {
        (void)printf("signing keys: ok\n");
    } else {
        (void)fprintf(stderr, "identprov: %s\n", why);
    }
    keys_free(&keys);
    return rc;
}

int
check_command(void *target, int argc, char **argv)
{
    const struct app_settings *settings = target;
    const struct igw_pg_config config = app_pg_config(settings);
    struct igw_pg *pg;
    enum igw_result rc;

    if (!igw_cli_end(argc, argv)) {
        return COMMAND_WRONG_USAGE;
    }
    pg = commands_open(&config);
    if (pg == NULL) {
        return COMMAND_FAILED;
    }
    rc = check_schema(pg);
    if (rc == IGW_OK) {
        rc = check_feed(pg);
    }
    if (rc == IGW_OK) {
        rc = check_keys(pg, settings);
    }
    igw_pg_free(&pg);
    return rc == IGW_OK && fflush(stdout) == 0 ? COMMAND_DONE : COMMAND_FAILED;
}
