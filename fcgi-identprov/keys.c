#include "keys.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"

enum { OPEN_AGAIN_MS = 10000 };

/* An opened private key; guarded by the lock but for key. */
struct held_key {
    struct igw_key *key;
    size_t users;
    bool is_dropped; /* whoever returns it last frees it */
};

/* A published key. Times are this machine's, see now_ms. */
struct slot {
    char kid[IGW_KID_SIZE + 1];
    int64_t signs_at_ms;
    int64_t token_ttl_ms;
    struct held_key *held; /* NULL: signs no more, or cannot be opened */
};

/* Changed as a whole, by the one thread that reloads. */
struct view {
    struct slot *slots; /* in the order in which they sign */
    size_t count;
    struct igw_buf jwks;
    int64_t read_at_ms;
};

struct keys {
    const struct key_policy *policy;
    pthread_mutex_t lock;
    struct view view;
    int64_t open_again_ms; /* the reloading thread's */
    bool is_failing;       /* likewise */
};

/* Goes on while the machine is suspended. */
static int64_t
now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- building a view -------------------------------------------------------
 */

static struct held_key *
find_held(const struct view *view, const char *kid)
{
    for (size_t i = 0; i < view->count; i++) {
        if (strcmp(view->slots[i].kid, kid) == 0) {
            return view->slots[i].held;
        }
    }
    return NULL;
}

static enum igw_result
open_one(const struct key_policy *policy, const struct stored_key *row,
         struct held_key **held, char why[KEYS_WHY_SIZE])
{
    struct held_key *new = calloc(1, sizeof(*new));
    enum igw_result rc = IGW_ERROR;

    if (new != NULL) {
        rc = keychain_open(row, policy->passphrase_file, &new->key, why);
    }
    if (rc != IGW_OK) {
        free(new);
        return rc;
    }
    *held = new;
    return IGW_OK;
}

/* Unless IGW_OK, a key that signs or will is not open. */
static enum igw_result
fill(const struct keys *keys, const struct igw_rows *rows, struct view *next,
     bool is_opening, char why[KEYS_WHY_SIZE])
{
    size_t signing = keychain_signing(rows);
    enum igw_result result = IGW_OK;
    enum igw_result rc;
    int64_t now = now_ms();

    for (size_t i = 0; i < igw_rows_count(rows); i++) {
        struct stored_key row = store_key_at(rows, i);
        struct slot *slot = &next->slots[next->count];

        if (row.retires_in_ms < 0 || strlen(row.kid) != IGW_KID_SIZE) {
            continue;
        }
        next->count++;
        memcpy(slot->kid, row.kid, IGW_KID_SIZE + 1);
        slot->signs_at_ms = now + row.signs_in_ms;
        slot->token_ttl_ms = row.token_ttl_ms;
        if (i < signing) {
            continue;
        }
        slot->held = find_held(&keys->view, row.kid);
        if (slot->held == NULL) {
            rc = is_opening ? open_one(keys->policy, &row, &slot->held, why)
                            : IGW_DENIED;
            result = rc != IGW_OK ? rc : result;
        }
    }
    return result;
}

static bool
has_same_kids(const struct view *a, const struct view *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->slots[i].kid, b->slots[i].kid) != 0) {
            return false;
        }
    }
    return true;
}

static bool
holds(const struct view *view, const struct held_key *held)
{
    for (size_t i = 0; i < view->count; i++) {
        if (view->slots[i].held == held) {
            return true;
        }
    }
    return false;
}

static void
free_held(struct held_key *held)
{
    igw_key_free(&held->key);
    free(held);
}

/* Frees a view but for what `kept` holds, too; under the lock. */
static void
drop(struct view *view, const struct view *kept)
{
    for (size_t i = 0; i < view->count; i++) {
        struct held_key *held = view->slots[i].held;

        if (held == NULL || holds(kept, held)) {
            continue;
        }
        if (held->users == 0) {
            free_held(held);
        } else {
            held->is_dropped = true;
        }
    }
    free(view->slots);
    igw_buf_clear(&view->jwks);
}

static void
install(struct keys *keys, struct view *next)
{
    struct view old;

    pthread_mutex_lock(&keys->lock);
    old = keys->view;
    keys->view = *next;
    drop(&old, &keys->view);
    pthread_mutex_unlock(&keys->lock);
}

/*
 * On a failure to open a key the others are there all the same: its public
 * half is to be published, whatever is wrong with the passphrase here.
 */
static enum igw_result
load(struct keys *keys, struct igw_pg *pg, char why[KEYS_WHY_SIZE])
{
    struct view next = { .read_at_ms = now_ms() };
    bool is_opening = next.read_at_ms >= keys->open_again_ms;
    struct igw_rows *rows = NULL;
    enum igw_result opened;
    enum igw_result rc;

    rc = keychain_list(pg, keys->policy, &rows, why);
    if (rc != IGW_OK) {
        return rc;
    }
    igw_buf_init(&next.jwks);
    next.slots = calloc(igw_rows_count(rows) + 1, sizeof(*next.slots));
    if (next.slots == NULL) {
        rc = IGW_ERROR;
        goto done;
    }
    opened = fill(keys, rows, &next, is_opening, why);
    if (opened != IGW_OK && is_opening) {
        keys->open_again_ms = next.read_at_ms + OPEN_AGAIN_MS;
    }
    if (has_same_kids(&next, &keys->view)) {
        igw_buf_append(&next.jwks, keys->view.jwks.data, keys->view.jwks.len);
        rc = next.jwks.failed ? IGW_ERROR : IGW_OK;
    } else {
        rc = keychain_jwks(rows, &next.jwks, why);
    }
    if (rc == IGW_OK) {
        install(keys, &next);
        rc = opened;
    } else {
        drop(&next, &keys->view);
    }

done:
    igw_rows_free(&rows);
    return rc;
}

