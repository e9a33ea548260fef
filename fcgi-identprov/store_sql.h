/*
 * store_sql.h: what the store's own files share. A statement is one line in
 * its subject's list below and a text in that subject's file.
 */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include "audit.h"
#include "pg.h"
#include "session.h"
#include "store_account.h"

/*
 * X(its number, its name, whether it only reads): the text is the constant
 * sql_<name>.
 */

#define STORE_ACCOUNT_STATEMENTS(X)                 \
    X(ADD_ACCOUNT, add_account, false)              \
    X(FIND_CREDENTIAL, find_credential, true)       \
    X(FIND_CREDENTIAL_OF, find_credential_of, true) \
    X(LIST_ACCOUNTS, list_accounts, true)           \
    X(UPDATE_HASH, update_hash, false)

#define STORE_SESSION_STATEMENTS(X)            \
    X(ADD_SESSION, add_session, false)         \
    X(KEEP_SESSIONS, keep_sessions, false)     \
    X(COUNT_SESSIONS, count_sessions, true)    \
    X(FIND_SESSION, find_session, true)        \
    X(REVOKE_SESSIONS, revoke_sessions, false) \
    X(END_SESSION, end_session, false)         \
    X(LIST_SESSIONS, list_sessions, true)      \
    X(REMOVE_EXPIRED, remove_expired, false)   \
    X(TOUCH_SESSIONS, touch_sessions, false)

#define STORE_KEY_STATEMENTS(X)      \
    X(LIST_KEYS, list_keys, true)    \
    X(LOCK_KEYS, lock_keys, false)   \
    X(ADD_KEY, add_key, false)       \
    X(RAISE_KEYS, raise_keys, false) \
    X(SIGN_NOW, sign_now, false)     \
    X(DELETE_KEY, delete_key, false)

#define STORE_FEED_STATEMENTS(X)     \
    X(POLL, poll, false)             \
    X(BEAT, beat, false)             \
    X(MOVE_FLOOR, move_floor, false) \
    X(PRUNE, prune, false)

#define STORE_THROTTLE_STATEMENTS(X)         \
    X(FIRST_ATTEMPT, first_attempt, false)   \
    X(FIND_THROTTLE, find_throttle, true)    \
    X(LOCK_THROTTLE, lock_throttle, false)   \
    X(SAVE_THROTTLE, save_throttle, false)   \
    X(PRUNE_THROTTLE, prune_throttle, false) \
    X(FORGIVE, forgive, false)               \
    X(TAKE, take, false)

#define STORE_AUDIT_STATEMENTS(X)  \
    X(ADD_AUDIT, add_audit, false) \
    X(LIST_AUDIT, list_audit, true)

#define STORE_CHANGE_STATEMENTS(X)               \
    X(LOCK_ACCOUNT, lock_account, false)         \
    X(CHANGE_PERSON, change_person, false)       \
    X(CHANGE_PASSWORD, change_password, false)   \
    X(SET_DISABLED, set_disabled, false)         \
    X(VERIFY_EMAIL, verify_email, false)         \
    X(ADD_GROUP, add_group, false)               \
    X(REMOVE_GROUP, remove_group, false)         \
    X(DELETE_ACCOUNT, delete_account, false)     \
    X(TELL_SESSIONS, tell_sessions, false)       \
    X(END_SESSIONS, end_sessions, false)         \
    X(END_ALL_SESSIONS, end_all_sessions, false) \
    X(TELL_ALL, tell_all, false)

#define STORE_STATEMENTS(X)      \
    STORE_ACCOUNT_STATEMENTS(X)  \
    STORE_SESSION_STATEMENTS(X)  \
    STORE_KEY_STATEMENTS(X)      \
    STORE_CHANGE_STATEMENTS(X)   \
    STORE_FEED_STATEMENTS(X)     \
    STORE_THROTTLE_STATEMENTS(X) \
    STORE_AUDIT_STATEMENTS(X)

#define STORE_NUMBER(number, name, only_reads) number,
enum statement { STORE_STATEMENTS(STORE_NUMBER) };
#undef STORE_NUMBER

#define STORE_TEXT(number, name, only_reads) extern const char sql_##name[];
STORE_STATEMENTS(STORE_TEXT)
#undef STORE_TEXT

/* Columns of struct account, in store_sql_account's order; a is the account. */
#define ACCOUNT_COLUMNS                              \
    " a.id,"                                         \
    " a.username,"                                   \
    " a.email,"                                      \
    " a.first_name,"                                 \
    " a.last_name,"                                  \
    " to_char(a.created_at AT TIME ZONE 'UTC',"      \
    "         'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')," \
    " a.email_verified,"                             \
    " array_to_string(a.groups, ',')"

enum { ACCOUNT_WIDTH = 8 };

/* RFC 3339, UTC. */
#define TIME_OF(column)                       \
    " to_char(" column " AT TIME ZONE 'UTC'," \
    "         'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

/* Takes over the rows, whose first row begins with ACCOUNT_COLUMNS. */
void store_sql_account(struct account *account, struct igw_rows *rows);

/* Behind "WITH gone AS (... RETURNING hash)": gateways have to forget these. */
#define REVOKE_GONE \
    " INSERT INTO identprov.revocation (hash) SELECT hash FROM gone"

/* A number as a parameter; its text has to outlive the call. */
enum { NUMBER_SIZE = 24 };

struct igw_pg_param store_sql_number(int64_t value, char text[NUMBER_SIZE]);
struct igw_pg_param store_sql_hash(const struct session_hash *hash);

/* One printable word, whatever the web server has said. */
enum { ADDRESS_MAX = 64 };

struct igw_pg_param store_sql_address(const char *address,
                                      char text[ADDRESS_MAX + 1]);

/* An entry's event, request id, address and detail. */
enum { AUDIT_PARAMS = 4 };

void store_sql_audit(const struct audit_entry *entry,
                     char address[ADDRESS_MAX + 1],
                     struct igw_pg_param params[AUDIT_PARAMS]);

#endif
