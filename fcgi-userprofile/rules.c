#include "rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shapes.h"
#include "text.h"
#include "zone.h"

enum { ERRORS_MAX = 100 };

struct rule {
    enum profile_field field;
    bool many_lines;
    const char *name;
    size_t max;                           /* code points */
    bool (*shape)(struct igw_slice text); /* NULL: any text */
    const char *expected;
};

static const char url[] = "must be an http or https URL without credentials";

static const struct rule top_rules[] = {
    { PROFILE_GIVEN_NAME, false, "given_name", 128, NULL, NULL },
    { PROFILE_FAMILY_NAME, false, "family_name", 128, NULL, NULL },
    { PROFILE_NICKNAME, false, "nickname", 128, NULL, NULL },
    { PROFILE_PICTURE, false, "picture", 2048, shapes_is_url, url },
    { PROFILE_WEBSITE, false, "website", 2048, shapes_is_url, url },
    { PROFILE_GENDER, false, "gender", 64, NULL, NULL },
    { PROFILE_BIRTHDATE, false, "birthdate", 10, shapes_is_birthdate,
      "must be a date as YYYY-MM-DD, 0000-MM-DD or YYYY" },
    { PROFILE_ZONEINFO, false, "zoneinfo", 64, NULL, NULL },
    { PROFILE_LOCALE, false, "locale", 35, shapes_is_locale,
      "must be a language tag such as en-US" },
    { PROFILE_PHONE_NUMBER, false, "phone_number", 16, shapes_is_phone_number,
      "must be a number in E.164 form such as +14255551212" },
    { PROFILE_BIO, true, "bio", 4096, NULL, NULL },
};

static const struct rule address_rules[] = {
    { PROFILE_ADDRESS_FORMATTED, true, "formatted", 1024, NULL, NULL },
    { PROFILE_ADDRESS_STREET_ADDRESS, true, "street_address", 512, NULL, NULL },
    { PROFILE_ADDRESS_LOCALITY, false, "locality", 128, NULL, NULL },
    { PROFILE_ADDRESS_REGION, false, "region", 128, NULL, NULL },
    { PROFILE_ADDRESS_POSTAL_CODE, false, "postal_code", 32, NULL, NULL },
    { PROFILE_ADDRESS_COUNTRY, false, "country", 128, NULL, NULL },
};

