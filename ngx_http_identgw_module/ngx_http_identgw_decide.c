#include "ngx_http_identgw_decide.h"
#include "ngx_http_identgw_cache.h"
#include "ngx_http_identgw_feed.h"
#include "ngx_http_identgw_flight.h"
#include "ngx_http_identgw_identity.h"
#include "ngx_http_identgw_question.h"
#include "ngx_http_identgw_session.h"
#include "ngx_http_identgw_status.h"


static ngx_int_t ngx_http_identgw_decide_look(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx);
static ngx_int_t ngx_http_identgw_decide_ask(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx);
static ngx_int_t ngx_http_identgw_decide_read(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx);


void
ngx_http_identgw_decide_begin(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    const ngx_http_identgw_loc_conf_t  *policy;

    policy = ctx->policy;

    if (policy == NULL
        || policy->session->key.len != lcf->session->key.len
        || ngx_memcmp(policy->session->key.data, lcf->session->key.data,
                      lcf->session->key.len) != 0)
    {
        ctx->session = ngx_http_identgw_session_read(r, lcf->session,
                                                     &ctx->id);
        ctx->hashed = 0;
    }

    ngx_http_identgw_ctx_begin(ctx, lcf);
}


ngx_int_t
ngx_http_identgw_decide(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (ctx->verdict.reason != NGX_HTTP_IDENTGW_UNDECIDED) {
        return NGX_OK;
    }

    if (ctx->session <= NGX_HTTP_IDENTGW_SESSION_BAD) {
        ctx->verdict.reason = ctx->session == NGX_HTTP_IDENTGW_SESSION_BAD
                              ? NGX_HTTP_IDENTGW_BAD_SESSION
                              : NGX_HTTP_IDENTGW_NO_SESSION;
        return NGX_OK;
    }

    if (ctx->cache == NGX_HTTP_IDENTGW_CACHE_UNASKED) {
        rc = ngx_http_identgw_decide_look(r, lcf, ctx);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    if (ctx->authenticate.request == NULL) {
        return ngx_http_identgw_decide_ask(r, lcf, ctx);
    }

    if (!ctx->authenticate.done) {
        return NGX_AGAIN;
    }

    return ngx_http_identgw_decide_read(r, lcf, ctx);
}


/* NGX_DECLINED: there is no verdict yet. */

static ngx_int_t
ngx_http_identgw_decide_look(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    if (ngx_http_identgw_cache_look(r, lcf, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->cache != NGX_HTTP_IDENTGW_CACHE_BYPASS) {
        ngx_http_identgw_feed_want(r);
    }

    return ctx->cache == NGX_HTTP_IDENTGW_CACHE_HIT ? NGX_OK : NGX_DECLINED;
}


/* NGX_OK: somebody else's question brought the verdict. */

static ngx_int_t
ngx_http_identgw_decide_ask(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = (ctx->cache == NGX_HTTP_IDENTGW_CACHE_BYPASS)
         ? NGX_DECLINED : ngx_http_identgw_flight_join(r, lcf, ctx);

    if (rc == NGX_DECLINED) {
        return ngx_http_identgw_question_authenticate(r, ctx) == NGX_OK
               ? NGX_AGAIN : NGX_ERROR;
    }

    return rc == NGX_ERROR ? NGX_HTTP_INTERNAL_SERVER_ERROR : rc;
}


static ngx_int_t
ngx_http_identgw_decide_read(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    const ngx_http_identgw_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_identgw_module);

    if (ngx_http_identgw_identity_read(&ctx->authenticate, scf, &ctx->verdict,
                                       &ctx->cookies)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_identgw_question_release(&ctx->authenticate);
    ngx_http_identgw_status_asked(r, ctx);

    if (ngx_http_identgw_cache_take(r, lcf, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_identgw_flight_land(r, ctx);

    if (ctx->verdict.reason == NGX_HTTP_IDENTGW_IDP_UNAVAILABLE
        && ngx_http_identgw_cache_fall_back(r, lcf, ctx) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_OK;
}
