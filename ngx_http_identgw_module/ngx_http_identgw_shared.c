#include "ngx_http_identgw_shared.h"
#include "ngx_http_identgw_faults.h"


/* PostgreSQL's timeline, the first digits of the name of a WAL file */

#define NGX_HTTP_IDENTGW_SHARED_TIMELINE_SIZE  8


static ngx_int_t ngx_http_identgw_shared_compare(
    const ngx_http_identgw_zone_shared_t *shared, const ngx_str_t *epoch);


void
ngx_http_identgw_shared_lock(const ngx_http_identgw_zone_t *zone)
{
    ngx_slab_pool_t  *pool;

    pool = (ngx_slab_pool_t *) zone->shm->shm.addr;

    ngx_shmtx_lock(&pool->mutex);
}


void
ngx_http_identgw_shared_unlock(const ngx_http_identgw_zone_t *zone)
{
    ngx_slab_pool_t  *pool;

    pool = (ngx_slab_pool_t *) zone->shm->shm.addr;

    ngx_shmtx_unlock(&pool->mutex);
}


ngx_uint_t
ngx_http_identgw_shared_is_leased(const ngx_http_identgw_zone_t *zone,
    uint64_t now_nsec, uint64_t more_nsec)
{
    uint64_t  sent_nsec;

    sent_nsec = zone->shared->sent_nsec;

    if (sent_nsec == 0) {
        return 0;
    }

    return now_nsec < sent_nsec + zone->lease_nsec + more_nsec
           || ngx_http_identgw_faults_has(NGX_HTTP_IDENTGW_FAULT_LEASE);
}


ngx_uint_t
ngx_http_identgw_shared_is_epoch(const ngx_http_identgw_zone_shared_t *shared,
    const ngx_str_t *epoch)
{
    const ngx_http_identgw_shared_cursor_t  *cursor;

    cursor = &shared->cursors[shared->cursor];

    return cursor->epoch_len != 0
           && cursor->epoch_len == epoch->len
           && ngx_memcmp(cursor->epoch, epoch->data, epoch->len) == 0;
}


ngx_uint_t
ngx_http_identgw_shared_is_later(const ngx_http_identgw_zone_shared_t *shared,
    const ngx_str_t *epoch)
{
    return ngx_http_identgw_shared_compare(shared, epoch) > 0;
}


ngx_uint_t
ngx_http_identgw_shared_is_earlier(
    const ngx_http_identgw_zone_shared_t *shared, const ngx_str_t *epoch)
{
    return ngx_http_identgw_shared_compare(shared, epoch) < 0;
}


void
ngx_http_identgw_shared_forget(ngx_http_identgw_zone_shared_t *shared)
{
    shared->sent_nsec = 0;
    ngx_memory_barrier();

    shared->counters.resets++;
    ngx_http_identgw_slots_forget(&shared->slots);
}


void
ngx_http_identgw_shared_set_cursor(ngx_http_identgw_zone_shared_t *shared,
    const ngx_str_t *epoch, const ngx_str_t *cursor)
{
    ngx_uint_t                         i;
    ngx_http_identgw_shared_cursor_t  *next;

    i = !shared->cursor;
    next = &shared->cursors[i];

    next->epoch_len = epoch->len;
    ngx_memcpy(next->epoch, epoch->data, epoch->len);

    next->len = cursor->len;

    if (cursor->len != 0) {
        ngx_memcpy(next->data, cursor->data, cursor->len);
    }

    ngx_memory_barrier();
    ngx_http_identgw_faults_crash("cursor");
    shared->cursor = i;
}


/*
 * The timelines of one system: "<system identifier>.<timeline>". Epochs of
 * another form, or of two systems, have no order: 0.
 */

static ngx_int_t
ngx_http_identgw_shared_compare(const ngx_http_identgw_zone_shared_t *shared,
    const ngx_str_t *epoch)
{
    size_t                                   n;
    const ngx_http_identgw_shared_cursor_t  *cursor;

    cursor = &shared->cursors[shared->cursor];

    if (epoch->len != cursor->epoch_len
        || epoch->len <= NGX_HTTP_IDENTGW_SHARED_TIMELINE_SIZE + 1)
    {
        return 0;
    }

    n = epoch->len - NGX_HTTP_IDENTGW_SHARED_TIMELINE_SIZE;

    if (epoch->data[n - 1] != '.'
        || ngx_memcmp(epoch->data, cursor->epoch, n) != 0)
    {
        return 0;
    }

    return ngx_memcmp(epoch->data + n, cursor->epoch + n,
                      NGX_HTTP_IDENTGW_SHARED_TIMELINE_SIZE);
}
