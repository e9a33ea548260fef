/*
 * service.c: readiness and watchdog, by sd_notify's protocol.
 */
#include "service.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "igw.h"

enum { FCGI_VERSION = 1, FCGI_STDOUT = 6, USEC_PER_SEC = 1000000 };

/* A whole FastCGI request: GET /healthz. */
static const char question[] = "\1\1\0\1\0\10\0\0"
                               "\0\1\0\0\0\0\0\0"
                               "\1\4\0\1\0\46\0\0"
                               "\16\3REQUEST_METHODGET"
                               "\11\10PATH_INFO/healthz"
                               "\1\4\0\1\0\0\0\0"
                               "\1\5\0\1\0\0\0";

static struct sockaddr_storage own_address;
static socklen_t own_address_len = sizeof(own_address);
static int64_t interval_usec; /* half of what the manager waits */
static atomic_bool is_stopping;

static void notify(const char *state);
static bool read_interval(void);
static void *report(void *data);
static bool answers(void);
static bool ask(int fd);

void
igw_service_ready(int fd)
{
    pthread_t thread;

    if (read_interval()
        && getsockname(fd, (struct sockaddr *)&own_address, &own_address_len)
               == 0
        && pthread_create(&thread, NULL, report, NULL) == 0) {
        (void)pthread_detach(thread);
    }
    notify("READY=1");
}

void
igw_service_stopping(void)
{
    if (!atomic_exchange(&is_stopping, true)) {
        notify("STOPPING=1");
    }
}

/* A datagram to the manager's socket; "@" is the abstract namespace. */
static void
notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t len = path == NULL ? 0 : strlen(path);
    int fd;

    if (len < 2 || len >= sizeof(address.sun_path)) {
        return;
    }
    memcpy(address.sun_path, path, len);
    if (path[0] == '@') {
        address.sun_path[0] = '\0';
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL,
                     (const struct sockaddr *)&address,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
        (void)close(fd);
    }
}

/* sd_watchdog_enabled(3): false where nobody waits for this process. */
static bool
read_interval(void)
{
    const char *pid = getenv("WATCHDOG_PID");
    const char *usec = getenv("WATCHDOG_USEC");
    char own_pid[24];

    (void)snprintf(own_pid, sizeof(own_pid), "%ld", (long)getpid());
    if (usec == NULL || (pid != NULL && strcmp(pid, own_pid) != 0)) {
        return false;
    }
    interval_usec = strtoll(usec, NULL, 10) / 2;
    return interval_usec > 0;
}

static void *
report(void *data)
{
    const struct timespec rest = { .tv_sec = interval_usec / USEC_PER_SEC,
                                   .tv_nsec =
                                       (interval_usec % USEC_PER_SEC) * 1000 };

    while (!atomic_load(&is_stopping)) {
        if (answers()) {
            notify("WATCHDOG=1");
        }
        (void)nanosleep(&rest, NULL);
    }
    return data;
}

/* Whether a thread takes a connection and answers within half the interval. */
static bool
answers(void)
{
    const struct timeval limit = { .tv_sec = interval_usec / 2 / USEC_PER_SEC,
                                   .tv_usec =
                                       interval_usec / 2 % USEC_PER_SEC };
    int fd = socket(own_address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_alive;

    if (fd < 0) {
        return false;
    }
    is_alive =
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0
        && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0
        && connect(fd, (const struct sockaddr *)&own_address, own_address_len)
               == 0
        && ask(fd);
    (void)close(fd);
    return is_alive;
}

static bool
ask(int fd)
{
    char head[2];

    return send(fd, question, sizeof(question), MSG_NOSIGNAL)
               == (ssize_t)sizeof(question)
           && recv(fd, head, sizeof(head), MSG_WAITALL) == (ssize_t)sizeof(head)
           && head[0] == FCGI_VERSION && head[1] == FCGI_STDOUT;
}
