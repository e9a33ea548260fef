/* The directives of a node's cache and feed, and what they need together. */

#ifndef NGX_HTTP_IDENTGW_NODE_H
#define NGX_HTTP_IDENTGW_NODE_H


#include "ngx_http_identgw_conf.h"


/* Set "identgw_zone size [entry=]", "identgw_revocations uri [...]". */
char *ngx_http_identgw_node_zone(ngx_conf_t *cf,
    ngx_http_identgw_main_conf_t *mcf);
char *ngx_http_identgw_node_feed(ngx_conf_t *cf,
    ngx_http_identgw_main_conf_t *mcf);

/*
 * Once all is read: refuses what does not go together, and makes the zone, the
 * feed and the policies.
 */
ngx_int_t ngx_http_identgw_node_init(ngx_conf_t *cf);

/* Ends the use of the old configuration's zone, unless it is the new one's. */
void ngx_http_identgw_node_replace(ngx_cycle_t *cycle);


#endif
