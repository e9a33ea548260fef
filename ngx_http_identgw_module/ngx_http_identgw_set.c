#include "ngx_http_identgw_set.h"
#include "ngx_http_identgw_csrf.h"
#include "ngx_http_identgw_list.h"
#include "ngx_http_identgw_names.h"
#include "ngx_http_identgw_node.h"
#include "ngx_http_identgw_status.h"
#include "ngx_http_identgw_uri.h"


#define NGX_HTTP_IDENTGW_SET_MAX_TIME  86400000  /* milliseconds */


static void ngx_http_identgw_set_configured(ngx_conf_t *cf);


static const ngx_conf_enum_t  ngx_http_identgw_set_modes[] = {
    { ngx_string("off"), NGX_HTTP_IDENTGW_OFF },
    { ngx_string("optional"), NGX_HTTP_IDENTGW_OPTIONAL },
    { ngx_string("on"), NGX_HTTP_IDENTGW_ON },
    { ngx_null_string, 0 }
};


char *
ngx_http_identgw_set_mode(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_identgw_loc_conf_t *lcf = conf;

    ngx_str_t              *value;
    const ngx_conf_enum_t  *mode;

    ngx_http_identgw_set_configured(cf);

    if (lcf->mode != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    lcf->file = cf->conf_file->file.name.data;
    lcf->line = cf->conf_file->line;

    value = cf->args->elts;

    for (mode = ngx_http_identgw_set_modes; mode->name.len; mode++) {
        if (ngx_strcmp(mode->name.data, value[1].data) == 0) {
            lcf->mode = mode->value;
            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\" in \"identgw\", it must be "
                       "\"on\", \"optional\" or \"off\"", &value[1]);

    return NGX_CONF_ERROR;
}


char *
ngx_http_identgw_set_authenticate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_identgw_loc_conf_t *lcf = conf;

    ngx_http_identgw_set_configured(cf);

    return ngx_http_identgw_uri_set(cf, &lcf->authenticate);
}


char *
ngx_http_identgw_set_signin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_identgw_loc_conf_t *lcf = conf;

    ngx_str_t   *value, *uri;
    ngx_uint_t   is_page;

    ngx_http_identgw_set_configured(cf);

    value = cf->args->elts;
    is_page = (cf->args->nelts == 3);

    if (is_page && ngx_strcmp(value[2].data, "redirect") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in \"identgw_signin\", "
                           "it must be \"redirect\" or left out", &value[2]);
        return NGX_CONF_ERROR;
    }

    uri = is_page ? &lcf->redirect : &lcf->signin;

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (uri->data != NULL) {
            return "is duplicate";
        }

        ngx_str_set(uri, "");
        return NGX_CONF_OK;
    }

    return is_page ? ngx_http_identgw_uri_set_page(cf, uri)
                   : ngx_http_identgw_uri_set(cf, uri);
}


char *
ngx_http_identgw_set_session(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_identgw_loc_conf_t *lcf = conf;

    ngx_str_t                *value;
    ngx_http_identgw_name_t  *name;

    ngx_http_identgw_set_configured(cf);

    if (lcf->session != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (!ngx_http_identgw_names_is_token(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid session name \"%V\", it must be of the "
                           "characters that header and cookie names have",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    name = ngx_http_identgw_set_session_name(cf, &value[1]);
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


char *
ngx_http_identgw_set_flag(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_identgw_set_configured(cf);

    return ngx_conf_set_flag_slot(cf, cmd, conf);
}


char *
ngx_http_identgw_set_time(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char              *rv;
    ngx_str_t         *value;
    const ngx_msec_t  *msec;

    ngx_http_identgw_set_configured(cf);

    rv = ngx_conf_set_msec_slot(cf, cmd, conf);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    value = cf->args->elts;
    msec = (const ngx_msec_t *) ((const char *) conf + cmd->offset);

    if (*msec > NGX_HTTP_IDENTGW_SET_MAX_TIME) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "time \"%V\" of \"%V\" is too long, it must be 1d "
                           "at most", &value[1], &value[0]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_identgw_set_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_identgw_node_zone(cf, conf);
}


char *
ngx_http_identgw_set_feed(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_identgw_set_configured(cf);

    return ngx_http_identgw_node_feed(cf, conf);
}


char *
ngx_http_identgw_set_csrf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_identgw_loc_conf_t *lcf = conf;

    ngx_http_identgw_set_configured(cf);

    if (lcf->csrf != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    return ngx_http_identgw_csrf_configure(cf, &lcf->csrf);
}


char *
ngx_http_identgw_set_require(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_identgw_loc_conf_t *lcf = conf;

    ngx_http_identgw_set_configured(cf);

    if (lcf->require_line == 0) {
        lcf->require_file = cf->conf_file->file.name.data;
        lcf->require_line = cf->conf_file->line;
    }

    return ngx_http_set_predicate_slot(cf, cmd, conf);
}


char *
ngx_http_identgw_set_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_identgw_set_configured(cf);

    return ngx_http_identgw_status_configure(cf, cmd, conf);
}


char *
ngx_http_identgw_set_identity(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_identgw_srv_conf_t *scf = conf;

    ngx_str_t  *value;

    ngx_http_identgw_set_configured(cf);

    if (scf->identity != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;

    return ngx_http_identgw_list_set(cf, scf, &value[1], cf->args->nelts - 1);
}


/* Stripping begins with the first directive of ours that a server sees. */

static void
ngx_http_identgw_set_configured(ngx_conf_t *cf)
{
    ngx_http_identgw_srv_conf_t   *scf;
    ngx_http_identgw_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_identgw_module);
    scf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_identgw_module);

    mcf->configured = 1;
    scf->configured = 1;
}


ngx_http_identgw_name_t *
ngx_http_identgw_set_session_name(ngx_conf_t *cf, const ngx_str_t *name)
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
