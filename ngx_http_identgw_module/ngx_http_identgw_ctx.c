#include "ngx_http_identgw_ctx.h"
#include "ngx_http_identgw_compat.h"


typedef struct {
    ngx_str_t  name;
    ngx_int_t  status;
} ngx_http_identgw_ctx_reason_t;


static void ngx_http_identgw_ctx_cleanup(void *data);


/* in the order of ngx_http_identgw_reason_e */

static const ngx_http_identgw_ctx_reason_t  ngx_http_identgw_ctx_reasons[] = {
    { ngx_null_string, 0 },
    { ngx_string("ok"), 0 },
    { ngx_string("ok_stale"), 0 },
    { ngx_string("anonymous"), 0 },
    { ngx_string("no_session"), NGX_HTTP_UNAUTHORIZED },
    { ngx_string("bad_session"), NGX_HTTP_UNAUTHORIZED },
    { ngx_string("denied"), NGX_HTTP_UNAUTHORIZED },
    { ngx_string("forbidden"), NGX_HTTP_FORBIDDEN },
    { ngx_string("cross_site"), NGX_HTTP_FORBIDDEN },
    { ngx_string("throttled"), NGX_HTTP_TOO_MANY_REQUESTS },
    { ngx_string("idp_unavailable"), NGX_HTTP_SERVICE_UNAVAILABLE },
    { ngx_string("idp_invalid"), NGX_HTTP_BAD_GATEWAY },
    { ngx_string("requirement"), NGX_HTTP_FORBIDDEN }
};


ngx_uint_t  ngx_http_identgw_ctx_none;


ngx_http_identgw_ctx_t *
ngx_http_identgw_ctx_find(const ngx_http_request_t *r)
{
    ngx_pool_cleanup_t      *cln;
    ngx_http_identgw_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r->main, ngx_http_identgw_module);

    if (ctx == (void *) &ngx_http_identgw_ctx_none) {
        return NULL;
    }

    if (ctx != NULL) {
        return ctx;
    }

    for (cln = r->main->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_identgw_ctx_cleanup) {
            return cln->data;
        }
    }

    return NULL;
}


ngx_http_identgw_ctx_t *
ngx_http_identgw_ctx_get(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t      *cln;
    ngx_http_identgw_ctx_t  *ctx;

    ctx = ngx_http_identgw_ctx_find(r);

    if (ctx == NULL) {
        ctx = ngx_pcalloc(r->main->pool, sizeof(ngx_http_identgw_ctx_t));
        if (ctx == NULL) {
            return NULL;
        }

        cln = ngx_pool_cleanup_add(r->main->pool, 0);
        if (cln == NULL) {
            return NULL;
        }

        cln->handler = ngx_http_identgw_ctx_cleanup;
        cln->data = ctx;
        ctx->stripped = ngx_http_identgw_ctx_is_stripped(r);
    }

    if (ctx->stripped) {
        ngx_http_set_ctx(r->main, ctx, ngx_http_identgw_module);
    }

    return ctx;
}


void
ngx_http_identgw_ctx_begin(ngx_http_identgw_ctx_t *ctx,
    const ngx_http_identgw_loc_conf_t *lcf)
{
    ctx->policy = lcf;
    ctx->cache = NGX_HTTP_IDENTGW_CACHE_UNASKED;
    ctx->flight = NULL;
    ctx->page = NULL;
    ctx->anonymous = 0;
    ctx->refused = 0;
    ctx->paged = 0;
    ngx_memzero(&ctx->verdict, sizeof(ngx_http_identgw_verdict_t));
    ngx_memzero(&ctx->authenticate, sizeof(ngx_http_identgw_ask_t));
    ngx_memzero(&ctx->signin, sizeof(ngx_http_identgw_ask_t));
}


ngx_uint_t
ngx_http_identgw_ctx_applies(const ngx_http_identgw_ctx_t *ctx,
    const ngx_http_identgw_loc_conf_t *lcf)
{
    ngx_uint_t                          is_stale;
    const ngx_str_t                    *name;
    const ngx_http_identgw_loc_conf_t  *policy;

    policy = ctx->policy;

    if (policy == NULL || policy == lcf) {
        return policy != NULL;
    }

    /* an answer that the other location kept may be too old for this one */

    is_stale = (ctx->cache == NGX_HTTP_IDENTGW_CACHE_STALE);

    if ((is_stale || ctx->cache == NGX_HTTP_IDENTGW_CACHE_HIT)
        && (!lcf->cache
            || lcf->cache_ttl < policy->cache_ttl
            || (is_stale && lcf->stale < policy->stale)))
    {
        return 0;
    }

    name = &policy->session->key;

    return policy->authenticate.len == lcf->authenticate.len
           && ngx_memcmp(policy->authenticate.data, lcf->authenticate.data,
                         lcf->authenticate.len) == 0
           && name->len == lcf->session->key.len
           && ngx_memcmp(name->data, lcf->session->key.data, name->len) == 0;
}


ngx_uint_t
ngx_http_identgw_ctx_is_of(const ngx_http_request_t *r,
    const ngx_http_identgw_ask_t *ask)
{
    for (/* void */; r != r->main; r = r->parent) {
        if (r == ask->request) {
            return 1;
        }
    }

    return 0;
}


const u_char *
ngx_http_identgw_ctx_key(ngx_http_identgw_ctx_t *ctx)
{
    if (!ctx->hashed
        && ngx_http_identgw_compat_sha256(&ctx->id, ctx->key) == NGX_OK)
    {
        ctx->hashed = 1;
    }

    return ctx->hashed ? ctx->key : NULL;
}


ngx_uint_t
ngx_http_identgw_ctx_is_in(const ngx_http_identgw_ctx_t *ctx)
{
    return ctx->verdict.reason == NGX_HTTP_IDENTGW_OK
           || ctx->verdict.reason == NGX_HTTP_IDENTGW_OK_STALE;
}


ngx_http_identgw_reason_e
ngx_http_identgw_ctx_outcome(const ngx_http_identgw_ctx_t *ctx)
{
    return ctx->anonymous ? NGX_HTTP_IDENTGW_ANONYMOUS : ctx->verdict.reason;
}


const ngx_str_t *
ngx_http_identgw_ctx_reason(ngx_http_identgw_reason_e reason)
{
    return &ngx_http_identgw_ctx_reasons[reason].name;
}


ngx_int_t
ngx_http_identgw_ctx_status(ngx_http_identgw_reason_e reason)
{
    return ngx_http_identgw_ctx_reasons[reason].status;
}


static void
ngx_http_identgw_ctx_cleanup(void *data)
{
    /* marks the context among the pool's cleanups, nothing is to be freed */
}
