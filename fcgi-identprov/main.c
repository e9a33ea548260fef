/*
 * main.c: the program identprov: its settings and its commands.
 */
#include <string.h>

#include "app.h"
#include "cli.h"
#include "commands.h"
#include "pg_password.h"

#define FIELD(name) offsetof(struct app_settings, name)

static const struct igw_setting settings_table[] = {
    { "DATABASE", IGW_SETTING_TEXT, NULL, 1, 4096, NULL,
      "PostgreSQL connection string.", FIELD(database) },
    { "DATABASE_PASSWORD_FILE", IGW_SETTING_TEXT, "", 0, 4096, NULL,
      "The file with the password for it, one line; needless with peer or a "
      "certificate.",
      FIELD(database_password_file) },
    { "SERVE_ROLE", IGW_SETTING_TEXT, "", 0, 63, NULL,
      "The database role that serve connects as, when it is not migrate's: "
      "migrate grants to it what it needs.",
      FIELD(serve_role) },
    { "LISTEN", IGW_SETTING_TEXT, "", 0, 1024, NULL,
      "unix:PATH or HOST:PORT; empty: systemd's socket or descriptor 0.",
      FIELD(listen) },
    { "THREADS", IGW_SETTING_INTEGER, "8", 2, 256, NULL,
      "Threads, each with a database connection of its own. At most "
      "half of them are in requests that may write.",
      FIELD(threads) },
    { "LOG_LEVEL", IGW_SETTING_CHOICE, "info", 0, 0, "debug|info|warn|error",
      "The least level that is logged.", FIELD(log_level) },
    { "KEY_PASSPHRASE_FILE", IGW_SETTING_TEXT, "", 0, 4096, NULL,
      "The file with the passphrase of the signing keys; required by serve "
      "and the key commands.",
      FIELD(key_passphrase_file) },
    { "KEY_ALGORITHM", IGW_SETTING_CHOICE, "ES256", 0, 0, "ES256|RS256",
      "Of new signing keys (RS256: 3072 bits); those that are there go on.",
      FIELD(key_algorithm) },
    { "JWKS_MAX_AGE", IGW_SETTING_DURATION, "5m", 5000, 86400000, NULL,
      "How long the key set may be kept; a new key signs 1.2 times as long "
      "after it was published, and at least 5 s longer.",
      FIELD(jwks_max_age_ms) },
    { "REGISTRATION", IGW_SETTING_CHOICE, "closed", 0, 0, "open|closed",
      "Whether anybody may register.", FIELD(registration) },
    { "REGISTRATION_RATE", IGW_SETTING_INTEGER, "60", 1, 60000, NULL,
      "Registrations a minute from one network (/24, /64), as many at once.",
      FIELD(registration_rate) },
    { "PAGES", IGW_SETTING_TEXT, "", 0, 4000, NULL,
      "A directory of files in the place of built-in templates, styles and "
      "tables of texts; empty: none.",
      FIELD(pages) },
    { "PROFILE_PATH", IGW_SETTING_TEXT, "/userprofile", 0, 1024, NULL,
      "Where the pages' link to the profile leads; empty: there is none.",
      FIELD(profile_path) },
    { "ISSUER", IGW_SETTING_TEXT, "identprov", 1, 1024, NULL,
      "The claim iss of the tokens.", FIELD(issuer) },
    { "AUDIENCE", IGW_SETTING_TEXT, "identgw", 1, 1024, NULL,
      "The claim aud of the tokens.", FIELD(audience) },
    { "TOKEN_TTL", IGW_SETTING_DURATION, "5m", 10000, 3600000, NULL,
      "How long a token lives.", FIELD(token_ttl_ms) },
    { "SESSION_NAME", IGW_SETTING_TEXT, "JSESSIONID", 1, SESSION_NAME_MAX, NULL,
      "Header and cookie of the session id, unless the gateway names others: "
      "letters, digits, - and _.",
      FIELD(session_name) },
    { "COOKIE_DOMAIN", IGW_SETTING_TEXT, "", 0, 253, NULL,
      "Domain of the cookie: its subdomains get the session, too; empty: this "
      "host only.",
      FIELD(cookie_domain) },
    { "COOKIE_SECURE", IGW_SETTING_CHOICE, "auto", 0, 0, "auto|always",
      "Whether the cookie is for TLS only; auto: where it is set over TLS.",
      FIELD(cookie_secure) },
    { "COOKIE_SAMESITE", IGW_SETTING_CHOICE, "lax", 0, 0, "lax|strict|none",
      "SameSite of the cookie; none makes it Secure.",
      FIELD(cookie_same_site) },
    { "SESSION_IDLE", IGW_SETTING_DURATION, "30m", 1000, 2592000000, NULL,
      "How long a session lives without use; one that is used at least once in "
      "half of this lives on.",
      FIELD(session_idle_ms) },
    { "SESSION_ABSOLUTE", IGW_SETTING_DURATION, "12h", 1000, 2592000000, NULL,
      "How long a session lives at most.", FIELD(session_absolute_ms) },
    { "SESSION_MAX", IGW_SETTING_INTEGER, "64", 1, 10000, NULL,
      "Live sessions of an account; the oldest gives way.",
      FIELD(session_max) },
    { "SYNC_HEARTBEAT", IGW_SETTING_DURATION, "0s", 0, 3600000, NULL,
      "For synchronous standbys: sessions are vouched for only while a "
      "commit that began less than this ago has succeeded; 0s: always.",
      FIELD(sync_heartbeat_ms) },
    { "PRUNE_INTERVAL", IGW_SETTING_DURATION, "10m", 100, 86400000, NULL,
      "How often old revocations and expired sessions are removed: a gateway "
      "that has not polled for as long may have to forget its whole cache.",
      FIELD(prune_interval_ms) },
    { "PASSWORD_MIN", IGW_SETTING_INTEGER, "8", 8, 64, NULL,
      "Characters that a new password has at least.", FIELD(password_min) },
    { "HASH_MEMORY", IGW_SETTING_SIZE, "19m", 8192, 1073741824, NULL,
      "Memory of one Argon2id hash.", FIELD(hash_memory_bytes) },
    { "HASH_PASSES", IGW_SETTING_INTEGER, "2", 1, 100, NULL,
      "Passes of one Argon2id hash.", FIELD(hash_passes) },
    { "HASH_MINIMUM", IGW_SETTING_CHOICE, "owasp", 0, 0, "owasp|none",
      "What memory and passes must be at least: with owasp one of 46m and 1, "
      "19m and 2, 12m and 3, 9m and 4, 7m and 5; none is for tests.",
      FIELD(hash_minimum) },
    { "HASH_SLOTS", IGW_SETTING_INTEGER, "0", 0, 255, NULL,
      "Hashes at once; 0: one less than there are cores, but at least 1; never "
      "more than half of the threads.",
      FIELD(hash_slots) },
    { "HASH_QUEUE", IGW_SETTING_INTEGER, "32", 1, 1000, NULL,
      "Logins, registrations and the like that wait for a slot, for each slot; "
      "more are answered 503.",
      FIELD(hash_queue) },
    { "BODY_MAX", IGW_SETTING_SIZE, "64k", 1024, 1048576, NULL,
      "The longest request body.", FIELD(body_max_bytes) },
    { "REQUEST_TIMEOUT", IGW_SETTING_DURATION, "10s", 100, 600000, NULL,
      "The longest time in which a request must have arrived.",
      FIELD(request_timeout_ms) },
    { "STATEMENT_TIMEOUT", IGW_SETTING_DURATION, "3s", 100, 600000, NULL,
      "The longest time of a database statement.",
      FIELD(statement_timeout_ms) },
    { "CONNECT_TIMEOUT", IGW_SETTING_DURATION, "2s", 100, 600000, NULL,
      "The longest time to connect to the database.",
      FIELD(connect_timeout_ms) },
};

