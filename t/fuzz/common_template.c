/*
 * Templates: one that is accepted can be rendered, and what a value has of
 * HTML does not come out of it as HTML.
 */
#include "fuzz.h"
#include "template.h"

static const char *
find(const void *arg, struct igw_slice name)
{
    (void)arg;
    return igw_slice_is(name, "a") ? "{{v}}" : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    struct json_t *texts = igw_json_object();
    struct json_t *values = igw_json_object();
    const struct igw_template_set set = { find, NULL, texts };
    struct igw_template_fault fault;
    struct igw_buf out;

    igw_buf_init(&out);
    MUST(igw_json_set_text(texts, "a", igw_slice_of("{{v}}")));
    MUST(igw_json_set_text(values, "v", igw_slice_of("<\"'`&>")));
    if (igw_template_check(&set, text, &fault) == IGW_OK
        && strpbrk(text, "<") == NULL) {
        igw_template_render(&set, text, values, &out);
        MUST(out.len == 0 || strchr(out.data, '<') == NULL);
    }
    igw_buf_clear(&out);
    igw_json_free(&values);
    igw_json_free(&texts);
    free(text);
    return 0;
}
