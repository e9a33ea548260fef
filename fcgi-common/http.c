/*
 * http.c: one request through libfcgi. libfcgi makes the parameters' array and
 * writes the answer's records; it reads from a file of ours that holds
 * nothing but one checked request, never from a connection.
 */
#include "http.h"

#include <fcgiapp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "crypto.h"
#include "exchange.h"
#include "log.h"
#include "problem.h"
#include "text.h"

enum {
    PARAM_COUNT_MAX = 256,
    ID_MAX_BYTES = 64,
    RANDOM_ID_BYTES = 16,
    RECORD_HEADER_BYTES = 8
};

struct igw_exchange {
    FCGX_Request fcgi; /* its ipcFd is `feed` except while it writes */
    int feed;
    char id[ID_MAX_BYTES + 1];
    struct igw_request request;
    struct igw_response response;
};

struct refusal {
    int status; /* 0: none */
    const char *code;
    const char *detail;
};

static const struct refusal malformed_parameter = {
    400, "malformed_parameter",
    "A header or the path holds a control byte, or a header's name is none."
};
static const struct refusal repeated_parameter = {
    400, "repeated_parameter",
    "A header that may be there once only is there twice."
};
static const struct refusal too_many_parameters = {
    400, "too_many_parameters", "The request has too many or too long headers."
};
static const struct refusal length_mismatch = {
    400, "length_mismatch", "The body is not as long as Content-Length says."
};
static const struct refusal bad_path = { 400, "bad_path",
                                         "The path does not begin with /." };
static const struct refusal too_large = { 413, "body_too_large",
                                          "The body is too long." };
static const struct refusal none = { 0 };

/* Lists by RFC 9110 5.3, and what is joined like one; Cookie by RFC 9113. */
static const struct {
    const char *name;
    const char *joint;
} repeatable[] = { { "HTTP_ACCEPT", ", " },
                   { "HTTP_ACCEPT_CHARSET", ", " },
                   { "HTTP_ACCEPT_ENCODING", ", " },
                   { "HTTP_ACCEPT_LANGUAGE", ", " },
                   { "HTTP_CACHE_CONTROL", ", " },
                   { "HTTP_CONNECTION", ", " },
                   { "HTTP_COOKIE", "; " },
                   { "HTTP_FORWARDED", ", " },
                   { "HTTP_IF_MATCH", ", " },
                   { "HTTP_IF_NONE_MATCH", ", " },
                   { "HTTP_PRAGMA", ", " },
                   { "HTTP_TE", ", " },
                   { "HTTP_VIA", ", " },
                   { "HTTP_X_FORWARDED_FOR", ", " },
                   { "HTTP_X_FORWARDED_HOST", ", " },
                   { "HTTP_X_FORWARDED_PROTO", ", " } };

static const struct {
    const char *name;
    enum igw_method method;
    bool is_head;
} methods[] = {
    { "GET", IGW_GET, false },        { "HEAD", IGW_GET, true },
    { "POST", IGW_POST, false },      { "PUT", IGW_PUT, false },
    { "PATCH", IGW_PATCH, false },    { "DELETE", IGW_DELETE, false },
    { "OPTIONS", IGW_OPTIONS, false }
};

static bool check_params(struct igw_exchange *exchange, struct igw_slice params,
                         struct refusal *refusal, bool *has_repeats);
static bool is_clean(struct igw_slice name, struct igw_slice value);
static bool is_repeat(const struct igw_slice *names, size_t count);
static const char *joint_of(struct igw_slice name);
static void take_id(struct igw_exchange *exchange, struct igw_slice value);
static bool make_id(struct igw_exchange *exchange);
static bool open_request(struct igw_exchange *exchange,
                         const struct igw_frame *frame,
                         struct igw_slice params);
static bool write_feed(int feed, const struct igw_frame *frame,
                       struct igw_slice params);
static bool join_repeats(char **params);
static void read_request(struct igw_exchange *exchange,
                         const struct igw_frame *frame,
                         struct refusal *refusal);
static void read_method(struct igw_request *request);
static const char *trim_prefix(const struct igw_request *request);
static bool is_length(const char *text, size_t length);
static const char *param_or(const struct igw_request *request, const char *name,
                            const char *fallback);
static void write_answer(const struct igw_exchange *exchange);
static void write_body(const struct igw_exchange *exchange);
static void log_request(const struct igw_exchange *exchange);

