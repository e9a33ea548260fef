#include "ngx_http_identgw_cache.h"
#include "ngx_http_identgw_compat.h"
#include "ngx_http_identgw_faults.h"


#define NGX_HTTP_IDENTGW_CACHE_MSEC  UINT64_C(1000000)
#define NGX_HTTP_IDENTGW_CACHE_SEC   UINT64_C(1000000000)


static ngx_int_t ngx_http_identgw_cache_id(ngx_http_identgw_ctx_t *ctx,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_slots_id_t *id);
static ngx_int_t ngx_http_identgw_cache_store(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx);
static uint64_t ngx_http_identgw_cache_ttl(
    const ngx_http_identgw_loc_conf_t *lcf,
    const ngx_http_identgw_verdict_t *verdict);
static ngx_int_t ngx_http_identgw_cache_pack(ngx_http_request_t *r,
    const ngx_str_t *values, ngx_str_t *packed);
static ngx_int_t ngx_http_identgw_cache_unpack(ngx_http_request_t *r,
    const u_char *data, size_t len, ngx_http_identgw_verdict_t *verdict);


ngx_int_t
ngx_http_identgw_cache_look(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    size_t                          len;
    ngx_http_identgw_slots_id_t     id;
    ngx_http_identgw_main_conf_t   *mcf;
    ngx_http_identgw_zone_found_e   found;

    ctx->cache = NGX_HTTP_IDENTGW_CACHE_BYPASS;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_identgw_module);

    if (mcf->zone == NULL) {
        return NGX_OK;
    }

    if (!lcf->cache
        || !ngx_http_identgw_cache_is_on(mcf)
        || ngx_http_identgw_cache_id(ctx, lcf, &id) != NGX_OK)
    {
        (void) ngx_atomic_fetch_add(
            &ngx_http_identgw_zone_counters(mcf->zone)->bypass, 1);
        return NGX_OK;
    }

    found = ngx_http_identgw_zone_lookup(mcf->zone, &id, lcf->cache_ttl
                                         * NGX_HTTP_IDENTGW_CACHE_MSEC,
                                         &len, &ctx->token);

    switch (found) {

    case NGX_HTTP_IDENTGW_ZONE_HIT:
        ctx->cache = NGX_HTTP_IDENTGW_CACHE_HIT;
        ctx->verdict.reason = NGX_HTTP_IDENTGW_OK;
        return ngx_http_identgw_cache_unpack(r, mcf->zone->copy, len,
                                             &ctx->verdict);

    case NGX_HTTP_IDENTGW_ZONE_MISS:
        ctx->cache = NGX_HTTP_IDENTGW_CACHE_MISS;
        return NGX_OK;

    case NGX_HTTP_IDENTGW_ZONE_EXPIRED:
        ctx->cache = NGX_HTTP_IDENTGW_CACHE_EXPIRED;
        return NGX_OK;

    default: /* NGX_HTTP_IDENTGW_ZONE_UNUSABLE */
        return NGX_OK;
    }
}


