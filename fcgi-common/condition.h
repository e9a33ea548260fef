/*
 * condition.h: conditional requests (RFC 9110 13): If-Match and If-None-Match
 * against the entity tag of what is there. If-Modified-Since and
 * If-Unmodified-Since are passed over: nothing here has a Last-Modified.
 */
#ifndef IGW_CONDITION_H
#define IGW_CONDITION_H

#include "http.h"

enum igw_condition {
    IGW_CONDITION_HOLDS,        /* or there is none */
    IGW_CONDITION_NOT_MODIFIED, /* of a GET or HEAD: 304 */
    IGW_CONDITION_FAILED,       /* 412 */
    IGW_CONDITION_MALFORMED     /* a field is no list of entity tags: 400 */
};

/* Whether the request has one of the two. */
bool igw_condition_is_there(const struct igw_request *request);

/*
 * `etag` is the current strong entity tag, with its quotes; NULL when there
 * is nothing. If-Match compares strongly, If-None-Match weakly, "*" stands for
 * whatever is there.
 */
enum igw_condition igw_condition_check(const struct igw_request *request,
                                       const char *etag) IGW_MUST_CHECK;

#endif
