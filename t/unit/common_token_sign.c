/*
 * Access tokens: what is signed.
 */
#include "token_fixture.h"

static struct igw_claims
full_claims(void)
{
    static struct igw_slice groups[2];

    groups[0] = igw_slice_of("readers");
    groups[1] = igw_slice_of("\xd0\xbf\xd0\xb8\xd1\x81\xd1\x86\xd1\x8b");
    return (struct igw_claims){
        .iss = igw_slice_of("identprov"),
        .aud = igw_slice_of("identgw"),
        .sub = igw_slice_of("550e8400-e29b-41d4-a716-446655440000"),
        .sid = igw_slice_of("0123456789abcdef"),
        .jti = igw_slice_of("AAECAwQFBgcICQoLDA0ODw"),
        .preferred_username = igw_slice_of("\xe5\xa4\xaa\xe9\x83\x8e"),
        .email = igw_slice_of("taro@example.org"),
        .email_verified = true,
        .given_name = igw_slice_of("\"Taro\" \\ \xe2\x9c\x93"),
        .family_name = igw_slice_of("Yamada"),
        .groups = groups,
        .group_count = COUNT(groups),
        .iat = 1000,
        .nbf = 1001,
        .exp = 1300,
    };
}

static struct igw_claims
least_claims(void)
{
    return (struct igw_claims){
        .iss = igw_slice_of("identprov"),
        .aud = igw_slice_of("identgw"),
        .sub = igw_slice_of("s"),
        .preferred_username = igw_slice_of("u"),
        .iat = 1000,
        .exp = 1300,
    };
}

/* Part 0 or 1 of a token, decoded. */
static void
decode_part(const struct igw_buf *token, size_t index, struct igw_buf *out)
{
    const char *part = token->data;
    const char *end = strchr(part, '.');

    if (index == 1) {
        part = end + 1;
        end = strchr(part, '.');
    }
    igw_buf_init(out);
    assert_int_equal(
        igw_base64url_decode(slice(part, (size_t)(end - part)), out), IGW_OK);
}

static void
a_signed_token_gives_its_claims_back(void **state)
{
    const struct keys *keys = *state;
    const struct igw_token_policy policy = { igw_slice_of("identprov"),
                                             igw_slice_of("identgw"), NOW, 0 };
    const struct igw_claims in = full_claims();
    struct igw_claims out;
    struct igw_buf token;
    const char *reason = NULL;

    igw_buf_init(&token);
    assert_int_equal(igw_token_sign(keys->k2, &in, &token), IGW_OK);
    assert_int_equal(igw_token_verify(keys->set, igw_buf_slice(&token), &policy,
                                      &out, &reason),
                     IGW_OK);
    igw_buf_clear(&token);
    assert_true(igw_slice_equal(out.iss, in.iss));
    assert_true(igw_slice_equal(out.aud, in.aud));
    assert_true(igw_slice_equal(out.sub, in.sub));
    assert_true(igw_slice_equal(out.sid, in.sid));
    assert_true(igw_slice_equal(out.jti, in.jti));
    assert_true(igw_slice_equal(out.preferred_username, in.preferred_username));
    assert_true(igw_slice_equal(out.email, in.email));
    assert_true(igw_slice_equal(out.given_name, in.given_name));
    assert_true(igw_slice_equal(out.family_name, in.family_name));
    assert_true(out.email_verified);
    assert_int_equal(out.iat, 1000);
    assert_int_equal(out.nbf, 1001);
    assert_int_equal(out.exp, 1300);
    assert_int_equal(out.sub.data[out.sub.len], '\0');
    igw_claims_clear(&out);
    assert_null(out.owner);
    igw_claims_clear(&out);
}

static void
a_token_says_exactly_this(void **state)
{
    const struct keys *keys = *state;
    const struct igw_claims full = full_claims();
    const struct igw_claims least = least_claims();
    struct igw_buf token;
    struct igw_buf part;
    char header[128];

    igw_buf_init(&token);
    assert_int_equal(igw_token_sign(keys->k2, &full, &token), IGW_OK);
    decode_part(&token, 0, &part);
    (void)snprintf(header, sizeof(header),
                   "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
                   igw_key_kid(keys->k2));
    assert_string_equal(part.data, header);
    igw_buf_clear(&part);
    decode_part(&token, 1, &part);
    assert_string_equal(
        part.data,
        "{\"aud\":\"identgw\",\"email\":\"taro@example.org\","
        "\"email_verified\":true,\"exp\":1300,"
        "\"family_name\":\"Yamada\","
        "\"given_name\":\"\\\"Taro\\\" \\\\ \xe2\x9c\x93\","
        "\"groups\":[\"readers\",\"\xd0\xbf\xd0\xb8\xd1\x81\xd1\x86\xd1\x8b\"],"
        "\"iat\":1000,\"iss\":\"identprov\","
        "\"jti\":\"AAECAwQFBgcICQoLDA0ODw\",\"nbf\":1001,"
        "\"preferred_username\":\"\xe5\xa4\xaa\xe9\x83\x8e\","
        "\"sid\":\"0123456789abcdef\","
        "\"sub\":\"550e8400-e29b-41d4-a716-446655440000\"}");
    igw_buf_clear(&part);

    igw_buf_reset(&token);
    assert_int_equal(igw_token_sign(keys->k2, &least, &token), IGW_OK);
    decode_part(&token, 1, &part);
    assert_string_equal(part.data,
                        "{\"aud\":\"identgw\",\"exp\":1300,\"iat\":1000,"
                        "\"iss\":\"identprov\",\"nbf\":0,"
                        "\"preferred_username\":\"u\",\"sub\":\"s\"}");
    igw_buf_clear(&part);
    igw_buf_clear(&token);
}

