/*
 * Polls of the revocation feed, as far as the workers share them: one at a
 * time, in an order, each with an owner who may die.
 */

#ifndef NGX_HTTP_IDENTGW_POLLS_H
#define NGX_HTTP_IDENTGW_POLLS_H


#include "ngx_http_identgw_zone.h"


/* A poll of the revocation feed, and its answer. */

typedef struct {
    uint64_t   sequence;
    uint64_t   sent_nsec;

    size_t     cursor_len;        /* 0: there is none */
    u_char     cursor[NGX_HTTP_IDENTGW_ZONE_CURSOR_SIZE];
} ngx_http_identgw_poll_t;


typedef struct {
    ngx_str_t   epoch;
    ngx_str_t   cursor;
    u_char     *rows;             /* keys, one behind the other */
    ngx_uint_t  nrows;
    unsigned    is_reset : 1;
} ngx_http_identgw_poll_answer_t;


/*
 * Begins a poll if one is due: returns 0, and "poll" is the caller's, who ends
 * it. Else the milliseconds until it may be, or NGX_TIMER_INFINITE while nobody
 * wants one.
 */
ngx_msec_t ngx_http_identgw_polls_begin(ngx_http_identgw_zone_t *zone,
    ngx_http_identgw_poll_t *poll);

/* The milliseconds that a poll may take until another may take its place. */
ngx_msec_t ngx_http_identgw_polls_patience(const ngx_http_identgw_zone_t *zone);

/*
 * Rows, cursor and lease of a complete poll come into force together, unless
 * the poll is late or its epoch is another one's.
 */
ngx_http_identgw_poll_e ngx_http_identgw_polls_apply(
    ngx_http_identgw_zone_t *zone, const ngx_http_identgw_poll_t *poll,
    const ngx_http_identgw_poll_answer_t *answer);
void ngx_http_identgw_polls_fail(ngx_http_identgw_zone_t *zone,
    const ngx_http_identgw_poll_t *poll,
    ngx_http_identgw_poll_e result);


#endif
