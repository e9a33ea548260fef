#include "touch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "store.h"

enum {
    BATCH_MAX = 1024,
    GATHER_MS = 200, /* what comes within it is one statement */
    NS_PER_MS = 1000000,
    NS_PER_SEC = 1000000000
};

struct batch {
    struct session_hash hashes[BATCH_MAX];
    size_t count;
};

struct touch {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    struct igw_pg *pg; /* the thread's */
    int64_t touch_after_ms;
    bool is_closing;
    struct batch waiting;
    struct batch writing; /* the thread's */
};

static struct timespec
after_ms(long ms)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_nsec += ms * NS_PER_MS;
    at.tv_sec += at.tv_nsec / NS_PER_SEC;
    at.tv_nsec %= NS_PER_SEC;
    return at;
}

static void
gather(struct touch *touch)
{
    struct timespec until = after_ms(GATHER_MS);
    int rc = 0;

    while (!touch->is_closing && rc == 0) {
        rc = pthread_cond_timedwait(&touch->changed, &touch->lock, &until);
    }
}

/* False when there is nothing left to write and there never will be. */
static bool
next_batch(struct touch *touch)
{
    bool has_some;

    pthread_mutex_lock(&touch->lock);
    while (touch->waiting.count == 0 && !touch->is_closing) {
        pthread_cond_wait(&touch->changed, &touch->lock);
    }
    gather(touch);
    touch->writing = touch->waiting;
    touch->waiting.count = 0;
    has_some = touch->writing.count > 0;
    pthread_mutex_unlock(&touch->lock);
    return has_some;
}

static void *
run(void *arg)
{
    struct touch *touch = arg;
    enum igw_result rc;

    while (next_batch(touch)) {
        rc = store_touch_sessions(touch->pg, touch->writing.hashes,
                                  touch->writing.count, touch->touch_after_ms);
        if (rc != IGW_OK) {
            igw_logf(IGW_LOG_WARN, "touch_failed",
                     "the use of %zu sessions is not recorded: %s",
                     touch->writing.count, igw_pg_message(touch->pg));
        }
    }
    return NULL;
}

static enum igw_result
init_lock(struct touch *touch)
{
    pthread_condattr_t attributes;
    int failed;

    if (pthread_condattr_init(&attributes) != 0) {
        return IGW_ERROR;
    }
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    failed = pthread_cond_init(&touch->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&touch->lock, NULL);
    return failed ? IGW_ERROR : IGW_OK;
}

struct touch *
touch_new(const struct igw_pg_config *pg, int64_t touch_after_ms)
{
    struct touch *touch = calloc(1, sizeof(*touch));

    if (touch == NULL) {
        return NULL;
    }
    touch->touch_after_ms = touch_after_ms;
    touch->pg = igw_pg_new(pg);
    if (touch->pg == NULL) {
        goto fail;
    }
    if (init_lock(touch) != IGW_OK) {
        goto fail;
    }
    if (pthread_create(&touch->thread, NULL, run, touch) != 0) {
        goto fail;
    }
    return touch;

fail:
    igw_pg_free(&touch->pg);
    free(touch);
    return NULL;
}

void
touch_free(struct touch **touch)
{
    struct touch *gone = *touch;

    if (gone == NULL) {
        return;
    }
    pthread_mutex_lock(&gone->lock);
    gone->is_closing = true;
    pthread_cond_broadcast(&gone->changed);
    pthread_mutex_unlock(&gone->lock);
    pthread_join(gone->thread, NULL);
    pthread_cond_destroy(&gone->changed);
    pthread_mutex_destroy(&gone->lock);
    igw_pg_free(&gone->pg);
    free(gone);
    *touch = NULL;
}

static bool
is_waiting(const struct batch *batch, const struct session_hash *hash)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (memcmp(&batch->hashes[i], hash, sizeof(*hash)) == 0) {
            return true;
        }
    }
    return false;
}

void
touch_note(struct touch *touch, const struct session_hash *hash)
{
    pthread_mutex_lock(&touch->lock);
    if (touch->waiting.count < BATCH_MAX
        && !is_waiting(&touch->waiting, hash)) {
        touch->waiting.hashes[touch->waiting.count++] = *hash;
        pthread_cond_signal(&touch->changed);
    }
    pthread_mutex_unlock(&touch->lock);
}
