#include "jwks.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

struct jwks {
    const char *path;
    struct stat seen; /* of the last look; zero: no file */
    bool is_looked;   /* `seen` holds something */
    struct igw_keyset *keys;
    pthread_rwlock_t keys_lock;
    pthread_t thread;
    bool is_started;
    bool is_stopped; /* with its lock and signal */
    pthread_mutex_t stop_lock;
    pthread_cond_t stop;
};

static void *watch(void *arg);
static bool wait_a_second(struct jwks *jwks);
static bool is_same(const struct stat *a, const struct stat *b);
static void load(struct jwks *jwks, int fd);
static bool read_all(int fd, struct igw_buf *text);
static void replace(struct jwks *jwks, struct igw_keyset *keys);
static void complain(const struct jwks *jwks, const char *why);

struct jwks *
jwks_new(const char *path)
{
    struct jwks *jwks = calloc(1, sizeof(*jwks));
    pthread_condattr_t attr;

    if (jwks == NULL) {
        return NULL;
    }

    jwks->path = path;
    pthread_rwlock_init(&jwks->keys_lock, NULL);
    pthread_mutex_init(&jwks->stop_lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&jwks->stop, &attr);
    pthread_condattr_destroy(&attr);

    jwks_check(jwks);
    return jwks;
}

void
jwks_free(struct jwks **jwks_ref)
{
    struct jwks *jwks = *jwks_ref;

    if (jwks == NULL) {
        return;
    }

    if (jwks->is_started) {
        pthread_mutex_lock(&jwks->stop_lock);
        jwks->is_stopped = true;
        pthread_cond_signal(&jwks->stop);
        pthread_mutex_unlock(&jwks->stop_lock);
        pthread_join(jwks->thread, NULL);
    }

    igw_keyset_free(&jwks->keys);
    pthread_rwlock_destroy(&jwks->keys_lock);
    pthread_mutex_destroy(&jwks->stop_lock);
    pthread_cond_destroy(&jwks->stop);
    free(jwks);
    *jwks_ref = NULL;
}

enum igw_result
jwks_start(struct jwks *jwks)
{
    sigset_t all;
    sigset_t before;
    int failure;

    /* Signals are for the server's threads. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failure = pthread_create(&jwks->thread, NULL, watch, jwks);
    pthread_sigmask(SIG_SETMASK, &before, NULL);

    jwks->is_started = failure == 0;
    return failure == 0 ? IGW_OK : IGW_ERROR;
}

static void *
watch(void *arg)
{
    struct jwks *jwks = arg;

    while (wait_a_second(jwks)) {
        jwks_check(jwks);
    }
    return NULL;
}

/* False: stopped. */
static bool
wait_a_second(struct jwks *jwks)
{
    struct timespec until;
    bool is_stopped;
    int rc = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;

    pthread_mutex_lock(&jwks->stop_lock);
    while (!jwks->is_stopped && rc == 0) {
        rc = pthread_cond_timedwait(&jwks->stop, &jwks->stop_lock, &until);
    }
    is_stopped = jwks->is_stopped;
    pthread_mutex_unlock(&jwks->stop_lock);

    return !is_stopped;
}

void
jwks_check(struct jwks *jwks)
{
    struct stat now = { 0 };
    /* Not to block on what is no regular file. */
    int fd = open(jwks->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int failure = errno;

    if (fd >= 0 && fstat(fd, &now) != 0) {
        memset(&now, 0, sizeof(now));
    }
    if (jwks->is_looked && is_same(&now, &jwks->seen)) {
        goto done;
    }

    jwks->is_looked = true;
    jwks->seen = now;
    if (fd < 0) {
        complain(jwks, strerror(failure));
    } else if (!S_ISREG(now.st_mode)) {
        complain(jwks, "not a regular file");
    } else {
        load(jwks, fd);
    }

done:
    if (fd >= 0) {
        close(fd);
    }
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino
           && a->st_size == b->st_size && a->st_mode == b->st_mode
           && a->st_mtim.tv_sec == b->st_mtim.tv_sec
           && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec
           && a->st_ctim.tv_sec == b->st_ctim.tv_sec
           && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void
load(struct jwks *jwks, int fd)
{
    struct igw_keyset *keys = NULL;
    struct igw_buf text;
    char why[160] = "";

    igw_buf_init(&text);
    if (!read_all(fd, &text)) {
        complain(jwks, "cannot be read, or is too large");
    } else if (igw_keyset_parse(igw_buf_slice(&text), &keys, why) != IGW_OK) {
        complain(jwks, why);
    } else {
        replace(jwks, keys);
        igw_log(
            IGW_LOG_INFO, "keys_loaded",
            (struct igw_log_field[]){ { "file", jwks->path }, { NULL, NULL } });
    }
    igw_buf_clear(&text);
}

static bool
read_all(int fd, struct igw_buf *text)
{
    char block[4096];
    ssize_t count;

    while ((count = read(fd, block, sizeof(block))) > 0) {
        igw_buf_append(text, block, (size_t)count);
        if (text->failed || text->len > JWKS_FILE_MAX) {
            return false;
        }
    }
    return count == 0;
}

static void
replace(struct jwks *jwks, struct igw_keyset *keys)
{
    struct igw_keyset *old;

    pthread_rwlock_wrlock(&jwks->keys_lock);
    old = jwks->keys;
    jwks->keys = keys;
    pthread_rwlock_unlock(&jwks->keys_lock);

    igw_keyset_free(&old);
}

static void
complain(const struct jwks *jwks, const char *why)
{
    igw_log(IGW_LOG_ERROR, "keys_unusable",
            (struct igw_log_field[]){
                { "file", jwks->path },
                { "reason", why },
                { "consequence", jwks->keys != NULL
                                     ? "the keys from before stay in use"
                                     : "requests are answered with 503" },
                { NULL, NULL } });
}

const struct igw_keyset *
jwks_acquire(struct jwks *jwks)
{
    pthread_rwlock_rdlock(&jwks->keys_lock);
    return jwks->keys;
}

void
jwks_release(struct jwks *jwks)
{
    pthread_rwlock_unlock(&jwks->keys_lock);
}
