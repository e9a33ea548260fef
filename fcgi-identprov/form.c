#include "form.h"

#include <string.h>

#include "text.h"

/* A client that sends thousands of unknown members is told of the first. */
enum { UNKNOWN_MAX = 32 };

static struct form_field *
find(struct form_field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            return &fields[i];
        }
    }
    return NULL;
}

static void
fault(struct form_field *field, const char *code, const char *detail,
      struct igw_errors *errors)
{
    igw_errors_add(errors, field->name, code, detail);
    field->is_faulty = true;
}

static void
read_field(struct form_field *field, const struct json_t *json,
           struct igw_errors *errors)
{
    struct igw_slice text = igw_json_text(json);

    if (field->may_be_null && igw_json_type(json) == IGW_JSON_NULL) {
        field->value = igw_slice_of("");
        return;
    }
    if (igw_json_type(json) != IGW_JSON_STRING) {
        fault(field, "wrong_type", "must be a string", errors);
        return;
    }
    if (igw_text_check(text) != IGW_TEXT_OK) {
        fault(field, "control_character", "must not have control characters",
              errors);
        return;
    }
    field->value = text;
}

void
form_read(struct json_t *object, struct form_field *fields, size_t count,
          struct igw_errors *errors)
{
    size_t unknown = 0;
    struct form_field *field;
    void *member;

    for (member = igw_json_first(object); member != NULL;
         member = igw_json_next(object, member)) {
        field = find(fields, count, igw_json_name(member));
        if (field != NULL) {
            read_field(field, igw_json_value(member), errors);
        } else if (unknown++ < UNKNOWN_MAX) {
            igw_errors_add(errors, igw_json_name(member), "unknown_field",
                           "is not known here");
        }
    }
}

void
form_require(const struct form_field *fields, size_t count,
             struct igw_errors *errors)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].value.data == NULL && !fields[i].is_faulty) {
            igw_errors_add(errors, fields[i].name, "required", "must be there");
        }
    }
}
