#include "ngx_http_identgw_require.h"


static ngx_http_variable_value_t *ngx_http_identgw_require_variables(
    ngx_http_request_t *r);
static ngx_uint_t ngx_http_identgw_require_is_assigned(ngx_http_request_t *r,
    const ngx_http_variable_t *variable, ngx_uint_t index);


ngx_int_t
ngx_http_identgw_require_test(ngx_http_request_t *r, ngx_array_t *values)
{
    ngx_int_t                   rc;
    ngx_http_variable_value_t  *cached, *variables;
#if (NGX_PCRE)
    int                        *captures;
    u_char                     *captures_data;
    ngx_uint_t                  ncaptures;
#endif

    if (values == NULL) {
        return NGX_OK;
    }

#if (NGX_PCRE)
    /* a regular expression of a "map" would write into the location's $1 */

    captures = r->captures;
    captures_data = r->captures_data;
    ncaptures = r->ncaptures;

    r->captures = NULL;
    r->ncaptures = 0;
#endif

    rc = NGX_ERROR;
    variables = ngx_http_identgw_require_variables(r);

    if (variables != NULL) {
        cached = r->variables;
        r->variables = variables;
        rc = ngx_http_test_required_predicates(r, values);
        r->variables = cached;
    }

#if (NGX_PCRE)
    r->captures = captures;
    r->captures_data = captures_data;
    r->ncaptures = ncaptures;
#endif

    return rc;
}


static ngx_http_variable_value_t *
ngx_http_identgw_require_variables(ngx_http_request_t *r)
{
    ngx_uint_t                     i;
    ngx_http_variable_t           *variable;
    ngx_http_core_main_conf_t     *cmcf;
    ngx_http_variable_value_t     *variables;
    ngx_http_identgw_main_conf_t  *mcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_identgw_module);

    variables = ngx_pcalloc(r->pool, cmcf->variables.nelts
                            * sizeof(ngx_http_variable_value_t));
    if (variables == NULL) {
        return NULL;
    }

    variable = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {
        if ((ngx_int_t) i == mcf->request_id
            || ngx_http_identgw_require_is_assigned(r, &variable[i], i))
        {
            variables[i] = r->variables[i];
        }
    }

    return variables;
}


/*
 * "set" tells its handler the index, others of this kind have a handler that
 * finds nothing.
 */

static ngx_uint_t
ngx_http_identgw_require_is_assigned(ngx_http_request_t *r,
    const ngx_http_variable_t *variable, ngx_uint_t index)
{
    ngx_http_variable_value_t  value;

    if (!r->variables[index].valid
        || !(variable->flags & NGX_HTTP_VAR_CHANGEABLE))
    {
        return 0;
    }

    if (variable->data == index) {
        return 1;
    }

    ngx_memzero(&value, sizeof(ngx_http_variable_value_t));

    return variable->get_handler(r, &value, variable->data) == NGX_OK
           && value.not_found;
}
