#include "ngx_http_identgw_shared.h"
#include "ngx_http_identgw_compat.h"
#include "ngx_http_identgw_faults.h"


#define NGX_HTTP_IDENTGW_ZONE_SLACK_SIZE  65536  /* of the slab pool */
#define NGX_HTTP_IDENTGW_ZONE_PAGE_SIZE   4096
#define NGX_HTTP_IDENTGW_ZONE_MIN_SETS    16
#define NGX_HTTP_IDENTGW_ZONE_WARN_NSEC   UINT64_C(60000000000)


static ngx_int_t ngx_http_identgw_zone_refuse(
    ngx_http_identgw_zone_shared_t *shared, uint64_t now_nsec);


size_t
ngx_http_identgw_zone_min_size(size_t entry_size)
{
    return NGX_HTTP_IDENTGW_ZONE_SLACK_SIZE
           + ngx_http_identgw_slots_size(NGX_HTTP_IDENTGW_ZONE_MIN_SETS,
                                         entry_size);
}


ngx_int_t
ngx_http_identgw_zone_init(ngx_shm_zone_t *shm, void *data)
{
    ngx_http_identgw_zone_t *old = data;

    size_t                           size;
    u_char                          *p;
    ngx_slab_pool_t                 *pool;
    ngx_http_identgw_zone_t         *zone;
    ngx_http_identgw_zone_shared_t  *shared;

    zone = shm->data;

    if (old != NULL) {
        zone->shared = old->shared;
        return NGX_OK;
    }

    pool = (ngx_slab_pool_t *) shm->shm.addr;
    size = pool->pfree * ngx_pagesize;

    shared = ngx_slab_alloc(pool, size);
    if (shared == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(shared, sizeof(ngx_http_identgw_zone_shared_t));

    p = (u_char *) shared + sizeof(ngx_http_identgw_zone_shared_t);
    p = ngx_align_ptr(p, NGX_HTTP_IDENTGW_ZONE_PAGE_SIZE);
    size -= p - (u_char *) shared;

    ngx_http_identgw_slots_init(&shared->slots, p, size, zone->entry_size);

    zone->shared = shared;

    return NGX_OK;
}


void
ngx_http_identgw_zone_retire(ngx_shm_zone_t *shm)
{
    ngx_http_identgw_zone_t  *zone;

    zone = shm->data;

    ngx_http_identgw_shared_lock(zone);
    zone->shared->retired = 1;
    ngx_http_identgw_shared_unlock(zone);
}


ngx_http_identgw_zone_found_e
ngx_http_identgw_zone_lookup(ngx_http_identgw_zone_t *zone,
    const ngx_http_identgw_slots_id_t *id, uint64_t ttl_nsec, size_t *len,
    ngx_http_identgw_slots_token_t *token)
{
    uint64_t                         now_nsec;
    ngx_http_identgw_slot_t         *slot;
    ngx_http_identgw_zone_found_e    found;
    ngx_http_identgw_zone_shared_t  *shared;

    shared = zone->shared;

    ngx_http_identgw_slots_prefetch(&shared->slots, id->key);

    ngx_http_identgw_shared_lock(zone);

    now_nsec = ngx_http_identgw_compat_nsec();

    shared->wanted_nsec = ngx_max(shared->wanted_nsec, now_nsec + ttl_nsec);
    ngx_http_identgw_slots_token(&shared->slots, id->key, token);
    slot = ngx_http_identgw_slots_find(&shared->slots, id);

    if (shared->retired) {
        found = NGX_HTTP_IDENTGW_ZONE_UNUSABLE;
        shared->counters.bypass++;

    } else if (slot != NULL && now_nsec >= slot->expires_nsec) {
        found = NGX_HTTP_IDENTGW_ZONE_EXPIRED;
        shared->counters.expired++;
        ngx_http_identgw_slots_wipe(&shared->slots, slot);

    } else if (slot != NULL && now_nsec - slot->stored_nsec >= ttl_nsec) {
        found = NGX_HTTP_IDENTGW_ZONE_EXPIRED; /* here; not elsewhere */
        shared->counters.expired++;

    } else if (slot == NULL
               || !ngx_http_identgw_shared_is_leased(zone, now_nsec, 0))
    {
        found = NGX_HTTP_IDENTGW_ZONE_MISS;
        shared->counters.misses++;

    } else {
        found = NGX_HTTP_IDENTGW_ZONE_HIT;
        shared->counters.hits++;
        *len = slot->len;
        ngx_memcpy(zone->copy, slot->data, slot->len);
        ngx_http_identgw_faults_crash("lookup");
    }

    ngx_http_identgw_shared_unlock(zone);

    return found;
}


ngx_int_t
ngx_http_identgw_zone_lookup_stale(ngx_http_identgw_zone_t *zone,
    const ngx_http_identgw_slots_id_t *id, uint64_t ttl_nsec,
    uint64_t stale_nsec, size_t *len)
{
    uint64_t                         now_nsec;
    ngx_int_t                        rc;
    ngx_http_identgw_slot_t         *slot;
    ngx_http_identgw_zone_shared_t  *shared;

    rc = NGX_DECLINED;
    shared = zone->shared;

    ngx_http_identgw_shared_lock(zone);

    now_nsec = ngx_http_identgw_compat_nsec();
    slot = ngx_http_identgw_slots_find(&shared->slots, id);

    if (slot != NULL
        && !shared->retired
        && now_nsec < slot->expires_nsec
        && now_nsec - slot->stored_nsec < ttl_nsec
        && ngx_http_identgw_shared_is_leased(zone, now_nsec, stale_nsec))
    {
        rc = NGX_OK;
        shared->counters.stale++;
        *len = slot->len;
        ngx_memcpy(zone->copy, slot->data, slot->len);
    }

    ngx_http_identgw_shared_unlock(zone);

    return rc;
}


ngx_uint_t
ngx_http_identgw_zone_accepts(ngx_http_identgw_zone_t *zone,
    const ngx_str_t *epoch)
{
    static const ngx_str_t  none = ngx_null_string;

    uint64_t                         now_nsec;
    ngx_uint_t                       accepts;
    ngx_http_identgw_zone_shared_t  *shared;

    shared = zone->shared;

    ngx_http_identgw_shared_lock(zone);

    now_nsec = ngx_http_identgw_compat_nsec();

    accepts = ngx_http_identgw_shared_is_epoch(shared, epoch);

    if (!ngx_http_identgw_shared_is_leased(zone, now_nsec, 0)) {
        accepts = 1;
    }

    if (ngx_http_identgw_shared_is_later(shared, epoch)) {
        ngx_http_identgw_shared_forget(shared);
        ngx_http_identgw_shared_set_cursor(shared, epoch, &none);
    }

    ngx_http_identgw_shared_unlock(zone);

    return accepts;
}


ngx_int_t
ngx_http_identgw_zone_store(ngx_http_identgw_zone_t *zone,
    const ngx_http_identgw_slots_id_t *id,
    const ngx_http_identgw_slots_token_t *token, const ngx_str_t *epoch,
    uint64_t ttl_nsec, const u_char *data, size_t len)
{
    uint64_t                         now_nsec;
    ngx_int_t                        rc;
    ngx_http_identgw_slots_token_t   now;
    ngx_http_identgw_zone_shared_t  *shared;

    rc = NGX_OK;
    shared = zone->shared;

    ngx_http_identgw_shared_lock(zone);

    now_nsec = ngx_http_identgw_compat_nsec();
    ngx_http_identgw_slots_token(&shared->slots, id->key, &now);

    if (ngx_http_identgw_faults_has(NGX_HTTP_IDENTGW_FAULT_GENERATION)) {
        now = *token;
    }

    if (token->revocations != now.revocations
        || token->resets != now.resets
        || !ngx_http_identgw_shared_is_epoch(shared, epoch))
    {
        shared->counters.outdated++;

    } else if (!ngx_http_identgw_slots_fits(&shared->slots, len)) {
        rc = ngx_http_identgw_zone_refuse(shared, now_nsec);

    } else {
        ngx_http_identgw_slots_put(&shared->slots, id, now_nsec,
                                   now_nsec + ttl_nsec, data, len);
    }

    ngx_http_identgw_shared_unlock(zone);

    return rc;
}


void
ngx_http_identgw_zone_read_token(ngx_http_identgw_zone_t *zone,
    const u_char *key, ngx_http_identgw_slots_token_t *token)
{
    ngx_http_identgw_shared_lock(zone);

    ngx_http_identgw_slots_token(&zone->shared->slots, key, token);

    ngx_http_identgw_shared_unlock(zone);
}


void
ngx_http_identgw_zone_purge(ngx_http_identgw_zone_t *zone, const u_char *key)
{
    ngx_http_identgw_shared_lock(zone);

    zone->shared->counters.purges +=
                     ngx_http_identgw_slots_revoke(&zone->shared->slots, key);

    ngx_http_identgw_shared_unlock(zone);
}


void
ngx_http_identgw_zone_read_facts(ngx_http_identgw_zone_t *zone,
    ngx_http_identgw_zone_facts_t *facts)
{
    const ngx_http_identgw_zone_shared_t  *shared;

    shared = zone->shared;

    ngx_http_identgw_shared_lock(zone);

    facts->counters = shared->counters;
    facts->entries = shared->slots.entries;
    facts->bytes = shared->slots.bytes;
    facts->evictions = shared->slots.evictions;
    facts->slots = shared->slots.nsets * NGX_HTTP_IDENTGW_SLOTS_OF_SET;

    facts->is_polled = (shared->sent_nsec != 0);
    facts->age_nsec = ngx_http_identgw_compat_nsec() - shared->sent_nsec;
    facts->took_nsec = shared->took_nsec;

    ngx_http_identgw_shared_unlock(zone);
}


ngx_http_identgw_zone_counters_t *
ngx_http_identgw_zone_counters(ngx_http_identgw_zone_t *zone)
{
    return &zone->shared->counters;
}


/* Too large a verdict. */

static ngx_int_t
ngx_http_identgw_zone_refuse(ngx_http_identgw_zone_shared_t *shared,
    uint64_t now_nsec)
{
    shared->counters.full++;

    if (shared->warned_nsec != 0
        && now_nsec - shared->warned_nsec < NGX_HTTP_IDENTGW_ZONE_WARN_NSEC)
    {
        return NGX_DECLINED;
    }

    shared->warned_nsec = now_nsec;

    return NGX_BUSY;
}
