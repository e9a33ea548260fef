/*
 * connection.h: what a thread of the server does with a connection that is
 * ready: reads a request to its exact end, in turn, and answers it. server.c's.
 */
#ifndef IGW_CONNECTION_H
#define IGW_CONNECTION_H

#include <stdatomic.h>

#include "exchange.h"
#include "server.h"
#include "turns.h"

/* What igw_connection.deadline_ms holds when it is no deadline. */
#define IGW_CONNECTION_IDLE 0
#define IGW_CONNECTION_BUSY INT64_MAX

struct igw_connection {
    int fd;
    /* A monotonic time, IDLE, or BUSY while a handler has it or it waits. */
    _Atomic int64_t deadline_ms;
    /* Stored before and read after epoll hands the rest to another thread. */
    atomic_bool is_handed_over;
    struct igw_frame frame; /* of whoever got the one-shot event */
    struct igw_turn turn;
    int64_t came_us; /* when its request was whole */
    struct igw_connection *previous;
    struct igw_connection *next;
};

enum { IGW_READER_BYTES = 65536 };

/* One thread's. */
struct igw_reader {
    const struct igw_server *config;
    struct igw_turns *turns;
    const atomic_bool *is_stopping;
    struct igw_exchange *exchange;
    struct igw_pg *pg;
    bool has_turn; /* to pass on, once its connection is settled */
    unsigned char bytes[IGW_READER_BYTES];
};

/* What is to be done with a connection. */
enum igw_fate {
    IGW_KEEP,
    IGW_DROP,
    IGW_LEAVE /* it is in the line, or another thread has it already */
};

/* Until nothing is there to read or one request has come. */
enum igw_fate igw_connection_read(struct igw_reader *reader,
                                  struct igw_connection *connection);

/* A whole request that has waited, for a reader that has its turn. */
enum igw_fate igw_connection_answer(struct igw_reader *reader,
                                    struct igw_connection *connection);
struct igw_connection *igw_connection_of(struct igw_turn *turn);

int64_t igw_connection_now_ms(void);

#endif