static void
a_token_is_appended(void **state)
{
    const struct keys *keys = *state;
    const struct igw_claims claims = least_claims();
    struct igw_buf out;

    igw_buf_init(&out);
    igw_buf_puts(&out, "Bearer ");
    assert_int_equal(igw_token_sign(keys->k2, &claims, &out), IGW_OK);
    assert_memory_equal(out.data, "Bearer ey", strlen("Bearer ey"));
    assert_null(
        verify_at(keys, slice(out.data + strlen("Bearer "), out.len - 7), NOW));
    igw_buf_clear(&out);
}

static void
expect_unsigned(const struct keys *keys, const struct igw_claims *claims)
{
    struct igw_buf out;

    igw_buf_init(&out);
    igw_buf_puts(&out, "before");
    assert_int_equal(igw_token_sign(keys->k2, claims, &out), IGW_INVALID);
    assert_string_equal(out.data, "before");
    igw_buf_clear(&out);
}

static void
claims_that_would_be_refused_are_not_signed(void **state)
{
    static const size_t required[] = {
        offsetof(struct igw_claims, iss), offsetof(struct igw_claims, aud),
        offsetof(struct igw_claims, sub),
        offsetof(struct igw_claims, preferred_username)
    };
    static const size_t texts[] = {
        offsetof(struct igw_claims, iss),
        offsetof(struct igw_claims, aud),
        offsetof(struct igw_claims, sub),
        offsetof(struct igw_claims, sid),
        offsetof(struct igw_claims, jti),
        offsetof(struct igw_claims, preferred_username),
        offsetof(struct igw_claims, email),
        offsetof(struct igw_claims, given_name),
        offsetof(struct igw_claims, family_name),
    };
    static const size_t times[] = { offsetof(struct igw_claims, iat),
                                    offsetof(struct igw_claims, nbf),
                                    offsetof(struct igw_claims, exp) };
    const struct igw_slice bad[] = { slice("ivan\0root", 9), slice("\xff", 1),
                                     slice("\xc0\xaf", 2),
                                     slice("\xed\xa0\x80", 3) };
    const int64_t bad_times[] = { -1, INT64_MIN, (int64_t)1 << 53, INT64_MAX };
    const struct keys *keys = *state;
    struct igw_claims claims;

    for (size_t i = 0; i < COUNT(required); i++) {
        claims = full_claims();
        memset((char *)&claims + required[i], 0, sizeof(struct igw_slice));
        expect_unsigned(keys, &claims);
    }
    for (size_t i = 0; i < COUNT(texts) * COUNT(bad); i++) {
        claims = full_claims();
        memcpy((char *)&claims + texts[i / COUNT(bad)], &bad[i % COUNT(bad)],
               sizeof(struct igw_slice));
        expect_unsigned(keys, &claims);
    }
    for (size_t i = 0; i < COUNT(times) * COUNT(bad_times); i++) {
        claims = full_claims();
        memcpy((char *)&claims + times[i / COUNT(bad_times)],
               &bad_times[i % COUNT(bad_times)], sizeof(int64_t));
        expect_unsigned(keys, &claims);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        claims = full_claims();
        claims.groups = &bad[i];
        claims.group_count = 1;
        expect_unsigned(keys, &claims);
    }
}

static void
no_token_is_signed_that_is_too_long_to_verify(void **state)
{
    const struct keys *keys = *state;
    static char name[4096];
    struct igw_claims claims = least_claims();
    size_t longest = 0;

    memset(name, 'a', sizeof(name));
    for (size_t len = 2500; len < 3500; len++) {
        struct igw_buf token;

        igw_buf_init(&token);
        claims.given_name = slice(name, len);
        if (igw_token_sign(keys->k2, &claims, &token) == IGW_OK) {
            assert_int_equal(longest, len == 2500 ? 0 : len - 1);
            longest = len;
            assert_null(verify(keys, &token));
        }
        igw_buf_clear(&token);
    }
    assert_in_range(longest, 2600, 2950);
    claims.given_name = slice(name, longest + 1);
    expect_unsigned(keys, &claims);
}

static void
a_public_key_signs_no_token(void **state)
{
    const struct keys *keys = *state;
    const struct igw_claims claims = least_claims();
    struct igw_buf out;

    igw_buf_init(&out);
    assert_int_equal(
        igw_token_sign(igw_keyset_find(keys->set, igw_slice_of("k1")), &claims,
                       &out),
        IGW_ERROR);
    assert_int_equal(out.len, 0);
    igw_buf_clear(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_signed_token_gives_its_claims_back),
        TEST(a_token_says_exactly_this),
        TEST(a_token_is_appended),
        TEST(claims_that_would_be_refused_are_not_signed),
        TEST(no_token_is_signed_that_is_too_long_to_verify),
        TEST(a_public_key_signs_no_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
