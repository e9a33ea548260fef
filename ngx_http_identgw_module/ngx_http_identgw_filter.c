#include "ngx_http_identgw_filter.h"
#include "ngx_http_identgw_cache.h"
#include "ngx_http_identgw_ctx.h"
#include "ngx_http_identgw_headers.h"
#include "ngx_http_identgw_names.h"
#include "ngx_http_identgw_question.h"
#include "ngx_http_identgw_session.h"


static ngx_int_t ngx_http_identgw_filter_header(ngx_http_request_t *r);
static ngx_http_identgw_rare ngx_int_t ngx_http_identgw_filter_concerned(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_identgw_filter_body(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_http_identgw_rare ngx_int_t ngx_http_identgw_filter_body_in_memory(
    ngx_http_request_t *r, ngx_chain_t *in);
static void ngx_http_identgw_filter_watch(ngx_http_identgw_ask_t *ask,
    const ngx_chain_t *in);
static void ngx_http_identgw_filter_keep(ngx_buf_t *body, const ngx_buf_t *b);
static ngx_uint_t ngx_http_identgw_filter_is_too_big(ngx_http_request_t *r,
    ngx_http_identgw_ask_t *ask);
static void ngx_http_identgw_filter_swallow(ngx_chain_t *in);
static ngx_uint_t ngx_http_identgw_filter_is_early(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, const ngx_http_identgw_ctx_t *ctx);
static void ngx_http_identgw_filter_session_cookies(ngx_http_request_t *r,
    const ngx_str_t *name);
static ngx_int_t ngx_http_identgw_filter_refusal(ngx_http_request_t *r,
    const ngx_http_identgw_ctx_t *ctx);
static ngx_int_t ngx_http_identgw_filter_challenge(ngx_http_request_t *r,
    const ngx_http_identgw_ctx_t *ctx);
static ngx_int_t ngx_http_identgw_filter_retry_after(ngx_http_request_t *r,
    const ngx_http_identgw_ctx_t *ctx);
static ngx_int_t ngx_http_identgw_filter_replace(ngx_http_request_t *r,
    const ngx_str_t *key, const ngx_str_t *value);
static ngx_int_t ngx_http_identgw_filter_append(ngx_http_request_t *r,
    const ngx_str_t *key, const ngx_array_t *values);


static ngx_http_output_header_filter_pt  ngx_http_identgw_filter_next_header;
static ngx_http_output_body_filter_pt    ngx_http_identgw_filter_next_body;


void
ngx_http_identgw_filter_init(void)
{
    ngx_http_identgw_filter_next_header = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_identgw_filter_header;

    ngx_http_identgw_filter_next_body = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_identgw_filter_body;
}


static ngx_int_t
ngx_http_identgw_filter_header(ngx_http_request_t *r)
{
    if (r != r->main || ngx_http_identgw_ctx_is_open(r)) {
        return ngx_http_identgw_filter_next_header(r);
    }

    return ngx_http_identgw_filter_concerned(r);
}


static ngx_int_t
ngx_http_identgw_filter_concerned(ngx_http_request_t *r)
{
    static const ngx_str_t  set_cookie = ngx_string("Set-Cookie");

    ngx_http_identgw_ctx_t             *ctx;
    const ngx_http_identgw_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_identgw_module);

    ctx = (lcf->mode == NGX_HTTP_IDENTGW_OFF) ? ngx_http_identgw_ctx_find(r)
                                              : ngx_http_identgw_ctx_get(r);

    if (ctx == NULL) {
        return lcf->mode == NGX_HTTP_IDENTGW_OFF
               ? ngx_http_identgw_filter_next_header(r) : NGX_ERROR;
    }

    if (ctx->purges != NULL) {
        ngx_http_identgw_cache_purge(r, ctx);
    }

    if (ngx_http_identgw_filter_is_early(r, lcf, ctx)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "identgw: a module answers in the rewrite phase, "
                      "before the session is known, refused; say "
                      "\"identgw off\" in that location");

        ctx->verdict.reason = NGX_HTTP_IDENTGW_FORBIDDEN;
        ctx->refused = 1;
        r->keepalive = 0;

        return ngx_http_filter_finalize_request(r, &ngx_http_identgw_module,
                                                NGX_HTTP_FORBIDDEN);
    }

    if (lcf->mode != NGX_HTTP_IDENTGW_OFF) {
        ngx_http_identgw_filter_session_cookies(r, &lcf->session->key);

    } else if (ctx->policy != NULL && !ctx->refused) {
        ngx_http_identgw_filter_session_cookies(r, &ctx->policy->session->key);
    }

    /* the identity provider's come after, for these may be the session's */

    if (ngx_http_identgw_filter_append(r, &set_cookie, ctx->cookies)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->refused && ngx_http_identgw_filter_refusal(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_identgw_filter_next_header(r);
}


static ngx_int_t
ngx_http_identgw_filter_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    if (r == r->main || !r->subrequest_in_memory) {
        return ngx_http_identgw_filter_next_body(r, in);
    }

    return ngx_http_identgw_filter_body_in_memory(r, in);
}


/*
 * Only the header of the answer to authenticate is of use. Its body is read
 * to the end, so that the connection can be kept, and thrown away.
 */

static ngx_int_t
ngx_http_identgw_filter_body_in_memory(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_identgw_ctx_t  *ctx;

    ctx = ngx_http_identgw_ctx_find(r);

    if (ctx != NULL && r == ctx->authenticate.request) {
        ngx_http_identgw_filter_watch(&ctx->authenticate, in);
        ngx_http_identgw_filter_swallow(in);
        return NGX_OK;
    }

    if (ctx != NULL && r == ctx->signin.request) {
        ngx_http_identgw_filter_watch(&ctx->signin, in);

        if (ngx_http_identgw_filter_is_too_big(r, &ctx->signin)) {
            ngx_http_identgw_filter_swallow(in);
            return NGX_OK;
        }
    }

    return ngx_http_identgw_filter_next_body(r, in);
}


/* nginx ends an answer that was cut with a flush, and only with that. */

static void
ngx_http_identgw_filter_watch(ngx_http_identgw_ask_t *ask,
    const ngx_chain_t *in)
{
    for (/* void */; in; in = in->next) {
        ask->size += ngx_buf_size(in->buf);

        if (ask->body != NULL) {
            ngx_http_identgw_filter_keep(ask->body, in->buf);
        }

        if (in->buf->last_buf || in->buf->last_in_chain) {
            ask->complete = 1;
        }
    }
}


/* What does not fit is missing: ask->size tells. */

static void
ngx_http_identgw_filter_keep(ngx_buf_t *body, const ngx_buf_t *b)
{
    size_t  size;

    if (ngx_buf_in_memory(b)) {
        size = ngx_min(b->last - b->pos, body->end - body->last);
        body->last = ngx_cpymem(body->last, b->pos, size);
    }
}


/* nginx would close the client's connection over an answer too big for it. */

static ngx_uint_t
ngx_http_identgw_filter_is_too_big(ngx_http_request_t *r,
    ngx_http_identgw_ask_t *ask)
{
    off_t                      max_size;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    max_size = clcf->subrequest_output_buffer_size;

    if (ask->size <= max_size && r->headers_out.content_length_n <= max_size) {
        return 0;
    }

    if (!ask->unusable) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "identgw: the answer of \"%V\" is bigger than its "
                      "\"subrequest_output_buffer_size\"", &r->uri);
        ask->unusable = 1;
    }

    return 1;
}


