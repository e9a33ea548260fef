/*
 * connection.c: see connection.h.
 */
#include "connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"
#include "metrics.h"
#include "problem.h"

/* What a handler is called with, and what becomes of it. */
struct visit {
    struct igw_call call; /* the first */
    struct igw_reader *reader;
    struct igw_connection *connection;
    bool is_waiting;
};

static enum igw_fate take(struct igw_reader *reader,
                          struct igw_connection *connection, size_t len);
static void handle_in_turn(struct igw_call *call);
static bool may_write(const struct igw_request *request);
static void log_broken(const struct igw_connection *connection);

struct igw_connection *
igw_connection_of(struct igw_turn *turn)
{
    return (struct igw_connection *)((char *)turn
                                     - offsetof(struct igw_connection, turn));
}

enum igw_fate
igw_connection_read(struct igw_reader *reader,
                    struct igw_connection *connection)
{
    const struct igw_server *config = reader->config;

    for (;;) {
        enum igw_fate fate;
        ssize_t len =
            recv(connection->fd, reader->bytes, IGW_READER_BYTES, MSG_DONTWAIT);

        if (len < 0 && errno == EINTR) {
            continue;
        }
        if (len < 0 && errno == EAGAIN) {
            return IGW_KEEP;
        }
        if (len <= 0) {
            return IGW_DROP;
        }
        if (!igw_frame_has_begun(&connection->frame)) {
            atomic_store(&connection->deadline_ms,
                         igw_connection_now_ms() + config->request_timeout_ms);
        }
        fate = take(reader, connection, (size_t)len);
        explicit_bzero(reader->bytes, (size_t)len); /* perhaps a password */
        if (fate != IGW_KEEP || !igw_frame_has_begun(&connection->frame)) {
            return fate;
        }
    }
}

static enum igw_fate
take(struct igw_reader *reader, struct igw_connection *connection, size_t len)
{
    struct igw_frame *frame = &connection->frame;
    size_t used = igw_frame_feed(frame, reader->bytes, len);

#ifdef IGW_TEST_SMUGGLE
    /* The defence taken out, for the test that shows what it is for. */
    if (frame->stage == IGW_FRAME_BODY
        && frame->body_bytes > frame->body_max_bytes) {
        frame->stage = IGW_FRAME_WHOLE;
        used = len;
    }
#endif
    if (frame->stage == IGW_FRAME_BROKEN) {
        log_broken(connection);
        return IGW_DROP;
    }
    if (frame->stage != IGW_FRAME_WHOLE) {
        return IGW_KEEP;
    }
    if (used != len) {
        frame->keeps_connection = false; /* there is something behind it */
    }
    connection->came_us = igw_metrics_now_us();
    return igw_connection_answer(reader, connection);
}

enum igw_fate
igw_connection_answer(struct igw_reader *reader,
                      struct igw_connection *connection)
{
    const struct igw_server *config = reader->config;
    struct igw_frame *frame = &connection->frame;
    struct visit visit = { .call = { .pg = reader->pg,
                                     .app = config->app,
                                     .turns = reader->turns,
                                     .came_us = connection->came_us },
                           .reader = reader,
                           .connection = connection };
    bool is_kept = frame->keeps_connection;

    atomic_store(&connection->deadline_ms, IGW_CONNECTION_BUSY);
    if (!igw_exchange_handle(reader->exchange, frame, &visit.call,
                             handle_in_turn)) {
        frame->fault = "parameters";
        log_broken(connection);
        return IGW_DROP;
    }
    if (visit.is_waiting) {
        igw_exchange_drop(reader->exchange);
        return IGW_LEAVE;
    }
    atomic_store(&connection->deadline_ms,
                 igw_connection_now_ms() + config->request_timeout_ms);
    if (!igw_exchange_send(reader->exchange, connection->fd)) {
        igw_log(IGW_LOG_WARN, "answer_lost", NULL);
        return IGW_DROP;
    }
    igw_frame_reset(frame);
    atomic_store(&connection->deadline_ms, IGW_CONNECTION_IDLE);
    return is_kept && !atomic_load(reader->is_stopping) ? IGW_KEEP : IGW_DROP;
}

static void
handle_in_turn(struct igw_call *call)
{
    struct visit *visit = (struct visit *)call;
    struct igw_reader *reader = visit->reader;
    const struct igw_server *config = reader->config;
    enum igw_turns_verdict verdict = IGW_TURNS_NOW;

    if (!reader->has_turn && may_write(call->request)) {
        verdict = igw_turns_take(reader->turns, &visit->connection->turn,
                                 config->is_slow != NULL
                                     && config->is_slow(call->request));
        reader->has_turn = verdict == IGW_TURNS_NOW;
    }
    if (verdict == IGW_TURNS_NOW) {
        config->handle(call);
    } else if (verdict == IGW_TURNS_FULL) {
        igw_problem(call, 503, "busy", "Too many such requests are waiting.");
        igw_response_guard(call->response);
        igw_metrics_refused(503);
    } else {
        visit->is_waiting = true;
    }
}

static bool
may_write(const struct igw_request *request)
{
    return request->method != IGW_GET && request->method != IGW_OPTIONS;
}

static void
log_broken(const struct igw_connection *connection)
{
    igw_log(IGW_LOG_WARN, "connection_refused",
            (struct igw_log_field[]){ { "reason", connection->frame.fault },
                                      { NULL, NULL } });
}

int64_t
igw_connection_now_ms(void)
{
    return igw_metrics_now_us() / 1000;
}
