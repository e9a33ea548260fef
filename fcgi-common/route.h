/*
 * route.h: the routing table. The path is matched exactly, below any prefix; a
 * last part "*" in the table stands for any one part.
 */
#ifndef IGW_ROUTE_H
#define IGW_ROUTE_H

#include "http.h"

enum igw_route_kind {
    IGW_ROUTE_USUAL,
    IGW_ROUTE_INTERNAL, /* 404 unless request.is_internal */
    IGW_ROUTE_PAGE,     /* only for who would rather have a page */
    IGW_ROUTE_SLOW      /* for is_slow of struct igw_server */
};

struct igw_route {
    enum igw_method method;
    const char *path;
    void (*handle)(struct igw_call *call);
    enum igw_route_kind kind;
};

/* "GET", "POST", ... */
const char *igw_route_method(const struct igw_route *route);

/*
 * Calls the handler; 404 for an unknown path, 405 with Allow for a known one.
 * OPTIONS answers 204 with Allow and, where there is a PATCH, Accept-Patch.
 * HEAD runs GET; http.c drops the body.
 */
void igw_route(struct igw_call *call, const struct igw_route *table,
               size_t count);

/* Whether the request's route is a slow one. */
bool igw_route_is_slow(const struct igw_request *request,
                       const struct igw_route *table, size_t count);

/* The last part of the request's path, for routes that end in "*". */
const char *igw_route_last(const struct igw_call *call);

#endif
