#include "ngx_http_identgw_kept.h"
#include "ngx_http_identgw_headers.h"
#include "ngx_http_identgw_identity.h"
#include "ngx_http_identgw_question.h"


#define NGX_HTTP_IDENTGW_KEPT_KEY_SIZE  512


typedef struct {
    ngx_pool_t               *pool;  /* of all of it; NULL: nothing is here */
    ngx_str_t                 key;
    uint32_t                  hash;  /* of the key */
    ngx_msec_t                until;
    ngx_http_identgw_page_t  *page;
} ngx_http_identgw_kept_slot_t;


typedef struct ngx_http_identgw_kept_s {
    ngx_http_identgw_kept_slot_t  slots[NGX_HTTP_IDENTGW_KEPT_SLOTS];
    ngx_uint_t                    next;  /* gives way next */
} ngx_http_identgw_kept_t;


/* What an answer depends on, before what the client prefers. */

typedef struct {
    const void                 *server;
    const u_char               *uri;
    const void                 *session;
    ngx_http_identgw_reason_e   reason;
    unsigned                    bearer : 1;
    unsigned                    ssl : 1;
} ngx_http_identgw_kept_case_t;


static void ngx_http_identgw_kept_cleanup(void *data);
static ngx_http_identgw_kept_slot_t *ngx_http_identgw_kept_slot(
    ngx_http_identgw_kept_t *kept, const ngx_str_t *key, uint32_t hash);
static ngx_uint_t ngx_http_identgw_kept_key(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, const ngx_http_identgw_ctx_t *ctx,
    u_char *buf, ngx_str_t *key);
static u_char *ngx_http_identgw_kept_append(u_char *p, u_char *end,
    const ngx_str_t *s);
static size_t ngx_http_identgw_kept_size(const ngx_http_identgw_page_t *page);
static ngx_http_identgw_page_t *ngx_http_identgw_kept_copy(ngx_pool_t *pool,
    const ngx_http_identgw_page_t *page);
static ngx_int_t ngx_http_identgw_kept_copy_str(ngx_pool_t *pool,
    ngx_str_t *dst, const ngx_str_t *src);


ngx_http_identgw_kept_t *
ngx_http_identgw_kept_create(ngx_conf_t *cf)
{
    ngx_pool_cleanup_t       *cln;
    ngx_http_identgw_kept_t  *kept;

    kept = ngx_pcalloc(cf->pool, sizeof(ngx_http_identgw_kept_t));
    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (kept == NULL || cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_identgw_kept_cleanup;
    cln->data = kept;

    return kept;
}


static void
ngx_http_identgw_kept_cleanup(void *data)
{
    ngx_http_identgw_kept_t  *kept = data;

    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_IDENTGW_KEPT_SLOTS; i++) {
        if (kept->slots[i].pool != NULL) {
            ngx_destroy_pool(kept->slots[i].pool);
        }
    }
}


void
ngx_http_identgw_kept_find(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    u_char                               buf[NGX_HTTP_IDENTGW_KEPT_KEY_SIZE];
    ngx_str_t                            key;
    ngx_http_identgw_main_conf_t        *mcf;
    const ngx_http_identgw_kept_slot_t  *slot;

    if (!ngx_http_identgw_kept_key(r, lcf, ctx, buf, &key)) {
        return;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_identgw_module);

    slot = ngx_http_identgw_kept_slot(mcf->kept, &key,
                                      ngx_crc32_short(key.data, key.len));

    if (slot != NULL
        && (ngx_msec_int_t) (slot->until - ngx_current_msec) > 0)
    {
        ctx->page = ngx_http_identgw_kept_copy(r->pool, slot->page);
    }
}


void
ngx_http_identgw_kept_store(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, const ngx_http_identgw_ctx_t *ctx,
    const ngx_http_identgw_page_t *page)
{
    u_char                         buf[NGX_HTTP_IDENTGW_KEPT_KEY_SIZE];
    time_t                         sec;
    ngx_str_t                      key;
    ngx_pool_t                    *pool;
    ngx_http_identgw_kept_t       *kept;
    ngx_http_identgw_kept_slot_t  *slot, new;
    ngx_http_identgw_main_conf_t  *mcf;

    sec = ngx_http_identgw_identity_max_age(ctx->signin.request);

    if (sec <= 0
        || ctx->cookies != NULL
        || ngx_http_identgw_kept_size(page)
        > NGX_HTTP_IDENTGW_KEPT_MAX_SIZE
        || !ngx_http_identgw_kept_key(r, lcf, ctx, buf, &key))
    {
        return;
    }

    pool = ngx_create_pool(NGX_MIN_POOL_SIZE + 512, ngx_cycle->log);
    if (pool == NULL) {
        return;
    }

    new.pool = pool;
    new.hash = ngx_crc32_short(key.data, key.len);
    new.until = ngx_current_msec
        + ngx_min(sec, NGX_HTTP_IDENTGW_KEPT_MAX_SEC) * 1000;
    new.page = ngx_http_identgw_kept_copy(pool, page);

    if (new.page == NULL
        || ngx_http_identgw_kept_copy_str(pool, &new.key, &key) != NGX_OK)
    {
        ngx_destroy_pool(pool);
        return;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_identgw_module);
    kept = mcf->kept;

    slot = ngx_http_identgw_kept_slot(kept, &key, new.hash);

    if (slot == NULL) {
        slot = &kept->slots[kept->next++ % NGX_HTTP_IDENTGW_KEPT_SLOTS];
    }

    if (slot->pool != NULL) {
        ngx_destroy_pool(slot->pool);
    }

    *slot = new;
}