struct igw_exchange *
igw_exchange_new(void)
{
    struct igw_exchange *exchange = calloc(1, sizeof(*exchange));

    if (exchange == NULL) {
        return NULL;
    }
    exchange->feed = memfd_create("fastcgi-request", MFD_CLOEXEC);
    if (exchange->feed < 0 || FCGX_Init() != 0) {
        igw_exchange_free(&exchange);
        return NULL;
    }
    (void)FCGX_InitRequest(&exchange->fcgi, -1, 0);
    return exchange;
}

void
igw_exchange_free(struct igw_exchange **exchange)
{
    if (*exchange == NULL) {
        return;
    }
    if ((*exchange)->feed >= 0) {
        (void)close((*exchange)->feed);
    }
    free(*exchange);
    *exchange = NULL;
}

bool
igw_exchange_handle(struct igw_exchange *exchange,
                    const struct igw_frame *frame, struct igw_call *call,
                    void (*handle)(struct igw_call *call))
{
    struct igw_slice params = igw_buf_slice(&frame->params);
    struct refusal refusal = none;
    bool has_repeats = false;

    exchange->id[0] = '\0';
    if (!check_params(exchange, params, &refusal, &has_repeats)
        || (exchange->id[0] == '\0' && !make_id(exchange))) {
        return false;
    }
    if (frame->has_large_params) {
        refusal = too_many_parameters;
    }
    if (refusal.status != 0) {
        params.len = 0;
        has_repeats = false;
    }
    if (!open_request(exchange, frame, params)) {
        return false;
    }
    if (has_repeats && !join_repeats(exchange->fcgi.envp)) {
        FCGX_Free(&exchange->fcgi, 0);
        return false;
    }
    igw_log_request(exchange->id);
    read_request(exchange, frame, &refusal);
    call->request = &exchange->request;
    call->response = &exchange->response;
    if (refusal.status != 0) {
        igw_problem(call, refusal.status, refusal.code, refusal.detail);
    } else {
        handle(call);
    }
    return true;
}

bool
igw_exchange_send(struct igw_exchange *exchange, int fd)
{
    FCGX_Request *fcgi = &exchange->fcgi;
    bool is_sent;

    fcgi->ipcFd = fd;
    write_answer(exchange);
    (void)FCGX_FClose(fcgi->err);
    (void)FCGX_FClose(fcgi->out);
    is_sent = FCGX_GetError(fcgi->out) == 0 && FCGX_GetError(fcgi->err) == 0;
    fcgi->ipcFd = exchange->feed;
    log_request(exchange);
    igw_response_clear(&exchange->response);
    FCGX_Free(fcgi, 0);
    igw_log_request(NULL);
    return is_sent;
}

const char *
igw_request_param(const struct igw_request *request, const char *name)
{
    return request->params == NULL ? NULL
                                   : FCGX_GetParam(name, request->params);
}

/*
 * Before libfcgi sees them: it cuts values at a NUL, takes the first of
 * several, and aborts the process when two lengths are too large together.
 * False: they are no pairs at all.
 */
static bool
check_params(struct igw_exchange *exchange, struct igw_slice params,
             struct refusal *refusal, bool *has_repeats)
{
    struct igw_slice names[PARAM_COUNT_MAX];
    struct igw_slice value;
    enum igw_result rc;

    for (size_t count = 0; count < PARAM_COUNT_MAX; count++) {
        rc = igw_pair_next(&params, &names[count], &value);
        if (rc != IGW_OK) {
            return rc == IGW_NOT_FOUND;
        }
        if (!is_clean(names[count], value)) {
            *refusal = malformed_parameter;
        } else if (igw_slice_is(names[count], "REQUEST_ID")) {
            take_id(exchange, value);
        }
        if (is_repeat(names, count)) {
            *has_repeats = true;
            if (joint_of(names[count]) == NULL) {
                *refusal = repeated_parameter;
            }
        }
    }
    *refusal = too_many_parameters;
    return true;
}

/*
 * A token (RFC 9110 5.6.2) without "=" as name; no control in the value but a
 * tab, which a field value may hold.
 */
static bool
is_clean(struct igw_slice name, struct igw_slice value)
{
    bool is_field = name.len > 5 && memcmp(name.data, "HTTP_", 5) == 0;

    for (size_t i = 0; i < name.len; i++) {
        unsigned char byte = (unsigned char)name.data[i];

        if (byte <= 0x20 || byte >= 0x7f
            || strchr("=\"(),/:;<>?@[\\]{}", byte) != NULL) {
            return false;
        }
    }
    for (size_t i = 0; i < value.len; i++) {
        unsigned char byte = (unsigned char)value.data[i];

        if ((byte < 0x20 && !(byte == '\t' && is_field)) || byte == 0x7f) {
            return false;
        }
    }
    return name.len > 0;
}

