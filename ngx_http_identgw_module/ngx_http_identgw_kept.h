/*
 * Sign-in answers that may be kept: X-Accel-Expires says how long. Who has no
 * session, at the same server and for the same reason, and wants the same
 * (Accept, Accept-Language, Sec-Fetch-*), gets such an answer once more.
 * Each worker has its own; there are few, and none is large.
 */

#ifndef NGX_HTTP_IDENTGW_KEPT_H
#define NGX_HTTP_IDENTGW_KEPT_H


#include "ngx_http_identgw_ctx.h"


#define NGX_HTTP_IDENTGW_KEPT_SLOTS     32
#define NGX_HTTP_IDENTGW_KEPT_MAX_SIZE  4096  /* of a body and its headers */
#define NGX_HTTP_IDENTGW_KEPT_MAX_SEC   3600


/* NULL: no memory. What is kept ends with cf->pool. */
struct ngx_http_identgw_kept_s *ngx_http_identgw_kept_create(ngx_conf_t *cf);

/* Sets ctx->page, of r's memory, if there is one for r. */
void ngx_http_identgw_kept_find(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx);

/* Keeps a copy of "page", which was made of ctx->signin, if it may. */
void ngx_http_identgw_kept_store(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, const ngx_http_identgw_ctx_t *ctx,
    const ngx_http_identgw_page_t *page);


#endif
