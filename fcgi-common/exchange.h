/*
 * exchange.h: what server.c needs of http.c: from a whole request's frame to
 * an answer on the connection.
 */
#ifndef IGW_EXCHANGE_H
#define IGW_EXCHANGE_H

#include "http.h"
#include "record.h"

/* One thread's: libfcgi's request and the file that it reads. */
struct igw_exchange;

struct igw_exchange *igw_exchange_new(void) IGW_MUST_CHECK;
void igw_exchange_free(struct igw_exchange **exchange);

/*
 * Calls `handle` for the whole request in `frame`, or makes the answer itself
 * when the request is one of those that http.h says no handler sees. `call`
 * lends pg and app. False: the parameters are no pairs, or we have failed;
 * there is nothing to send and the connection must be closed.
 */
bool igw_exchange_handle(struct igw_exchange *exchange,
                         const struct igw_frame *frame, struct igw_call *call,
                         void (*handle)(struct igw_call *call)) IGW_MUST_CHECK;

/* Forgets a request that was not answered: somebody else will handle it. */
void igw_exchange_drop(struct igw_exchange *exchange);

/* Writes the answer on a blocking descriptor. False: it did not go out. */
bool igw_exchange_send(struct igw_exchange *exchange, int fd) IGW_MUST_CHECK;

#endif
