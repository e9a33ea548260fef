#include "ngx_http_identgw_question.h"
#include "ngx_http_identgw_compat.h"
#include "ngx_http_identgw_headers.h"
#include "ngx_http_identgw_names.h"


#define NGX_HTTP_IDENTGW_QUESTION_ID_SIZE  16
#define NGX_HTTP_IDENTGW_QUESTION_IDS      32


static ngx_int_t ngx_http_identgw_question_send(ngx_http_request_t *r,
    const ngx_str_t *uri, ngx_str_t *args,
    const ngx_http_headers_in_t *headers, ngx_http_identgw_ask_t *ask);
static ngx_int_t ngx_http_identgw_question_done(ngx_http_request_t *r,
    void *data, ngx_int_t rc);
static ngx_int_t ngx_http_identgw_question_headers(ngx_http_request_t *r,
    const ngx_http_identgw_ctx_t *ctx, ngx_http_headers_in_t *headers);
static ngx_int_t ngx_http_identgw_question_copy(ngx_list_t *list,
    const ngx_table_elt_t *line, ngx_table_elt_t **h);
static ngx_int_t ngx_http_identgw_question_origin(ngx_http_request_t *r,
    const ngx_http_identgw_ctx_t *ctx, ngx_list_t *list);
static ngx_int_t ngx_http_identgw_question_preferences(ngx_http_request_t *r,
    ngx_list_t *list);
