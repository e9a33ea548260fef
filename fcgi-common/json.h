/*
 * json.h: strict JSON (RFC 8259 and RFC 7493's unique names) over jansson,
 * which json.c alone includes. A value is a jansson `struct json_t`; this
 * header lends the name only.
 */
#ifndef IGW_JSON_H
#define IGW_JSON_H

#include "buf.h"

struct json_t;

enum { IGW_JSON_MAX_DEPTH = 16 };

enum igw_json_type {
    IGW_JSON_NULL,
    IGW_JSON_BOOL,
    IGW_JSON_INTEGER,
    IGW_JSON_REAL,
    IGW_JSON_STRING,
    IGW_JSON_ARRAY,
    IGW_JSON_OBJECT
};

/*
 * One JSON text: UTF-8, no NUL, no duplicate member, at most
 * IGW_JSON_MAX_DEPTH levels, nothing behind it. On IGW_INVALID *why holds
 * a code and a sentence for the client: invalid_json, duplicate_member,
 * too_deep, invalid_encoding. *out is the caller's, freed by igw_json_free.
 */
struct igw_json_fault {
    const char *code;
    char detail[160];
};

enum igw_result igw_json_parse(struct igw_slice text, struct json_t **out,
                               struct igw_json_fault *why) IGW_MUST_CHECK;
void igw_json_free(struct json_t **json);

enum igw_json_type igw_json_type(const struct json_t *json);

/* Member of an object; NULL when absent or json is no object. Borrowed. */
struct json_t *igw_json_get(const struct json_t *json, const char *name);

/* Walk the members in the order they came: NULL ends it. */
void *igw_json_first(struct json_t *object);
void *igw_json_next(struct json_t *object, void *iter);
const char *igw_json_name(void *iter);
struct json_t *igw_json_value(void *iter);

size_t igw_json_size(const struct json_t *json); /* array or object */
struct json_t *igw_json_at(const struct json_t *array, size_t index);

/* Empty slice, 0, false when json is of another type. Borrowed. */
struct igw_slice igw_json_text(const struct json_t *json);
int64_t igw_json_integer(const struct json_t *json);
bool igw_json_bool(const struct json_t *json);

/*
 * Building. A setter that fails (memory, text that is not UTF-8) marks
 * nothing; it returns false, and igw_json_dump is the place to notice for a
 * row of setters: each returns whether it worked.
 * igw_json_set and igw_json_append take over `value` in every case.
 */
struct json_t *igw_json_object(void);
struct json_t *igw_json_array(void);
bool igw_json_set(struct json_t *object, const char *name,
                  struct json_t *value);
bool igw_json_set_text(struct json_t *object, const char *name,
                       struct igw_slice text);
bool igw_json_set_integer(struct json_t *object, const char *name,
                          int64_t value);
bool igw_json_set_bool(struct json_t *object, const char *name, bool value);
void igw_json_remove(struct json_t *object, const char *name);
bool igw_json_append(struct json_t *array, struct json_t *value);
struct json_t *igw_json_new_text(struct igw_slice text);
struct json_t *igw_json_new_integer(int64_t value);
struct json_t *igw_json_new_bool(bool value);
struct json_t *igw_json_new_null(void);

/*
 * RFC 7396: applies the object `patch` to the object `target`; null takes a
 * member away. Parts of patch may be in target then. False: out of memory.
 */
bool igw_json_merge(struct json_t *target, struct json_t *patch);

/* Another reference to the same value, for igw_json_set. */
struct json_t *igw_json_share(struct json_t *json);

/*
 * Appends valid UTF-8 as a JSON string, quoted and escaped: for answers that
 * are written without a value in between.
 */
void igw_json_quote(struct igw_slice text, struct igw_buf *out);

/*
 * Compact, members in insertion order, a real number in 15 digits, or up to 17
 * if it takes them to read as the same; appended to out.
 */
enum igw_result igw_json_dump(const struct json_t *json,
                              struct igw_buf *out) IGW_MUST_CHECK;

#endif
