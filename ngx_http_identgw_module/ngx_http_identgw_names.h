/*
 * Header and cookie names.
 *
 * A name is compared in its folded form, as CGI, FastCGI and uwsgi peers see
 * it: letters in lower case, every byte that is neither letter nor digit "_".
 */

#ifndef NGX_HTTP_IDENTGW_NAMES_H
#define NGX_HTTP_IDENTGW_NAMES_H


#include "ngx_http_identgw_conf.h"


/* Fills all forms of "key", which must outlive "name". NGX_ERROR: no memory */
ngx_int_t ngx_http_identgw_names_init(ngx_pool_t *pool, const ngx_str_t *key,
    ngx_http_identgw_name_t *name);

/* Writes the folded form of "key" to "dst", which holds key->len bytes. */
void ngx_http_identgw_names_fold(u_char *dst, const ngx_str_t *key);

/* Whether "key", folded, begins with "folded". */
ngx_uint_t ngx_http_identgw_names_begin(const ngx_str_t *folded,
    const ngx_str_t *key);

/* Whether "key", folded, equals "folded". */
static ngx_inline ngx_uint_t
ngx_http_identgw_names_equal(const ngx_str_t *folded, const ngx_str_t *key)
{
    return folded->len == key->len
           && ngx_http_identgw_names_begin(folded, key);
}

/*
 * The length of "key" as a bit, for sets of lengths. Folding keeps a length: a
 * name whose bit is in none of a set's names equals none of them.
 */
static ngx_inline uint64_t
ngx_http_identgw_names_length(const ngx_str_t *key)
{
    return (uint64_t) 1 << (key->len & 63);
}

/* RFC 9110 5.6.2: a non-empty token, the syntax of header and cookie names. */
ngx_uint_t ngx_http_identgw_names_is_token(const ngx_str_t *name);

/* Whether nginx or HTTP itself lives by the header of that folded name. */
ngx_uint_t ngx_http_identgw_names_reserved(const ngx_str_t *folded);

/* Whether the questions to the identity provider use that folded name. */
ngx_uint_t ngx_http_identgw_names_asked(const ngx_str_t *folded);


#endif
