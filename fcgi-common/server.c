/*
 * server.c: connections, threads, deadlines and signals.
 */
#include "server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"
#include "listen.h"
#include "log.h"

enum {
    DRAIN_EXTRA_BYTES = 16 << 20, /* above body_max_bytes, then we hang up */
    ACCEPTS_AT_ONCE = 64,
    ACCEPTS_AT_STOP = 4096,
    TICK_MS = 100,
    COMPLAIN_MS = 10000,
    WAITING_MAX = 256 /* quick requests that wait for their turn */
};

struct server {
    const struct igw_server *config;
    struct igw_listener listener;
    int epoll;
    int finish; /* eventfd; readable when the threads have to end */
    atomic_bool is_stopping;
    atomic_bool is_accept_paused;
    int64_t complained_ms; /* the main thread's */
    struct igw_turns turns;
    pthread_mutex_t lock; /* of the list */
    struct igw_connection *connections;
};

struct worker {
    struct server *server;
    pthread_t thread;
    bool is_running;
    struct igw_reader reader;
};

static bool open_server(struct server *server);
static void close_server(struct server *server);
static bool watch(const struct server *server, int operation, int fd,
                  uint32_t events, void *data);
static struct worker *start_workers(struct server *server);
static bool start_worker(struct server *server, struct worker *worker);
static void stop_workers(struct server *server, struct worker *workers);
static void keep_house(struct server *server);
static void sweep(struct server *server);
static void resume_accept(struct server *server);
static void arm_listener(struct server *server);
static void stop(struct server *server);
static bool is_empty(struct server *server);
static void *work(void *data);
static void accept_some(struct server *server);
static void add_connection(struct server *server, int fd);
static void drop(struct server *server, struct igw_connection *connection);
static void serve(struct worker *worker, struct igw_connection *connection);
static void settle(struct server *server, struct igw_connection *connection,
                   enum igw_fate fate);

