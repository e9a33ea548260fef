#include "body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "problem.h"
#include "text.h"

static const char form_type[] = "application/x-www-form-urlencoded";
static const char return_field[] = "return_to";

bool
body_is_form(const struct igw_request *request)
{
    const char *rest = request->content_type + strlen(form_type);

    if (strncasecmp(request->content_type, form_type, strlen(form_type)) != 0) {
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
body_parse_form(struct igw_slice text, struct json_t *object,
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

static bool
is_path_here(struct igw_slice text)
{
    return text.len > 0 && text.len <= BODY_RETURN_TO_MAX && text.data[0] == '/'
           && (text.len == 1 || (text.data[1] != '/' && text.data[1] != '\\'))
           && igw_text_check(text) == IGW_TEXT_OK;
}

char *
body_return_to(struct igw_slice text)
{
    static const char as_they_are[] = "/?#[]@!$&'()*+,;=:-._~%";
    struct igw_buf out;
    char *location;

    if (!is_path_here(text)) {
        return strdup("/");
    }
    igw_buf_init(&out);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        char letter = (char)(c | ('a' - 'A'));

        if ((letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9')
            || strchr(as_they_are, c) != NULL) {
            igw_buf_append(&out, &c, 1);
        } else {
            igw_buf_printf(&out, "%%%02X", (unsigned char)c);
        }
    }
    location = out.failed ? NULL : strdup(out.data);
    igw_buf_clear(&out);
    return location;
}

static bool
read_form(struct igw_call *call, struct body *body)
{
    struct igw_json_fault why;
    enum igw_result rc = IGW_ERROR;

    body->json = igw_json_object();
    if (body->json != NULL) {
        rc = body_parse_form(call->request->body, body->json, &why);
    }
    if (rc == IGW_INVALID) {
        igw_problem(call, 400, why.code, why.detail);
        return false;
    }
    if (rc == IGW_OK) {
        body->return_to = body_return_to(
            igw_json_text(igw_json_get(body->json, return_field)));
        igw_json_remove(body->json, return_field);
    }
    if (body->return_to == NULL) {
        igw_problem_result(call, IGW_ERROR);
        return false;
    }
    return true;
}

bool
body_read(struct igw_call *call, struct body *body)
{
    *body = (struct body){ .is_form = body_is_form(call->request) };
    return body->is_form ? read_form(call, body)
                         : igw_call_json(call, &body->json);
}

void
body_clear(struct body *body)
{
    igw_json_free(&body->json);
    free(body->return_to);
    body->return_to = NULL;
}

void
body_redirects(struct igw_call *call, const struct body *body)
{
    if (!body->is_form || call->response->status / 100 != 2) {
        return;
    }
    igw_response_set_header(call->response, "Location",
                            igw_slice_of(body->return_to));
    igw_response_empty(call->response, 303);
}
