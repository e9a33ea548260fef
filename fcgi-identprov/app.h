/*
 * app.h: what every request of identprov shares. Nothing in it changes after
 * the start but what its own lock guards.
 */
#ifndef APP_H
#define APP_H

#include <stdatomic.h>

#include "chores.h"
#include "hasher.h"
#include "heartbeat.h"
#include "keys.h"
#include "pages.h"
#include "proxy_watch.h"
#include "rules.h"
#include "store.h"
#include "ticker.h"
#include "touch.h"

enum app_registration { APP_REGISTRATION_OPEN, APP_REGISTRATION_CLOSED };
enum app_hash_minimum { APP_HASH_OWASP, APP_HASH_NONE };

enum app_secure { APP_SECURE_AUTO, APP_SECURE_ALWAYS };

enum app_same_site {
    APP_SAME_SITE_LAX,
    APP_SAME_SITE_STRICT,
    APP_SAME_SITE_NONE
};

struct app_settings {
    const char *database;
    const char *database_password_file;
    const char *serve_role;
    const char *listen; /* NULL: a socket that was passed on */
    int64_t threads;
    int64_t log_level;
    const char *key_passphrase_file;
    int64_t registration;
    int64_t registration_rate;
    const char *pages;        /* a directory; "": none */
    const char *profile_path; /* "": none */
    const char *issuer;
    const char *audience;
    int64_t token_ttl_ms;
    int64_t key_algorithm;
    int64_t jwks_max_age_ms;
    const char *session_name;
    const char *cookie_domain;
    int64_t cookie_secure;
    int64_t cookie_same_site;
    int64_t session_idle_ms;
    int64_t session_absolute_ms;
    int64_t session_max;
    int64_t sync_heartbeat_ms; /* 0: none */
    int64_t prune_interval_ms;
    int64_t password_min;
    int64_t hash_memory_bytes;
    int64_t hash_passes;
    int64_t hash_minimum;
    int64_t hash_queue;
    int64_t hash_slots; /* 0: all cores but one */
    int64_t body_max_bytes;
    int64_t request_timeout_ms;
    int64_t statement_timeout_ms;
    int64_t connect_timeout_ms;
};

struct app {
    const struct app_settings *settings;
    struct session_limits limits;
    int64_t touch_after_ms;
    struct key_policy key_policy;
    struct keys *keys;
    struct ticker *keys_ticker;
    struct hasher *hasher;
    struct touch *touch;
    struct chores chores;
    struct ticker *ticker;       /* does the chores */
    struct heartbeat *heartbeat; /* NULL: asks need none */
    atomic_int polls;            /* under way */
    struct proxy_watch proxy_watch;
    struct igw_pages *pages;
};

/* For every connection of the program. */
struct igw_pg_config app_pg_config(const struct app_settings *settings);
struct key_policy app_key_policy(const struct app_settings *settings);
struct password_cost app_password_cost(const struct app_settings *settings);
/* For new passwords, without the words of the account. */
struct rules_password app_password_policy(const struct app_settings *settings);

/* rules_password, with the words of the account. */
enum igw_result app_new_password(const struct app_settings *settings,
                                 const struct account *account,
                                 struct igw_slice given, char **text,
                                 struct rules_fault *fault) IGW_MUST_CHECK;

enum { APP_GROUPS_MAX = 32 };

/* The names in a text that is parted by commas; borrowed. How many. */
size_t app_groups(const char *text, struct igw_slice groups[APP_GROUPS_MAX]);

#endif