static bool
is_domain(const char *text)
{
    return text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-")] == '\0';
}

static bool
check_cookie(const struct app_settings *settings, FILE *errors)
{
    if (!is_domain(settings->cookie_domain)) {
        (void)fprintf(errors,
                      "IDENTPROV_COOKIE_DOMAIN=%s is wrong; it must be of small"
                      " letters, digits, . and -\n",
                      settings->cookie_domain);
        return false;
    }
    if (settings->cookie_domain[0] != '\0'
        && session_name_is_of_host(settings->session_name)) {
        (void)fprintf(errors,
                      "IDENTPROV_COOKIE_DOMAIN=%s is wrong; browsers take no"
                      " cookie %s with a domain\n",
                      settings->cookie_domain, settings->session_name);
        return false;
    }
    return true;
}

/* What no row of the table can say. */
static bool
check(const void *target, FILE *errors)
{
    const struct app_settings *settings = target;
    const struct password_cost cost = app_password_cost(settings);
    const char *fault = igw_pg_conninfo_fault(settings->database);
    bool is_valid = check_cookie(settings, errors);

    if (fault != NULL) {
        (void)fprintf(errors, "IDENTPROV_DATABASE is wrong: %s\n", fault);
        is_valid = false;
    } else if (!igw_pg_password(settings->database_password_file, errors)) {
        is_valid = false;
    }
    if (!session_name_is_valid(settings->session_name)) {
        (void)fprintf(errors,
                      "IDENTPROV_SESSION_NAME=%s is wrong; it must be of"
                      " letters, digits, - and _\n",
                      settings->session_name);
        is_valid = false;
    }
    if (settings->hash_minimum == APP_HASH_OWASP
        && !password_cost_is_safe(&cost)) {
        (void)fprintf(errors,
                      "IDENTPROV_HASH_MEMORY and IDENTPROV_HASH_PASSES are too"
                      " little together; they must be one of 46m and 1, 19m"
                      " and 2, 12m and 3, 9m and 4, 7m and 5, or more\n");
        is_valid = false;
    }
    return is_valid;
}

