/* The layout of the shared memory, for zone.c and polls.c alone. */

#ifndef NGX_HTTP_IDENTGW_SHARED_H
#define NGX_HTTP_IDENTGW_SHARED_H


#include "ngx_http_identgw_zone.h"


/* "since" of the next poll; its epoch may be known before there is one. */

typedef struct {
    size_t  epoch_len;
    size_t  len;
    u_char  epoch[NGX_HTTP_IDENTGW_ZONE_EPOCH_SIZE];
    u_char  data[NGX_HTTP_IDENTGW_ZONE_CURSOR_SIZE];
} ngx_http_identgw_shared_cursor_t;


/* Times are of ngx_http_identgw_compat_nsec(). */

struct ngx_http_identgw_zone_shared_s {
    ngx_http_identgw_slots_t           slots;

    uint64_t                           sent_nsec;    /* 0: no lease */
    uint64_t                           took_nsec;    /* the same poll */
    ngx_uint_t                         cursor;       /* which of the two */
    ngx_http_identgw_shared_cursor_t   cursors[2];

    uint64_t                           wanted_nsec;  /* polls, until then */
    uint64_t                           begun_nsec;   /* the last poll */
    uint64_t                           sequence;
    ngx_uint_t                         polling;

    uint64_t                           warned_nsec;
    ngx_uint_t                         retired;

    ngx_http_identgw_zone_counters_t   counters;
};


/* All others are for who has locked. */
void ngx_http_identgw_shared_lock(const ngx_http_identgw_zone_t *zone);
void ngx_http_identgw_shared_unlock(const ngx_http_identgw_zone_t *zone);

/* Whether the lease, and "more_nsec" after it, are not over at now_nsec. */
ngx_uint_t ngx_http_identgw_shared_is_leased(
    const ngx_http_identgw_zone_t *zone, uint64_t now_nsec,
    uint64_t more_nsec);

/* Whether "epoch" is the one that the zone's entries are of. */
ngx_uint_t ngx_http_identgw_shared_is_epoch(
    const ngx_http_identgw_zone_shared_t *shared, const ngx_str_t *epoch);

/* Whether "epoch" is of a higher timeline; of a lower one. */
ngx_uint_t ngx_http_identgw_shared_is_later(
    const ngx_http_identgw_zone_shared_t *shared, const ngx_str_t *epoch);
ngx_uint_t ngx_http_identgw_shared_is_earlier(
    const ngx_http_identgw_zone_shared_t *shared, const ngx_str_t *epoch);

/* Ends the lease and empties the zone. */
void ngx_http_identgw_shared_forget(ngx_http_identgw_zone_shared_t *shared);

/* An empty cursor: the next poll will be answered with a reset. */
void ngx_http_identgw_shared_set_cursor(ngx_http_identgw_zone_shared_t *shared,
    const ngx_str_t *epoch, const ngx_str_t *cursor);


#endif
