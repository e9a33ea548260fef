/*
 * accept.h: which of our media types an Accept line prefers (RFC 9110, 12.5.1).
 */
#ifndef ACCEPT_H
#define ACCEPT_H

#include "igw.h"

struct accept_offer {
    const char *type;  /* "text/plain", lower case */
    const char *alias; /* another name that asks for it, or NULL */
};

/*
 * Index of the chosen offer. The highest q wins; of equal ones the type that
 * is asked for by name, then by "type/ *", then by "* / *"; of equal ones
 * again the one that the client wrote first, then the one offered first. The
 * first offer, when the line is NULL or nothing fits: the answer it is for is
 * a refusal already.
 */
size_t accept_choose(const char *accept, const struct accept_offer *offers,
                     size_t count);

#endif
