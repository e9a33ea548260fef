/*
 * The list of common passwords that the build has made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "blocklist.h"
#include "rules.h"

/* OWASP ASVS 5.0, 6.2.4: at least the 3,000 most common ones that would fit. */
enum { COUNT_MIN = 3000 };

static void
test_the_list_is_long_and_sorted(void **state)
{
    assert_true(blocklist_count >= COUNT_MIN);
    for (size_t i = 0; i + 1 < blocklist_count; i++) {
        assert_true(strcmp(blocklist_words + blocklist_at[i],
                           blocklist_words + blocklist_at[i + 1])
                    < 0);
    }
}

/* In capitals, too, and each by the policy that all new passwords pass. */
static void
test_every_word_of_it_is_refused(void **state)
{
    const struct rules_password policy = { .min = 8 };

    for (size_t i = 0; i < blocklist_count; i++) {
        char word[128];
        char *text;
        struct rules_fault fault = { 0 };

        (void)snprintf(word, sizeof(word), "%s",
                       blocklist_words + blocklist_at[i]);
        assert_true(blocklist_has(word));
        if (word[0] >= 'a' && word[0] <= 'z') {
            word[0] = (char)(word[0] - 'a' + 'A');
        }
        assert_int_equal(
            rules_password(igw_slice_of(word), &policy, &text, &fault),
            IGW_INVALID);
        assert_string_equal(fault.code, "common_password");
        assert_null(text);
    }
}

static void
test_other_words_are_not_on_it(void **state)
{
    static const char *const words[] = {
        "",    "a", "passwor", "password ", "correct horse", "zzzzzzzzzzzzz",
        "\xff"
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        assert_false(blocklist_has(words[i]));
    }
    for (size_t i = 0; i < blocklist_count; i++) {
        char word[128];

        (void)snprintf(word, sizeof(word), "%s!?",
                       blocklist_words + blocklist_at[i]);
        assert_false(blocklist_has(word));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_list_is_long_and_sorted),
        cmocka_unit_test(test_every_word_of_it_is_refused),
        cmocka_unit_test(test_other_words_are_not_on_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
