/*
 * store_session.h: sessions. Times are the database's own, so that all
 * identprov processes share one clock.
 */
#ifndef STORE_SESSION_H
#define STORE_SESSION_H

#include "session.h"
#include "store_account.h"
#include "store_audit.h"
#include "store_throttle.h"

struct session_limits {
    int64_t idle_ms;
    int64_t absolute_ms;
    int64_t max; /* live sessions of an account */
};

struct new_session {
    const char *account_id;
    const char *credential_version;
    struct session_hash hash;
    const char *address; /* where it was begun from */
    struct igw_slice agent;
    const struct session_hash *revoked; /* sessions that end with this login */
    size_t revoked_count;
    const struct throttle_keys *forgiven; /* the password was right */
    struct audit_entry audit;
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
    const char *epoch;     /* of the database that says so */
};

/* IGW_NOT_FOUND: no live session. Clear session->account. */
enum igw_result store_find_session(struct igw_pg *pg,
                                   const struct session_hash *hash,
                                   int64_t idle_ms, int64_t touch_ms,
                                   struct live_session *session) IGW_MUST_CHECK;

/*
 * Ends sessions; those that are not there are no error. Each is written down,
 * with its own account and sid.
 */
enum igw_result
store_revoke_sessions(struct igw_pg *pg, const struct session_hash *hashes,
                      size_t count,
                      const struct audit_entry *audit) IGW_MUST_CHECK;

/* IGW_NOT_FOUND: the account has no session whose hash begins so. */
enum igw_result
store_end_session(struct igw_pg *pg, const char *account_id, const char *sid,
                  const struct audit_entry *audit) IGW_MUST_CHECK;

/* What its owner is told of a session; borrowed from rows. */
struct listed_session {
    const char *sid; /* the first digits of its hash */
    bool is_current;
    const char *created_at;
    const char *last_used_at; /* as recorded */
    const char *expires_at;
    const char *address;
    const char *agent;
};

/* The account's live sessions, newest first; *rows is the caller's. */
enum igw_result store_list_sessions(struct igw_pg *pg, const char *account_id,
                                    const struct session_hash *current,
                                    int64_t idle_ms,
                                    struct igw_rows **rows) IGW_MUST_CHECK;
struct listed_session store_session_at(const struct igw_rows *rows, size_t row);

/* How far store_remove_expired has come; zero to begin. */
struct session_walk {
    struct session_hash last;
    bool has_ended;
};

/*
 * Looks at some sessions behind walk->last and removes those that are over.
 * Nobody has to be told: an authenticate answer ends with its session.
 */
enum igw_result store_remove_expired(struct igw_pg *pg, int64_t idle_ms,
                                     struct session_walk *walk) IGW_MUST_CHECK;

/*
 * Counts the live ones; where PostgreSQL thinks that there are more than
 * 100,000, that is the answer.
 */
enum igw_result store_count_sessions(struct igw_pg *pg, int64_t idle_ms,
                                     int64_t *count) IGW_MUST_CHECK;

/*
 * Records that these sessions were used now, where the last recorded use is
 * older than touch_ms. Not waited for by the disk: a crash may lose it.
 */
enum igw_result store_touch_sessions(struct igw_pg *pg,
                                     const struct session_hash *hashes,
                                     size_t count,
                                     int64_t touch_ms) IGW_MUST_CHECK;

#endif