/* In every answer, in no question. */
static const char *const read_only[] = { "sub", "preferred_username",
                                         "updated_at" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One document on its way to a profile. */
struct reading {
    struct profile *profile;
    struct igw_errors *errors;
    size_t error_count;
    const char *parent; /* "/address" or NULL */
    bool is_patch;
    enum igw_result failure; /* IGW_OK, else not the client's fault */
};

static enum igw_result read_all(struct reading *reading,
                                struct json_t *document);
static void read_top(struct reading *reading, const char *name,
                     struct json_t *value);
static void read_address(struct reading *reading, struct json_t *address);
static void read_custom(struct reading *reading, struct json_t *custom);
static bool parse_custom(const struct profile *profile, struct json_t **custom);
static void keep_custom(struct reading *reading, const struct json_t *custom);
static void read_unknown(struct reading *reading, const char *name);
static void read_text(struct reading *reading, const struct rule *rule,
                      const struct json_t *value);
static bool removes(const struct reading *reading, const struct json_t *value);
static void put(struct reading *reading, enum profile_field field, char *text);
static void refuse(struct reading *reading, const char *name, const char *code,
                   const char *detail);
static const char *fault_of(const struct rule *rule, struct igw_slice text,
                            char detail[64]);
static const char *zone_fault(struct igw_slice text, char detail[64]);
static const struct rule *find(const struct rule *rules, size_t count,
                               const char *name);
static bool is_clean(struct igw_slice text, bool many_lines);
static void write_row(const struct profile *profile, const struct rule *rules,
                      size_t count, struct igw_buf *out);
static void write_address(const struct profile *profile, struct igw_buf *out);

enum igw_result
rules_read(struct json_t *document, struct profile *profile,
           struct igw_errors *errors)
{
    struct reading reading = { .profile = profile, .errors = errors };

    profile_clear(profile);
    return read_all(&reading, document);
}

enum igw_result
rules_patch(struct json_t *patch, struct profile *profile,
            struct igw_errors *errors)
{
    struct reading reading = { .profile = profile,
                               .errors = errors,
                               .is_patch = true };

    return read_all(&reading, patch);
}

static enum igw_result
read_all(struct reading *reading, struct json_t *document)
{
    for (void *iter = igw_json_first(document); iter != NULL;
         iter = igw_json_next(document, iter)) {
        read_top(reading, igw_json_name(iter), igw_json_value(iter));
    }

    if (reading->failure != IGW_OK) {
        return reading->failure;
    }
    return igw_errors_any(reading->errors) ? IGW_INVALID : IGW_OK;
}

static void
read_top(struct reading *reading, const char *name, struct json_t *value)
{
    const struct rule *rule = find(top_rules, COUNT(top_rules), name);

    if (rule != NULL) {
        read_text(reading, rule, value);
    } else if (strcmp(name, "address") == 0) {
        read_address(reading, value);
    } else if (strcmp(name, "custom") == 0) {
        read_custom(reading, value);
    } else {
        read_unknown(reading, name);
    }
}

static void
read_address(struct reading *reading, struct json_t *address)
{
    if (removes(reading, address)) {
        for (size_t i = 0; i < COUNT(address_rules); i++) {
            put(reading, address_rules[i].field, NULL);
        }
        return;
    }
    if (igw_json_type(address) != IGW_JSON_OBJECT) {
        refuse(reading, "address", "wrong_type", "must be an object");
        return;
    }

    reading->parent = "/address";
    for (void *iter = igw_json_first(address); iter != NULL;
         iter = igw_json_next(address, iter)) {
        const char *name = igw_json_name(iter);
        const struct rule *rule;

        rule = find(address_rules, COUNT(address_rules), name);
        if (rule != NULL) {
            read_text(reading, rule, igw_json_value(iter));
        } else {
            refuse(reading, name, "unknown_field", "is not a known field");
        }
    }
    reading->parent = NULL;
}

static void
read_custom(struct reading *reading, struct json_t *custom)
{
    struct json_t *merged = NULL;

    if (removes(reading, custom)) {
        put(reading, PROFILE_CUSTOM, NULL);
    } else if (igw_json_type(custom) != IGW_JSON_OBJECT) {
        refuse(reading, "custom", "wrong_type", "must be an object");
    } else if (!reading->is_patch) {
        keep_custom(reading, custom);
    } else if (parse_custom(reading->profile, &merged)
               && igw_json_merge(merged, custom)) {
        keep_custom(reading, merged);
    } else {
        reading->failure = IGW_ERROR;
    }
    igw_json_free(&merged);
}

/* The profile's own, an empty one where it has none. False: we have failed. */
static bool
parse_custom(const struct profile *profile, struct json_t **custom)
{
    const char *text = profile->value[PROFILE_CUSTOM];
    struct igw_json_fault fault;

    if (text == NULL) {
        *custom = igw_json_object();
        return *custom != NULL;
    }
    return igw_json_parse(igw_slice_of(text), custom, &fault) == IGW_OK;
}

static void
keep_custom(struct reading *reading, const struct json_t *custom)
{
    struct igw_buf text;

    igw_buf_init(&text);
    if (igw_json_dump(custom, &text) != IGW_OK) {
        reading->failure = IGW_ERROR;
    } else if (text.len > RULES_CUSTOM_MAX) {
        refuse(reading, "custom", "too_long",
               "must be at most 16384 bytes of JSON");
    } else {
        /* From here on the profile owns the bytes. */
        put(reading, PROFILE_CUSTOM, text.data);
        igw_buf_init(&text);
    }
    igw_buf_clear(&text);
}

static void
read_unknown(struct reading *reading, const char *name)
{
    for (size_t i = 0; i < COUNT(read_only); i++) {
        if (strcmp(read_only[i], name) == 0) {
            refuse(reading, name, "read_only",
                   "is set by the service; leave it out");
            return;
        }
    }

    refuse(reading, name, "unknown_field", "is not a known field");
}

static void
read_text(struct reading *reading, const struct rule *rule,
          const struct json_t *value)
{
    char detail[64];
    const char *code;
    char *text;

    if (removes(reading, value)) {
        put(reading, rule->field, NULL);
        return;
    }
    if (igw_json_type(value) != IGW_JSON_STRING) {
        refuse(reading, rule->name, "wrong_type", "must be a string");
        return;
    }

    text = igw_text_nfc(igw_json_text(value));
    if (text == NULL) {
        reading->failure = IGW_ERROR;
        return;
    }

    put(reading, rule->field, text);
    code = fault_of(rule, igw_slice_of(text), detail);
    if (code != NULL) {
        refuse(reading, rule->name, code, detail);
    }
}

/* Whether this is a patch's word for "take it away". */
static bool
removes(const struct reading *reading, const struct json_t *value)
{
    return reading->is_patch && igw_json_type(value) == IGW_JSON_NULL;
}

/* Takes over text; NULL: the member is not there any more. */
static void
put(struct reading *reading, enum profile_field field, char *text)
{
    free(reading->profile->value[field]);
    reading->profile->value[field] = text;
}

static const char *
fault_of(const struct rule *rule, struct igw_slice text, char detail[64])
{
    if (text.len == 0) {
        (void)snprintf(detail, 64, "must not be empty; leave it out instead");
        return "too_short";
    }
    if (!is_clean(text, rule->many_lines)) {
        (void)snprintf(detail, 64, "must not contain control characters");
        return "control_character";
    }
    if (igw_text_length(text) > rule->max) {
        (void)snprintf(detail, 64, "must be at most %zu characters", rule->max);
        return "too_long";
    }
    if (rule->shape != NULL && !rule->shape(text)) {
        (void)snprintf(detail, 64, "%s", rule->expected);
        return "invalid_format";
    }
    return rule->field == PROFILE_ZONEINFO ? zone_fault(text, detail) : NULL;
}

static const char *
zone_fault(struct igw_slice text, char detail[64])
{
    switch (zone_check(text)) {
    case IGW_OK:
        return NULL;
    case IGW_UNAVAILABLE:
        (void)snprintf(detail, 64, "cannot be checked here: leave it out");
        return "no_time_zones";
    default:
        (void)snprintf(detail, 64, "must be a time zone such as Europe/Paris");
        return "invalid_format";
    }
}

static void
refuse(struct reading *reading, const char *name, const char *code,
       const char *detail)
{
    if (reading->error_count++ >= ERRORS_MAX) {
        return;
    }
    if (reading->parent == NULL) {
        igw_errors_add(reading->errors, name, code, detail);
    } else {
        igw_errors_add_below(reading->errors, reading->parent, name, code,
                             detail);
    }
}

static const struct rule *
find(const struct rule *rules, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rules[i].name, name) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}