ngx_int_t
ngx_http_identgw_cache_take(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    ngx_http_identgw_verdict_t    *verdict;
    ngx_http_identgw_main_conf_t  *mcf;

    verdict = &ctx->verdict;
    mcf = ngx_http_get_module_main_conf(r, ngx_http_identgw_module);

    if (!ngx_http_identgw_cache_is_on(mcf)) {
        return NGX_OK;
    }

    if (verdict->epoch.len != 0
        && !ngx_http_identgw_zone_accepts(mcf->zone, &verdict->epoch))
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "identgw: authenticate answer is of another epoch than "
                      "the revocation feed: %V", &verdict->epoch);

        verdict->reason = NGX_HTTP_IDENTGW_IDP_UNAVAILABLE;
        verdict->values = NULL;
        ngx_str_null(&verdict->user);

        return NGX_OK;
    }

    if (ctx->cache == NGX_HTTP_IDENTGW_CACHE_BYPASS) {
        return NGX_OK;
    }

    if (verdict->reason == NGX_HTTP_IDENTGW_DENIED
        || verdict->reason == NGX_HTTP_IDENTGW_FORBIDDEN)
    {
        ngx_http_identgw_zone_purge(mcf->zone, ctx->key);
        return NGX_OK;
    }

    if (verdict->reason == NGX_HTTP_IDENTGW_OK && verdict->epoch.len != 0) {
        return ngx_http_identgw_cache_store(r, lcf, ctx);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_identgw_cache_fall_back(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    size_t                         len;
    ngx_http_identgw_slots_id_t    id;
    ngx_http_identgw_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_identgw_module);

    if (lcf->stale == 0
        || ctx->cache == NGX_HTTP_IDENTGW_CACHE_BYPASS
        || !ngx_http_identgw_cache_is_on(mcf)
        || ngx_http_identgw_cache_id(ctx, lcf, &id) != NGX_OK
        || ngx_http_identgw_zone_lookup_stale(mcf->zone, &id,
                                              lcf->cache_ttl
                                              * NGX_HTTP_IDENTGW_CACHE_MSEC,
                                              lcf->stale
                                              * NGX_HTTP_IDENTGW_CACHE_MSEC,
                                              &len)
        != NGX_OK)
    {
        return NGX_OK;
    }

    ctx->cache = NGX_HTTP_IDENTGW_CACHE_STALE;
    ctx->verdict.reason = NGX_HTTP_IDENTGW_OK_STALE;

    return ngx_http_identgw_cache_unpack(r, mcf->zone->copy, len,
                                         &ctx->verdict);
}


