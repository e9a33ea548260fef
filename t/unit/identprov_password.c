/*
 * Hashes of passwords, and the bounded threads that make them.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "hasher.h"

/* Little, so that the tests are quick. */
static const struct password_cost cheap = { 65536, 1 };
static const struct password_cost dearer = { 131072, 2 };

static int
init(void **state)
{
    return password_init() == IGW_OK ? 0 : -1;
}

static void
test_a_password_matches_itself_only(void **state)
{
    char hash[PASSWORD_HASH_SIZE];
    char other[PASSWORD_HASH_SIZE];
    struct igw_slice password = igw_slice_of("correct horse");

    assert_int_equal(password_hash(password, &cheap, hash), IGW_OK);
    assert_int_equal(password_hash(password, &cheap, other), IGW_OK);
    assert_string_not_equal(hash, other);
    assert_memory_equal(hash, "$argon2id$v=19$m=64,t=1,p=1$", 28);
    assert_int_equal(password_check(password, hash), IGW_OK);
    assert_int_equal(password_check(igw_slice_of("correct horsf"), hash),
                     IGW_DENIED);
    assert_int_equal(password_check(igw_slice_of("correct horse "), hash),
                     IGW_DENIED);
    assert_int_equal(password_check(igw_slice_of(""), hash), IGW_DENIED);
}

