/*
 * Whose request it is: the token decides, X-User has to agree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth.h"
#include "log.h"

enum { NOW = 1800000000 };

static struct igw_key *key;
static struct auth auth;
static struct auth without_keys;
static char jwks_path[] = "/tmp/userprofile_auth.XXXXXX";

/* The keys of now, in a new file. */
static void
publish(const struct igw_key *first, const struct igw_key *second)
{
    char path[] = "/tmp/userprofile_auth.XXXXXX";
    struct json_t *set = igw_json_object();
    struct json_t *keys = igw_json_array();
    struct igw_buf text;
    int fd = mkstemp(path);

    igw_buf_init(&text);
    assert_true(igw_json_append(keys, igw_key_jwk(first)));
    if (second != NULL) {
        assert_true(igw_json_append(keys, igw_key_jwk(second)));
    }
    assert_true(igw_json_set(set, "keys", keys));
    assert_int_equal(igw_json_dump(set, &text), IGW_OK);
    assert_int_equal(write(fd, text.data, text.len), text.len);
    close(fd);
    assert_int_equal(rename(path, jwks_path), 0);
    igw_buf_clear(&text);
    igw_json_free(&set);
    if (auth.jwks != NULL) {
        jwks_check(auth.jwks);
    }
}

static int
set_up(void **state)
{
    (void)state;
    close(mkstemp(jwks_path));
    igw_log_init("test", IGW_LOG_ERROR);
    key = igw_key_generate(IGW_ES256);
    publish(key, NULL);
    auth.issuer = igw_slice_of("identprov");
    auth.audience = igw_slice_of("identgw");
    auth.leeway_sec = 5;
    auth.jwks = jwks_new(&(struct jwks_source){ .file = jwks_path });
    auth.tokens = tokens_new();
    without_keys = auth;
    without_keys.jwks =
        jwks_new(&(struct jwks_source){ .file = "/nonexistent/jwks.json" });
    return auth.jwks == NULL || without_keys.jwks == NULL;
}

static int
tear_down(void **state)
{
    (void)state;
    unlink(jwks_path);
    jwks_free(&auth.jwks);
    jwks_free(&without_keys.jwks);
    tokens_free(&auth.tokens);
    igw_key_free(&key);
    return 0;
}

static struct igw_claims
claims_of(const char *subject, const char *user)
{
    return (struct igw_claims){
        .iss = igw_slice_of("identprov"),
        .aud = igw_slice_of("identgw"),
        .sub = igw_slice_of(subject),
        .sid = igw_slice_of("0123456789abcdef"),
        .jti = igw_slice_of("j"),
        .preferred_username = igw_slice_of(user),
        .email = igw_slice_of("a@example.org"),
        .given_name = igw_slice_of("A"),
        .iat = NOW,
        .nbf = NOW,
        .exp = NOW + 300,
    };
}

/* "<scheme><token>" */
static void
authorization_of(const char *scheme, const struct igw_claims *claims,
                 struct igw_buf *out)
{
    igw_buf_init(out);
    igw_buf_puts(out, scheme);
    assert_int_equal(igw_token_sign(key, claims, out), IGW_OK);
}

/* The reason, "" for none, "ok". */
static const char *
verdict(const char *authorization, const char *user, int64_t now)
{
    struct identity identity;
    const char *reason = "unset";
    enum igw_result rc;

    rc = auth_identify(&auth, authorization, user, now, &identity, &reason);
    if (rc == IGW_OK) {
        return "ok";
    }
    assert_int_equal(rc, IGW_DENIED);
    return reason != NULL ? reason : "";
}

static void
token_and_user_must_agree(void **state)
{
    struct igw_claims claims = claims_of("s-1", "José");
    struct igw_buf text;

    (void)state;
    authorization_of("Bearer ", &claims, &text);
    assert_string_equal(verdict(text.data, "José", NOW), "ok");
    assert_string_equal(verdict(text.data, "jose", NOW), "user_mismatch");
    assert_string_equal(verdict(text.data, "Jos\x65\xcc\x81", NOW),
                        "user_mismatch");
    assert_string_equal(verdict(text.data, "José ", NOW), "user_mismatch");
    assert_string_equal(verdict(text.data, "Jos", NOW), "user_mismatch");
    igw_buf_clear(&text);
}

static void
the_claims_are_the_tokens(void **state)
{
    struct igw_claims claims = claims_of("s-1", "太郎");
    struct identity out;
    const char *reason;
    struct igw_buf text;

    (void)state;
    authorization_of("bEARER ", &claims, &text);
    assert_int_equal(
        auth_identify(&auth, text.data, "太郎", NOW, &out, &reason), IGW_OK);
    assert_true(igw_slice_is(out.sub, "s-1"));
    assert_true(igw_slice_is(out.username, "太郎"));
    igw_buf_clear(&text);
}

static void
nothing_sent_has_no_reason(void **state)
{
    struct igw_claims claims = claims_of("s-1", "a");
    struct igw_buf text;

    (void)state;
    authorization_of("Bearer ", &claims, &text);
    assert_string_equal(verdict(NULL, NULL, NOW), "");
    assert_string_equal(verdict(NULL, "a", NOW), "");
    assert_string_equal(verdict("", "a", NOW), "");
    assert_string_equal(verdict("Bearer", "a", NOW), "");
    assert_string_equal(verdict("Bearer ", "a", NOW), "");
    assert_string_equal(verdict("Basic YTpi", "a", NOW), "");
    assert_string_equal(verdict(text.data, NULL, NOW), "");
    assert_string_equal(verdict(text.data, "", NOW), "");
    igw_buf_clear(&text);
}