ngx_int_t
ngx_http_identgw_cache_note(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    u_char                        *key;
    ngx_str_t                     *id;
    ngx_uint_t                     i;
    ngx_array_t                    ids;
    ngx_http_identgw_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_identgw_module);

    if (mcf->zone == NULL) {
        return NGX_OK;
    }

    if (ctx->purges == NULL) {
        ctx->purges = ngx_array_create(r->main->pool, 2,
                                       NGX_HTTP_IDENTGW_SLOTS_KEY_SIZE);
        if (ctx->purges == NULL) {
            return NGX_ERROR;
        }
    }

    if (ngx_array_init(&ids, r->pool, 2, sizeof(ngx_str_t)) != NGX_OK
        || ngx_http_identgw_session_collect(r, lcf->session, &ids) != NGX_OK)
    {
        return NGX_ERROR;
    }

    id = ids.elts;

    for (i = 0; i < ids.nelts; i++) {
        key = ngx_array_push(ctx->purges);

        if (key == NULL
            || ngx_http_identgw_compat_sha256(&id[i], key) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_http_identgw_cache_purge(ngx_http_request_t *r,
    ngx_http_identgw_ctx_t *ctx)
{
    ngx_uint_t                     i;
    const u_char                  *key;
    ngx_http_identgw_main_conf_t  *mcf;

    if (ngx_http_identgw_faults_has(NGX_HTTP_IDENTGW_FAULT_PURGE)) {
        return;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_identgw_module);

    key = ctx->purges->elts;

    for (i = 0; i < ctx->purges->nelts; i++) {
        ngx_http_identgw_zone_purge(mcf->zone, key);
        key += NGX_HTTP_IDENTGW_SLOTS_KEY_SIZE;
    }

    /* an id that had left the header list before */

    if (ctx->hashed) {
        ngx_http_identgw_zone_purge(mcf->zone, ctx->key);
    }
}


ngx_uint_t
ngx_http_identgw_cache_is_on(const ngx_http_identgw_main_conf_t *mcf)
{
    return mcf->zone != NULL && !ngx_exiting && !ngx_quit && !ngx_terminate;
}


static ngx_int_t
ngx_http_identgw_cache_id(ngx_http_identgw_ctx_t *ctx,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_slots_id_t *id)
{
    const u_char  *key;

    key = ngx_http_identgw_ctx_key(ctx);
    if (key == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(id->key, key, NGX_HTTP_IDENTGW_SLOTS_KEY_SIZE);
    id->policy = lcf->policy;

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_cache_store(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    uint64_t                       ttl_nsec;
    ngx_int_t                      rc;
    ngx_str_t                      packed;
    ngx_http_identgw_slots_id_t    id;
    ngx_http_identgw_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_identgw_module);

    ttl_nsec = ngx_http_identgw_cache_ttl(lcf, &ctx->verdict);

    if (ttl_nsec == 0
        || !ngx_http_identgw_cache_is_on(mcf)
        || ngx_http_identgw_cache_id(ctx, lcf, &id) != NGX_OK)
    {
        return NGX_OK;
    }

    if (ngx_http_identgw_cache_pack(r, ctx->verdict.values, &packed)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = ngx_http_identgw_zone_store(mcf->zone, &id, &ctx->token,
                                     &ctx->verdict.epoch, ttl_nsec,
                                     packed.data, packed.len);

    if (rc == NGX_BUSY) {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "identgw: an identity of %uz bytes does not fit into "
                      "an entry of \"identgw_zone\" and is asked for with "
                      "every request; raise its \"entry=\", which is %uz",
                      packed.len, mcf->zone->entry_size);
    }

    return NGX_OK;
}


static uint64_t
ngx_http_identgw_cache_ttl(const ngx_http_identgw_loc_conf_t *lcf,
    const ngx_http_identgw_verdict_t *verdict)
{
    uint64_t  ttl_nsec;

    ttl_nsec = lcf->cache_ttl * NGX_HTTP_IDENTGW_CACHE_MSEC;

    if (verdict->max_age_sec < 0
        || (uint64_t) verdict->max_age_sec
        > ttl_nsec / NGX_HTTP_IDENTGW_CACHE_SEC)
    {
        return ttl_nsec;
    }

    return verdict->max_age_sec * NGX_HTTP_IDENTGW_CACHE_SEC;
}


/* The lengths of all values, then their bytes. */

static ngx_int_t
ngx_http_identgw_cache_pack(ngx_http_request_t *r, const ngx_str_t *values,
    ngx_str_t *packed)
{
    u_char                             *p;
    size_t                              len;
    uint16_t                            n;
    ngx_uint_t                          i;
    const ngx_http_identgw_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_identgw_module);

    len = scf->identity->nelts * sizeof(uint16_t);

    for (i = 0; i < scf->identity->nelts; i++) {
        len += values[i].len;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    packed->data = p;
    packed->len = len;

    for (i = 0; i < scf->identity->nelts; i++) {
        n = ngx_min(values[i].len, UINT16_MAX);
        p = ngx_cpymem(p, &n, sizeof(uint16_t));
    }

    for (i = 0; i < scf->identity->nelts; i++) {
        p = ngx_cpymem(p, values[i].data, values[i].len);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_cache_unpack(ngx_http_request_t *r, const u_char *data,
    size_t len, ngx_http_identgw_verdict_t *verdict)
{
    u_char                             *p;
    size_t                              size;
    uint16_t                            n;
    ngx_str_t                          *values;
    ngx_uint_t                          i;
    const ngx_http_identgw_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_identgw_module);

    size = scf->identity->nelts * sizeof(ngx_str_t);
    len -= scf->identity->nelts * sizeof(uint16_t);

    values = ngx_palloc(r->pool, size + len);
    if (values == NULL) {
        return NGX_ERROR;
    }

    p = (u_char *) values + size;

    for (i = 0; i < scf->identity->nelts; i++) {
        ngx_memcpy(&n, data, sizeof(uint16_t));
        data += sizeof(uint16_t);

        values[i].data = p;
        values[i].len = n;
        p += n;
    }

    ngx_memcpy((u_char *) values + size, data, len);

    verdict->values = values;

    if (scf->user < scf->identity->nelts) {
        verdict->user = values[scf->user];
    }

    return NGX_OK;
}
