/*
 * agent.h: a User-Agent as its user would name it. Pure.
 */
#ifndef AGENT_H
#define AGENT_H

#include "igw.h"

enum { AGENT_NAME_SIZE = 64 };

/*
 * "Firefox, Linux" for browsers; else the text up to the first blank or slash;
 * "" for no text at all.
 */
void agent_name(const char *user_agent, char name[AGENT_NAME_SIZE]);

#endif
