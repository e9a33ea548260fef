#include "ticker.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { MS_PER_SEC = 1000, NS_PER_MS = 1000000, NS_PER_SEC = 1000000000 };

struct ticker {
    struct ticker_config config;
    struct igw_pg *pg; /* the thread's */
    pthread_mutex_t lock;
    pthread_cond_t closing;
    pthread_t thread;
    bool is_closing;
};

bool
ticker_rest(struct ticker *ticker, int64_t ms)
{
    struct timespec until;
    bool goes_on;
    int rc = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / MS_PER_SEC;
    until.tv_nsec += (long)(ms % MS_PER_SEC) * NS_PER_MS;
    until.tv_sec += until.tv_nsec / NS_PER_SEC;
    until.tv_nsec %= NS_PER_SEC;

    pthread_mutex_lock(&ticker->lock);
    while (!ticker->is_closing && rc == 0) {
        rc = pthread_cond_timedwait(&ticker->closing, &ticker->lock, &until);
    }
    goes_on = !ticker->is_closing;
    pthread_mutex_unlock(&ticker->lock);
    return goes_on;
}

static void *
run(void *arg)
{
    struct ticker *ticker = arg;

    do {
        ticker->config.tick(ticker, ticker->pg, ticker->config.arg);
    } while (ticker_rest(ticker, ticker->config.interval_ms));
    return NULL;
}

static bool
init_lock(struct ticker *ticker)
{
    pthread_condattr_t attributes;
    bool is_made;

    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    is_made = pthread_cond_init(&ticker->closing, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&ticker->lock, NULL);
    return is_made;
}

struct ticker *
ticker_new(const struct ticker_config *config)
{
    struct ticker *ticker = calloc(1, sizeof(*ticker));

    if (ticker == NULL) {
        return NULL;
    }
    ticker->config = *config;
    ticker->pg = igw_pg_new(&config->pg);
    if (ticker->pg == NULL || !init_lock(ticker)
        || pthread_create(&ticker->thread, NULL, run, ticker) != 0) {
        igw_pg_free(&ticker->pg);
        free(ticker);
        return NULL;
    }
    return ticker;
}

void
ticker_free(struct ticker **ticker)
{
    struct ticker *gone = *ticker;

    if (gone == NULL) {
        return;
    }
    pthread_mutex_lock(&gone->lock);
    gone->is_closing = true;
    pthread_cond_broadcast(&gone->closing);
    pthread_mutex_unlock(&gone->lock);
    pthread_join(gone->thread, NULL);
    pthread_cond_destroy(&gone->closing);
    pthread_mutex_destroy(&gone->lock);
    igw_pg_free(&gone->pg);
    free(gone);
    *ticker = NULL;
}
