/*
 * http.c: one request through libfcgi. libfcgi makes the parameters' array and
 * writes the answer's records; it reads from a pipe of ours that holds
 * nothing but one checked request, never from a connection.
 */
#include "http.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "crypto.h"
#include "exchange.h"
#include "log.h"
#include "metrics.h"
#include "params.h"
#include "problem.h"
#include "text.h"

enum {
    RANDOM_ID_BYTES = 16,
    RECORD_HEADER_BYTES = 8,
    RECORD_BYTES = 65535, /* the content of one */
    /* For all parameters, and the empty one behind them. */
    FEED_RECORDS = IGW_PARAMS_MAX_BYTES / RECORD_BYTES + 2
};

struct igw_exchange {
    FCGX_Request fcgi; /* its ipcFd is feed[0] except while it writes */
    int feed[2];       /* a pipe; empty but for a moment in open_request() */
    int feed_bytes;    /* that it holds */
    struct igw_params params;
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

static struct refusal refusal_of(const struct igw_exchange *exchange,
                                 const struct igw_frame *frame);
static bool make_id(char id[IGW_PARAMS_ID_SIZE]);
static bool open_feed(struct igw_exchange *exchange);
static void close_feed(int feed[2]);
static bool open_request(struct igw_exchange *exchange,
                         const struct igw_frame *frame,
                         struct igw_slice params);
static bool write_feed(struct igw_exchange *exchange,
                       const struct igw_frame *frame, struct igw_slice params);
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
    if (FCGX_Init() != 0 || !open_feed(exchange)) {
        free(exchange);
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
    close_feed((*exchange)->feed);
    free(*exchange);
    *exchange = NULL;
}

bool
igw_exchange_handle(struct igw_exchange *exchange,
                    const struct igw_frame *frame, struct igw_call *call,
                    void (*handle)(struct igw_call *call))
{
    struct igw_slice params = igw_buf_slice(&frame->params);
    struct igw_params *found = &exchange->params;
    struct refusal refusal;

    if (igw_params_check(params, found) != IGW_OK
        || (found->id[0] == '\0' && !make_id(found->id))) {
        return false;
    }
    refusal = refusal_of(exchange, frame);
    if (refusal.status != 0) {
        params.len = 0; /* no handler will ask */
    }
    if (!open_request(exchange, frame, params)) {
        return false;
    }
    if (found->has_lists && !igw_params_join(exchange->fcgi.envp)) {
        FCGX_Free(&exchange->fcgi, 0);
        return false;
    }
    igw_log_request(found->id);
    read_request(exchange, frame, &refusal);
    call->request = &exchange->request;
    call->response = &exchange->response;
    if (refusal.status != 0) {
        igw_problem(call, refusal.status, refusal.code, refusal.detail);
        igw_response_guard(call->response);
        igw_metrics_refused(refusal.status);
    } else {
        handle(call);
    }
    return true;
}

void
igw_exchange_drop(struct igw_exchange *exchange)
{
    igw_response_clear(&exchange->response);
    FCGX_Free(&exchange->fcgi, 0);
    igw_log_request(NULL);
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
    fcgi->ipcFd = exchange->feed[0];
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

static struct refusal
refusal_of(const struct igw_exchange *exchange, const struct igw_frame *frame)
{
    const struct igw_params *params = &exchange->params;

    if (frame->has_large_params || params->are_too_many) {
        return too_many_parameters;
    }
    if (params->is_malformed) {
        return malformed_parameter;
    }
    return params->is_repeated ? repeated_parameter : none;
}

static bool
make_id(char id[IGW_PARAMS_ID_SIZE])
{
    unsigned char bytes[RANDOM_ID_BYTES];

    if (igw_random(bytes, sizeof(bytes)) != IGW_OK) {
        return false;
    }
    igw_hex(bytes, sizeof(bytes), id);
    return true;
}

/* Without blocking: libfcgi fails where it would wait for what never comes. */
static bool
open_feed(struct igw_exchange *exchange)
{
    if (pipe2(exchange->feed, O_CLOEXEC | O_NONBLOCK) != 0) {
        exchange->feed[0] = exchange->feed[1] = -1;
        return false;
    }
    exchange->feed_bytes = fcntl(exchange->feed[1], F_GETPIPE_SZ);
    return true;
}

static void
close_feed(int feed[2])
{
    for (int i = 0; i < 2; i++) {
        if (feed[i] >= 0) {
            (void)close(feed[i]);
        }
        feed[i] = -1;
    }
}

static bool
open_request(struct igw_exchange *exchange, const struct igw_frame *frame,
             struct igw_slice params)
{
    int *feed = exchange->feed;

    if (feed[0] < 0 && !open_feed(exchange)) {
        return false;
    }
    exchange->fcgi.ipcFd = feed[0];
    exchange->fcgi.keepConnection = 1;
    if (!write_feed(exchange, frame, params)) {
        igw_logf(IGW_LOG_ERROR, "fcgi_refused", "pipe: %s", strerror(errno));
        close_feed(feed);
        return false;
    }
    if (FCGX_Accept_r(&exchange->fcgi) != 0) {
        feed[0] = -1; /* it has closed that */
        close_feed(feed);
        igw_logf(IGW_LOG_ERROR, "fcgi_refused", "libfcgi took no request");
        return false;
    }
    return true;
}

/* FCGI_BEGIN_REQUEST, FCGI_PARAMS records if any, the empty one. */
static bool
write_feed(struct igw_exchange *exchange, const struct igw_frame *frame,
           struct igw_slice params)
{
    unsigned char id_high = (unsigned char)(frame->id >> 8);
    unsigned char id_low = (unsigned char)(frame->id & 255);
    unsigned char begin[] = { 1, 1, id_high, id_low, 0, 8, 0, 0,
                              0, 1, 1,       0,      0, 0, 0, 0 };
    unsigned char headers[FEED_RECORDS][RECORD_HEADER_BYTES];
    struct iovec parts[1 + 2 * FEED_RECORDS] = { { begin, sizeof(begin) } };
    size_t whole = sizeof(begin);
    int count = 1;

    for (size_t i = 0; i < FEED_RECORDS; i++) {
        size_t len = params.len < RECORD_BYTES ? params.len : RECORD_BYTES;

        memcpy(headers[i],
               (unsigned char[]){ 1, 4, id_high, id_low,
                                  (unsigned char)(len >> 8),
                                  (unsigned char)(len & 255), 0, 0 },
               RECORD_HEADER_BYTES);
        parts[count++] = (struct iovec){ headers[i], RECORD_HEADER_BYTES };
        whole += RECORD_HEADER_BYTES + len;
        if (len == 0) {
            break;
        }
        parts[count++] = (struct iovec){ (void *)(uintptr_t)params.data, len };
        params.data += len;
        params.len -= len;
    }
    if (exchange->feed_bytes < (int)whole) {
        exchange->feed_bytes = fcntl(exchange->feed[1], F_SETPIPE_SZ, whole);
    }
    return writev(exchange->feed[1], parts, count) == (ssize_t)whole;
}

static void
read_request(struct igw_exchange *exchange, const struct igw_frame *frame,
             struct refusal *refusal)
{
    struct igw_request *request = &exchange->request;

    *request = (struct igw_request){ .params = exchange->fcgi.envp,
                                     .id = exchange->params.id,
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
