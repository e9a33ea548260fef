/*
 * store.h: accounts, sessions and signing keys in PostgreSQL. All SQL text of
 * identprov is in store.c. It knows nothing of rules; names and keys for
 * comparing come in as they shall be stored. Times are the database's own, so
 * that all identprov processes share one clock.
 */
#ifndef STORE_H
#define STORE_H

#include "migrate.h"
#include "pg.h"
#include "session.h"

extern const struct igw_migration identprov_migrations[];
extern const size_t identprov_migrations_count;

#define STORE_SCHEMA "identprov"

/* For struct igw_pg_config. */
extern const struct igw_pg_statement store_statements[];
extern const size_t store_statement_count;

/* IGW_INVALID: the schema is not one that this program runs on. */
enum igw_result store_check_schema(struct igw_pg *pg) IGW_MUST_CHECK;
/* Brings the schema to this program's version, printing a line a step. */
enum igw_result store_migrate(struct igw_pg *pg) IGW_MUST_CHECK;

/* An account; the texts live in rows until account_clear. */
struct account {
    const char *id; /* UUID */
    const char *username;
    const char *email;
    const char *first_name;
    const char *last_name;  /* "" when none */
    const char *created_at; /* RFC 3339, UTC */
    bool email_verified;
    struct igw_rows *rows;
};

void account_clear(struct account *account);

struct new_account {
    const char *username;
    const char *username_key;
    const char *email;
    const char *email_key;
    const char *first_name;
    const char *last_name;
    const char *password_hash;
};

enum store_conflict {
    STORE_USERNAME_TAKEN, /* by an account, or by one that was deleted */
    STORE_EMAIL_TAKEN     /* verified by another account */
};

/* One statement. On IGW_CONFLICT *conflict says which. */
enum igw_result store_add_account(struct igw_pg *pg,
                                  const struct new_account *new,
                                  struct account *account,
                                  enum store_conflict *conflict) IGW_MUST_CHECK;

/* What a login decides on. */
struct credential {
    struct account account;
    const char *password_hash;
    const char *version; /* of the credential, for store_open_session */
    bool is_disabled;
};

/* IGW_NOT_FOUND: no such account. Clear credential->account. */
enum igw_result
store_find_credential(struct igw_pg *pg, const char *username_key,
                      struct credential *credential) IGW_MUST_CHECK;

/* Replaces the hash if it is still `old`; the version stays. */
enum igw_result store_update_hash(struct igw_pg *pg, const char *account_id,
                                  const char *old,
                                  const char *new) IGW_MUST_CHECK;

struct session_limits {
    int64_t idle_ms;
    int64_t absolute_ms;
    int64_t max; /* live sessions of an account */
};

struct new_session {
    const char *account_id;
    const char *credential_version;
    struct session_hash hash;
    const struct session_hash *revoked; /* sessions that end with this login */
    size_t revoked_count;
};

enum { STORE_TIME_SIZE = 32 };

/*
 * One transaction. IGW_DENIED: the account has been disabled or its credential
 * changed since it was read. Concurrent logins of one account run one after
 * the other, so that there are never more than max sessions.
 */
enum igw_result
store_open_session(struct igw_pg *pg, const struct new_session *new,
                   const struct session_limits *limits,
                   char expires_at[STORE_TIME_SIZE]) IGW_MUST_CHECK;

/* What an authenticate answer is made of. */
struct live_session {
    struct account account;
    int64_t left_ms;       /* of the absolute limit */
    bool use_is_to_record; /* the last recorded one is older than touch_ms */
};

/* IGW_NOT_FOUND: no live session. Clear session->account. */
enum igw_result store_find_session(struct igw_pg *pg,
                                   const struct session_hash *hash,
                                   int64_t idle_ms, int64_t touch_ms,
                                   struct live_session *session) IGW_MUST_CHECK;

/* Ends sessions; those that are not there are no error. */
enum igw_result store_revoke_sessions(struct igw_pg *pg,
                                      const struct session_hash *hashes,
                                      size_t count) IGW_MUST_CHECK;

/*
 * Records that these sessions were used now, where the last recorded use is
 * older than touch_ms. Not waited for by the disk: a crash may lose it.
 */
enum igw_result store_touch_sessions(struct igw_pg *pg,
                                     const struct session_hash *hashes,
                                     size_t count,
                                     int64_t touch_ms) IGW_MUST_CHECK;

/* A row of signing_key; borrowed from rows. */
struct stored_key {
    const char *kid;
    struct igw_slice public_jwk;
    struct igw_slice private_pem;
};

/* Oldest first; *rows is the caller's. */
enum igw_result store_list_keys(struct igw_pg *pg,
                                struct igw_rows **rows) IGW_MUST_CHECK;
struct stored_key store_key_at(const struct igw_rows *rows, size_t row);

/* Inside a transaction: one process at a time makes the first key. */
enum igw_result store_lock_keys(struct igw_pg *pg) IGW_MUST_CHECK;
enum igw_result store_add_key(struct igw_pg *pg,
                              const struct stored_key *key) IGW_MUST_CHECK;

#endif
