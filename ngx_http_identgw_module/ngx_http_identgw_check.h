/* What "nginx -t" refuses. */

#ifndef NGX_HTTP_IDENTGW_CHECK_H
#define NGX_HTTP_IDENTGW_CHECK_H


#include "ngx_http_identgw_conf.h"


/*
 * Of a location that has been merged, under "identgw off" and else. A fault is
 * in the log, with file and line.
 */
char *ngx_http_identgw_check_open(ngx_conf_t *cf,
    const ngx_http_identgw_loc_conf_t *lcf);
char *ngx_http_identgw_check_session(ngx_conf_t *cf,
    const ngx_http_identgw_loc_conf_t *lcf);

/* Once all locations are known. */
ngx_int_t ngx_http_identgw_check_all(ngx_conf_t *cf);


#endif
