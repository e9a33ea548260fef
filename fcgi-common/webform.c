/*
 * webform.c: see webform.h.
 */
#include "webform.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "text.h"

static const char form_type[] = "application/x-www-form-urlencoded";

bool
igw_webform_is(const struct igw_request *request)
{
    const char *rest = request->content_type + strlen(form_type);

    if (strncasecmp(request->content_type, form_type, strlen(form_type)) != 0
        || igw_request_param(request, "HTTP_CONTENT_ENCODING") != NULL) {
        return false;
    }
    rest += strspn(rest, " \t");
    return *rest == '\0' || *rest == ';';
}

static enum igw_result
fail(struct igw_json_fault *why, const char *code, const char *detail)
{
    why->code = code;
    (void)snprintf(why->detail, sizeof(why->detail), "%s", detail);
    return IGW_INVALID;
}

static int
digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 'a' - 'A';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False: a % without two digits. */
static bool
decode(struct igw_slice text, struct igw_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            if (text.len - i < 3 || digit(text.data[i + 1]) < 0
                || digit(text.data[i + 2]) < 0) {
                return false;
            }
            c = (char)(digit(text.data[i + 1]) * 16 + digit(text.data[i + 2]));
            i += 2;
        }
        igw_buf_append(out, &c, 1);
    }
    return true;
}

static enum igw_result
set_member(struct json_t *object, struct igw_buf *name, struct igw_buf *value,
           struct igw_json_fault *why)
{
    if (name->failed || value->failed) {
        return IGW_ERROR;
    }
    if (igw_text_check(igw_buf_slice(name)) != IGW_TEXT_OK
        || igw_text_check(igw_buf_slice(value)) == IGW_TEXT_NOT_UTF8) {
        return fail(why, "invalid_encoding", "The form is not valid UTF-8.");
    }
    if (igw_json_get(object, name->len > 0 ? name->data : "") != NULL) {
        return fail(why, "duplicate_member", "A field is there twice.");
    }
    return igw_json_set_text(object, name->len > 0 ? name->data : "",
                             igw_buf_slice(value))
               ? IGW_OK
               : IGW_ERROR;
}

static enum igw_result
add_pair(struct igw_slice pair, struct json_t *object,
         struct igw_json_fault *why)
{
    const char *equals = memchr(pair.data, '=', pair.len);
    struct igw_slice name = pair;
    struct igw_slice value = { pair.data + pair.len, 0 };
    struct igw_buf name_text;
    struct igw_buf value_text;
    enum igw_result rc;

    if (equals != NULL) {
        name.len = (size_t)(equals - pair.data);
        value = (struct igw_slice){ equals + 1, pair.len - name.len - 1 };
    }
    igw_buf_init(&name_text);
    igw_buf_init(&value_text);
    if (decode(name, &name_text) && decode(value, &value_text)) {
        rc = set_member(object, &name_text, &value_text, why);
    } else {
        rc = fail(why, "invalid_form", "A % is not followed by two digits.");
    }
    igw_buf_clear(&value_text);
    igw_buf_clear(&name_text);
    return rc;
}

enum igw_result
igw_webform_parse(struct igw_slice text, struct json_t *object,
                  struct igw_json_fault *why)
{
    enum igw_result rc = IGW_OK;

    while (text.len > 0 && rc == IGW_OK) {
        const char *end = memchr(text.data, '&', text.len);
        struct igw_slice pair = text;

        if (end != NULL) {
            pair.len = (size_t)(end - text.data);
        }
        if (pair.len > 0) {
            rc = add_pair(pair, object, why);
        }
        text.data += pair.len + (end != NULL);
        text.len -= pair.len + (end != NULL);
    }
    return rc;
}

struct json_t *
igw_webform_texts(struct igw_slice text)
{
    struct json_t *object = igw_json_object();
    struct igw_json_fault why;

    if (object != NULL && igw_webform_parse(text, object, &why) != IGW_OK) {
        igw_json_free(&object);
    }
    return object;
}
