/*
 * Another site cannot write: a browser adds the session's cookie to requests
 * that other sites make it send, too, but says whose they are.
 */

#ifndef NGX_HTTP_IDENTGW_CSRF_H
#define NGX_HTTP_IDENTGW_CSRF_H


#include "ngx_http_identgw_conf.h"


/*
 * Reads "on", "off" or origins out of the arguments of a directive into
 * "*origins" (ngx_http_identgw_origin_t): empty for "on", NULL for "off".
 */
char *ngx_http_identgw_csrf_configure(ngx_conf_t *cf, ngx_array_t **origins);

/*
 * Whether r, if its session came as a cookie, may be what another site made
 * the browser send: a write or an upgrade without a sign that it comes from
 * this origin, from one of "origins", or from the user.
 */
ngx_uint_t ngx_http_identgw_csrf_is_foreign(ngx_http_request_t *r,
    const ngx_array_t *origins);


#endif
