/*
 * text.c: UTF-8 over utf8proc, hex, base64url.
 */
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static const char hex_digits[] = "0123456789abcdef";
static const char base64url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static char *map(struct igw_slice text, int options);
static bool is_control(int32_t code_point);
static int sextet(char c);
static enum igw_result decode_quad(const char *text, size_t len,
                                   struct igw_buf *out);

enum igw_text_fault
igw_text_check(struct igw_slice text)
{
    enum igw_text_fault fault = IGW_TEXT_OK;
    int32_t code_point;

    while (text.len > 0) {
        if (igw_text_step(&text, &code_point) != IGW_OK) {
            return IGW_TEXT_NOT_UTF8;
        }
        if (is_control(code_point)) {
            fault = IGW_TEXT_CONTROL;
        }
    }
    return fault;
}

bool
igw_text_is_token(struct igw_slice text)
{
    static const bool names[256] = {
        ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
        ['!'] = true,         ['#'] = true,         ['$'] = true,
        ['%'] = true,         ['&'] = true,         ['\''] = true,
        ['*'] = true,         ['+'] = true,         ['-'] = true,
        ['.'] = true,         ['^'] = true,         ['_'] = true,
        ['`'] = true,         ['|'] = true,         ['~'] = true
    };

    for (size_t i = 0; i < text.len; i++) {
        if (!names[(unsigned char)text.data[i]]) {
            return false;
        }
    }
    return text.len > 0;
}

/* By blocks, which the compiler makes one step of: tokens are long. */
bool
igw_text_has_control(struct igw_slice text)
{
    enum { BLOCK = 16 };
    const unsigned char *at = (const unsigned char *)text.data;
    const unsigned char *end = at + text.len;
    unsigned char found = 0;

    for (; end - at >= BLOCK; at += BLOCK) {
        for (size_t i = 0; i < BLOCK; i++) {
            found |= at[i] < 0x20 || at[i] == 0x7f;
        }
    }
    for (; at < end; at++) {
        found |= *at < 0x20 || *at == 0x7f;
    }
    return found != 0;
}

size_t
igw_text_length(struct igw_slice text)
{
    size_t length = 0;
    int32_t code_point;

    while (igw_text_next(&text, &code_point)) {
        length++;
    }
    return length;
}

enum igw_result
igw_text_step(struct igw_slice *text, int32_t *code_point)
{
    utf8proc_ssize_t used;
    utf8proc_int32_t value = -1;

    if (text->len == 0) {
        return IGW_NOT_FOUND;
    }
    if ((unsigned char)text->data[0] < 0x80) {
        *code_point = (unsigned char)text->data[0];
        used = 1;
    } else {
        used = utf8proc_iterate((const utf8proc_uint8_t *)text->data,
                                (utf8proc_ssize_t)text->len, &value);
        *code_point = value;
    }
    if (used <= 0) {
        return IGW_INVALID;
    }
    text->data += used;
    text->len -= (size_t)used;
    return IGW_OK;
}

bool
igw_text_next(struct igw_slice *text, int32_t *code_point)
{
    return igw_text_step(text, code_point) == IGW_OK;
}

enum igw_text_kind
igw_text_kind(int32_t code_point)
{
    const utf8proc_property_t *property = utf8proc_get_property(code_point);

    if (code_point == 0x200c || code_point == 0x200d) {
        return IGW_TEXT_JOINER;
    }
    if (property->ignorable) {
        return IGW_TEXT_OTHER;
    }
    switch (utf8proc_category_string(code_point)[0]) {
    case 'L':
        return IGW_TEXT_LETTER;
    case 'M':
        return IGW_TEXT_MARK;
    case 'N':
        return IGW_TEXT_NUMBER;
    case 'P':
    case 'S':
        return IGW_TEXT_PUNCTUATION;
    case 'Z':
        return property->category == UTF8PROC_CATEGORY_ZS ? IGW_TEXT_SPACE
                                                          : IGW_TEXT_OTHER;
    default:
        return IGW_TEXT_OTHER;
    }
}

char *
igw_text_nfc(struct igw_slice text)
{
    return map(text, UTF8PROC_COMPOSE);
}

char *
igw_text_nfkc(struct igw_slice text)
{
    return map(text, UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
}

char *
igw_text_nfkc_casefold(struct igw_slice text)
{
    return map(text, UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD
                         | UTF8PROC_IGNORE);
}

void
igw_hex(const unsigned char *data, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++) {
        *out++ = hex_digits[data[i] >> 4];
        *out++ = hex_digits[data[i] & 15];
    }
    *out = '\0';
}

void
igw_base64url_encode(const void *data, size_t len, struct igw_buf *out)
{
    const unsigned char *in = data;
    char *to;

    if (len > SIZE_MAX / 2 || !igw_buf_reserve(out, len / 3 * 4 + 4)) {
        out->failed = true;
        return;
    }
    to = out->data + out->len;
    for (size_t i = 0; i < len; i += 3) {
        size_t bytes = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)in[i] << 16;

        bits |= bytes > 1 ? (uint32_t)in[i + 1] << 8 : 0;
        bits |= bytes > 2 ? in[i + 2] : 0;
        to[0] = base64url[bits >> 18];
        to[1] = base64url[bits >> 12 & 63];
        to[2] = base64url[bits >> 6 & 63];
        to[3] = base64url[bits & 63];
        to += bytes + 1;
    }
    *to = '\0';
    out->len = (size_t)(to - out->data);
}

enum igw_result
igw_base64url_decode(struct igw_slice text, struct igw_buf *out)
{
    if (text.len % 4 == 1) {
        return IGW_INVALID;
    }
    for (size_t i = 0; i < text.len; i += 4) {
        size_t len = text.len - i < 4 ? text.len - i : 4;

        if (decode_quad(text.data + i, len, out) != IGW_OK) {
            return IGW_INVALID;
        }
    }
    return out->failed ? IGW_ERROR : IGW_OK;
}

static enum igw_result
decode_quad(const char *text, size_t len, struct igw_buf *out)
{
    uint32_t bits = 0;
    unsigned char bytes[3];

    for (size_t i = 0; i < 4; i++) {
        int value = i < len ? sextet(text[i]) : 0;

        if (value < 0) {
            return IGW_INVALID;
        }
        bits = bits << 6 | (uint32_t)value;
    }
    /* RFC 7515: one spelling per value, so the unused bits are zero. */
    if ((len == 2 && (bits & 0xffff) != 0)
        || (len == 3 && (bits & 0xff) != 0)) {
        return IGW_INVALID;
    }
    bytes[0] = (unsigned char)(bits >> 16);
    bytes[1] = (unsigned char)(bits >> 8 & 255);
    bytes[2] = (unsigned char)(bits & 255);
    igw_buf_append(out, bytes, len - 1);
    return IGW_OK;
}

static int
sextet(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

static char *
map(struct igw_slice text, int options)
{
    utf8proc_uint8_t *out = NULL;
    utf8proc_ssize_t len;

    len = utf8proc_map((const utf8proc_uint8_t *)text.data,
                       (utf8proc_ssize_t)text.len, &out,
                       (utf8proc_option_t)(options | UTF8PROC_STABLE));
    if (len < 0) {
        free(out);
        return NULL;
    }
    return (char *)out;
}

static bool
is_control(int32_t code_point)
{
    return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct igw_slice
igw_text_trim(struct igw_slice text)
{
    while (text.len > 0 && is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.data[text.len - 1])) {
        text.len--;
    }
    return text;
}
