/* The module's configuration: constant once nginx has started. */

#ifndef NGX_HTTP_IDENTGW_CONF_H
#define NGX_HTTP_IDENTGW_CONF_H


#include "ngx_http_identgw_compat.h"
#include "ngx_http_identgw_zone.h"


/* A function that most requests never come to: its caller is quick then. */

#define ngx_http_identgw_rare  __attribute__((cold, noinline))


#define NGX_HTTP_IDENTGW_OFF       0
#define NGX_HTTP_IDENTGW_OPTIONAL  1
#define NGX_HTTP_IDENTGW_ON        2


/* A header name in the forms that the request lists need. */

typedef struct {
    ngx_str_t    key;
    u_char      *lowcase_key;
    ngx_uint_t   hash;
    ngx_str_t    folded;      /* as CGI folds it: see names.h */
    uint64_t     marks;       /* of all that folds to it */
} ngx_http_identgw_name_t;


typedef struct {
    ngx_http_identgw_name_t   name;    /* set on the request */
    ngx_str_t                 answer;  /* folded, in the authenticate answer */
    unsigned                  authorization : 1;
} ngx_http_identgw_identity_t;


/* RFC 6454: what a browser says a request comes from. */

typedef struct {
    ngx_str_t    host;        /* with its port unless that is the default */
    unsigned     is_https : 1;
} ngx_http_identgw_origin_t;


typedef struct {
    size_t       size;
    size_t       entry_size;
    u_char      *file;        /* where "identgw_zone" stands */
    ngx_uint_t   line;        /* 0: nowhere */
} ngx_http_identgw_zone_conf_t;


typedef struct {
    ngx_str_t                  uri;
    ngx_msec_t                 interval;
    ngx_msec_t                 lease;
    ngx_http_core_srv_conf_t  *server;
    u_char                    *file;  /* where "identgw_revocations" stands */
    ngx_uint_t                 line;  /* 0: nowhere */
} ngx_http_identgw_feed_conf_t;


typedef struct {
    ngx_int_t                     request_id;  /* index of $request_id */
    ngx_http_identgw_name_t       request_id_name;  /* X-Request-Id */
    ngx_array_t                   forget;      /* ngx_int_t: see variables.h */
    ngx_array_t                   protected;  /* ngx_http_identgw_protected_t */
    ngx_shm_zone_t               *status;      /* NULL: nothing is counted */
    ngx_uint_t                    satisfy_any; /* some location with checks */
    ngx_flag_t                    configured;  /* some directive of ours */
    struct ngx_http_identgw_kept_s     *kept;  /* a worker's own */

    ngx_http_identgw_zone_conf_t  zone_conf;
    ngx_http_identgw_feed_conf_t  feed_conf;

    /* NULL, all three, without a zone; the latter two are a worker's own */
    ngx_http_identgw_zone_t      *zone;
    struct ngx_http_identgw_feed_s     *feed;
    struct ngx_http_identgw_flights_s  *flights;
} ngx_http_identgw_main_conf_t;


typedef struct {
    ngx_array_t  *identity;    /* ngx_http_identgw_identity_t */
    uint64_t      marks;       /* of what is stripped: see names.h */
    ngx_uint_t    user;        /* index of the first but Authorization */
    ngx_flag_t    configured;  /* some directive of ours applies here */
} ngx_http_identgw_srv_conf_t;


typedef struct {
    ngx_uint_t                mode;
    ngx_str_t                 authenticate;
    ngx_str_t                 signin;        /* empty: off */
    ngx_str_t                 redirect;      /* empty: off */
    ngx_http_identgw_name_t  *session;
    ngx_flag_t                pass_session;
    ngx_array_t              *csrf;          /* see csrf.h */
    ngx_array_t              *require;       /* ngx_http_complex_value_t */
    u_char                   *require_file;
    ngx_uint_t                require_line;  /* 0: inherited */
    ngx_flag_t                cache;
    ngx_msec_t                cache_ttl;
    ngx_msec_t                stale;
    ngx_flag_t                purge;
    uint64_t                  policy;        /* whose verdicts are the same */
    ngx_uint_t                answers;       /* see rewrite.h */
    ngx_uint_t                confidential;  /* for our questions alone */
    const void               *status;        /* its format; NULL: none */
    u_char                   *file;          /* where "identgw" stands */
    ngx_uint_t                line;
} ngx_http_identgw_loc_conf_t;


/* A location with identity checks, kept for the checks of "nginx -t". */

typedef struct {
    ngx_http_core_srv_conf_t     *server;
    ngx_http_identgw_loc_conf_t  *conf;
} ngx_http_identgw_protected_t;


extern ngx_module_t  ngx_http_identgw_module;


#endif
