/*
 * The polls of the revocation feed. Each worker has a timer, which runs while
 * somebody wants the cache; whose turn it is polls, by a request without a
 * client, so that no client waits for it.
 */

#ifndef NGX_HTTP_IDENTGW_FEED_H
#define NGX_HTTP_IDENTGW_FEED_H


#include "ngx_http_identgw_conf.h"


typedef struct ngx_http_identgw_feed_s  ngx_http_identgw_feed_t;


/* That of a worker; NULL: no memory. */
ngx_http_identgw_feed_t *ngx_http_identgw_feed_init(ngx_conf_t *cf,
    const ngx_http_identgw_main_conf_t *mcf);

/* Sees to it that this worker polls, or finds that another one does. */
void ngx_http_identgw_feed_want(const ngx_http_request_t *r);


#endif
