#include "ngx_http_identgw_slots.h"
#include "ngx_http_identgw_faults.h"


#define NGX_HTTP_IDENTGW_SLOTS_LINE   64
#define NGX_HTTP_IDENTGW_SLOTS_AHEAD  1024


/* One line of a processor's cache, so that a miss reads no other. */

struct ngx_http_identgw_slots_set_s {
    uint64_t  revocations;
    uint64_t  resets;         /* as they were when its slots were filled */
    uint32_t  tags[NGX_HTTP_IDENTGW_SLOTS_OF_SET];
    uint32_t  valid;          /* a bit for each slot */
    uint32_t  unused[3];
};


static ngx_http_identgw_slots_set_t *ngx_http_identgw_slots_set(
    const ngx_http_identgw_slots_t *slots, const u_char *key);
static uint32_t ngx_http_identgw_slots_tag(const u_char *key);
static ngx_http_identgw_slot_t *ngx_http_identgw_slots_slot(
    const ngx_http_identgw_slots_t *slots,
    const ngx_http_identgw_slots_set_t *set, ngx_uint_t i);
static void ngx_http_identgw_slots_clear(
    const ngx_http_identgw_slots_t *slots, ngx_http_identgw_slots_set_t *set);
static ngx_uint_t ngx_http_identgw_slots_choose(
    const ngx_http_identgw_slots_t *slots,
    const ngx_http_identgw_slots_set_t *set);


size_t
ngx_http_identgw_slots_size(ngx_uint_t n, size_t entry_size)
{
    return n * (sizeof(ngx_http_identgw_slots_set_t)
                + NGX_HTTP_IDENTGW_SLOTS_OF_SET * entry_size);
}


void
ngx_http_identgw_slots_init(ngx_http_identgw_slots_t *slots, u_char *p,
    size_t size, size_t entry_size)
{
    slots->nsets = (size - NGX_HTTP_IDENTGW_SLOTS_LINE)
        / ngx_http_identgw_slots_size(1, entry_size);
    slots->slots = p;
    slots->entry_size = entry_size;

    p += slots->nsets * NGX_HTTP_IDENTGW_SLOTS_OF_SET * entry_size;
    p = ngx_align_ptr(p, NGX_HTTP_IDENTGW_SLOTS_LINE);
    slots->sets = (ngx_http_identgw_slots_set_t *) p;
    slots->resets = 0;

    /* slots have nothing to say until their sets do */

    ngx_memzero(slots->sets,
                slots->nsets * sizeof(ngx_http_identgw_slots_set_t));
}


void
ngx_http_identgw_slots_token(const ngx_http_identgw_slots_t *slots,
    const u_char *key, ngx_http_identgw_slots_token_t *token)
{
    token->revocations = ngx_http_identgw_slots_set(slots, key)->revocations;
    token->resets = slots->resets;
}


void
ngx_http_identgw_slots_prefetch(const ngx_http_identgw_slots_t *slots,
    const u_char *key)
{
    u_char                              *p, *end;
    uint32_t                             tag;
    ngx_uint_t                           i;
    const ngx_http_identgw_slots_set_t  *set;

    set = ngx_http_identgw_slots_set(slots, key);
    tag = ngx_http_identgw_slots_tag(key);

    for (i = 0; i < NGX_HTTP_IDENTGW_SLOTS_OF_SET; i++) {
        if (set->tags[i] != tag) {
            continue;
        }

        p = (u_char *) ngx_http_identgw_slots_slot(slots, set, i);
        end = p + ngx_min(slots->entry_size, NGX_HTTP_IDENTGW_SLOTS_AHEAD);

        for (; p < end; p += NGX_HTTP_IDENTGW_SLOTS_LINE) {
            __builtin_prefetch(p);
        }
    }
}


ngx_http_identgw_slot_t *
ngx_http_identgw_slots_find(const ngx_http_identgw_slots_t *slots,
    const ngx_http_identgw_slots_id_t *id)
{
    uint32_t                             tag;
    ngx_uint_t                           i;
    ngx_http_identgw_slot_t             *slot;
    const ngx_http_identgw_slots_set_t  *set;

    set = ngx_http_identgw_slots_set(slots, id->key);

    if (set->resets != slots->resets) {
        return NULL;
    }

    tag = ngx_http_identgw_slots_tag(id->key);

    for (i = 0; i < NGX_HTTP_IDENTGW_SLOTS_OF_SET; i++) {
        if (set->tags[i] != tag || !(set->valid & (1u << i))) {
            continue;
        }

        slot = ngx_http_identgw_slots_slot(slots, set, i);

        if (slot->id.policy == id->policy
            && ngx_memcmp(slot->id.key, id->key,
                          NGX_HTTP_IDENTGW_SLOTS_KEY_SIZE)
            == 0)
        {
            return slot;
        }
    }

    return NULL;
}


ngx_uint_t
ngx_http_identgw_slots_fits(const ngx_http_identgw_slots_t *slots, size_t len)
{
    return offsetof(ngx_http_identgw_slot_t, data) + len <= slots->entry_size;
}


