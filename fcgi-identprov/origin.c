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
origin_is_foreign(const struct origin_request *request)
{
    if (request->site != NULL) {
        return strcmp(request->site, "same-origin") != 0
               && strcmp(request->site, "none") != 0;
    }
    return request->origin != NULL
           && !is_own(request->origin, request->host, request->is_https);
}
