/*
 * response.c: building an answer.
 */
#include "http.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "text.h"

static void break_off(struct igw_response *response, const char *name);
static bool find_line(const struct igw_response *response, const char *name,
                      size_t *start, size_t *len);
static void start(struct igw_response *response, int status,
                  const char *content_type);

void
igw_response_clear(struct igw_response *response)
{
    igw_buf_clear(&response->headers);
    igw_buf_clear(&response->body);
    *response = (struct igw_response){ 0 };
}

void
igw_response_header(struct igw_response *response, const char *name,
                    struct igw_slice value)
{
    struct igw_buf *headers = &response->headers;

    /* A line is there whole or not at all, for find_line. */
    if (!igw_text_is_token(igw_slice_of(name)) || igw_text_has_control(value)
        || response->header_count == IGW_RESPONSE_HEADERS_MAX
        || !igw_buf_reserve(headers, strlen(name) + value.len + 4)) {
        break_off(response, name);
        return;
    }
    igw_buf_puts(headers, name);
    igw_buf_puts(headers, ": ");
    igw_buf_append(headers, value.data, value.len);
    igw_buf_puts(headers, "\r\n");
    response->header_count++;
}

void
igw_response_headerf(struct igw_response *response, const char *name,
                     const char *format, ...)
{
    struct igw_buf value;
    va_list args;

    igw_buf_init(&value);
    va_start(args, format);
    igw_buf_vprintf(&value, format, args);
    va_end(args);
    if (value.failed) {
        break_off(response, name);
    } else {
        igw_response_header(response, name, igw_buf_slice(&value));
    }
    igw_buf_clear(&value);
}

void
igw_response_set_header(struct igw_response *response, const char *name,
                        struct igw_slice value)
{
    struct igw_buf *headers = &response->headers;
    size_t at;
    size_t len;

    while (find_line(response, name, &at, &len)) {
        memmove(headers->data + at, headers->data + at + len,
                headers->len - at - len + 1);
        headers->len -= len;
        response->header_count--;
    }
    igw_response_header(response, name, value);
}

bool
igw_response_has_header(const struct igw_response *response, const char *name)
{
    size_t at;
    size_t len;

    return find_line(response, name, &at, &len);
}

struct igw_slice
igw_response_header_value(const struct igw_response *response, const char *name)
{
    struct igw_slice value = { "", 0 };
    size_t at;
    size_t len;

    if (find_line(response, name, &at, &len)) {
        value.data = response->headers.data + at + strlen(name) + 2;
        value.len = len - strlen(name) - 4;
    }
    return value;
}

/*
 * Referrer-Policy: with no-referrer a form of our own would come with "Origin:
 * null", and be refused where a browser sends no Sec-Fetch-Site.
 */
void
igw_response_guard(struct igw_response *response)
{
    static const char *const lines[][2] = {
        { "Content-Security-Policy",
          "default-src 'none'; frame-ancestors 'none'" },
        { "X-Content-Type-Options", "nosniff" },
        { "X-Frame-Options", "DENY" },
        { "Referrer-Policy", "same-origin" },
        { "Cross-Origin-Opener-Policy", "same-origin" },
        { "Cross-Origin-Resource-Policy", "same-origin" },
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (!igw_response_has_header(response, lines[i][0])) {
            igw_response_header(response, lines[i][0],
                                igw_slice_of(lines[i][1]));
        }
    }
}

void
igw_response_json(struct igw_response *response, int status,
                  const struct json_t *json)
{
    start(response, status, "application/json");
    if (igw_json_dump(json, &response->body) != IGW_OK) {
        break_off(response, "body");
    }
}

void
igw_response_text(struct igw_response *response, int status,
                  const char *content_type, struct igw_slice body)
{
    start(response, status, content_type);
    igw_buf_append(&response->body, body.data, body.len);
}

void
igw_response_empty(struct igw_response *response, int status)
{
    start(response, status, NULL);
}

const char *
igw_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } table[] = { { 200, "OK" },
                  { 201, "Created" },
                  { 202, "Accepted" },
                  { 204, "No Content" },
                  { 303, "See Other" },
                  { 304, "Not Modified" },
                  { 400, "Bad Request" },
                  { 401, "Unauthorized" },
                  { 403, "Forbidden" },
                  { 404, "Not Found" },
                  { 405, "Method Not Allowed" },
                  { 406, "Not Acceptable" },
                  { 409, "Conflict" },
                  { 412, "Precondition Failed" },
                  { 413, "Content Too Large" },
                  { 415, "Unsupported Media Type" },
                  { 422, "Unprocessable Content" },
                  { 428, "Precondition Required" },
                  { 429, "Too Many Requests" },
                  { 500, "Internal Server Error" },
                  { 501, "Not Implemented" },
                  { 503, "Service Unavailable" } };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].status == status) {
            return table[i].text;
        }
    }
    return "Unknown";
}

static void
start(struct igw_response *response, int status, const char *content_type)
{
    response->status = status;
    response->content_type = content_type;
    igw_buf_reset(&response->body);
}

/* Where the first line of this name begins and how long it is. */
static bool
find_line(const struct igw_response *response, const char *name, size_t *at,
          size_t *len)
{
    const struct igw_buf *headers = &response->headers;
    size_t name_len = strlen(name);

    for (*at = 0; *at < headers->len; *at += *len) {
        const char *line = headers->data + *at;

        *len = (size_t)(strchr(line, '\n') - line) + 1;
        if (*len > name_len && line[name_len] == ':'
            && strncasecmp(line, name, name_len) == 0) {
            return true;
        }
    }
    return false;
}

/* The value is not logged: it may be a secret. */
static void
break_off(struct igw_response *response, const char *name)
{
    response->is_broken = true;
    igw_log(IGW_LOG_ERROR, "response_header_refused",
            (struct igw_log_field[]){ { "header", name }, { NULL, NULL } });
}
