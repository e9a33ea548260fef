/*
 * accept.h: which of our media types an Accept line prefers (RFC 9110, 12.5.1).
 */
#ifndef IGW_ACCEPT_H
#define IGW_ACCEPT_H

#include "http.h"

struct igw_accept_offer {
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
size_t igw_accept_choose(const char *accept,
                         const struct igw_accept_offer *offers, size_t count);

/* Whether a page is what the client would rather have than JSON or text. */
bool igw_accept_is_of_browser(const struct igw_request *request);

/*
 * The index of the language that Accept-Language (RFC 9110, 12.5.4) likes best,
 * by primary subtag and q; of equal ones the one that comes first there. 0 when
 * the line is NULL or names none of them.
 */
size_t igw_accept_language(const char *accept, const char *const *languages,
                           size_t count);

#endif
