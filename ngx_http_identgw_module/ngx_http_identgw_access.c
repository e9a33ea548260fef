#include "ngx_http_identgw_access.h"
#include "ngx_http_identgw_cache.h"
#include "ngx_http_identgw_ctx.h"
#include "ngx_http_identgw_headers.h"
#include "ngx_http_identgw_judge.h"
#include "ngx_http_identgw_phase.h"
#include "ngx_http_identgw_variables.h"


typedef struct {
    ngx_http_phases      phase;
    ngx_http_handler_pt  handler;
} ngx_http_identgw_access_phase_t;


static ngx_int_t ngx_http_identgw_access_add_last(ngx_conf_t *cf);
static ngx_int_t ngx_http_identgw_access_strip(ngx_http_request_t *r);
static ngx_http_identgw_rare ngx_int_t ngx_http_identgw_access_strip_lines(
    ngx_http_request_t *r, const ngx_http_identgw_srv_conf_t *scf);
static ngx_int_t ngx_http_identgw_access_enter(ngx_http_request_t *r);
static ngx_int_t ngx_http_identgw_access_enter_own(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ask_t *ask);
static ngx_int_t ngx_http_identgw_access_enter_other(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx);
static ngx_int_t ngx_http_identgw_access_enter_answering(
    ngx_http_request_t *r, const ngx_http_identgw_loc_conf_t *lcf,
    ngx_http_identgw_ctx_t *ctx);
static ngx_int_t ngx_http_identgw_access_check(ngx_http_request_t *r);
static ngx_int_t ngx_http_identgw_access_leave(ngx_http_request_t *r);
static ngx_int_t ngx_http_identgw_access_leave_open(ngx_http_request_t *r);


/*
 * A request that nginx itself refuses never sees POST_READ, but its error
 * page may be an application's: stripping is tried in all early phases.
 */

static const ngx_http_identgw_access_phase_t
    ngx_http_identgw_access_phases[] = {
    { NGX_HTTP_POST_READ_PHASE, ngx_http_identgw_access_strip },
    { NGX_HTTP_SERVER_REWRITE_PHASE, ngx_http_identgw_access_strip },
    { NGX_HTTP_REWRITE_PHASE, ngx_http_identgw_access_enter },
    { NGX_HTTP_ACCESS_PHASE, ngx_http_identgw_access_check },
    { NGX_HTTP_PRECONTENT_PHASE, ngx_http_identgw_access_leave },
    { NGX_HTTP_LOG_PHASE, NULL }
};


