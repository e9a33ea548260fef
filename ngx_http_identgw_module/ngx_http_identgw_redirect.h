/* A browser without a session is sent to the sign-in page. */

#ifndef NGX_HTTP_IDENTGW_REDIRECT_H
#define NGX_HTTP_IDENTGW_REDIRECT_H


#include "ngx_http_identgw_conf.h"


/*
 * Whether r is a navigation, so that a person sees the answer: by the
 * Sec-Fetch headers, or, if there are none, by Accept.
 */
ngx_uint_t ngx_http_identgw_redirect_suits(const ngx_http_request_t *r);

/*
 * Makes the headers of a redirect to "uri", a path that may have arguments,
 * with the argument return_to; returns the status for the phase handler to
 * return. What would lead a browser elsewhere than to a path of this host,
 * holds controls, or is too long, is "/" in return_to.
 */
ngx_int_t ngx_http_identgw_redirect_make(ngx_http_request_t *r,
    const ngx_str_t *uri);


#endif
