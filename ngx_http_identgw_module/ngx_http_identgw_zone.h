/*
 * The shared memory of all workers: cached verdicts, and what is known of
 * revocations. DESIGN.md 3.3 and 3.4 have the rules.
 *
 * The lock is the slab pool's own, the only one that nginx frees for a dead
 * worker. Nothing is logged or allocated under it, and callers get copies.
 */

#ifndef NGX_HTTP_IDENTGW_ZONE_H
#define NGX_HTTP_IDENTGW_ZONE_H


#include "ngx_http_identgw_slots.h"


#define NGX_HTTP_IDENTGW_ZONE_EPOCH_SIZE   64
#define NGX_HTTP_IDENTGW_ZONE_CURSOR_SIZE  8192


typedef struct ngx_http_identgw_zone_shared_s  ngx_http_identgw_zone_shared_t;


/* Constant, but for what it points at. */

typedef struct {
    ngx_shm_zone_t                  *shm;
    ngx_http_identgw_zone_shared_t  *shared;
    size_t                           entry_size;   /* of a slot, in bytes */
    uint64_t                         interval_nsec;
    uint64_t                         lease_nsec;
    u_char                          *copy;         /* entry_size bytes */
} ngx_http_identgw_zone_t;


typedef enum {
    NGX_HTTP_IDENTGW_ZONE_UNUSABLE = 0,  /* this zone serves no more */
    NGX_HTTP_IDENTGW_ZONE_MISS,
    NGX_HTTP_IDENTGW_ZONE_EXPIRED,
    NGX_HTTP_IDENTGW_ZONE_HIT
} ngx_http_identgw_zone_found_e;


/* How a poll of the revocation feed ends. */

typedef enum {
    NGX_HTTP_IDENTGW_POLL_OK = 0,
    NGX_HTTP_IDENTGW_POLL_RESET,     /* complete, and the cache is empty */
    NGX_HTTP_IDENTGW_POLL_LATE,      /* another has taken its place */
    NGX_HTTP_IDENTGW_POLL_EPOCH,     /* not of this database */
    NGX_HTTP_IDENTGW_POLL_INVALID,
    NGX_HTTP_IDENTGW_POLL_FAILED,
    NGX_HTTP_IDENTGW_POLL_RESULTS
} ngx_http_identgw_poll_e;


typedef struct {
    ngx_atomic_t  hits;
    ngx_atomic_t  misses;
    ngx_atomic_t  expired;
    ngx_atomic_t  stale;
    ngx_atomic_t  bypass;
    ngx_atomic_t  joins;
    ngx_atomic_t  full;
    ngx_atomic_t  outdated;       /* answers that a revocation overtook */
    ngx_atomic_t  purges;
    ngx_atomic_t  polls[NGX_HTTP_IDENTGW_POLL_RESULTS];
    ngx_atomic_t  rows;
    ngx_atomic_t  resets;
} ngx_http_identgw_zone_counters_t;


typedef struct {
    ngx_http_identgw_zone_counters_t  counters;
    ngx_atomic_uint_t                 entries;
    ngx_atomic_uint_t                 bytes;
    ngx_atomic_uint_t                 evictions;
    ngx_atomic_uint_t                 slots;
    uint64_t                          age_nsec;   /* of the last whole poll */
    uint64_t                          took_nsec;  /* until it was applied */
    unsigned                          is_polled : 1;
} ngx_http_identgw_zone_facts_t;


/*
 * The smallest useful size of a zone with slots of "entry_size" bytes, and its
 * init handler; zone->data is the ngx_http_identgw_zone_t.
 */
size_t ngx_http_identgw_zone_min_size(size_t entry_size);
ngx_int_t ngx_http_identgw_zone_init(ngx_shm_zone_t *shm, void *data);

/* Ends the use of a zone that another one, or none, has replaced. */
void ngx_http_identgw_zone_retire(ngx_shm_zone_t *shm);

/*
 * Copies what is stored of "id" to zone->copy, "len" bytes, if it is a HIT,
 * and notes that polls are wanted for "ttl_nsec" from now on. "token" is set
 * in any case.
 */
ngx_http_identgw_zone_found_e ngx_http_identgw_zone_lookup(
    ngx_http_identgw_zone_t *zone, const ngx_http_identgw_slots_id_t *id,
    uint64_t ttl_nsec, size_t *len, ngx_http_identgw_slots_token_t *token);

/* The same up to "stale_nsec" after the lease; NGX_DECLINED: there is none. */
ngx_int_t ngx_http_identgw_zone_lookup_stale(ngx_http_identgw_zone_t *zone,
    const ngx_http_identgw_slots_id_t *id, uint64_t ttl_nsec,
    uint64_t stale_nsec, size_t *len);

/*
 * Whether an answer of "epoch" counts: not while a lease of another one is
 * valid. One of a higher timeline ends that lease and empties the zone.
 */
ngx_uint_t ngx_http_identgw_zone_accepts(ngx_http_identgw_zone_t *zone,
    const ngx_str_t *epoch);

/*
 * Stores an answer of "epoch", unless "token" has moved since the question.
 * NGX_DECLINED: it does not fit; NGX_BUSY: and a minute has passed since
 * somebody was told so.
 */
ngx_int_t ngx_http_identgw_zone_store(ngx_http_identgw_zone_t *zone,
    const ngx_http_identgw_slots_id_t *id,
    const ngx_http_identgw_slots_token_t *token, const ngx_str_t *epoch,
    uint64_t ttl_nsec, const u_char *data, size_t len);

/* What a question that leaves now has to remember of "key". */
void ngx_http_identgw_zone_read_token(ngx_http_identgw_zone_t *zone,
    const u_char *key, ngx_http_identgw_slots_token_t *token);

/* Nothing that was asked of the session until now will be served. */
void ngx_http_identgw_zone_purge(ngx_http_identgw_zone_t *zone,
    const u_char *key);

/* What is known now. */
void ngx_http_identgw_zone_read_facts(ngx_http_identgw_zone_t *zone,
    ngx_http_identgw_zone_facts_t *facts);

/* To add to by ngx_atomic_fetch_add(). */
ngx_http_identgw_zone_counters_t *ngx_http_identgw_zone_counters(
    ngx_http_identgw_zone_t *zone);


#endif
