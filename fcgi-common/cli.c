/*
 * cli.c: the command line.
 */
#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { OK = 0, WRONG_USAGE = 2 };

static void seal(void);
static const struct igw_command *find(const struct igw_cli *cli, int argc,
                                      char **argv, int *words);
static int match(const struct igw_command *command, int argc, char **argv);
static bool has_word(int argc, char **argv, const char *word);
static void print_help(const struct igw_cli *cli);

int
igw_cli_main(const struct igw_cli *cli, void *target, int argc, char **argv)
{
    const struct igw_command *command;
    int words;

    if (has_word(argc, argv, "--help") || has_word(argc, argv, "-h")) {
        print_help(cli);
        return OK;
    }
    if (has_word(argc, argv, "--version")) {
        (void)printf("%s %s\n", cli->program, cli->version);
        return OK;
    }
    if (has_word(argc, argv, "--settings-markdown")) {
        igw_settings_markdown(cli->settings, cli->setting_count, cli->prefix,
                              stdout);
        return OK;
    }
    seal();
    command = find(cli, argc, argv, &words);
    if (command == NULL) {
        (void)fprintf(stderr, "%s: no command \"%s\"; see %s --help\n",
                      cli->program, argv[1], cli->program);
        return WRONG_USAGE;
    }
    if (igw_settings_load(cli->settings, cli->setting_count, cli->prefix,
                          target, stderr)
        != IGW_OK) {
        return WRONG_USAGE;
    }
    if (cli->check != NULL && !cli->check(target, stderr)) {
        return WRONG_USAGE;
    }
    return command->run(target, argc - 1 - words, argv + 1 + words);
}

/*
 * SECURITY: keys and passwords are in memory: no core, and no other process of
 * this user looks into it.
 */
static void
seal(void)
{
    const struct rlimit none = { 0, 0 };

    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)setrlimit(RLIMIT_CORE, &none);
}

bool
igw_cli_option(int *argc, char **argv, const char *name, const char **value)
{
    size_t len = strlen(name);
    int kept = 0;
    bool is_valid = true;

    *value = NULL;
    for (int i = 0; i < *argc; i++) {
        const char *found = NULL;

        if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=') {
            found = argv[i] + len + 1;
        } else if (strcmp(argv[i], name) == 0 && i + 1 < *argc) {
            found = argv[++i];
        } else if (strcmp(argv[i], name) != 0) {
            argv[kept++] = argv[i];
            continue;
        }
        if (found == NULL || *value != NULL) {
            (void)fprintf(stderr, "%s %s\n", name,
                          found == NULL ? "has no value" : "is there twice");
            is_valid = false;
            break;
        }
        *value = found;
    }
    *argc = is_valid ? kept : *argc;
    return is_valid;
}

bool
igw_cli_end(int argc, char **argv)
{
    if (argc > 0) {
        (void)fprintf(stderr, "unknown argument \"%s\"; see --help\n", argv[0]);
        return false;
    }
    return true;
}

/* The command with the most words that match; the first one when none is. */
static const struct igw_command *
find(const struct igw_cli *cli, int argc, char **argv, int *words)
{
    const struct igw_command *found = NULL;

    *words = 0;
    if (argc < 2 || argv[1][0] == '-') {
        return &cli->commands[0];
    }
    for (size_t i = 0; i < cli->command_count; i++) {
        int matched = match(&cli->commands[i], argc - 1, argv + 1);

        if (matched > *words) {
            *words = matched;
            found = &cli->commands[i];
        }
    }
    return found;
}

/* How many arguments the command's name takes; 0: it is another command. */
static int
match(const struct igw_command *command, int argc, char **argv)
{
    const char *word = command->name;
    int count = 0;

    while (*word != '\0') {
        size_t len = strcspn(word, " ");

        if (count == argc || strlen(argv[count]) != len
            || memcmp(argv[count], word, len) != 0) {
            return 0;
        }
        count++;
        word += len + (word[len] == ' ' ? 1 : 0);
    }
    return count;
}

static bool
has_word(int argc, char **argv, const char *word)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], word) == 0) {
            return true;
        }
    }
    return false;
}

static void
print_help(const struct igw_cli *cli)
{
    (void)printf("%s %s: %s\n\nusage: %s [COMMAND] [ARGUMENTS]\n\n"
                 "commands (without one: %s):\n",
                 cli->program, cli->version, cli->summary, cli->program,
                 cli->commands[0].name);
    for (size_t i = 0; i < cli->command_count; i++) {
        const struct igw_command *command = &cli->commands[i];

        (void)printf("  %s%s%s\n      %s\n", command->name,
                     command->arguments[0] == '\0' ? "" : " ",
                     command->arguments, command->text);
    }
    (void)printf("\noptions:\n"
                 "  --help               this text\n"
                 "  --version            the program's version\n"
                 "  --settings-markdown  the settings as a Markdown table\n"
                 "\nsettings (environment variables):\n");
    igw_settings_help(cli->settings, cli->setting_count, cli->prefix, stdout);
    (void)printf("\nexit status: 0 done, 1 failed, 2 wrong usage or "
                 "setting\n");
}
