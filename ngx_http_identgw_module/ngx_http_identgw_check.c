#include "ngx_http_identgw_check.h"
#include "ngx_http_identgw_locate.h"
#include "ngx_http_identgw_names.h"
#include "ngx_http_identgw_uri.h"


static ngx_int_t ngx_http_identgw_check_uris(ngx_conf_t *cf,
    const ngx_http_identgw_protected_t *protected);
static ngx_int_t ngx_http_identgw_check_feed(ngx_conf_t *cf,
    const ngx_http_identgw_feed_conf_t *feed);
static void ngx_http_identgw_check_mark(
    const ngx_http_core_srv_conf_t *server, const ngx_str_t *uri);
static const char *ngx_http_identgw_check_uri(
    const ngx_http_core_srv_conf_t *server, const ngx_str_t *uri);
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
                          "choose another by \"identgw_session_name\" where "
                          "\"identgw\" stands in %s:%ui",
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
    const ngx_http_identgw_protected_t  *protected;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_identgw_module);

    protected = mcf->protected.elts;

    for (i = 0; i < mcf->protected.nelts; i++) {
        if (ngx_http_identgw_check_uris(cf, &protected[i]) != NGX_OK
            || ngx_http_identgw_check_page(cf, &protected[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_http_identgw_check_feed(cf, &mcf->feed_conf);
}


static ngx_int_t
ngx_http_identgw_check_uris(ngx_conf_t *cf,
    const ngx_http_identgw_protected_t *protected)
{
    const char                         *fault, *directive;
    const ngx_str_t                    *uri;
    const ngx_http_identgw_loc_conf_t  *lcf;

    lcf = protected->conf;

    uri = &lcf->authenticate;
    directive = "identgw_authenticate";
    fault = ngx_http_identgw_check_uri(protected->server, uri);

    if (fault == NULL) {
        ngx_http_identgw_check_mark(protected->server, uri);

        if (lcf->signin.len != 0) {
            uri = &lcf->signin;
            directive = "identgw_signin";
            fault = ngx_http_identgw_check_uri(protected->server, uri);
        }
    }

    if (fault == NULL) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "location for %s \"%V\" %s; it is needed by \"identgw\" in "
                  "%s:%ui", directive, uri, fault, lcf->file, lcf->line);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_identgw_check_feed(ngx_conf_t *cf,
    const ngx_http_identgw_feed_conf_t *feed)
{
    const char  *fault;

    if (feed->line == 0) {
        return NGX_OK;
    }

    fault = ngx_http_identgw_check_uri(feed->server, &feed->uri);

    if (fault == NULL) {
        ngx_http_identgw_check_mark(feed->server, &feed->uri);
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "location for identgw_revocations \"%V\" %s; it is needed "
                  "by \"identgw_revocations\" in %s:%ui",
                  &feed->uri, fault, feed->file, feed->line);

    return NGX_ERROR;
}


/* Its answers have tokens and more that is for the gateway alone. */

static void
ngx_http_identgw_check_mark(const ngx_http_core_srv_conf_t *server,
    const ngx_str_t *uri)
{
    const ngx_http_core_loc_conf_t  *clcf;
    ngx_http_identgw_loc_conf_t     *lcf;

    clcf = ngx_http_identgw_locate(server, uri);
    lcf = clcf->loc_conf[ngx_http_identgw_module.ctx_index];
    lcf->confidential = 1;
}


/* What is wrong with the location of a question of ours, or NULL. */

static const char *
ngx_http_identgw_check_uri(const ngx_http_core_srv_conf_t *server,
    const ngx_str_t *uri)
{
    const ngx_http_core_loc_conf_t     *clcf;
    const ngx_http_identgw_loc_conf_t  *lcf;

    clcf = ngx_http_identgw_locate(server, uri);

    if (clcf == NULL) {
        return "does not exist, add it with \"internal\"";
    }

    if (!clcf->internal) {
        return "is not \"internal\", add it, or clients could ask it "
               "themselves";
    }

    lcf = clcf->loc_conf[ngx_http_identgw_module.ctx_index];

    return lcf->mode == NGX_HTTP_IDENTGW_OFF
           ? NULL : "is itself protected, add \"identgw off\" to it";
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
        fault = "is \"internal\", browsers could not ask it; name a page "
            "that they can";

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
