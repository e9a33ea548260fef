/* The complete 401: the sign-in answer as the client request's own. */

#ifndef NGX_HTTP_IDENTGW_SIGNIN_H
#define NGX_HTTP_IDENTGW_SIGNIN_H


#include "ngx_http_identgw_ctx.h"


/*
 * Serves ctx->page with status 401, or makes it of the answer of ctx->signin,
 * which is done, or of a text of its own if there is none. The request is finalized then; the result is
 * for the phase handler to return.
 */
ngx_int_t ngx_http_identgw_signin_serve(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx);


#endif
