/*
 * What the module knows of one client request.
 *
 * It survives internal redirects, which wipe nginx's module contexts, and is
 * shared by the client request's subrequests. A client request that only meets
 * open locations has none; nginx's slot holds a mark once it is stripped.
 */

#ifndef NGX_HTTP_IDENTGW_CTX_H
#define NGX_HTTP_IDENTGW_CTX_H


#include "ngx_http_identgw_conf.h"
#include "ngx_http_identgw_session.h"


typedef enum {
    NGX_HTTP_IDENTGW_UNDECIDED = 0,
    NGX_HTTP_IDENTGW_OK,
    NGX_HTTP_IDENTGW_OK_STALE,
    NGX_HTTP_IDENTGW_ANONYMOUS,
    NGX_HTTP_IDENTGW_NO_SESSION,
    NGX_HTTP_IDENTGW_BAD_SESSION,
    NGX_HTTP_IDENTGW_DENIED,
    NGX_HTTP_IDENTGW_FORBIDDEN,
    NGX_HTTP_IDENTGW_CROSS_SITE,
    NGX_HTTP_IDENTGW_THROTTLED,
    NGX_HTTP_IDENTGW_IDP_UNAVAILABLE,
    NGX_HTTP_IDENTGW_IDP_INVALID,
    NGX_HTTP_IDENTGW_REQUIREMENT,
    NGX_HTTP_IDENTGW_REASONS             /* how many there are */
} ngx_http_identgw_reason_e;


/* What the cache did for a verdict. */

typedef enum {
    NGX_HTTP_IDENTGW_CACHE_UNASKED = 0,
    NGX_HTTP_IDENTGW_CACHE_HIT,
    NGX_HTTP_IDENTGW_CACHE_MISS,
    NGX_HTTP_IDENTGW_CACHE_EXPIRED,
    NGX_HTTP_IDENTGW_CACHE_STALE,
    NGX_HTTP_IDENTGW_CACHE_BYPASS
} ngx_http_identgw_cache_e;


/* A subrequest to the identity provider. */

typedef struct {
    ngx_http_request_t  *request;
    ngx_int_t            rc;        /* of its finalization, once done */
    off_t                size;      /* of its body, as far as it has come */
    ngx_buf_t           *body;      /* takes it; NULL: nobody wants it */
    ngx_msec_t           begun;
    ngx_msec_t           msec;      /* until it was done */
    unsigned             done : 1;
    unsigned             looked : 1;   /* its first location is checked */
    unsigned             unusable : 1; /* whatever the answer is */
    unsigned             complete : 1; /* its body came to its end */
} ngx_http_identgw_ask_t;


/* What a 401 shows. */

typedef struct {
    ngx_str_t     body;
    ngx_str_t     type;      /* Content-Type, the type of which is that long */
    size_t        type_len;
    ngx_str_t     charset;
    ngx_array_t   headers;   /* ngx_keyval_t, with constant keys */
} ngx_http_identgw_page_t;


typedef struct {
    ngx_http_identgw_reason_e   reason;
    ngx_str_t                  *values;      /* as many as identity headers */
    ngx_str_t                   user;
    ngx_str_t                   retry_after;
    ngx_array_t                *challenges;  /* ngx_str_t, WWW-Authenticate */
    ngx_str_t                   epoch;       /* empty: not to be cached */
    time_t                      max_age_sec; /* -1: as long as one likes */
} ngx_http_identgw_verdict_t;


