/*
 * What an account may look like, at both sides of every boundary, and how
 * long tokens live.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "rules.h"

/* A text of `count` times `unit`, and perhaps something behind it. */
struct example {
    const char *unit;
    size_t count;
    const char *tail;
    const char *code; /* NULL: it is good */
};

#define ONE(text) text, 1, ""

static void
build(const struct example *example, struct igw_buf *out)
{
    igw_buf_init(out);
    igw_buf_puts(out, "");
    for (size_t i = 0; i < example->count; i++) {
        igw_buf_puts(out, example->unit);
    }
    igw_buf_puts(out, example->tail);
    assert_false(out->failed);
}

static void
check_code(const struct example *example, enum igw_result rc,
           const struct rules_fault *fault)
{
    const char *code = fault->code != NULL ? fault->code : "good";
    const char *expected = example->code != NULL ? example->code : "good";

    if (strcmp(code, expected) != 0) {
        fail_msg("%zu x \"%s\" + \"%s\": %s, not %s", example->count,
                 example->unit, example->tail, code, expected);
    }
    assert_int_equal(rc, example->code == NULL ? IGW_OK : IGW_INVALID);
    assert_true(example->code == NULL || fault->detail[0] != '\0');
}

static const struct example usernames[] = {
    { ONE("a"), NULL },
    { ONE("ivan"), NULL },
    { ONE("Иван"), NULL },
    { ONE("太郎"), NULL },
    { ONE("José"), NULL },
    { ONE("7of9"), NULL },
    { ONE("a.b_c-d@e+f"), NULL },
    { ONE("e\xcc\x81"
          "a"),
      NULL },
    { "a", 64, "", NULL },
    { "a", 65, "", "too_long" },
    { "太", 64, "", NULL },
    { "太", 65, "", "too_long" },
    { "ß", 32, "", NULL },
    { "ß", 33, "", "too_long" },
    { ONE(""), "required" },
    { ONE("a b"), "invalid_character" },
    { ONE(" a"), "invalid_character" },
    { ONE("a "), "invalid_character" },
    { ONE("a\xc2\xa0"
          "b"),
      "invalid_character" },
    { ONE(".a"), "invalid_character" },
    { ONE("-a"), "invalid_character" },
    { ONE("@a"), "invalid_character" },
    { ONE("\xcc\x81"
          "a"),
      "invalid_character" },
    { ONE("a,b"), "invalid_character" },
    { ONE("a\"b"), "invalid_character" },
    { ONE("a\\b"), "invalid_character" },
    { ONE("a/b"), "invalid_character" },
    { ONE("a:b"), "invalid_character" },
    { ONE("a;b"), "invalid_character" },
    { ONE("a=b"), "invalid_character" },
    { ONE("<a>"), "invalid_character" },
    { ONE("a%00"), "invalid_character" },
    { ONE("a\xe2\x80\x8b"
          "b"),
      "invalid_character" },
    { ONE("a\xe2\x80\x8d"
          "b"),
      "invalid_character" },
    { ONE("a\xe2\x80\xae"
          "b"),
      "invalid_character" },
    { ONE("a\xc2\xad"
          "b"),
      "invalid_character" },
    { ONE("a\xef\xbb\xbf"), "invalid_character" },
    { ONE("\xe3\x85\xa4"), "invalid_character" },
    { ONE("\xe1\x85\x9f"), "invalid_character" },
    { ONE("\xef\xb7\xba"), "invalid_character" },
    { ONE("\xf0\x9f\x98\x80"), "invalid_character" },
    { ONE("\xef\xbf\xbe"), "invalid_character" },
    { ONE("a\nb"), "control_character" },
    { ONE("a\x7f"), "control_character" },
    { ONE("a\xc2\x85"), "control_character" },
    { ONE("a\xff"), "invalid_encoding" },
    { ONE("\xed\xa0\x80"), "invalid_encoding" },
    { ONE("\xc0\xaf"), "invalid_encoding" },
};

