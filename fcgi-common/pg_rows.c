/*
 * pg_rows.c: the rows of a result; see pg.h. A struct igw_rows is what libpq
 * calls a PGresult, by pg.c.
 */
#include <libpq-fe.h>
#include <stdlib.h>

#include "pg.h"

enum { DECIMAL = 10 };

static const PGresult *
result_of(const struct igw_rows *rows)
{
    return (const PGresult *)rows;
}

size_t
igw_rows_count(const struct igw_rows *rows)
{
    return (size_t)PQntuples(result_of(rows));
}

bool
igw_rows_is_null(const struct igw_rows *rows, size_t row, size_t column)
{
    return PQgetisnull(result_of(rows), (int)row, (int)column) != 0;
}

const char *
igw_rows_string(const struct igw_rows *rows, size_t row, size_t column)
{
    return PQgetvalue(result_of(rows), (int)row, (int)column);
}

struct igw_slice
igw_rows_text(const struct igw_rows *rows, size_t row, size_t column)
{
    return (struct igw_slice){
        .data = PQgetvalue(result_of(rows), (int)row, (int)column),
        .len = (size_t)PQgetlength(result_of(rows), (int)row, (int)column),
    };
}

int64_t
igw_rows_integer(const struct igw_rows *rows, size_t row, size_t column)
{
    return strtoll(igw_rows_string(rows, row, column), NULL, DECIMAL);
}

bool
igw_rows_bool(const struct igw_rows *rows, size_t row, size_t column)
{
    return igw_rows_string(rows, row, column)[0] == 't';
}

void
igw_rows_free(struct igw_rows **rows)
{
    PQclear((PGresult *)*rows);
    *rows = NULL;
}
