/*
 * shown.h: what the database has, as people see it. NULL: no memory.
 */
#ifndef SHOWN_H
#define SHOWN_H

#include "app.h"
#include "json.h"

struct json_t *shown_account(const struct account *account);
/* The names of its groups, an array. */
struct json_t *shown_groups(const struct account *account);
/* Rows of store_list_sessions, an array. */
struct json_t *shown_sessions(const struct igw_rows *rows);

#endif
