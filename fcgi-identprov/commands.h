/*
 * commands.h: what the command line can do. Each returns the exit status.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

int serve_command(void *settings, int argc, char **argv);
int migrate_command(void *settings, int argc, char **argv);
int key_rotate_command(void *settings, int argc, char **argv);
int key_list_command(void *settings, int argc, char **argv);
int key_export_command(void *settings, int argc, char **argv);
int audit_command(void *settings, int argc, char **argv);
int user_add_command(void *settings, int argc, char **argv);

/* For those that talk to a person: only errors of the libraries are logged. */
void commands_init_log(void);

enum { COMMAND_DONE = 0, COMMAND_FAILED = 1, COMMAND_WRONG_USAGE = 2 };

#endif
