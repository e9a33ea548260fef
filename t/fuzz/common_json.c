/*
 * JSON that is taken comes back the same; a merge patch applied twice does
 * what it does once (RFC 7396).
 */
#include "fuzz.h"
#include "json.h"

static struct json_t *
parse(struct igw_slice text)
{
    struct igw_json_fault fault = { 0 };
    struct json_t *json = NULL;
    enum igw_result rc = igw_json_parse(text, &json, &fault);

    MUST((rc == IGW_OK) == (json != NULL));
    MUST(rc == IGW_OK || (fault.code != NULL && fault.detail[0] != '\0'));
    return json;
}

static struct igw_buf
dump(const struct json_t *json)
{
    struct igw_buf text;

    igw_buf_init(&text);
    MUST(igw_json_dump(json, &text) == IGW_OK);
    return text;
}

static void
check_again(const struct json_t *json)
{
    struct igw_buf first = dump(json);
    struct json_t *again = parse(igw_buf_slice(&first));
    struct igw_buf second;

    MUST(again != NULL);
    second = dump(again);
    MUST(igw_slice_equal(igw_buf_slice(&first), igw_buf_slice(&second)));
    igw_buf_clear(&first);
    igw_buf_clear(&second);
    igw_json_free(&again);
}

static void
check_patch(struct igw_slice target, struct igw_slice patch)
{
    struct json_t *json = parse(target);
    struct json_t *first = parse(patch);
    struct json_t *second = parse(patch);

    if (json != NULL && first != NULL && igw_json_type(json) == IGW_JSON_OBJECT
        && igw_json_type(first) == IGW_JSON_OBJECT) {
        struct igw_buf once;
        struct igw_buf twice;

        MUST(igw_json_merge(json, first));
        once = dump(json);
        MUST(igw_json_merge(json, second));
        twice = dump(json);
        MUST(igw_slice_equal(igw_buf_slice(&once), igw_buf_slice(&twice)));
        igw_buf_clear(&once);
        igw_buf_clear(&twice);
    }
    igw_json_free(&json);
    igw_json_free(&first);
    igw_json_free(&second);
}

/* One text, or two with a NUL between them: what is patched, and the patch. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    size_t len = strlen(text);
    struct json_t *json = parse((struct igw_slice){ text, size });

    if (json != NULL) {
        check_again(json);
    }
    if (len < size) {
        check_patch((struct igw_slice){ text, len },
                    (struct igw_slice){ text + len + 1, size - len - 1 });
    }
    igw_json_free(&json);
    free(text);
    return 0;
}
