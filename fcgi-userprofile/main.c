/*
 * main.c: the program userprofile: its settings and its commands.
 */
#include <stdio.h>

#include "app.h"
#include "cli.h"
#include "fetch.h"
#include "handlers.h"
#include "log.h"
#include "pg_password.h"
#include "server.h"
#include "store.h"
#include "zone.h"

struct settings {
    const char *database;
    const char *database_password_file;
    const char *serve_role;
    const char *pages;
    const char *identprov_path;
    const char *listen;
    int64_t threads;
    int64_t log_level;
    const char *jwks_file;
    const char *jwks_url;
    const char *jwks_ca_file;
    int64_t jwks_refresh_ms;
    int64_t jwks_retry_ms;
    const char *issuer;
    const char *audience;
    int64_t leeway_ms;
    int64_t body_max_bytes;
    int64_t request_timeout_ms;
    int64_t statement_timeout_ms;
    int64_t connect_timeout_ms;
};

#define FIELD(name) offsetof(struct settings, name)

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
    { "THREADS", IGW_SETTING_INTEGER, "4", 1, 256, NULL,
      "Threads, each with a database connection of its own.", FIELD(threads) },
    { "LOG_LEVEL", IGW_SETTING_CHOICE, "info", 0, 0, "debug|info|warn|error",
      "The least level that is logged.", FIELD(log_level) },
    { "JWKS_FILE", IGW_SETTING_TEXT, "", 0, 4096, NULL,
      "JWKS with the keys that sign tokens; read again when it changes. serve "
      "needs it or JWKS_URL.",
      FIELD(jwks_file) },
    { "JWKS_URL", IGW_SETTING_TEXT, "", 0, 2048, NULL,
      "Where to fetch these keys instead: https, or http on this machine.",
      FIELD(jwks_url) },
    { "JWKS_CA_FILE", IGW_SETTING_TEXT, "", 0, 4096, NULL,
      "PEM file with who may have signed the certificate of JWKS_URL; empty: "
      "whom the system trusts.",
      FIELD(jwks_ca_file) },
    { "JWKS_REFRESH", IGW_SETTING_DURATION, "1m", 1000, 86400000, NULL,
      "How often JWKS_URL is fetched, or more often if its Cache-Control says "
      "so: a key that was withdrawn is good for so long.",
      FIELD(jwks_refresh_ms) },
    { "JWKS_RETRY", IGW_SETTING_DURATION, "5s", 1000, 3600000, NULL,
      "The least time between two fetches: after a failure, or when a token "
      "comes with an unknown key.",
      FIELD(jwks_retry_ms) },
    { "ISSUER", IGW_SETTING_TEXT, "identprov", 1, 1024, NULL,
      "The claim iss that tokens must have.", FIELD(issuer) },
    { "AUDIENCE", IGW_SETTING_TEXT, "identgw", 1, 1024, NULL,
      "The audience that tokens must be for.", FIELD(audience) },
    { "LEEWAY", IGW_SETTING_DURATION, "30s", 0, 60000, NULL,
      "How far the clocks of signer and verifier may be apart.",
      FIELD(leeway_ms) },
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
    { "PAGES", IGW_SETTING_TEXT, "", 0, 4000, NULL,
      "A directory of files in the place of built-in templates, styles and "
      "tables of texts; empty: none.",
      FIELD(pages) },
    { "IDENTPROV_PATH", IGW_SETTING_TEXT, "", 0, 1024, NULL,
      "The path in front of identprov's, such as /auth, for the page's links "
      "and its button to sign out.",
      FIELD(identprov_path) },
};

extern const struct igw_page_file userprofile_pages[];
extern const size_t userprofile_pages_count;

static int serve(void *target, int argc, char **argv);
static int migrate(void *target, int argc, char **argv);
static bool load_pages(const struct settings *settings, struct app *app);
static bool open_auth(const struct settings *settings, struct auth *auth);
static bool has_good_source(const struct settings *settings);
static struct igw_pg_config pg_config(const struct settings *settings);
static struct igw_server server_of(const struct settings *settings,
                                   struct app *app);

/* What the settings must be together. */
static bool
check(const void *target, FILE *errors)
{
    const struct settings *settings = target;
    const char *fault = igw_pg_conninfo_fault(settings->database);

    if (fault != NULL) {
        (void)fprintf(errors, "USERPROFILE_DATABASE is wrong: %s\n", fault);
    }
    return fault == NULL
           && igw_pg_password(settings->database_password_file, errors);
}

static const struct igw_command commands[] = {
    { "serve", "[--listen unix:PATH|HOST:PORT]",
      "Answer FastCGI requests until SIGTERM.", serve },
    { "migrate", "", "Bring the database's schema up to date.", migrate },
};

static const struct igw_cli cli = {
    .program = "userprofile",
    .version = IGW_VERSION,
    .summary = "The profile store of identgw, a FastCGI responder.",
    .prefix = "USERPROFILE_",
    .settings = settings_table,
    .setting_count = sizeof(settings_table) / sizeof(settings_table[0]),
    .check = check,
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
};

