/* The uris that directives name. */

#ifndef NGX_HTTP_IDENTGW_URI_H
#define NGX_HTTP_IDENTGW_URI_H


#include "ngx_http_identgw_conf.h"


/*
 * Set "uri", once, to the first argument of the directive that is being read:
 * the path of an internal location, or that of a page for browsers.
 */
char *ngx_http_identgw_uri_set(ngx_conf_t *cf, ngx_str_t *uri);
char *ngx_http_identgw_uri_set_page(ngx_conf_t *cf, ngx_str_t *uri);

/* A page without its arguments. */
ngx_str_t ngx_http_identgw_uri_path(const ngx_str_t *uri);


#endif
