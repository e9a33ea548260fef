/*
 * The header list of a request, as upstreams will get it.
 *
 * Lines are taken out by building the list anew around them: the others keep
 * their place in memory, for nginx points at them, and the nodes of the old
 * list stay as they are, for subrequests may share them.
 */

#ifndef NGX_HTTP_IDENTGW_HEADERS_H
#define NGX_HTTP_IDENTGW_HEADERS_H


#include "ngx_http_identgw_conf.h"
#include "ngx_http_identgw_connection.h"
#include "ngx_http_identgw_names.h"


/*
 * Whether a line may have a name of those that "marks" were made of, other
 * than a Connection that every client sends.
 */
static ngx_inline ngx_uint_t
ngx_http_identgw_headers_are_marked(const ngx_http_request_t *r,
    uint64_t marks)
{
    const ngx_list_part_t  *part;
    const ngx_table_elt_t  *h, *last;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;
        last = h + part->nelts;

        for (/* void */; h < last; h++) {
            if (ngx_http_identgw_names_marked(marks, &h->key)
                && !ngx_http_identgw_connection_is_plain(h))
            {
                return 1;
            }
        }
    }

    return 0;
}

/*
 * Takes out the identity headers of "scf" but Authorization, what no client may
 * send, and what Connection says of an identity header. NGX_DECLINED: there was nothing.
 */
ngx_int_t ngx_http_identgw_headers_strip(ngx_http_request_t *r,
    const ngx_http_identgw_srv_conf_t *scf);

/*
 * Takes out Authorization. nginx's own pointer to it stays, for handlers of
 * the access phase, until ngx_http_identgw_headers_settle().
 */
ngx_int_t ngx_http_identgw_headers_hide_authorization(ngx_http_request_t *r);

/*
 * Leaves each identity header of "scf" exactly once with its value of
 * "values", in that order, or none of them when it is empty or "values" is
 * NULL. With "session", the session id leaves, too: header line and cookies.
 */
ngx_int_t ngx_http_identgw_headers_apply(ngx_http_request_t *r,
    const ngx_http_identgw_srv_conf_t *scf, const ngx_str_t *values,
    const ngx_http_identgw_name_t *session);

/* Lets nginx's own pointers follow the list: authorization, user, passwd. */
void ngx_http_identgw_headers_settle(ngx_http_request_t *r);

/* Whether the client sent "Authorization: Bearer ...", hidden or not. */
ngx_uint_t ngx_http_identgw_headers_has_bearer(const ngx_http_request_t *r);

/* Appends a line to a list of request headers; NULL: no memory. */
ngx_table_elt_t *ngx_http_identgw_headers_push_name(ngx_list_t *list,
    const ngx_http_identgw_name_t *name, const ngx_str_t *value);

/* Appends a line to a list of request or answer headers; NULL: no memory. */
ngx_table_elt_t *ngx_http_identgw_headers_push(ngx_pool_t *pool,
    ngx_list_t *list, const ngx_str_t *key, const ngx_str_t *value);


#endif