int
main(int argc, char **argv)
{
    struct settings settings = { 0 };

    return igw_cli_main(&cli, &settings, argc, argv);
}

static int
serve(void *target, int argc, char **argv)
{
    struct settings *settings = target;
    struct app app = { 0 };
    struct igw_server server;
    const char *listen = NULL;
    enum igw_result rc = IGW_ERROR;

    if (!igw_cli_option(&argc, argv, "--listen", &listen)
        || !igw_cli_end(argc, argv)) {
        return 2;
    }
    if (listen != NULL) {
        settings->listen = listen;
    }
    if (!has_good_source(settings)) {
        return 2;
    }

    igw_server_block_signals();
    igw_log_init("userprofile", (enum igw_log_level)settings->log_level);
    if (!zone_is_installed()) {
        igw_logf(IGW_LOG_WARN, "no_time_zones",
                 "neither TZDIR nor /usr/share/zoneinfo has a time zone "
                 "database: install tzdata; until then no zoneinfo is "
                 "accepted");
    }
    app.identprov_path = settings->identprov_path;
    if (load_pages(settings, &app) && open_auth(settings, &app.auth)) {
        server = server_of(settings, &app);
        rc = igw_server_run(&server);
    }

    jwks_free(&app.auth.jwks);
    tokens_free(&app.auth.tokens);
    igw_pages_free(&app.pages);
    return rc == IGW_OK ? 0 : 1;
}

/* One of file and URL, the latter one that may be fetched; else said so. */
static bool
has_good_source(const struct settings *settings)
{
    bool has_file = settings->jwks_file[0] != '\0';
    bool has_url = settings->jwks_url[0] != '\0';
    char why[FETCH_WHY_SIZE] = "";

    if (has_file == has_url) {
        (void)fprintf(stderr, "userprofile: one of USERPROFILE_JWKS_FILE (what "
                              "`identprov key export` prints) and "
                              "USERPROFILE_JWKS_URL is required\n");
        return false;
    }
    if (has_url && fetch_check_url(settings->jwks_url, why) != IGW_OK) {
        (void)fprintf(stderr, "userprofile: USERPROFILE_JWKS_URL: %s\n", why);
        return false;
    }
    return true;
}

static bool
load_pages(const struct settings *settings, struct app *app)
{
    char why[IGW_PAGES_WHY_SIZE];

    app->pages = igw_pages_new(userprofile_pages, userprofile_pages_count,
                               settings->pages, why);
    if (app->pages == NULL) {
        igw_logf(IGW_LOG_ERROR, "bad_pages", "%s", why);
    }
    return app->pages != NULL;
}

static bool
open_auth(const struct settings *settings, struct auth *auth)
{
    bool has_file = settings->jwks_file[0] != '\0';
    const struct jwks_source source = { .file = has_file ? settings->jwks_file
                                                         : NULL,
                                        .url = settings->jwks_url,
                                        .ca_file = settings->jwks_ca_file,
                                        .refresh_ms = settings->jwks_refresh_ms,
                                        .retry_ms = settings->jwks_retry_ms };

    if (!has_file && fetch_init() != IGW_OK) {
        return false;
    }
    auth->issuer = igw_slice_of(settings->issuer);
    auth->audience = igw_slice_of(settings->audience);
    auth->leeway_sec = settings->leeway_ms / 1000;
    auth->tokens = tokens_new();
    auth->jwks = jwks_new(&source);
    if (auth->tokens == NULL || auth->jwks == NULL) {
        igw_logf(IGW_LOG_ERROR, "cannot_start", "no memory");
        return false;
    }
    return jwks_start(auth->jwks) == IGW_OK;
}

static int
migrate(void *target, int argc, char **argv)
{
    const struct settings *settings = target;
    struct igw_pg_config config = pg_config(settings);
    struct igw_pg *pg;
    enum igw_result rc;

    if (!igw_cli_end(argc, argv)) {
        return 2;
    }

    config.statement_timeout_ms = 0; /* a migration takes its time */
    pg = igw_pg_new(&config);
    rc = pg != NULL ? store_migrate(pg, settings->serve_role) : IGW_ERROR;
    if (rc != IGW_OK) {
        (void)fprintf(stderr, "userprofile: migrate: %s\n",
                      pg != NULL ? igw_pg_message(pg) : "out of memory");
    }

    igw_pg_free(&pg);
    return rc == IGW_OK ? 0 : 1;
}

static struct igw_pg_config
pg_config(const struct settings *settings)
{
    return (struct igw_pg_config){
        .conninfo = settings->database,
        .application_name = "userprofile",
        .statements = store_statements,
        .statement_count = store_statement_count,
        .connect_timeout_ms = settings->connect_timeout_ms,
        .statement_timeout_ms = settings->statement_timeout_ms,
    };
}

static struct igw_server
server_of(const struct settings *settings, struct app *app)
{
    return (struct igw_server){
        .listen = settings->listen[0] != '\0' ? settings->listen : NULL,
        .threads = settings->threads,
        .body_max_bytes = settings->body_max_bytes,
        .request_timeout_ms = settings->request_timeout_ms,
        .pg = pg_config(settings),
        .app = app,
        .handle = handlers_serve,
    };
}
