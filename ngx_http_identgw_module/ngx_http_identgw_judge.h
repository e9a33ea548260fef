/* Who is let in, and what becomes of those who are not. */

#ifndef NGX_HTTP_IDENTGW_JUDGE_H
#define NGX_HTTP_IDENTGW_JUDGE_H


#include "ngx_http_identgw_ctx.h"


/*
 * In the words of the access phase: NGX_AGAIN while a question is under way,
 * NGX_DECLINED for no opinion, NGX_DONE once an answer was sent. With
 * "is_last" a refusal is one, else another check may still let r in.
 */
ngx_int_t ngx_http_identgw_judge(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx,
    ngx_uint_t is_last);

/*
 * Under "satisfy any" all have been asked and nobody lets r in: the answer to
 * a missing session is due now. A handler of the access phase.
 */
ngx_int_t ngx_http_identgw_judge_last(ngx_http_request_t *r);

/*
 * What the location demands of everybody, with an identity or without:
 * NGX_DECLINED when it is met, else a status.
 */
ngx_int_t ngx_http_identgw_judge_require(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx);

/* The headers of r with an identity, or as anonymous when there is none. */
ngx_int_t ngx_http_identgw_judge_set_headers(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, const ngx_str_t *values);

/* Whether another site may have caused what a cookie's session is to do. */
ngx_uint_t ngx_http_identgw_judge_is_foreign(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, const ngx_http_identgw_ctx_t *ctx);

/* Whether the session is valid by the policy of "lcf". */
ngx_uint_t ngx_http_identgw_judge_is_identified(
    const ngx_http_identgw_ctx_t *ctx, const ngx_http_identgw_loc_conf_t *lcf);


#endif
