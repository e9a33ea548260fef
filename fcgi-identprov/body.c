#include "body.h"

#include <stdlib.h>
#include <string.h>

#include "problem.h"
#include "text.h"
#include "webform.h"

static const char return_field[] = "return_to";

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
        rc = igw_webform_parse(call->request->body, body->json, &why);
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
    *body = (struct body){ .is_form = igw_webform_is(call->request) };
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