ngx_int_t
ngx_http_identgw_access_init(ngx_conf_t *cf)
{
    const ngx_http_identgw_access_phase_t  *row;

    for (row = ngx_http_identgw_access_phases; row->handler; row++) {
        if (ngx_http_identgw_phase_add(cf, row->phase, row->handler)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_http_identgw_access_add_last(cf);
}


/* The first handler of a phase to be registered is the last one to run. */

static ngx_int_t
ngx_http_identgw_access_add_last(ngx_conf_t *cf)
{
    ngx_array_t                   *handlers;
    ngx_http_handler_pt           *h;
    ngx_http_core_main_conf_t     *cmcf;
    ngx_http_identgw_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_identgw_module);

    if (!mcf->satisfy_any) {
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    handlers = &cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers;

    if (ngx_array_push(handlers) == NULL) {
        return NGX_ERROR;
    }

    h = handlers->elts;

    ngx_memmove(&h[1], h, (handlers->nelts - 1) * sizeof(ngx_http_handler_pt));
    h[0] = ngx_http_identgw_judge_last;

    return NGX_OK;
}


/*
 * Once in the life of a client request, whatever phase it begins with, for
 * the identity that it may get later stays. A request that has met open
 * locations only is stripped again after a redirect: there is nothing more.
 */

static ngx_int_t
ngx_http_identgw_access_strip(ngx_http_request_t *r)
{
    const ngx_http_identgw_srv_conf_t  *scf;

    if (r != r->main || ngx_http_identgw_ctx_is_stripped(r)) {
        return NGX_DECLINED;
    }

    scf = ngx_http_get_module_srv_conf(r, ngx_http_identgw_module);

    if (!scf->configured) {
        return NGX_DECLINED;
    }

    if (r->pool->cleanup == NULL
        && !ngx_http_identgw_headers_are_marked(r, scf->marks))
    {
        /* an ordinary request: it has no context, and nothing to strip */

        ngx_http_identgw_ctx_note_stripped(r, NULL);

        return NGX_DECLINED;
    }

    return ngx_http_identgw_access_strip_lines(r, scf);
}


static ngx_int_t
ngx_http_identgw_access_strip_lines(ngx_http_request_t *r,
    const ngx_http_identgw_srv_conf_t *scf)
{
    ngx_int_t                rc;
    ngx_http_identgw_ctx_t  *ctx;

    ctx = ngx_http_identgw_ctx_find(r);

    if (ctx == NULL || !ctx->stripped) {
        rc = ngx_http_identgw_headers_strip(r, scf);

        if (rc == NGX_ERROR) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (rc == NGX_OK) {
            ngx_http_identgw_variables_forget(r);
        }
    }

    ngx_http_identgw_ctx_note_stripped(r, ctx);

    return NGX_DECLINED;
}


/* In the rewrite phase of each location, before its own directives. */

static ngx_int_t
ngx_http_identgw_access_enter(ngx_http_request_t *r)
{
    ngx_int_t                           rc;
    ngx_uint_t                          is_page;
    ngx_http_identgw_ctx_t             *ctx;
    const ngx_http_identgw_loc_conf_t  *lcf;

    rc = ngx_http_identgw_access_strip(r);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_identgw_module);

    if (lcf->confidential && r == r->main) {
        /* an application's X-Accel-Redirect, or the like */
        return NGX_HTTP_NOT_FOUND;
    }

    ctx = (lcf->mode == NGX_HTTP_IDENTGW_OFF && !lcf->purge)
          ? ngx_http_identgw_ctx_find(r) : ngx_http_identgw_ctx_get(r);

    if (ctx == NULL) {
        return (lcf->mode == NGX_HTTP_IDENTGW_OFF && !lcf->purge)
               ? NGX_DECLINED : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_identgw_ctx_is_of(r, &ctx->authenticate)) {

        if (r->upstream != NULL) {
            /* X-Accel-Redirect: whoever answers next is not asked for this */
            ctx->authenticate.unusable = 1;
        }

        return ngx_http_identgw_access_enter_own(r, lcf, &ctx->authenticate);
    }

    if (ngx_http_identgw_ctx_is_of(r, &ctx->signin)) {
        return ngx_http_identgw_access_enter_own(r, lcf, &ctx->signin);
    }

    is_page = (r == r->main && ctx->refused && r->error_page && !ctx->paged);

    if (is_page) {
        ctx->paged = 1;
    }

    if (lcf->purge && ngx_http_identgw_cache_note(r, lcf, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (lcf->mode == NGX_HTTP_IDENTGW_OFF) {
        return NGX_DECLINED;
    }

    if (r != r->main) {
        return ngx_http_identgw_access_enter_other(r, lcf, ctx);
    }

    if (!ctx->identified) {

        if (ngx_http_identgw_headers_hide_authorization(r) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ctx->hidden = 1;
    }

    /* the page of a refusal is for everybody, but no page behind it */

    return (lcf->answers && !is_page)
           ? ngx_http_identgw_access_enter_answering(r, lcf, ctx)
           : NGX_DECLINED;
}


/* A question of ours: its location must be safe, wherever it is rewritten. */

static ngx_int_t
ngx_http_identgw_access_enter_own(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ask_t *ask)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (!ask->looked && !clcf->internal) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "identgw: location \"%V\" of \"%V\" is not \"internal\"",
                      &clcf->name, &r->uri);
        ask->unusable = 1;
    }

    if (lcf->mode != NGX_HTTP_IDENTGW_OFF) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "identgw: location \"%V\" of \"%V\" is itself "
                      "protected, it needs \"identgw off\"",
                      &clcf->name, &r->uri);
        ask->unusable = 1;
    }

    ask->looked = 1;

    return ask->unusable ? NGX_HTTP_INTERNAL_SERVER_ERROR : NGX_DECLINED;
}


