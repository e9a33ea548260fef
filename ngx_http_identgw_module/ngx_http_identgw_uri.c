#include "ngx_http_identgw_uri.h"


static ngx_uint_t ngx_http_identgw_uri_is_path(const ngx_str_t *uri);
static ngx_uint_t ngx_http_identgw_uri_is_page(const ngx_str_t *uri);


char *
ngx_http_identgw_uri_set(ngx_conf_t *cf, ngx_str_t *uri)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (uri->data != NULL) {
        return "is duplicate";
    }

    if (!ngx_http_identgw_uri_is_path(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid uri \"%V\" in \"%V\", it must be the path "
                           "of an internal location such as \"/.identgw/x\", "
                           "without arguments, variables and escapes",
                           &value[1], &value[0]);
        return NGX_CONF_ERROR;
    }

    *uri = value[1];

    return NGX_CONF_OK;
}


char *
ngx_http_identgw_uri_set_page(ngx_conf_t *cf, ngx_str_t *uri)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (uri->data != NULL) {
        return "is duplicate";
    }

    if (!ngx_http_identgw_uri_is_page(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid uri \"%V\" in \"%V ... redirect\", it "
                           "must be the path of a page of this server such "
                           "as \"/login\", without variables and escapes",
                           &value[1], &value[0]);
        return NGX_CONF_ERROR;
    }

    *uri = value[1];

    return NGX_CONF_OK;
}


ngx_str_t
ngx_http_identgw_uri_path(const ngx_str_t *uri)
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


/* What no step of nginx will read in another way. */

static ngx_uint_t
ngx_http_identgw_uri_is_path(const ngx_str_t *uri)
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
ngx_http_identgw_uri_is_page(const ngx_str_t *uri)
{
    size_t     i;
    ngx_str_t  path;

    path = ngx_http_identgw_uri_path(uri);

    for (i = path.len; i < uri->len; i++) {
        if (uri->data[i] <= ' ' || uri->data[i] >= 0x7f
            || ngx_strchr("#$\\\"", uri->data[i]) != NULL)
        {
            return 0;
        }
    }

    return ngx_http_identgw_uri_is_path(&path);
}
