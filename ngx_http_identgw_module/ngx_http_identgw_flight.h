/*
 * Single flight: of the requests of one worker that miss the same verdict at
 * the same time, one asks and the others wait for what it is told. Only
 * verdicts are shared, 2xx, 401 and 403, and only while no revocation has come
 * since; after anything else the oldest of those who wait asks for itself, and
 * so it is when the asking client leaves.
 */

#ifndef NGX_HTTP_IDENTGW_FLIGHT_H
#define NGX_HTTP_IDENTGW_FLIGHT_H


#include "ngx_http_identgw_ctx.h"


typedef struct ngx_http_identgw_flights_s  ngx_http_identgw_flights_t;


/* Those of a worker; NULL: no memory. */
ngx_http_identgw_flights_t *ngx_http_identgw_flight_init(ngx_pool_t *pool);

/*
 * What r has to do about the miss in ctx: NGX_DECLINED: to ask; NGX_AGAIN: to
 * wait until its phase handler runs again; NGX_OK: nothing, ctx->verdict was
 * made for another one. NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_identgw_flight_join(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx);

/* Shares the verdict that r has just been told with whoever waits for it. */
void ngx_http_identgw_flight_land(ngx_http_request_t *r,
    ngx_http_identgw_ctx_t *ctx);


#endif
