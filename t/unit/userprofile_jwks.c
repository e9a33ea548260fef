/*
 * The keys follow their file, and stay when the file is no key set.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "jwks.h"
#include "log.h"

struct place {
    char dir[64];
    char path[80];
    char other[80];
};

static int
set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));

    assert_non_null(place);
    strcpy(place->dir, "/tmp/userprofile_jwks.XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    snprintf(place->path, sizeof(place->path), "%s/jwks.json", place->dir);
    snprintf(place->other, sizeof(place->other), "%s/other", place->dir);
    igw_log_init("test", IGW_LOG_ERROR);
    *state = place;
    return 0;
}

static int
tear_down(void **state)
{
    struct place *place = *state;

    unlink(place->path);
    unlink(place->other);
    rmdir(place->dir);
    free(place);
    return 0;
}

static void
write_file(const char *path, const char *data, size_t len)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* Replaces the file by rename, as an operator should. */
static void
put(const struct place *place, const char *text)
{
    write_file(place->other, text, strlen(text));
    assert_int_equal(rename(place->other, place->path), 0);
}

static void
put_key(const struct place *place, const struct igw_key *key)
{
    struct json_t *set = igw_json_object();
    struct json_t *keys = igw_json_array();
    struct igw_buf text;

    igw_buf_init(&text);
    assert_true(igw_json_append(keys, igw_key_jwk(key)));
    assert_true(igw_json_set(set, "keys", keys));
    assert_int_equal(igw_json_dump(set, &text), IGW_OK);
    put(place, text.data);
    igw_buf_clear(&text);
    igw_json_free(&set);
}

static struct jwks *
open_file(const char *path)
{
    return jwks_new(&(struct jwks_source){ .file = path });
}

static bool
has_key(struct jwks *jwks, const struct igw_key *key)
{
    const struct igw_keyset *keys = jwks_acquire(jwks, NULL);
    bool is_there =
        keys != NULL
        && igw_keyset_find(keys, igw_slice_of(igw_key_kid(key))) != NULL;

    jwks_release(jwks);
    return is_there;
}

static void
a_missing_file_is_no_keys_until_it_comes(void **state)
{
    struct igw_key *key = igw_key_generate(IGW_ES256);
    struct jwks *jwks = open_file(((struct place *)*state)->path);

    assert_non_null(jwks);
    assert_null(jwks_acquire(jwks, NULL));
    jwks_release(jwks);

    put_key(*state, key);
    jwks_check(jwks);
    assert_true(has_key(jwks, key));

    jwks_free(&jwks);
    assert_null(jwks);
    igw_key_free(&key);
}

static void
a_new_file_brings_new_keys(void **state)
{
    struct igw_key *first = igw_key_generate(IGW_ES256);
    struct igw_key *second = igw_key_generate(IGW_ES256);
    struct jwks *jwks;

    put_key(*state, first);
    jwks = open_file(((struct place *)*state)->path);
    assert_non_null(jwks);
    assert_true(has_key(jwks, first));
    assert_false(has_key(jwks, second));

    put_key(*state, second);
    assert_true(has_key(jwks, first));
    jwks_check(jwks);
    assert_false(has_key(jwks, first));
    assert_true(has_key(jwks, second));

    jwks_free(&jwks);
    igw_key_free(&first);
    igw_key_free(&second);
}

static void
a_bad_file_leaves_the_old_keys(void **state)
{
    static const char *const bad[] = { "", "{", "[]", "{\"keys\":[]}",
                                       "{\"keys\":[{\"kty\":\"oct\","
                                       "\"k\":\"AA\"}]}" };
    const struct place *place = *state;
    struct igw_key *key = igw_key_generate(IGW_ES256);
    struct jwks *jwks;
    char *large;

    put_key(place, key);
    jwks = open_file(place->path);
    assert_non_null(jwks);

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        put(place, bad[i]);
        jwks_check(jwks);
        assert_true(has_key(jwks, key));
    }

    large = calloc(1, JWKS_MAX + 1);
    assert_non_null(large);
    memset(large, ' ', JWKS_MAX + 1);
    write_file(place->path, large, JWKS_MAX + 1);
    jwks_check(jwks);
    assert_true(has_key(jwks, key));
    free(large);

    unlink(place->path);
    jwks_check(jwks);
    assert_true(has_key(jwks, key));

    /* A pipe without a writer must not stop the program. */
    assert_int_equal(mkfifo(place->path, 0600), 0);
    jwks_check(jwks);
    assert_true(has_key(jwks, key));

    jwks_free(&jwks);
    igw_key_free(&key);
}

static void
the_thread_notices_by_itself(void **state)
{
    const struct timespec pause = { .tv_nsec = 50000000 };
    struct igw_key *key = igw_key_generate(IGW_ES256);
    struct jwks *jwks = open_file(((struct place *)*state)->path);

    assert_non_null(jwks);
    assert_int_equal(jwks_start(jwks), IGW_OK);
    put_key(*state, key);
    for (int i = 0; i < 400 && !has_key(jwks, key); i++) {
        nanosleep(&pause, NULL);
    }
    assert_true(has_key(jwks, key));

    jwks_free(&jwks);
    igw_key_free(&key);
}

struct reader {
    struct jwks *jwks;
    const struct igw_key *keys[2];
    bool is_stopped;
    size_t misses;
};

static void *
read_on(void *arg)
{
    struct reader *reader = arg;

    while (!__atomic_load_n(&reader->is_stopped, __ATOMIC_RELAXED)) {
        const struct igw_keyset *keys = jwks_acquire(reader->jwks, NULL);
        bool is_there = false;

        for (size_t i = 0; i < 2; i++) {
            const char *kid = igw_key_kid(reader->keys[i]);

            is_there |= igw_keyset_find(keys, igw_slice_of(kid)) != NULL;
        }
        reader->misses += !is_there;
        jwks_release(reader->jwks);
    }
    return NULL;
}

static void
a_change_disturbs_no_reader(void **state)
{
    struct igw_key *first = igw_key_generate(IGW_ES256);
    struct igw_key *second = igw_key_generate(IGW_ES256);
    struct reader reader = { .keys = { first, second } };
    pthread_t thread;

    put_key(*state, first);
    reader.jwks = open_file(((struct place *)*state)->path);
    assert_non_null(reader.jwks);
    assert_int_equal(pthread_create(&thread, NULL, read_on, &reader), 0);
    for (int i = 0; i < 50; i++) {
        put_key(*state, i % 2 == 0 ? second : first);
        jwks_check(reader.jwks);
    }
    __atomic_store_n(&reader.is_stopped, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    assert_int_equal(reader.misses, 0);

    jwks_free(&reader.jwks);
    igw_key_free(&first);
    igw_key_free(&second);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_missing_file_is_no_keys_until_it_comes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_file_brings_new_keys, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_bad_file_leaves_the_old_keys, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_thread_notices_by_itself, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_change_disturbs_no_reader, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
