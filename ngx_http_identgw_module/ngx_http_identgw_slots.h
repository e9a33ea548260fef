/*
 * The fixed array of a zone: sets of 8 slots, made once. The key picks a set,
 * whose oldest entry gives way. Every set has a counter of revocations. All of
 * it is for whoever holds the zone's lock.
 *
 * A change is ordered so that a process may die in the middle of it: a slot is
 * invalid first, then its fields are written, then it is valid.
 */

#ifndef NGX_HTTP_IDENTGW_SLOTS_H
#define NGX_HTTP_IDENTGW_SLOTS_H


#include "ngx_http_identgw_compat.h"


#define NGX_HTTP_IDENTGW_SLOTS_KEY_SIZE  32
#define NGX_HTTP_IDENTGW_SLOTS_OF_SET    8


typedef struct ngx_http_identgw_slots_set_s  ngx_http_identgw_slots_set_t;


/* A session under a policy. */

typedef struct {
    u_char    key[NGX_HTTP_IDENTGW_SLOTS_KEY_SIZE];
    uint64_t  policy;
} ngx_http_identgw_slots_id_t;


/* What a miss remembers: once it has moved, the answer may be outdated. */

typedef struct {
    uint64_t  revocations;   /* of the key's set */
    uint64_t  resets;
} ngx_http_identgw_slots_token_t;


typedef struct {
    ngx_http_identgw_slots_id_t  id;
    uint64_t                     stored_nsec;
    uint64_t                     expires_nsec;
    uint32_t                     len;
    u_char                       data[];
} ngx_http_identgw_slot_t;


typedef struct {
    ngx_http_identgw_slots_set_t  *sets;
    u_char                        *slots;
    ngx_uint_t                     nsets;
    size_t                         entry_size;  /* of a slot, in bytes */
    uint64_t                       resets;

    ngx_atomic_t                   entries;
    ngx_atomic_t                   bytes;
    ngx_atomic_t                   evictions;
} ngx_http_identgw_slots_t;


/* What "n" sets take. */
size_t ngx_http_identgw_slots_size(ngx_uint_t n, size_t entry_size);

/*
 * Makes as many sets as fit into "size" bytes at "p", where the first slot is:
 * at the beginning of a page a slot of 1k is in one page.
 */
void ngx_http_identgw_slots_init(ngx_http_identgw_slots_t *slots, u_char *p,
    size_t size, size_t entry_size);

void ngx_http_identgw_slots_token(const ngx_http_identgw_slots_t *slots,
    const u_char *key, ngx_http_identgw_slots_token_t *token);

/*
 * Has the processor begin to read what a find will read: for before the lock,
 * which is then held for less long. What it looks at may be just changing, and
 * decides nothing.
 */
void ngx_http_identgw_slots_prefetch(const ngx_http_identgw_slots_t *slots,
    const u_char *key);

/* NULL: there is none. */
ngx_http_identgw_slot_t *ngx_http_identgw_slots_find(
    const ngx_http_identgw_slots_t *slots,
    const ngx_http_identgw_slots_id_t *id);

ngx_uint_t ngx_http_identgw_slots_fits(const ngx_http_identgw_slots_t *slots,
    size_t len);

/* Stores "len" bytes that fit, from now_nsec until expires_nsec. */
void ngx_http_identgw_slots_put(ngx_http_identgw_slots_t *slots,
    const ngx_http_identgw_slots_id_t *id, uint64_t now_nsec,
    uint64_t expires_nsec, const u_char *data, size_t len);

void ngx_http_identgw_slots_wipe(ngx_http_identgw_slots_t *slots,
    ngx_http_identgw_slot_t *slot);

/* Moves the token of "key" and wipes its slots, under any policy; 0: none. */
ngx_uint_t ngx_http_identgw_slots_revoke(ngx_http_identgw_slots_t *slots,
    const u_char *key);

/* Moves every token; no slot will be found any more. */
void ngx_http_identgw_slots_forget(ngx_http_identgw_slots_t *slots);


#endif
