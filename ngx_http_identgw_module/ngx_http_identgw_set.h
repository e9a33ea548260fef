/* The values of the directives, and what is refused of them. */

#ifndef NGX_HTTP_IDENTGW_SET_H
#define NGX_HTTP_IDENTGW_SET_H


#include "ngx_http_identgw_conf.h"


/* In the words of a directive's set(); what takes flag or time is its offset. */
char *ngx_http_identgw_set_mode(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_identgw_set_authenticate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_identgw_set_signin(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_identgw_set_session(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_identgw_set_identity(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_identgw_set_csrf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_identgw_set_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_identgw_set_feed(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_identgw_set_require(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_identgw_set_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_identgw_set_flag(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_identgw_set_time(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* The forms of a session name; NULL: no memory. */
ngx_http_identgw_name_t *ngx_http_identgw_set_session_name(ngx_conf_t *cf,
    const ngx_str_t *name);


#endif
