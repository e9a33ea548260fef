/* Which verdicts are the same: hashes that outlive a reload. */

#ifndef NGX_HTTP_IDENTGW_POLICY_H
#define NGX_HTTP_IDENTGW_POLICY_H


#include "ngx_http_identgw_conf.h"


/*
 * Of the server, by its names and addresses, the authenticate uri, the session
 * name and the identity headers. NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_identgw_policy_of(ngx_conf_t *cf,
    const ngx_http_identgw_protected_t *protected, uint64_t *policy);

/* Of the server's identity headers alone. */
ngx_int_t ngx_http_identgw_policy_of_list(ngx_conf_t *cf,
    const ngx_http_identgw_protected_t *protected, uint64_t *hash);


#endif
