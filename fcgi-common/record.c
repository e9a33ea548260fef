/*
 * record.c: FastCGI records of one request.
 */
#include "record.h"

#include <string.h>

/* FastCGI 1.0, section 8. */
enum {
    VERSION_1 = 1,
    TYPE_BEGIN_REQUEST = 1,
    TYPE_PARAMS = 4,
    TYPE_STDIN = 5,
    ROLE_RESPONDER = 1,
    FLAG_KEEP_CONN = 1,
    HEADER_BYTES = 8,
    BEGIN_BYTES = 8
};

static size_t take_header(struct igw_frame *frame, const unsigned char *data,
                          size_t len);
static size_t take_content(struct igw_frame *frame, const unsigned char *data,
                           size_t len);
static void open_record(struct igw_frame *frame);
static void close_record(struct igw_frame *frame);
static const char *header_fault(const struct igw_frame *frame);
static void begin_request(struct igw_frame *frame);
static void keep_params(struct igw_frame *frame, const unsigned char *data,
                        size_t len);
static void keep_body(struct igw_frame *frame, const unsigned char *data,
                      size_t len);
static void break_off(struct igw_frame *frame, const char *fault);
static size_t minimum(size_t a, size_t b);
static bool take_length(struct igw_slice *rest, size_t *length);

void
igw_frame_init(struct igw_frame *frame, size_t body_max_bytes,
               size_t drain_max_bytes)
{
    *frame = (struct igw_frame){ .body_max_bytes = body_max_bytes,
                                 .drain_max_bytes = drain_max_bytes };
}

void
igw_frame_clear(struct igw_frame *frame)
{
    igw_buf_clear(&frame->params);
    igw_buf_clear(&frame->body);
}

void
igw_frame_reset(struct igw_frame *frame)
{
    igw_frame_clear(frame);
    igw_frame_init(frame, frame->body_max_bytes, frame->drain_max_bytes);
}

bool
igw_frame_has_begun(const struct igw_frame *frame)
{
    return frame->stage != IGW_FRAME_BEGIN || frame->header_len > 0;
}

size_t
igw_frame_feed(struct igw_frame *frame, const void *data, size_t len)
{
    const unsigned char *bytes = data;
    size_t used = 0;

    while (used < len && frame->stage < IGW_FRAME_WHOLE) {
        if (frame->header_len < HEADER_BYTES) {
            used += take_header(frame, bytes + used, len - used);
        } else {
            used += take_content(frame, bytes + used, len - used);
        }
    }
    return used;
}

static size_t
take_header(struct igw_frame *frame, const unsigned char *data, size_t len)
{
    size_t count = minimum(len, HEADER_BYTES - frame->header_len);

    memcpy(frame->header + frame->header_len, data, count);
    frame->header_len += count;
    if (frame->header_len == HEADER_BYTES) {
        open_record(frame);
    }
    return count;
}

static void
open_record(struct igw_frame *frame)
{
    const unsigned char *header = frame->header;
    const char *fault;

    frame->content_left = (size_t)header[4] << 8 | header[5];
    frame->padding_left = header[6];
    fault = header_fault(frame);
    if (fault != NULL) {
        break_off(frame, fault);
        return;
    }
    if (frame->stage == IGW_FRAME_BEGIN) {
        frame->id = (uint16_t)(header[2] << 8 | header[3]);
    }
    if (frame->content_left == 0 && frame->padding_left == 0) {
        close_record(frame);
    }
}

/* Only what a server sends that uses a connection for one request at a time. */
static const char *
header_fault(const struct igw_frame *frame)
{
    static const unsigned char wanted[] = { [IGW_FRAME_BEGIN] =
                                                TYPE_BEGIN_REQUEST,
                                            [IGW_FRAME_PARAMS] = TYPE_PARAMS,
                                            [IGW_FRAME_BODY] = TYPE_STDIN };
    const unsigned char *header = frame->header;
    uint16_t id = (uint16_t)(header[2] << 8 | header[3]);

    if (header[0] != VERSION_1) {
        return "record_version";
    }
    if (id == 0) {
        return "management_record";
    }
    if (frame->stage != IGW_FRAME_BEGIN && id != frame->id) {
        return "foreign_request_id";
    }
    if (header[1] != wanted[frame->stage]) {
        return "record_type";
    }
    if (frame->stage == IGW_FRAME_BEGIN && frame->content_left != BEGIN_BYTES) {
        return "begin_length";
    }
    return NULL;
}

