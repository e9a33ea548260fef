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
static bool is_utf8_charset(const char *parameter);

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
                "Send application/json in UTF-8.");
}

/* Many send a merge patch as plain JSON, and there is no other patch here. */
static bool
has_json_type(const struct igw_request *request)
{
    return is_type(request->content_type, "application/json")
           || (request->method == IGW_PATCH
               && is_type(request->content_type, merge_patch));
}

/* The type, with no parameter but charset=utf-8. */
static bool
is_type(const char *content_type, const char *type)
{
    const char *rest = content_type + strlen(type);

    if (strncasecmp(content_type, type, strlen(type)) != 0) {
        return false;
    }
    rest += strspn(rest, " \t");
    if (*rest == '\0') {
        return true;
    }
    return *rest == ';' && is_utf8_charset(rest + 1);
}

static bool
is_utf8_charset(const char *parameter)
{
    static const char *const spellings[] = { "charset=utf-8",
                                             "charset=\"utf-8\"" };

    parameter += strspn(parameter, " \t");
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        size_t len = strlen(spellings[i]);

        if (strncasecmp(parameter, spellings[i], len) == 0
            && parameter[len + strspn(parameter + len, " \t")] == '\0') {
            return true;
        }
    }
    return *parameter == '\0';
}
