#include "hasher.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Above the rest of the program, whatever that has. */
enum { NICER = 10 };

/* Lives on the waiting caller's stack. */
struct job {
    struct job *next;
    struct igw_slice password;
    const char *stored; /* NULL: make a hash */
    struct hasher_verdict *verdict;
    enum igw_result result;
    bool is_done;
};

struct hasher {
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    pthread_cond_t finished;
    struct job *first;
    struct job **last;
    int64_t jobs; /* waiting and under way */
    int64_t done;
    bool is_closing;
    struct password_cost cost;
    char dummy[PASSWORD_HASH_SIZE];
    size_t thread_count;
    pthread_t threads[];
};

static enum igw_result
check_job(const struct hasher *hasher, const struct job *job)
{
    struct hasher_verdict *verdict = job->verdict;
    enum igw_result rc = password_check(job->password, job->stored);

    if (rc == IGW_DENIED) {
        return IGW_OK;
    }
    if (rc != IGW_OK) {
        return rc;
    }
    verdict->matches = true;
    if (password_is_outdated(job->password, job->stored, &hasher->cost)) {
        verdict->is_renewed =
            password_hash(job->password, &hasher->cost, verdict->hash)
            == IGW_OK;
    }
    return IGW_OK;
}

static enum igw_result
do_job(const struct hasher *hasher, const struct job *job)
{
    if (job->stored == NULL) {
        return password_hash(job->password, &hasher->cost, job->verdict->hash);
    }
    return check_job(hasher, job);
}

/* NULL when the hasher is closing. */
static struct job *
take_job(struct hasher *hasher)
{
    struct job *job;

    while (hasher->first == NULL && !hasher->is_closing) {
        pthread_cond_wait(&hasher->arrived, &hasher->lock);
    }
    job = hasher->first;
    if (job != NULL) {
        hasher->first = job->next;
        if (hasher->first == NULL) {
            hasher->last = &hasher->first;
        }
    }
    return job;
}

static void *
work(void *arg)
{
    struct hasher *hasher = arg;
    struct job *job;
    enum igw_result result;

    /* On Linux a thread has a priority of its own. */
    (void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + NICER);

    pthread_mutex_lock(&hasher->lock);
    while ((job = take_job(hasher)) != NULL) {
        pthread_mutex_unlock(&hasher->lock);
        result = do_job(hasher, job);
        pthread_mutex_lock(&hasher->lock);
        job->result = result;
        job->is_done = true;
        hasher->jobs--;
        hasher->done++;
        pthread_cond_broadcast(&hasher->finished);
    }
    pthread_mutex_unlock(&hasher->lock);
    return NULL;
}

struct hasher *
hasher_new(const struct hasher_config *config)
{
    size_t slots = (size_t)config->slots;
    struct hasher *hasher;

    hasher = calloc(1, sizeof(*hasher) + slots * sizeof(pthread_t));
    if (hasher == NULL) {
        return NULL;
    }
    hasher->last = &hasher->first;
    hasher->cost = config->cost;
    pthread_mutex_init(&hasher->lock, NULL);
    pthread_cond_init(&hasher->arrived, NULL);
    pthread_cond_init(&hasher->finished, NULL);

    if (password_init() != IGW_OK
        || password_dummy(&hasher->cost, hasher->dummy) != IGW_OK) {
        goto fail;
    }
    while (hasher->thread_count < slots) {
        if (pthread_create(&hasher->threads[hasher->thread_count], NULL, work,
                           hasher)
            != 0) {
            goto fail;
        }
        hasher->thread_count++;
    }
    return hasher;

fail:
    hasher_free(&hasher);
    return NULL;
}

void
hasher_free(struct hasher **hasher)
{
    struct hasher *gone = *hasher;

    if (gone == NULL) {
        return;
    }
    pthread_mutex_lock(&gone->lock);
    gone->is_closing = true;
    pthread_cond_broadcast(&gone->arrived);
    pthread_mutex_unlock(&gone->lock);
    for (size_t i = 0; i < gone->thread_count; i++) {
        pthread_join(gone->threads[i], NULL);
    }
    pthread_cond_destroy(&gone->finished);
    pthread_cond_destroy(&gone->arrived);
    pthread_mutex_destroy(&gone->lock);
    free(gone);
    *hasher = NULL;
}

static enum igw_result
run_job(struct hasher *hasher, struct job *job)
{
    pthread_mutex_lock(&hasher->lock);
    hasher->jobs++;
    *hasher->last = job;
    hasher->last = &job->next;
    pthread_cond_signal(&hasher->arrived);
    while (!job->is_done) {
        pthread_cond_wait(&hasher->finished, &hasher->lock);
    }
    pthread_mutex_unlock(&hasher->lock);
    return job->result;
}

enum igw_result
hasher_hash(struct hasher *hasher, struct igw_slice password,
            char hash[PASSWORD_HASH_SIZE])
{
    struct hasher_verdict verdict = { 0 };
    struct job job = { .password = password, .verdict = &verdict };
    enum igw_result rc = run_job(hasher, &job);

    if (rc == IGW_OK) {
        memcpy(hash, verdict.hash, PASSWORD_HASH_SIZE);
    }
    return rc;
}

enum igw_result
hasher_check(struct hasher *hasher, struct igw_slice password,
             const char *stored, struct hasher_verdict *verdict)
{
    struct job job = {
        .password = password,
        .stored = stored != NULL ? stored : hasher->dummy,
        .verdict = verdict,
    };

    *verdict = (struct hasher_verdict){ 0 };
    return run_job(hasher, &job);
}

struct hasher_count
hasher_count(struct hasher *hasher)
{
    struct hasher_count count;

    pthread_mutex_lock(&hasher->lock);
    count = (struct hasher_count){
        .jobs = hasher->jobs,
        .slots = (int64_t)hasher->thread_count,
        .done = hasher->done,
    };
    pthread_mutex_unlock(&hasher->lock);
    return count;
}