/* Whether names[count] is among those before it. */
static bool
is_repeat(const struct igw_slice *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (igw_slice_equal(names[i], names[count])) {
            return true;
        }
    }
    return false;
}

static const char *
joint_of(struct igw_slice name)
{
    for (size_t i = 0; i < sizeof(repeatable) / sizeof(repeatable[0]); i++) {
        if (igw_slice_is(name, repeatable[i].name)) {
            return repeatable[i].joint;
        }
    }
    return NULL;
}

static void
take_id(struct igw_exchange *exchange, struct igw_slice value)
{
    char id[ID_MAX_BYTES + 1];

    if (value.len == 0 || value.len > ID_MAX_BYTES) {
        return;
    }
    memcpy(id, value.data, value.len);
    id[value.len] = '\0';
    if (strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                   "0123456789_-")
        == value.len) {
        memcpy(exchange->id, id, value.len + 1);
    }
}

static bool
make_id(struct igw_exchange *exchange)
{
    unsigned char bytes[RANDOM_ID_BYTES];

    if (igw_random(bytes, sizeof(bytes)) != IGW_OK) {
        return false;
    }
    igw_hex(bytes, sizeof(bytes), exchange->id);
    return true;
}

static bool
open_request(struct igw_exchange *exchange, const struct igw_frame *frame,
             struct igw_slice params)
{
    exchange->fcgi.ipcFd = exchange->feed;
    exchange->fcgi.keepConnection = 1;
    if (!write_feed(exchange->feed, frame, params)) {
        return false;
    }
    if (FCGX_Accept_r(&exchange->fcgi) != 0) {
        /* It has closed the file, which held no request that it knows. */
        exchange->feed = memfd_create("fastcgi-request", MFD_CLOEXEC);
        igw_logf(IGW_LOG_ERROR, "fcgi_refused", "libfcgi took no request");
        return false;
    }
    return true;
}

/* FCGI_BEGIN_REQUEST, one FCGI_PARAMS record if any, the empty one. */
static bool
write_feed(int feed, const struct igw_frame *frame, struct igw_slice params)
{
    unsigned char id_high = (unsigned char)(frame->id >> 8);
    unsigned char id_low = (unsigned char)(frame->id & 255);
    unsigned char begin[] = { 1, 1, id_high, id_low, 0, 8, 0, 0,
                              0, 1, 1,       0,      0, 0, 0, 0 };
    unsigned char open[] = { 1,
                             4,
                             id_high,
                             id_low,
                             (unsigned char)(params.len >> 8),
                             (unsigned char)(params.len & 255),
                             0,
                             0 };
    unsigned char end[] = { 1, 4, id_high, id_low, 0, 0, 0, 0 };
    struct iovec parts[] = { { begin, sizeof(begin) },
                             { open, sizeof(open) },
                             { (void *)(uintptr_t)params.data, params.len },
                             { end, sizeof(end) } };
    ssize_t whole =
        (ssize_t)(sizeof(begin) + sizeof(open) + params.len + sizeof(end));

    if (params.len == 0) {
        /* The first empty record ends the stream; the second is not read. */
        whole = (ssize_t)(sizeof(begin) + sizeof(open) + sizeof(end));
    }
    return pwritev(feed, parts, 4, 0) == whole && lseek(feed, 0, SEEK_SET) == 0;
}

/* The first of several gets all values; libfcgi's lookup finds the first. */
static bool
join_repeats(char **params)
{
    for (char **first = params; *first != NULL; first++) {
        struct igw_slice name = { *first, strcspn(*first, "=") };
        const char *joint = joint_of(name);

        for (char **next = first + 1; joint != NULL && *next != NULL; next++) {
            char *joined;

            if (strncmp(*next, *first, name.len + 1) != 0) {
                continue;
            }
            if (asprintf(&joined, "%s%s%s", *first, joint, *next + name.len + 1)
                < 0) {
                return false;
            }
            free(*first);
            *first = joined;
        }
    }
    return true;
}

static void
read_request(struct igw_exchange *exchange, const struct igw_frame *frame,
             struct refusal *refusal)
{
    struct igw_request *request = &exchange->request;

