/*
 * find_session: prints the statement that GET /authenticate asks, as
 * identprov prepares it.
 */
#include <stdio.h>

#include "store_sql.h"

int
main(void)
{
    return puts(sql_find_session) < 0;
}
