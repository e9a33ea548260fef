/*
 * Which documents are profiles, what is said of those that are not, and that
 * a profile comes back as it was sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules.h"

static struct json_t *
parse(const char *text)
{
    struct igw_json_fault fault;
    struct json_t *json = NULL;

    if (igw_json_parse(igw_slice_of(text), &json, &fault) != IGW_OK) {
        fail_msg("%s: %s", text, fault.detail);
    }
    return json;
}

/* The errors as "field:code field:code ", "" when the document is good. */
static void
faults_of(const char *text, struct igw_buf *out)
{
    struct igw_errors errors = { 0 };
    struct json_t *json = parse(text);
    struct profile profile;
    enum igw_result rc;

    profile_init(&profile);
    igw_buf_init(out);
    igw_buf_puts(out, "");
    rc = rules_read(json, &profile, &errors);
    assert_int_equal(rc, igw_errors_any(&errors) ? IGW_INVALID : IGW_OK);
    for (size_t i = 0; i < igw_json_size(errors.list); i++) {
        const struct json_t *error = igw_json_at(errors.list, i);

        igw_buf_printf(out, "%s:%s ",
                       igw_json_text(igw_json_get(error, "field")).data,
                       igw_json_text(igw_json_get(error, "code")).data);
    }

    profile_clear(&profile);
    igw_errors_clear(&errors);
    igw_json_free(&json);
}

static void
check_faults(const char *text, const char *expected)
{
    struct igw_buf faults;

    faults_of(text, &faults);
    if (strcmp(faults.len > 0 ? faults.data : "", expected) != 0) {
        fail_msg("%s: <%s>, not <%s>", text, faults.data, expected);
    }
    igw_buf_clear(&faults);
}

/* A document with one member, a text. */
static void
check_text(const char *name, const char *value, const char *code)
{
    struct json_t *json = igw_json_object();
    struct igw_buf text;
    struct igw_buf expected;

    igw_buf_init(&text);
    igw_buf_init(&expected);
    assert_true(igw_json_set_text(json, name, igw_slice_of(value)));
    assert_int_equal(igw_json_dump(json, &text), IGW_OK);
    if (code != NULL) {
        igw_buf_printf(&expected, "%s:%s ", name, code);
    }

    check_faults(text.data, code != NULL ? expected.data : "");

    igw_buf_clear(&text);
    igw_buf_clear(&expected);
    igw_json_free(&json);
}

static void
check_back(const char *text, const char *expected)
{
    struct igw_errors errors = { 0 };
    struct json_t *json = parse(text);
    struct profile profile;
    struct igw_buf out;

    profile_init(&profile);
    igw_buf_init(&out);
    assert_int_equal(rules_read(json, &profile, &errors), IGW_OK);
    igw_buf_puts(&out, ",");
    rules_write(&profile, &out);
    igw_buf_puts(&out, "}");
    /* Commas are in front of members: of none, of the first one. */
    out.data[out.len > 2 ? 1 : 0] = '{';
    assert_string_equal(out.data + (out.len > 2 ? 1 : 0), expected);

    igw_buf_clear(&out);
    profile_clear(&profile);
    igw_errors_clear(&errors);
    igw_json_free(&json);
}

static void
every_member_comes_back(void **state)
{
    static const char all[] =
        "{\"given_name\":\"José\",\"family_name\":\"山田\","
        "\"nickname\":\"太郎\",\"picture\":\"https://example.org/p.png\","
        "\"website\":\"http://example.org\",\"gender\":\"женский\","
        "\"birthdate\":\"1979-02-28\",\"zoneinfo\":\"Europe/Paris\","
        "\"locale\":\"fr-CA\",\"phone_number\":\"+14255551212\","
        "\"bio\":\"two\\nlines\",\"address\":{\"formatted\":\"a\\r\\nb\","
        "\"street_address\":\"1 Rue X\",\"locality\":\"Paris\","
        "\"region\":\"IDF\",\"postal_code\":\"75001\",\"country\":\"FR\"},"
        "\"custom\":{\"z\":[1,2.5,null,true,{\"a\":\"b\\n\"}],\"a\":{}}}";

    (void)state;
    check_back(all, all);
    check_back("{}", "{}");
    check_back("{\"address\":{}}", "{}");
    check_back("{\"custom\":{}}", "{\"custom\":{}}");
    check_back("{\"bio\":\"b\",\"nickname\":\"n\"}",
               "{\"nickname\":\"n\",\"bio\":\"b\"}");
    check_back("{\"custom\":{\"n\":[1e19,-1e300,9223372036854775807,19.99]}}",
               "{\"custom\":{\"n\":[1e19,-1e300,9223372036854775807,19.99]}}");
}

