/* Conditions on a request whose identity is known. */

#ifndef NGX_HTTP_IDENTGW_REQUIRE_H
#define NGX_HTTP_IDENTGW_REQUIRE_H


#include "ngx_http_identgw_conf.h"


/*
 * NGX_OK: none of "values" (ngx_http_complex_value_t; NULL: there are none)
 * is empty or "0"; NGX_DECLINED: one is; NGX_ERROR: no memory.
 *
 * Variables are evaluated anew for this, whatever was cached of them before
 * the verdict, and without a trace in r. Only what was assigned and cannot be
 * evaluated stays: by "set", "auth_request_set", and named captures.
 */
ngx_int_t ngx_http_identgw_require_test(ngx_http_request_t *r,
    ngx_array_t *values);


#endif
