/*
 * user_import.c: accounts of another program, a JSON object a line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "cli.h"
#include "commands.h"
#include "json.h"
#include "rules.h"
#include "text.h"

enum text { USERNAME, EMAIL, FIRST_NAME, LAST_NAME, PASSWORD_HASH, TEXTS };

enum { WHY_SIZE = 256 };

static const char *const text_names[TEXTS] = {
    [USERNAME] = "username",           [EMAIL] = "email",
    [FIRST_NAME] = "first_name",       [LAST_NAME] = "last_name",
    [PASSWORD_HASH] = "password_hash",
};

/* One line in the form that is stored; all NULL to begin. */
struct newcomer {
    char *username;
    char *username_key;
    char *email;
    char *email_key;
    char *first_name;
    char *last_name;
    struct igw_buf hash;
    struct igw_buf groups;
    bool email_verified;
    bool is_disabled;
    char why[WHY_SIZE]; /* of IGW_INVALID */
};

static void
clear(struct newcomer *newcomer)
{
    free(newcomer->username);
    free(newcomer->username_key);
    free(newcomer->email);
    free(newcomer->email_key);
    free(newcomer->first_name);
    free(newcomer->last_name);
    igw_buf_clear(&newcomer->hash);
    igw_buf_clear(&newcomer->groups);
}

static enum igw_result
refuse(struct newcomer *newcomer, const char *name, const char *detail)
{
    (void)snprintf(newcomer->why, WHY_SIZE, "%s %s", name, detail);
    return IGW_INVALID;
}

static enum igw_result
take_hash(struct newcomer *newcomer, struct igw_slice given)
{
    enum igw_result rc = IGW_INVALID;

    if (memchr(given.data, '\0', given.len) == NULL) {
        rc = password_import(given.data, &newcomer->hash);
    }
    return rc == IGW_INVALID
               ? refuse(newcomer, "password_hash",
                        "is none that can be checked: argon2id, bcrypt or"
                        " PBKDF2, see docs/operations.md")
               : rc;
}

static enum igw_result
take_text(struct newcomer *newcomer, enum text text, struct igw_slice given)
{
    struct rules_fault fault = { 0 };
    enum igw_result rc = IGW_OK;

    if (text == USERNAME) {
        rc = rules_username(given, &newcomer->username, &newcomer->username_key,
                            &fault);
    } else if (text == EMAIL) {
        rc = rules_email(given, &newcomer->email, &newcomer->email_key, &fault);
    } else if (text == FIRST_NAME) {
        rc = rules_person_name(given, &newcomer->first_name, &fault);
    } else if (text == LAST_NAME && given.len > 0) {
        rc = rules_person_name(given, &newcomer->last_name, &fault);
    } else if (text == PASSWORD_HASH) {
        return take_hash(newcomer, given);
    }
    return rc == IGW_INVALID ? refuse(newcomer, text_names[text], fault.detail)
                             : rc;
}

static enum igw_result
take_groups(struct newcomer *newcomer, const struct json_t *list)
{
    if (igw_json_type(list) != IGW_JSON_ARRAY) {
        return refuse(newcomer, "groups", "must be an array of names");
    }
    for (size_t i = 0; i < igw_json_size(list); i++) {
        struct igw_slice name = igw_json_text(igw_json_at(list, i));

        if (name.len == 0 || memchr(name.data, ',', name.len) != NULL) {
            return refuse(newcomer, "groups", "must be an array of names");
        }
        igw_buf_puts(&newcomer->groups, i > 0 ? "," : "");
        igw_buf_append(&newcomer->groups, name.data, name.len);
    }
    return newcomer->groups.failed ? IGW_ERROR : IGW_OK;
}

static enum igw_result
take_member(struct newcomer *newcomer, const char *name,
            const struct json_t *value)
{
    enum igw_json_type type = igw_json_type(value);
    bool *flag = NULL;

    for (int i = 0; i < TEXTS; i++) {
        if (strcmp(name, text_names[i]) == 0) {
            return type == IGW_JSON_STRING
                       ? take_text(newcomer, (enum text)i, igw_json_text(value))
                       : refuse(newcomer, name, "must be a string");
        }
    }
    if (strcmp(name, "groups") == 0) {
        return take_groups(newcomer, value);
    }
    if (strcmp(name, "email_verified") == 0) {
        flag = &newcomer->email_verified;
    } else if (strcmp(name, "disabled") == 0) {
        flag = &newcomer->is_disabled;
    } else {
        return refuse(newcomer, name, "is not known here");
    }
    *flag = igw_json_bool(value);
    return type == IGW_JSON_BOOL
               ? IGW_OK
               : refuse(newcomer, name, "must be true or false");
}

