/*
 * store_change.h: what changes an account, and so what is said of its
 * sessions. Each is one transaction that locks the account before it lists the
 * sessions: a login that runs beside it comes either before, and its session is
 * listed, or after, and sees the change. IGW_NOT_FOUND: no such account. What
 * has happened is written down with it; the entry is of that account.
 */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "store_account.h"
#include "store_session.h"

/* NULL stays as it is; email and email_key come together. */
struct new_person {
    const char *email; /* another one is not verified */
    const char *email_key;
    const char *first_name;
    const char *last_name;
};

/*
 * IGW_CONFLICT: the address is another account's, verified. Clear account
 * when IGW_OK.
 */
enum igw_result store_change_person(struct igw_pg *pg, const char *account_id,
                                    const struct new_person *person,
                                    const struct audit_entry *audit,
                                    struct account *account) IGW_MUST_CHECK;

/*
 * Ends all sessions but `kept` (NULL: none is). IGW_DENIED: the credential has
 * changed since it had this version (NULL: any), or the account is disabled.
 */
enum igw_result
store_change_password(struct igw_pg *pg, const char *account_id,
                      const char *version, const char *hash,
                      const struct session_hash *kept,
                      const struct audit_entry *audit) IGW_MUST_CHECK;

/* Disabling ends all sessions. */
enum igw_result
store_set_disabled(struct igw_pg *pg, const char *account_id, bool is_disabled,
                   const struct audit_entry *audit) IGW_MUST_CHECK;

/* IGW_CONFLICT: another account has proved to own it. */
enum igw_result
store_verify_email(struct igw_pg *pg, const char *account_id,
                   const struct audit_entry *audit) IGW_MUST_CHECK;

/* IGW_INVALID: no name of a group, or too many. */
enum igw_result store_set_group(struct igw_pg *pg, const char *account_id,
                                const char *group, bool is_member,
                                const struct audit_entry *audit) IGW_MUST_CHECK;

/* Ends all sessions but `kept` (NULL: none is). */
enum igw_result
store_end_sessions(struct igw_pg *pg, const char *account_id,
                   const struct session_hash *kept,
                   const struct audit_entry *audit) IGW_MUST_CHECK;

/* With its sessions; its username stays issued. Version as above. */
enum igw_result
store_delete_account(struct igw_pg *pg, const char *account_id,
                     const char *version,
                     const struct audit_entry *audit) IGW_MUST_CHECK;

/* Every session of every account. */
enum igw_result store_end_all_sessions(struct igw_pg *pg,
                                       const struct audit_entry *audit,
                                       int64_t *count) IGW_MUST_CHECK;

/* Gateways forget whatever they know, and ask again. */
enum igw_result store_tell_all(struct igw_pg *pg) IGW_MUST_CHECK;

#endif
