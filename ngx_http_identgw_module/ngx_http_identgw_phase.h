/*
 * Where the module stands in nginx's phases, and how little it costs there
 * what it does not concern.
 */

#ifndef NGX_HTTP_IDENTGW_PHASE_H
#define NGX_HTTP_IDENTGW_PHASE_H


#include "ngx_http_identgw_conf.h"


/*
 * Puts "handler" before all that have come to "phase" so far. In the rewrite
 * phases it shares the step of nginx's rewrite module where that is alone:
 * with one more before it, nginx runs a server's own directives a second
 * time for requests without a location.
 */
ngx_int_t ngx_http_identgw_phase_add(ngx_conf_t *cf, ngx_http_phases phase,
    ngx_http_handler_pt handler);

/* Once nginx has its phases together: who is not concerned passes quickly. */
ngx_int_t ngx_http_identgw_phase_init_module(ngx_cycle_t *cycle);


#endif
