/*
 * http.h: a request that came over FastCGI, its answer, and the rules between
 * them. http.c alone includes fcgiapp.h.
 *
 * Before a handler sees a request, its whole body has been read and checked
 * against CONTENT_LENGTH (else 400). Answered already are, too: a body over the
 * limit (413); a parameter with a control byte (400; a tab may stand in HTTP_*:
 * RFC 9110 5.5) or a name that is no token; a repeated parameter (400),
 * unless it is a header field that may be repeated.
 */
#ifndef IGW_HTTP_H
#define IGW_HTTP_H

#include "buf.h"
#include "json.h"

enum igw_method {
    IGW_GET, /* HEAD arrives as GET with is_head */
    IGW_POST,
    IGW_PUT,
    IGW_PATCH,
    IGW_DELETE,
    IGW_OPTIONS,
    IGW_METHOD_OTHER
};

struct igw_request {
    enum igw_method method;
    bool is_head;
    bool is_https;      /* FastCGI parameter HTTPS = on */
    bool is_internal;   /* FastCGI parameter IDENTGW_INTERNAL is not empty */
    const char *prefix; /* SCRIPT_NAME, "" or "/auth"; never ends in "/" */
    const char *path;   /* PATH_INFO, decoded by nginx; begins with "/" */
    const char *query;  /* QUERY_STRING, raw; "" when none */
    const char *id; /* REQUEST_ID if it is [A-Za-z0-9_-]{1,64}, else random */
    const char *address;      /* REMOTE_ADDR */
    const char *content_type; /* "" when none */
    struct igw_slice body;
    char **params; /* "NAME=VALUE", ends with NULL */
};

/*
 * A FastCGI parameter, for instance "HTTP_COOKIE"; NULL when absent. Header
 * fields that may be repeated are one text: joined by "; " for HTTP_COOKIE
 * (RFC 9113 8.2.3), by ", " for the lists of RFC 9110 5.3.
 */
const char *igw_request_param(const struct igw_request *request,
                              const char *name);

enum { IGW_RESPONSE_HEADERS_MAX = 24 };

struct igw_response {
    int status;             /* 0 until a handler answers */
    struct igw_buf headers; /* lines, each with its CR LF */
    struct igw_buf body;
    const char *content_type; /* a constant; NULL when there is no body */
    size_t header_count;
    bool is_broken; /* something could not be said: 500 goes out instead */
};

void igw_response_clear(struct igw_response *response);

/*
 * Adds a header line. Text with a control byte is not added: the answer
 * becomes 500 and the event is logged. Values may be UTF-8.
 */
void igw_response_header(struct igw_response *response, const char *name,
                         struct igw_slice value);
void igw_response_headerf(struct igw_response *response, const char *name,
                          const char *format, ...) IGW_PRINTF(3, 4);

/* The same, in the place of all lines of this name. */
void igw_response_set_header(struct igw_response *response, const char *name,
                             struct igw_slice value);
bool igw_response_has_header(const struct igw_response *response,
                             const char *name);
/* Of the first line of this name, borrowed; empty: there is none. */
struct igw_slice igw_response_header_value(const struct igw_response *response,
                                           const char *name);

/*
 * What keeps a browser from taking the answer for another type, into another
 * site's page, or for a page that may do anything: the header lines of that,
 * as far as they are not there yet.
 */
void igw_response_guard(struct igw_response *response);

/* Complete answers; each sets status, Content-Type and body. */
void igw_response_json(struct igw_response *response, int status,
                       const struct json_t *json);
void igw_response_text(struct igw_response *response, int status,
                       const char *content_type, struct igw_slice body);
void igw_response_empty(struct igw_response *response, int status);

/* The reason phrase of RFC 9110 15; never NULL. */
const char *igw_status_text(int status);

struct igw_pg;
struct igw_turns;

/* What a handler is called with; everything is borrowed for the call. */
struct igw_call {
    const struct igw_request *request;
    struct igw_response *response;
    struct igw_pg *pg;       /* this thread's connection */
    void *app;               /* the program's own, shared by all threads */
    struct igw_turns *turns; /* the server's */
    int64_t came_us;         /* when it was whole, by igw_metrics_now_us */
};

/*
 * The JSON object in the body, for handlers that take one; of a PATCH, the
 * merge patch (RFC 7396). False: the call has been answered (415 for another
 * media type, 400 for bad JSON or for a JSON value that is no object). *out
 * is the caller's.
 */
bool igw_call_json(struct igw_call *call, struct json_t **out) IGW_MUST_CHECK;

#endif
