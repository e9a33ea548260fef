#include "ngx_http_identgw_phase.h"
#include "ngx_http_identgw_ctx.h"
#include "ngx_http_identgw_rewrite.h"


static ngx_int_t ngx_http_identgw_phase_in_server(ngx_http_request_t *r);
static ngx_int_t ngx_http_identgw_phase_in_location(ngx_http_request_t *r);
static ngx_int_t ngx_http_identgw_phase_access(ngx_http_request_t *r,
    ngx_http_phase_handler_t *ph);
static ngx_int_t ngx_http_identgw_phase_generic(ngx_http_request_t *r,
    ngx_http_phase_handler_t *ph);


/* Ours by phase, and that of the rewrite module, which has one for two. */

static ngx_http_handler_pt
    ngx_http_identgw_phase_handlers[NGX_HTTP_LOG_PHASE + 1];
static ngx_http_handler_pt  ngx_http_identgw_phase_rewrite;


ngx_int_t
ngx_http_identgw_phase_add(ngx_conf_t *cf, ngx_http_phases phase,
    ngx_http_handler_pt handler)
{
    ngx_array_t                *handlers;
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    handlers = &cmcf->phases[phase].handlers;

    ngx_http_identgw_phase_handlers[phase] = handler;

    if ((phase == NGX_HTTP_SERVER_REWRITE_PHASE
         || phase == NGX_HTTP_REWRITE_PHASE)
        && handlers->nelts == 1
        && ngx_http_identgw_rewrite_is_built(cf))
    {
        h = handlers->elts;

        ngx_http_identgw_phase_rewrite = h[0];
        h[0] = (phase == NGX_HTTP_REWRITE_PHASE)
               ? ngx_http_identgw_phase_in_location
               : ngx_http_identgw_phase_in_server;

        return NGX_OK;
    }

    h = ngx_array_push(handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = handler;

    return NGX_OK;
}


ngx_int_t
ngx_http_identgw_phase_init_module(ngx_cycle_t *cycle)
{
    ngx_http_handler_pt        *handlers;
    ngx_http_phase_handler_t   *ph;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_core_module);

    if (cmcf == NULL) {
        return NGX_OK;
    }

    handlers = ngx_http_identgw_phase_handlers;

    for (ph = cmcf->phase_engine.handlers; ph->checker; ph++) {

        if (ph->handler == NULL) {
            continue;
        }

        if (ph->handler == handlers[NGX_HTTP_ACCESS_PHASE]) {
            ph->checker = ngx_http_identgw_phase_access;

        } else if (ph->handler == handlers[NGX_HTTP_PRECONTENT_PHASE]) {
            ph->checker = ngx_http_identgw_phase_generic;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_phase_in_server(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    if (!ngx_http_identgw_ctx_is_stripped(r)) {
        rc = ngx_http_identgw_phase_handlers[NGX_HTTP_SERVER_REWRITE_PHASE](r);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return ngx_http_identgw_phase_rewrite(r);
}


static ngx_int_t
ngx_http_identgw_phase_in_location(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    if (!ngx_http_identgw_ctx_is_open(r)) {
        rc = ngx_http_identgw_phase_handlers[NGX_HTTP_REWRITE_PHASE](r);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return ngx_http_identgw_phase_rewrite(r);
}


/* As nginx's own checkers, after a handler that declines. */

static ngx_int_t
ngx_http_identgw_phase_access(ngx_http_request_t *r,
    ngx_http_phase_handler_t *ph)
{
    if (ngx_http_identgw_ctx_is_open(r)) {
        r->phase_handler++;
        return NGX_AGAIN;
    }

    return ngx_http_core_access_phase(r, ph);
}


static ngx_int_t
ngx_http_identgw_phase_generic(ngx_http_request_t *r,
    ngx_http_phase_handler_t *ph)
{
    if (ngx_http_identgw_ctx_is_open(r)) {
        r->phase_handler++;
        return NGX_AGAIN;
    }

    return ngx_http_core_generic_phase(r, ph);
}
