/* The part of "identgw_status" that tells of the zone and of the feed. */

#ifndef NGX_HTTP_IDENTGW_STATUS_CACHE_H
#define NGX_HTTP_IDENTGW_STATUS_CACHE_H


#include "ngx_http_identgw_conf.h"


/* Writes it between "p" and "last"; there is a zone. */
u_char *ngx_http_identgw_status_cache_prometheus(u_char *p, u_char *last,
    const ngx_http_identgw_main_conf_t *mcf);

/* The same as members of an object that has some already. */
u_char *ngx_http_identgw_status_cache_json(u_char *p, u_char *last,
    const ngx_http_identgw_main_conf_t *mcf);


#endif