void
igw_server_block_signals(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

enum igw_result
igw_server_run(const struct igw_server *config)
{
    struct server server = { .config = config,
                             .listener = { .fd = -1 },
                             .epoll = -1,
                             .finish = -1,
                             .lock = PTHREAD_MUTEX_INITIALIZER };
    struct worker *workers = NULL;
    enum igw_result rc;

    igw_server_block_signals();
    igw_turns_init(&server.turns, config->threads > 1 ? config->threads / 2 : 1,
                   WAITING_MAX, config->slow_max);
    rc = igw_listen_open(&server.listener, config->listen);
    if (rc == IGW_OK && !open_server(&server)) {
        rc = IGW_ERROR;
    }
    if (rc == IGW_OK) {
        workers = start_workers(&server);
        rc = workers == NULL ? IGW_ERROR : IGW_OK;
    }
    if (rc == IGW_OK) {
        igw_logf(IGW_LOG_INFO, "started", "listening on %s with %d threads",
                 config->listen == NULL ? "the socket passed" : config->listen,
                 (int)config->threads);
        keep_house(&server);
        stop_workers(&server, workers);
        igw_log(IGW_LOG_INFO, "stopped", NULL);
    }
    close_server(&server);
    return rc;
}

static bool
open_server(struct server *server)
{
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    server->finish = eventfd(0, EFD_CLOEXEC);
    if (server->epoll < 0 || server->finish < 0
        || !watch(server, EPOLL_CTL_ADD, server->finish, EPOLLIN,
                  &server->finish)
        || !watch(server, EPOLL_CTL_ADD, server->listener.fd,
                  EPOLLIN | EPOLLONESHOT, &server->listener)) {
        igw_logf(IGW_LOG_ERROR, "cannot_start", "epoll: %s", strerror(errno));
        return false;
    }
    return true;
}

static void
close_server(struct server *server)
{
    while (server->connections != NULL) {
        drop(server, server->connections);
    }
    igw_listen_close(&server->listener);
    if (server->finish >= 0) {
        (void)close(server->finish);
    }
    if (server->epoll >= 0) {
        (void)close(server->epoll);
    }
    (void)pthread_mutex_destroy(&server->lock);
    igw_turns_clear(&server->turns);
}

static bool
watch(const struct server *server, int operation, int fd, uint32_t events,
      void *data)
{
    struct epoll_event event = { .events = events, .data.ptr = data };

    return epoll_ctl(server->epoll, operation, fd, &event) == 0;
}

static struct worker *
start_workers(struct server *server)
{
    size_t count = (size_t)server->config->threads;
    struct worker *workers = calloc(count, sizeof(*workers));

    if (workers == NULL) {
        igw_logf(IGW_LOG_ERROR, "cannot_start", "no memory");
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (!start_worker(server, &workers[i])) {
            igw_logf(IGW_LOG_ERROR, "cannot_start", "a thread cannot start");
            stop_workers(server, workers);
            return NULL;
        }
    }
    return workers;
}

static bool
start_worker(struct server *server, struct worker *worker)
{
    worker->server = server;
    worker->reader.config = server->config;
    worker->reader.turns = &server->turns;
    worker->reader.is_stopping = &server->is_stopping;
    worker->reader.exchange = igw_exchange_new();
    if (worker->reader.exchange == NULL) {
        return false;
    }
    if (server->config->pg.conninfo != NULL) {
        worker->reader.pg = igw_pg_new(&server->config->pg);
        if (worker->reader.pg == NULL) {
            return false;
        }
    }
    worker->is_running =
        pthread_create(&worker->thread, NULL, work, worker) == 0;
    return worker->is_running;
}

static void
stop_workers(struct server *server, struct worker *workers)
{
    const uint64_t one = 1;
    ssize_t written = write(server->finish, &one, sizeof(one));

    (void)written;
    for (int64_t i = 0; i < server->config->threads; i++) {
        if (workers[i].is_running) {
            (void)pthread_join(workers[i].thread, NULL);
        }
        igw_exchange_free(&workers[i].reader.exchange);
        igw_pg_free(&workers[i].reader.pg);
    }
    free(workers);
}

/* The main thread: signals, deadlines, and accepting again. */
static void
keep_house(struct server *server)
{
    const struct timespec tick = { .tv_nsec = TICK_MS * 1000000L };
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    while (!atomic_load(&server->is_stopping) || !is_empty(server)) {
        if (sigtimedwait(&set, NULL, &tick) > 0) {
            stop(server);
            continue;
        }
        sweep(server);
        resume_accept(server);
    }
}

/*
 * Shuts down, for the thread that reads or writes to notice: what is past its
 * deadline and, while stopping, what is idle. The bytes of a request that
 * has come already can still be read after SHUT_RD.
 */
static void
sweep(struct server *server)
{
    bool is_stopping = atomic_load(&server->is_stopping);
    int64_t now = igw_connection_now_ms();

    (void)pthread_mutex_lock(&server->lock);
    for (struct igw_connection *c = server->connections; c != NULL;
         c = c->next) {
        int64_t deadline = atomic_load(&c->deadline_ms);

        if (deadline == IGW_CONNECTION_IDLE && is_stopping) {
            (void)shutdown(c->fd, SHUT_RD);
        } else if (deadline != IGW_CONNECTION_IDLE && deadline < now) {
            (void)shutdown(c->fd, SHUT_RDWR);
        }
    }
    (void)pthread_mutex_unlock(&server->lock);
}

static void
resume_accept(struct server *server)
{
    int64_t now = igw_connection_now_ms();

    if (!atomic_exchange(&server->is_accept_paused, false)
        || atomic_load(&server->is_stopping)) {
        return;
    }
    if (server->complained_ms == 0
        || now - server->complained_ms > COMPLAIN_MS) {
        server->complained_ms = now;
        igw_logf(IGW_LOG_ERROR, "accept_failed",
                 "no new connections for now: out of descriptors or memory");
    }
    arm_listener(server);
}

/* What fails is tried again at the next tick. */
static void
arm_listener(struct server *server)
{
    if (!watch(server, EPOLL_CTL_MOD, server->listener.fd,
               EPOLLIN | EPOLLONESHOT, &server->listener)) {
        atomic_store(&server->is_accept_paused, true);
    }
}

/* Who has connected already is served; nobody else can connect. */
static void
stop(struct server *server)
{
    if (atomic_exchange(&server->is_stopping, true)) {
        return;
    }
    igw_log(IGW_LOG_INFO, "stopping", NULL);
    (void)epoll_ctl(server->epoll, EPOLL_CTL_DEL, server->listener.fd, NULL);
    igw_listen_hide(&server->listener);
    accept_some(server);
    if (!server->listener.is_inherited) {
        (void)shutdown(server->listener.fd, SHUT_RDWR);
    }
}

static bool
is_empty(struct server *server)
{
    bool result;

    (void)pthread_mutex_lock(&server->lock);
    result = server->connections == NULL;
    (void)pthread_mutex_unlock(&server->lock);
    return result;
}

static void *
work(void *data)
{
    struct worker *worker = data;
    struct server *server = worker->server;
    struct epoll_event event;

    for (;;) {
        int count = epoll_wait(server->epoll, &event, 1, -1);

        if (count == 0 || (count < 0 && errno == EINTR)) {
            continue;
        }
        if (count < 0 || event.data.ptr == &server->finish) {
            return NULL;
        }
        if (event.data.ptr == &server->listener) {
            accept_some(server);
        } else {
            serve(worker, event.data.ptr);
        }
    }
}

/* Armed again at the end, or by resume_accept when accept fails. */
static void
accept_some(struct server *server)
{
    int limit =
        atomic_load(&server->is_stopping) ? ACCEPTS_AT_STOP : ACCEPTS_AT_ONCE;

    for (int i = 0; i < limit; i++) {
        int fd = accept4(server->listener.fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0) {
            add_connection(server, fd);
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO) {
            atomic_store(&server->is_accept_paused, true);
            return;
        }
    }
    if (!atomic_load(&server->is_stopping)) {
        arm_listener(server);
    }
}

static void
add_connection(struct server *server, int fd)
{
    struct igw_connection *connection = calloc(1, sizeof(*connection));
    const int on = 1;

    if (connection == NULL) {
        (void)close(fd);
        return;
    }
    /* Both fail on a unix socket, which needs neither. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    connection->fd = fd;
    igw_frame_init(&connection->frame, (size_t)server->config->body_max_bytes,
                   (size_t)server->config->body_max_bytes + DRAIN_EXTRA_BYTES);
    (void)pthread_mutex_lock(&server->lock);
    connection->next = server->connections;
    if (connection->next != NULL) {
        connection->next->previous = connection;
    }
    server->connections = connection;
    (void)pthread_mutex_unlock(&server->lock);
    atomic_store(&connection->is_handed_over, true);
    if (!watch(server, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDHUP | EPOLLONESHOT,
               connection)) {
        drop(server, connection);
    }
}

/* Off the list before the close, so that sweep meets no foreign descriptor. */
static void
drop(struct server *server, struct igw_connection *connection)
{
    (void)pthread_mutex_lock(&server->lock);
    if (connection->previous != NULL) {
        connection->previous->next = connection->next;
    } else {
        server->connections = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    }
    (void)pthread_mutex_unlock(&server->lock);
    igw_frame_clear(&connection->frame);
    (void)close(connection->fd);
    free(connection);
}

/* One connection; and then, for a turn that is had, those that wait for it. */
static void
serve(struct worker *worker, struct igw_connection *connection)
{
    struct server *server = worker->server;
    struct igw_reader *reader = &worker->reader;
    struct igw_turn *turn;

    (void)atomic_load(&connection->is_handed_over);
    settle(server, connection, igw_connection_read(reader, connection));
    while (reader->has_turn) {
        turn = igw_turns_pass(&server->turns);
        reader->has_turn = turn != NULL;
        if (turn != NULL) {
            connection = igw_connection_of(turn);
            settle(server, connection,
                   igw_connection_answer(reader, connection));
        }
    }
}

static void
settle(struct server *server, struct igw_connection *connection,
       enum igw_fate fate)
{
    if (fate == IGW_LEAVE) {
        return;
    }
    atomic_store(&connection->is_handed_over, true);
    if (fate == IGW_DROP
        || !watch(server, EPOLL_CTL_MOD, connection->fd,
                  EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, connection)) {
        drop(server, connection);
    }
}
