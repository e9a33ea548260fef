/* The session id that a client sends, in a header or in a cookie. */

#ifndef NGX_HTTP_IDENTGW_SESSION_H
#define NGX_HTTP_IDENTGW_SESSION_H


#include "ngx_http_identgw_conf.h"


#define NGX_HTTP_IDENTGW_SESSION_MAX_SIZE  512


typedef enum {
    NGX_HTTP_IDENTGW_SESSION_NONE = 0,
    NGX_HTTP_IDENTGW_SESSION_BAD,
    NGX_HTTP_IDENTGW_SESSION_IN_HEADER,
    NGX_HTTP_IDENTGW_SESSION_IN_COOKIE
} ngx_http_identgw_session_e;


/*
 * Reads the id called "name" out of the request's header lines into "id",
 * which is set only when it is IN_HEADER or IN_COOKIE. A header line counts alone; two lines,
 * two cookies with different values, and an id that is empty, too long or
 * holds a control, space or non-ASCII byte are BAD.
 */
ngx_http_identgw_session_e ngx_http_identgw_session_read(ngx_http_request_t *r,
    const ngx_http_identgw_name_t *name, ngx_str_t *id);

/*
 * Adds every id called "name" that somebody may have meant to "ids", ngx_str_t:
 * all header lines and all cookies, but for what no session is called.
 */
ngx_int_t ngx_http_identgw_session_collect(ngx_http_request_t *r,
    const ngx_http_identgw_name_t *name, ngx_array_t *ids);

/*
 * Writes the Cookie line "value" without the cookies called "name" to "dst",
 * the others byte for byte; "dst" is empty when none is left. NGX_DECLINED:
 * there is none of that name.
 */
ngx_int_t ngx_http_identgw_session_cut_cookies(ngx_pool_t *pool,
    const ngx_str_t *value, const ngx_str_t *name, ngx_str_t *dst);

/* Whether a Set-Cookie line sets the cookie called "name". */
ngx_uint_t ngx_http_identgw_session_is_set(const ngx_str_t *set_cookie,
    const ngx_str_t *name);


#endif
