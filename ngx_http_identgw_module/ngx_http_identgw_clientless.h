/*
 * A request that no client has sent, for questions that belong to nobody's
 * request: the polls of the revocation feed.
 */

#ifndef NGX_HTTP_IDENTGW_CLIENTLESS_H
#define NGX_HTTP_IDENTGW_CLIENTLESS_H


#include "ngx_http_identgw_conf.h"


/*
 * A GET of "uri" at "server" on a connection of its own, which it ends with
 * itself; it does nothing until its subrequests do. NULL: no socket, connection
 * or memory.
 */
ngx_http_request_t *ngx_http_identgw_clientless_create(
    const ngx_http_core_srv_conf_t *server, const ngx_str_t *uri,
    ngx_log_t *log);

/*
 * Has its subrequest "sr", which has not run yet, begin behind what the server
 * block itself rewrites and returns: that is about clients, and here there is
 * no scheme, address or header of one.
 */
void ngx_http_identgw_clientless_skip(ngx_http_request_t *sr);


#endif