static ngx_http_identgw_kept_slot_t *
ngx_http_identgw_kept_slot(ngx_http_identgw_kept_t *kept,
    const ngx_str_t *key, uint32_t hash)
{
    ngx_uint_t                     i;
    ngx_http_identgw_kept_slot_t  *slot;

    for (i = 0; i < NGX_HTTP_IDENTGW_KEPT_SLOTS; i++) {
        slot = &kept->slots[i];

        if (slot->hash == hash
            && slot->pool != NULL
            && slot->key.len == key->len
            && ngx_memcmp(slot->key.data, key->data, key->len) == 0)
        {
            return slot;
        }
    }

    return NULL;
}


/* Writes what r's answer depends on; false: that is too much, or a session. */

static ngx_uint_t
ngx_http_identgw_kept_key(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, const ngx_http_identgw_ctx_t *ctx,
    u_char *buf, ngx_str_t *key)
{
    u_char                        *p, *end;
    ngx_uint_t                     i;
    ngx_list_part_t               *part;
    ngx_table_elt_t               *h;
    ngx_http_identgw_kept_case_t   about;

    if (ctx->id.len != 0) {
        return 0;
    }

    ngx_memzero(&about, sizeof(ngx_http_identgw_kept_case_t));

    about.server = ngx_http_get_module_srv_conf(r, ngx_http_identgw_module);
    about.uri = lcf->signin.data;
    about.session = ctx->policy->session;
    about.reason = ctx->verdict.reason;
    about.bearer = (ngx_http_identgw_headers_has_bearer(r) != 0);
#if (NGX_HTTP_SSL)
    about.ssl = (r->connection->ssl != NULL);
#endif

    end = buf + NGX_HTTP_IDENTGW_KEPT_KEY_SIZE;
    p = ngx_cpymem(buf, &about, sizeof(ngx_http_identgw_kept_case_t));
    p = ngx_http_identgw_kept_append(p, end, &r->headers_in.server);

    if (r->headers_in.host != NULL) {
        p = ngx_http_identgw_kept_append(p, end, &r->headers_in.host->value);
    }

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts && p != NULL; i++) {
            if (ngx_http_identgw_question_is_preference(&h[i].key)) {
                p = ngx_http_identgw_kept_append(p, end, &h[i].key);
                p = ngx_http_identgw_kept_append(p, end, &h[i].value);
            }
        }
    }

    if (p == NULL) {
        return 0;
    }

    key->data = buf;
    key->len = p - buf;

    return 1;
}


/* A header's name and value have no NUL in them; NULL: no room. */

static u_char *
ngx_http_identgw_kept_append(u_char *p, u_char *end, const ngx_str_t *s)
{
    if (p == NULL || (size_t) (end - p) <= s->len) {
        return NULL;
    }

    if (s->len != 0) {
        p = ngx_cpymem(p, s->data, s->len);
    }

    *p++ = '\0';

    return p;
}


static size_t
ngx_http_identgw_kept_size(const ngx_http_identgw_page_t *page)
{
    size_t               size;
    ngx_uint_t           i;
    const ngx_keyval_t  *header;

    size = page->body.len + page->type.len + page->charset.len;
    header = page->headers.elts;

    for (i = 0; i < page->headers.nelts; i++) {
        size += sizeof(ngx_keyval_t) + header[i].value.len;
    }

    return size;
}


static ngx_http_identgw_page_t *
ngx_http_identgw_kept_copy(ngx_pool_t *pool,
    const ngx_http_identgw_page_t *page)
{
    ngx_uint_t                i;
    ngx_keyval_t             *copy;
    const ngx_keyval_t       *header;
    ngx_http_identgw_page_t  *dst;

    dst = ngx_pcalloc(pool, sizeof(ngx_http_identgw_page_t));

    if (dst == NULL
        || ngx_http_identgw_kept_copy_str(pool, &dst->body, &page->body)
        != NGX_OK
        || ngx_http_identgw_kept_copy_str(pool, &dst->type, &page->type)
        != NGX_OK
        || ngx_http_identgw_kept_copy_str(pool, &dst->charset, &page->charset)
        != NGX_OK
        || ngx_array_init(&dst->headers, pool, page->headers.nelts + 1,
                          sizeof(ngx_keyval_t))
        != NGX_OK)
    {
        return NULL;
    }

    dst->type_len = page->type_len;
    header = page->headers.elts;

    for (i = 0; i < page->headers.nelts; i++) {
        copy = ngx_array_push(&dst->headers);

        if (copy == NULL
            || ngx_http_identgw_kept_copy_str(pool, &copy->value,
                                              &header[i].value)
            != NGX_OK)
        {
            return NULL;
        }

        copy->key = header[i].key;
    }

    return dst;
}


static ngx_int_t
ngx_http_identgw_kept_copy_str(ngx_pool_t *pool, ngx_str_t *dst,
    const ngx_str_t *src)
{
    ngx_str_null(dst);

    if (src->len == 0) {
        return NGX_OK;
    }

    dst->data = ngx_pnalloc(pool, src->len);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(dst->data, src->data, src->len);
    dst->len = src->len;

    return NGX_OK;
}
