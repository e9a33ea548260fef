#include "store_key.h"

#include "store_sql.h"

/* retires_at: the migration says why; the wait is keychain_wait_ms()'s. */
const char sql_list_keys[] =
    "SELECT kid, algorithm, public_jwk, private_pem,"
    " floor(1000 * extract(epoch FROM sign_from - now))::bigint,"
    " floor(1000 * extract(epoch FROM retires_at - now))::bigint,"
    " token_ttl_ms, jwks_max_age_ms,"
    " to_char(created_at AT TIME ZONE 'UTC', rfc_3339),"
    " to_char(sign_from AT TIME ZONE 'UTC', rfc_3339),"
    " to_char(retires_at AT TIME ZONE 'UTC', rfc_3339)"
    " FROM (SELECT *, clock_timestamp() AS now,"
    "  lead(sign_from) OVER (ORDER BY sign_from, kid)"
    "   + (token_ttl_ms + jwks_max_age_ms"
    "   + greatest(jwks_max_age_ms / 5, 5000)) * interval '1 millisecond'"
    "  AS retires_at"
    "  FROM identprov.signing_key) AS k,"
    " (VALUES ('YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')) AS f (rfc_3339)"
    " ORDER BY sign_from, kid";

const char sql_lock_keys[] = "SELECT pg_advisory_xact_lock("
                             "hashtextextended('identprov.signing_key', 0))";

const char sql_add_key[] =
    "INSERT INTO identprov.signing_key (kid, algorithm, public_jwk,"
    "  private_pem, sign_from, token_ttl_ms, jwks_max_age_ms)"
    " VALUES ($1, $2, $3::jsonb, $4,"
    "  clock_timestamp() + $5::bigint * interval '1 millisecond', $6, $7)";

const char sql_raise_keys[] =
    "UPDATE identprov.signing_key"
    " SET token_ttl_ms = greatest(token_ttl_ms, $1::bigint),"
    "  jwks_max_age_ms = greatest(jwks_max_age_ms, $2::bigint)";

const char sql_sign_now[] = "UPDATE identprov.signing_key"
                            " SET sign_from = clock_timestamp()"
                            " WHERE kid = $1";

const char sql_delete_key[] = "DELETE FROM identprov.signing_key"
                              " WHERE kid = $1";

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
        .algorithm = igw_rows_string(rows, row, 1),
        .public_jwk = igw_rows_text(rows, row, 2),
        .private_pem = igw_rows_text(rows, row, 3),
        .signs_in_ms = igw_rows_integer(rows, row, 4),
        .retires_in_ms = igw_rows_is_null(rows, row, 5)
                             ? INT64_MAX
                             : igw_rows_integer(rows, row, 5),
        .token_ttl_ms = igw_rows_integer(rows, row, 6),
        .jwks_max_age_ms = igw_rows_integer(rows, row, 7),
        .created_at = igw_rows_string(rows, row, 8),
        .signs_from = igw_rows_string(rows, row, 9),
        .retires_at = igw_rows_string(rows, row, 10),
    };
}

enum igw_result
store_lock_keys(struct igw_pg *pg)
{
    return igw_pg_exec(pg, LOCK_KEYS, NULL, 0, NULL);
}

enum igw_result
store_add_key(struct igw_pg *pg, const struct new_key *key)
{
    char signs_in[NUMBER_SIZE];
    char token_ttl[NUMBER_SIZE];
    char max_age[NUMBER_SIZE];
    const struct igw_pg_param params[] = {
        igw_pg_string(key->kid),
        igw_pg_string(key->algorithm),
        igw_pg_text(key->public_jwk),
        igw_pg_text(key->private_pem),
        store_sql_number(key->signs_in_ms, signs_in),
        store_sql_number(key->token_ttl_ms, token_ttl),
        store_sql_number(key->jwks_max_age_ms, max_age),
    };

    return igw_pg_exec(pg, ADD_KEY, params, sizeof(params) / sizeof(*params),
                       NULL);
}

enum igw_result
store_raise_keys(struct igw_pg *pg, int64_t token_ttl_ms,
                 int64_t jwks_max_age_ms)
{
    char token_ttl[NUMBER_SIZE];
    char max_age[NUMBER_SIZE];
    const struct igw_pg_param params[] = {
        store_sql_number(token_ttl_ms, token_ttl),
        store_sql_number(jwks_max_age_ms, max_age),
    };

    return igw_pg_exec(pg, RAISE_KEYS, params, 2, NULL);
}

enum igw_result
store_sign_now(struct igw_pg *pg, const char *kid)
{
    const struct igw_pg_param params[] = { igw_pg_string(kid) };

    return igw_pg_exec(pg, SIGN_NOW, params, 1, NULL);
}

enum igw_result
store_delete_key(struct igw_pg *pg, const char *kid)
{
    const struct igw_pg_param params[] = { igw_pg_string(kid) };

    return igw_pg_exec(pg, DELETE_KEY, params, 1, NULL);
}
