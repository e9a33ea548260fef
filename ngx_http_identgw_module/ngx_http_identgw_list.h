/* The identity headers of a server. */

#ifndef NGX_HTTP_IDENTGW_LIST_H
#define NGX_HTTP_IDENTGW_LIST_H


#include "ngx_http_identgw_conf.h"


/*
 * Reads "n" words, each "name" or "name=answer-name", into scf->identity and
 * what depends on it; a fault is in the log.
 */
char *ngx_http_identgw_list_set(ngx_conf_t *cf,
    ngx_http_identgw_srv_conf_t *scf, const ngx_str_t *args, ngx_uint_t n);

/* The same with what a server has that says nothing. */
char *ngx_http_identgw_list_set_default(ngx_conf_t *cf,
    ngx_http_identgw_srv_conf_t *scf);


#endif
