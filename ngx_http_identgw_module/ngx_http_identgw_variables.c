#include "ngx_http_identgw_variables.h"
#include "ngx_http_identgw_ctx.h"
#include "ngx_http_identgw_names.h"


#define NGX_HTTP_IDENTGW_VARIABLES_KEY_SIZE  8   /* bytes of the hash */


static ngx_int_t ngx_http_identgw_variables_user(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_identgw_variables_reason(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_identgw_variables_header(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_identgw_variables_cache(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_identgw_variables_session_key(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static const ngx_str_t *ngx_http_identgw_variables_find_value(
    ngx_http_request_t *r, const ngx_http_identgw_ctx_t *ctx,
    const ngx_str_t *folded);
static void ngx_http_identgw_variables_say(ngx_http_variable_value_t *v,
    const ngx_str_t *value);
static ngx_uint_t ngx_http_identgw_variables_changes(const ngx_str_t *name);
static ngx_uint_t ngx_http_identgw_variables_is_set_by_conf(
    const ngx_http_core_main_conf_t *cmcf, const ngx_str_t *name);


static ngx_http_variable_t  ngx_http_identgw_variables[] = {

    { ngx_string("identgw_user"), NULL,
      ngx_http_identgw_variables_user, 0, 0, 0 },

    { ngx_string("identgw_reason"), NULL,
      ngx_http_identgw_variables_reason, 0, 0, 0 },

    { ngx_string("identgw_cache"), NULL,
      ngx_http_identgw_variables_cache, 0, 0, 0 },

    { ngx_string("identgw_session_key"), NULL,
      ngx_http_identgw_variables_session_key, 0, 0, 0 },

    { ngx_string("identgw_header_"), NULL,
      ngx_http_identgw_variables_header, 0, NGX_HTTP_VAR_PREFIX, 0 },

    ngx_http_null_variable
};


/* in the order of ngx_http_identgw_cache_e */

static const ngx_str_t  ngx_http_identgw_variables_caches[] = {
    ngx_null_string,
    ngx_string("HIT"),
    ngx_string("MISS"),
    ngx_string("EXPIRED"),
    ngx_string("STALE"),
    ngx_string("BYPASS")
};


/* Exact, or, with a "_" at its end, what names begin with. */

static const ngx_str_t  ngx_http_identgw_variables_changing[] = {
    ngx_string("cookie_"),
    ngx_string("http_"),
    ngx_string("identgw_"),
    ngx_string("remote_user"),
    ngx_null_string
};


ngx_int_t
ngx_http_identgw_variables_add(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_identgw_variables; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_identgw_variables_init(ngx_conf_t *cf)
{
    ngx_int_t                     *index;
    ngx_uint_t                     i;
    ngx_http_variable_t           *v;
    ngx_http_core_main_conf_t     *cmcf;
    ngx_http_identgw_main_conf_t  *mcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_identgw_module);

    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {
        if (!ngx_http_identgw_variables_changes(&v[i].name)
            || ngx_http_identgw_variables_is_set_by_conf(cmcf, &v[i].name))
        {
            continue;
        }

        index = ngx_array_push(&mcf->forget);
        if (index == NULL) {
            return NGX_ERROR;
        }

        *index = i;
    }

    return NGX_OK;
}


void
ngx_http_identgw_variables_forget(ngx_http_request_t *r)
{
    ngx_uint_t                     i;
    const ngx_int_t               *index;
    ngx_http_identgw_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_identgw_module);

    index = mcf->forget.elts;

    for (i = 0; i < mcf->forget.nelts; i++) {
        r->variables[index[i]].valid = 0;
        r->variables[index[i]].not_found = 0;
    }
}


static ngx_int_t
ngx_http_identgw_variables_user(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_identgw_ctx_t  *ctx;

    ctx = ngx_http_identgw_ctx_find(r);

    if (ctx == NULL || ctx->verdict.user.len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_http_identgw_variables_say(v, &ctx->verdict.user);

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_variables_reason(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    const ngx_str_t         *name;
    ngx_http_identgw_ctx_t  *ctx;

    ctx = ngx_http_identgw_ctx_find(r);

    if (ctx == NULL
        || ngx_http_identgw_ctx_outcome(ctx) == NGX_HTTP_IDENTGW_UNDECIDED)
    {
        v->not_found = 1;
        return NGX_OK;
    }

    name = ngx_http_identgw_ctx_reason(ngx_http_identgw_ctx_outcome(ctx));

    ngx_http_identgw_variables_say(v, name);

    return NGX_OK;
}


/* The name of the variable, behind its prefix, is that of a header, folded. */

static ngx_int_t
ngx_http_identgw_variables_header(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    const ngx_str_t *name = (const ngx_str_t *) data;

    ngx_str_t                folded;
    const ngx_str_t         *value;
    ngx_http_identgw_ctx_t  *ctx;

    folded.data = name->data + sizeof("identgw_header_") - 1;
    folded.len = name->len - (sizeof("identgw_header_") - 1);

    ctx = ngx_http_identgw_ctx_find(r);
    value = (ctx == NULL || ctx->verdict.values == NULL) ? NULL
            : ngx_http_identgw_variables_find_value(r, ctx, &folded);

    if (value == NULL || value->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_http_identgw_variables_say(v, value);

    return NGX_OK;
}


static const ngx_str_t *
ngx_http_identgw_variables_find_value(ngx_http_request_t *r,
    const ngx_http_identgw_ctx_t *ctx, const ngx_str_t *folded)
{
    ngx_uint_t                          i;
    const ngx_http_identgw_identity_t  *identity;
    const ngx_http_identgw_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_identgw_module);
    identity = scf->identity->elts;

    for (i = 0; i < scf->identity->nelts; i++) {
        if (ngx_http_identgw_names_equal(&identity[i].name.folded, folded)) {
            return &ctx->verdict.values[i];
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_identgw_variables_cache(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    const ngx_http_identgw_ctx_t  *ctx;

    ctx = ngx_http_identgw_ctx_find(r);

    if (ctx == NULL
        || ctx->verdict.reason == NGX_HTTP_IDENTGW_UNDECIDED
        || ctx->cache == NGX_HTTP_IDENTGW_CACHE_UNASKED)
    {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_http_identgw_variables_say(v,
                                   &ngx_http_identgw_variables_caches[ctx->cache]);

    return NGX_OK;
}


/* For logs: it tells sessions apart and lets nobody in. */

static ngx_int_t
ngx_http_identgw_variables_session_key(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                key;
    ngx_http_identgw_ctx_t  *ctx;

    ctx = ngx_http_identgw_ctx_find(r);

    if (ctx == NULL
        || ctx->verdict.reason == NGX_HTTP_IDENTGW_UNDECIDED
        || ctx->session <= NGX_HTTP_IDENTGW_SESSION_BAD
        || ngx_http_identgw_ctx_key(ctx) == NULL)
    {
        v->not_found = 1;
        return NGX_OK;
    }

    key.len = 2 * NGX_HTTP_IDENTGW_VARIABLES_KEY_SIZE;
    key.data = ngx_pnalloc(r->pool, key.len);
    if (key.data == NULL) {
        return NGX_ERROR;
    }

    ngx_hex_dump(key.data, ctx->key, NGX_HTTP_IDENTGW_VARIABLES_KEY_SIZE);
    ngx_http_identgw_variables_say(v, &key);

    return NGX_OK;
}


static void
ngx_http_identgw_variables_say(ngx_http_variable_value_t *v,
    const ngx_str_t *value)
{
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    v->data = value->data;
    v->len = value->len;
}


static ngx_uint_t
ngx_http_identgw_variables_changes(const ngx_str_t *name)
{
    const ngx_str_t  *row;

    for (row = ngx_http_identgw_variables_changing; row->len; row++) {
        if (name->len >= row->len
            && ngx_strncmp(name->data, row->data, row->len) == 0
            && (name->len == row->len || row->data[row->len - 1] == '_'))
        {
            return 1;
        }
    }

    return 0;
}


/* "set $http_name ..." makes a variable that nobody can evaluate again. */

static ngx_uint_t
ngx_http_identgw_variables_is_set_by_conf(
    const ngx_http_core_main_conf_t *cmcf, const ngx_str_t *name)
{
    ngx_uint_t                  i;
    const ngx_hash_key_t       *key;
    const ngx_http_variable_t  *v;

    key = cmcf->variables_keys->keys.elts;

    for (i = 0; i < cmcf->variables_keys->keys.nelts; i++) {
        if (key[i].key.len == name->len
            && ngx_strncmp(key[i].key.data, name->data, name->len) == 0)
        {
            v = key[i].value;
            return (v->flags & NGX_HTTP_VAR_CHANGEABLE) != 0;
        }
    }

    return 0;
}
