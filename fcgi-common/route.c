/*
 * route.c: from method and path to a handler.
 */
#include "route.h"

#include <string.h>

#include "accept.h"
#include "metrics.h"
#include "problem.h"

static const char *const method_names[] = {
    [IGW_GET] = "GET, HEAD", [IGW_POST] = "POST",     [IGW_PUT] = "PUT",
    [IGW_PATCH] = "PATCH",   [IGW_DELETE] = "DELETE", [IGW_OPTIONS] = "OPTIONS"
};

static bool fits(const char *pattern, const char *path);
static size_t find(const struct igw_request *request,
                   const struct igw_route *table, size_t count);
static void refuse(struct igw_call *call, const struct igw_route *table,
                   size_t count);
static bool reaches(const struct igw_request *request,
                    const struct igw_route *route);
static bool add_allow(struct igw_call *call, const struct igw_route *table,
                      size_t count);

void
igw_route(struct igw_call *call, const struct igw_route *table, size_t count)
{
    size_t route = find(call->request, table, count);

    igw_metrics_begin();
    if (route < count) {
        table[route].handle(call);
    } else {
        refuse(call, table, count);
    }
    igw_metrics_end(table, count, route, call->response->status, call->came_us);
}

const char *
igw_route_method(const struct igw_route *route)
{
    return route->method == IGW_GET ? "GET" : method_names[route->method];
}

/* The place in the table; count: there is none. */
static size_t
find(const struct igw_request *request, const struct igw_route *table,
     size_t count)
{
    size_t i = 0;

    while (i < count
           && (table[i].method != request->method
               || !reaches(request, &table[i]))) {
        i++;
    }
    return i;
}

static void
refuse(struct igw_call *call, const struct igw_route *table, size_t count)
{
    if (!add_allow(call, table, count)) {
        igw_problem(call, 404, "not_found", "There is nothing at this path.");
    } else if (call->request->method == IGW_OPTIONS) {
        igw_response_empty(call->response, 204);
    } else {
        igw_problem(call, 405, "method_not_allowed",
                    "This path does not take this method; see Allow.");
    }
}

static bool
fits(const char *pattern, const char *path)
{
    size_t len = strlen(pattern);

    if (len == 0 || pattern[len - 1] != '*') {
        return strcmp(pattern, path) == 0;
    }
    return strncmp(pattern, path, len - 1) == 0 && path[len - 1] != '\0'
           && strchr(path + len - 1, '/') == NULL;
}

bool
igw_route_is_slow(const struct igw_request *request,
                  const struct igw_route *table, size_t count)
{
    size_t route = find(request, table, count);

    return route < count && table[route].kind == IGW_ROUTE_SLOW;
}

const char *
igw_route_last(const struct igw_call *call)
{
    return strrchr(call->request->path, '/') + 1;
}

static bool
reaches(const struct igw_request *request, const struct igw_route *route)
{
    if (!fits(route->path, request->path)) {
        return false;
    }
    switch (route->kind) {
    case IGW_ROUTE_INTERNAL:
        return request->is_internal;
    case IGW_ROUTE_PAGE:
        return !request->is_internal && igw_accept_is_of_browser(request);
    default:
        return true;
    }
}

/* Allow and Accept-Patch. False: no route has this path. */
static bool
add_allow(struct igw_call *call, const struct igw_route *table, size_t count)
{
    char allow[128] = "OPTIONS";
    bool is_known = false;

    for (size_t i = 0; i < count; i++) {
        const char *name = method_names[table[i].method];

        if (!reaches(call->request, &table[i])) {
            continue;
        }
        is_known = true;
        if (table[i].method == IGW_PATCH) {
            igw_response_header(call->response, "Accept-Patch",
                                igw_slice_of("application/merge-patch+json"));
        }
        if (strstr(allow, name) == NULL) {
            strncat(allow, ", ", sizeof(allow) - strlen(allow) - 1);
            strncat(allow, name, sizeof(allow) - strlen(allow) - 1);
        }
    }
    if (is_known) {
        igw_response_header(call->response, "Allow", igw_slice_of(allow));
    }
    return is_known;
}
