/*
 * UTF-8, normal forms, hex and base64url.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text.h"

#define BYTES(text)            \
    (struct igw_slice)         \
    {                          \
        text, sizeof(text) - 1 \
    }

static void
valid_text_is_told_from_invalid(void **state)
{
    static const struct {
        struct igw_slice text;
        enum igw_text_fault fault;
    } cases[] = {
        { BYTES(""), IGW_TEXT_OK },
        { BYTES("plain ~"), IGW_TEXT_OK },
        { BYTES("\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd"), IGW_TEXT_OK },
        { BYTES("\xc2\xa0"), IGW_TEXT_OK },
        { BYTES("\xf4\x8f\xbf\xbf"), IGW_TEXT_OK }, /* U+10FFFF */
        { BYTES("\xef\xbf\xbe"), IGW_TEXT_OK },     /* a noncharacter */
        { BYTES("\0"), IGW_TEXT_CONTROL },
        { BYTES("a\tb"), IGW_TEXT_CONTROL },
        { BYTES("\x1f"), IGW_TEXT_CONTROL },
        { BYTES("\x7f"), IGW_TEXT_CONTROL },
        { BYTES("\xc2\x80"), IGW_TEXT_CONTROL }, /* C1 */
        { BYTES("\xc2\x9f"), IGW_TEXT_CONTROL },
        { BYTES("\x80"), IGW_TEXT_NOT_UTF8 },
        { BYTES("\xff"), IGW_TEXT_NOT_UTF8 },
        { BYTES("\xc3"), IGW_TEXT_NOT_UTF8 },             /* cut */
        { BYTES("a\xe2\x82"), IGW_TEXT_NOT_UTF8 },        /* cut */
        { BYTES("\xc0\xaf"), IGW_TEXT_NOT_UTF8 },         /* overlong */
        { BYTES("\xe0\x80\xaf"), IGW_TEXT_NOT_UTF8 },     /* overlong */
        { BYTES("\xf0\x80\x80\xaf"), IGW_TEXT_NOT_UTF8 }, /* overlong */
        { BYTES("\xed\xa0\x80"), IGW_TEXT_NOT_UTF8 },     /* surrogate */
        { BYTES("\xf4\x90\x80\x80"), IGW_TEXT_NOT_UTF8 }, /* > U+10FFFF */
        { BYTES("\xf8\x88\x80\x80\x80"), IGW_TEXT_NOT_UTF8 },
        { BYTES("\n\xff"), IGW_TEXT_NOT_UTF8 } /* both: the worse one */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (igw_text_check(cases[i].text) != cases[i].fault) {
            fail_msg("case %zu", i);
        }
    }
    (void)state;
}

static void
a_control_is_found_wherever_it_stands(void **state)
{
    enum { LEN_MAX = 40 };
    char text[LEN_MAX];

    for (size_t len = 0; len <= LEN_MAX; len++) {
        for (size_t at = 0; at < len; at++) {
            for (int byte = 0; byte < 256; byte++) {
                bool is_control = byte < 0x20 || byte == 0x7f;

                memset(text, 'x', len);
                text[at] = (char)byte;
                assert_int_equal(
                    igw_text_has_control((struct igw_slice){ text, len }),
                    is_control);
            }
        }
    }
    assert_false(igw_text_has_control(BYTES("")));
    (void)state;
}

static void
tokens_are_those_of_rfc_9110(void **state)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";

    for (int byte = 0; byte < 256; byte++) {
        char text[] = { 'A', (char)byte, 'z' };
        bool is_name = (byte >= '0' && byte <= '9')
                       || (byte >= 'A' && byte <= 'Z')
                       || (byte >= 'a' && byte <= 'z')
                       || (byte != '\0' && strchr(marks, byte) != NULL);

        assert_int_equal(
            igw_text_is_token((struct igw_slice){ text, sizeof(text) }),
            is_name);
    }
    assert_false(igw_text_is_token(BYTES("")));
    (void)state;
}

