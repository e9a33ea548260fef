/*
 * store_audit.h: the audit log. The role that serves may add to it only.
 */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "audit.h"
#include "pg.h"

/* Within the transaction of what has happened, if there is one. */
enum igw_result store_audit(struct igw_pg *pg,
                            const struct audit_entry *entry) IGW_MUST_CHECK;

/* What is asked for; texts that are NULL do not narrow it. */
struct audit_query {
    const char *username_key;
    const char *account_id;
    const char *since; /* what PostgreSQL takes for a time */
    const char *until;
    const char *event;
    int64_t limit; /* the newest so many */
};

/* A row; borrowed from rows. Texts are "" where nothing is known. */
struct audit_row {
    const char *at; /* RFC 3339, UTC */
    const char *event;
    const char *username; /* of an account that is still there */
    const char *account_id;
    const char *sid;
    const char *request_id;
    const char *address;
    const char *detail;
};

/* Oldest first. IGW_INVALID: since, until or account_id is none. */
enum igw_result store_list_audit(struct igw_pg *pg,
                                 const struct audit_query *query,
                                 struct igw_rows **rows) IGW_MUST_CHECK;
struct audit_row store_audit_at(const struct igw_rows *rows, size_t row);

#endif
