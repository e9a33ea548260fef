#include "store_audit.h"

#include "store_sql.h"

const char sql_add_audit[] =
    "INSERT INTO identprov.audit (event, account_id, sid, request_id,"
    "  address, detail)"
    " VALUES ($1, $2, $3, $4, $5, $6)";

const char sql_list_audit[] =
    "SELECT to_char(e.at AT TIME ZONE 'UTC',"
    "  'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),"
    " e.event, a.username, e.account_id, e.sid, e.request_id, e.address,"
    " e.detail"
    " FROM (SELECT number, at, event, account_id, sid, request_id, address,"
    "   detail"
    "  FROM identprov.audit"
    "  WHERE ($1::text IS NULL OR account_id = ("
    "    SELECT id FROM identprov.account WHERE username_key = $1))"
    "   AND ($2::uuid IS NULL OR account_id = $2)"
    "   AND ($3::timestamptz IS NULL OR at >= $3)"
    "   AND ($4::timestamptz IS NULL OR at < $4)"
    "   AND ($5::text IS NULL OR event = $5)"
    "  ORDER BY at DESC, number DESC LIMIT $6::bigint) AS e"
    " LEFT JOIN identprov.account AS a ON a.id = e.account_id"
    " ORDER BY e.at, e.number";

static struct igw_pg_param
known(const char *text)
{
    return igw_pg_string(text != NULL ? text : "");
}

struct igw_pg_param
store_sql_address(const char *address, char text[ADDRESS_MAX + 1])
{
    size_t len = 0;

    while (address != NULL && address[len] != '\0' && len < ADDRESS_MAX) {
        text[len] =
            address[len] > ' ' && address[len] <= '~' ? address[len] : '?';
        len++;
    }
    text[len] = '\0';
    return igw_pg_string(text);
}

void
store_sql_audit(const struct audit_entry *entry, char address[ADDRESS_MAX + 1],
                struct igw_pg_param params[AUDIT_PARAMS])
{
    params[0] = igw_pg_string(audit_event_names[entry->event]);
    params[1] = known(entry->request_id);
    params[2] = store_sql_address(entry->address, address);
    params[3] = known(entry->detail);
}

enum igw_result
store_audit(struct igw_pg *pg, const struct audit_entry *entry)
{
    char address[ADDRESS_MAX + 1];
    const struct igw_pg_param params[] = {
        igw_pg_string(audit_event_names[entry->event]),
        igw_pg_string(entry->account_id),
        igw_pg_string(entry->sid),
        known(entry->request_id),
        store_sql_address(entry->address, address),
        known(entry->detail),
    };
    enum igw_result rc;

    rc = igw_pg_exec(pg, ADD_AUDIT, params, sizeof(params) / sizeof(*params),
                     NULL);
    /* An entry that breaks a rule is no fault of the client's. */
    return rc == IGW_OK || rc == IGW_UNAVAILABLE ? rc : IGW_ERROR;
}

enum igw_result
store_list_audit(struct igw_pg *pg, const struct audit_query *query,
                 struct igw_rows **rows)
{
    char limit[NUMBER_SIZE];
    const struct igw_pg_param params[] = {
        igw_pg_string(query->username_key),
        igw_pg_string(query->account_id),
        igw_pg_string(query->since),
        igw_pg_string(query->until),
        igw_pg_string(query->event),
        store_sql_number(query->limit, limit),
    };

    return igw_pg_exec(pg, LIST_AUDIT, params, sizeof(params) / sizeof(*params),
                       rows);
}

struct audit_row
store_audit_at(const struct igw_rows *rows, size_t row)
{
    return (struct audit_row){
        .at = igw_rows_string(rows, row, 0),
        .event = igw_rows_string(rows, row, 1),
        .username = igw_rows_string(rows, row, 2),
        .account_id = igw_rows_string(rows, row, 3),
        .sid = igw_rows_string(rows, row, 4),
        .request_id = igw_rows_string(rows, row, 5),
        .address = igw_rows_string(rows, row, 6),
        .detail = igw_rows_string(rows, row, 7),
    };
}