/* Lines end with LF or CR LF (OpenID Connect Core 5.1.1). */
static bool
is_clean(struct igw_slice text, bool many_lines)
{
    while (many_lines) {
        const char *end = memchr(text.data, '\n', text.len);
        struct igw_slice line;

        if (end == NULL) {
            break;
        }
        line.data = text.data;
        line.len = (size_t)(end - text.data);
        text.data = end + 1;
        text.len -= line.len + 1;
        if (line.len > 0 && line.data[line.len - 1] == '\r') {
            line.len--;
        }
        if (igw_text_check(line) != IGW_TEXT_OK) {
            return false;
        }
    }
    return igw_text_check(text) == IGW_TEXT_OK;
}

const char *
rules_value(const struct profile *profile, const char *name)
{
    const struct rule *rule = find(top_rules, COUNT(top_rules), name);

    if (rule == NULL) {
        rule = find(address_rules, COUNT(address_rules), name);
    }
    return rule != NULL ? profile->value[rule->field] : NULL;
}

bool
rules_is_of_address(const char *name)
{
    return find(address_rules, COUNT(address_rules), name) != NULL;
}

void
rules_write(const struct profile *profile, struct igw_buf *out)
{
    write_row(profile, top_rules, COUNT(top_rules), out);
    write_address(profile, out);
    if (profile->value[PROFILE_CUSTOM] != NULL) {
        igw_buf_puts(out, ",\"custom\":");
        igw_buf_puts(out, profile->value[PROFILE_CUSTOM]);
    }
}

static void
write_row(const struct profile *profile, const struct rule *rules, size_t count,
          struct igw_buf *out)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = profile->value[rules[i].field];

        if (text != NULL) {
            igw_buf_puts(out, ",\"");
            igw_buf_puts(out, rules[i].name);
            igw_buf_puts(out, "\":");
            igw_json_quote(igw_slice_of(text), out);
        }
    }
}

/* The first member's comma becomes the brace. */
static void
write_address(const struct profile *profile, struct igw_buf *out)
{
    static const char begin[] = ",\"address\":";
    size_t before = out->len;
    size_t at;

    igw_buf_puts(out, begin);
    at = out->len;
    write_row(profile, address_rules, COUNT(address_rules), out);
    if (out->failed) {
        return;
    }
    if (out->len == at) {
        out->len = before;
        out->data[before] = '\0';
        return;
    }
    out->data[at] = '{';
    igw_buf_puts(out, "}");
}