static void
what_is_printed_is_whole_at_every_length(void **state)
{
    char word[2100];

    memset(word, 'w', sizeof(word));
    for (size_t len = 0; len < sizeof(word); len++) {
        struct igw_buf buf;

        word[len] = '\0';
        igw_buf_init(&buf);
        igw_buf_puts(&buf, "<");
        igw_buf_printf(&buf, "%s%d>", word, 7);
        assert_false(buf.failed);
        assert_int_equal(buf.len, len + 3);
        assert_int_equal(strlen(buf.data), len + 3);
        assert_memory_equal(buf.data + 1, word, len);
        assert_string_equal(buf.data + 1 + len, "7>");
        igw_buf_clear(&buf);
        word[len] = 'w';
    }
    (void)state;
}

static void
length_counts_code_points(void **state)
{
    assert_int_equal(igw_text_length(BYTES("")), 0);
    assert_int_equal(igw_text_length(BYTES("abc")), 3);
    assert_int_equal(igw_text_length(BYTES("e\xcc\x81")), 2);
    assert_int_equal(igw_text_length(BYTES("\xf0\x9f\x98\x80\xc3\xa9")), 2);
    (void)state;
}

static void
a_step_takes_one_code_point_or_nothing(void **state)
{
    struct igw_slice text = BYTES("\xc3\xa9"
                                  "\xff");
    int32_t code_point = 0;

    assert_int_equal(igw_text_step(&text, &code_point), IGW_OK);
    assert_int_equal(code_point, 0xe9);
    assert_int_equal(text.len, 1);
    assert_int_equal(igw_text_step(&text, &code_point), IGW_INVALID);
    assert_int_equal(text.len, 1);
    text.len = 0;
    assert_int_equal(igw_text_step(&text, &code_point), IGW_NOT_FOUND);
    (void)state;
}

static void
check_form(char *form, const char *expected)
{
    assert_non_null(form);
    assert_string_equal(form, expected);
    free(form);
}

static void
normal_forms(void **state)
{
    /* e + combining acute; the ligature fi; Angstrom sign. */
    check_form(igw_text_nfc(BYTES("e\xcc\x81")), "\xc3\xa9");
    check_form(igw_text_nfc(BYTES("\xef\xac\x81")), "\xef\xac\x81");
    check_form(igw_text_nfkc(BYTES("\xef\xac\x81")), "fi");
    check_form(igw_text_nfkc(BYTES("\xe2\x84\xab")), "\xc3\x85");
    check_form(igw_text_nfkc(BYTES("Fi")), "Fi");
    check_form(igw_text_nfkc_casefold(BYTES("\xef\xbc\xb3TRA\xc3\x9f"
                                            "E")),
               "strasse");
    check_form(igw_text_nfkc_casefold(BYTES("A\xe2\x80\x8b"
                                            "B")),
               "ab"); /* U+200B is ignored */
    check_form(igw_text_nfkc_casefold(BYTES("\xd0\x98\xd0\xb2")),
               "\xd0\xb8\xd0\xb2");
    check_form(igw_text_nfc(BYTES("")), "");
    assert_null(igw_text_nfc(BYTES("a\xff")));
    assert_null(igw_text_nfkc(BYTES("\xed\xa0\x80")));
    (void)state;
}

static void
kinds_of_code_points(void **state)
{
    static const struct {
        int32_t code_point;
        enum igw_text_kind kind;
    } cases[] = { { 'a', IGW_TEXT_LETTER },      { 0x418, IGW_TEXT_LETTER },
                  { 0x592a, IGW_TEXT_LETTER },   { '7', IGW_TEXT_NUMBER },
                  { 0x301, IGW_TEXT_MARK },      { '-', IGW_TEXT_PUNCTUATION },
                  { '+', IGW_TEXT_PUNCTUATION }, { ' ', IGW_TEXT_SPACE },
                  { 0xa0, IGW_TEXT_SPACE },      { 0x200d, IGW_TEXT_JOINER },
                  { 0x200c, IGW_TEXT_JOINER },   { 0x202e, IGW_TEXT_OTHER },
                  { 0x200b, IGW_TEXT_OTHER },    { 0x2028, IGW_TEXT_OTHER },
                  { 0xe000, IGW_TEXT_OTHER },    { 0x3164, IGW_TEXT_OTHER },
                  { 0x10ffff, IGW_TEXT_OTHER },  { '\n', IGW_TEXT_OTHER },
                  { 0xad, IGW_TEXT_OTHER } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (igw_text_kind(cases[i].code_point) != cases[i].kind) {
            fail_msg("U+%04X", (unsigned)cases[i].code_point);
        }
    }
    (void)state;
}

