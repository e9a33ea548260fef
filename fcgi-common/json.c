/*
 * json.c: strict JSON over jansson.
 */
#include "json.h"

#include <errno.h>
#include <float.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_too_deep(struct igw_slice text);
static size_t end_of_string(struct igw_slice text, size_t at);
static const char *fault_code(enum json_error_code code);
static enum igw_result refuse(struct igw_json_fault *why, const char *code,
                              const char *detail);
static bool merge_value(struct json_t *target, const char *name,
                        struct json_t *value);
static bool put(const json_t *json, struct igw_buf *out);
static int write_to_buf(const char *text, size_t len, void *data);

enum igw_result
igw_json_parse(struct igw_slice text, struct json_t **out,
               struct igw_json_fault *why)
{
    json_error_t error;
    const char *code;

    *out = NULL;
    if (is_too_deep(text)) {
        return refuse(why, "too_deep",
                      "The JSON text has more than 16 levels.");
    }
    /* jansson passes over a NUL behind a number. */
    if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL) {
        return refuse(why, "invalid_encoding", "A NUL is in the JSON text.");
    }
    errno = 0;
    *out = json_loadb(text.data, text.len,
                      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    /*
     * Without memory for a text jansson says that there is a syntax error; or
     * it leaves out bytes, and says nothing.
     */
    if (errno == ENOMEM) {
        igw_json_free(out);
        return IGW_ERROR;
    }
    if (*out != NULL) {
        return IGW_OK;
    }
    code = fault_code(json_error_code(&error));
    /* jansson's own text quotes the input, so it is not passed on. */
    (void)snprintf(
        why->detail, sizeof(why->detail),
        "%s at line %d, column %d of the JSON text.",
        strcmp(code, "duplicate_member") == 0   ? "A member is there twice"
        : strcmp(code, "invalid_encoding") == 0 ? "Not UTF-8, or a NUL,"
        : json_error_code(&error) == json_error_numeric_overflow
            ? "A number is too large"
            : "Syntax error",
        error.line, error.column);
    why->code = code;
    return IGW_INVALID;
}

void
igw_json_free(struct json_t **json)
{
    json_decref(*json);
    *json = NULL;
}

enum igw_json_type
igw_json_type(const struct json_t *json)
{
    static const enum igw_json_type types[] = {
        [JSON_OBJECT] = IGW_JSON_OBJECT, [JSON_ARRAY] = IGW_JSON_ARRAY,
        [JSON_STRING] = IGW_JSON_STRING, [JSON_INTEGER] = IGW_JSON_INTEGER,
        [JSON_REAL] = IGW_JSON_REAL,     [JSON_TRUE] = IGW_JSON_BOOL,
        [JSON_FALSE] = IGW_JSON_BOOL,    [JSON_NULL] = IGW_JSON_NULL
    };

    return json == NULL ? IGW_JSON_NULL : types[json_typeof(json)];
}

struct json_t *
igw_json_get(const struct json_t *json, const char *name)
{
    return json_object_get(json, name);
}

void *
igw_json_first(struct json_t *object)
{
    return json_object_iter(object);
}

void *
igw_json_next(struct json_t *object, void *iter)
{
    return json_object_iter_next(object, iter);
}

const char *
igw_json_name(void *iter)
{
    return json_object_iter_key(iter);
}

struct json_t *
igw_json_value(void *iter)
{
    return json_object_iter_value(iter);
}

size_t
igw_json_size(const struct json_t *json)
{
    return json_is_array(json) ? json_array_size(json) : json_object_size(json);
}

struct json_t *
igw_json_at(const struct json_t *array, size_t index)
{
    return json_array_get(array, index);
}

struct igw_slice
igw_json_text(const struct json_t *json)
{
    if (!json_is_string(json)) {
        return (struct igw_slice){ "", 0 };
    }
    return (struct igw_slice){ json_string_value(json),
                               json_string_length(json) };
}

