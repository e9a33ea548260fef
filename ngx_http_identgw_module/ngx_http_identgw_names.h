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
 * Most names are known not to be in a set by their length and first byte,
 * which make one bit of 64. It is the same for a letter in both cases. nginx
 * ends names with a NUL, so that an empty one has a byte, too.
 */
static ngx_inline ngx_uint_t
ngx_http_identgw_names_mark(const ngx_str_t *key)
{
    return (key->len + 2 * key->data[0]) & 63;
}

/* Whether "key" may be one of the names that "marks" were made of. */
static ngx_inline ngx_uint_t
ngx_http_identgw_names_marked(uint64_t marks, const ngx_str_t *key)
{
    return (marks >> ngx_http_identgw_names_mark(key)) & 1;
}

/* The marks of all that folds to "folded", which is not empty. */
uint64_t ngx_http_identgw_names_marks(const ngx_str_t *folded);

/* The same, of a name that begins with a letter. */
static ngx_inline uint64_t
ngx_http_identgw_names_letter_marks(const ngx_str_t *folded)
{
    return (uint64_t) 1 << ngx_http_identgw_names_mark(folded);
}

/* RFC 9110 5.6.2: a non-empty token, the syntax of header and cookie names. */
ngx_uint_t ngx_http_identgw_names_is_token(const ngx_str_t *name);

/* Whether nginx or HTTP itself lives by the header of that folded name. */
ngx_uint_t ngx_http_identgw_names_reserved(const ngx_str_t *folded);

/*
 * Whether no client may send "key", whatever the identity headers are: it
 * would be taken for what the web server, or identprov, says.
 */
ngx_uint_t ngx_http_identgw_names_forbidden(const ngx_str_t *key);
uint64_t ngx_http_identgw_names_forbidden_marks(void);

/* Whether the questions to the identity provider use that folded name. */
ngx_uint_t ngx_http_identgw_names_asked(const ngx_str_t *folded);


#endif
