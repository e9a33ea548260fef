#include <unistd.h>

#include "app.h"
#include "cli.h"
#include "commands.h"
#include "handlers.h"
#include "log.h"
#include "rules.h"
#include "server.h"

static enum igw_result
fail(const char *event, const char *why)
{
    igw_logf(IGW_LOG_ERROR, event, "%s", why);
    return IGW_ERROR;
}

/* A schema that is not this program's is said by igw_migrate_check. */
static enum igw_result
check_schema(struct igw_pg *pg)
{
    enum igw_result rc = store_check_schema(pg);

    if (rc == IGW_OK || rc == IGW_INVALID) {
        return rc;
    }
    return fail("database_unavailable", igw_pg_message(pg));
}

/* What needs the database at the start, over a connection of its own. */
static enum igw_result
load(struct app *app)
{
    const struct igw_pg_config config = app_pg_config(app->settings);
    struct igw_pg *pg = igw_pg_new(&config);
    char why[KEYS_WHY_SIZE];
    enum igw_result rc;

    if (pg == NULL) {
        return fail("start_failed", "out of memory");
    }
    rc = check_schema(pg);
    if (rc != IGW_OK) {
        goto done;
    }
    rc = keys_new(pg, &app->key_policy, &app->keys, why);
    if (rc != IGW_OK) {
        rc = fail("no_signing_key", why);
    }

done:
    igw_pg_free(&pg);
    return rc;
}

/*
 * A low priority holds within a control group or a session only, and PostgreSQL
 * and nginx are in others: what keeps them quick is a core without hashes.
 */
static int64_t
hash_slots(const struct app_settings *settings)
{
    int64_t slots = settings->hash_slots;

    if (slots == 0) {
        slots = sysconf(_SC_NPROCESSORS_ONLN) - 1;
    }
    if (slots < 1) {
        slots = 1;
    }
    if (slots > settings->threads / 2) {
        slots = settings->threads / 2;
    }
    return slots;
}

static void
warn_of_cheap_hashes(const struct app_settings *settings)
{
    const struct password_cost cost = app_password_cost(settings);

    if (!password_cost_is_safe(&cost)) {
        igw_logf(IGW_LOG_WARN, "cheap_hashes",
                 "IDENTPROV_HASH_MINIMUM=none: passwords are hashed at less"
                 " than OWASP's least cost");
    }
}

static enum igw_result
start_helpers(struct app *app)
{
    const struct igw_pg_config pg = app_pg_config(app->settings);
    const struct hasher_config hashing = {
        .slots = hash_slots(app->settings),
        .cost = app_password_cost(app->settings),
    };
    const struct ticker_config ticking = {
        .pg = pg,
        .interval_ms = app->settings->prune_interval_ms,
        .tick = chores_do,
        .arg = &app->chores,
    };
    const struct ticker_config key_reading = {
        .pg = pg,
        .interval_ms = KEYS_RELOAD_MS,
        .tick = keys_reload,
        .arg = app->keys,
    };

    app->hasher = hasher_new(&hashing);
    app->touch = touch_new(&pg, app->touch_after_ms);
    app->ticker = ticker_new(&ticking);
    app->keys_ticker = ticker_new(&key_reading);
    if (app->settings->sync_heartbeat_ms > 0) {
        app->heartbeat = heartbeat_new(&pg, app->settings->sync_heartbeat_ms);
    }
    if (app->hasher == NULL || app->touch == NULL || app->ticker == NULL
        || app->keys_ticker == NULL
        || (app->heartbeat == NULL && app->settings->sync_heartbeat_ms > 0)) {
        return fail("start_failed", "no memory or no threads");
    }
    return IGW_OK;
}

extern const struct igw_page_file identprov_pages[];
extern const size_t identprov_pages_count;

static enum igw_result
load_pages(struct app *app)
{
    char why[IGW_PAGES_WHY_SIZE];

    app->pages = igw_pages_new(identprov_pages, identprov_pages_count,
                               app->settings->pages, why);
    return app->pages != NULL ? IGW_OK : fail("bad_pages", why);
}

static enum igw_result
run(struct app *app, const char *listen)
{
    const struct app_settings *settings = app->settings;
    const struct igw_server server = {
        .listen = listen[0] != '\0' ? listen : NULL,
        .threads = settings->threads,
        .body_max_bytes = settings->body_max_bytes,
        .request_timeout_ms = settings->request_timeout_ms,
        .pg = app_pg_config(settings),
        .app = app,
        .is_slow = handlers_is_slow,
        .slow_max = hash_slots(settings) * settings->hash_queue,
        .handle = handlers_handle,
    };
    enum igw_result rc;

    rc = load_pages(app);
    if (rc == IGW_OK) {
        rc = load(app);
    }
    if (rc != IGW_OK) {
        return rc;
    }
    warn_of_cheap_hashes(settings);
    rc = start_helpers(app);
    if (rc != IGW_OK) {
        return rc;
    }
    return igw_server_run(&server);
}

static void
init(struct app *app, const struct app_settings *settings)
{
    app->settings = settings;
    app->limits = (struct session_limits){
        .idle_ms = settings->session_idle_ms,
        .absolute_ms = settings->session_absolute_ms,
        .max = settings->session_max,
    };
    proxy_watch_init(&app->proxy_watch);
    app->chores = (struct chores){
        .interval_ms = settings->prune_interval_ms,
        .session_idle_ms = settings->session_idle_ms,
    };
    app->touch_after_ms = rules_touch_after_ms(settings->session_idle_ms);
    app->key_policy = app_key_policy(settings);
    app->key_policy.who = "serve";
}

int
serve_command(void *target, int argc, char **argv)
{
    const struct app_settings *settings = target;
    const char *listen;
    struct app app = { 0 };
    enum igw_result rc;

    if (!igw_cli_option(&argc, argv, "--listen", &listen)
        || !igw_cli_end(argc, argv)) {
        return COMMAND_WRONG_USAGE;
    }

    igw_server_block_signals();
    igw_log_init("identprov", (enum igw_log_level)settings->log_level);
    init(&app, settings);
    rc = run(&app, listen != NULL ? listen : settings->listen);

    heartbeat_free(&app.heartbeat);
    ticker_free(&app.ticker);
    touch_free(&app.touch);
    hasher_free(&app.hasher);
    ticker_free(&app.keys_ticker);
    keys_free(&app.keys);
    igw_pages_free(&app.pages);
    return rc == IGW_OK ? COMMAND_DONE : COMMAND_FAILED;
}
