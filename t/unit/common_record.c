/*
 * The framing of a FastCGI request: where it ends, and what breaks it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record.h"

enum { BODY_MAX = 100, DRAIN_MAX = 200000 };

static void
add_record(struct igw_buf *bytes, int type, int id, const char *content,
           size_t len, size_t padding)
{
    const unsigned char header[8] = { 1,
                                      (unsigned char)type,
                                      (unsigned char)(id >> 8),
                                      (unsigned char)id,
                                      (unsigned char)(len >> 8),
                                      (unsigned char)len,
                                      (unsigned char)padding,
                                      0 };

    igw_buf_append(bytes, header, sizeof(header));
    igw_buf_append(bytes, content, len);
    for (size_t i = 0; i < padding; i++) {
        igw_buf_append(bytes, "p", 1);
    }
}

static void
add_begin(struct igw_buf *bytes, int id, int role, int flags)
{
    const char body[8] = { 0, (char)role, (char)flags, 0, 0, 0, 0, 0 };

    add_record(bytes, 1, id, body, sizeof(body), 0);
}

static void
add_request(struct igw_buf *bytes, const char *params, const char *body)
{
    add_begin(bytes, 258, 1, 1);
    if (*params != '\0') {
        add_record(bytes, 4, 258, params, strlen(params), 3);
    }
    add_record(bytes, 4, 258, "", 0, 0);
    if (*body != '\0') {
        add_record(bytes, 5, 258, body, strlen(body), 1);
    }
    add_record(bytes, 5, 258, "", 0, 2);
}

static void
a_request_ends_at_its_last_byte_in_pieces_of_any_size(void **state)
{
    struct igw_buf bytes;

    igw_buf_init(&bytes);
    add_request(&bytes, "\x01\x02NVV", "the body");
    for (size_t piece = 1; piece <= bytes.len; piece++) {
        struct igw_frame frame;
        size_t at = 0;

        igw_frame_init(&frame, BODY_MAX, DRAIN_MAX);
        assert_false(igw_frame_has_begun(&frame));
        while (frame.stage != IGW_FRAME_WHOLE) {
            size_t len = bytes.len - at < piece ? bytes.len - at : piece;

            assert_true(at < bytes.len);
            assert_int_equal(igw_frame_feed(&frame, bytes.data + at, len), len);
            assert_true(igw_frame_has_begun(&frame));
            at += len;
        }
        assert_int_equal(at, bytes.len);
        assert_int_equal(frame.id, 258);
        assert_true(frame.keeps_connection);
        assert_string_equal(frame.params.data, "\x01\x02NVV");
        assert_string_equal(frame.body.data, "the body");
        igw_frame_reset(&frame);
        assert_false(igw_frame_has_begun(&frame));
        assert_int_equal(frame.body.len, 0);
        assert_int_equal(frame.body_max_bytes, BODY_MAX);
        igw_frame_clear(&frame);
    }
    igw_buf_clear(&bytes);
    (void)state;
}

static void
bytes_behind_the_end_are_not_taken(void **state)
{
    struct igw_frame frame;
    struct igw_buf bytes;
    size_t first;

    igw_buf_init(&bytes);
    add_request(&bytes, "", "");
    first = bytes.len;
    add_request(&bytes, "", "x");
    igw_frame_init(&frame, BODY_MAX, DRAIN_MAX);
    assert_int_equal(igw_frame_feed(&frame, bytes.data, bytes.len), first);
    assert_int_equal(frame.stage, IGW_FRAME_WHOLE);
    assert_int_equal(igw_frame_feed(&frame, bytes.data + first, 10), 0);
    assert_int_equal(frame.body.len, 0);
    igw_frame_clear(&frame);
    igw_buf_clear(&bytes);
    (void)state;
}

static void
a_body_over_the_limit_is_counted_not_kept(void **state)
{
    struct igw_frame frame;
    struct igw_buf bytes;
    char body[BODY_MAX + 2];

    memset(body, 'x', sizeof(body));
    body[BODY_MAX + 1] = '\0';
    igw_buf_init(&bytes);
    add_request(&bytes, "", body);
    igw_frame_init(&frame, BODY_MAX, DRAIN_MAX);
    assert_int_equal(igw_frame_feed(&frame, bytes.data, bytes.len), bytes.len);
    assert_int_equal(frame.stage, IGW_FRAME_WHOLE);
    assert_int_equal(frame.body_bytes, BODY_MAX + 1);
    assert_int_equal(frame.body.len, 0);
    igw_frame_clear(&frame);

    body[BODY_MAX] = '\0';
    igw_buf_reset(&bytes);
    add_request(&bytes, "", body);
    igw_frame_init(&frame, BODY_MAX, DRAIN_MAX);
    (void)igw_frame_feed(&frame, bytes.data, bytes.len);
    assert_int_equal(frame.body.len, BODY_MAX);
    igw_frame_clear(&frame);
    igw_buf_clear(&bytes);
    (void)state;
}

static void
what_is_drained_has_a_limit(void **state)
{
    char *content = calloc(1, 65535);
    struct igw_frame frame;
    struct igw_buf bytes;

    assert_non_null(content);
    for (int type = 4; type <= 5; type++) {
        igw_buf_init(&bytes);
        add_begin(&bytes, 1, 1, 0);
        if (type == 5) {
            add_record(&bytes, 4, 1, "", 0, 0);
        }
        for (int i = 0; i < 4; i++) {
            add_record(&bytes, type, 1, content, 65535, 0);
        }
        igw_frame_init(&frame, BODY_MAX, DRAIN_MAX);
        assert_true(igw_frame_feed(&frame, bytes.data, bytes.len) <= bytes.len);
        assert_int_equal(frame.stage, IGW_FRAME_BROKEN);
        assert_string_equal(frame.fault, "too_many_bytes");
        assert_false(frame.keeps_connection);
        assert_int_equal(frame.body.len, 0);
        igw_frame_clear(&frame);
        igw_buf_clear(&bytes);
    }
    free(content);
    (void)state;
}

static void
too_many_parameters_are_noticed_not_kept(void **state)
{
    char *content = calloc(1, 65535);
    struct igw_frame frame;
    struct igw_buf bytes;

    assert_non_null(content);
    igw_buf_init(&bytes);
    add_begin(&bytes, 1, 1, 0);
    add_record(&bytes, 4, 1, content, 65535, 0);
    add_record(&bytes, 4, 1, content, 65535, 0);
    add_record(&bytes, 4, 1, content, 2, 0);
    igw_frame_init(&frame, BODY_MAX, DRAIN_MAX);
    (void)igw_frame_feed(&frame, bytes.data, bytes.len);
    assert_int_equal(frame.params.len, IGW_PARAMS_MAX_BYTES);
    assert_false(frame.has_large_params);
    igw_buf_reset(&bytes);
    add_record(&bytes, 4, 1, "x", 1, 0);
    add_record(&bytes, 4, 1, "y", 1, 0);
    (void)igw_frame_feed(&frame, bytes.data, bytes.len);
    assert_true(frame.has_large_params);
    assert_int_equal(frame.params.len, 0);
    igw_frame_clear(&frame);
    igw_buf_clear(&bytes);
    free(content);
    (void)state;
}

static void
check_broken(struct igw_buf *bytes, const char *fault)
{
    struct igw_frame frame;

    igw_frame_init(&frame, BODY_MAX, DRAIN_MAX);
    (void)igw_frame_feed(&frame, bytes->data, bytes->len);
    assert_int_equal(frame.stage, IGW_FRAME_BROKEN);
    assert_string_equal(frame.fault, fault);
    assert_int_equal(igw_frame_feed(&frame, "x", 1), 0);
    igw_frame_clear(&frame);
    igw_buf_clear(bytes);
}

static void
what_breaks_a_request(void **state)
{
    struct igw_buf bytes;

    igw_buf_init(&bytes);
    igw_buf_append(&bytes, "\x02\x01\0\x01\0\x08\0\0", 8);
    check_broken(&bytes, "record_version");
    add_record(&bytes, 9, 0, "", 0, 0);
    check_broken(&bytes, "management_record");
    add_begin(&bytes, 0, 1, 1);
    check_broken(&bytes, "management_record");
    add_record(&bytes, 5, 1, "", 0, 0);
    check_broken(&bytes, "record_type");
    add_record(&bytes, 1, 1, "", 0, 0);
    check_broken(&bytes, "begin_length");
    add_record(&bytes, 1, 1, "123456789", 9, 0);
    check_broken(&bytes, "begin_length");
    add_begin(&bytes, 1, 2, 1);
    check_broken(&bytes, "role");
    add_begin(&bytes, 1, 1, 1);
    add_begin(&bytes, 1, 1, 1);
    check_broken(&bytes, "record_type");
    add_begin(&bytes, 1, 1, 1);
    add_begin(&bytes, 2, 1, 1);
    check_broken(&bytes, "foreign_request_id");
    add_begin(&bytes, 1, 1, 1);
    add_record(&bytes, 4, 1, "", 0, 0);
    add_record(&bytes, 5, 257, "x", 1, 0);
    check_broken(&bytes, "foreign_request_id");
    add_begin(&bytes, 1, 1, 1);
    add_record(&bytes, 5, 1, "", 0, 0);
    check_broken(&bytes, "record_type");
    (void)state;
}

static void
pairs_end_where_their_text_ends(void **state)
{
    static const char good[] = "\x01\x02NVV\x80\0\0\x02\0ab\0\0";
    struct igw_slice rest = { good, sizeof(good) - 1 };
    struct igw_slice name;
    struct igw_slice value;

    assert_int_equal(igw_pair_next(&rest, &name, &value), IGW_OK);
    assert_true(igw_slice_is(name, "N") && igw_slice_is(value, "VV"));
    assert_int_equal(igw_pair_next(&rest, &name, &value), IGW_OK);
    assert_true(igw_slice_is(name, "ab") && value.len == 0);
    assert_int_equal(igw_pair_next(&rest, &name, &value), IGW_OK);
    assert_true(name.len == 0 && value.len == 0);
    assert_int_equal(igw_pair_next(&rest, &name, &value), IGW_NOT_FOUND);
    (void)state;
}

static void
pairs_that_reach_further_are_none(void **state)
{
    static const struct igw_slice bad[] = {
        { "\x01", 1 },
        { "\x01\x01N", 3 },
        { "\x05\x00N", 3 },
        { "\x80\0\0", 3 },
        { "\x01\x80\0\0N", 5 },
        { "\xff\xff\xff\xff\xff\xff\xff\xff", 8 },
        { "\xff\xff\xff\xfe\x80\0\0\x03", 8 },
        { "\x01\xff\xff\xff\xffN", 6 }
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct igw_slice rest = bad[i];
        struct igw_slice name;
        struct igw_slice value;

        assert_int_equal(igw_pair_next(&rest, &name, &value), IGW_INVALID);
    }
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_ends_at_its_last_byte_in_pieces_of_any_size),
        cmocka_unit_test(bytes_behind_the_end_are_not_taken),
        cmocka_unit_test(a_body_over_the_limit_is_counted_not_kept),
        cmocka_unit_test(what_is_drained_has_a_limit),
        cmocka_unit_test(too_many_parameters_are_noticed_not_kept),
        cmocka_unit_test(what_breaks_a_request),
        cmocka_unit_test(pairs_end_where_their_text_ends),
        cmocka_unit_test(pairs_that_reach_further_are_none)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
