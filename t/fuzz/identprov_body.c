/*
 * Browsers' forms, and where they may send a browser: to a path here, in a
 * spelling that no browser takes for another host.
 */
#include "body.h"
#include "fuzz.h"
#include "webform.h"

static void
check_form(struct igw_slice text)
{
    struct json_t *object = igw_json_object();
    struct igw_json_fault fault = { 0 };
    enum igw_result rc = igw_webform_parse(text, object, &fault);

    MUST(rc == IGW_OK || (rc == IGW_INVALID && fault.code != NULL));
    for (void *i = igw_json_first(object); rc == IGW_OK && i != NULL;
         i = igw_json_next(object, i)) {
        MUST(igw_json_type(igw_json_value(i)) == IGW_JSON_STRING);
    }
    igw_json_free(&object);
}

static void
check_return_to(struct igw_slice text)
{
    char *path = body_return_to(text);

    MUST(path != NULL && path[0] == '/');
    MUST(path[1] != '/' && path[1] != '\\');
    for (const char *byte = path; *byte != '\0'; byte++) {
        MUST(*byte > ' ' && *byte < 0x7f);
    }
    free(path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);

    check_form((struct igw_slice){ text, size });
    check_return_to((struct igw_slice){ text, size });
    free(text);
    return 0;
}
