/*
 * A FastCGI request that comes in pieces ends where it ends in one piece.
 */
#include "fuzz.h"
#include "record.h"

enum { BODY_MAX = 4096, DRAIN_MAX = 65536 };

static size_t
feed_whole(struct igw_frame *frame, const uint8_t *data, size_t size)
{
    igw_frame_init(frame, BODY_MAX, DRAIN_MAX);
    return igw_frame_feed(frame, data, size);
}

static size_t
feed_pieces(struct igw_frame *frame, const uint8_t *data, size_t size,
            size_t piece)
{
    size_t used = 0;

    igw_frame_init(frame, BODY_MAX, DRAIN_MAX);
    while (used < size && frame->stage != IGW_FRAME_WHOLE
           && frame->stage != IGW_FRAME_BROKEN) {
        size_t left = size - used;
        size_t len = left < piece ? left : piece;
        size_t taken = igw_frame_feed(frame, data + used, len);

        MUST(taken == len || frame->stage == IGW_FRAME_WHOLE
             || frame->stage == IGW_FRAME_BROKEN);
        used += taken;
    }
    return used;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t piece = 1 + fuzz_byte(&data, &size) % 32;
    struct igw_frame whole;
    struct igw_frame pieces;
    size_t used = feed_whole(&whole, data, size);
    size_t used_in_pieces = feed_pieces(&pieces, data, size, piece);

    MUST(used <= size);
    MUST(whole.stage == pieces.stage);
    if (whole.stage == IGW_FRAME_WHOLE) {
        MUST(used == used_in_pieces);
        MUST(whole.id == pieces.id);
        MUST(whole.keeps_connection == pieces.keeps_connection);
        MUST(whole.has_large_params == pieces.has_large_params);
        MUST(whole.body_bytes == pieces.body_bytes);
        MUST(igw_slice_equal(igw_buf_slice(&whole.params),
                             igw_buf_slice(&pieces.params)));
        MUST(igw_slice_equal(igw_buf_slice(&whole.body),
                             igw_buf_slice(&pieces.body)));
        MUST(whole.body.len
             == (whole.body_bytes > BODY_MAX ? 0 : whole.body_bytes));
    }
    igw_frame_clear(&whole);
    igw_frame_clear(&pieces);
    return 0;
}
