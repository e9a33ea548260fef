/*
 * origin.h: whether a browser says that another site makes it write. Pure.
 */
#ifndef ORIGIN_H
#define ORIGIN_H

#include "igw.h"

struct origin_request {
    const char *site;   /* Sec-Fetch-Site; NULL: did not come */
    const char *origin; /* Origin; NULL: did not come */
    const char *host;   /* Host; NULL: did not come */
    bool is_https;
};

/*
 * Sec-Fetch-Site is there: false for same-origin and none only. Else false
 * when Origin is not there or is this request's scheme and host.
 */
bool origin_is_foreign(const struct origin_request *request);

#endif
