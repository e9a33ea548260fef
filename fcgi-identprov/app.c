#include "app.h"

struct igw_pg_config
app_pg_config(const struct app_settings *settings)
{
    return (struct igw_pg_config){
        .conninfo = settings->database,
        .application_name = "identprov",
        .setup = store_feed_setup,
        .statements = store_statements,
        .statement_count = store_statement_count,
        .connect_timeout_ms = settings->connect_timeout_ms,
        .statement_timeout_ms = settings->statement_timeout_ms,
    };
}

struct password_cost
app_password_cost(const struct app_settings *settings)
{
    return (struct password_cost){
        .memory_bytes = settings->hash_memory_bytes,
        .passes = settings->hash_passes,
    };
}

struct rules_password
app_password_policy(const struct app_settings *settings)
{
    return (struct rules_password){
        .min = settings->password_min,
        .issuer = settings->issuer,
        .audience = settings->audience,
    };
}

struct key_policy
app_key_policy(const struct app_settings *settings)
{
    return (struct key_policy){
        .passphrase_file = settings->key_passphrase_file,
        .algorithm = (enum igw_algorithm)settings->key_algorithm,
        .token_ttl_ms = settings->token_ttl_ms,
        .jwks_max_age_ms = settings->jwks_max_age_ms,
    };
}
