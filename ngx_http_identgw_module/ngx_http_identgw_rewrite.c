#include "ngx_http_identgw_rewrite.h"


/*
 * The rewrite module's location configuration begins so, and its code array
 * is one of words, in nginx 1.18 to 1.30.
 */

typedef struct {
    ngx_array_t  *codes;       /* uintptr_t */
} ngx_http_identgw_rewrite_conf_t;


static ngx_int_t ngx_http_identgw_rewrite_handler(ngx_http_request_t *r);
static const ngx_module_t *ngx_http_identgw_rewrite_module(ngx_conf_t *cf);
static ngx_uint_t ngx_http_identgw_rewrite_is_answer(const uintptr_t *code,
    size_t size);


static ngx_http_handler_pt  ngx_http_identgw_rewrite_next_handler;


ngx_uint_t
ngx_http_identgw_rewrite_answers(ngx_conf_t *cf)
{
    u_char                           *p, *end;
    const ngx_module_t               *module;
    ngx_http_conf_ctx_t              *ctx;
    ngx_http_identgw_rewrite_conf_t  *conf;

    module = ngx_http_identgw_rewrite_module(cf);

    if (module == NULL) {
        return 0;
    }

    ctx = cf->ctx;
    conf = ctx->loc_conf[module->ctx_index];

    if (conf->codes == NULL) {
        return 0;
    }

    p = conf->codes->elts;
    end = p + conf->codes->nelts * conf->codes->size;

    for (/* void */; p < end; p += sizeof(uintptr_t)) {
        if (ngx_http_identgw_rewrite_is_answer((uintptr_t *) p, end - p)) {
            return 1;
        }
    }

    return 0;
}


void
ngx_http_identgw_rewrite_init(ngx_conf_t *cf)
{
    ngx_array_t                *handlers;
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    if (ngx_http_identgw_rewrite_module(cf) == NULL) {
        return;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    handlers = &cmcf->phases[NGX_HTTP_REWRITE_PHASE].handlers;

    if (handlers->nelts == 0) {
        return;
    }

    /* nginx's own module was the first one to come */

    h = handlers->elts;

    ngx_http_identgw_rewrite_next_handler = h[0];
    h[0] = ngx_http_identgw_rewrite_handler;
}


/*
 * The rewrite module spares such a request its handler only where that is
 * the phase's first one.
 */

static ngx_int_t
ngx_http_identgw_rewrite_handler(ngx_http_request_t *r)
{
    ngx_http_core_srv_conf_t  *cscf;

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    if (r->loc_conf == cscf->ctx->loc_conf) {
        return NGX_DECLINED;
    }

    return ngx_http_identgw_rewrite_next_handler(r);
}


/* By its name, for nginx can be built without it. */

static const ngx_module_t *
ngx_http_identgw_rewrite_module(ngx_conf_t *cf)
{
    ngx_uint_t  i;

    for (i = 0; cf->cycle->modules[i]; i++) {
        if (ngx_strcmp(cf->cycle->modules[i]->name, "ngx_http_rewrite_module")
            == 0)
        {
            return cf->cycle->modules[i];
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_http_identgw_rewrite_is_answer(const uintptr_t *code, size_t size)
{
#if (NGX_PCRE)
    const ngx_http_script_regex_code_t  *regex;

    if (*code == (uintptr_t) ngx_http_script_regex_start_code
        && size >= sizeof(ngx_http_script_regex_code_t))
    {
        regex = (const ngx_http_script_regex_code_t *) code;

        return regex->status != 0;
    }
#endif

    return *code == (uintptr_t) ngx_http_script_return_code;
}
