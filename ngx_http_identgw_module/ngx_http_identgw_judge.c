#include "ngx_http_identgw_judge.h"
#include "ngx_http_identgw_csrf.h"
#include "ngx_http_identgw_decide.h"
#include "ngx_http_identgw_headers.h"
#include "ngx_http_identgw_kept.h"
#include "ngx_http_identgw_question.h"
#include "ngx_http_identgw_redirect.h"
#include "ngx_http_identgw_require.h"
#include "ngx_http_identgw_signin.h"
#include "ngx_http_identgw_variables.h"


static ngx_int_t ngx_http_identgw_judge_admit(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx);
static ngx_int_t ngx_http_identgw_judge_refuse(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx,
    ngx_uint_t is_last);
static void ngx_http_identgw_judge_note_refusal(ngx_http_request_t *r,
    ngx_http_identgw_ctx_t *ctx);


ngx_int_t
ngx_http_identgw_judge(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx,
    ngx_uint_t is_last)
{
    ngx_int_t  rc;

    if (!ngx_http_identgw_ctx_applies(ctx, lcf)) {

        if (r->post_action) {
            return NGX_HTTP_FORBIDDEN;
        }

        ngx_http_identgw_decide_begin(r, lcf, ctx);
    }

    if (ngx_http_identgw_judge_is_foreign(r, lcf, ctx)) {
        ctx->verdict.reason = NGX_HTTP_IDENTGW_CROSS_SITE;
        return ngx_http_identgw_judge_refuse(r, lcf, ctx, is_last);
    }

    rc = ngx_http_identgw_decide(r, lcf, ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_identgw_ctx_is_in(ctx)) {
        return ngx_http_identgw_judge_admit(r, lcf, ctx);
    }

    if (lcf->mode == NGX_HTTP_IDENTGW_OPTIONAL
        && ngx_http_identgw_ctx_status(ctx->verdict.reason)
        == NGX_HTTP_UNAUTHORIZED)
    {
        /* no opinion, so that "satisfy any" is not satisfied by this */
        return NGX_DECLINED;
    }

    return ngx_http_identgw_judge_refuse(r, lcf, ctx, is_last);
}


static ngx_int_t
ngx_http_identgw_judge_admit(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    if (ngx_http_identgw_judge_set_headers(r, lcf, ctx->verdict.values)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->identified = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_judge_refuse(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx,
    ngx_uint_t is_last)
{
    ngx_int_t  status;

    status = ngx_http_identgw_ctx_status(ctx->verdict.reason);

    if (status != NGX_HTTP_UNAUTHORIZED || !is_last || r->post_action) {
        ngx_http_identgw_judge_note_refusal(r, ctx);
        return status;
    }

    if (lcf->redirect.len != 0 && ngx_http_identgw_redirect_suits(r)) {
        ngx_http_identgw_judge_note_refusal(r, ctx);
        return ngx_http_identgw_redirect_make(r, &lcf->redirect);
    }

    if (lcf->signin.len == 0) {
        ngx_http_identgw_judge_note_refusal(r, ctx);
        return status;
    }

    if (ctx->signin.request == NULL) {
        ngx_http_identgw_kept_find(r, lcf, ctx);
    }

    if (ctx->page == NULL && ctx->signin.request == NULL) {
        return ngx_http_identgw_question_signin(r, lcf, ctx) == NGX_OK
               ? NGX_AGAIN : NGX_ERROR;
    }

    if (ctx->page == NULL && !ctx->signin.done) {
        return NGX_AGAIN;
    }

    ngx_http_identgw_judge_note_refusal(r, ctx);

    return ngx_http_identgw_signin_serve(r, lcf, ctx);
}


ngx_int_t
ngx_http_identgw_judge_last(ngx_http_request_t *r)
{
    ngx_http_identgw_ctx_t             *ctx;
    ngx_http_core_loc_conf_t           *clcf;
    const ngx_http_identgw_loc_conf_t  *lcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->satisfy != NGX_HTTP_SATISFY_ANY
        || r->access_code != NGX_HTTP_UNAUTHORIZED)
    {
        return NGX_DECLINED;
    }

    ctx = ngx_http_identgw_ctx_find(r);

    if (ctx == NULL || !ctx->refused
        || ngx_http_identgw_ctx_status(ctx->verdict.reason)
        != NGX_HTTP_UNAUTHORIZED)
    {
        return NGX_DECLINED;
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_identgw_module);

    return ngx_http_identgw_judge_refuse(r, lcf, ctx, 1);
}


static void
ngx_http_identgw_judge_note_refusal(ngx_http_request_t *r,
    ngx_http_identgw_ctx_t *ctx)
{
    if (ctx->refused) {
        return;
    }

    ctx->refused = 1;
    ctx->anonymous = 0;
    ngx_http_identgw_variables_forget(r);

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "identgw: refused with %i: %V",
                  ngx_http_identgw_ctx_status(ctx->verdict.reason),
                  ngx_http_identgw_ctx_reason(ctx->verdict.reason));
}


ngx_int_t
ngx_http_identgw_judge_require(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_identgw_require_test(r, lcf->require);

    if (rc == NGX_OK) {
        return NGX_DECLINED;
    }

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r == r->main) {
        ctx->verdict.reason = NGX_HTTP_IDENTGW_REQUIREMENT;
        ngx_http_identgw_judge_note_refusal(r, ctx);

    } else {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "identgw: subrequest \"%V\" into a protected location "
                      "refused, it does not meet \"identgw_require\"",
                      &r->uri);
    }

    return NGX_HTTP_FORBIDDEN;
}


ngx_int_t
ngx_http_identgw_judge_set_headers(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, const ngx_str_t *values)
{
    ngx_int_t                           rc;
    const ngx_http_identgw_name_t      *withheld;
    const ngx_http_identgw_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_identgw_module);

    withheld = (values != NULL && lcf->pass_session) ? NULL : lcf->session;

    rc = ngx_http_identgw_headers_apply(r, scf, values, withheld);

    if (rc == NGX_OK) {
        ngx_http_identgw_variables_forget(r);
    }

    return rc;
}


ngx_uint_t
ngx_http_identgw_judge_is_foreign(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, const ngx_http_identgw_ctx_t *ctx)
{
    return lcf->csrf != NULL
           && ctx->session == NGX_HTTP_IDENTGW_SESSION_IN_COOKIE
           && ngx_http_identgw_csrf_is_foreign(r, lcf->csrf);
}


ngx_uint_t
ngx_http_identgw_judge_is_identified(const ngx_http_identgw_ctx_t *ctx,
    const ngx_http_identgw_loc_conf_t *lcf)
{
    return ngx_http_identgw_ctx_is_in(ctx)
           && ngx_http_identgw_ctx_applies(ctx, lcf);
}