/*
 * A subrequest of somebody else into a protected location: nginx spares it
 * the access phase, so it has the client request's verdict or none.
 */

static ngx_int_t
ngx_http_identgw_access_enter_other(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    const ngx_str_t  *values;

    if (ngx_http_identgw_judge_is_foreign(r, lcf, ctx)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "identgw: subrequest \"%V\" into a protected location "
                      "refused, another site asked for it", &r->uri);
        return NGX_HTTP_FORBIDDEN;
    }

    values = ngx_http_identgw_judge_is_identified(ctx, lcf)
             ? ctx->verdict.values : NULL;

    if (values == NULL && lcf->mode == NGX_HTTP_IDENTGW_ON) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "identgw: subrequest \"%V\" into a protected location "
                      "refused, the client request has no verdict of its "
                      "policy", &r->uri);
        return NGX_HTTP_FORBIDDEN;
    }

    if (ngx_http_identgw_judge_set_headers(r, lcf, values) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_identgw_headers_settle(r);

    return lcf->answers ? ngx_http_identgw_judge_require(r, lcf, ctx)
                        : NGX_DECLINED;
}


/*
 * "return" would answer before the access phase: the verdict is needed now,
 * whatever else could satisfy.
 */

static ngx_int_t
ngx_http_identgw_access_enter_answering(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_identgw_judge(r, lcf, ctx, 1);

    if (rc == NGX_AGAIN) {
        return NGX_DONE;
    }

    if (rc != NGX_OK && rc != NGX_DECLINED) {
        return rc;
    }

    if (rc == NGX_DECLINED) {
        ctx->anonymous = 1;
        ngx_http_identgw_variables_forget(r);
    }

    return ngx_http_identgw_judge_require(r, lcf, ctx);
}


static ngx_int_t
ngx_http_identgw_access_check(ngx_http_request_t *r)
{
    ngx_http_identgw_ctx_t             *ctx;
    ngx_http_core_loc_conf_t           *clcf;
    const ngx_http_identgw_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_identgw_module);

    if (lcf->mode == NGX_HTTP_IDENTGW_OFF) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_identgw_ctx_get(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    return ngx_http_identgw_judge(r, lcf, ctx,
                                  clcf->satisfy
                                  == NGX_HTTP_SATISFY_ALL);
}


/* The access phase is over and the request goes on, with an identity or not. */

static ngx_int_t
ngx_http_identgw_access_leave(ngx_http_request_t *r)
{
    ngx_http_identgw_ctx_t             *ctx;
    const ngx_http_identgw_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_identgw_module);

    if (lcf->mode == NGX_HTTP_IDENTGW_OFF) {
        return ngx_http_identgw_access_leave_open(r);
    }

    ctx = ngx_http_identgw_ctx_get(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r != r->main) {
        return ngx_http_identgw_judge_require(r, lcf, ctx);
    }

    if (!ngx_http_identgw_judge_is_identified(ctx, lcf)) {

        if (ngx_http_identgw_judge_set_headers(r, lcf, NULL) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ctx->identified = 0;

        /* an error page may be the answer to a refusal, which stands then */

        if (!ctx->refused || r->err_status == 0) {
            ctx->anonymous = 1;
            ctx->refused = 0;
        }
    }

    ngx_http_identgw_headers_settle(r);
    ngx_http_identgw_variables_forget(r);

    return ngx_http_identgw_judge_require(r, lcf, ctx);
}


/* Such as the page of a refusal: what was hidden before stays so. */

static ngx_int_t
ngx_http_identgw_access_leave_open(ngx_http_request_t *r)
{
    ngx_http_identgw_ctx_t  *ctx;

    if (r != r->main) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_identgw_ctx_find(r);

    if (ctx != NULL && ctx->hidden) {
        ngx_http_identgw_headers_settle(r);
        ngx_http_identgw_variables_forget(r);
    }

    return NGX_DECLINED;
}
