/*
 * cli.h: `program [command] [arguments]`, with --help made from the tables.
 */
#ifndef IGW_CLI_H
#define IGW_CLI_H

#include <stdio.h>

#include "settings.h"

struct igw_command {
    const char *name; /* "serve", "key export": words parted by one blank */
    const char *arguments; /* "[--listen ADDRESS]", "" when none */
    const char *text;
    /* argv[0] is the first argument behind the name; the exit status */
    int (*run)(void *settings, int argc, char **argv);
};

struct igw_cli {
    const char *program;
    const char *version;
    const char *summary;
    const char *prefix; /* of environment variables: "IDENTPROV_" */
    const struct igw_setting *settings;
    size_t setting_count;
    /*
     * What the settings must be together, once each is right by itself; says
     * what is wrong on `errors`. NULL: nothing.
     */
    bool (*check)(const void *settings, FILE *errors);
    const struct igw_command *commands; /* the first one is the default */
    size_t command_count;
};

/*
 * Finds the command, loads the settings into `target`, runs it. --help,
 * --version and --settings-markdown are answered here. 2: wrong usage or
 * setting.
 */
int igw_cli_main(const struct igw_cli *cli, void *target, int argc,
                 char **argv);

/*
 * For run(): takes `name VALUE` or `name=VALUE` out of the arguments; *value is
 * NULL when it is not there. False: without a value or twice, said on stderr.
 */
bool igw_cli_option(int *argc, char **argv, const char *name,
                    const char **value) IGW_MUST_CHECK;
/* False, and a line on stderr, when arguments are left. */
bool igw_cli_end(int argc, char **argv) IGW_MUST_CHECK;

#endif
