/*
 * What differs between the versions of nginx, one function each. And what
 * begins with the end of nginx's own headers: the module's files call one
 * another directly, for nobody else can, instead of by way of the dynamic
 * linker's tables.
 */

#ifndef NGX_HTTP_IDENTGW_COMPAT_H
#define NGX_HTTP_IDENTGW_COMPAT_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#pragma GCC visibility push(hidden)


#define NGX_HTTP_IDENTGW_COMPAT_SHA256_SIZE  32


/*
 * Points nginx's own list of Cookie lines at these "n" lines, which are all
 * that r->headers_in.headers has, and new, this request's own.
 */
ngx_int_t ngx_http_identgw_compat_link_cookies(ngx_http_request_t *r,
    ngx_table_elt_t *h, ngx_uint_t n);

/*
 * True if a line of the upstream's answer has an empty name, or one with blanks
 * or control bytes. Always false from 1.21.1 on, where nginx itself refuses
 * such an answer.
 */
ngx_uint_t ngx_http_identgw_compat_is_garbled(const ngx_http_upstream_t *u);

/* Tells nginx that r->headers_in.headers is another list than before. */
void ngx_http_identgw_compat_headers_changed(ngx_http_request_t *r);

/*
 * The time since the machine was started, sleep included, read at this very
 * moment. nginx's own is that of the event loop's last turn.
 */
uint64_t ngx_http_identgw_compat_nsec(void);

/*
 * The SHA-256 of "text", by the library that nginx is linked with;
 * NGX_DECLINED: nginx was built without one, NGX_ERROR: it failed.
 */
ngx_int_t ngx_http_identgw_compat_sha256(const ngx_str_t *text,
    u_char *digest);

/* Fills "p" with "n" random bytes by it; what is returned means the same. */
ngx_int_t ngx_http_identgw_compat_random(u_char *p, size_t n);


#endif
