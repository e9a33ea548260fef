#include "ngx_http_identgw_check.h"
#include "ngx_http_identgw_locate.h"
#include "ngx_http_identgw_names.h"
#include "ngx_http_identgw_uri.h"


static ngx_int_t ngx_http_identgw_check_uri(ngx_conf_t *cf,
    const ngx_http_identgw_protected_t *protected, const ngx_str_t *uri,
    const char *directive);
static ngx_int_t ngx_http_identgw_check_page(ngx_conf_t *cf,
    const ngx_http_identgw_protected_t *protected);


char *
ngx_http_identgw_check_open(ngx_conf_t *cf,
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


char *
ngx_http_identgw_check_session(ngx_conf_t *cf,
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


ngx_int_t
ngx_http_identgw_check_all(ngx_conf_t *cf)
{
    ngx_uint_t                           i;
    ngx_http_identgw_main_conf_t        *mcf;
    const ngx_http_identgw_loc_conf_t   *lcf;
    const ngx_http_identgw_protected_t  *protected;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_identgw_module);

    protected = mcf->protected.elts;

    for (i = 0; i < mcf->protected.nelts; i++) {
        lcf = protected[i].conf;

        if (ngx_http_identgw_check_uri(cf, &protected[i], &lcf->authenticate,
                                       "identgw_authenticate")
            != NGX_OK
            || ngx_http_identgw_check_uri(cf, &protected[i], &lcf->signin,
                                          "identgw_signin")
            != NGX_OK
            || ngx_http_identgw_check_page(cf, &protected[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_check_uri(ngx_conf_t *cf,
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
ngx_http_identgw_check_page(ngx_conf_t *cf,
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

    path = ngx_http_identgw_uri_path(&protected->conf->redirect);
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
