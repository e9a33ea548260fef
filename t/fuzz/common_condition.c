/*
 * If-Match and If-None-Match: "*" stands for whatever is there, a tag for
 * itself, and nothing holds that is no list of tags.
 */
#include "condition.h"
#include "fuzz.h"

static enum igw_condition
check(const char *name, const char *value, const char *etag,
      enum igw_method method)
{
    size_t size = strlen(name) + strlen(value) + 2;
    char *param = malloc(size);
    char *params[] = { param, NULL };
    struct igw_request request = { .method = method, .params = params };
    enum igw_condition result;

    MUST(param != NULL);
    (void)snprintf(param, size, "%s=%s", name, value);
    MUST(igw_condition_is_there(&request) || *value == '\0');
    result = igw_condition_check(&request, etag);
    free(param);
    return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char etag[] = "\"abc\"";
    char *text = fuzz_string(data, size);
    enum igw_condition match = check("HTTP_IF_MATCH", text, etag, IGW_PUT);
    enum igw_condition none = check("HTTP_IF_NONE_MATCH", text, etag, IGW_GET);
    enum igw_condition gone = check("HTTP_IF_MATCH", text, NULL, IGW_PUT);

    MUST(match == IGW_CONDITION_HOLDS || match == IGW_CONDITION_FAILED
         || match == IGW_CONDITION_MALFORMED);
    MUST((match == IGW_CONDITION_MALFORMED)
         == (none == IGW_CONDITION_MALFORMED));
    if (match == IGW_CONDITION_HOLDS && *text != '\0') {
        MUST(strchr(text, '*') != NULL || strstr(text, etag) != NULL);
        MUST(gone == IGW_CONDITION_FAILED);
        MUST(none == IGW_CONDITION_NOT_MODIFIED);
    }
    if (none == IGW_CONDITION_NOT_MODIFIED) {
        MUST(strchr(text, '*') != NULL || strstr(text, etag) != NULL);
    }
    free(text);
    return 0;
}
