/*
 * ask.h: a password from the person at the command line.
 */
#ifndef ASK_H
#define ASK_H

#include "igw.h"

enum { ASK_SIZE = 4096 }; /* longer than any password may be */

/*
 * From the terminal without echo, twice, else one line of standard input.
 * False: none came, said on stderr. Wipe the line.
 */
bool ask_password(char line[ASK_SIZE]) IGW_MUST_CHECK;

#endif
