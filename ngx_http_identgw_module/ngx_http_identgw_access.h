/* The flow of a request through the phases. */

#ifndef NGX_HTTP_IDENTGW_ACCESS_H
#define NGX_HTTP_IDENTGW_ACCESS_H


#include "ngx_http_identgw_conf.h"


/* Puts the handlers into nginx's phases. */
ngx_int_t ngx_http_identgw_access_init(ngx_conf_t *cf);


#endif