enum igw_result
keys_new(struct igw_pg *pg, const struct key_policy *policy, struct keys **keys,
         char why[KEYS_WHY_SIZE])
{
    struct keys *new = calloc(1, sizeof(*new));
    enum igw_result rc = IGW_ERROR;

    snprintf(why, KEYS_WHY_SIZE, "out of memory");
    if (new == NULL) {
        return IGW_ERROR;
    }
    new->policy = policy;
    igw_buf_init(&new->view.jwks);
    (void)pthread_mutex_init(&new->lock, NULL);
    rc = load(new, pg, why);
    *keys = new;
    if (rc != IGW_OK) {
        keys_free(keys);
    }
    return rc;
}

void
keys_free(struct keys **keys)
{
    const struct view none = { 0 };

    if (*keys == NULL) {
        return;
    }
    drop(&(*keys)->view, &none);
    (void)pthread_mutex_destroy(&(*keys)->lock);
    free(*keys);
    *keys = NULL;
}

void
keys_reload(struct ticker *ticker, struct igw_pg *pg, void *arg)
{
    struct keys *keys = arg;
    char why[KEYS_WHY_SIZE] = "out of memory";
    enum igw_result rc = load(keys, pg, why);

    if (rc != IGW_OK && !keys->is_failing) {
        igw_logf(IGW_LOG_ERROR, "keys_unusable",
                 "%s; said once, until it is over", why);
    } else if (rc == IGW_OK && keys->is_failing) {
        igw_log(IGW_LOG_INFO, "keys_usable", NULL);
    }
    keys->is_failing = rc != IGW_OK;
}

/* --- using it --------------------------------------------------------------
 */

static int64_t
valid_for_ms(const struct keys *keys, int64_t now)
{
    return keys->view.read_at_ms
           + keychain_wait_ms(keys->policy->jwks_max_age_ms) - now;
}

static struct slot *
slot_at(struct view *view, int64_t now)
{
    struct slot *signing = view->count > 0 ? &view->slots[0] : NULL;

    for (size_t i = 0; i < view->count; i++) {
        if (view->slots[i].signs_at_ms <= now) {
            signing = &view->slots[i];
        }
    }
    return signing;
}

enum igw_result
keys_borrow(struct keys *keys, struct signing_key *signing)
{
    int64_t now = now_ms();
    struct slot *slot;
    enum igw_result rc = IGW_UNAVAILABLE;

    pthread_mutex_lock(&keys->lock);
    slot = slot_at(&keys->view, now);
    if (slot != NULL && slot->held != NULL && valid_for_ms(keys, now) > 0) {
        slot->held->users++;
        *signing = (struct signing_key){
            .key = slot->held->key,
            .token_ttl_ms = slot->token_ttl_ms,
            .held = slot->held,
        };
        rc = IGW_OK;
    }
    pthread_mutex_unlock(&keys->lock);
    return rc;
}

void
keys_return(struct keys *keys, struct signing_key *signing)
{
    struct held_key *held = signing->held;

    pthread_mutex_lock(&keys->lock);
    held->users--;
    if (held->users == 0 && held->is_dropped) {
        free_held(held);
    }
    pthread_mutex_unlock(&keys->lock);
    *signing = (struct signing_key){ 0 };
}

enum igw_result
keys_jwks(struct keys *keys, struct igw_buf *out, int64_t *max_age_sec)
{
    const int64_t max_age_ms = keys->policy->jwks_max_age_ms;
    enum igw_result rc = IGW_UNAVAILABLE;
    int64_t left_ms;

    pthread_mutex_lock(&keys->lock);
    left_ms = valid_for_ms(keys, now_ms());
    if (left_ms > 0) {
        *max_age_sec = (left_ms < max_age_ms ? left_ms : max_age_ms) / 1000;
        igw_buf_append(out, keys->view.jwks.data, keys->view.jwks.len);
        rc = out->failed ? IGW_ERROR : IGW_OK;
    }
    pthread_mutex_unlock(&keys->lock);
    return rc;
}

struct keys_count
keys_count(struct keys *keys)
{
    int64_t now = now_ms();
    struct keys_count count = { 0 };
    const struct slot *signing;

    pthread_mutex_lock(&keys->lock);
    signing = slot_at(&keys->view, now);
    for (size_t i = 0; i < keys->view.count; i++) {
        const struct slot *slot = &keys->view.slots[i];

        count.old += slot < signing ? 1 : 0;
        count.signing += slot == signing ? 1 : 0;
        count.next += slot > signing ? 1 : 0;
    }
    count.read_ms_ago = now - keys->view.read_at_ms;
    pthread_mutex_unlock(&keys->lock);
    return count;
}
