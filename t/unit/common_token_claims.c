/*
 * Access tokens: their claims, and what is refused of them.
 */
#include "token_fixture.h"

static void
a_payload_is_one_object_without_duplicates(void **state)
{
    static const struct payload_case cases[] = {
        { PAYLOAD, NULL },
        { " " PAYLOAD "\n", NULL },
        { "{" SUB ISS AUD SUB USER IAT NBF EXP END, "malformed" },
        { "{\"s\\u0075b\":\"root\"," ISS AUD SUB USER IAT NBF EXP END,
          "malformed" },
        { "{\"exp\":9000," ISS AUD SUB USER IAT NBF EXP END, "malformed" },
        { "{\"a\":{\"b\":1,\"b\":2}," ISS AUD SUB USER IAT NBF EXP END,
          "malformed" },
        { "{}", "bad_claims" },
        { "[]", "malformed" },
        { "[" PAYLOAD "]", "malformed" },
        { "null", "malformed" },
        { "\"sub\"", "malformed" },
        { "7", "malformed" },
        { PAYLOAD PAYLOAD, "malformed" },
        { PAYLOAD ",", "malformed" },
        { "{" ISS AUD SUB USER IAT NBF EXP "}", "malformed" },
        { "\xef\xbb\xbf" PAYLOAD, "malformed" },
        { "{\"given_name\":\"\xff\"," ISS AUD SUB USER IAT NBF EXP END,
          "malformed" },
        { "{\"given_name\":\"\\ud800\"," ISS AUD SUB USER IAT NBF EXP END,
          "malformed" },
        { "{\"given_name\":\"a\\u0000b\"," ISS AUD SUB USER IAT NBF EXP END,
          "malformed" },
        { "{\"deep\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]," ISS AUD SUB USER IAT NBF
              EXP END,
          NULL },
        { "{\"deep\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]," ISS AUD SUB USER IAT NBF
              EXP END,
          "malformed" },
        { "{\"unknown\":{\"claims\":[\"are\",\"free\"]}," ISS AUD SUB USER IAT
              NBF EXP END,
          NULL },
    };

    check_payloads(*state, cases, COUNT(cases));
}

static void
a_required_claim_is_a_text(void **state)
{
    static const struct payload_case cases[] = {
        { "{" AUD SUB USER IAT NBF EXP END, "bad_claims" },
        { "{" ISS SUB USER IAT NBF EXP END, "bad_claims" },
        { "{" ISS AUD USER IAT NBF EXP END, "bad_claims" },
        { "{" ISS AUD SUB IAT NBF EXP END, "bad_claims" },
        { "{\"iss\":\"\"," AUD SUB USER IAT NBF EXP END, "bad_claims" },
        { "{\"iss\":null," AUD SUB USER IAT NBF EXP END, "bad_claims" },
        { "{\"iss\":1," AUD SUB USER IAT NBF EXP END, "bad_claims" },
        { "{\"iss\":[\"identprov\"]," AUD SUB USER IAT NBF EXP END,
          "bad_claims" },
        { "{\"sub\":\"\"," ISS AUD USER IAT NBF EXP END, "bad_claims" },
        { "{\"sub\":null," ISS AUD USER IAT NBF EXP END, "bad_claims" },
        { "{\"sub\":7," ISS AUD USER IAT NBF EXP END, "bad_claims" },
        { "{\"sub\":{\"a\":1}," ISS AUD USER IAT NBF EXP END, "bad_claims" },
        { "{\"sub\":[\"a\"]," ISS AUD USER IAT NBF EXP END, "bad_claims" },
        { "{\"Sub\":\"a\"," ISS AUD USER IAT NBF EXP END, "bad_claims" },
        { "{\"preferred_username\":\"\"," ISS AUD SUB IAT NBF EXP END,
          "bad_claims" },
        { "{\"preferred_username\":null," ISS AUD SUB IAT NBF EXP END,
          "bad_claims" },
        { "{\"preferred_username\":true," ISS AUD SUB IAT NBF EXP END,
          "bad_claims" },
    };

    check_payloads(*state, cases, COUNT(cases));
}

static void
an_optional_claim_has_its_type(void **state)
{
#define WITH(json) "{" json "," ISS AUD SUB USER IAT NBF EXP "\"z\":0}"
    static const struct payload_case cases[] = {
        { WITH("\"sid\":\"\""), NULL },
        { WITH("\"sid\":\"0123456789abcdef\""), NULL },
        { WITH("\"sid\":1"), "bad_claims" },
        { WITH("\"jti\":null"), "bad_claims" },
        { WITH("\"jti\":[]"), "bad_claims" },
        { WITH("\"email\":false"), "bad_claims" },
        { WITH("\"email\":{}"), "bad_claims" },
        { WITH("\"given_name\":0"), "bad_claims" },
        { WITH("\"family_name\":[\"a\"]"), "bad_claims" },
        { WITH("\"email_verified\":true"), NULL },
        { WITH("\"email_verified\":false"), NULL },
        { WITH("\"email_verified\":\"true\""), "bad_claims" },
        { WITH("\"email_verified\":1"), "bad_claims" },
        { WITH("\"email_verified\":null"), "bad_claims" },
        { WITH("\"groups\":[]"), NULL },
        { WITH("\"groups\":[\"a\",\"b\"]"), NULL },
        { WITH("\"groups\":\"a\""), "bad_claims" },
        { WITH("\"groups\":{\"a\":\"b\"}"), "bad_claims" },
        { WITH("\"groups\":[\"a\",1]"), "bad_claims" },
        { WITH("\"groups\":[[\"a\"]]"), "bad_claims" },
        { WITH("\"groups\":null"), "bad_claims" },
    };

    check_payloads(*state, cases, COUNT(cases));
#undef WITH
}

