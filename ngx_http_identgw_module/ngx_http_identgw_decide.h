/*
 * The verdict on a client request: from its session id, from the cache, from
 * an answer of the identity provider.
 */

#ifndef NGX_HTTP_IDENTGW_DECIDE_H
#define NGX_HTTP_IDENTGW_DECIDE_H


#include "ngx_http_identgw_ctx.h"


/*
 * A verdict of lcf's policy begins. An id that was read once is kept, for it
 * may have left the header list since.
 */
void ngx_http_identgw_decide_begin(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx);

/*
 * NGX_OK: there is a verdict; NGX_AGAIN: there will be one, r runs its phase
 * handler again; else a status.
 */
ngx_int_t ngx_http_identgw_decide(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx);


#endif
