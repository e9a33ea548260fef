#include "ngx_http_identgw_signin.h"
#include "ngx_http_identgw_headers.h"
#include "ngx_http_identgw_identity.h"
#include "ngx_http_identgw_kept.h"


typedef struct {
    ngx_str_t  key;
    ngx_str_t  folded;
} ngx_http_identgw_signin_header_t;


static ngx_http_identgw_page_t *ngx_http_identgw_signin_make(
    ngx_http_request_t *r, const ngx_http_identgw_loc_conf_t *lcf,
    ngx_http_identgw_ctx_t *ctx);
static ngx_uint_t ngx_http_identgw_signin_has_answer(
    const ngx_http_identgw_ask_t *ask);
static ngx_int_t ngx_http_identgw_signin_read(const ngx_http_request_t *sr,
    ngx_http_identgw_page_t *page);
static ngx_int_t ngx_http_identgw_signin_read_header(
    const ngx_http_request_t *sr, const ngx_http_identgw_signin_header_t *copied,
    ngx_array_t *headers);
static ngx_int_t ngx_http_identgw_signin_write(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_page_t *page);
static ngx_int_t ngx_http_identgw_signin_set_headers(ngx_http_request_t *r,
    ngx_http_identgw_ctx_t *ctx);
static ngx_int_t ngx_http_identgw_signin_set_header(ngx_http_request_t *r,
    const ngx_keyval_t *header, ngx_array_t **challenges);
static ngx_int_t ngx_http_identgw_signin_send(ngx_http_request_t *r,
    const ngx_str_t *body);


/* what of the sign-in answer's headers belongs to its body */

static const ngx_http_identgw_signin_header_t
    ngx_http_identgw_signin_copied[] = {
    { ngx_string("Content-Language"), ngx_string("content_language") },
    { ngx_string("Content-Security-Policy"),
      ngx_string("content_security_policy") },
    { ngx_string("Cross-Origin-Opener-Policy"),
      ngx_string("cross_origin_opener_policy") },
    { ngx_string("Cross-Origin-Resource-Policy"),
      ngx_string("cross_origin_resource_policy") },
    { ngx_string("Link"), ngx_string("link") },
    { ngx_string("Referrer-Policy"), ngx_string("referrer_policy") },
    { ngx_string("Vary"), ngx_string("vary") },
    { ngx_string("WWW-Authenticate"), ngx_string("www_authenticate") },
    { ngx_string("X-Content-Type-Options"),
      ngx_string("x_content_type_options") },
    { ngx_string("X-Frame-Options"), ngx_string("x_frame_options") },
    { ngx_null_string, ngx_null_string }
};


ngx_int_t
ngx_http_identgw_signin_serve(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (ctx->page == NULL) {
        ctx->page = ngx_http_identgw_signin_make(r, lcf, ctx);
    }

    if (ctx->page == NULL
        || ngx_http_identgw_signin_set_headers(r, ctx) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_identgw_signin_send(r, &ctx->page->body);

    ngx_http_finalize_request(r, rc);

    return NGX_DONE;
}


/* Of the answer, if there is one; NULL: no memory. */

static ngx_http_identgw_page_t *
ngx_http_identgw_signin_make(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    static const ngx_str_t  set_cookie = ngx_string("set_cookie");

    ngx_http_request_t       *sr;
    ngx_http_identgw_page_t  *page;

    page = ngx_pcalloc(r->pool, sizeof(ngx_http_identgw_page_t));

    if (page == NULL
        || ngx_array_init(&page->headers, r->pool, 8, sizeof(ngx_keyval_t))
        != NGX_OK)
    {
        return NULL;
    }

    sr = ctx->signin.request;

    if (!ngx_http_identgw_signin_has_answer(&ctx->signin)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "identgw: signin \"%V\" gave no answer to serve, "
                      "result %i, status %ui",
                      &lcf->signin, ctx->signin.rc, sr->headers_out.status);

        return ngx_http_identgw_signin_write(r, lcf, page) == NGX_OK
               ? page : NULL;
    }

    /* the header filter adds the cookies */

    if (ngx_http_identgw_signin_read(sr, page) != NGX_OK
        || ngx_http_identgw_identity_collect(sr, &set_cookie, &ctx->cookies)
        != NGX_OK)
    {
        return NULL;
    }

    ngx_http_identgw_kept_store(r, lcf, ctx, page);

    return page;
}


static ngx_uint_t
ngx_http_identgw_signin_has_answer(const ngx_http_identgw_ask_t *ask)
{
    off_t                      size;
    const ngx_buf_t           *b;
    const ngx_http_request_t  *sr;

    sr = ask->request;

    if (ask->unusable
        || (ask->rc != NGX_OK && ask->rc < NGX_HTTP_OK)
        || ask->rc >= NGX_HTTP_SPECIAL_RESPONSE
        || sr->headers_out.status < NGX_HTTP_OK
        || sr->headers_out.status >= NGX_HTTP_SPECIAL_RESPONSE
        || sr->headers_out.content_encoding != NULL
        || !ask->complete
        || sr->out == NULL)
    {
        return 0;
    }

    b = sr->out->buf;
    size = b->last - b->pos;

    return size > 0
           && (sr->headers_out.content_length_n == -1
               || sr->headers_out.content_length_n == size);
}


