/*
 * call.c: the JSON that a call brings.
 */
#include "http.h"

#include <string.h>
#include <strings.h>

#include "problem.h"

static const char merge_patch[] = "application/merge-patch+json";

static void refuse_type(struct igw_call *call);
static bool has_json_type(const struct igw_request *request);
static bool is_type(const char *content_type, const char *type);
static bool take_parameter(const char **text);

bool
igw_call_json(struct igw_call *call, struct json_t **out)
{
    struct igw_json_fault why;
    enum igw_result rc;

    *out = NULL;
    if (!has_json_type(call->request)) {
        refuse_type(call);
        return false;
    }
    rc = igw_json_parse(call->request->body, out, &why);
    if (rc == IGW_INVALID) {
        igw_problem(call, 400, why.code, why.detail);
        return false;
    }
    if (rc != IGW_OK) {
        igw_problem_result(call, rc);
        return false;
    }
    if (igw_json_type(*out) != IGW_JSON_OBJECT) {
        igw_json_free(out);
        igw_problem(call, 400, "not_an_object", "Send a JSON object.");
        return false;
    }
    return true;
}

/* RFC 5789 2.2: a 415 to a PATCH says which patches there are. */
static void
refuse_type(struct igw_call *call)
{
    if (call->request->method == IGW_PATCH) {
        igw_response_header(call->response, "Accept-Patch",
                            igw_slice_of(merge_patch));
    }
    igw_problem(call, 415, "unsupported_media_type",
                "Send application/json in UTF-8, without a Content-Encoding.");
}

/* Many send a merge patch as plain JSON, and there is no other patch here. */
static bool
has_json_type(const struct igw_request *request)
{
    if (igw_request_param(request, "HTTP_CONTENT_ENCODING") != NULL) {
        return false;
    }
    return is_type(request->content_type, "application/json")
           || (request->method == IGW_PATCH
               && is_type(request->content_type, merge_patch));
}

/* The type; parameters are ignored, but a charset has to be UTF-8. */
static bool
is_type(const char *content_type, const char *type)
{
    const char *rest = content_type + strlen(type);

    if (strncasecmp(content_type, type, strlen(type)) != 0) {
        return false;
    }
    rest += strspn(rest, " \t");
    while (*rest == ';') {
        rest += 1 + strspn(rest + 1, " \t");
        if (*rest != '\0' && *rest != ';' && !take_parameter(&rest)) {
            return false;
        }
    }
    return *rest == '\0';
}

/* name=value (RFC 9110 5.6.6); false: none, or a charset that is not UTF-8. */
static bool
take_parameter(const char **text)
{
    static const char charset[] = "charset=";
    const char *name = *text;
    size_t name_len = strcspn(name, "=;\" \t");
    const char *value;
    bool is_quoted;
    size_t len;

    if (name_len == 0 || name[name_len] != '=') {
        return false;
    }
    value = name + name_len + 1;
    is_quoted = *value == '"';
    value += is_quoted ? 1 : 0;
    len = strcspn(value, is_quoted ? "\"\\" : ";\" \t");
    if (is_quoted ? value[len] != '"' : len == 0) {
        return false;
    }
    *text = value + len + (is_quoted ? 1 : 0);
    *text += strspn(*text, " \t");
    return strncasecmp(name, charset, sizeof(charset) - 1) != 0
           || (len == strlen("utf-8") && strncasecmp(value, "utf-8", len) == 0);
}
