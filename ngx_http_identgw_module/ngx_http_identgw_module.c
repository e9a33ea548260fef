/*
 * identgw: a session id outside, a signed identity inside.
 *
 * Here: the directives and their merging; set.c reads their values. The flow
 * of a request is in access.c.
 */

#include "ngx_http_identgw_conf.h"
#include "ngx_http_identgw_access.h"
#include "ngx_http_identgw_check.h"
#include "ngx_http_identgw_filter.h"
#include "ngx_http_identgw_kept.h"
#include "ngx_http_identgw_list.h"
#include "ngx_http_identgw_names.h"
#include "ngx_http_identgw_node.h"
#include "ngx_http_identgw_phase.h"
#include "ngx_http_identgw_rewrite.h"
#include "ngx_http_identgw_set.h"
#include "ngx_http_identgw_status.h"
#include "ngx_http_identgw_variables.h"


static ngx_int_t ngx_http_identgw_module_preconfigure(ngx_conf_t *cf);
static ngx_int_t ngx_http_identgw_module_postconfigure(ngx_conf_t *cf);
static ngx_int_t ngx_http_identgw_module_init(ngx_cycle_t *cycle);
static void *ngx_http_identgw_module_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_identgw_module_create_srv_conf(ngx_conf_t *cf);
static char *ngx_http_identgw_module_merge_srv_conf(ngx_conf_t *cf,
    void *parent, void *child);
static void *ngx_http_identgw_module_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_identgw_module_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);