static void
the_issuer_is_ours(void **state)
{
#define ISSUER(text) "{\"iss\":\"" text "\"," AUD SUB USER IAT NBF EXP END
    static const struct payload_case cases[] = {
        { ISSUER("identprov"), NULL },
        { ISSUER("Identprov"), "wrong_issuer" },
        { ISSUER("identprov "), "wrong_issuer" },
        { ISSUER("identpro"), "wrong_issuer" },
        { ISSUER("identprovx"), "wrong_issuer" },
        { ISSUER("https://identprov"), "wrong_issuer" },
    };

    check_payloads(*state, cases, COUNT(cases));
#undef ISSUER
}

static void
the_audience_is_ours(void **state)
{
#define AUDIENCE(json) "{\"aud\":" json "," ISS SUB USER IAT NBF EXP END
    static const struct payload_case cases[] = {
        { AUDIENCE("\"identgw\""), NULL },
        { AUDIENCE("[\"identgw\"]"), NULL },
        { AUDIENCE("[\"other\",\"identgw\"]"), NULL },
        { AUDIENCE("[\"identgw\",\"other\"]"), NULL },
        { AUDIENCE("\"other\""), "wrong_audience" },
        { AUDIENCE("\"\""), "wrong_audience" },
        { AUDIENCE("\"IDENTGW\""), "wrong_audience" },
        { AUDIENCE("\"identgw \""), "wrong_audience" },
        { AUDIENCE("\"identgw,other\""), "wrong_audience" },
        { AUDIENCE("\"identg\""), "wrong_audience" },
        { AUDIENCE("[]"), "wrong_audience" },
        { AUDIENCE("[\"other\"]"), "wrong_audience" },
        { AUDIENCE("[\"\"]"), "wrong_audience" },
        { AUDIENCE("[\"identgw\",1]"), "bad_claims" },
        { AUDIENCE("[[\"identgw\"]]"), "bad_claims" },
        { AUDIENCE("{\"identgw\":\"identgw\"}"), "bad_claims" },
        { AUDIENCE("null"), "bad_claims" },
        { AUDIENCE("true"), "bad_claims" },
        { AUDIENCE("0"), "bad_claims" },
    };

    check_payloads(*state, cases, COUNT(cases));
#undef AUDIENCE
}

static void
no_audience_of_ours_matches_none(void **state)
{
    static const char *const auds[] = { "\"\"", "[]", "[\"\"]" };
    const struct keys *keys = *state;
    const struct igw_token_policy policy = { .issuer =
                                                 igw_slice_of("identprov"),
                                             .audience = igw_slice_of(""),
                                             .now = NOW };
    struct igw_buf token;
    struct igw_buf payload;

    igw_buf_init(&token);
    igw_buf_init(&payload);
    for (size_t i = 0; i < COUNT(auds); i++) {
        struct igw_claims claims;
        const char *reason = NULL;

        igw_buf_reset(&payload);
        igw_buf_printf(&payload, "{\"aud\":%s,%s", auds[i],
                       ISS SUB USER IAT NBF EXP END);
        forge(keys->k1, HEADER, payload.data, &token);
        assert_int_equal(igw_token_verify(keys->set, igw_buf_slice(&token),
                                          &policy, &claims, &reason),
                         IGW_DENIED);
        assert_string_equal(reason, "wrong_audience");
    }
    igw_buf_clear(&payload);
    igw_buf_clear(&token);
}