int64_t
igw_json_integer(const struct json_t *json)
{
    return json_integer_value(json);
}

bool
igw_json_bool(const struct json_t *json)
{
    return json_is_true(json);
}

struct json_t *
igw_json_object(void)
{
    return json_object();
}

struct json_t *
igw_json_array(void)
{
    return json_array();
}

bool
igw_json_set(struct json_t *object, const char *name, struct json_t *value)
{
    return json_object_set_new(object, name, value) == 0;
}

bool
igw_json_set_text(struct json_t *object, const char *name,
                  struct igw_slice text)
{
    return igw_json_set(object, name, igw_json_new_text(text));
}

struct json_t *
igw_json_new_integer(int64_t value)
{
    return json_integer(value);
}

struct json_t *
igw_json_new_null(void)
{
    return json_null();
}

struct json_t *
igw_json_new_bool(bool value)
{
    return json_boolean(value);
}

bool
igw_json_set_integer(struct json_t *object, const char *name, int64_t value)
{
    return igw_json_set(object, name, json_integer(value));
}

bool
igw_json_set_bool(struct json_t *object, const char *name, bool value)
{
    return igw_json_set(object, name, json_boolean(value));
}

void
igw_json_remove(struct json_t *object, const char *name)
{
    (void)json_object_del(object, name);
}

bool
igw_json_append(struct json_t *array, struct json_t *value)
{
    return json_array_append_new(array, value) == 0;
}

struct json_t *
igw_json_new_text(struct igw_slice text)
{
    return json_stringn(text.data, text.len);
}

struct json_t *
igw_json_share(struct json_t *json)
{
    return json_incref(json);
}

/* With 15 digits, or as many more as it takes; jansson itself writes 17. */
static bool
put_real(const json_t *json, struct igw_buf *out)
{
    double value = json_real_value(json);
    char text[32];
    size_t digits = DBL_DIG - 1;

    do {
        digits++;
        (void)snprintf(text, sizeof(text), "%.*g", (int)digits, value);
    } while (digits < DBL_DECIMAL_DIG && strtod(text, NULL) != value);

    return json_dump_callback(json, write_to_buf, out,
                              JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits))
           == 0;
}

static bool /* NOLINTNEXTLINE(misc-no-recursion): the depth has a bound */
put_array(const json_t *json, struct igw_buf *out)
{
    igw_buf_puts(out, "[");
    for (size_t i = 0; i < json_array_size(json); i++) {
        igw_buf_puts(out, i > 0 ? "," : "");
        if (!put(json_array_get(json, i), out)) {
            return false;
        }
    }
    igw_buf_puts(out, "]");
    return true;
}

static bool /* NOLINTNEXTLINE(misc-no-recursion): the depth has a bound */
put_object(const json_t *json, struct igw_buf *out)
{
    json_t *object = (json_t *)(uintptr_t)json; /* jansson only walks */
    const char *before = "{";

    for (void *at = json_object_iter(object); at != NULL;
         at = json_object_iter_next(object, at)) {
        igw_buf_puts(out, before);
        before = ",";
        igw_json_quote(igw_slice_of(json_object_iter_key(at)), out);
        igw_buf_puts(out, ":");
        if (!put(json_object_iter_value(at), out)) {
            return false;
        }
    }
    igw_buf_puts(out, before[0] == '{' ? "{}" : "}");
    return true;
}

static bool /* NOLINTNEXTLINE(misc-no-recursion): the depth has a bound */
put(const json_t *json, struct igw_buf *out)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return put_object(json, out);
    case JSON_ARRAY:
        return put_array(json, out);
    case JSON_REAL:
        return put_real(json, out);
    case JSON_STRING:
        igw_json_quote((struct igw_slice){ json_string_value(json),
                                           json_string_length(json) },
                       out);
        return true;
    case JSON_INTEGER:
        igw_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        return true;
    default:
        igw_buf_puts(out, json_is_true(json)    ? "true"
                          : json_is_false(json) ? "false"
                                                : "null");
        return true;
    }
}

