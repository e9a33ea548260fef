#include "ngx_http_identgw_compat.h"


#if (nginx_version < 1021001)
static ngx_uint_t ngx_http_identgw_compat_is_name(const ngx_str_t *name);
#endif


#if (nginx_version >= 1023000)

ngx_int_t
ngx_http_identgw_compat_link_cookies(ngx_http_request_t *r,
    ngx_table_elt_t *h, ngx_uint_t n)
{
    ngx_uint_t         i;
    ngx_table_elt_t  **last;

    last = &r->headers_in.cookie;

    for (i = 0; i < n; i++) {
        *last = &h[i];
        last = &h[i].next;
    }

    *last = NULL;

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
ngx_http_identgw_compat_link_cookies(ngx_http_request_t *r,
    ngx_table_elt_t *h, ngx_uint_t n)
{
    ngx_uint_t         i;
    ngx_table_elt_t  **cookie;

    if (ngx_array_init(&r->headers_in.cookies, r->pool, n + 1,
                       sizeof(ngx_table_elt_t *))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    cookie = r->headers_in.cookies.elts;

    for (i = 0; i < n; i++) {
        cookie[i] = &h[i];
    }

    r->headers_in.cookies.nelts = n;

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
 * What EVP is made of: EVP's own steps cost more than the hash of so short a
 * text. It is deprecated since OpenSSL 3.0, of which nginx takes no notice,
 * and a binary that has EVP has it, too.
 */

ngx_int_t
ngx_http_identgw_compat_sha256(const ngx_str_t *text, u_char *digest)
{
    SHA256_CTX  sha;

    return SHA256_Init(&sha) == 1
           && SHA256_Update(&sha, text->data, text->len) == 1
           && SHA256_Final(digest, &sha) == 1
           ? NGX_OK : NGX_ERROR;
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
