/*
 * The subrequests to the identity provider: GET, without a body, with a
 * header list and a variable array of their own.
 */

#ifndef NGX_HTTP_IDENTGW_QUESTION_H
#define NGX_HTTP_IDENTGW_QUESTION_H


#include "ngx_http_identgw_ctx.h"


/*
 * Send the question. When ctx->authenticate, or ctx->signin, is done, r runs
 * its phase handler again. NGX_ERROR: no memory; r has to end with NGX_ERROR,
 * too, for nginx may have begun a subrequest that nobody runs and that keeps
 * any other answer back.
 */
ngx_int_t ngx_http_identgw_question_authenticate(ngx_http_request_t *r,
    ngx_http_identgw_ctx_t *ctx);
ngx_int_t ngx_http_identgw_question_signin(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx);

/*
 * The same of the revocation feed, into ctx->authenticate, whose body goes
 * where that says.
 */
ngx_int_t ngx_http_identgw_question_feed(ngx_http_request_t *r, ngx_str_t *uri,
    ngx_str_t *args, ngx_http_identgw_ctx_t *ctx);

/*
 * Gives back the buffer that the answer came in, once it is done and read; what
 * was taken from its headers stays.
 */
void ngx_http_identgw_question_release(ngx_http_identgw_ask_t *ask);

/* Whether the question for the sign-in answer has the client's line "key". */
ngx_uint_t ngx_http_identgw_question_is_preference(const ngx_str_t *key);

/* Reads $request_id of the client request; NGX_ERROR: no memory. */
ngx_int_t ngx_http_identgw_question_request_id(ngx_http_request_t *r,
    ngx_str_t *id);


#endif