enum igw_result
igw_json_dump(const struct json_t *json, struct igw_buf *out)
{
    return json != NULL && put(json, out) && !out->failed ? IGW_OK : IGW_ERROR;
}

void
igw_json_quote(struct igw_slice text, struct igw_buf *out)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char letters[32] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'
    };
    size_t start = 0;

    igw_buf_append(out, "\"", 1);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        char escape[6] = { '\\', (char)byte, '0', '0', 0, 0 };
        size_t len = 2;

        if (byte >= 0x20 && byte != '"' && byte != '\\') {
            continue;
        }
        if (byte < 0x20 && letters[byte] != '\0') {
            escape[1] = letters[byte];
        } else if (byte < 0x20) {
            escape[1] = 'u';
            escape[4] = hex[byte >> 4];
            escape[5] = hex[byte & 15];
            len = 6;
        }
        igw_buf_append(out, text.data + start, i - start);
        igw_buf_append(out, escape, len);
        start = i + 1;
    }
    igw_buf_append(out, text.data + start, text.len - start);
    igw_buf_append(out, "\"", 1);
}

/* As deep as igw_json_parse lets a patch be. */
bool /* NOLINTNEXTLINE(misc-no-recursion): the depth has a bound */
igw_json_merge(struct json_t *target, struct json_t *patch)
{
    for (void *iter = json_object_iter(patch); iter != NULL;
         iter = json_object_iter_next(patch, iter)) {
        const char *name = json_object_iter_key(iter);
        struct json_t *value = json_object_iter_value(iter);

        if (json_is_null(value)) {
            (void)json_object_del(target, name);
        } else if (!merge_value(target, name, value)) {
            return false;
        }
    }
    return true;
}

static bool /* NOLINTNEXTLINE(misc-no-recursion): the depth has a bound */
merge_value(struct json_t *target, const char *name, struct json_t *value)
{
    if (!json_is_object(value)) {
        return json_object_set(target, name, value) == 0;
    }
    if (!json_is_object(json_object_get(target, name))
        && json_object_set_new(target, name, json_object()) != 0) {
        return false;
    }
    return igw_json_merge(json_object_get(target, name), value);
}

static int
write_to_buf(const char *text, size_t len, void *data)
{
    struct igw_buf *buf = data;

    igw_buf_append(buf, text, len);
    return buf->failed ? -1 : 0;
}

/*
 * Before the parser, because jansson recurses up to 2,048 levels. Brackets
 * that do not match are the parser's to find.
 */
static bool
is_too_deep(struct igw_slice text)
{
    size_t depth = 0;

    for (size_t i = 0; i < text.len; i++) {
        switch (text.data[i]) {
        case '"':
            i = end_of_string(text, i);
            break;
        case '[':
        case '{':
            if (++depth > IGW_JSON_MAX_DEPTH) {
                return true;
            }
            break;
        case ']':
        case '}':
            depth -= depth > 0 ? 1 : 0;
            break;
        default:
            break;
        }
    }
    return false;
}

static size_t
end_of_string(struct igw_slice text, size_t at)
{
    for (at++; at < text.len && text.data[at] != '"'; at++) {
        at += text.data[at] == '\\' ? 1 : 0;
    }
    return at;
}

static const char *
fault_code(enum json_error_code code)
{
    switch (code) {
    case json_error_duplicate_key:
        return "duplicate_member";
    case json_error_stack_overflow:
        return "too_deep";
    case json_error_invalid_utf8:
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "invalid_encoding";
    default:
        return "invalid_json";
    }
}

static enum igw_result
refuse(struct igw_json_fault *why, const char *code, const char *detail)
{
    why->code = code;
    (void)snprintf(why->detail, sizeof(why->detail), "%s", detail);
    return IGW_INVALID;
}