static void
hex_is_lower_case(void **state)
{
    char out[7];

    igw_hex((const unsigned char *)"\x00\x9f\xff", 3, out);
    assert_string_equal(out, "009fff");
    (void)state;
}

/* RFC 4648 section 10, without padding. */
static void
base64url_test_vectors(void **state)
{
    static const char *const plain[] = { "f",    "fo",    "foo",
                                         "foob", "fooba", "foobar" };
    static const char *const coded[] = { "Zg",     "Zm8",     "Zm9v",
                                         "Zm9vYg", "Zm9vYmE", "Zm9vYmFy" };
    struct igw_buf out;

    igw_buf_init(&out);
    for (size_t i = 0; i < 6; i++) {
        igw_buf_reset(&out);
        igw_base64url_encode(plain[i], strlen(plain[i]), &out);
        assert_string_equal(out.data, coded[i]);
        igw_buf_reset(&out);
        assert_int_equal(igw_base64url_decode(igw_slice_of(coded[i]), &out),
                         IGW_OK);
        assert_string_equal(out.data, plain[i]);
    }
    igw_buf_reset(&out);
    igw_base64url_encode("\xfb\xff\xbf", 3, &out);
    assert_string_equal(out.data, "-_-_");
    igw_buf_clear(&out);
    (void)state;
}

static void
base64url_has_one_spelling(void **state)
{
    static const struct igw_slice bad[] = {
        BYTES("Z"),          BYTES("Zm9vY"), BYTES("Zg=="),    BYTES("Zm8="),
        BYTES("Zm9v\n"),     BYTES(" Zm9"),  BYTES("Zm9v Yg"), BYTES("+/+/"),
        BYTES("Zh"),         BYTES("Zm9"),   BYTES("Zm9vYh"),  BYTES("Z\0g"),
        BYTES("Zm\xc3\xa9"), BYTES("Zg."),   BYTES("Zm9_")
    };
    struct igw_buf out;

    igw_buf_init(&out);
    /* The last of them is four letters of the alphabet, and right. */
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]) - 1; i++) {
        if (igw_base64url_decode(bad[i], &out) != IGW_INVALID) {
            fail_msg("case %zu", i);
        }
    }
    assert_int_equal(igw_base64url_decode(BYTES("Zm9_"), &out), IGW_OK);
    igw_buf_clear(&out);
    (void)state;
}

/* What decodes encodes to itself: no two texts have one value. */
static void
base64url_round_trip(void **state)
{
    static const char some[] = "AZaz09-_=+/ .";
    struct igw_buf bytes;
    struct igw_buf text;
    size_t accepted = 0;

    igw_buf_init(&bytes);
    igw_buf_init(&text);
    for (size_t n = 0; n < 13 * 13 * 13; n++) {
        const char in[3] = { some[n % 13], some[n / 13 % 13], some[n / 169] };

        igw_buf_reset(&bytes);
        igw_buf_reset(&text);
        if (igw_base64url_decode((struct igw_slice){ in, 3 }, &bytes)
            == IGW_OK) {
            igw_base64url_encode(bytes.data, bytes.len, &text);
            assert_true(igw_slice_equal(igw_buf_slice(&text),
                                        (struct igw_slice){ in, 3 }));
            accepted++;
        }
    }
    /* A, 0 and 8 end with two zero bits; of ours A, 0. */
    assert_int_equal(accepted, 8 * 8 * 2);
    igw_buf_clear(&bytes);
    igw_buf_clear(&text);
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_text_is_told_from_invalid),
        cmocka_unit_test(a_control_is_found_wherever_it_stands),
        cmocka_unit_test(tokens_are_those_of_rfc_9110),
        cmocka_unit_test(what_is_printed_is_whole_at_every_length),
        cmocka_unit_test(length_counts_code_points),
        cmocka_unit_test(a_step_takes_one_code_point_or_nothing),
        cmocka_unit_test(normal_forms),
        cmocka_unit_test(kinds_of_code_points),
        cmocka_unit_test(hex_is_lower_case),
        cmocka_unit_test(base64url_test_vectors),
        cmocka_unit_test(base64url_has_one_spelling),
        cmocka_unit_test(base64url_round_trip)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
