/*
 * identgw: a session id outside, a signed identity inside.
 *
 * Here: directives and configuration. The flow of a request is in access.c.
 */

#include "ngx_http_identgw_conf.h"
#include "ngx_http_identgw_access.h"
#include "ngx_http_identgw_csrf.h"
#include "ngx_http_identgw_filter.h"
#include "ngx_http_identgw_locate.h"
#include "ngx_http_identgw_names.h"
#include "ngx_http_identgw_rewrite.h"
#include "ngx_http_identgw_status.h"
#include "ngx_http_identgw_variables.h"


static char *ngx_http_identgw_module_mode(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_identgw_module_uri(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_identgw_module_signin(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_identgw_module_session(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_identgw_module_flag(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_identgw_module_csrf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_identgw_module_require(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_identgw_module_status(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_identgw_module_identity(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);

static ngx_int_t ngx_http_identgw_module_preconfigure(ngx_conf_t *cf);
static ngx_int_t ngx_http_identgw_module_postconfigure(ngx_conf_t *cf);
static void *ngx_http_identgw_module_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_identgw_module_create_srv_conf(ngx_conf_t *cf);
static char *ngx_http_identgw_module_merge_srv_conf(ngx_conf_t *cf,
    void *parent, void *child);
static void *ngx_http_identgw_module_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_identgw_module_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);

static void ngx_http_identgw_module_configured(ngx_conf_t *cf);
static ngx_uint_t ngx_http_identgw_module_is_uri(const ngx_str_t *uri);
static ngx_uint_t ngx_http_identgw_module_is_page(const ngx_str_t *uri);
static ngx_str_t ngx_http_identgw_module_path(const ngx_str_t *uri);
static ngx_http_identgw_name_t *ngx_http_identgw_module_session_name(
    ngx_conf_t *cf, const ngx_str_t *name);
static char *ngx_http_identgw_module_add_identity(ngx_conf_t *cf,
    ngx_http_identgw_srv_conf_t *scf, const ngx_str_t *arg);
static char *ngx_http_identgw_module_check_identity(ngx_conf_t *cf,
    const ngx_http_identgw_srv_conf_t *scf,
    const ngx_http_identgw_identity_t *identity);
static void ngx_http_identgw_module_find_user(
    ngx_http_identgw_srv_conf_t *scf);
static char *ngx_http_identgw_module_check_open(ngx_conf_t *cf,
    const ngx_http_identgw_loc_conf_t *lcf);
static char *ngx_http_identgw_module_check_session(ngx_conf_t *cf,
    const ngx_http_identgw_loc_conf_t *lcf);
static ngx_int_t ngx_http_identgw_module_check_uri(ngx_conf_t *cf,
    const ngx_http_identgw_protected_t *protected, const ngx_str_t *uri,
    const char *directive);
static ngx_int_t ngx_http_identgw_module_check_page(ngx_conf_t *cf,
    const ngx_http_identgw_protected_t *protected);


static ngx_conf_enum_t  ngx_http_identgw_module_modes[] = {
    { ngx_string("off"), NGX_HTTP_IDENTGW_OFF },
    { ngx_string("optional"), NGX_HTTP_IDENTGW_OPTIONAL },
    { ngx_string("on"), NGX_HTTP_IDENTGW_ON },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_identgw_module_commands[] = {

    { ngx_string("identgw"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_identgw_module_mode,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_identgw_loc_conf_t, mode),
      &ngx_http_identgw_module_modes },

    { ngx_string("identgw_authenticate"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_identgw_module_uri,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_identgw_loc_conf_t, authenticate),
      NULL },

    { ngx_string("identgw_signin"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_identgw_module_signin,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_identgw_loc_conf_t, signin),
      NULL },

    { ngx_string("identgw_session_name"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_identgw_module_session,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("identgw_identity_headers"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_1MORE,
      ngx_http_identgw_module_identity,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("identgw_pass_session"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_identgw_module_flag,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_identgw_loc_conf_t, pass_session),
      NULL },

    { ngx_string("identgw_csrf"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_identgw_module_csrf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("identgw_require"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_identgw_module_require,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_identgw_loc_conf_t, require),
      NULL },

    { ngx_string("identgw_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_identgw_module_status,
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
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static const ngx_str_t  ngx_http_identgw_module_default_identity[] = {
    ngx_string("Authorization"),
    ngx_string("X-User"),
    ngx_string("X-Email"),
    ngx_string("X-First-Name"),
    ngx_null_string
};


static char *
ngx_http_identgw_module_mode(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_identgw_loc_conf_t *lcf = conf;

    ngx_http_identgw_module_configured(cf);

    lcf->file = cf->conf_file->file.name.data;
    lcf->line = cf->conf_file->line;

    return ngx_conf_set_enum_slot(cf, cmd, conf);
}


static char *
ngx_http_identgw_module_uri(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t  *value, *uri;

    ngx_http_identgw_module_configured(cf);

    uri = (ngx_str_t *) ((u_char *) conf + cmd->offset);
    value = cf->args->elts;

    if (uri->data != NULL) {
        return "is duplicate";
    }

    if (cmd->offset == offsetof(ngx_http_identgw_loc_conf_t, signin)
        && ngx_strcmp(value[1].data, "off") == 0)
    {
        ngx_str_set(uri, "");
        return NGX_CONF_OK;
    }

    if (!ngx_http_identgw_module_is_uri(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid uri \"%V\" in \"%V\", it must be the path "
                           "of an internal location such as \"/.identgw/x\", "
                           "without arguments, variables and escapes",
                           &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    *uri = value[1];

    return NGX_CONF_OK;
}


static char *
ngx_http_identgw_module_signin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_identgw_loc_conf_t *lcf = conf;

    ngx_str_t  *value;

    if (cf->args->nelts == 2) {
        return ngx_http_identgw_module_uri(cf, cmd, conf);
    }

    ngx_http_identgw_module_configured(cf);

    value = cf->args->elts;

    if (ngx_strcmp(value[2].data, "redirect") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\"", &value[2]);
        return NGX_CONF_ERROR;
    }

    if (lcf->redirect.data != NULL) {
        return "is duplicate";
    }

    if (ngx_strcmp(value[1].data, "off") == 0) {
        ngx_str_set(&lcf->redirect, "");
        return NGX_CONF_OK;
    }

    if (!ngx_http_identgw_module_is_page(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid uri \"%V\" in \"%V ... redirect\", it "
                           "must be the path of a page of this server such "
                           "as \"/login\", without variables and escapes",
                           &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    lcf->redirect = value[1];

    return NGX_CONF_OK;
}


static char *
ngx_http_identgw_module_session(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_identgw_loc_conf_t *lcf = conf;

    ngx_str_t                *value;
    ngx_http_identgw_name_t  *name;

    ngx_http_identgw_module_configured(cf);

    if (lcf->session != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (!ngx_http_identgw_names_is_token(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid session name \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    name = ngx_http_identgw_module_session_name(cf, &value[1]);
    if (name == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_identgw_names_reserved(&name->folded)
        || ngx_http_identgw_names_asked(&name->folded))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "session name \"%V\" is a header with a meaning "
                           "of its own, choose another", &value[1]);
        return NGX_CONF_ERROR;
    }

    lcf->session = name;

    return NGX_CONF_OK;
}


static char *
ngx_http_identgw_module_flag(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_identgw_module_configured(cf);

    return ngx_conf_set_flag_slot(cf, cmd, conf);
}


static char *
ngx_http_identgw_module_csrf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_identgw_loc_conf_t *lcf = conf;

    ngx_http_identgw_module_configured(cf);

    if (lcf->csrf != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    return ngx_http_identgw_csrf_configure(cf, &lcf->csrf);
}


static char *
ngx_http_identgw_module_require(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_identgw_loc_conf_t *lcf = conf;

    ngx_http_identgw_module_configured(cf);

    if (lcf->require_line == 0) {
        lcf->require_file = cf->conf_file->file.name.data;
        lcf->require_line = cf->conf_file->line;
    }

    return ngx_http_set_predicate_slot(cf, cmd, conf);
}


static char *
ngx_http_identgw_module_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_identgw_module_configured(cf);

    return ngx_http_identgw_status_configure(cf, cmd, conf);
}


static char *
ngx_http_identgw_module_identity(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_identgw_srv_conf_t *scf = conf;

    char        *rv;
    ngx_str_t   *value;
    ngx_uint_t   i;

    ngx_http_identgw_module_configured(cf);

    if (scf->identity != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        rv = ngx_http_identgw_module_add_identity(cf, scf, &value[i]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    ngx_http_identgw_module_find_user(scf);

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_identgw_module_preconfigure(ngx_conf_t *cf)
{
    ngx_str_t                      name;
    ngx_http_identgw_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_identgw_module);

    ngx_str_set(&name, "request_id");

    mcf->request_id = ngx_http_get_variable_index(cf, &name);

    if (mcf->request_id == NGX_ERROR) {
        return NGX_ERROR;
    }

    return ngx_http_identgw_variables_add(cf);
}


static ngx_int_t
ngx_http_identgw_module_postconfigure(ngx_conf_t *cf)
{
    ngx_uint_t                     i;
    ngx_http_identgw_main_conf_t  *mcf;
    ngx_http_identgw_protected_t  *protected;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_identgw_module);

    protected = mcf->protected.elts;

    for (i = 0; i < mcf->protected.nelts; i++) {
        if (ngx_http_identgw_module_check_uri(cf, &protected[i],
                                              &protected[i].conf->authenticate,
                                              "identgw_authenticate")
            != NGX_OK
            || ngx_http_identgw_module_check_uri(cf, &protected[i],
                                                 &protected[i].conf->signin,
                                                 "identgw_signin")
            != NGX_OK
            || ngx_http_identgw_module_check_page(cf, &protected[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
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

    return mcf;
}


static void *
ngx_http_identgw_module_create_srv_conf(ngx_conf_t *cf)
{
    /*
     * set by ngx_pcalloc():
     *
     *     scf->identity = NULL;
     *     scf->lengths = 0;
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

    char             *rv;
    const ngx_str_t  *name;

    conf->configured |= prev->configured;

    if (conf->identity != NULL) {
        return NGX_CONF_OK;
    }

    if (prev->identity == NULL) {

        for (name = ngx_http_identgw_module_default_identity; name->len;
             name++)
        {
            rv = ngx_http_identgw_module_add_identity(cf, prev, name);

            if (rv != NGX_CONF_OK) {
                return rv;
            }
        }

        ngx_http_identgw_module_find_user(prev);
    }

    conf->identity = prev->identity;
    conf->lengths = prev->lengths;
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

    if (prev->session == NGX_CONF_UNSET_PTR) {
        prev->session = ngx_http_identgw_module_session_name(cf,
                                                             &default_session);
        if (prev->session == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    ngx_conf_merge_ptr_value(conf->session, prev->session, NULL);

    if (conf->mode == NGX_HTTP_IDENTGW_OFF) {
        return ngx_http_identgw_module_check_open(cf, conf);
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

    return ngx_http_identgw_module_check_session(cf, conf);
}


/* Stripping begins with the first directive of ours that a server sees. */

static void
ngx_http_identgw_module_configured(ngx_conf_t *cf)
{
    ngx_http_identgw_srv_conf_t  *scf;

    scf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_identgw_module);

    scf->configured = 1;
}


/* What no step of nginx will read in another way. */

static ngx_uint_t
ngx_http_identgw_module_is_uri(const ngx_str_t *uri)
{
    size_t  i;

    if (uri->len == 0 || uri->data[0] != '/') {
        return 0;
    }

    for (i = 0; i < uri->len; i++) {
        if (uri->data[i] <= ' ' || uri->data[i] >= 0x7f
            || ngx_strchr("?#%$\\\"", uri->data[i]) != NULL)
        {
            return 0;
        }
    }

    return ngx_strnstr(uri->data, "//", uri->len) == NULL
           && ngx_strnstr(uri->data, "/./", uri->len) == NULL
           && ngx_strnstr(uri->data, "/../", uri->len) == NULL;
}


/* The same with arguments, which browsers read as they are written. */

static ngx_uint_t
ngx_http_identgw_module_is_page(const ngx_str_t *uri)
{
    size_t     i;
    ngx_str_t  path;

    path = ngx_http_identgw_module_path(uri);

    for (i = path.len; i < uri->len; i++) {
        if (uri->data[i] <= ' ' || uri->data[i] >= 0x7f
            || ngx_strchr("#$\\\"", uri->data[i]) != NULL)
        {
            return 0;
        }
    }

    return ngx_http_identgw_module_is_uri(&path);
}


static ngx_str_t
ngx_http_identgw_module_path(const ngx_str_t *uri)
{
    u_char     *question;
    ngx_str_t   path;

    path = *uri;
    question = ngx_strlchr(uri->data, uri->data + uri->len, '?');

    if (question != NULL) {
        path.len = question - uri->data;
    }

    return path;
}


static ngx_http_identgw_name_t *
ngx_http_identgw_module_session_name(ngx_conf_t *cf, const ngx_str_t *name)
{
    ngx_http_identgw_name_t  *session;

    session = ngx_pcalloc(cf->pool, sizeof(ngx_http_identgw_name_t));

    if (session == NULL
        || ngx_http_identgw_names_init(cf->pool, name, session) != NGX_OK)
    {
        return NULL;
    }

    return session;
}


/* "name" or "name=answer-name" */

static char *
ngx_http_identgw_module_add_identity(ngx_conf_t *cf,
    ngx_http_identgw_srv_conf_t *scf, const ngx_str_t *arg)
{
    static const ngx_str_t  authorization = ngx_string("authorization");

    char                         *rv;
    u_char                       *equals;
    ngx_str_t                     name, answer;
    ngx_http_identgw_identity_t  *identity;

    name = *arg;
    answer = *arg;
    equals = ngx_strlchr(arg->data, arg->data + arg->len, '=');

    if (equals != NULL) {
        name.len = equals - arg->data;
        answer.data = equals + 1;
        answer.len = arg->len - name.len - 1;
    }

    if (!ngx_http_identgw_names_is_token(&name)
        || !ngx_http_identgw_names_is_token(&answer))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid identity header \"%V\"", arg);
        return NGX_CONF_ERROR;
    }

    if (scf->identity == NULL) {
        scf->identity = ngx_array_create(cf->pool, 4,
                                         sizeof(ngx_http_identgw_identity_t));
        if (scf->identity == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    identity = ngx_array_push(scf->identity);
    if (identity == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(identity, sizeof(ngx_http_identgw_identity_t));

    identity->answer.len = answer.len;
    identity->answer.data = ngx_pnalloc(cf->pool, answer.len);

    if (identity->answer.data == NULL
        || ngx_http_identgw_names_init(cf->pool, &name, &identity->name)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_http_identgw_names_fold(identity->answer.data, &answer);

    identity->authorization =
        ngx_http_identgw_names_equal(&authorization, &identity->name.folded);

    if (!identity->authorization) {
        scf->lengths |= ngx_http_identgw_names_length(&name);
    }

    rv = ngx_http_identgw_module_check_identity(cf, scf, identity);

    return rv;
}


static char *
ngx_http_identgw_module_check_identity(ngx_conf_t *cf,
    const ngx_http_identgw_srv_conf_t *scf,
    const ngx_http_identgw_identity_t *identity)
{
    const ngx_http_identgw_identity_t  *other;

    if (ngx_http_identgw_names_reserved(&identity->name.folded)
        || (ngx_http_identgw_names_asked(&identity->name.folded)
            && !identity->authorization))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" cannot be an identity header, nginx or "
                           "HTTP lives by it; choose a name of your own, as "
                           "in \"X-User=%V\"", &identity->name.key,
                           &identity->name.key);
        return NGX_CONF_ERROR;
    }

    for (other = scf->identity->elts; other < identity; other++) {
        if (ngx_http_identgw_names_equal(&other->name.folded,
                                         &identity->name.folded))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "identity headers \"%V\" and \"%V\" are the "
                               "same to a CGI application",
                               &other->name.key, &identity->name.key);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static void
ngx_http_identgw_module_find_user(ngx_http_identgw_srv_conf_t *scf)
{
    ngx_uint_t                          i;
    const ngx_http_identgw_identity_t  *identity;

    identity = scf->identity->elts;

    for (i = 0; i < scf->identity->nelts; i++) {
        if (!identity[i].authorization) {
            break;
        }
    }

    scf->user = i;
}


/* A rule that nobody would apply. */

static char *
ngx_http_identgw_module_check_open(ngx_conf_t *cf,
    const ngx_http_identgw_loc_conf_t *lcf)
{
    if (lcf->require_line == 0) {
        return NGX_CONF_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"identgw_require\" has no effect under \"identgw off\", "
                  "add \"identgw on\" or \"identgw optional\" to its "
                  "location in %s:%ui",
                  lcf->require_file, lcf->require_line);

    return NGX_CONF_ERROR;
}


/* A session id in a header that is stripped would never be seen. */

static char *
ngx_http_identgw_module_check_session(ngx_conf_t *cf,
    const ngx_http_identgw_loc_conf_t *lcf)
{
    ngx_uint_t                          i;
    const ngx_http_identgw_srv_conf_t  *scf;
    const ngx_http_identgw_identity_t  *identity;

    scf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_identgw_module);

    identity = scf->identity->elts;

    for (i = 0; i < scf->identity->nelts; i++) {
        if (ngx_http_identgw_names_equal(&identity[i].name.folded,
                                         &lcf->session->folded))
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "session name \"%V\" is an identity header, too, "
                          "where \"identgw\" stands in %s:%ui",
                          &lcf->session->key, lcf->file, lcf->line);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_identgw_module_check_uri(ngx_conf_t *cf,
    const ngx_http_identgw_protected_t *protected, const ngx_str_t *uri,
    const char *directive)
{
    const char                         *fault;
    ngx_http_core_loc_conf_t           *clcf;
    const ngx_http_identgw_loc_conf_t  *lcf;

    if (uri->len == 0) {
        return NGX_OK;
    }

    fault = NULL;
    clcf = ngx_http_identgw_locate(protected->server, uri);

    if (clcf == NULL) {
        fault = "does not exist, add it with \"internal\"";

    } else if (!clcf->internal) {
        fault = "is not \"internal\", clients could ask it themselves";

    } else {
        lcf = clcf->loc_conf[ngx_http_identgw_module.ctx_index];

        if (lcf->mode != NGX_HTTP_IDENTGW_OFF) {
            fault = "is itself protected, add \"identgw off\" to it";
        }
    }

    if (fault == NULL) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "location for %s \"%V\" %s; it is needed by \"identgw\" in "
                  "%s:%ui", directive, uri, fault,
                  protected->conf->file, protected->conf->line);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_identgw_module_check_page(ngx_conf_t *cf,
    const ngx_http_identgw_protected_t *protected)
{
    void                              **loc_conf;
    ngx_str_t                           path;
    const char                         *fault;
    ngx_http_core_loc_conf_t           *clcf;
    const ngx_http_identgw_loc_conf_t  *lcf;

    if (protected->conf->redirect.len == 0) {
        return NGX_OK;
    }

    path = ngx_http_identgw_module_path(&protected->conf->redirect);
    clcf = ngx_http_identgw_locate(protected->server, &path);

    loc_conf = (clcf == NULL) ? protected->server->ctx->loc_conf
                              : clcf->loc_conf;
    lcf = loc_conf[ngx_http_identgw_module.ctx_index];
    fault = NULL;

    if (clcf != NULL && clcf->internal) {
        fault = "is \"internal\", browsers could not ask it";

    } else if (lcf->mode == NGX_HTTP_IDENTGW_ON) {
        fault = "is itself protected, browsers would go in circles; add "
            "\"identgw off\" to it";
    }

    if (fault == NULL) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "location for identgw_signin \"%V\" redirect %s; it is "
                  "needed by \"identgw\" in %s:%ui",
                  &protected->conf->redirect, fault,
                  protected->conf->file, protected->conf->line);

    return NGX_ERROR;
}