/* In a process of its own, to which no more memory is given. */
static void
test_without_memory_no_password_is_wrong(void **state)
{
    static const struct password_cost usual = { 19 << 20, 2 };
    const struct rlimit none = { 1 << 20, 1 << 20 };
    struct igw_slice password = igw_slice_of("correct horse");
    char hash[PASSWORD_HASH_SIZE];
    int status;
    pid_t pid;

    assert_int_equal(password_hash(password, &usual, hash), IGW_OK);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (setrlimit(RLIMIT_AS, &none) != 0) {
            _exit(1);
        }
        _exit(password_check(password, hash) == IGW_UNAVAILABLE
                      && password_check(igw_slice_of("x"), hash)
                             == IGW_UNAVAILABLE
                      && password_hash(password, &usual, hash)
                             == IGW_UNAVAILABLE
                  ? 0
                  : 2);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* What other programs made is checked as it says. */
static void
test_several_lanes_are_checked(void **state)
{
    /* argon2 somesaltsomesalt -id -t 1 -k 64 -p 2 -l 32 -e */
    static const char hash[] =
        "$argon2id$v=19$m=64,t=1,p=2$c29tZXNhbHRzb21lc2FsdA"
        "$vnXYxPvf2nX+mBli9pMlKONYXiHquLCsjGLLhNWRSAU";

    assert_int_equal(password_check(igw_slice_of("correct horse"), hash),
                     IGW_OK);
    assert_int_equal(password_check(igw_slice_of("correct horsf"), hash),
                     IGW_DENIED);
}

/* The last character of the longest password counts. */
static void
test_nothing_is_cut_off(void **state)
{
    char hash[PASSWORD_HASH_SIZE];
    char text[4 * 128 + 1];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(password_hash(igw_slice_of(text), &cheap, hash), IGW_OK);
    assert_int_equal(password_check(igw_slice_of(text), hash), IGW_OK);
    text[sizeof(text) - 2] = 'y';
    assert_int_equal(password_check(igw_slice_of(text), hash), IGW_DENIED);
}

static void
test_a_hash_of_another_cost_is_outdated(void **state)
{
    const struct igw_slice password = igw_slice_of("x");
    char hash[PASSWORD_HASH_SIZE];

    assert_int_equal(password_hash(password, &cheap, hash), IGW_OK);
    assert_false(password_is_outdated(password, hash, &cheap));
    assert_true(password_is_outdated(password, hash, &dearer));
}

/* Whoever can write the table may not make this program take the machine. */
static void
test_a_hash_that_is_none_is_an_error(void **state)
{
    static const char *const hashes[] = {
        "",
        "secret",
        "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=4294967295,p=1$c29tZXNhbHRzb21lc2FsdA$"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=1,p=64$c29tZXNhbHRzb21lc2FsdA$"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2i$v=19$m=64,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    };
    char endless[PASSWORD_HASH_SIZE + 1];

    for (size_t i = 0; i < sizeof(hashes) / sizeof(*hashes); i++) {
        assert_int_equal(password_check(igw_slice_of("x"), hashes[i]),
                         IGW_ERROR);
    }
    memset(endless, 'a', sizeof(endless));
    memcpy(endless, "$argon2id$v=19$m=64,t=1,p=1$", 28);
    endless[PASSWORD_HASH_SIZE] = '\0';
    assert_int_equal(password_check(igw_slice_of("x"), endless), IGW_ERROR);
}

static struct hasher *
start(int64_t slots)
{
    const struct hasher_config config = { slots, cheap };
    struct hasher *hasher = hasher_new(&config);

    assert_non_null(hasher);
    return hasher;
}

static void
test_the_hasher_decides_as_the_hash_does(void **state)
{
    struct hasher *hasher = start(2);
    struct igw_slice password = igw_slice_of("correct horse");
    struct hasher_verdict verdict;
    char hash[PASSWORD_HASH_SIZE];
    char old[PASSWORD_HASH_SIZE];

    assert_int_equal(hasher_hash(hasher, password, hash), IGW_OK);
    assert_int_equal(hasher_check(hasher, password, hash, &verdict), IGW_OK);
    assert_true(verdict.matches);
    assert_false(verdict.is_renewed);

    assert_int_equal(
        hasher_check(hasher, igw_slice_of("wrong"), hash, &verdict), IGW_OK);
    assert_false(verdict.matches);

    assert_int_equal(hasher_check(hasher, password, NULL, &verdict), IGW_OK);
    assert_false(verdict.matches);
    assert_int_equal(hasher_check(hasher, igw_slice_of(""), NULL, &verdict),
                     IGW_OK);
    assert_false(verdict.matches);
    assert_int_equal(hasher_check(hasher, password, "no hash", &verdict),
                     IGW_ERROR);
    assert_false(verdict.matches);

    assert_int_equal(password_hash(password, &dearer, old), IGW_OK);
    assert_int_equal(hasher_check(hasher, igw_slice_of("wrong"), old, &verdict),
                     IGW_OK);
    assert_false(verdict.is_renewed);
    assert_int_equal(hasher_check(hasher, password, old, &verdict), IGW_OK);
    assert_true(verdict.matches);
    assert_true(verdict.is_renewed);
    assert_int_equal(password_check(password, verdict.hash), IGW_OK);
    assert_false(password_is_outdated(password, verdict.hash, &cheap));
    hasher_free(&hasher);
    assert_null(hasher);
}

static void *
come_often(void *arg)
{
    char hash[PASSWORD_HASH_SIZE];

    for (int i = 0; i < 50; i++) {
        if (hasher_hash(arg, igw_slice_of("x"), hash) != IGW_OK) {
            return NULL;
        }
    }
    return arg;
}

static void
test_a_crowd_is_served(void **state)
{
    struct hasher *hasher = start(2);
    pthread_t threads[16];
    void *result;

    for (size_t i = 0; i < 16; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, come_often, hasher),
                         0);
    }
    for (size_t i = 0; i < 16; i++) {
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, hasher);
    }
    assert_int_equal(hasher_count(hasher).done, 16 * 50);
    assert_int_equal(hasher_count(hasher).jobs, 0);
    hasher_free(&hasher);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_password_matches_itself_only),
        cmocka_unit_test(test_without_memory_no_password_is_wrong),
        cmocka_unit_test(test_several_lanes_are_checked),
        cmocka_unit_test(test_nothing_is_cut_off),
        cmocka_unit_test(test_a_hash_of_another_cost_is_outdated),
        cmocka_unit_test(test_a_hash_that_is_none_is_an_error),
        cmocka_unit_test(test_the_hasher_decides_as_the_hash_does),
        cmocka_unit_test(test_a_crowd_is_served),
    };

    return cmocka_run_group_tests(tests, init, NULL);
}