static void
a_token_that_is_not_good_has_a_reason(void **state)
{
    struct igw_claims claims = claims_of("s-1", "a");
    struct igw_buf text;
    const char *reason;

    (void)state;
    authorization_of("Bearer ", &claims, &text);
    reason = verdict(text.data, "a", NOW + 300 + 5);
    assert_string_not_equal(reason, "");
    assert_string_not_equal(reason, "ok");
    text.data[text.len - 1] = text.data[text.len - 1] == 'A' ? 'B' : 'A';
    reason = verdict(text.data, "a", NOW);
    assert_string_not_equal(reason, "");
    assert_string_not_equal(reason, "ok");
    igw_buf_clear(&text);

    authorization_of("Bearer  ", &claims, &text);
    reason = verdict(text.data, "a", NOW);
    assert_string_not_equal(reason, "ok");
    igw_buf_clear(&text);

    assert_string_not_equal(verdict("Bearer x", "a", NOW), "");
}

/* Good at NOW, and remembered. */
static void
authorization_used(struct igw_buf *out)
{
    struct igw_claims claims = claims_of("s-1", "a");

    authorization_of("Bearer ", &claims, out);
    assert_string_equal(verdict(out->data, "a", NOW), "ok");
    assert_string_equal(verdict(out->data, "a", NOW), "ok");
}

static void
what_is_remembered_ends_with_its_time(void **state)
{
    struct igw_buf text;

    (void)state;
    authorization_used(&text);
    assert_string_equal(verdict(text.data, "a", NOW + 300 + 4), "ok");
    assert_string_equal(verdict(text.data, "a", NOW + 300 + 5), "expired");
    assert_string_equal(verdict(text.data, "a", NOW + 100000), "expired");
    assert_string_equal(verdict(text.data, "a", NOW - 5), "ok");
    assert_string_equal(verdict(text.data, "a", NOW - 6), "not_yet_valid");
    assert_string_equal(verdict(text.data, "a", NOW), "ok");
    igw_buf_clear(&text);
}

static void
what_is_remembered_ends_with_its_key(void **state)
{
    struct igw_key *other = igw_key_generate(IGW_ES256);
    struct igw_buf text;

    (void)state;
    authorization_used(&text);
    publish(other, key);
    assert_string_equal(verdict(text.data, "a", NOW), "ok");
    publish(other, NULL);
    assert_string_equal(verdict(text.data, "a", NOW), "unknown_key");
    assert_string_equal(verdict(text.data, "a", NOW), "unknown_key");
    publish(key, NULL);
    assert_string_equal(verdict(text.data, "a", NOW), "ok");
    igw_buf_clear(&text);
    igw_key_free(&other);
}

static void
what_is_remembered_is_that_token_and_user(void **state)
{
    struct igw_buf text;

    (void)state;
    authorization_used(&text);
    assert_string_equal(verdict(text.data, "b", NOW), "user_mismatch");
    for (size_t i = strlen("Bearer "); i < text.len; i += 7) {
        char kept = text.data[i];

        text.data[i] = kept == 'A' ? 'B' : 'A';
        assert_string_not_equal(verdict(text.data, "a", NOW), "ok");
        text.data[i] = kept;
    }
    igw_buf_puts(&text, "x");
    assert_string_not_equal(verdict(text.data, "a", NOW), "ok");
    text.data[text.len - 1] = ' ';
    assert_string_not_equal(verdict(text.data, "a", NOW), "ok");
    text.data[text.len - 2] = '\0';
    assert_string_not_equal(verdict(text.data, "a", NOW), "ok");
    igw_buf_clear(&text);
}

static void
a_subject_must_fit_the_store(void **state)
{
    struct igw_claims claims;
    struct igw_buf text;
    char subject[257];

    (void)state;
    memset(subject, 's', 256);
    subject[256] = '\0';
    claims = claims_of(subject, "a");
    authorization_of("Bearer ", &claims, &text);
    assert_string_equal(verdict(text.data, "a", NOW), "bad_subject");
    igw_buf_clear(&text);

    claims = claims_of(subject + 1, "a");
    authorization_of("Bearer ", &claims, &text);
    assert_string_equal(verdict(text.data, "a", NOW), "ok");
    igw_buf_clear(&text);
}

static void
without_keys_nobody_is_refused_for_good(void **state)
{
    struct igw_claims claims = claims_of("s-1", "a");
    struct identity out;
    const char *reason;
    struct igw_buf text;

    (void)state;
    authorization_of("Bearer ", &claims, &text);
    assert_int_equal(
        auth_identify(&without_keys, text.data, "a", NOW, &out, &reason),
        IGW_UNAVAILABLE);
    igw_buf_clear(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token_and_user_must_agree),
        cmocka_unit_test(the_claims_are_the_tokens),
        cmocka_unit_test(nothing_sent_has_no_reason),
        cmocka_unit_test(a_token_that_is_not_good_has_a_reason),
        cmocka_unit_test(what_is_remembered_ends_with_its_time),
        cmocka_unit_test(what_is_remembered_ends_with_its_key),
        cmocka_unit_test(what_is_remembered_is_that_token_and_user),
        cmocka_unit_test(a_subject_must_fit_the_store),
        cmocka_unit_test(without_keys_nobody_is_refused_for_good),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
