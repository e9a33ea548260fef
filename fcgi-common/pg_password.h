/*
 * pg_password.h: a file with the password of the database role.
 */
#ifndef IGW_PG_PASSWORD_H
#define IGW_PG_PASSWORD_H

#include <stdio.h>

#include "igw.h"

/*
 * Every connection of this process that wants a password gets the file's one
 * line; "" and an empty file: none. False: it cannot be read, others than its
 * owner and group can read it, or it is no password; said on `errors` with the
 * file's name. Before the threads, and after igw_pg_conninfo_fault.
 */
bool igw_pg_password(const char *path, FILE *errors) IGW_MUST_CHECK;

#endif