static ngx_int_t
ngx_http_identgw_signin_read(const ngx_http_request_t *sr,
    ngx_http_identgw_page_t *page)
{
    const ngx_http_identgw_signin_header_t  *copied;

    page->body.data = sr->out->buf->pos;
    page->body.len = sr->out->buf->last - sr->out->buf->pos;
    page->type = sr->headers_out.content_type;
    page->type_len = sr->headers_out.content_type_len;
    page->charset = sr->headers_out.charset;

    for (copied = ngx_http_identgw_signin_copied; copied->key.len; copied++) {
        if (ngx_http_identgw_signin_read_header(sr, copied, &page->headers)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_signin_read_header(const ngx_http_request_t *sr,
    const ngx_http_identgw_signin_header_t *copied, ngx_array_t *headers)
{
    ngx_str_t     *value;
    ngx_uint_t     i;
    ngx_array_t   *values;
    ngx_keyval_t  *header;

    values = NULL;

    if (ngx_http_identgw_identity_collect(sr, &copied->folded, &values)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (values == NULL) {
        return NGX_OK;
    }

    value = values->elts;

    for (i = 0; i < values->nelts; i++) {
        header = ngx_array_push(headers);
        if (header == NULL) {
            return NGX_ERROR;
        }

        header->key = copied->key;
        header->value = value[i];
    }

    return NGX_OK;
}


/* The text for when nobody else explains what to do. */

static ngx_int_t
ngx_http_identgw_signin_write(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_page_t *page)
{
    static const char  refused[] =
        "A bearer token is not a credential here.\n";
    static const char  required[] =
        "Please go to login...\n"
        "This needs a session: sign in, then send the session id as the "
        "request header\n\"%V\" or as the cookie of that name.\n";

    u_char           *last;
    const ngx_str_t  *name;

    name = &lcf->session->key;

    page->body.data = ngx_pnalloc(r->pool, sizeof(refused) + sizeof(required)
                                  + name->len);
    if (page->body.data == NULL) {
        return NGX_ERROR;
    }

    last = ngx_sprintf(page->body.data, required, name);

    if (ngx_http_identgw_headers_has_bearer(r)) {
        last = ngx_cpymem(last, refused, sizeof(refused) - 1);
    }

    page->body.len = last - page->body.data;

    ngx_str_set(&page->type, "text/plain");
    page->type_len = page->type.len;
    page->charset = r->headers_out.charset;

    return NGX_OK;
}


/* The header filter adds the challenges; an authenticate answer's go before. */

static ngx_int_t
ngx_http_identgw_signin_set_headers(ngx_http_request_t *r,
    ngx_http_identgw_ctx_t *ctx)
{
    ngx_uint_t                      i;
    ngx_array_t                    *challenges;
    const ngx_keyval_t             *header;
    const ngx_http_identgw_page_t  *page;

    page = ctx->page;

    r->headers_out.content_type = page->type;
    r->headers_out.content_type_len = page->type_len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.charset = page->charset;

    challenges = NULL;
    header = page->headers.elts;

    for (i = 0; i < page->headers.nelts; i++) {
        if (ngx_http_identgw_signin_set_header(r, &header[i], &challenges)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ctx->verdict.challenges == NULL) {
        ctx->verdict.challenges = challenges;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_signin_set_header(ngx_http_request_t *r,
    const ngx_keyval_t *header, ngx_array_t **challenges)
{
    static const ngx_str_t  folded = ngx_string("www_authenticate");

    ngx_str_t  *challenge;

    if (!ngx_http_identgw_names_equal(&folded, &header->key)) {
        return ngx_http_identgw_headers_push(r->pool, &r->headers_out.headers,
                                             &header->key, &header->value)
               == NULL
               ? NGX_ERROR : NGX_OK;
    }

    if (*challenges == NULL) {
        *challenges = ngx_array_create(r->pool, 1, sizeof(ngx_str_t));
        if (*challenges == NULL) {
            return NGX_ERROR;
        }
    }

    challenge = ngx_array_push(*challenges);
    if (challenge == NULL) {
        return NGX_ERROR;
    }

    *challenge = header->value;

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_signin_send(ngx_http_request_t *r, const ngx_str_t *body)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    /* an error page on its way must not lend its status to this answer */

    r->err_status = 0;

    r->headers_out.status = NGX_HTTP_UNAUTHORIZED;
    r->headers_out.status_line.len = 0;
    r->headers_out.content_length_n = body->len;

    if (r->headers_out.content_length) {
        r->headers_out.content_length->hash = 0;
        r->headers_out.content_length = NULL;
    }

    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    ngx_http_clear_location(r);
    ngx_http_clear_etag(r);

    /* a client that waits for "100 Continue" must get this answer instead */

    r->expect_tested = 1;

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->pos = body->data;
    b->last = body->data + body->len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}