static void
test_usernames(void **state)
{
    for (size_t i = 0; i < sizeof(usernames) / sizeof(*usernames); i++) {
        struct rules_fault fault = { 0 };
        struct igw_buf given;
        char *text;
        char *key;
        enum igw_result rc;

        build(&usernames[i], &given);
        rc = rules_username(igw_buf_slice(&given), &text, &key, &fault);
        check_code(&usernames[i], rc, &fault);
        assert_true((rc == IGW_OK) == (text != NULL && key != NULL));
        free(text);
        free(key);
        igw_buf_clear(&given);
    }
}

static void
test_a_nul_byte_is_a_control_character(void **state)
{
    static const char bytes[] = { 'a', '\0', 'b' };
    struct igw_slice given = { bytes, sizeof(bytes) };
    struct rules_password policy = { .min = 1 };
    struct rules_fault fault = { 0 };
    char *text;
    char *key;

    assert_int_equal(rules_username(given, &text, &key, &fault), IGW_INVALID);
    assert_string_equal(fault.code, "control_character");
    assert_int_equal(rules_email(given, &text, &key, &fault), IGW_INVALID);
    assert_string_equal(fault.code, "control_character");
    assert_int_equal(rules_person_name(given, &text, &fault), IGW_INVALID);
    assert_string_equal(fault.code, "control_character");
    assert_int_equal(rules_password(given, &policy, &text, &fault),
                     IGW_INVALID);
    assert_string_equal(fault.code, "control_character");
}

/* Names that are one name to people have one key. */
static void
test_equal_usernames_have_one_key(void **state)
{
    static const char *const same[][2] = {
        { "Ivan", "iVAN" },         { "ИВАН", "иван" },
        { "José", "jose\xcc\x81" }, { "Straße", "STRASSE" },
        { "ＡＬＩＣＥ", "alice" },  { "ﬁona", "Fiona" },
        { "ΣΊΣΥΦΟΣ", "σίσυφος" },   { "²", "2" },
    };

    for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
        char *keys[2];
        char *again;

        for (int j = 0; j < 2; j++) {
            struct rules_fault fault = { 0 };
            char *text;

            assert_int_equal(rules_username(igw_slice_of(same[i][j]), &text,
                                            &keys[j], &fault),
                             IGW_OK);
            free(text);
        }
        assert_string_equal(keys[0], keys[1]);
        again = rules_username_key(igw_slice_of(keys[0]));
        assert_string_equal(again, keys[0]);
        free(again);
        free(keys[0]);
        free(keys[1]);
    }
}

/* Marks in any order are one text; it must have one key. */
static void
test_one_text_has_one_key(void **state)
{
    static const char *const spellings[] = {
        "\xe1\xbe\xb4",             /* U+1FB4 */
        "\xce\xb1\xcc\x81\xcd\x85", /* its parts */
        "\xce\xb1\xcd\x85\xcc\x81", /* in another order */
        "\xce\xac\xcd\x85",
        "\xe1\xbe\xb3\xcc\x81",
    };
    char *first_text = NULL;
    char *first_key = NULL;

    for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
        struct rules_fault fault = { 0 };
        struct igw_slice given = igw_slice_of(spellings[i]);
        char *text;
        char *key;
        char *login_key = rules_username_key(given);

        assert_int_equal(rules_username(given, &text, &key, &fault), IGW_OK);
        if (first_text == NULL) {
            first_text = strdup(text);
            first_key = strdup(key);
        }
        assert_string_equal(text, first_text);
        assert_string_equal(key, first_key);
        assert_string_equal(login_key, first_key);
        free(login_key);
        free(text);
        free(key);
    }
    free(first_text);
    free(first_key);
}

static void
test_texts_are_kept_composed(void **state)
{
    struct rules_fault fault = { 0 };
    char *text;
    char *key;

    assert_int_equal(
        rules_username(igw_slice_of("Jose\xcc\x81"), &text, &key, &fault),
        IGW_OK);
    assert_string_equal(text, "Jos\xc3\xa9");
    free(text);
    free(key);
    assert_int_equal(
        rules_person_name(igw_slice_of("Jose\xcc\x81"), &text, &fault), IGW_OK);
    assert_string_equal(text, "Jos\xc3\xa9");
    free(text);
}

