/*
 * ask SOCKET CONNECTIONS SECONDS SESSIONS: GET /authenticate over FastCGI, as a
 * gateway asks it, on kept connections with one request each under way. The
 * sessions are those that bench/identprov makes: a number's digits behind
 * letters A. Prints how many answers there were, how many of them were not
 * 200, the time that it took and the processor's time of its own, in seconds.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    ID_LEN = 43,
    REQUEST_MAX = 2048,
    ANSWER_MAX = 16384,
    HEADER = 8,
    BEGIN = 1,
    END = 3,
    PARAMS = 4,
    STDIN = 5
};

struct peer {
    int fd;
    size_t len; /* of what has come of an answer */
    unsigned char answer[ANSWER_MAX];
};

static unsigned char request[REQUEST_MAX];
static size_t request_len;
static size_t id_at; /* where the session id stands in it */
static long sessions;
static long answers;
static long failures;

static void
put_record(int type, size_t len)
{
    unsigned char header[HEADER] = {
        1, (unsigned char)type,       0,
        1, (unsigned char)(len >> 8), (unsigned char)len
    };

    memcpy(request + request_len, header, HEADER);
    request_len += HEADER;
}

static void
put_pair(const char *name, const char *value)
{
    size_t name_len = strlen(name);
    size_t value_len = strlen(value);

    request[request_len++] = (unsigned char)name_len;
    request[request_len++] = (unsigned char)value_len;
    memcpy(request + request_len, name, name_len);
    request_len += name_len;
    if (strcmp(name, "HTTP_JSESSIONID") == 0) {
        id_at = request_len;
    }
    memcpy(request + request_len, value, value_len);
    request_len += value_len;
}

/* What nginx.conf.example and the module send. */
static void
make_request(void)
{
    static const char *const pairs[][2] = {
        { "REQUEST_METHOD", "GET" },
        { "SCRIPT_NAME", "" },
        { "PATH_INFO", "/authenticate" },
        { "REQUEST_ID", "0123456789abcdef0123456789abcdef" },
        { "REMOTE_ADDR", "127.0.0.1" },
        { "SERVER_NAME", "_" },
        { "IDENTGW_SESSION_NAME", "JSESSIONID" },
        { "IDENTGW_INTERNAL", "1" },
        { "HTTP_HOST", "127.0.0.1:8080" },
        { "HTTP_USER_AGENT", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0)" },
        { "HTTP_X_REQUEST_ID", "0123456789abcdef0123456789abcdef" },
        { "HTTP_JSESSIONID", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
    };
    static const unsigned char responder_kept[HEADER] = { 0, 1, 1 };
    size_t params_at;
    size_t len;

    put_record(BEGIN, sizeof(responder_kept));
    memcpy(request + request_len, responder_kept, sizeof(responder_kept));
    request_len += sizeof(responder_kept);
    params_at = request_len;
    put_record(PARAMS, 0);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        put_pair(pairs[i][0], pairs[i][1]);
    }
    len = request_len - params_at - HEADER;
    request[params_at + 4] = (unsigned char)(len >> 8);
    request[params_at + 5] = (unsigned char)len;
    put_record(PARAMS, 0);
    put_record(STDIN, 0);
}

static void
die(const char *what)
{
    perror(what);
    exit(1);
}

static void
ask(struct peer *peer)
{
    char id[ID_LEN + 1];
    int len = snprintf(id, sizeof(id), "%ld", 1 + random() % sessions);

    memset(request + id_at, 'A', ID_LEN);
    memcpy(request + id_at + ID_LEN - (size_t)len, id, (size_t)len);
    peer->len = 0;
    if (write(peer->fd, request, request_len) != (ssize_t)request_len) {
        die("ask: write");
    }
}

/* True when the answer is whole. */
static bool
is_answered(const struct peer *peer)
{
    size_t at = 0;

    while (at + HEADER <= peer->len) {
        const unsigned char *record = peer->answer + at;

        at += HEADER + ((size_t)record[4] << 8 | record[5]) + record[6];
        if (record[1] == END) {
            return at == peer->len;
        }
    }
    return false;
}

static void
hear(struct peer *peer)
{
    static const char good[] = "Status: 200";
    ssize_t len = read(peer->fd, peer->answer + peer->len,
                       sizeof(peer->answer) - peer->len);

    if (len <= 0) {
        die("ask: read");
    }
    peer->len += (size_t)len;
    if (!is_answered(peer)) {
        return;
    }
    answers++;
    if (memcmp(peer->answer + HEADER, good, sizeof(good) - 1) != 0) {
        failures++;
    }
    ask(peer);
}

static struct peer *
connect_to(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct peer *peer = calloc(1, sizeof(*peer));

    if (peer == NULL || strlen(path) >= sizeof(address.sun_path)) {
        die("ask");
    }
    (void)strcpy(address.sun_path, path);
    peer->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(peer->fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        die(path);
    }
    return peer;
}

static double
now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double
own_seconds(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
           + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int
main(int argc, char **argv)
{
    struct epoll_event events[64];
    int epoll = epoll_create1(0);
    double start;
    double end;

    if (argc != 5) {
        (void)fprintf(stderr, "usage: ask SOCKET CONNECTIONS SECONDS"
                              " SESSIONS\n");
        return 2;
    }
    sessions = strtol(argv[4], NULL, 10);
    srandom(1);
    make_request();
    for (long i = 0; i < strtol(argv[2], NULL, 10); i++) {
        struct peer *peer = connect_to(argv[1]);
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = peer };

        (void)epoll_ctl(epoll, EPOLL_CTL_ADD, peer->fd, &event);
        ask(peer);
    }
    start = now();
    end = start + strtod(argv[3], NULL);
    while (now() < end) {
        int count = epoll_wait(epoll, events, 64, 1000);

        for (int i = 0; i < count; i++) {
            hear(events[i].data.ptr);
        }
    }
    (void)printf("%ld %ld %.3f %.3f\n", answers, failures, now() - start,
                 own_seconds());
    return 0;
}