static void
text_is_kept_in_nfc(void **state)
{
    (void)state;
    check_back("{\"given_name\":\"Jose\\u0301\"}", "{\"given_name\":\"José\"}");
    check_back("{\"address\":{\"locality\":\"Zu\\u0308rich\"}}",
               "{\"address\":{\"locality\":\"Zürich\"}}");
    /* What is inside `custom` is the application's. */
    check_back("{\"custom\":{\"e\\u0301\":\"e\\u0301\"}}",
               "{\"custom\":{\"e\xcc\x81\":\"e\xcc\x81\"}}");
}

static void
every_fault_is_told_at_once(void **state)
{
    (void)state;
    check_faults("{\"given_name\":1,\"nope\":2,\"birthdate\":\"x\","
                 "\"address\":{\"region\":\"\",\"planet\":\"Earth\"},"
                 "\"custom\":[],\"nickname\":\"fine\"}",
                 "given_name:wrong_type nope:unknown_field "
                 "birthdate:invalid_format /address/region:too_short "
                 "/address/planet:unknown_field custom:wrong_type ");
    check_faults("{\"address\":{\"a/b~c\":1}}",
                 "/address/a~1b~0c:unknown_field ");
    check_faults("{\"address\":\"Paris\"}", "address:wrong_type ");
    check_faults("{\"address\":null}", "address:wrong_type ");
    check_faults("{\"given_name\":null}", "given_name:wrong_type ");
    check_faults("{\"given_name\":{}}", "given_name:wrong_type ");
    check_faults("{\"\":\"\"}", ":unknown_field ");
    check_faults("{\"Given_name\":\"x\"}", "Given_name:unknown_field ");
    /* A nested name does not count on top, nor the other way. */
    check_faults("{\"locality\":\"x\",\"address\":{\"bio\":\"x\"}}",
                 "locality:unknown_field /address/bio:unknown_field ");
    check_faults("{\"sub\":\"x\",\"updated_at\":1,"
                 "\"preferred_username\":\"x\"}",
                 "sub:read_only updated_at:read_only "
                 "preferred_username:read_only ");
}

static void
the_list_of_faults_is_bounded(void **state)
{
    struct igw_errors errors = { 0 };
    struct json_t *json = igw_json_object();
    struct profile profile;
    char name[16];

    (void)state;
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "x%d", i);
        assert_true(igw_json_set_integer(json, name, i));
    }

    profile_init(&profile);
    assert_int_equal(rules_read(json, &profile, &errors), IGW_INVALID);
    assert_int_equal(igw_json_size(errors.list), 100);

    igw_errors_clear(&errors);
    igw_json_free(&json);
}

static void
control_characters_are_refused(void **state)
{
    (void)state;
    check_text("given_name", "a\nb", "control_character");
    check_text("given_name", "a\tb", "control_character");
    check_text("given_name", "a\x7f", "control_character");
    check_text("nickname", "a\xc2\x85", "control_character");
    check_text("website", "http://a/\r\nX-User: b", "control_character");
    check_text("bio", "a\nb\r\nc\n", NULL);
    check_text("bio", "a\rb", "control_character");
    check_text("bio", "a\r\r\n", "control_character");
    check_text("bio", "a\nb\x01", "control_character");
    check_text("bio", "a\x1b[0m\nb", "control_character");
    check_faults("{\"address\":{\"region\":\"a\\nb\"}}",
                 "/address/region:control_character ");
}

static void
length_is_counted_in_code_points(void **state)
{
    char text[3 * 130 + 1];

    (void)state;
    text[0] = '\0';
    for (int i = 0; i < 128; i++) {
        strcat(text, "太");
    }
    check_text("given_name", text, NULL);
    strcat(text, "太");
    check_text("given_name", text, "too_long");

    /* U+0958 is two code points in NFC, so 65 of them are 130. */
    text[0] = '\0';
    for (int i = 0; i < 64; i++) {
        strcat(text, "\xe0\xa5\x98");
    }
    check_text("given_name", text, NULL);
    strcat(text, "\xe0\xa5\x98");
    check_text("given_name", text, "too_long");
}

/* `text` of `len` bytes 'x' between `head` and `tail`. */
static char *
stretch(const char *head, size_t len, const char *tail)
{
    char *text = malloc(strlen(head) + len + strlen(tail) + 1);

    assert_non_null(text);
    strcpy(text, head);
    memset(text + strlen(head), 'x', len);
    strcpy(text + strlen(head) + len, tail);
    return text;
}

