/*
 * route.c: from method and path to a handler.
 */
#include "route.h"

#include <string.h>

#include "problem.h"

static const char *const method_names[] = {
    [IGW_GET] = "GET, HEAD", [IGW_POST] = "POST",     [IGW_PUT] = "PUT",
    [IGW_PATCH] = "PATCH",   [IGW_DELETE] = "DELETE", [IGW_OPTIONS] = "OPTIONS"
};

static bool reaches(const struct igw_call *call, const struct igw_route *route);
static bool add_allow(struct igw_call *call, const struct igw_route *table,
                      size_t count);

void
igw_route(struct igw_call *call, const struct igw_route *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (reaches(call, &table[i])
            && table[i].method == call->request->method) {
            table[i].handle(call);
            return;
        }
    }
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
reaches(const struct igw_call *call, const struct igw_route *route)
{
    return (!route->is_internal || call->request->is_internal)
           && strcmp(route->path, call->request->path) == 0;
}

/* Allow and Accept-Patch. False: no route has this path. */
static bool
add_allow(struct igw_call *call, const struct igw_route *table, size_t count)
{
    char allow[128] = "OPTIONS";
    bool is_known = false;

    for (size_t i = 0; i < count; i++) {
        const char *name = method_names[table[i].method];

        if (!reaches(call, &table[i])) {
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
