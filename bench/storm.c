/*
 * storm: what bench/storm runs.
 *
 * storm hash THREADS SECONDS MEMORY PASSES
 *     checks a password on so many threads, with libsodium alone; prints how
 *     often and in how many seconds.
 *
 * storm load SOCKET SECONDS SESSION ASKERS ASKS GUESTS LOGINS ACCOUNTS PASSWORD
 *     over FastCGI: ASKS times a second GET /authenticate on ASKERS
 *     connections, and LOGINS times a second POST /login on GUESTS others, as
 *     user1 to userACCOUNTS in turn. Prints two lines: asks, those that were
 *     not 200, and the median, the 99th percentile and the longest time of one
 *     in microseconds; logins that were 200, 503 and something else, and the
 *     seconds that it took.
 */
#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE_MAX = 4096, THREADS_MAX = 1024, NS = 1000000000 };

struct load {
    pthread_t thread;
    int number; /* of this thread among its kind */
    int others; /* of its kind */
    double rate;
    bool is_login;
    long answers;
    long ok;
    long busy;
    uint32_t *micros;
    long micros_max;
};

static const char *socket_path;
static const char *session;
static const char *password;
static long accounts;
static struct timespec start;
static double run_sec;

static double
since(const struct timespec *from)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - from->tv_sec)
           + (double)(now.tv_nsec - from->tv_nsec) / NS;
}

static void
fail(const char *what)
{
    perror(what);
    exit(1);
}

/* --- hashes --------------------------------------------------------------- */

static char stored[crypto_pwhash_STRBYTES];

static void *
hash(void *arg)
{
    long *count = arg;

    while (since(&start) < run_sec) {
        if (crypto_pwhash_argon2id_str_verify(stored, "correct horse", 13)
            != 0) {
            fail("a hash");
        }
        ++*count;
    }
    return NULL;
}

static int
run_hashes(int threads, unsigned long memory, unsigned long passes)
{
    pthread_t ids[THREADS_MAX];
    long counts[THREADS_MAX] = { 0 };
    long sum = 0;

    if (sodium_init() < 0
        || crypto_pwhash_argon2id_str(stored, "correct horse", 13, passes,
                                      memory)
               != 0) {
        fail("libsodium");
    }
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < threads; i++) {
        pthread_create(&ids[i], NULL, hash, &counts[i]);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        sum += counts[i];
    }
    printf("%ld %.3f\n", sum, since(&start));
    return 0;
}

/* --- FastCGI -------------------------------------------------------------- */

static size_t
put_record(unsigned char *at, int type, const void *data, size_t len)
{
    unsigned char header[8] = {
        1, (unsigned char)type,       0,
        1, (unsigned char)(len >> 8), (unsigned char)len
    };

    memcpy(at, header, sizeof(header));
    memcpy(at + sizeof(header), data, len);
    return sizeof(header) + len;
}

static size_t
put_pair(unsigned char *at, const char *name, const char *value)
{
    size_t name_len = strlen(name);
    size_t value_len = strlen(value);

    at[0] = (unsigned char)name_len;
    at[1] = (unsigned char)value_len;
    memcpy(at + 2, name, name_len);
    memcpy(at + 2 + name_len, value, value_len);
    return 2 + name_len + value_len;
}

static size_t
make_request(unsigned char *out, bool is_login, long account)
{
    static const unsigned char begin[8] = { 0, 1, 1 };
    unsigned char params[MESSAGE_MAX];
    char body[256] = "";
    char length[24];
    size_t len = 0;
    size_t at = 0;

    if (is_login) {
        snprintf(body, sizeof(body),
                 "{\"username\":\"user%ld\",\"password\":\"%s\"}", account,
                 password);
    }
    snprintf(length, sizeof(length), "%zu", strlen(body));
    len += put_pair(params + len, "REQUEST_METHOD", is_login ? "POST" : "GET");
    len += put_pair(params + len, "PATH_INFO",
                    is_login ? "/login" : "/authenticate");
    len += put_pair(params + len, "REMOTE_ADDR", "192.0.2.1");
    len += put_pair(params + len, "CONTENT_TYPE", "application/json");
    len += put_pair(params + len, "CONTENT_LENGTH", length);
    if (!is_login) {
        len += put_pair(params + len, "HTTP_JSESSIONID", session);
    }
    at += put_record(out + at, 1, begin, sizeof(begin));
    at += put_record(out + at, 4, params, len);
    at += put_record(out + at, 4, "", 0);
    if (body[0] != '\0') {
        at += put_record(out + at, 5, body, strlen(body));
    }
    return at + put_record(out + at, 5, "", 0);
}

static int
open_socket(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
    if (fd < 0
        || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        fail(socket_path);
    }
    return fd;
}

static void
read_all(int fd, void *data, size_t len)
{
    char *at = data;

    while (len > 0) {
        ssize_t got = read(fd, at, len);

        if (got <= 0) {
            fail("the connection");
        }
        at += got;
        len -= (size_t)got;
    }
}