    *request = (struct igw_request){ .params = exchange->fcgi.envp,
                                     .id = exchange->id,
                                     .body = igw_buf_slice(&frame->body) };
    read_method(request);
    request->is_https = strcmp(param_or(request, "HTTPS", ""), "on") == 0;
    request->is_internal = *param_or(request, "IDENTGW_INTERNAL", "") != '\0';
    request->prefix = trim_prefix(request);
    request->path = param_or(request, "PATH_INFO", "/");
    request->query = param_or(request, "QUERY_STRING", "");
    request->address = param_or(request, "REMOTE_ADDR", "");
    request->content_type = param_or(request, "CONTENT_TYPE", "");
    if (refusal->status != 0) {
        return;
    }
    if (request->path[0] != '/') {
        *refusal = bad_path;
    } else if (!is_length(param_or(request, "CONTENT_LENGTH", "0"),
                          frame->body_bytes)) {
        *refusal = length_mismatch;
    } else if (frame->body_bytes > frame->body_max_bytes) {
        *refusal = too_large;
    }
}

static void
read_method(struct igw_request *request)
{
    const char *name = param_or(request, "REQUEST_METHOD", "");

    request->method = IGW_METHOD_OTHER;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strcmp(name, methods[i].name) == 0) {
            request->method = methods[i].method;
            request->is_head = methods[i].is_head;
        }
    }
}

/* SCRIPT_NAME without the slashes at its end, cut in libfcgi's own copy. */
static const char *
trim_prefix(const struct igw_request *request)
{
    char *prefix = FCGX_GetParam("SCRIPT_NAME", request->params);
    size_t len = prefix == NULL ? 0 : strlen(prefix);

    if (len == 0) {
        return "";
    }
    while (len > 0 && prefix[len - 1] == '/') {
        len--;
    }
    prefix[len] = '\0';
    return prefix;
}

/* Whether text is this number in decimal digits and nothing else. */
static bool
is_length(const char *text, size_t length)
{
    char expected[24];

    if (text[0] == '\0') {
        return length == 0;
    }
    text += strspn(text, "0");
    (void)snprintf(expected, sizeof(expected), "%zu", length);
    return strcmp(*text == '\0' ? "0" : text, expected) == 0;
}

/* An empty parameter is an absent one: nginx sends both for the same. */
static const char *
param_or(const struct igw_request *request, const char *name,
         const char *fallback)
{
    const char *value = igw_request_param(request, name);

    return value == NULL || *value == '\0' ? fallback : value;
}

static void
write_answer(const struct igw_exchange *exchange)
{
    const struct igw_response *response = &exchange->response;
    struct igw_slice headers = igw_buf_slice(&response->headers);
    FCGX_Stream *out = exchange->fcgi.out;
    char status[64];

    if (response->status == 0 || response->is_broken || response->headers.failed
        || response->body.failed) {
        igw_log(IGW_LOG_ERROR, "no_answer", NULL);
        (void)FCGX_PutS("Status: 500 Internal Server Error\r\n"
                        "Cache-Control: no-store\r\nContent-Length: 0\r\n\r\n",
                        out);
        return;
    }
    (void)snprintf(status, sizeof(status), "Status: %d %s\r\n",
                   response->status, igw_status_text(response->status));
    (void)FCGX_PutS(status, out);
    (void)FCGX_PutStr(headers.data, (int)headers.len, out);
    write_body(exchange);
}

/* RFC 9110 8.6: no Content-Length in a 204; a HEAD's is the GET's. */
static void
write_body(const struct igw_exchange *exchange)
{
    const struct igw_response *response = &exchange->response;
    struct igw_slice body = igw_buf_slice(&response->body);
    FCGX_Stream *out = exchange->fcgi.out;
    char length[64];

    if (response->content_type != NULL) {
        (void)FCGX_PutS("Content-Type: ", out);
        (void)FCGX_PutS(response->content_type, out);
        (void)FCGX_PutS("\r\n", out);
    }
    if (response->status == 204 || response->status == 304) {
        (void)FCGX_PutS("\r\n", out);
        return;
    }
    (void)snprintf(length, sizeof(length), "Content-Length: %zu\r\n\r\n",
                   body.len);
    (void)FCGX_PutS(length, out);
    if (!exchange->request.is_head) {
        (void)FCGX_PutStr(body.data, (int)body.len, out);
    }
}

static void
log_request(const struct igw_exchange *exchange)
{
    const struct igw_request *request = &exchange->request;
    char status[16];

    if (!igw_log_shows(IGW_LOG_DEBUG)) {
        return;
    }
    (void)snprintf(status, sizeof(status), "%d", exchange->response.status);
    igw_log(IGW_LOG_DEBUG, "request",
            (struct igw_log_field[]){
                { "method", param_or(request, "REQUEST_METHOD", "") },
                { "prefix", request->prefix },
                { "path", request->path },
                { "status", status },
                { NULL, NULL } });
}
