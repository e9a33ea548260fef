/*
 * log.c: JSON lines on stderr.
 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

/* PIPE_BUF: a longer write into a pipe may mix with another's. */
enum {
    LINE_MAX_BYTES = 4096,
    VALUE_MAX_BYTES = 1024,
    DETAIL_MAX_BYTES = 1024,
    USER_MAX_BYTES = 64
};

/* A line under construction; the last two bytes are kept for "}\n". */
struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
};

static const char *const level_names[] = { "debug", "info", "warn", "error" };

static struct {
    const char *program;
    enum igw_log_level least;
} config = { "identgw", IGW_LOG_INFO };

static __thread const char *current_request;
static __thread char current_user[USER_MAX_BYTES + 1];

static void add_member(struct line *line, const char *name, const char *value);
static bool add_bytes(struct line *line, const char *bytes, size_t len);
static bool add_code_point(struct line *line, const char *bytes, size_t len,
                           int32_t code_point);
static void add_text(struct line *line, const char *value);
static void add_time(struct line *line);
static void write_line(struct line *line);

void
igw_log_init(const char *program, enum igw_log_level least)
{
    config.program = program;
    config.least = least;
}

const char *
igw_log_program(void)
{
    return config.program != NULL ? config.program : "";
}

void
igw_log_request(const char *request_id)
{
    current_request = request_id;
    current_user[0] = '\0';
}

void
igw_log_user(const char *user_id)
{
    (void)snprintf(current_user, sizeof(current_user), "%s",
                   user_id == NULL ? "" : user_id);
}

bool
igw_log_shows(enum igw_log_level level)
{
    return level >= config.least;
}

void
igw_log(enum igw_log_level level, const char *event,
        const struct igw_log_field *fields)
{
    struct line line = { .len = 0 };

    if (!igw_log_shows(level)) {
        return;
    }
    (void)add_bytes(&line, "{", 1);
    add_time(&line);
    add_member(&line, "level", level_names[level]);
    add_member(&line, "program", config.program);
    add_member(&line, "event", event);
    add_member(&line, "request_id", current_request);
    add_member(&line, "user_id", *current_user == '\0' ? NULL : current_user);
    for (; fields != NULL && fields->name != NULL; fields++) {
        add_member(&line, fields->name, fields->value);
    }
    write_line(&line);
}

void
igw_logf(enum igw_log_level level, const char *event, const char *format, ...)
{
    char detail[DETAIL_MAX_BYTES];
    va_list args;

    if (!igw_log_shows(level)) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
    igw_log(level, event,
            (struct igw_log_field[]){ { "detail", detail }, { NULL, NULL } });
}

/* Whole or not at all, so that the line stays JSON when it is full. */
static void
add_member(struct line *line, const char *name, const char *value)
{
    size_t start = line->len;

    if (value == NULL) {
        return;
    }
    if (start > 1) {
        (void)add_bytes(line, ",", 1);
    }
    (void)add_bytes(line, "\"", 1);
    (void)add_bytes(line, name, strlen(name));
    (void)add_bytes(line, "\":\"", 3);
    add_text(line, value);
    if (!add_bytes(line, "\"", 1)) {
        line->len = start;
    }
}

static void
add_text(struct line *line, const char *value)
{
    struct igw_slice rest = { value, strnlen(value, VALUE_MAX_BYTES) };

    while (rest.len > 0) {
        struct igw_slice before = rest;
        int32_t code_point;

        if (igw_text_step(&rest, &code_point) != IGW_OK) {
            code_point = 0xfffd;
            rest.data++;
            rest.len--;
        }
        if (!add_code_point(line, before.data, before.len - rest.len,
                            code_point)) {
            return;
        }
    }
}

/* Escaped: what JSON asks for, and what a terminal would act on. */
static bool
add_code_point(struct line *line, const char *bytes, size_t len,
               int32_t code_point)
{
    char escaped[8];

    if (code_point == '"' || code_point == '\\') {
        escaped[0] = '\\';
        escaped[1] = (char)code_point;
        return add_bytes(line, escaped, 2);
    }
    if (code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0)
        || code_point == 0x2028 || code_point == 0x2029
        || code_point == 0xfffd) {
        (void)snprintf(escaped, sizeof(escaped), "\\u%04x",
                       (unsigned)code_point & 0xffff);
        return add_bytes(line, escaped, 6);
    }
    return add_bytes(line, bytes, len);
}

static bool
add_bytes(struct line *line, const char *bytes, size_t len)
{
    if (len > sizeof(line->text) - 3 - line->len) {
        return false;
    }
    memcpy(line->text + line->len, bytes, len);
    line->len += len;
    return true;
}

static void
add_time(struct line *line)
{
    struct timespec now;
    struct tm utc;
    char seconds[sizeof("2000-01-01T00:00:00")];
    char text[40];

    if (clock_gettime(CLOCK_REALTIME, &now) != 0
        || gmtime_r(&now.tv_sec, &utc) == NULL
        || strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &utc) == 0) {
        return;
    }
    (void)snprintf(text, sizeof(text), "%s.%03dZ", seconds,
                   (int)(now.tv_nsec / 1000000));
    add_member(line, "time", text);
}

static void
write_line(struct line *line)
{
    ssize_t written;

    line->text[line->len++] = '}';
    line->text[line->len++] = '\n';
    /* Nothing can be done, and nobody told, when stderr is gone. */
    written = write(STDERR_FILENO, line->text, line->len);
    (void)written;
}
