/*
 * server.h: the FastCGI server. N threads share one epoll set (one-shot) with
 * the listening socket and every idle connection; whichever thread is free
 * serves whichever connection is ready.
 *
 * Never smuggle: a connection whose request body was not read to its exact
 * end is closed, never read from again.
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
    int64_t request_timeout_ms; /* for reading one request, end to end */
    struct igw_pg_config pg;
    void *app;
    void (*handle)(struct igw_call *call);
};

/*
 * Serves until SIGTERM or SIGINT, then finishes what has begun and returns
 * IGW_OK. IGW_INVALID: the address cannot be listened on (logged). A unix
 * socket gets mode 0660; a dead one of the same path is replaced, a live one
 * is refused.
 */
enum igw_result igw_server_run(const struct igw_server *server) IGW_MUST_CHECK;

#endif
