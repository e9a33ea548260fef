/*
 * A profile that is taken is written as JSON that is taken, and the same
 * again; a patch never makes of it what would not be taken.
 */
#include "fuzz.h"
#include "rules.h"

static struct json_t *
parse(const char *text, size_t len)
{
    struct igw_json_fault fault;
    struct json_t *json = NULL;

    if (igw_json_parse((struct igw_slice){ text, len }, &json, &fault) == IGW_OK
        && igw_json_type(json) != IGW_JSON_OBJECT) {
        igw_json_free(&json);
    }
    return json;
}

static bool
take(const char *text, size_t len, struct profile *profile)
{
    struct json_t *json = parse(text, len);
    struct igw_errors errors = { 0 };
    enum igw_result rc = IGW_INVALID;

    if (json != NULL) {
        rc = rules_read(json, profile, &errors);
        MUST(rc == IGW_OK || rc == IGW_INVALID);
        MUST((rc == IGW_INVALID) == igw_errors_any(&errors));
    }
    igw_errors_clear(&errors);
    igw_json_free(&json);
    return rc == IGW_OK;
}

/* As an object. */
static struct igw_buf
text_of(const struct profile *profile)
{
    struct igw_buf text;

    igw_buf_init(&text);
    rules_write(profile, &text);
    MUST(!text.failed);
    if (text.len == 0) {
        igw_buf_puts(&text, "{}");
    } else {
        text.data[0] = '{'; /* in the place of the first comma */
        igw_buf_puts(&text, "}");
    }
    return text;
}

static void
check_again(const struct profile *profile)
{
    struct igw_buf first = text_of(profile);
    struct igw_buf second;
    struct profile again;

    profile_init(&again);
    MUST(take(first.data, first.len, &again));
    second = text_of(&again);
    MUST(igw_slice_equal(igw_buf_slice(&first), igw_buf_slice(&second)));
    igw_buf_clear(&first);
    igw_buf_clear(&second);
    profile_clear(&again);
}

/* A profile; or one, a NUL, and a patch of it. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    size_t len = strlen(text);
    struct profile profile;

    profile_init(&profile);
    if (take(text, len, &profile)) {
        struct json_t *patch =
            len < size ? parse(text + len + 1, size - len - 1) : NULL;
        struct igw_errors errors = { 0 };

        check_again(&profile);
        if (patch != NULL && rules_patch(patch, &profile, &errors) == IGW_OK) {
            check_again(&profile);
        }
        igw_errors_clear(&errors);
        igw_json_free(&patch);
    }
    profile_clear(&profile);
    free(text);
    return 0;
}
