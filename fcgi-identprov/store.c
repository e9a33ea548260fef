#include "store.h"

#include <stdio.h>

#include "store_sql.h"

#define ENTRY(number, name, only_reads) \
    [number] = { #name, sql_##name, only_reads },

const struct igw_pg_statement store_statements[] = { STORE_STATEMENTS(ENTRY) };

const size_t store_statement_count =
    sizeof(store_statements) / sizeof(store_statements[0]);

enum igw_result
store_check_schema(struct igw_pg *pg)
{
    return igw_migrate_check(pg, STORE_SCHEMA,
                             (int64_t)identprov_migrations_count);
}

enum igw_result
store_migrate(struct igw_pg *pg)
{
    return igw_migrate(pg, STORE_SCHEMA, identprov_migrations,
                       identprov_migrations_count);
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
