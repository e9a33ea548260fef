/*
 * store.h: profiles in PostgreSQL, keyed by the token's subject. Every SQL
 * text of the program is in store.c and migrations/.
 */
#ifndef USERPROFILE_STORE_H
#define USERPROFILE_STORE_H

#include "migrate.h"
#include "pg.h"
#include "profile.h"

enum { STORE_SUBJECT_MAX = 255 }; /* bytes; OpenID Connect Core 2 */

extern const struct igw_pg_statement store_statements[];
extern const size_t store_statement_count;

/* migrations/, compiled in. */
extern const struct igw_migration userprofile_migrations[];
extern const size_t userprofile_migrations_count;

/* IGW_CONFLICT: the subject has one. Sets the profile's time and version. */
enum igw_result store_insert(struct igw_pg *pg, struct igw_slice subject,
                             struct profile *profile) IGW_MUST_CHECK;
/* IGW_NOT_FOUND: it has none. Whole: what is not there is removed. */
enum igw_result store_replace(struct igw_pg *pg, struct igw_slice subject,
                              struct profile *profile) IGW_MUST_CHECK;
/* IGW_NOT_FOUND; else fills `profile`, which the caller has initialized. */
enum igw_result store_find(struct igw_pg *pg, struct igw_slice subject,
                           struct profile *profile) IGW_MUST_CHECK;
/* IGW_NOT_FOUND: it has none. `profile` stays as it is. */
enum igw_result store_delete(struct igw_pg *pg, struct igw_slice subject,
                             struct profile *profile) IGW_MUST_CHECK;

/*
 * The same as store_find, in a transaction of its own that keeps others from
 * writing the row. It ends with store_unlock, in every case: IGW_OK commits
 * what was written since, and says whether that worked; anything else takes it
 * back and is returned.
 */
enum igw_result store_lock(struct igw_pg *pg, struct igw_slice subject,
                           struct profile *profile) IGW_MUST_CHECK;
enum igw_result store_unlock(struct igw_pg *pg,
                             enum igw_result rc) IGW_MUST_CHECK;

/* IGW_OK: the schema is one that this program runs on. */
enum igw_result store_check(struct igw_pg *pg) IGW_MUST_CHECK;
/* Grants to the role that serves, unless "", what serving needs. */
enum igw_result store_migrate(struct igw_pg *pg,
                              const char *serve_role) IGW_MUST_CHECK;

#endif
