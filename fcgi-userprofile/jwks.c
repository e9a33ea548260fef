#include "jwks.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fetch.h"
#include "log.h"

enum { FILE_PERIOD_MS = 1000 };

struct jwks {
    struct jwks_source source;
    struct stat seen; /* of the file's last look; zero: no file */
    bool is_looked;   /* `seen` holds something */

    struct igw_keyset *keys;
    unsigned char digest[IGW_SHA256_SIZE]; /* of their text */
    _Atomic uint64_t generation;
    pthread_rwlock_t keys_lock;

    pthread_t thread;
    bool is_started;
    bool has_failed;                /* the last look, the thread's own */
    int64_t fresh_ms;               /* until the next look, if all is well */
    int64_t looked_ms;              /* when the last look began */
    char complaint[FETCH_WHY_SIZE]; /* the last one */
    atomic_bool is_stopped;         /* with the lock and signal, as is_wanted */
    atomic_bool is_wanted;
    pthread_mutex_t wake_lock;
    pthread_cond_t wake;
};

static void *follow(void *arg);
static bool wait_until_due(struct jwks *jwks);
static int64_t due_ms(const struct jwks *jwks);
static void check_file(struct jwks *jwks);
static void check_url(struct jwks *jwks);
static int64_t fresh_ms(const struct jwks_source *source, int64_t max_age_sec);
static bool is_same(const struct stat *a, const struct stat *b);
static void load_file(struct jwks *jwks, int fd);
static bool read_all(int fd, struct igw_buf *text);
static void load(struct jwks *jwks, struct igw_slice text);
static void replace(struct jwks *jwks, struct igw_keyset *keys,
                    const unsigned char *digest);
static void complain(struct jwks *jwks, const char *why);
static const char *name_of(const struct jwks *jwks);
static int64_t now_ms(void);

struct jwks *
jwks_new(const struct jwks_source *source)
{
    struct jwks *jwks = calloc(1, sizeof(*jwks));
    pthread_condattr_t attr;

    if (jwks == NULL) {
        return NULL;
    }

    jwks->source = *source;
    pthread_rwlock_init(&jwks->keys_lock, NULL);
    pthread_mutex_init(&jwks->wake_lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&jwks->wake, &attr);
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
        pthread_mutex_lock(&jwks->wake_lock);
        atomic_store(&jwks->is_stopped, true);
        pthread_cond_signal(&jwks->wake);
        pthread_mutex_unlock(&jwks->wake_lock);
        pthread_join(jwks->thread, NULL);
    }

    igw_keyset_free(&jwks->keys);
    pthread_rwlock_destroy(&jwks->keys_lock);
    pthread_mutex_destroy(&jwks->wake_lock);
    pthread_cond_destroy(&jwks->wake);
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
    failure = pthread_create(&jwks->thread, NULL, follow, jwks);
    pthread_sigmask(SIG_SETMASK, &before, NULL);

    jwks->is_started = failure == 0;
    return failure == 0 ? IGW_OK : IGW_ERROR;
}

static void *
follow(void *arg)
{
    struct jwks *jwks = arg;

    while (wait_until_due(jwks)) {
        jwks_check(jwks);
    }
    return NULL;
}

/* False: stopped. */
static bool
wait_until_due(struct jwks *jwks)
{
    bool is_stopped;
    int64_t due;

    pthread_mutex_lock(&jwks->wake_lock);
    while (!atomic_load(&jwks->is_stopped) && (due = due_ms(jwks)) > now_ms()) {
        const struct timespec until = { .tv_sec = due / 1000,
                                        .tv_nsec = due % 1000 * 1000000 };

        (void)pthread_cond_timedwait(&jwks->wake, &jwks->wake_lock, &until);
    }
    is_stopped = atomic_load(&jwks->is_stopped);
    atomic_store(&jwks->is_wanted, false);
    pthread_mutex_unlock(&jwks->wake_lock);

    return !is_stopped;
}

static int64_t
due_ms(const struct jwks *jwks)
{
    if (jwks->source.file != NULL) {
        return jwks->looked_ms + FILE_PERIOD_MS;
    }
    return jwks->looked_ms
           + (jwks->has_failed || atomic_load(&jwks->is_wanted)
                  ? jwks->source.retry_ms
                  : jwks->fresh_ms);
}

void
jwks_want(struct jwks *jwks)
{
    if (atomic_exchange(&jwks->is_wanted, true)) {
        return;
    }

    pthread_mutex_lock(&jwks->wake_lock);
    pthread_cond_signal(&jwks->wake);
    pthread_mutex_unlock(&jwks->wake_lock);
}

void
jwks_check(struct jwks *jwks)
{
    jwks->looked_ms = now_ms();
    if (jwks->source.file != NULL) {
        check_file(jwks);
    } else {
        check_url(jwks);
    }
}