#define LABEL63 \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct example emails[] = {
    { ONE("a@b"), NULL },
    { ONE("ivan@example.org"), NULL },
    { ONE("Ivan.Petrov+tag@mail.example.org"), NULL },
    { ONE("!#$%&'*+-/=?^_`{|}~@example.org"), NULL },
    { ONE("иван@пример.рф"), NULL },
    { ONE("a@xn--e1afmkfd.xn--p1ai"), NULL },
    { ONE("a@127.0.0.1"), NULL },
    { "l", 64, "@example.org", NULL },
    { "l", 65, "@example.org", "invalid_email" },
    { ONE("a@" LABEL63 ".org"), NULL },
    { ONE("a@a" LABEL63 ".org"), "invalid_email" },
    { "l", 61, "@" LABEL63 "." LABEL63 "." LABEL63 /* 61 + 1 + 191 + 1 */,
      NULL },
    { "l", 62, "@" LABEL63 "." LABEL63 "." LABEL63, NULL },
    { "l", 63, "@" LABEL63 "." LABEL63 "." LABEL63, "too_long" },
    { ONE(""), "required" },
    { ONE("@"), "invalid_email" },
    { ONE("a"), "invalid_email" },
    { ONE("a@"), "invalid_email" },
    { ONE("@b"), "invalid_email" },
    { ONE("a@b@c"), "invalid_email" },
    { ONE("a b@c.org"), "invalid_email" },
    { ONE("a@b c.org"), "invalid_email" },
    { ONE(" a@b.org"), "invalid_email" },
    { ONE("a@b.org "), "invalid_email" },
    { ONE(".a@b.org"), "invalid_email" },
    { ONE("a.@b.org"), "invalid_email" },
    { ONE("a..b@c.org"), "invalid_email" },
    { ONE("a@.b.org"), "invalid_email" },
    { ONE("a@b.org."), "invalid_email" },
    { ONE("a@b..org"), "invalid_email" },
    { ONE("a@-b.org"), "invalid_email" },
    { ONE("a@b-.org"), "invalid_email" },
    { ONE("a@b.-org"), "invalid_email" },
    { ONE("a@b.org-"), "invalid_email" },
    { ONE("a@b_c.org"), "invalid_email" },
    { ONE("\"a b\"@c.org"), "invalid_email" },
    { ONE("a,b@c.org"), "invalid_email" },
    { ONE("a@b.org, c@d.org"), "invalid_email" },
    { ONE("<a@b.org>"), "invalid_email" },
    { ONE("a@[127.0.0.1]"), "invalid_email" },
    { ONE("a＠b.org"), "invalid_email" },
    { ONE("a@b․org"), "invalid_email" },
    { ONE("a\xe2\x80\x8b@b.org"), "invalid_email" },
    { ONE("a\xf0\x9f\x98\x80@b.org"), "invalid_email" },
    { ONE("a@b.org\r\nX: y"), "control_character" },
    { ONE("a\xff@b.org"), "invalid_encoding" },
};

static void
test_emails(void **state)
{
    for (size_t i = 0; i < sizeof(emails) / sizeof(*emails); i++) {
        struct rules_fault fault = { 0 };
        struct igw_buf given;
        char *text;
        char *key;
        enum igw_result rc;

        build(&emails[i], &given);
        rc = rules_email(igw_buf_slice(&given), &text, &key, &fault);
        check_code(&emails[i], rc, &fault);
        free(text);
        free(key);
        igw_buf_clear(&given);
    }
}

