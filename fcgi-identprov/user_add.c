#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "ask.h"
#include "cli.h"
#include "commands.h"
#include "crypto.h"
#include "rules.h"

static const char *const option_names[RULES_FIELDS] = {
    [RULES_USERNAME] = "--username",
    [RULES_EMAIL] = "--email",
    [RULES_FIRST_NAME] = "--first-name",
    [RULES_LAST_NAME] = "--last-name",
};

static enum igw_result
print_account(const struct account *account)
{
    if (printf("%s %s\n", account->id, account->username) < 0
        || fflush(stdout) != 0) {
        (void)fprintf(stderr, "identprov: standard output: %s\n",
                      strerror(errno));
        return IGW_ERROR;
    }
    return IGW_OK;
}

static enum igw_result
insert(struct igw_pg *pg, const struct rules_applicant *applicant,
       const char *password_hash)
{
    const struct new_account new = {
        .username = applicant->username,
        .username_key = applicant->username_key,
        .email = applicant->email,
        .email_key = applicant->email_key,
        .first_name = applicant->first_name,
        .last_name = applicant->last_name,
        .password_hash = password_hash,
    };
    const struct audit_entry audit = {
        .event = AUDIT_REGISTERED,
        .detail = "command line",
    };
    struct account account;
    enum store_conflict conflict;
    enum igw_result rc;

    rc = store_register(pg, &new, &audit, &account, &conflict);
    if (rc == IGW_CONFLICT) {
        (void)fprintf(stderr, "identprov: %s\n",
                      conflict == STORE_EMAIL_TAKEN
                          ? "another account has this e-mail address"
                          : "this username is taken, or was once");
        return rc;
    }
    if (rc != IGW_OK) {
        (void)fprintf(stderr, "identprov: %s\n", igw_pg_message(pg));
        return rc;
    }
    rc = print_account(&account);
    account_clear(&account);
    return rc;
}

static enum igw_result
hash_and_insert(const struct app_settings *settings,
                const struct rules_applicant *applicant)
{
    const struct igw_pg_config config = app_pg_config(settings);
    const struct password_cost cost = app_password_cost(settings);
    char hash[PASSWORD_HASH_SIZE];
    struct igw_pg *pg = igw_pg_new(&config);
    enum igw_result rc = IGW_ERROR;

    if (pg != NULL && password_init() == IGW_OK) {
        rc = password_hash(igw_slice_of(applicant->password), &cost, hash);
    }
    if (rc == IGW_OK) {
        rc = insert(pg, applicant, hash);
    } else {
        (void)fprintf(stderr, "identprov: out of memory\n");
    }
    igw_pg_free(&pg);
    return rc;
}

static enum igw_result
add(const struct app_settings *settings,
    const struct igw_slice given[RULES_FIELDS])
{
    const struct rules_password policy = app_password_policy(settings);
    struct rules_applicant applicant;
    enum igw_result rc;

    rc = rules_applicant_check(given, &policy, &applicant);
    for (int i = 0; i < RULES_FIELDS; i++) {
        if (applicant.faults[i].code != NULL) {
            (void)fprintf(stderr, "identprov: %s %s\n", rules_field_names[i],
                          applicant.faults[i].detail);
        }
    }
    if (rc == IGW_OK) {
        rc = hash_and_insert(settings, &applicant);
    }
    rules_applicant_clear(&applicant);
    return rc;
}

int
user_add_command(void *target, int argc, char **argv)
{
    struct igw_slice given[RULES_FIELDS] = { { 0 } };
    char password[ASK_SIZE];
    const char *value;
    enum igw_result rc = IGW_INVALID;

    for (int i = 0; i < RULES_FIELDS; i++) {
        if (option_names[i] == NULL) {
            continue;
        }
        if (!igw_cli_option(&argc, argv, option_names[i], &value)) {
            return COMMAND_WRONG_USAGE;
        }
        given[i] = igw_slice_of(value);
    }
    if (!igw_cli_end(argc, argv)) {
        return COMMAND_WRONG_USAGE;
    }

    commands_init_log();
    if (ask_password(password)) {
        given[RULES_PASSWORD] = igw_slice_of(password);
        rc = add(target, given);
    }
    igw_wipe(password, sizeof(password));
    return rc == IGW_OK ? COMMAND_DONE : COMMAND_FAILED;
}
