/*
 * buf.h: a byte buffer that grows. A failed allocation is remembered in
 * `failed`, so that a row of appends is checked once at its end.
 */
#ifndef IGW_BUF_H
#define IGW_BUF_H

#include <stdarg.h>

#include "igw.h"

struct igw_buf {
    char *data; /* NUL-terminated whenever it is not NULL */
    size_t len; /* bytes, without that NUL */
    size_t cap;
    bool failed; /* an allocation failed; nothing is appended any more */
};

void igw_buf_init(struct igw_buf *buf);
/* Frees the bytes, wiping them first: buffers hold tokens. */
void igw_buf_clear(struct igw_buf *buf);
/* Empty again, its memory kept for the next use. */
void igw_buf_reset(struct igw_buf *buf);
/* Room for len more bytes at once. False: failed. */
bool igw_buf_reserve(struct igw_buf *buf, size_t len);
void igw_buf_append(struct igw_buf *buf, const void *data, size_t len);
void igw_buf_puts(struct igw_buf *buf, const char *text);
void igw_buf_printf(struct igw_buf *buf, const char *format, ...)
    IGW_PRINTF(2, 3);
void igw_buf_vprintf(struct igw_buf *buf, const char *format, va_list args)
    IGW_PRINTF(2, 0);
struct igw_slice igw_buf_slice(const struct igw_buf *buf);

#endif
