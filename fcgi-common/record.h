/*
 * record.h: the framing of one request (FastCGI 1.0, section 3). It takes
 * bytes as they come, in pieces of any size, and says when the request is
 * whole; it does no input or output itself.
 *
 * libfcgi is never given a byte of a peer's framing: it stops reading where a
 * program stops asking, and what is left of a client's body is then read as
 * the next request, with parameters of the client's choosing.
 */
#ifndef IGW_RECORD_H
#define IGW_RECORD_H

#include "buf.h"

/* What no header has any use for must still get an answer that says why. */
enum { IGW_PARAMS_MAX_BYTES = 131072 };

enum igw_frame_stage {
    IGW_FRAME_BEGIN, /* nothing has come but perhaps a part of a header */
    IGW_FRAME_PARAMS,
    IGW_FRAME_BODY,
    IGW_FRAME_WHOLE, /* its last record has been read to its end */
    IGW_FRAME_BROKEN /* see `fault`; the connection is of no more use */
};

struct igw_frame {
    size_t body_max_bytes;  /* more is counted and thrown away */
    size_t drain_max_bytes; /* of parameters and body; more breaks it */

    enum igw_frame_stage stage;
    const char *fault; /* a constant */
    uint16_t id;
    bool keeps_connection;
    bool has_large_params; /* `params` is empty then */
    struct igw_buf params; /* name-value pairs as they came */
    struct igw_buf body;   /* empty when body_bytes > body_max_bytes */
    size_t body_bytes;

    unsigned char header[8]; /* of the record that is being read */
    size_t header_len;
    unsigned char begin[8]; /* content of FCGI_BEGIN_REQUEST */
    size_t content_left;
    size_t padding_left;
    size_t drained_bytes;
};

void igw_frame_init(struct igw_frame *frame, size_t body_max_bytes,
                    size_t drain_max_bytes);
void igw_frame_clear(struct igw_frame *frame);
/* Ready for the next request; the memory goes back. */
void igw_frame_reset(struct igw_frame *frame);

/* Whether any byte of a request has come. */
bool igw_frame_has_begun(const struct igw_frame *frame);

/*
 * Takes bytes until the request is whole or broken, and says how many it took:
 * never one that is behind the request's end.
 */
size_t igw_frame_feed(struct igw_frame *frame, const void *data, size_t len);

/*
 * The next name-value pair (section 3.4) of *rest. IGW_NOT_FOUND at the end,
 * IGW_INVALID when a length reaches behind it.
 */
enum igw_result igw_pair_next(struct igw_slice *rest, struct igw_slice *name,
                              struct igw_slice *value) IGW_MUST_CHECK;

#endif
