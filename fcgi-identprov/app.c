#include "app.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

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
        .who = "command line",
        .passphrase_file = settings->key_passphrase_file,
        .algorithm = (enum igw_algorithm)settings->key_algorithm,
        .token_ttl_ms = settings->token_ttl_ms,
        .jwks_max_age_ms = settings->jwks_max_age_ms,
    };
}

enum igw_result
app_new_password(const struct app_settings *settings,
                 const struct account *account, struct igw_slice given,
                 char **text, struct rules_fault *fault)
{
    struct rules_password policy = app_password_policy(settings);
    char *username_key =
        igw_text_nfkc_casefold(igw_slice_of(account->username));
    char *email_key = igw_text_nfkc_casefold(igw_slice_of(account->email));
    enum igw_result rc = IGW_ERROR;

    *text = NULL;
    if (username_key != NULL && email_key != NULL) {
        policy.username_key = username_key;
        policy.email_key = email_key;
        policy.first_name = account->first_name;
        policy.last_name = account->last_name;
        rc = rules_password(given, &policy, text, fault);
    }
    free(email_key);
    free(username_key);
    return rc;
}

size_t
app_groups(const char *text, struct igw_slice groups[APP_GROUPS_MAX])
{
    size_t count = 0;

    while (*text != '\0' && count < APP_GROUPS_MAX) {
        groups[count] = (struct igw_slice){ text, strcspn(text, ",") };
        text += groups[count].len;
        text += *text == ',';
        count++;
    }
    return count;
}