static size_t
take_content(struct igw_frame *frame, const unsigned char *data, size_t len)
{
    size_t count = minimum(len, frame->content_left);
    size_t padding = minimum(len - count, frame->padding_left);

    if (frame->stage == IGW_FRAME_BEGIN) {
        memcpy(frame->begin + BEGIN_BYTES - frame->content_left, data, count);
    } else if (frame->stage == IGW_FRAME_PARAMS) {
        keep_params(frame, data, count);
    } else {
        keep_body(frame, data, count);
    }
    frame->content_left -= count;
    if (frame->content_left > 0) {
        return count;
    }
    frame->padding_left -= padding;
    if (frame->padding_left == 0 && frame->stage != IGW_FRAME_BROKEN) {
        close_record(frame);
    }
    return count + padding;
}

/* An empty record ends its stream (section 3.3). */
static void
close_record(struct igw_frame *frame)
{
    bool is_empty = frame->header[4] == 0 && frame->header[5] == 0;

    frame->header_len = 0;
    if (frame->stage == IGW_FRAME_BEGIN) {
        begin_request(frame);
    } else if (frame->stage == IGW_FRAME_PARAMS && is_empty) {
        frame->stage = IGW_FRAME_BODY;
    } else if (frame->stage == IGW_FRAME_BODY && is_empty) {
        frame->stage = IGW_FRAME_WHOLE;
    }
}

static void
begin_request(struct igw_frame *frame)
{
    if ((frame->begin[0] << 8 | frame->begin[1]) != ROLE_RESPONDER) {
        break_off(frame, "role");
        return;
    }
    frame->keeps_connection = (frame->begin[2] & FLAG_KEEP_CONN) != 0;
    frame->stage = IGW_FRAME_PARAMS;
}

static void
keep_params(struct igw_frame *frame, const unsigned char *data, size_t len)
{
    frame->drained_bytes += len;
    if (frame->drained_bytes > frame->drain_max_bytes) {
        break_off(frame, "too_many_bytes");
    } else if (frame->has_large_params
               || frame->params.len + len > IGW_PARAMS_MAX_BYTES) {
        frame->has_large_params = true;
        igw_buf_clear(&frame->params);
    } else {
        (void)igw_buf_reserve(&frame->params, frame->content_left);
        igw_buf_append(&frame->params, data, len);
    }
    if (frame->params.failed) {
        break_off(frame, "no_memory");
    }
}

static void
keep_body(struct igw_frame *frame, const unsigned char *data, size_t len)
{
    frame->body_bytes += len;
    frame->drained_bytes += len;
    if (frame->drained_bytes > frame->drain_max_bytes) {
        break_off(frame, "too_many_bytes");
    } else if (frame->body_bytes > frame->body_max_bytes) {
        igw_buf_clear(&frame->body);
    } else {
        (void)igw_buf_reserve(&frame->body, frame->content_left);
        igw_buf_append(&frame->body, data, len);
    }
    if (frame->body.failed) {
        break_off(frame, "no_memory");
    }
}

static void
break_off(struct igw_frame *frame, const char *fault)
{
    frame->stage = IGW_FRAME_BROKEN;
    frame->fault = fault;
}

static size_t
minimum(size_t a, size_t b)
{
    return a < b ? a : b;
}

enum igw_result
igw_pair_next(struct igw_slice *rest, struct igw_slice *name,
              struct igw_slice *value)
{
    if (rest->len == 0) {
        return IGW_NOT_FOUND;
    }
    if (!take_length(rest, &name->len) || !take_length(rest, &value->len)
        || name->len > rest->len || value->len > rest->len - name->len) {
        return IGW_INVALID;
    }
    name->data = rest->data;
    value->data = rest->data + name->len;
    rest->data += name->len + value->len;
    rest->len -= name->len + value->len;
    return IGW_OK;
}

/* One byte, or four with the first one's high bit set. */
static bool
take_length(struct igw_slice *rest, size_t *length)
{
    const unsigned char *data = (const unsigned char *)rest->data;
    size_t used = rest->len > 0 && data[0] >= 0x80 ? 4 : 1;

    if (rest->len < used) {
        return false;
    }
    *length = used == 1 ? data[0]
                        : (size_t)(data[0] & 0x7f) << 24 | (size_t)data[1] << 16
                              | (size_t)data[2] << 8 | data[3];
    rest->data += used;
    rest->len -= used;
    return true;
}