static void
ngx_http_identgw_filter_swallow(ngx_chain_t *in)
{
    for (/* void */; in; in = in->next) {
        in->buf->pos = in->buf->last;
        in->buf->file_pos = in->buf->file_last;
    }
}


/*
 * Other modules may answer in the rewrite phase, before any access check, as
 * "return" does (see access.c). What they say of a protected location is not
 * for everybody. Errors, and the pages of a refusal, are.
 */

static ngx_uint_t
ngx_http_identgw_filter_is_early(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, const ngx_http_identgw_ctx_t *ctx)
{
    ngx_uint_t                  i;
    ngx_http_core_main_conf_t  *cmcf;

    if (lcf->mode != NGX_HTTP_IDENTGW_ON
        || (r->headers_out.status >= NGX_HTTP_BAD_REQUEST && !r->error_page)
        || ctx->refused
        || (ctx->identified && ngx_http_identgw_ctx_applies(ctx, lcf)))
    {
        return 0;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    i = r->phase_handler;

    return cmcf->phase_engine.handlers[i].checker
           == ngx_http_core_rewrite_phase
           && i >= cmcf->phase_engine.location_rewrite_index;
}


/* Only the identity provider may set the session's cookie. */

static void
ngx_http_identgw_filter_session_cookies(ngx_http_request_t *r,
    const ngx_str_t *name)
{
    static const ngx_str_t  set_cookie = ngx_string("set_cookie");

    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].hash == 0
                || !ngx_http_identgw_names_equal(&set_cookie, &h[i].key)
                || !ngx_http_identgw_session_is_set(&h[i].value, name))
            {
                continue;
            }

            h[i].hash = 0;

            ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                          "identgw: the upstream's Set-Cookie \"%V\" has the "
                          "session's name and was removed; give its cookie "
                          "another name, or the session by "
                          "\"identgw_session_name\"", name);
        }
    }
}