static const struct example person_names[] = {
    { ONE("I"), NULL },
    { ONE("Иван"), NULL },
    { ONE("太郎"), NULL },
    { ONE("José María"), NULL },
    { ONE("O'Brien-Smith, Jr."), NULL },
    { ONE("\"Ike\" \\"), NULL },
    { ONE("\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae\xd9\x88\xd8\xa7"), NULL },
    { "x", 100, "", NULL },
    { "x", 101, "", "too_long" },
    { "\xf0\x9f\x98\x80", 100, "", NULL },
    { ONE(""), "required" },
    { ONE(" "), "outer_space" },
    { ONE(" a"), "outer_space" },
    { ONE("a "), "outer_space" },
    { ONE("a\xc2\xa0"), "outer_space" },
    { ONE("\xe3\x80\x80"
          "a"),
      "outer_space" },
    { ONE("\xe2\x80\x8d"), "invalid_character" },
    { ONE("a\xe2\x80\xae"
          "b"),
      "invalid_character" },
    { ONE("a\xe2\x80\xa8"
          "b"),
      "invalid_character" },
    { ONE("a\xe2\x80\xa9"
          "b"),
      "invalid_character" },
    { ONE("\xee\x80\x80"), "invalid_character" },
    { ONE("\xe3\x85\xa4"), "invalid_character" },
    { ONE("a\tb"), "control_character" },
    { ONE("a\nb"), "control_character" },
    { ONE("a\xc2\x9b"
          "b"),
      "control_character" },
    { ONE("a\xfe"), "invalid_encoding" },
};

static void
test_person_names(void **state)
{
    for (size_t i = 0; i < sizeof(person_names) / sizeof(*person_names); i++) {
        struct rules_fault fault = { 0 };
        struct igw_buf given;
        char *text;
        enum igw_result rc;

        build(&person_names[i], &given);
        rc = rules_person_name(igw_buf_slice(&given), &text, &fault);
        check_code(&person_names[i], rc, &fault);
        free(text);
        igw_buf_clear(&given);
    }
}

/*
 * For Ivan "Anna-Maria" Lee, il.petrov@mail.example.org, at a service whose
 * issuer is https://login.acme.test and whose audience is gateways.
 */
static const struct rules_password ivans = {
    .min = 8,
    .username_key = "ivan",
    .email_key = "il.petrov@mail.example.org",
    .first_name = "Anna-Maria",
    .last_name = "Lee",
    .issuer = "https://login.acme.test",
    .audience = "gateways",
};

static const struct example passwords[] = {
    { "x", 7, "|", NULL },
    { "x", 7, "", "too_short" },
    { "x", 128, "", NULL },
    { "x", 129, "", "too_long" },
    { "я", 8, "", NULL },
    { "я", 7, "", "too_short" },
    { "\xf0\x9f\x98\x80", 64, "", NULL },
    { "\xf0\x9f\x98\x80", 128, "", NULL },
    { "\xf0\x9f\x98\x80", 129, "", "too_long" },
    { "ﬁ", 4, "", NULL },
    { "ﬁ", 3, "", "too_short" },
    { "e\xcc\x81", 7, "", "too_short" },
    { " ", 8, "", NULL },
    { ONE(""), "required" },
    { ONE("correct horse"), NULL },
    { ONE("12345678"), "common_password" },
    { ONE("password"), "common_password" },
    { ONE("PassWord"), "common_password" },
    { ONE("ｐａｓｓｗｏｒｄ"), "common_password" },
    { ONE("1Qaz2Wsx"), "common_password" },
    { ONE("password1"), "common_password" },
    { ONE("password "), NULL },
    { ONE("passwordpassword"), NULL },
    { ONE("my ivan pass"), "own_words" },
    { ONE("my IVAN pass"), "own_words" },
    { ONE("xxＩＶＡＮxx"), "own_words" },
    { ONE("petrov99"), "own_words" },
    { ONE("99PETROV"), "own_words" },
    { ONE("il.petrov"), "own_words" },
    { ONE("example's"), "own_words" },
    { ONE("my mailbox"), "own_words" },
    { ONE("organism9"), NULL },
    { ONE("annaconda"), "own_words" },
    { ONE("x marias x"), "own_words" },
    { ONE("flee away"), NULL },
    { ONE("the logins"), "own_words" },
    { ONE("acmeacme"), "own_words" },
    { ONE("GATEWAYS!"), "own_words" },
    { ONE("gatewayis"), NULL },
    { ONE("iva nivan"), "own_words" },
    { ONE("i-v-a-n-x"), NULL },
    { ONE("tab\tinside"), "control_character" },
    { ONE("line\ninside"), "control_character" },
    { ONE("bad\xff"
          "bytes"),
      "invalid_encoding" },
};

