/*
 * buf.c: the growing buffer.
 */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256, PRINT_BYTES = 1023 };

static size_t next_capacity(size_t cap, size_t wanted);

void
igw_buf_init(struct igw_buf *buf)
{
    *buf = (struct igw_buf){ 0 };
}

void
igw_buf_clear(struct igw_buf *buf)
{
    if (buf->data != NULL) {
        explicit_bzero(buf->data, buf->cap);
        free(buf->data);
    }
    igw_buf_init(buf);
}

void
igw_buf_reset(struct igw_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->data != NULL) {
        buf->data[0] = '\0';
    }
}

void
igw_buf_append(struct igw_buf *buf, const void *data, size_t len)
{
    if (len == 0 || !igw_buf_reserve(buf, len)) {
        return;
    }
    memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void
igw_buf_puts(struct igw_buf *buf, const char *text)
{
    igw_buf_append(buf, text, strlen(text));
}

void
igw_buf_printf(struct igw_buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    igw_buf_vprintf(buf, format, args);
    va_end(args);
}

/* Counting alone takes as long as printing, so that is tried first. */
void
igw_buf_vprintf(struct igw_buf *buf, const char *format, va_list args)
{
    va_list again;
    size_t room;
    int len;

    if (!igw_buf_reserve(buf, PRINT_BYTES)) {
        return;
    }
    room = buf->cap - buf->len;
    va_copy(again, args);
    len = vsnprintf(buf->data + buf->len, room, format, again);
    va_end(again);
    if (len >= 0 && (size_t)len >= room) {
        buf->data[buf->len] = '\0';
        if (!igw_buf_reserve(buf, (size_t)len)) {
            return;
        }
        (void)vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
    }
    if (len < 0) {
        buf->data[buf->len] = '\0';
        buf->failed = true;
        return;
    }
    buf->len += (size_t)len;
}

struct igw_slice
igw_buf_slice(const struct igw_buf *buf)
{
    return (struct igw_slice){ buf->data == NULL ? "" : buf->data, buf->len };
}

/* With a NUL. Old bytes are wiped, not only freed. */
bool
igw_buf_reserve(struct igw_buf *buf, size_t len)
{
    size_t wanted;
    size_t cap;
    char *data;

    if (buf->failed) {
        return false;
    }
    if (__builtin_add_overflow(buf->len, len, &wanted)
        || __builtin_add_overflow(wanted, 1, &wanted)) {
        buf->failed = true;
        return false;
    }
    if (wanted <= buf->cap) {
        return true;
    }
    cap = next_capacity(buf->cap, wanted);
    data = malloc(cap);
    if (data == NULL) {
        buf->failed = true;
        return false;
    }
    if (buf->data != NULL) {
        memcpy(data, buf->data, buf->len + 1);
        explicit_bzero(buf->data, buf->cap);
        free(buf->data);
    }
    data[buf->len] = '\0';
    buf->data = data;
    buf->cap = cap;
    return true;
}

static size_t
next_capacity(size_t cap, size_t wanted)
{
    size_t doubled = cap < FIRST_CAPACITY / 2 ? FIRST_CAPACITY : cap * 2;

    return doubled < wanted ? wanted : doubled;
}
