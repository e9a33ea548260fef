/*
 * store.h: what identprov keeps in PostgreSQL: a header and a file a subject,
 * whose SQL text is in that file. The store knows nothing of rules.
 */
#ifndef STORE_H
#define STORE_H

#include "migrate.h"
#include "pg.h"
#include "store_account.h"
#include "store_audit.h"
#include "store_change.h"
#include "store_feed.h"
#include "store_key.h"
#include "store_session.h"
#include "store_throttle.h"

extern const struct igw_migration identprov_migrations[];
extern const size_t identprov_migrations_count;

#define STORE_SCHEMA "identprov"

/* For struct igw_pg_config. */
extern const struct igw_pg_statement store_statements[];
extern const size_t store_statement_count;

/* IGW_INVALID: the schema is not one that this program runs on. */
enum igw_result store_check_schema(struct igw_pg *pg) IGW_MUST_CHECK;
/*
 * Brings the schema to this program's version, printing a line a step, and
 * grants to the role that serves, unless "", what serving needs.
 */
enum igw_result store_migrate(struct igw_pg *pg,
                              const char *serve_role) IGW_MUST_CHECK;

#endif