void
ngx_http_identgw_slots_put(ngx_http_identgw_slots_t *slots,
    const ngx_http_identgw_slots_id_t *id, uint64_t now_nsec,
    uint64_t expires_nsec, const u_char *data, size_t len)
{
    ngx_uint_t                     i;
    ngx_http_identgw_slot_t       *slot;
    ngx_http_identgw_slots_set_t  *set;

    slot = ngx_http_identgw_slots_find(slots, id);

    if (slot != NULL) {
        ngx_http_identgw_slots_wipe(slots, slot);
    }

    set = ngx_http_identgw_slots_set(slots, id->key);

    if (set->resets != slots->resets) {
        ngx_http_identgw_slots_clear(slots, set);
    }

    i = ngx_http_identgw_slots_choose(slots, set);
    slot = ngx_http_identgw_slots_slot(slots, set, i);

    if (set->valid & (1u << i)) {
        slots->evictions++;
        ngx_http_identgw_slots_wipe(slots, slot);
    }

    ngx_http_identgw_faults_crash("put_wiped");

    set->tags[i] = ngx_http_identgw_slots_tag(id->key);
    slot->id = *id;
    slot->stored_nsec = now_nsec;
    slot->expires_nsec = expires_nsec;
    slot->len = len;
    ngx_memcpy(slot->data, data, len);

    slots->entries++;
    slots->bytes += len;

    ngx_memory_barrier();
    ngx_http_identgw_faults_crash("put_filled");
    set->valid |= 1u << i;
}


/* What a reset has left; it is counted no more. */

static void
ngx_http_identgw_slots_clear(const ngx_http_identgw_slots_t *slots,
    ngx_http_identgw_slots_set_t *set)
{
    ngx_uint_t                i;
    ngx_http_identgw_slot_t  *slot;

    for (i = 0; i < NGX_HTTP_IDENTGW_SLOTS_OF_SET; i++) {

        if (set->valid & (1u << i)) {
            slot = ngx_http_identgw_slots_slot(slots, set, i);
            ngx_memzero(slot, offsetof(ngx_http_identgw_slot_t, data)
                        + slot->len);
        }
    }

    set->valid = 0;
    ngx_memory_barrier();
    set->resets = slots->resets;
}


void
ngx_http_identgw_slots_wipe(ngx_http_identgw_slots_t *slots,
    ngx_http_identgw_slot_t *slot)
{
    size_t                         n;
    ngx_http_identgw_slots_set_t  *set;

    n = ((u_char *) slot - slots->slots) / slots->entry_size;
    set = &slots->sets[n / NGX_HTTP_IDENTGW_SLOTS_OF_SET];

    set->valid &= ~(1u << (n % NGX_HTTP_IDENTGW_SLOTS_OF_SET));
    ngx_memory_barrier();
    ngx_http_identgw_faults_crash("wipe");

    slots->entries--;
    slots->bytes -= slot->len;

    ngx_memzero(slot, offsetof(ngx_http_identgw_slot_t, data) + slot->len);
}


/* The counter comes first: what is being asked now will not be stored. */

ngx_uint_t
ngx_http_identgw_slots_revoke(ngx_http_identgw_slots_t *slots,
    const u_char *key)
{
    uint32_t                       tag;
    ngx_uint_t                     i, n;
    ngx_http_identgw_slot_t       *slot;
    ngx_http_identgw_slots_set_t  *set;

    set = ngx_http_identgw_slots_set(slots, key);
    tag = ngx_http_identgw_slots_tag(key);

    set->revocations++;
    ngx_memory_barrier();
    ngx_http_identgw_faults_crash("revoke");

    if (set->resets != slots->resets) {
        return 0;
    }

    n = 0;

    for (i = 0; i < NGX_HTTP_IDENTGW_SLOTS_OF_SET; i++) {

        /* another session with the same tag will be asked about again */

        if (set->tags[i] == tag && (set->valid & (1u << i))) {
            slot = ngx_http_identgw_slots_slot(slots, set, i);
            ngx_http_identgw_slots_wipe(slots, slot);
            n = 1;
        }
    }

    return n;
}


void
ngx_http_identgw_slots_forget(ngx_http_identgw_slots_t *slots)
{
    slots->resets++;
    ngx_memory_barrier();
    ngx_http_identgw_faults_crash("forget");

    slots->entries = 0;
    slots->bytes = 0;
}


static ngx_http_identgw_slots_set_t *
ngx_http_identgw_slots_set(const ngx_http_identgw_slots_t *slots,
    const u_char *key)
{
    uint32_t  n;

    ngx_memcpy(&n, key, sizeof(uint32_t));

    return &slots->sets[((uint64_t) n * slots->nsets) >> 32];
}


static uint32_t
ngx_http_identgw_slots_tag(const u_char *key)
{
    uint32_t  tag;

    ngx_memcpy(&tag, key + sizeof(uint32_t), sizeof(uint32_t));

    return tag;
}


static ngx_http_identgw_slot_t *
ngx_http_identgw_slots_slot(const ngx_http_identgw_slots_t *slots,
    const ngx_http_identgw_slots_set_t *set, ngx_uint_t i)
{
    size_t  n;

    n = (set - slots->sets) * NGX_HTTP_IDENTGW_SLOTS_OF_SET + i;

    return (ngx_http_identgw_slot_t *) (slots->slots + n * slots->entry_size);
}


/* A slot that is free, else the oldest. */

static ngx_uint_t
ngx_http_identgw_slots_choose(const ngx_http_identgw_slots_t *slots,
    const ngx_http_identgw_slots_set_t *set)
{
    uint64_t                        oldest_nsec;
    ngx_uint_t                      i, oldest;
    const ngx_http_identgw_slot_t  *slot;

    oldest = 0;
    oldest_nsec = UINT64_MAX;

    for (i = 0; i < NGX_HTTP_IDENTGW_SLOTS_OF_SET; i++) {
        if (!(set->valid & (1u << i))) {
            return i;
        }

        slot = ngx_http_identgw_slots_slot(slots, set, i);

        if (slot->stored_nsec < oldest_nsec) {
            oldest_nsec = slot->stored_nsec;
            oldest = i;
        }
    }

    return oldest;
}
