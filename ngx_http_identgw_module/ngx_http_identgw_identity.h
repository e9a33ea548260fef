/* The identity provider's answer to GET /authenticate. */

#ifndef NGX_HTTP_IDENTGW_IDENTITY_H
#define NGX_HTTP_IDENTGW_IDENTITY_H


#include "ngx_http_identgw_ctx.h"


/* RFC 6750 b64token; a token does not grow without a limit */

#define NGX_HTTP_IDENTGW_IDENTITY_MAX_TOKEN_SIZE  4096


/*
 * Reads the finished subrequest "ask" into "verdict", which points into it,
 * and its Set-Cookie lines into "cookies". Everything but a status that is
 * known, and 2xx but with each header of "scf" once and well formed, is
 * IDP_UNAVAILABLE or IDP_INVALID, with an error in the log.
 * NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_identgw_identity_read(const ngx_http_identgw_ask_t *ask,
    const ngx_http_identgw_srv_conf_t *scf,
    ngx_http_identgw_verdict_t *verdict, ngx_array_t **cookies);

/* Identgw-Epoch, if there is one that can be used; else NGX_DECLINED. */
ngx_int_t ngx_http_identgw_identity_epoch(const ngx_http_request_t *sr,
    ngx_str_t *epoch);

/* How long an answer may be kept, in seconds; -1: as long as one likes. */
time_t ngx_http_identgw_identity_max_age(const ngx_http_request_t *sr);

/* The status of a finished subrequest, an answer's or nginx's; NGX_ERROR. */
ngx_int_t ngx_http_identgw_identity_status(const ngx_http_identgw_ask_t *ask);

/* What came from an upstream and is no whole answer of its own, or NULL. */
const char *ngx_http_identgw_identity_fault(const ngx_http_identgw_ask_t *ask);

/*
 * Adds to "*values" (made when NULL) the values of all lines called "folded";
 * one that holds control bytes is left out.
 * Lines are an upstream's as they came, hidden ones too, else nginx's own.
 */
ngx_int_t ngx_http_identgw_identity_collect(const ngx_http_request_t *sr,
    const ngx_str_t *folded, ngx_array_t **values);


#endif
