/*
 * What is remembered of verified tokens, and that it is bounded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tokens.h"

static struct tokens *tokens;

static int
set_up(void **state)
{
    (void)state;
    tokens = tokens_new();
    return tokens == NULL;
}

static int
tear_down(void **state)
{
    (void)state;
    tokens_free(&tokens);
    return 0;
}

static void
digest_of(size_t number, unsigned char digest[IGW_SHA256_SIZE])
{
    assert_int_equal(igw_sha256(&number, sizeof(number), digest), IGW_OK);
}

static void
keep(size_t number, uint64_t generation, const char *sub, const char *username,
     int64_t exp)
{
    const struct igw_claims claims = { .sub = igw_slice_of(sub),
                                       .preferred_username =
                                           igw_slice_of(username),
                                       .iat = 5,
                                       .nbf = 7,
                                       .exp = exp };
    unsigned char digest[IGW_SHA256_SIZE];
    struct identity identity;

    digest_of(number, digest);
    identity_fill(&identity, &claims);
    tokens_keep(tokens, digest, generation, &identity);
}

static bool
knows(size_t number, uint64_t generation, struct identity *identity)
{
    unsigned char digest[IGW_SHA256_SIZE];

    digest_of(number, digest);
    return tokens_find(tokens, digest, generation, identity);
}

static void
what_is_kept_is_found(void **state)
{
    struct identity identity;

    (void)state;
    assert_false(knows(1, 1, &identity));
    keep(1, 1, "s-1", "José", 100);
    keep(2, 1, "s-2", "", 200);
    assert_true(knows(1, 1, &identity));
    assert_string_equal(identity.sub.data, "s-1");
    assert_int_equal(identity.sub.len, 3);
    assert_string_equal(identity.username.data, "José");
    assert_int_equal(identity.begin, 7);
    assert_int_equal(identity.exp, 100);
    assert_true(knows(2, 1, &identity));
    assert_string_equal(identity.sub.data, "s-2");
    assert_int_equal(identity.username.len, 0);
    assert_false(knows(3, 1, &identity));
}

static void
other_keys_know_nothing_of_it(void **state)
{
    struct identity identity;

    (void)state;
    keep(1, 1, "s-1", "a", 100);
    assert_false(knows(1, 0, &identity));
    assert_false(knows(1, 2, &identity));
    assert_true(knows(1, 1, &identity));
    keep(1, 2, "s-1", "b", 100);
    assert_true(knows(1, 2, &identity));
    assert_string_equal(identity.username.data, "b");

    /* Empty slots are of no generation, not of the one before the first. */
    assert_false(knows(99, 0, &identity));
}

static void
a_digest_is_compared_whole(void **state)
{
    unsigned char digest[IGW_SHA256_SIZE];
    struct identity identity;

    (void)state;
    keep(1, 1, "s-1", "a", 100);
    digest_of(1, digest);
    for (size_t i = 0; i < sizeof(digest); i++) {
        digest[i] ^= 1;
        assert_false(tokens_find(tokens, digest, 1, &identity));
        digest[i] ^= 1;
    }
    assert_true(tokens_find(tokens, digest, 1, &identity));
}

static void
names_have_a_limit(void **state)
{
    struct identity identity;
    char sub[300];
    char username[300];

    (void)state;
    memset(sub, 's', sizeof(sub));
    memset(username, 'u', sizeof(username));
    sub[255] = '\0';
    username[256] = '\0';
    keep(1, 1, sub, username, 100);
    assert_true(knows(1, 1, &identity));
    assert_string_equal(identity.sub.data, sub);
    assert_string_equal(identity.username.data, username);

    username[256] = 'u';
    username[257] = '\0';
    keep(2, 1, sub, username, 100);
    assert_false(knows(2, 1, &identity));
}

/* Of many more than there is room for, the last to expire are there. */
static void
the_ones_that_expire_first_give_way(void **state)
{
    const size_t count = 10 * TOKENS_COUNT;
    struct identity identity;
    size_t found = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        keep(i, 1, "s", "u", (int64_t)i);
    }
    for (size_t i = 0; i < count; i++) {
        found += knows(i, 1, &identity);
    }
    assert_true(found <= TOKENS_COUNT && found > TOKENS_COUNT * 9 / 10);
    for (size_t i = count - TOKENS_COUNT / 16; i < count; i++) {
        assert_true(knows(i, 1, &identity));
    }

    /* New keys: all of it is free. */
    found = 0;
    for (size_t i = 0; i < TOKENS_COUNT / 16; i++) {
        keep(i, 2, "s", "u", 1);
    }
    for (size_t i = 0; i < TOKENS_COUNT / 16; i++) {
        found += knows(i, 2, &identity);
    }
    assert_int_equal(found, TOKENS_COUNT / 16);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_kept_is_found, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(other_keys_know_nothing_of_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_digest_is_compared_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(names_have_a_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_ones_that_expire_first_give_way,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