static const struct igw_command commands[] = {
    { "serve", "[--listen unix:PATH|HOST:PORT]",
      "Answer FastCGI requests until SIGTERM.", serve_command },
    { "migrate", "", "Bring the database's schema up to date.",
      migrate_command },
    { "key rotate", "",
      "Publish a new signing key, which signs once every verifier can have "
      "it; delete the private halves of those that have retired.",
      key_rotate_command },
    { "key withdraw", "KID",
      "Delete a key that has leaked; if it signs, another one does at once. "
      "Gateways ask anew for tokens.",
      key_withdraw_command },
    { "key list", "", "Print the signing keys and when they sign.",
      key_list_command },
    { "key export", "",
      "Print the public keys as a JWKS; make the first key if there is none.",
      key_export_command },
    { "audit",
      "[--user NAME] [--account ID] [--since TIME] [--until TIME] "
      "[--event NAME] [--limit N]",
      "Print what has happened, the newest 1,000 entries or N, oldest first: "
      "time, event, user, account, session, request, address, detail.",
      audit_command },
    { "user add",
      "--username NAME --email ADDRESS --first-name NAME [--last-name NAME]",
      "Add an account; the password is read from the terminal or, one line, "
      "from standard input.",
      user_add_command },
    { "user import", "",
      "Add the accounts on standard input, one JSON object a line, with "
      "password hashes of other programs.",
      user_import_command },
    { "user list", "", "Print the accounts, one JSON object a line.",
      user_list_command },
    { "user show", "NAME", "Print an account and its live sessions as JSON.",
      user_show_command },
    { "user disable", "NAME", "Let nobody sign in; end the sessions.",
      user_disable_command },
    { "user enable", "NAME", "Undo that.", user_enable_command },
    { "user logout", "NAME", "End the account's sessions.",
      user_logout_command },
    { "user set-password", "NAME",
      "Set the password, which is read as by user add; end the sessions.",
      user_set_password_command },
    { "user verify-email", "NAME", "Mark the e-mail address as the user's own.",
      user_verify_email_command },
    { "user group", "NAME [--add GROUP] [--remove GROUP]",
      "Add to a group, remove from one; print the groups.",
      user_group_command },
    { "user delete", "NAME",
      "Delete the account and its sessions; the name is not issued again.",
      user_delete_command },
    { "session revoke", "--all", "End every session of every account.",
      session_revoke_command },
    { "check", "", "Try the settings, the database and the signing keys.",
      check_command },
};

static const struct igw_cli cli = {
    .program = "identprov",
    .version = IGW_VERSION,
    .summary = "The identity provider of identgw, a FastCGI responder.",
    .prefix = "IDENTPROV_",
    .settings = settings_table,
    .setting_count = sizeof(settings_table) / sizeof(settings_table[0]),
    .check = check,
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
};

int
main(int argc, char **argv)
{
    struct app_settings settings = { 0 };

    return igw_cli_main(&cli, &settings, argc, argv);
}
