/*
 * What nginx's rewrite module does in a location: "return" and redirects
 * answer before any access check.
 */

#ifndef NGX_HTTP_IDENTGW_REWRITE_H
#define NGX_HTTP_IDENTGW_REWRITE_H


#include "ngx_http_identgw_conf.h"


/*
 * Whether directives of the location that is being merged, or of an "if" in
 * it, can answer by themselves. A "rewrite ... last" or "break" does not.
 */
ngx_uint_t ngx_http_identgw_rewrite_answers(ngx_conf_t *cf);

/* Whether nginx has its rewrite module at all. */
ngx_uint_t ngx_http_identgw_rewrite_is_built(ngx_conf_t *cf);


#endif
