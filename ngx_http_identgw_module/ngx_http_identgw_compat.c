#include "ngx_http_identgw_compat.h"
#include "ngx_http_identgw_names.h"


#if (nginx_version < 1021001)
static ngx_uint_t ngx_http_identgw_compat_is_name(const ngx_str_t *name);
#endif


#if (nginx_version >= 1023000)

ngx_int_t
ngx_http_identgw_compat_link_cookies(ngx_http_request_t *r)
{
    static const ngx_str_t  key = ngx_string("cookie");

    ngx_uint_t         i;
    ngx_list_part_t   *part;
    ngx_table_elt_t   *h, **last;

    last = &r->headers_in.cookie;
    *last = NULL;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (ngx_http_identgw_names_equal(&key, &h[i].key)) {
                h[i].next = NULL;
                *last = &h[i];
                last = &h[i].next;
            }
        }
    }

    return NGX_OK;
}


void
ngx_http_identgw_compat_headers_changed(ngx_http_request_t *r)
{
    r->headers_in.multi = 0;
    r->headers_in.multi_linked = 0;
}

#else

ngx_int_t
ngx_http_identgw_compat_link_cookies(ngx_http_request_t *r)
{
    static const ngx_str_t  key = ngx_string("cookie");

    ngx_uint_t         i;
    ngx_list_part_t   *part;
    ngx_table_elt_t   *h, **cookie;

    if (ngx_array_init(&r->headers_in.cookies, r->pool, 2,
                       sizeof(ngx_table_elt_t *))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (!ngx_http_identgw_names_equal(&key, &h[i].key)) {
                continue;
            }

            cookie = ngx_array_push(&r->headers_in.cookies);
            if (cookie == NULL) {
                return NGX_ERROR;
            }

            *cookie = &h[i];
        }
    }

    return NGX_OK;
}


void
ngx_http_identgw_compat_headers_changed(ngx_http_request_t *r)
{
    /* the list is all that there is */
}

#endif


uint64_t
ngx_http_identgw_compat_nsec(void)
{
    struct timespec  now;

#if defined(CLOCK_BOOTTIME)
    (void) clock_gettime(CLOCK_BOOTTIME, &now);
#else
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
#endif

    return (uint64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}


#if (NGX_OPENSSL)

/*
 * In the words that nginx itself uses, which its binary has for sure. The
 * context knows its algorithm for ever: finding it costs more than the hash.
 */

ngx_int_t
ngx_http_identgw_compat_sha256(const ngx_str_t *text, u_char *digest)
{
    static EVP_MD_CTX  *md;

    const EVP_MD  *type;

    type = NULL;

    if (md == NULL) {
        md = EVP_MD_CTX_create();
        type = EVP_sha256();
    }

    if (md != NULL
        && EVP_DigestInit_ex(md, type, NULL) == 1
        && EVP_DigestUpdate(md, text->data, text->len) == 1
        && EVP_DigestFinal_ex(md, digest, NULL) == 1)
    {
        return NGX_OK;
    }

    EVP_MD_CTX_destroy(md);
    md = NULL;

    return NGX_ERROR;
}


ngx_int_t
ngx_http_identgw_compat_random(u_char *p, size_t n)
{
    return RAND_bytes(p, (int) n) == 1 ? NGX_OK : NGX_ERROR;
}

#else

ngx_int_t
ngx_http_identgw_compat_sha256(const ngx_str_t *text, u_char *digest)
{
    return NGX_DECLINED;
}


ngx_int_t
ngx_http_identgw_compat_random(u_char *p, size_t n)
{
    return NGX_DECLINED;
}

#endif


#if (nginx_version >= 1021001)

ngx_uint_t
ngx_http_identgw_compat_is_garbled(const ngx_http_upstream_t *u)
{
    return 0;
}

#else

ngx_uint_t
ngx_http_identgw_compat_is_garbled(const ngx_http_upstream_t *u)
{
    ngx_uint_t              i;
    const ngx_list_part_t  *part;
    const ngx_table_elt_t  *h;

    for (part = &u->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.data != NULL
                && !ngx_http_identgw_compat_is_name(&h[i].key))
            {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_identgw_compat_is_name(const ngx_str_t *name)
{
    size_t  i;

    for (i = 0; i < name->len; i++) {
        if (name->data[i] <= 0x20 || name->data[i] == 0x7f) {
            return 0;
        }
    }

    return name->len != 0;
}

#endif