static ngx_command_t  ngx_http_identgw_module_commands[] = {

    { ngx_string("identgw"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_identgw_set_mode,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("identgw_authenticate"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_identgw_set_authenticate,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("identgw_signin"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_identgw_set_signin,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("identgw_session_name"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_identgw_set_session,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("identgw_identity_headers"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_1MORE,
      ngx_http_identgw_set_identity,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("identgw_pass_session"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_identgw_set_flag,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_identgw_loc_conf_t, pass_session),
      NULL },

    { ngx_string("identgw_csrf"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_identgw_set_csrf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("identgw_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_identgw_set_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("identgw_cache"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_identgw_set_flag,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_identgw_loc_conf_t, cache),
      NULL },

    { ngx_string("identgw_cache_ttl"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_identgw_set_time,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_identgw_loc_conf_t, cache_ttl),
      NULL },

    { ngx_string("identgw_revocations"),
      NGX_HTTP_SRV_CONF|NGX_CONF_TAKE123,
      ngx_http_identgw_set_feed,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("identgw_stale_if_error"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_identgw_set_time,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_identgw_loc_conf_t, stale),
      NULL },

    { ngx_string("identgw_purge"),
      NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_identgw_set_flag,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_identgw_loc_conf_t, purge),
      NULL },

    { ngx_string("identgw_require"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_identgw_set_require,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_identgw_loc_conf_t, require),
      NULL },

    { ngx_string("identgw_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_identgw_set_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    ngx_null_command
};


static ngx_http_module_t  ngx_http_identgw_module_ctx = {
    ngx_http_identgw_module_preconfigure,      /* preconfiguration */
    ngx_http_identgw_module_postconfigure,     /* postconfiguration */

    ngx_http_identgw_module_create_main_conf,  /* create main configuration */
    NULL,                                      /* init main configuration */

    ngx_http_identgw_module_create_srv_conf,   /* create server configuration */
    ngx_http_identgw_module_merge_srv_conf,    /* merge server configuration */

    ngx_http_identgw_module_create_loc_conf,   /* create location */
    ngx_http_identgw_module_merge_loc_conf     /* merge location */
};


ngx_module_t  ngx_http_identgw_module = {
    NGX_MODULE_V1,
    &ngx_http_identgw_module_ctx,          /* module context */
    ngx_http_identgw_module_commands,      /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_identgw_module_init,          /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* The heads of nginx's chains, of the configuration before. */

static ngx_http_output_header_filter_pt  ngx_http_identgw_module_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_identgw_module_body_filter;


static ngx_int_t
ngx_http_identgw_module_preconfigure(ngx_conf_t *cf)
{
    ngx_str_t                      name;
    ngx_http_identgw_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_identgw_module);

    ngx_http_identgw_module_header_filter = ngx_http_top_header_filter;
    ngx_http_identgw_module_body_filter = ngx_http_top_body_filter;

    ngx_str_set(&name, "request_id");

    mcf->request_id = ngx_http_get_variable_index(cf, &name);

    if (mcf->request_id == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_str_set(&name, "X-Request-Id");

    if (ngx_http_identgw_names_init(cf->pool, &name, &mcf->request_id_name)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_identgw_variables_add(cf);
}


/*
 * nginx makes its chains of filters anew, in global variables, and keeps what it
 * has got when a module refuses the configuration: a worker that then takes the
 * place of one that died would go without the filters that come later. The links
 * from module to module are as before; the heads are restored here.
 */

static ngx_int_t
ngx_http_identgw_module_postconfigure(ngx_conf_t *cf)
{
    ngx_http_identgw_main_conf_t  *mcf;

    if (ngx_http_identgw_check_all(cf) != NGX_OK
        || ngx_http_identgw_node_init(cf) != NGX_OK)
    {
        ngx_http_top_header_filter = ngx_http_identgw_module_header_filter;
        ngx_http_top_body_filter = ngx_http_identgw_module_body_filter;

        return NGX_ERROR;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_identgw_module);

    if (!mcf->configured) {
        return NGX_OK;
    }

    if (ngx_http_identgw_variables_init(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_identgw_filter_init();

    if (ngx_http_identgw_status_init(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_identgw_access_init(cf);
}


static ngx_int_t
ngx_http_identgw_module_init(ngx_cycle_t *cycle)
{
    ngx_http_identgw_node_replace(cycle);

    return ngx_http_identgw_phase_init_module(cycle);
}


static void *
ngx_http_identgw_module_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_identgw_main_conf_t  *mcf;

    mcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_identgw_main_conf_t));
    if (mcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&mcf->forget, cf->pool, 8, sizeof(ngx_int_t)) != NGX_OK
        || ngx_array_init(&mcf->protected, cf->pool, 8,
                          sizeof(ngx_http_identgw_protected_t))
        != NGX_OK)
    {
        return NULL;
    }

    mcf->kept = ngx_http_identgw_kept_create(cf);

    return mcf->kept == NULL ? NULL : mcf;
}


static void *
ngx_http_identgw_module_create_srv_conf(ngx_conf_t *cf)
{
    /*
     * set by ngx_pcalloc():
     *
     *     scf->identity = NULL;
     *     scf->marks = 0;
     *     scf->configured = 0;
     */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_identgw_srv_conf_t));
}


static char *
ngx_http_identgw_module_merge_srv_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_identgw_srv_conf_t *prev = parent;
    ngx_http_identgw_srv_conf_t *conf = child;

    char  *rv;

    conf->configured |= prev->configured;

    if (conf->identity != NULL) {
        return NGX_CONF_OK;
    }

    if (prev->identity == NULL) {
        rv = ngx_http_identgw_list_set_default(cf, prev);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    conf->identity = prev->identity;
    conf->marks = prev->marks;
    conf->user = prev->user;

    return NGX_CONF_OK;
}


static void *
ngx_http_identgw_module_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_identgw_loc_conf_t  *lcf;

    lcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_identgw_loc_conf_t));
    if (lcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     lcf->authenticate = { 0, NULL };
     *     lcf->signin = { 0, NULL };
     *     lcf->redirect = { 0, NULL };
     *     lcf->policy = 0;
     *     lcf->answers = 0;
     *     lcf->status = NULL;
     *     lcf->require_file = NULL;
     *     lcf->require_line = 0;
     *     lcf->file = NULL;
     */

    lcf->mode = NGX_CONF_UNSET_UINT;
    lcf->session = NGX_CONF_UNSET_PTR;
    lcf->pass_session = NGX_CONF_UNSET;
    lcf->csrf = NGX_CONF_UNSET_PTR;
    lcf->require = NGX_CONF_UNSET_PTR;
    lcf->cache = NGX_CONF_UNSET;
    lcf->cache_ttl = NGX_CONF_UNSET_MSEC;
    lcf->stale = NGX_CONF_UNSET_MSEC;
    lcf->purge = NGX_CONF_UNSET;

    return lcf;
}


static char *
ngx_http_identgw_module_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    static ngx_array_t      own_origin_only;
    static const ngx_str_t  default_session = ngx_string("JSESSIONID");

    ngx_http_identgw_loc_conf_t *prev = parent;
    ngx_http_identgw_loc_conf_t *conf = child;

    ngx_http_identgw_main_conf_t  *mcf;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_identgw_protected_t  *protected;

    if (conf->mode == NGX_CONF_UNSET_UINT) {
        conf->file = prev->file;
        conf->line = prev->line;
    }

    ngx_conf_merge_uint_value(conf->mode, prev->mode, NGX_HTTP_IDENTGW_OFF);
    ngx_conf_merge_str_value(conf->authenticate, prev->authenticate,
                             "/.identgw/authenticate");
    ngx_conf_merge_str_value(conf->signin, prev->signin, "/.identgw/signin");
    ngx_conf_merge_str_value(conf->redirect, prev->redirect, "");
    ngx_conf_merge_value(conf->pass_session, prev->pass_session, 0);
    ngx_conf_merge_ptr_value(conf->csrf, prev->csrf, &own_origin_only);
    ngx_conf_merge_ptr_value(conf->require, prev->require, NULL);
    ngx_conf_merge_value(conf->cache, prev->cache, 1);
    ngx_conf_merge_msec_value(conf->cache_ttl, prev->cache_ttl, 60000);
    ngx_conf_merge_msec_value(conf->stale, prev->stale, 0);
    ngx_conf_merge_value(conf->purge, prev->purge, 0);

    if (prev->session == NGX_CONF_UNSET_PTR) {
        prev->session = ngx_http_identgw_set_session_name(cf,
                                                          &default_session);
        if (prev->session == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    ngx_conf_merge_ptr_value(conf->session, prev->session, NULL);

    if (conf->mode == NGX_HTTP_IDENTGW_OFF) {
        return ngx_http_identgw_check_open(cf, conf);
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_identgw_module);

    protected = ngx_array_push(&mcf->protected);
    if (protected == NULL) {
        return NGX_CONF_ERROR;
    }

    protected->server = ngx_http_conf_get_module_srv_conf(cf,
                                                          ngx_http_core_module);
    protected->conf = conf;

    conf->answers = ngx_http_identgw_rewrite_answers(cf);

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->satisfy == NGX_HTTP_SATISFY_ANY) {
        mcf->satisfy_any = 1;
    }

    return ngx_http_identgw_check_session(cf, conf);
}
