/*
 * origin.c: see origin.h.
 */
#include "origin.h"

#include <string.h>
#include <strings.h>

/* Without the port that the scheme has anyway. */
static struct igw_slice
host_of(const char *host, bool is_https)
{
    const char *port = is_https ? ":443" : ":80";
    struct igw_slice text = igw_slice_of(host);

    if (text.len > strlen(port)
        && strcmp(host + text.len - strlen(port), port) == 0) {
        text.len -= strlen(port);
    }
    return text;
}

static bool
is_own(const char *origin, const char *host, bool is_https)
{
    const char *scheme = is_https ? "https://" : "http://";
    struct igw_slice theirs;
    struct igw_slice ours;

    if (host == NULL || strncasecmp(origin, scheme, strlen(scheme)) != 0) {
        return false;
    }
    theirs = host_of(origin + strlen(scheme), is_https);
    ours = host_of(host, is_https);
    return theirs.len == ours.len && ours.len > 0
           && strncasecmp(theirs.data, ours.data, ours.len) == 0;
}

bool
igw_origin_is_foreign(const struct igw_request *request)
{
    const char *site = igw_request_param(request, "HTTP_SEC_FETCH_SITE");
    const char *origin = igw_request_param(request, "HTTP_ORIGIN");

    if (site != NULL) {
        return strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
    }
    return origin != NULL
           && !is_own(origin, igw_request_param(request, "HTTP_HOST"),
                      request->is_https);
}