static void
custom_is_at_most_16_kib_of_json(void **state)
{
    /* {"custom":{"k":"xxx"}}: 8 bytes of `custom` are no x */
    char *fits = stretch("{\"custom\": {\"k\" : \"", 16384 - 8, "\"} }");
    char *spills = stretch("{\"custom\":{\"k\":\"", 16384 - 7, "\"}}");

    (void)state;
    check_faults(fits, "");
    check_faults(spills, "custom:too_long ");
    check_faults("{\"custom\":\"{}\"}", "custom:wrong_type ");
    free(fits);
    free(spills);
}

static void
birthdates(void **state)
{
    static const char *const good[] = { "1979",       "0001",
                                        "1979-12-31", "2024-02-29",
                                        "0000-02-29", "0000-12-01",
                                        "2000-02-29" };
    static const char *const bad[] = {
        "0000",        "197",        "19790",       "1979-",       "1979-1-1",
        "1979-00-10",  "1979-13-10", "1979-01-00",  "1979-04-31",  "2023-02-29",
        "1900-02-29",  "0000-02-30", "1979-12-31 ", " 1979-12-31", "1979/12/31",
        "1979-12-311", "1979-12",    "-979-12-31",  "１９７９",    "+197-01-01",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        check_text("birthdate", good[i], NULL);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        check_text("birthdate", bad[i],
                   strlen(bad[i]) > 10 && strcmp(bad[i], "１９７９") != 0
                       ? "too_long"
                       : "invalid_format");
    }
}

static void
urls(void **state)
{
    static const char *const good[] = {
        "http://a",
        "https://example.org/x?y=z#w",
        "HTTPS://EXAMPLE.ORG",
        "http://[::1]:8080/",
        "https://пример.рф/путь",
        "http://a/b@c",
        "http://a:80/",
        "http://a:/",
        "http://a:65535",
        "http://192.0.2.1/",
        "http://a_b.example/?x[]=1",
        "https://a/%41%ff?%20#%7e",
        "https://xn--e1afmkfd.xn--p1ai/",
    };
    static const char *const bad[] = {
        "example.org",
        "ftp://example.org",
        "javascript:alert(1)",
        "http:/a",
        "http://",
        "http:///path",
        "http://?q",
        "http://:80/",
        "http://user@host/",
        "http://user:password@host/",
        "http://a b/",
        "http://a/<script>",
        "http://a/\"x",
        "https://a\\b",
        " http://a",
        "data:text/html,http://a",
        "http://a:65536/",
        "http://a:8x/",
        "http://a:080000/",
        "http://[::1/",
        "http://[::1]x/",
        "http://[]/",
        "http://[1.2.3.4]/",
        "http://[::1%25eth0]/",
        "http://.a/",
        "http://a,b/",
        "http://a'b/",
        "http://a%4/",
        "http://a/%zz",
        "http://a/%",
        "http://a/#b#c",
        "https:a",
        "https://",
        "http:\\\\a",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        check_text("website", good[i], NULL);
        check_text("picture", good[i], NULL);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        check_text("website", bad[i], "invalid_format");
        check_text("picture", bad[i], "invalid_format");
    }
}

static void
zones(void **state)
{
    static const char *const good[] = {
        "Europe/Paris", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "UTC",
        "Asia/Tokyo",   "America/Port-au-Prince",
    };
    static const char *const bad[] = {
        "Europe/Nowhere", "europe/paris", "Europe/Paris/", "/Europe/Paris",
        "Europe//Paris",  "Europe",       "Europe/../UTC", "../../etc/passwd",
        "/etc/passwd",    "./UTC",        "posix/UTC",     "right/UTC",
        "posixrules",     "localtime",    "tzdata.zi",     "zone.tab",
        "Europe Paris",   "GMT+5",        "UTC\xc3\xa9",   "Europe\\Paris",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        check_text("zoneinfo", good[i], NULL);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        check_text("zoneinfo", bad[i], "invalid_format");
    }
    setenv("TZDIR", "/nonexistent", 1);
    check_text("zoneinfo", "Europe/Paris", "no_time_zones");
    check_text("zoneinfo", "../x", "invalid_format");
    unsetenv("TZDIR");
}

