/* What the module does to answers on their way out. */

#ifndef NGX_HTTP_IDENTGW_FILTER_H
#define NGX_HTTP_IDENTGW_FILTER_H


#include "ngx_http_identgw_conf.h"


/* Puts the header and body filters into nginx's chains. */
void ngx_http_identgw_filter_init(void);


#endif
