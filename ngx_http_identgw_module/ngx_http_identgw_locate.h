/* Finds, while the configuration is read, where a uri will be served. */

#ifndef NGX_HTTP_IDENTGW_LOCATE_H
#define NGX_HTTP_IDENTGW_LOCATE_H


#include "ngx_http_identgw_conf.h"


/*
 * The location of "server" that serves "uri", unless a rewrite takes it
 * elsewhere; NULL: none. Postconfiguration is the time to call it, when the
 * location trees stand.
 */
ngx_http_core_loc_conf_t *ngx_http_identgw_locate(
    const ngx_http_core_srv_conf_t *server, const ngx_str_t *uri);


#endif
