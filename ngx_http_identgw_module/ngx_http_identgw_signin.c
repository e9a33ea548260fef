#include "ngx_http_identgw_signin.h"
#include "ngx_http_identgw_headers.h"
#include "ngx_http_identgw_identity.h"


typedef struct {
    ngx_str_t  key;
    ngx_str_t  folded;
} ngx_http_identgw_signin_header_t;


static ngx_uint_t ngx_http_identgw_signin_has_answer(
    const ngx_http_identgw_ask_t *ask);
static ngx_int_t ngx_http_identgw_signin_copy(ngx_http_request_t *r,
    ngx_http_identgw_ctx_t *ctx, ngx_str_t *body);
static ngx_int_t ngx_http_identgw_signin_copy_header(ngx_http_request_t *r,
    const ngx_http_request_t *sr, const ngx_http_identgw_signin_header_t *copy);
static ngx_int_t ngx_http_identgw_signin_write(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_str_t *body);
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
    ngx_str_t  body;

    if (ngx_http_identgw_signin_has_answer(&ctx->signin)) {
        rc = ngx_http_identgw_signin_copy(r, ctx, &body);

    } else {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "identgw: signin \"%V\" gave no answer to serve, "
                      "result %i, status %ui",
                      &lcf->signin, ctx->signin.rc,
                      ctx->signin.request->headers_out.status);

        rc = ngx_http_identgw_signin_write(r, lcf, &body);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_identgw_signin_send(r, &body);

    ngx_http_finalize_request(r, rc);

    return NGX_DONE;
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
ngx_http_identgw_signin_copy(ngx_http_request_t *r,
    ngx_http_identgw_ctx_t *ctx, ngx_str_t *body)
{
    static const ngx_str_t  set_cookie = ngx_string("set_cookie");
    static const ngx_str_t  www_authenticate = ngx_string("www_authenticate");

    ngx_http_request_t                      *sr;
    const ngx_http_identgw_signin_header_t  *copy;

    sr = ctx->signin.request;

    body->data = sr->out->buf->pos;
    body->len = sr->out->buf->last - sr->out->buf->pos;

    r->headers_out.content_type = sr->headers_out.content_type;
    r->headers_out.content_type_len = sr->headers_out.content_type_len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.charset = sr->headers_out.charset;

    for (copy = ngx_http_identgw_signin_copied; copy->key.len; copy++) {
        if (ngx_http_identgw_signin_copy_header(r, sr, copy) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    /* the header filter adds these, see there */

    if (ctx->verdict.challenges == NULL
        && ngx_http_identgw_identity_collect(sr, &www_authenticate,
                                             &ctx->verdict.challenges)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_identgw_identity_collect(sr,
                                             &set_cookie, &ctx->cookies);
}


static ngx_int_t
ngx_http_identgw_signin_copy_header(ngx_http_request_t *r,
    const ngx_http_request_t *sr, const ngx_http_identgw_signin_header_t *copy)
{
    ngx_str_t    *value;
    ngx_uint_t    i;
    ngx_array_t  *values;

    values = NULL;

    if (ngx_http_identgw_identity_collect(sr, &copy->folded, &values)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (values == NULL) {
        return NGX_OK;
    }

    value = values->elts;

    for (i = 0; i < values->nelts; i++) {
        if (ngx_http_identgw_headers_push(r->pool, &r->headers_out.headers,
                                          &copy->key, &value[i])
            == NULL)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* The text for when nobody else explains what to do. */

static ngx_int_t
ngx_http_identgw_signin_write(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_str_t *body)
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

    body->data = ngx_pnalloc(r->pool, sizeof(refused) + sizeof(required)
                             + name->len);
    if (body->data == NULL) {
        return NGX_ERROR;
    }

    last = ngx_sprintf(body->data, required, name);

    if (ngx_http_identgw_headers_has_bearer(r)) {
        last = ngx_cpymem(last, refused, sizeof(refused) - 1);
    }

    body->len = last - body->data;

    ngx_str_set(&r->headers_out.content_type, "text/plain");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

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
