/*
 * migrate.h: schema versions. Migrations go forward, each in a transaction of
 * its own, under an advisory lock; the files are compiled into the program.
 */
#ifndef IGW_MIGRATE_H
#define IGW_MIGRATE_H

#include "pg.h"

struct igw_migration {
    int64_t version;  /* 1, 2, 3, ... without a gap */
    const char *name; /* the file's */
    const char *sql;
};

/*
 * What a program runs on: its own schema version and the next one; else
 * IGW_INVALID, and the log says which command mends it. `schema` is a plain
 * name of lower-case letters, here and below.
 */
enum igw_result igw_migrate_check(struct igw_pg *pg, const char *schema,
                                  int64_t version) IGW_MUST_CHECK;

/*
 * Creates the schema and its table schema_version where missing and applies
 * what is not there yet. Prints a line per migration on stdout.
 */
enum igw_result igw_migrate(struct igw_pg *pg, const char *schema,
                            const struct igw_migration *list,
                            size_t count) IGW_MUST_CHECK;

/* What a role may do with a table of the schema. */
struct igw_grant {
    const char *table;
    const char *privileges; /* "SELECT, UPDATE (column)" */
};

/*
 * Leaves `role` exactly these privileges in the schema, in one transaction.
 * IGW_INVALID: no name of lower-case letters, digits and _, or no such role.
 */
enum igw_result igw_migrate_grant(struct igw_pg *pg, const char *schema,
                                  const char *role,
                                  const struct igw_grant *grants,
                                  size_t count) IGW_MUST_CHECK;

#endif
