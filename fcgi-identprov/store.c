#include "store.h"

#include <stdio.h>

#include "store_sql.h"

#define ENTRY(number, name, only_reads) \
    [number] = { #name, sql_##name, only_reads },

const struct igw_pg_statement store_statements[] = { STORE_STATEMENTS(ENTRY) };

const size_t store_statement_count =
    sizeof(store_statements) / sizeof(store_statements[0]);

/*
 * What serving needs, and the version before this one needed. Whatever the
 * command line alone does is the owner's.
 */
static const struct igw_grant grants[] = {
    { "account", "SELECT, INSERT, UPDATE, DELETE" },
    { "audit", "INSERT" },
    { "issued_username", "SELECT, INSERT" },
    { "revocation", "SELECT, INSERT, DELETE" },
    { "revocation_floor", "SELECT, UPDATE" },
    { "session", "SELECT, INSERT, UPDATE, DELETE" },
    { "signing_key", "SELECT, INSERT, UPDATE (token_ttl_ms, jwks_max_age_ms)" },
    { "throttle", "SELECT, INSERT, UPDATE, DELETE" },
};

enum igw_result
store_check_schema(struct igw_pg *pg)
{
    return igw_migrate_check(pg, STORE_SCHEMA,
                             (int64_t)identprov_migrations_count);
}

enum igw_result
store_migrate(struct igw_pg *pg, const char *serve_role)
{
    enum igw_result rc = igw_migrate(pg, STORE_SCHEMA, identprov_migrations,
                                     identprov_migrations_count);

    if (rc != IGW_OK || serve_role[0] == '\0') {
        return rc;
    }
    return igw_migrate_grant(pg, STORE_SCHEMA, serve_role, grants,
                             sizeof(grants) / sizeof(grants[0]));
}

struct igw_pg_param
store_sql_number(int64_t value, char text[NUMBER_SIZE])
{
    (void)snprintf(text, NUMBER_SIZE, "%lld", (long long)value);
    return igw_pg_string(text);
}

struct igw_pg_param
store_sql_hash(const struct session_hash *hash)
{
    return igw_pg_bytes(hash->bytes, sizeof(hash->bytes));
}
