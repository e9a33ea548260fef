/*
 * Verdicts in the zone: keys and policies, what is stored of a verdict, for
 * how long, and what an answer's epoch means. Nothing of subrequests in here.
 */

#ifndef NGX_HTTP_IDENTGW_CACHE_H
#define NGX_HTTP_IDENTGW_CACHE_H


#include "ngx_http_identgw_ctx.h"


/*
 * Looks for a verdict on ctx->id under lcf's policy: sets ctx->cache, and
 * ctx->verdict if it is a HIT. NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_identgw_cache_look(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx);

/*
 * Takes the verdict that has just been made of an answer: one of a foreign
 * epoch is none, one that lets in is stored, one that does not ends what is
 * stored. NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_identgw_cache_take(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx);

/*
 * Replaces a verdict of IDP_UNAVAILABLE by what is stored, if the location has
 * "identgw_stale_if_error". NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_identgw_cache_fall_back(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx);

/* Notes the sessions of r for a purge, while their ids are in its headers. */
ngx_int_t ngx_http_identgw_cache_note(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx);

/* Ends what is stored, and what is being asked, of the sessions noted. */
void ngx_http_identgw_cache_purge(ngx_http_request_t *r,
    ngx_http_identgw_ctx_t *ctx);

/* Whether this process still uses the zone at all. */
ngx_uint_t ngx_http_identgw_cache_is_on(
    const ngx_http_identgw_main_conf_t *mcf);


#endif
