/*
 * commands.h: what the command line can do. Each returns the exit status.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

int serve_command(void *settings, int argc, char **argv);
int migrate_command(void *settings, int argc, char **argv);
int key_rotate_command(void *settings, int argc, char **argv);
int key_withdraw_command(void *settings, int argc, char **argv);
int key_list_command(void *settings, int argc, char **argv);
int key_export_command(void *settings, int argc, char **argv);
int audit_command(void *settings, int argc, char **argv);
int user_add_command(void *settings, int argc, char **argv);
int user_import_command(void *settings, int argc, char **argv);
int user_list_command(void *settings, int argc, char **argv);
int user_show_command(void *settings, int argc, char **argv);
int user_disable_command(void *settings, int argc, char **argv);
int user_enable_command(void *settings, int argc, char **argv);
int user_logout_command(void *settings, int argc, char **argv);
int user_set_password_command(void *settings, int argc, char **argv);
int user_verify_email_command(void *settings, int argc, char **argv);
int user_group_command(void *settings, int argc, char **argv);
int user_delete_command(void *settings, int argc, char **argv);
int session_revoke_command(void *settings, int argc, char **argv);
int check_command(void *settings, int argc, char **argv);

struct igw_pg;
struct igw_pg_config;

/* For those that talk to a person: only errors of the libraries are logged. */
void commands_init_log(void);
/* The same, and a connection to be; NULL: no memory, which has been said. */
struct igw_pg *commands_open(const struct igw_pg_config *config);

enum { COMMAND_DONE = 0, COMMAND_FAILED = 1, COMMAND_WRONG_USAGE = 2 };

#endif
