/*
 * RFC 9110 7.6.1: a header that Connection names ends at the next hop. A
 * client must not have the next one take an identity header off.
 */

#ifndef NGX_HTTP_IDENTGW_CONNECTION_H
#define NGX_HTTP_IDENTGW_CONNECTION_H


#include "ngx_http_identgw_conf.h"


/* Whether the line is "Connection: keep-alive" or "close", names no header. */
ngx_uint_t ngx_http_identgw_connection_is_plain(const ngx_table_elt_t *h);

/*
 * Takes the names of the identity headers of "scf" out of Connection.
 * NGX_DECLINED: there was none of them.
 */
ngx_int_t ngx_http_identgw_connection_cut(ngx_http_request_t *r,
    const ngx_http_identgw_srv_conf_t *scf);


#endif
