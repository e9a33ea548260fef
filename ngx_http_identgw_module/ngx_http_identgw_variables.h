/* The module's variables, and what nginx caches of others'. */

#ifndef NGX_HTTP_IDENTGW_VARIABLES_H
#define NGX_HTTP_IDENTGW_VARIABLES_H


#include "ngx_http_identgw_conf.h"


/* Before the configuration is read: makes the variables. */
ngx_int_t ngx_http_identgw_variables_add(ngx_conf_t *cf);

/*
 * After it was read: finds the variables that depend on the client's headers
 * or on the verdict.
 */
ngx_int_t ngx_http_identgw_variables_init(ngx_conf_t *cf);

/*
 * Drops the cached values of these variables. To be called once the header
 * list has become what it will be: a length that changes between nginx's
 * counting and its copying would overrun a buffer.
 */
void ngx_http_identgw_variables_forget(ngx_http_request_t *r);


#endif
