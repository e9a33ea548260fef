/*
 * Counters for "identgw_status", shared by all workers and kept over a
 * reload. Without such a location nothing is counted.
 */

#ifndef NGX_HTTP_IDENTGW_STATUS_H
#define NGX_HTTP_IDENTGW_STATUS_H


#include "ngx_http_identgw_ctx.h"


/* Sets "identgw_status [prometheus | json]" of a location. */
char *ngx_http_identgw_status_configure(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Counts client requests when they end, if some location shows it. */
ngx_int_t ngx_http_identgw_status_init(ngx_conf_t *cf);

/* Counts ctx->authenticate, of which the verdict has just been made. */
void ngx_http_identgw_status_asked(ngx_http_request_t *r,
    const ngx_http_identgw_ctx_t *ctx);


#endif
