#include "ngx_http_identgw_rewrite.h"


/*
 * The rewrite module's location configuration begins so, and its code array
 * is one of words, in nginx 1.18 to 1.30.
 */

typedef struct {
    ngx_array_t  *codes;       /* uintptr_t */
} ngx_http_identgw_rewrite_conf_t;


static const ngx_module_t *ngx_http_identgw_rewrite_module(ngx_conf_t *cf);
static ngx_uint_t ngx_http_identgw_rewrite_is_answer(const uintptr_t *code,
    size_t size);


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


ngx_uint_t
ngx_http_identgw_rewrite_is_built(ngx_conf_t *cf)
{
    return ngx_http_identgw_rewrite_module(cf) != NULL;
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