/* The status of one answer. */
static int
read_answer(int fd)
{
    unsigned char header[8];
    char content[65536 + 256];
    int status = 0;

    do {
        size_t len;

        read_all(fd, header, sizeof(header));
        len = (size_t)header[4] << 8 | header[5];
        read_all(fd, content, len + header[6]);
        content[len] = '\0';
        if (header[1] == 6 && status == 0) {
            const char *line = strstr(content, "Status: ");

            status = line != NULL ? atoi(line + 8) : 200;
        }
    } while (header[1] != 3);
    return status;
}

/* --- load ----------------------------------------------------------------- */

static void
sleep_until(double at)
{
    double left = at - since(&start);

    if (left > 0) {
        struct timespec time = { (time_t)left,
                                 (long)((left - (double)(time_t)left) * NS) };

        nanosleep(&time, NULL);
    }
}

static void *
visit(void *arg)
{
    struct load *load = arg;
    unsigned char request[MESSAGE_MAX];
    int fd = open_socket();
    double interval = load->others / load->rate;
    double at = interval * load->number / load->others;
    long account = load->number;

    for (; at < run_sec; at += interval) {
        size_t len = make_request(request, load->is_login, account + 1);
        struct timespec sent;
        int status;

        sleep_until(at);
        clock_gettime(CLOCK_MONOTONIC, &sent);
        if (write(fd, request, len) != (ssize_t)len) {
            fail("write");
        }
        status = read_answer(fd);
        if (load->answers < load->micros_max) {
            load->micros[load->answers] = (uint32_t)(since(&sent) * 1e6);
        }
        load->answers++;
        load->ok += status == 200;
        load->busy += status == 503;
        account = (account + load->others) % accounts;
        while (at + interval < since(&start)) {
            at += interval; /* too late for those */
        }
    }
    close(fd);
    return NULL;
}

static void
begin(struct load *loads, int count, double rate, bool is_login)
{
    for (int i = 0; i < count; i++) {
        struct load *load = &loads[i];

        *load = (struct load){ .number = i,
                               .others = count,
                               .rate = rate,
                               .is_login = is_login,
                               .micros_max = (long)(rate * run_sec) + 16 };
        load->micros = calloc((size_t)load->micros_max, sizeof(*load->micros));
        if (load->micros == NULL
            || pthread_create(&load->thread, NULL, visit, load) != 0) {
            fail("a thread");
        }
    }
}

static int
compare(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a;
    uint32_t two = *(const uint32_t *)b;

    return (one > two) - (one < two);
}

static void
end(struct load *loads, int count, struct load *sum)
{
    for (int i = 0; i < count; i++) {
        struct load *load = &loads[i];

        pthread_join(load->thread, NULL);
        for (long j = 0; j < load->answers && sum->micros != NULL; j++) {
            sum->micros[sum->answers + j] = load->micros[j];
        }
        sum->answers += load->answers;
        sum->ok += load->ok;
        sum->busy += load->busy;
        free(load->micros);
    }
}

static int
run_load(int askers, double asks, int guests, double logins)
{
    static struct load ask[THREADS_MAX];
    static struct load login[THREADS_MAX];
    struct load asked = { 0 };
    struct load tried = { 0 };

    asked.micros =
        calloc((size_t)(asks * run_sec) + THREADS_MAX, sizeof(*asked.micros));
    clock_gettime(CLOCK_MONOTONIC, &start);
    begin(ask, askers, asks, false);
    if (logins > 0) {
        begin(login, guests, logins, true);
    }
    end(ask, askers, &asked);
    if (logins > 0) {
        end(login, guests, &tried);
    }
    if (asked.answers == 0) {
        fail("no answer");
    }
    qsort(asked.micros, (size_t)asked.answers, sizeof(*asked.micros), compare);
    printf("%ld %ld %u %u %u\n", asked.answers, asked.answers - asked.ok,
           asked.micros[asked.answers / 2],
           asked.micros[asked.answers * 99 / 100],
           asked.micros[asked.answers - 1]);
    printf("%ld %ld %ld %.3f\n", tried.ok, tried.busy,
           tried.answers - tried.ok - tried.busy, since(&start));
    free(asked.micros);
    return 0;
}

int
main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "hash") == 0) {
        run_sec = atof(argv[3]);
        return run_hashes(atoi(argv[2]), strtoul(argv[4], NULL, 10),
                          strtoul(argv[5], NULL, 10));
    }
    if (argc == 11 && strcmp(argv[1], "load") == 0) {
        socket_path = argv[2];
        run_sec = atof(argv[3]);
        session = argv[4];
        accounts = atol(argv[9]);
        password = argv[10];
        return run_load(atoi(argv[5]), atof(argv[6]), atoi(argv[7]),
                        atof(argv[8]));
    }
    fprintf(stderr, "usage: storm hash|load ...; see bench/storm.c\n");
    return 2;
}