static enum igw_result
read_newcomer(struct igw_slice line, struct newcomer *newcomer)
{
    struct json_t *json = NULL;
    struct igw_json_fault fault = { 0 };
    enum igw_result rc = igw_json_parse(line, &json, &fault);

    if (rc == IGW_INVALID) {
        return refuse(newcomer, "JSON:", fault.detail);
    }
    if (rc == IGW_OK && igw_json_type(json) != IGW_JSON_OBJECT) {
        rc = refuse(newcomer, "JSON:", "it must be an object");
    }
    for (void *member = rc == IGW_OK ? igw_json_first(json) : NULL;
         member != NULL && rc == IGW_OK; member = igw_json_next(json, member)) {
        rc = take_member(newcomer, igw_json_name(member),
                         igw_json_value(member));
    }
    igw_json_free(&json);
    if (rc == IGW_OK
        && (newcomer->username == NULL || newcomer->email == NULL
            || newcomer->first_name == NULL || newcomer->hash.len == 0)) {
        rc = refuse(newcomer, "username, email, first_name, password_hash",
                    "must all be there");
    }
    return rc;
}

static enum igw_result
store(struct igw_pg *pg, struct newcomer *newcomer)
{
    const struct new_account new = {
        .username = newcomer->username,
        .username_key = newcomer->username_key,
        .email = newcomer->email,
        .email_key = newcomer->email_key,
        .first_name = newcomer->first_name,
        .last_name = newcomer->last_name != NULL ? newcomer->last_name : "",
        .password_hash = newcomer->hash.data,
        .groups = newcomer->groups.data,
        .email_verified = newcomer->email_verified,
        .is_disabled = newcomer->is_disabled,
    };
    const struct audit_entry audit = {
        .event = AUDIT_REGISTERED,
        .detail = "import",
    };
    struct account account = { 0 };
    enum store_conflict conflict;
    enum igw_result rc = store_register(pg, &new, &audit, &account, &conflict);

    account_clear(&account);
    if (rc == IGW_CONFLICT) {
        return refuse(newcomer,
                      conflict == STORE_EMAIL_TAKEN ? "email" : "username",
                      "is taken");
    }
    if (rc == IGW_INVALID) {
        return refuse(newcomer, igw_pg_constraint(pg), "forbids it");
    }
    return rc;
}

/* IGW_INVALID: this line is refused, the next may be good. */
static enum igw_result
import_line(struct igw_pg *pg, struct igw_slice line, size_t number)
{
    struct newcomer newcomer = { 0 };
    enum igw_result rc = read_newcomer(line, &newcomer);

    if (rc == IGW_OK) {
        rc = store(pg, &newcomer);
    }
    if (rc == IGW_INVALID) {
        (void)fprintf(stderr, "identprov: line %zu: %s\n", number,
                      newcomer.why);
    } else if (rc != IGW_OK) {
        (void)fprintf(stderr, "identprov: line %zu: %s\n", number,
                      igw_pg_message(pg)[0] != '\0' ? igw_pg_message(pg)
                                                    : "out of memory");
    }
    clear(&newcomer);
    return rc;
}

/* Until the end, or until the database cannot be asked. */
static enum igw_result
import(struct igw_pg *pg)
{
    char *text = NULL;
    size_t size = 0;
    ssize_t len;
    size_t number = 0;
    size_t added = 0;
    size_t refused = 0;
    enum igw_result rc = IGW_OK;

    while ((rc == IGW_OK || rc == IGW_INVALID)
           && (len = getline(&text, &size, stdin)) >= 0) {
        number++;
        if (text[strspn(text, " \t\r\n")] == '\0') {
            continue;
        }
        rc = import_line(pg, (struct igw_slice){ text, (size_t)len }, number);
        added += rc == IGW_OK;
        refused += rc != IGW_OK;
    }
    free(text);
    (void)printf("%zu accounts added, %zu refused\n", added, refused);
    return refused > 0 || fflush(stdout) != 0 ? IGW_ERROR : IGW_OK;
}

int
user_import_command(void *target, int argc, char **argv)
{
    const struct igw_pg_config config = app_pg_config(target);
    struct igw_pg *pg;
    enum igw_result rc;

    if (!igw_cli_end(argc, argv)) {
        return COMMAND_WRONG_USAGE;
    }
    pg = commands_open(&config);
    if (pg == NULL) {
        return COMMAND_FAILED;
    }
    rc = password_init();
    if (rc == IGW_OK) {
        rc = import(pg);
    }
    igw_pg_free(&pg);
    return rc == IGW_OK ? COMMAND_DONE : COMMAND_FAILED;
}