static void
times_are_integers(void **state)
{
#define TIMES(iat, nbf, exp) \
    "{" ISS AUD SUB USER "\"iat\":" iat ",\"nbf\":" nbf ",\"exp\":" exp "," END
    static const struct payload_case cases[] = {
        { TIMES("1000", "1000", "1300"), NULL },
        { TIMES("0", "0", "1300"), NULL },
        { TIMES("1000", "1000", "9007199254740991"), NULL },
        { "{" ISS AUD SUB USER IAT EXP END, NULL },
        { "{" ISS AUD SUB USER NBF EXP END, "bad_claims" },
        { "{" ISS AUD SUB USER IAT NBF END, "bad_claims" },
        { TIMES("1000", "1000", "9007199254740992"), "bad_claims" },
        { TIMES("1000", "1000", "9223372036854775807"), "bad_claims" },
        { TIMES("1000", "1000", "9223372036854775808"), "malformed" },
        { TIMES("1000", "1000", "99999999999999999999999"), "malformed" },
        { TIMES("1000", "1000", "1e400"), "malformed" },
        { TIMES("1000", "1000", "1300.0"), "bad_claims" },
        { TIMES("1000", "1000", "1.3e3"), "bad_claims" },
        { TIMES("1000", "1000", "-1"), "bad_claims" },
        { TIMES("1000", "1000", "-9223372036854775808"), "bad_claims" },
        { TIMES("1000", "1000", "-0"), "expired" },
        { TIMES("1000", "1000", "\"1300\""), "bad_claims" },
        { TIMES("1000", "1000", "\"\""), "bad_claims" },
        { TIMES("1000", "1000", "null"), "bad_claims" },
        { TIMES("1000", "1000", "true"), "bad_claims" },
        { TIMES("1000", "1000", "[1300]"), "bad_claims" },
        { TIMES("1000", "1000", "{}"), "bad_claims" },
        { TIMES("1000", "1000", "0x514"), "malformed" },
        { TIMES("1000", "1000", "01300"), "malformed" },
        { TIMES("1000", "1000", "Infinity"), "malformed" },
        { TIMES("\"1000\"", "1000", "1300"), "bad_claims" },
        { TIMES("1000.5", "1000", "1300"), "bad_claims" },
        { TIMES("-1", "1000", "1300"), "bad_claims" },
        { TIMES("null", "1000", "1300"), "bad_claims" },
        { TIMES("9007199254740992", "1000", "1300"), "bad_claims" },
        { TIMES("1000", "\"1000\"", "1300"), "bad_claims" },
        { TIMES("1000", "1000.5", "1300"), "bad_claims" },
        { TIMES("1000", "-1", "1300"), "bad_claims" },
        { TIMES("1000", "null", "1300"), "bad_claims" },
        { TIMES("1000", "9007199254740991", "1300"), "not_yet_valid" },
        { TIMES("9007199254740991", "1000", "1300"), "not_yet_valid" },
    };

    check_payloads(*state, cases, COUNT(cases));
#undef TIMES
}

static void
a_token_is_good_from_its_beginning_to_its_end(void **state)
{
    static const struct {
        int iat;
        int nbf;
        int exp;
        int now;
        const char *reason;
    } cases[] = {
        /* exp: now must be before it, give or take the leeway */
        { 1000, 1000, 1300, 1299, NULL },
        { 1000, 1000, 1300, 1300, NULL },
        { 1000, 1000, 1300, 1300 + LEEWAY_SEC - 1, NULL },
        { 1000, 1000, 1300, 1300 + LEEWAY_SEC, "expired" },
        { 1000, 1000, 1300, 1300 + LEEWAY_SEC + 1, "expired" },
        /* nbf */
        { 1000, 1100, 1300, 1100, NULL },
        { 1000, 1100, 1300, 1100 - LEEWAY_SEC + 1, NULL },
        { 1000, 1100, 1300, 1100 - LEEWAY_SEC, NULL },
        { 1000, 1100, 1300, 1100 - LEEWAY_SEC - 1, "not_yet_valid" },
        /* iat */
        { 1100, 1000, 1300, 1100, NULL },
        { 1100, 1000, 1300, 1100 - LEEWAY_SEC + 1, NULL },
        { 1100, 1000, 1300, 1100 - LEEWAY_SEC, NULL },
        { 1100, 1000, 1300, 1100 - LEEWAY_SEC - 1, "not_yet_valid" },
        { 0, 0, 0, 0, NULL },
        { 0, 0, 0, LEEWAY_SEC, "expired" },
    };
    const struct keys *keys = *state;
    struct igw_buf token;
    struct igw_buf payload;

    igw_buf_init(&token);
    igw_buf_init(&payload);
    for (size_t i = 0; i < COUNT(cases); i++) {
        igw_buf_reset(&payload);
        igw_buf_printf(
            &payload, "{\"iat\":%d,\"nbf\":%d,\"exp\":%d," ISS AUD SUB USER END,
            cases[i].iat, cases[i].nbf, cases[i].exp);
        forge(keys->k1, HEADER, payload.data, &token);
        expect(payload.data,
               verify_at(keys, igw_buf_slice(&token), cases[i].now),
               cases[i].reason);
    }
    igw_buf_clear(&token);
    igw_buf_clear(&payload);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_payload_is_one_object_without_duplicates),
        TEST(a_required_claim_is_a_text),
        TEST(an_optional_claim_has_its_type),
        TEST(the_issuer_is_ours),
        TEST(the_audience_is_ours),
        TEST(no_audience_of_ours_matches_none),
        TEST(times_are_integers),
        TEST(a_token_is_good_from_its_beginning_to_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
