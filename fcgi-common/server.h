/*
 * server.h: the FastCGI server. N threads share one epoll set (one-shot) with
 * the listening socket and every idle connection; whichever thread is free
 * serves whichever connection is ready.
 *
 * Never smuggle: a request is read to its exact end before anything is done
 * with it. A connection on which that did not work, or that has bytes behind
 * the end, is closed. A slow peer costs its own connection and no thread.
 */
#ifndef IGW_SERVER_H
#define IGW_SERVER_H

#include "http.h"
#include "pg.h"

struct igw_server {
    const char *listen; /* unix:PATH | HOST:PORT | NULL: systemd (LISTEN_FDS),
                           else descriptor 0 (spawn-fcgi) */
    int64_t threads;
    int64_t body_max_bytes;
    int64_t
        request_timeout_ms;  /* for reading one, and for writing its answer */
    struct igw_pg_config pg; /* conninfo NULL: no database, call.pg is NULL */
    void *app;
    /*
     * Requests that may write, which are those of another method than GET, HEAD
     * and OPTIONS, take turns: at most half of the threads are in them. Some
     * wait without a thread, more are answered 503. Those that is_slow tells
     * wait behind the others, slow_max of them. NULL: none is slow.
     */
    bool (*is_slow)(const struct igw_request *request);
    int64_t slow_max;
    /* Only called with a whole request; may answer at any point. */
    void (*handle)(struct igw_call *call);
};

/*
 * To be called before any thread is made: SIGTERM and SIGINT are blocked, for
 * igw_server_run to wait for; SIGPIPE is ignored.
 */
void igw_server_block_signals(void);

/*
 * Serves until SIGTERM or SIGINT, then finishes what has begun and returns
 * IGW_OK. IGW_INVALID: the address cannot be listened on (logged). A unix
 * socket gets mode 0660; a dead one of the same path is replaced, a live one
 * is refused.
 */
enum igw_result igw_server_run(const struct igw_server *server) IGW_MUST_CHECK;

#endif