/* RFC 5646, appendix A, and what is wrong with some of its kind. */
static void
locales(void **state)
{
    static const char *const good[] = {
        "de",
        "fr",
        "ja",
        "i-enochian",
        "zh-Hant",
        "zh-Hans",
        "sr-Cyrl",
        "sr-Latn",
        "zh-cmn-Hans-CN",
        "cmn-Hans-CN",
        "zh-yue-HK",
        "yue-HK",
        "zh-Hans-CN",
        "sr-Latn-RS",
        "sl-rozaj",
        "sl-rozaj-biske",
        "sl-nedis",
        "de-CH-1901",
        "sl-IT-nedis",
        "hy-Latn-IT-arevela",
        "de-DE",
        "en-US",
        "es-419",
        "de-CH-x-phonebk",
        "az-Arab-x-AZE-derbend",
        "x-whatever",
        "qaa-Qaaa-QM-x-southern",
        "de-Qaaa",
        "sr-Latn-QM",
        "en-US-u-islamcal",
        "zh-CN-a-myext-x-private",
        "en-a-myext-b-another",
        "en_US",
        "zh_Hant_TW",
        "EN-us",
        "ast",
        "abcd",
        "abcdefgh",
        "en-GB-oed",
        "art-lojban",
        "ca-ES-valencia",
        "de-1996-1901",
        "zh-min-nan",
    };
    static const char *const bad[] = {
        "e",
        "-en",
        "en-",
        "en--US",
        "en;q=1",
        "en US",
        "en.UTF-8",
        "12",
        "abcdefghi",
        "a-DE",
        "en-u",
        "en-a-bb-a-cc",
        "en-u-x",
        "x",
        "x-",
        "en-x",
        "de-419-DE",
        "en-abcdefghi",
        "de-1996-1996",
        "sl-rozaj-biske-ROZAJ",
        "de-DE-Latn",
        "1en-US",
        "en-a1",
        "en-abc-de-f",
        "\xc3\xa9n",
        "en_US@euro",
        "i-klingon-x",
        "C.UTF-8",
        "*",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        check_text("locale", good[i], NULL);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        check_text("locale", bad[i], "invalid_format");
    }
    check_text("locale", "de-x-a-b-c-d-e-f-g-h-i-j-k-l-m-n-o", NULL);
    check_text("locale", "de-x-a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p", "too_long");
}

/* A patch changes what it names, and looks at nothing else. */
static void
a_patch_changes_what_it_names(void **state)
{
    struct igw_errors errors = { 0 };
    struct json_t *patch = parse("{\"zoneinfo\":\"UTC\",\"bio\":null,"
                                 "\"custom\":{\"a\":{\"b\":null}}}");
    struct profile profile;

    (void)state;
    profile_init(&profile);
    profile.value[PROFILE_LOCALE] = strdup("stored before there was a rule");
    profile.value[PROFILE_BIO] = strdup("b");
    assert_int_equal(rules_patch(patch, &profile, &errors), IGW_OK);
    assert_string_equal(profile.value[PROFILE_LOCALE],
                        "stored before there was a rule");
    assert_string_equal(profile.value[PROFILE_ZONEINFO], "UTC");
    assert_null(profile.value[PROFILE_BIO]);
    assert_string_equal(profile.value[PROFILE_CUSTOM], "{\"a\":{}}");

    /* A document replaces all of it. */
    assert_int_equal(rules_read(patch, &profile, &errors), IGW_INVALID);
    igw_errors_clear(&errors);
    igw_json_free(&patch);
    patch = parse("{\"nickname\":\"n\"}");
    assert_int_equal(rules_read(patch, &profile, &errors), IGW_OK);
    assert_null(profile.value[PROFILE_ZONEINFO]);
    assert_null(profile.value[PROFILE_LOCALE]);
    assert_string_equal(profile.value[PROFILE_NICKNAME], "n");

    profile_clear(&profile);
    igw_json_free(&patch);
}

static void
other_shapes(void **state)
{
    (void)state;
    check_text("phone_number", "+14255551212", NULL);
    check_text("phone_number", "+2908123", NULL);
    check_text("phone_number", "+123456789012345", NULL);
    check_text("phone_number", "+1234567890123456", "too_long");
    check_text("phone_number", "14255551212", "invalid_format");
    check_text("phone_number", "+04255551212", "invalid_format");
    check_text("phone_number", "+1 425 555", "invalid_format");
    check_text("phone_number", "+123456", "invalid_format");
    check_text("phone_number", "+", "invalid_format");
    check_text("gender", "", "too_short");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_comes_back),
        cmocka_unit_test(text_is_kept_in_nfc),
        cmocka_unit_test(every_fault_is_told_at_once),
        cmocka_unit_test(the_list_of_faults_is_bounded),
        cmocka_unit_test(control_characters_are_refused),
        cmocka_unit_test(length_is_counted_in_code_points),
        cmocka_unit_test(custom_is_at_most_16_kib_of_json),
        cmocka_unit_test(birthdates),
        cmocka_unit_test(urls),
        cmocka_unit_test(zones),
        cmocka_unit_test(locales),
        cmocka_unit_test(a_patch_changes_what_it_names),
        cmocka_unit_test(other_shapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