typedef struct {
    /* of this location's policy the verdict is; NULL: none was asked for */
    const ngx_http_identgw_loc_conf_t  *policy;

    ngx_http_identgw_session_e          session;
    ngx_str_t                           id;
    u_char                              key[NGX_HTTP_IDENTGW_SLOTS_KEY_SIZE];
    ngx_http_identgw_verdict_t          verdict;
    ngx_http_identgw_cache_e            cache;
    ngx_http_identgw_slots_token_t      token;
    struct ngx_http_identgw_flight_s   *flight;   /* see flight.h */
    ngx_array_t                        *purges;   /* keys, see cache.h */
    ngx_http_identgw_ask_t              authenticate;
    ngx_http_identgw_ask_t              signin;
    ngx_http_identgw_page_t            *page;     /* NULL: not known yet */
    ngx_array_t                        *cookies;  /* ngx_str_t, Set-Cookie */

    unsigned                            stripped : 1;
    unsigned                            hashed : 1;     /* key is the id's */
    unsigned                            hidden : 1;     /* Authorization */
    unsigned                            identified : 1; /* headers are set */
    unsigned                            anonymous : 1;  /* let in without */
    unsigned                            refused : 1;
    unsigned                            paged : 1;  /* and has its page */
} ngx_http_identgw_ctx_t;


/* The mark. */
extern ngx_uint_t  ngx_http_identgw_ctx_none;

/* Whether r's client request is stripped; 0: since a redirect, who knows. */
static ngx_inline ngx_uint_t
ngx_http_identgw_ctx_is_stripped(const ngx_http_request_t *r)
{
    return ngx_http_get_module_ctx(r->main, ngx_http_identgw_module) != NULL;
}

/* "ctx" is what r has, or NULL. */
static ngx_inline void
ngx_http_identgw_ctx_note_stripped(ngx_http_request_t *r,
    ngx_http_identgw_ctx_t *ctx)
{
    if (ctx == NULL) {
        ngx_http_set_ctx(r, &ngx_http_identgw_ctx_none,
                         ngx_http_identgw_module);

    } else {
        ctx->stripped = 1;
        ngx_http_set_ctx(r, ctx, ngx_http_identgw_module);
    }
}

/*
 * Whether r is stripped, in an open location without anything to do, and came
 * by such ones only.
 */
static ngx_inline ngx_uint_t
ngx_http_identgw_ctx_is_open(const ngx_http_request_t *r)
{
    const ngx_http_identgw_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_identgw_module);

    return lcf->mode == NGX_HTTP_IDENTGW_OFF
           && !lcf->purge
           && !lcf->confidential
           && ngx_http_get_module_ctx(r->main, ngx_http_identgw_module)
           == &ngx_http_identgw_ctx_none;
}

/* The context of r's client request; NULL: it has none (yet). */
ngx_http_identgw_ctx_t *ngx_http_identgw_ctx_find(const ngx_http_request_t *r);

/* The same, made when it is missing; NULL: no memory. */
ngx_http_identgw_ctx_t *ngx_http_identgw_ctx_get(ngx_http_request_t *r);

/* Forgets the verdict and begins one of lcf's policy. */
void ngx_http_identgw_ctx_begin(ngx_http_identgw_ctx_t *ctx,
    const ngx_http_identgw_loc_conf_t *lcf);

/* Whether the verdict was, or is being, made by lcf's policy. */
ngx_uint_t ngx_http_identgw_ctx_applies(const ngx_http_identgw_ctx_t *ctx,
    const ngx_http_identgw_loc_conf_t *lcf);

/* Whether r is, or serves, the subrequest "ask". */
ngx_uint_t ngx_http_identgw_ctx_is_of(const ngx_http_request_t *r,
    const ngx_http_identgw_ask_t *ask);

/* The SHA-256 of ctx->id, made once; NULL: it cannot be. */
const u_char *ngx_http_identgw_ctx_key(ngx_http_identgw_ctx_t *ctx);

/* Whether the verdict lets the client in with an identity. */
ngx_uint_t ngx_http_identgw_ctx_is_in(const ngx_http_identgw_ctx_t *ctx);

/* The reason code as the client request has it now, or UNDECIDED. */
ngx_http_identgw_reason_e ngx_http_identgw_ctx_outcome(
    const ngx_http_identgw_ctx_t *ctx);

/* The public name and the status of a reason; 0: it refuses nothing. */
const ngx_str_t *ngx_http_identgw_ctx_reason(ngx_http_identgw_reason_e reason);
ngx_int_t ngx_http_identgw_ctx_status(ngx_http_identgw_reason_e reason);


#endif