static ngx_int_t
ngx_http_identgw_filter_refusal(ngx_http_request_t *r,
    const ngx_http_identgw_ctx_t *ctx)
{
    static const ngx_str_t  id_key = ngx_string("X-Request-Id");
    static const ngx_str_t  cache_key = ngx_string("Cache-Control");
    static const ngx_str_t  cache = ngx_string("no-store");
    static const ngx_str_t  reason_key = ngx_string("Identgw-Reason");

    ngx_str_t         id;
    const ngx_str_t  *reason;

    if (ngx_http_identgw_question_request_id(r, &id) != NGX_OK) {
        return NGX_ERROR;
    }

    reason = ngx_http_identgw_ctx_reason(ctx->verdict.reason);

    if (ngx_http_identgw_filter_replace(r, &id_key, &id) != NGX_OK
        || ngx_http_identgw_filter_replace(r, &cache_key, &cache) != NGX_OK
        || ngx_http_identgw_filter_replace(r, &reason_key, reason) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (r->headers_out.status == NGX_HTTP_UNAUTHORIZED) {
        return ngx_http_identgw_filter_challenge(r, ctx);
    }

    return ngx_http_identgw_filter_retry_after(r, ctx);
}


/* RFC 9110 15.5.2: a 401 names at least one way to authenticate. */

static ngx_int_t
ngx_http_identgw_filter_challenge(ngx_http_request_t *r,
    const ngx_http_identgw_ctx_t *ctx)
{
    static const ngx_str_t  key = ngx_string("WWW-Authenticate");
    static const ngx_str_t  value = ngx_string("Session realm=\"identgw\"");

    if (ctx->verdict.challenges != NULL) {
        return ngx_http_identgw_filter_append(r, &key,
                                              ctx->verdict.challenges);
    }

    if (ngx_http_identgw_headers_push(r->pool, &r->headers_out.headers, &key,
                                      &value)
        == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_filter_retry_after(ngx_http_request_t *r,
    const ngx_http_identgw_ctx_t *ctx)
{
    static const ngx_str_t  key = ngx_string("Retry-After");
    static const ngx_str_t  soon = ngx_string("5");

    ngx_uint_t        unavailable;
    const ngx_str_t  *value;

    value = &ctx->verdict.retry_after;
    unavailable = (ctx->verdict.reason == NGX_HTTP_IDENTGW_IDP_UNAVAILABLE);

    if (unavailable && value->len == 0) {
        value = &soon;
    }

    if (value->len == 0
        || (!unavailable
            && ctx->verdict.reason != NGX_HTTP_IDENTGW_THROTTLED))
    {
        return NGX_OK;
    }

    return ngx_http_identgw_filter_replace(r, &key, value);
}


static ngx_int_t
ngx_http_identgw_filter_replace(ngx_http_request_t *r, const ngx_str_t *key,
    const ngx_str_t *value)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == key->len
                && ngx_strncasecmp(h[i].key.data, key->data, key->len) == 0)
            {
                h[i].hash = 0;
            }
        }
    }

    if (ngx_http_identgw_headers_push(r->pool, &r->headers_out.headers, key,
                                      value)
        == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_filter_append(ngx_http_request_t *r, const ngx_str_t *key,
    const ngx_array_t *values)
{
    ngx_uint_t        i;
    const ngx_str_t  *value;

    if (values == NULL) {
        return NGX_OK;
    }

    value = values->elts;

    for (i = 0; i < values->nelts; i++) {
        if (ngx_http_identgw_headers_push(r->pool, &r->headers_out.headers,
                                          key, &value[i])
            == NULL)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
