/*
 * origin.h: whether a browser says that another site makes it write.
 */
#ifndef IGW_ORIGIN_H
#define IGW_ORIGIN_H

#include "http.h"

/*
 * Sec-Fetch-Site is there: false for same-origin and none only. Else false
 * when Origin is not there or is this request's scheme and host.
 */
bool igw_origin_is_foreign(const struct igw_request *request);

#endif