static void
test_passwords(void **state)
{
    for (size_t i = 0; i < sizeof(passwords) / sizeof(*passwords); i++) {
        struct rules_fault fault = { 0 };
        struct igw_buf given;
        char *text;
        enum igw_result rc;

        build(&passwords[i], &given);
        rc = rules_password(igw_buf_slice(&given), &ivans, &text, &fault);
        check_code(&passwords[i], rc, &fault);
        free(text);
        igw_buf_clear(&given);
    }
}

static void
test_short_own_words_count_only_whole(void **state)
{
    const struct rules_password policy = { .min = 3,
                                           .username_key = "abc",
                                           .email_key = "xyz@b" };
    struct rules_fault fault = { 0 };
    char *text;

    assert_int_equal(
        rules_password(igw_slice_of("ABC"), &policy, &text, &fault),
        IGW_INVALID);
    assert_string_equal(fault.code, "own_words");
    assert_int_equal(
        rules_password(igw_slice_of("xyz"), &policy, &text, &fault),
        IGW_INVALID);
    assert_int_equal(
        rules_password(igw_slice_of("abcd"), &policy, &text, &fault), IGW_OK);
    assert_string_equal(text, "abcd");
    free(text);
}

static void
test_the_minimum_is_a_setting(void **state)
{
    const struct rules_password policy = { .min = 15 };
    struct rules_fault fault = { 0 };
    char *text;

    assert_int_equal(
        rules_password(igw_slice_of("xxxxxxxxxxxxxx"), &policy, &text, &fault),
        IGW_INVALID);
    assert_string_equal(fault.detail, "must have 15 to 128 characters");
    assert_int_equal(
        rules_password(igw_slice_of("xxxxxxxxxxxxxxx"), &policy, &text, &fault),
        IGW_OK);
    free(text);
}

static const struct rules_password bare = { .min = 8, .issuer = "acme" };

/* Whose words are an applicant's own is decided in one place. */
static void
test_an_applicant_has_own_words(void **state)
{
    static const char *const given_passwords[] = { "ivan the 1st",
                                                   "a petrovsky", "marianne77",
                                                   "de souza 99", "acme acme" };
    struct igw_slice given[RULES_FIELDS] = {
        [RULES_USERNAME] = igw_slice_of("Ivan"),
        [RULES_EMAIL] = igw_slice_of("Petrov@Example.org"),
        [RULES_FIRST_NAME] = igw_slice_of("Marianne"),
        [RULES_LAST_NAME] = igw_slice_of("de Souza"),
    };
    struct rules_applicant applicant;

    for (size_t i = 0; i < sizeof(given_passwords) / sizeof(char *); i++) {
        given[RULES_PASSWORD] = igw_slice_of(given_passwords[i]);
        assert_int_equal(rules_applicant_check(given, &bare, &applicant),
                         IGW_INVALID);
        assert_string_equal(applicant.faults[RULES_PASSWORD].code, "own_words");
        assert_null(applicant.password);
        rules_applicant_clear(&applicant);
    }
}

static void
test_an_applicant_hears_everything_at_once(void **state)
{
    struct igw_slice given[RULES_FIELDS] = {
        [RULES_USERNAME] = igw_slice_of("a b"),
        [RULES_PASSWORD] = igw_slice_of("short"),
        [RULES_EMAIL] = igw_slice_of("nowhere"),
        [RULES_LAST_NAME] = igw_slice_of(" x"),
    };
    struct rules_applicant applicant;

    assert_int_equal(rules_applicant_check(given, &bare, &applicant),
                     IGW_INVALID);
    assert_string_equal(applicant.faults[RULES_USERNAME].code,
                        "invalid_character");
    assert_string_equal(applicant.faults[RULES_PASSWORD].code, "too_short");
    assert_string_equal(applicant.faults[RULES_EMAIL].code, "invalid_email");
    assert_string_equal(applicant.faults[RULES_FIRST_NAME].code, "required");
    assert_string_equal(applicant.faults[RULES_LAST_NAME].code, "outer_space");
    rules_applicant_clear(&applicant);
}

