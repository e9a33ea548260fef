/*
 * listen.c: making and finding listening sockets.
 */
#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "service.h"

enum {
    BACKLOG = 4096, /* the kernel cuts it to net.core.somaxconn */
    SYSTEMD_FIRST_FD = 3,
    HOST_MAX_BYTES = 256
};

static int inherited(void);
static bool is_listening(int fd);
static int open_unix(struct igw_listener *listener, const char *path);
static int lock_directory(const char *path);
static int remove_dead(const struct sockaddr_un *address);
static int bind_unix(const struct sockaddr_un *address);
static int open_tcp(const char *address);
static bool split_address(const char *address, char host[HOST_MAX_BYTES],
                          const char **port);
static int bind_tcp(const struct addrinfo *info);
static int refuse(const char *address, const char *reason);

enum igw_result
igw_listen_open(struct igw_listener *listener, const char *address)
{
    static const char unix_prefix[] = "unix:";

    *listener = (struct igw_listener){ .fd = -1 };
    if (address == NULL || *address == '\0') {
        listener->fd = inherited();
        listener->is_inherited = true;
    } else if (strncmp(address, unix_prefix, sizeof(unix_prefix) - 1) == 0) {
        listener->fd = open_unix(listener, address + sizeof(unix_prefix) - 1);
    } else {
        listener->fd = open_tcp(address);
    }
    if (listener->fd < 0) {
        return IGW_INVALID;
    }
    if (fcntl(listener->fd, F_SETFL, O_NONBLOCK) != 0) {
        (void)refuse("descriptor", strerror(errno));
        igw_listen_close(listener);
        return IGW_INVALID;
    }
    igw_service_ready(listener->fd);
    return IGW_OK;
}

void
igw_listen_hide(struct igw_listener *listener)
{
    struct stat now;

    igw_service_stopping();
    if (listener->path != NULL && lstat(listener->path, &now) == 0
        && now.st_ino == listener->made.st_ino
        && now.st_dev == listener->made.st_dev) {
        (void)unlink(listener->path);
    }
    listener->path = NULL;
}

void
igw_listen_close(struct igw_listener *listener)
{
    igw_listen_hide(listener);
    if (listener->fd >= 0) {
        (void)close(listener->fd);
    }
    *listener = (struct igw_listener){ .fd = -1 };
}

/* systemd's (sd_listen_fds(3)), else spawn-fcgi's descriptor 0. */
static int
inherited(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    char own_pid[24];
    int fd = STDIN_FILENO;

    (void)snprintf(own_pid, sizeof(own_pid), "%ld", (long)getpid());
    if (pid != NULL && count != NULL && strcmp(pid, own_pid) == 0) {
        if (strcmp(count, "1") != 0) {
            return refuse("systemd", "exactly one socket must be passed");
        }
        fd = SYSTEMD_FIRST_FD;
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    if (!is_listening(fd)) {
        return refuse("descriptor",
                      "no --listen ADDRESS, no socket from systemd, and "
                      "descriptor 0 is no listening socket");
    }
    return fd;
}

static bool
is_listening(int fd)
{
    int value = 0;
    socklen_t len = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len) == 0
           && value != 0;
}

/* The directory is locked, so that two starts do not remove each other's. */
static int
open_unix(struct igw_listener *listener, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int lock;
    int fd = -1;

    if (strlen(path) == 0 || strlen(path) >= sizeof(address.sun_path)) {
        return refuse(path, "a unix socket's path has 1 to 107 bytes");
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    lock = lock_directory(path);
    if (lock < 0) {
        return refuse(path, strerror(errno));
    }
    if (remove_dead(&address) == 0) {
        fd = bind_unix(&address);
    }
    if (fd >= 0 && lstat(path, &listener->made) == 0) {
        listener->path = path;
    }
    (void)close(lock);
    return fd;
}

static int
lock_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    char directory[sizeof(((struct sockaddr_un *)0)->sun_path)] = ".";
    int fd;

    if (slash != NULL) {
        size_t len = slash == path ? 1 : (size_t)(slash - path);

        memcpy(directory, path, len);
        directory[len] = '\0';
    }
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* 0: nothing is at the path any more. */
static int
remove_dead(const struct sockaddr_un *address)
{
    const char *path = address->sun_path;
    struct stat found;
    int fd;
    int rc;
    int error;

    if (lstat(path, &found) != 0) {
        return errno == ENOENT ? 0 : refuse(path, strerror(errno));
    }
    if (!S_ISSOCK(found.st_mode)) {
        return refuse(path, "there is something that is no socket");
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return refuse(path, strerror(errno));
    }
    rc = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    error = errno;
    (void)close(fd);
    if (rc == 0 || error != ECONNREFUSED) {
        return refuse(path, rc == 0 || error == EAGAIN
                                ? "another process listens there"
                                : strerror(error));
    }
    return unlink(path) == 0 ? 0 : refuse(path, strerror(errno));
}

static int
bind_unix(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    /* The first chmod makes bind create it closed, the second is 0660. */
    if (fd < 0 || fchmod(fd, 0600) != 0
        || bind(fd, (const struct sockaddr *)address, sizeof(*address)) != 0
        || chmod(address->sun_path, 0660) != 0 || listen(fd, BACKLOG) != 0) {
        int error = errno;

        if (fd >= 0) {
            (void)close(fd);
        }
        return refuse(address->sun_path, strerror(error));
    }
    return fd;
}

static int
open_tcp(const char *address)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC,
                                    .ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_PASSIVE };
    struct addrinfo *info = NULL;
    char host[HOST_MAX_BYTES];
    const char *port;
    int rc;
    int fd;

    if (!split_address(address, host, &port)) {
        return refuse(address, "an address is unix:PATH or HOST:PORT");
    }
    rc = getaddrinfo(host, port, &hints, &info);
    if (rc != 0) {
        return refuse(address, gai_strerror(rc));
    }
    fd = bind_tcp(info);
    if (fd < 0) {
        (void)refuse(address, strerror(errno));
    }
    freeaddrinfo(info);
    return fd;
}

/* HOST:PORT or [HOST]:PORT; the host has at least one byte. */
static bool
split_address(const char *address, char host[HOST_MAX_BYTES], const char **port)
{
    const char *colon = strrchr(address, ':');
    size_t len = colon == NULL ? 0 : (size_t)(colon - address);

    if (len > 2 && address[0] == '[' && colon[-1] == ']') {
        address++;
        len -= 2;
    }
    if (len == 0 || len >= HOST_MAX_BYTES || colon[1] == '\0') {
        return false;
    }
    memcpy(host, address, len);
    host[len] = '\0';
    *port = colon + 1;
    return true;
}

static int
bind_tcp(const struct addrinfo *info)
{
    const int on = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0
        || bind(fd, info->ai_addr, info->ai_addrlen) != 0
        || listen(fd, BACKLOG) != 0) {
        int error = errno;

        if (fd >= 0) {
            (void)close(fd);
        }
        errno = error;
        return -1;
    }
    return fd;
}

/* Always -1. */
static int
refuse(const char *address, const char *reason)
{
    igw_log(IGW_LOG_ERROR, "cannot_listen",
            (struct igw_log_field[]){
                { "address", address }, { "detail", reason }, { NULL, NULL } });
    return -1;
}