static ngx_http_variable_value_t *ngx_http_identgw_question_variables(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_identgw_question_make_id(ngx_http_request_t *r,
    ngx_http_variable_value_t *v);


ngx_int_t
ngx_http_identgw_question_authenticate(ngx_http_request_t *r,
    ngx_http_identgw_ctx_t *ctx)
{
    ngx_http_headers_in_t  headers;

    if (ngx_http_identgw_question_headers(r, ctx, &headers) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_identgw_question_send(r, &ctx->policy->authenticate, NULL,
                                          &headers, &ctx->authenticate);
}


ngx_int_t
ngx_http_identgw_question_signin(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    ngx_http_headers_in_t  headers;

    if (ngx_http_identgw_question_headers(r, ctx, &headers) != NGX_OK
        || ngx_http_identgw_question_origin(r, ctx, &headers.headers) != NGX_OK
        || ngx_http_identgw_question_preferences(r, &headers.headers)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_identgw_question_send(r, &lcf->signin, NULL, &headers,
                                          &ctx->signin);
}


ngx_int_t
ngx_http_identgw_question_feed(ngx_http_request_t *r, ngx_str_t *uri,
    ngx_str_t *args, ngx_http_identgw_ctx_t *ctx)
{
    ngx_http_headers_in_t  headers;

    if (ngx_http_identgw_question_headers(r, ctx, &headers) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_identgw_question_send(r, uri, args, &headers,
                                          &ctx->authenticate);
}


ngx_int_t
ngx_http_identgw_question_request_id(ngx_http_request_t *r, ngx_str_t *id)
{
    ngx_int_t                       rc;
    ngx_http_variable_value_t      *v;
    ngx_http_identgw_main_conf_t   *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_identgw_module);

    v = &r->variables[mcf->request_id];
    rc = v->valid ? NGX_OK : ngx_http_identgw_question_make_id(r, v);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        v = ngx_http_get_indexed_variable(r, mcf->request_id);

        if (v == NULL || v->not_found) {
            return NGX_ERROR;
        }
    }

    id->data = v->data;
    id->len = v->len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_question_send(ngx_http_request_t *r, const ngx_str_t *uri,
    ngx_str_t *args, const ngx_http_headers_in_t *headers,
    ngx_http_identgw_ask_t *ask)
{
    ngx_str_t                    name;
    ngx_http_request_t          *sr;
    ngx_http_request_body_t     *body;
    ngx_http_variable_value_t   *variables;
    ngx_http_post_subrequest_t  *ps;

    variables = ngx_http_identgw_question_variables(r);
    if (variables == NULL) {
        return NGX_ERROR;
    }

    /* an empty body, so that nobody reads, or closes, the client's */

    body = ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t));
    if (body == NULL) {
        return NGX_ERROR;
    }

    ps = ngx_palloc(r->pool, sizeof(ngx_http_post_subrequest_t));
    if (ps == NULL) {
        return NGX_ERROR;
    }

    ps->handler = ngx_http_identgw_question_done;
    ps->data = ask;
    name = *uri;

    /* in memory: nothing of the answer may go on to the client by itself */

    if (ngx_http_subrequest(r, &name, args, &sr, ps,
                            NGX_HTTP_SUBREQUEST_WAITED
                            |NGX_HTTP_SUBREQUEST_IN_MEMORY)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    sr->headers_in = *headers;

    if (headers->headers.last == &headers->headers.part) {
        sr->headers_in.headers.last = &sr->headers_in.headers.part;
    }

    sr->unparsed_uri = name;
    sr->variables = variables;
    sr->request_body = body;
    sr->filter_need_in_memory = (ask->body != NULL);

    ask->request = sr;
    ask->begun = ngx_current_msec;

    return NGX_OK;
}


/*
 * The outcome is kept and not passed on: nginx would make error pages of it,
 * or close the client's connection.
 */

static ngx_int_t
ngx_http_identgw_question_done(ngx_http_request_t *r, void *data, ngx_int_t rc)
{
    ngx_http_identgw_ask_t  *ask = data;

    if (!ask->done) {
        ask->done = 1;
        ask->rc = rc;
        ask->msec = ngx_current_msec - ask->begun;
    }

    return NGX_OK;
}


/*
 * For the application's answer, which comes next. With both at a time the C
 * library gives pages back after each batch of requests, and faults them in
 * again for the next. Upstream modules copy the headers out of the buffer.
 */

void
ngx_http_identgw_question_release(ngx_http_identgw_ask_t *ask)
{
    ngx_http_upstream_t  *u;

    u = ask->request->upstream;

    if (u == NULL || u->cleanup != NULL || u->buffer.start == NULL) {
        return;
    }

    (void) ngx_pfree(ask->request->pool, u->buffer.start);
    ngx_memzero(&u->buffer, sizeof(ngx_buf_t));
}


static ngx_int_t
ngx_http_identgw_question_headers(ngx_http_request_t *r,
    const ngx_http_identgw_ctx_t *ctx, ngx_http_headers_in_t *headers)
{
    ngx_str_t                            id;
    ngx_list_t                          *list;
    const ngx_http_identgw_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_identgw_module);

    ngx_memzero(headers, sizeof(ngx_http_headers_in_t));

    headers->content_length_n = -1;
    headers->keep_alive_n = -1;
    headers->server = r->headers_in.server;

    list = &headers->headers;

    if (ngx_list_init(list, r->pool, 16, sizeof(ngx_table_elt_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_identgw_question_copy(list, r->headers_in.host,
                                       &headers->host)
        != NGX_OK
        || ngx_http_identgw_question_copy(list, r->headers_in.user_agent,
                                          &headers->user_agent)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_identgw_question_request_id(r, &id) != NGX_OK
        || ngx_http_identgw_headers_push_name(list, &mcf->request_id_name, &id)
        == NULL)
    {
        return NGX_ERROR;
    }

    if (ctx->id.len != 0
        && ngx_http_identgw_headers_push_name(list, ctx->policy->session,
                                              &ctx->id)
        == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* Appends a line that the client sent, if it did; "h" is it then. */

static ngx_int_t
ngx_http_identgw_question_copy(ngx_list_t *list, const ngx_table_elt_t *line,
    ngx_table_elt_t **h)
{
    if (line == NULL) {
        return NGX_OK;
    }

    *h = ngx_list_push(list);
    if (*h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(*h, sizeof(ngx_table_elt_t));

    (*h)->hash = line->hash;
    (*h)->key = line->key;
    (*h)->value = line->value;
    (*h)->lowcase_key = line->lowcase_key;

    return NGX_OK;
}


/* What the client wanted, and why it does not get it. */

static ngx_int_t
ngx_http_identgw_question_origin(ngx_http_request_t *r,
    const ngx_http_identgw_ctx_t *ctx, ngx_list_t *list)
{
    static const ngx_str_t  uri_key = ngx_string("X-Original-URI");
    static const ngx_str_t  reason_key = ngx_string("X-Identgw-Reason");
    static const ngx_str_t  hint_key = ngx_string("X-Identgw-Hint");
    static const ngx_str_t  bearer = ngx_string("bearer");

    const ngx_str_t  *reason;

    reason = ngx_http_identgw_ctx_reason(ctx->verdict.reason);

    if (ngx_http_identgw_headers_push(r->pool, list,
                                      &uri_key, &r->unparsed_uri)
        == NULL)
    {
        return NGX_ERROR;
    }

    if (ngx_http_identgw_headers_push(r->pool, list,
                                      &reason_key, reason)
        == NULL)
    {
        return NGX_ERROR;
    }

    if (ngx_http_identgw_headers_has_bearer(r)
        && ngx_http_identgw_headers_push(r->pool, list, &hint_key, &bearer)
        == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_question_preferences(ngx_http_request_t *r, ngx_list_t *list)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (!ngx_http_identgw_question_is_preference(&h[i].key)) {
                continue;
            }

            if (ngx_http_identgw_headers_push(r->pool, list, &h[i].key,
                                              &h[i].value)
                == NULL)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_identgw_question_is_preference(const ngx_str_t *key)
{
    static const ngx_str_t  accept = ngx_string("accept");
    static const ngx_str_t  accept_language = ngx_string("accept_language");
    static const ngx_str_t  sec_fetch = ngx_string("sec_fetch_");

    return ngx_http_identgw_names_equal(&accept, key)
           || ngx_http_identgw_names_equal(&accept_language, key)
           || ngx_http_identgw_names_begin(&sec_fetch, key);
}


/*
 * A variable array of its own: values cached from other headers must neither
 * come in nor go out. $request_id alone is the client request's.
 */

static ngx_http_variable_value_t *
ngx_http_identgw_question_variables(ngx_http_request_t *r)
{
    ngx_http_variable_value_t     *variables;
    ngx_http_core_main_conf_t     *cmcf;
    ngx_http_identgw_main_conf_t  *mcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_identgw_module);

    variables = ngx_pcalloc(r->pool, cmcf->variables.nelts
                            * sizeof(ngx_http_variable_value_t));
    if (variables == NULL) {
        return NULL;
    }

    variables[mcf->request_id] = r->variables[mcf->request_id];

    return variables;
}


/*
 * Sets $request_id as nginx would, which draws 16 random bytes each time: with
 * OpenSSL 3 that is a system call and a tenth of what a question costs nginx.
 * Here they are drawn for many requests. NGX_DECLINED: nginx is to do it.
 */

static ngx_int_t
ngx_http_identgw_question_make_id(ngx_http_request_t *r,
    ngx_http_variable_value_t *v)
{
    static u_char      ids[NGX_HTTP_IDENTGW_QUESTION_IDS]
                          [NGX_HTTP_IDENTGW_QUESTION_ID_SIZE];
    static ngx_uint_t  left;

    u_char  *id;

    if (left == 0) {
        if (ngx_http_identgw_compat_random(ids[0], sizeof(ids)) != NGX_OK) {
            return NGX_DECLINED;
        }

        left = NGX_HTTP_IDENTGW_QUESTION_IDS;
    }

    id = ngx_pnalloc(r->pool, 2 * NGX_HTTP_IDENTGW_QUESTION_ID_SIZE);
    if (id == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_hex_dump(id, ids[--left], NGX_HTTP_IDENTGW_QUESTION_ID_SIZE);

    ngx_memzero(v, sizeof(ngx_http_variable_value_t));
    v->len = 2 * NGX_HTTP_IDENTGW_QUESTION_ID_SIZE;
    v->valid = 1;
    v->data = id;

    return NGX_OK;
}