static void
check_file(struct jwks *jwks)
{
    struct stat now = { 0 };
    /* Not to block on what is no regular file. */
    int fd = open(jwks->source.file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int failure = errno;

    if (fd >= 0 && fstat(fd, &now) != 0) {
        memset(&now, 0, sizeof(now));
    }
    if (jwks->is_looked && is_same(&now, &jwks->seen)) {
        goto done;
    }

    jwks->seen = now;
    if (fd < 0) {
        complain(jwks, strerror(failure));
    } else if (!S_ISREG(now.st_mode)) {
        complain(jwks, "not a regular file");
    } else {
        load_file(jwks, fd);
    }
    /* A failure may have been ours: looked at again, though nothing changes. */
    jwks->is_looked = !jwks->has_failed;

done:
    if (fd >= 0) {
        close(fd);
    }
}

static void
check_url(struct jwks *jwks)
{
    const struct fetch fetch = { .url = jwks->source.url,
                                 .ca_file = jwks->source.ca_file,
                                 .timeout_ms = JWKS_TIMEOUT_MS,
                                 .max_bytes = JWKS_MAX,
                                 .is_stopped = &jwks->is_stopped };
    char why[FETCH_WHY_SIZE] = "";
    int64_t max_age_sec = -1;
    struct igw_buf text;

    igw_buf_init(&text);
    if (fetch_get(&fetch, &text, &max_age_sec, why) == IGW_OK) {
        jwks->fresh_ms = fresh_ms(&jwks->source, max_age_sec);
        load(jwks, igw_buf_slice(&text));
    } else if (!atomic_load(&jwks->is_stopped)) {
        complain(jwks, why);
    }
    igw_buf_clear(&text);
    /* What a fetch takes for a moment is more than all else of this program. */
    (void)malloc_trim(0);
}

static int64_t
fresh_ms(const struct jwks_source *source, int64_t max_age_sec)
{
    if (max_age_sec < 0 || max_age_sec > source->refresh_ms / 1000) {
        return source->refresh_ms;
    }
    return max_age_sec * 1000 > source->retry_ms ? max_age_sec * 1000
                                                 : source->retry_ms;
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
load_file(struct jwks *jwks, int fd)
{
    struct igw_buf text;

    igw_buf_init(&text);
    if (read_all(fd, &text)) {
        load(jwks, igw_buf_slice(&text));
    } else {
        complain(jwks, "cannot be read, or is too large");
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
        if (text->failed || text->len > JWKS_MAX) {
            return false;
        }
    }
    return count == 0;
}

/* The same text again is the same keys: what was verified stays verified. */
static void
load(struct jwks *jwks, struct igw_slice text)
{
    unsigned char digest[IGW_SHA256_SIZE];
    struct igw_keyset *keys = NULL;
    char why[160] = "";

    if (igw_sha256(text.data, text.len, digest) != IGW_OK) {
        complain(jwks, "out of memory");
        return;
    }
    if (jwks->keys == NULL
        || memcmp(digest, jwks->digest, sizeof(digest)) != 0) {
        if (igw_keyset_parse(text, &keys, why) != IGW_OK) {
            complain(jwks, why);
            return;
        }
        replace(jwks, keys, digest);
    } else if (!jwks->has_failed) {
        return;
    }

    jwks->has_failed = false;
    jwks->complaint[0] = '\0';
    igw_log(IGW_LOG_INFO, "keys_loaded",
            (struct igw_log_field[]){ { "source", name_of(jwks) },
                                      { NULL, NULL } });
}

static void
replace(struct jwks *jwks, struct igw_keyset *keys, const unsigned char *digest)
{
    struct igw_keyset *old;

    pthread_rwlock_wrlock(&jwks->keys_lock);
    old = jwks->keys;
    jwks->keys = keys;
    memcpy(jwks->digest, digest, sizeof(jwks->digest));
    atomic_fetch_add(&jwks->generation, 1);
    pthread_rwlock_unlock(&jwks->keys_lock);

    igw_keyset_free(&old);
}

/* Once for each reason in a row: a source may be down for days. */
static void
complain(struct jwks *jwks, const char *why)
{
    jwks->has_failed = true;
    if (strcmp(why, jwks->complaint) == 0) {
        return;
    }

    (void)snprintf(jwks->complaint, sizeof(jwks->complaint), "%s", why);
    igw_log(IGW_LOG_ERROR, "keys_unusable",
            (struct igw_log_field[]){
                { "source", name_of(jwks) },
                { "reason", why },
                { "consequence", jwks->keys != NULL
                                     ? "the keys from before stay in use"
                                     : "requests are answered with 503" },
                { NULL, NULL } });
}

static const char *
name_of(const struct jwks *jwks)
{
    return jwks->source.file != NULL ? jwks->source.file : jwks->source.url;
}

static int64_t
now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const struct igw_keyset *
jwks_acquire(struct jwks *jwks, uint64_t *generation)
{
    pthread_rwlock_rdlock(&jwks->keys_lock);
    if (generation != NULL) {
        *generation = atomic_load(&jwks->generation);
    }
    return jwks->keys;
}

void
jwks_release(struct jwks *jwks)
{
    pthread_rwlock_unlock(&jwks->keys_lock);
}

uint64_t
jwks_generation(const struct jwks *jwks)
{
    return atomic_load(&jwks->generation);
}
