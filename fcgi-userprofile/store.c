#include "store.h"

#include <stdio.h>
#include <string.h>

#include "log.h"

static const char schema[] = "userprofile";

enum statement { INSERT, REPLACE, FIND, LOCK, DELETE };

/*
 * $1 is the subject, $2... the fields in the order of enum profile_field.
 * The version of a row is the transaction that wrote it: whoever writes, a
 * hand with psql included, makes a new one.
 */
#define SELECT_PROFILE                                                    \
    "SELECT given_name, family_name, nickname, picture, website, gender," \
    " birthdate, zoneinfo, locale, phone_number, address_formatted,"      \
    " address_street_address, address_locality, address_region,"          \
    " address_postal_code, address_country, bio, custom,"                 \
    " floor(extract(epoch FROM updated_at))::bigint, xmin"                \
    " FROM userprofile.profile WHERE sub = $1"

const struct igw_pg_statement store_statements[] = {
    [INSERT] = { "insert",
                 "INSERT INTO userprofile.profile (sub, given_name,"
                 " family_name, nickname, picture, website, gender,"
                 " birthdate, zoneinfo, locale, phone_number,"
                 " address_formatted, address_street_address,"
                 " address_locality, address_region, address_postal_code,"
                 " address_country, bio, custom)"
                 " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,"
                 " $12, $13, $14, $15, $16, $17, $18, $19)"
                 " RETURNING floor(extract(epoch FROM updated_at))::bigint,"
                 " xmin",
                 false },
    [REPLACE] = { "replace",
                  "UPDATE userprofile.profile SET (given_name, family_name,"
                  " nickname, picture, website, gender, birthdate,"
                  " zoneinfo, locale, phone_number, address_formatted,"
                  " address_street_address, address_locality,"
                  " address_region, address_postal_code, address_country,"
                  " bio, custom, updated_at)"
                  " = ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,"
                  " $14, $15, $16, $17, $18, $19, clock_timestamp())"
                  " WHERE sub = $1"
                  " RETURNING floor(extract(epoch FROM updated_at))::bigint,"
                  " xmin",
                  false },
    [FIND] = { "find", SELECT_PROFILE, true },
    [LOCK] = { "lock", SELECT_PROFILE " FOR UPDATE", false },
    [DELETE] = { "delete",
                 "DELETE FROM userprofile.profile WHERE sub = $1"
                 " RETURNING sub",
                 false },
};

const size_t store_statement_count =
    sizeof(store_statements) / sizeof(store_statements[0]);

/* From this column and the next one. */
static void
copy_version(const struct igw_rows *rows, size_t column,
             struct profile *profile)
{
    profile->updated_at = igw_rows_integer(rows, 0, column);
    (void)snprintf(profile->version, sizeof(profile->version), "%s",
                   igw_rows_string(rows, 0, column + 1));
}

static enum igw_result
write_one(struct igw_pg *pg, enum statement statement, struct igw_slice subject,
          struct profile *profile)
{
    struct igw_pg_param params[1 + PROFILE_FIELDS];
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    params[0] = igw_pg_text(subject);
    for (size_t i = 0; i < PROFILE_FIELDS; i++) {
        params[1 + i] = igw_pg_string(profile->value[i]);
    }

    rc = igw_pg_exec(pg, statement, params, 1 + PROFILE_FIELDS, &rows);
    if (rc == IGW_INVALID) {
        /* The rules let through what the schema does not: a bug of ours. */
        igw_logf(IGW_LOG_ERROR, "constraint", "%s", igw_pg_constraint(pg));
        rc = IGW_ERROR;
    } else if (rc == IGW_OK && igw_rows_count(rows) == 0) {
        rc = IGW_NOT_FOUND;
    } else if (rc == IGW_OK) {
        copy_version(rows, 0, profile);
    }

    igw_rows_free(&rows);
    return rc;
}

enum igw_result
store_insert(struct igw_pg *pg, struct igw_slice subject,
             struct profile *profile)
{
    return write_one(pg, INSERT, subject, profile);
}

enum igw_result
store_replace(struct igw_pg *pg, struct igw_slice subject,
              struct profile *profile)
{
    return write_one(pg, REPLACE, subject, profile);
}

static enum igw_result
copy_row(const struct igw_rows *rows, struct profile *profile)
{
    for (size_t i = 0; i < PROFILE_FIELDS; i++) {
        if (igw_rows_is_null(rows, 0, i)) {
            continue;
        }
        profile->value[i] = strdup(igw_rows_string(rows, 0, i));
        if (profile->value[i] == NULL) {
            return IGW_ERROR;
        }
    }

    copy_version(rows, PROFILE_FIELDS, profile);
    return IGW_OK;
}

static enum igw_result
find(struct igw_pg *pg, enum statement statement, struct igw_slice subject,
     struct profile *profile)
{
    struct igw_pg_param param = igw_pg_text(subject);
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    rc = igw_pg_exec(pg, statement, &param, 1, &rows);
    if (rc == IGW_OK) {
        rc =
            igw_rows_count(rows) == 0 ? IGW_NOT_FOUND : copy_row(rows, profile);
    }

    igw_rows_free(&rows);
    return rc;
}

enum igw_result
store_find(struct igw_pg *pg, struct igw_slice subject, struct profile *profile)
{
    return find(pg, FIND, subject, profile);
}

enum igw_result
store_delete(struct igw_pg *pg, struct igw_slice subject,
             struct profile *profile)
{
    struct igw_pg_param param = igw_pg_text(subject);
    struct igw_rows *rows = NULL;
    enum igw_result rc;

    (void)profile;
    rc = igw_pg_exec(pg, DELETE, &param, 1, &rows);
    if (rc == IGW_OK && igw_rows_count(rows) == 0) {
        rc = IGW_NOT_FOUND;
    }

    igw_rows_free(&rows);
    return rc;
}

enum igw_result
store_lock(struct igw_pg *pg, struct igw_slice subject, struct profile *profile)
{
    enum igw_result rc = igw_pg_begin(pg);

    return rc == IGW_OK ? find(pg, LOCK, subject, profile) : rc;
}

enum igw_result
store_unlock(struct igw_pg *pg, enum igw_result rc)
{
    if (rc == IGW_OK) {
        return igw_pg_commit(pg);
    }

    igw_pg_rollback(pg);
    return rc;
}

enum igw_result
store_check(struct igw_pg *pg)
{
    return igw_migrate_check(pg, schema, (int64_t)userprofile_migrations_count);
}

enum igw_result
store_migrate(struct igw_pg *pg, const char *serve_role)
{
    static const struct igw_grant grants[] = {
        { "profile", "SELECT, INSERT, UPDATE, DELETE" },
    };
    enum igw_result rc = igw_migrate(pg, schema, userprofile_migrations,
                                     userprofile_migrations_count);

    if (rc != IGW_OK || serve_role[0] == '\0') {
        return rc;
    }
    return igw_migrate_grant(pg, schema, serve_role, grants,
                             sizeof(grants) / sizeof(grants[0]));
}
