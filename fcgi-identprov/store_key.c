#include "store_key.h"

#include "store_sql.h"

const char sql_list_keys[] =
    "SELECT kid, public_jwk, private_pem FROM identprov.signing_key"
    " ORDER BY created_at, kid";

const char sql_lock_keys[] = "SELECT pg_advisory_xact_lock("
                             "hashtextextended('identprov.signing_key', 0))";

const char sql_add_key[] =
    "INSERT INTO identprov.signing_key (kid, algorithm, public_jwk,"
    "  private_pem)"
    " VALUES ($1, 'ES256', $2::jsonb, $3)";

enum igw_result
store_list_keys(struct igw_pg *pg, struct igw_rows **rows)
{
    return igw_pg_exec(pg, LIST_KEYS, NULL, 0, rows);
}

struct stored_key
store_key_at(const struct igw_rows *rows, size_t row)
{
    return (struct stored_key){
        .kid = igw_rows_string(rows, row, 0),
        .public_jwk = igw_rows_text(rows, row, 1),
        .private_pem = igw_rows_text(rows, row, 2),
    };
}

enum igw_result
store_lock_keys(struct igw_pg *pg)
{
    return igw_pg_exec(pg, LOCK_KEYS, NULL, 0, NULL);
}

enum igw_result
store_add_key(struct igw_pg *pg, const struct stored_key *key)
{
    const struct igw_pg_param params[] = {
        igw_pg_string(key->kid),
        igw_pg_text(key->public_jwk),
        igw_pg_text(key->private_pem),
    };

    return igw_pg_exec(pg, ADD_KEY, params, 3, NULL);
}
