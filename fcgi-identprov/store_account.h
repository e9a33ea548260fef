/*
 * store_account.h: accounts and what proves that somebody owns one. Names and
 * keys for comparing come in as they shall be stored.
 */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include "store_audit.h"

/* An account; the texts live in rows until account_clear. */
struct account {
    const char *id; /* UUID */
    const char *username;
    const char *email;
    const char *first_name;
    const char *last_name;  /* "" when none */
    const char *created_at; /* RFC 3339, UTC */
    bool email_verified;
    const char *groups; /* parted by commas, "" when none */
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
    const char *groups; /* parted by commas; NULL: none */
    bool email_verified;
    bool is_disabled;
};

enum store_conflict {
    STORE_USERNAME_TAKEN, /* by an account, or by one that was deleted */
    STORE_EMAIL_TAKEN     /* verified by another account */
};

/*
 * One transaction, the audit entry's account filled in. On IGW_CONFLICT
 * *conflict says which.
 */
enum igw_result store_register(struct igw_pg *pg, const struct new_account *new,
                               const struct audit_entry *audit,
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

enum igw_result
store_find_credential_of(struct igw_pg *pg, const char *account_id,
                         struct credential *credential) IGW_MUST_CHECK;

/*
 * The accounts behind this username_key ("" for the first), in its order, some
 * at a time; *rows is the caller's.
 */
enum igw_result store_list_accounts(struct igw_pg *pg, const char *after,
                                    struct igw_rows **rows) IGW_MUST_CHECK;
/* Borrowed from rows; not to be cleared. *key is its username_key. */
void store_account_at(struct igw_rows *rows, size_t row,
                      struct credential *credential, const char **key);

/* Replaces the hash if it is still `old`; the version stays. */
enum igw_result store_update_hash(struct igw_pg *pg, const char *account_id,
                                  const char *old,
                                  const char *new) IGW_MUST_CHECK;

#endif
