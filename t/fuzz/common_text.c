/*
 * Texts: what the steps see is what the whole sees; a normal form is its own
 * normal form; base64url has one spelling for a value.
 */
#include "fuzz.h"
#include "text.h"

static void
check_steps(struct igw_slice text)
{
    enum igw_text_fault fault = igw_text_check(text);
    struct igw_slice rest = text;
    enum igw_result rc;
    int32_t code_point;
    size_t count = 0;
    bool has_control = false;

    while ((rc = igw_text_step(&rest, &code_point)) == IGW_OK) {
        MUST(code_point >= 0 && code_point <= 0x10ffff);
        MUST(code_point < 0xd800 || code_point > 0xdfff);
        has_control = has_control || code_point < ' '
                      || (code_point >= 0x7f && code_point < 0xa0);
        count++;
    }
    MUST((rc == IGW_INVALID) == (fault == IGW_TEXT_NOT_UTF8));
    if (rc == IGW_NOT_FOUND) {
        MUST(rest.len == 0);
        MUST(igw_text_length(text) == count);
        MUST(has_control == (fault == IGW_TEXT_CONTROL));
    }
}

static void
check_normal(struct igw_slice text, char *(*normal)(struct igw_slice text))
{
    char *once = normal(text);
    char *twice = once == NULL ? NULL : normal(igw_slice_of(once));

    if (igw_text_check(text) == IGW_TEXT_OK) {
        MUST(once != NULL && twice != NULL);
        MUST(strcmp(once, twice) == 0);
        MUST(igw_text_check(igw_slice_of(once)) != IGW_TEXT_NOT_UTF8);
    }
    free(once);
    free(twice);
}

static void
check_base64url(struct igw_slice text)
{
    struct igw_buf bytes;
    struct igw_buf again;

    igw_buf_init(&bytes);
    igw_buf_init(&again);
    if (igw_base64url_decode(text, &bytes) == IGW_OK) {
        igw_base64url_encode(bytes.data, bytes.len, &again);
        MUST(igw_slice_equal(text, igw_buf_slice(&again)));
    }
    igw_buf_reset(&bytes);
    igw_buf_reset(&again);
    igw_base64url_encode(text.data, text.len, &bytes);
    MUST(igw_base64url_decode(igw_buf_slice(&bytes), &again) == IGW_OK);
    MUST(igw_slice_equal(text, igw_buf_slice(&again)));
    igw_buf_clear(&bytes);
    igw_buf_clear(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_string(data, size);
    struct igw_slice text = { copy, size };

    check_steps(text);
    check_normal(text, igw_text_nfc);
    check_normal(text, igw_text_nfkc);
    check_normal(text, igw_text_nfkc_casefold);
    check_base64url(text);
    free(copy);
    return 0;
}