static void
test_an_applicant_needs_no_last_name(void **state)
{
    struct igw_slice given[RULES_FIELDS] = {
        [RULES_USERNAME] = igw_slice_of("Ivan"),
        [RULES_PASSWORD] = igw_slice_of("correct horse"),
        [RULES_EMAIL] = igw_slice_of("Ivan@Example.org"),
        [RULES_FIRST_NAME] = igw_slice_of("Иван"),
    };
    struct rules_applicant applicant;

    assert_int_equal(rules_applicant_check(given, &bare, &applicant), IGW_OK);
    assert_string_equal(applicant.username, "Ivan");
    assert_string_equal(applicant.username_key, "ivan");
    assert_string_equal(applicant.email, "Ivan@Example.org");
    assert_string_equal(applicant.email_key, "ivan@example.org");
    assert_string_equal(applicant.last_name, "");
    assert_string_equal(applicant.password, "correct horse");
    rules_applicant_clear(&applicant);
    assert_null(applicant.password);
}

struct life {
    int64_t ttl_ms;
    int64_t left_ms;
    int64_t idle_ms;
    int64_t life_sec; /* expected */
    int64_t cache_sec;
};

static const struct life lives[] = {
    { 300000, 43200000, 1800000, 300, 240 },
    { 300000, 300000, 1800000, 300, 240 },
    { 300000, 299999, 1800000, 299, 239 },
    { 300000, 61000, 1800000, 61, 1 },
    { 300000, 60000, 1800000, 60, 0 },
    { 300000, 5000, 1800000, 5, 0 },
    { 300000, 999, 1800000, 1, 0 },
    { 300000, 0, 1800000, 1, 0 },
    { 60000, 43200000, 1800000, 60, 0 },
    { 10000, 43200000, 1800000, 10, 0 },
    { 300000, 43200000, 960000, 300, 240 },
    { 300000, 43200000, 240000, 300, 60 },
    { 300000, 43200000, 3999, 300, 0 },
};

static void
test_tokens_end_with_their_session(void **state)
{
    for (size_t i = 0; i < sizeof(lives) / sizeof(*lives); i++) {
        const struct life *life = &lives[i];
        struct rules_times times =
            rules_token_times(1000, life->ttl_ms, life->left_ms, life->idle_ms);

        assert_int_equal(times.issued_at, 1000);
        assert_int_equal(times.expires_at, 1000 + life->life_sec);
        assert_int_equal(times.cache_sec, life->cache_sec);
    }
}

static void
test_a_use_is_recorded_once_a_minute_or_four_times_an_idle_limit(void **state)
{
    assert_int_equal(rules_touch_after_ms(1800000), 60000);
    assert_int_equal(rules_touch_after_ms(240000), 60000);
    assert_int_equal(rules_touch_after_ms(239996), 59999);
    assert_int_equal(rules_touch_after_ms(1000), 250);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usernames),
        cmocka_unit_test(test_a_nul_byte_is_a_control_character),
        cmocka_unit_test(test_equal_usernames_have_one_key),
        cmocka_unit_test(test_one_text_has_one_key),
        cmocka_unit_test(test_texts_are_kept_composed),
        cmocka_unit_test(test_emails),
        cmocka_unit_test(test_person_names),
        cmocka_unit_test(test_passwords),
        cmocka_unit_test(test_short_own_words_count_only_whole),
        cmocka_unit_test(test_the_minimum_is_a_setting),
        cmocka_unit_test(test_an_applicant_has_own_words),
        cmocka_unit_test(test_an_applicant_hears_everything_at_once),
        cmocka_unit_test(test_an_applicant_needs_no_last_name),
        cmocka_unit_test(test_tokens_end_with_their_session),
        cmocka_unit_test(
            test_a_use_is_recorded_once_a_minute_or_four_times_an_idle_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
