#include "ngx_http_identgw_clientless.h"


static ngx_connection_t *ngx_http_identgw_clientless_connect(
    const ngx_http_core_srv_conf_t *server, ngx_log_t *log);
static ngx_int_t ngx_http_identgw_clientless_prepare(
    const ngx_http_core_srv_conf_t *server, ngx_connection_t *c);
static void ngx_http_identgw_clientless_close(ngx_connection_t *c);
static void ngx_http_identgw_clientless_find(ngx_http_request_t *r);
static void ngx_http_identgw_clientless_ignore(ngx_event_t *ev);
static u_char *ngx_http_identgw_clientless_log(ngx_log_t *log, u_char *buf,
    size_t len);


ngx_http_request_t *
ngx_http_identgw_clientless_create(const ngx_http_core_srv_conf_t *server,
    const ngx_str_t *uri, ngx_log_t *log)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    c = ngx_http_identgw_clientless_connect(server, log);
    if (c == NULL) {
        return NULL;
    }

    r = ngx_http_create_request(c);

    if (r == NULL) {
        ngx_http_identgw_clientless_close(c);
        return NULL;
    }

    /* from here on the request ends its connection, as nginx has it */

    c->data = r;

    r->method = NGX_HTTP_GET;
    r->method_name = ngx_http_core_get_method;
    r->http_version = NGX_HTTP_VERSION_11;
    ngx_str_set(&r->http_protocol, "HTTP/1.1");

    r->uri = *uri;
    r->unparsed_uri = r->uri;
    r->headers_in.server = server->server_name;
    r->internal = 1;
    r->logged = 1;

    /* passed: limit_req and limit_conn are about clients */

    r->limit_conn_status = 1;
    r->limit_req_status = 1;

    if (ngx_list_init(&r->headers_in.headers, r->pool, 1,
                      sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        ngx_http_finalize_request(r, NGX_HTTP_CLOSE);
        return NULL;
    }

    return r;
}


void
ngx_http_identgw_clientless_skip(ngx_http_request_t *sr)
{
    sr->write_event_handler = ngx_http_identgw_clientless_find;
}


/* A socket that nobody is at the other end of. */

static ngx_connection_t *
ngx_http_identgw_clientless_connect(const ngx_http_core_srv_conf_t *server,
    ngx_log_t *log)
{
    ngx_socket_t       s;
    ngx_connection_t  *c;

    s = ngx_socket(AF_UNIX, SOCK_DGRAM, 0);

    if (s == (ngx_socket_t) -1) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_socket_errno,
                      ngx_socket_n " failed");
        return NULL;
    }

    c = ngx_get_connection(s, log);

    if (c == NULL) {
        (void) ngx_close_socket(s);
        return NULL;
    }

#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, 1);
#endif

    if (ngx_http_identgw_clientless_prepare(server, c) != NGX_OK) {
        ngx_http_identgw_clientless_close(c);
        return NULL;
    }

    return c;
}


static ngx_int_t
ngx_http_identgw_clientless_prepare(const ngx_http_core_srv_conf_t *server,
    ngx_connection_t *c)
{
    static struct sockaddr  nowhere = { .sa_family = AF_UNIX };

    ngx_log_t              *log;
    ngx_http_log_ctx_t     *log_ctx;
    ngx_http_connection_t  *hc;

    c->pool = ngx_create_pool(1024, c->log);
    if (c->pool == NULL) {
        return NGX_ERROR;
    }

    log = ngx_palloc(c->pool, sizeof(ngx_log_t));
    log_ctx = ngx_pcalloc(c->pool, sizeof(ngx_http_log_ctx_t));
    hc = ngx_pcalloc(c->pool, sizeof(ngx_http_connection_t));

    if (log == NULL || log_ctx == NULL || hc == NULL) {
        return NGX_ERROR;
    }

    hc->conf_ctx = server->ctx;
    log_ctx->connection = c;

    *log = *c->log;
    log->connection = c->number;
    log->handler = ngx_http_identgw_clientless_log;
    log->data = log_ctx;

    c->log = log;
    c->pool->log = log;
    c->read->log = log;
    c->write->log = log;
    c->data = hc;

    c->sockaddr = &nowhere;
    c->socklen = sizeof(nowhere);
    c->local_sockaddr = &nowhere;
    c->local_socklen = sizeof(nowhere);
    ngx_str_set(&c->addr_text, "unix:");

    c->read->handler = ngx_http_identgw_clientless_ignore;
    c->write->handler = ngx_http_identgw_clientless_ignore;
    c->write->ready = 1;

    return NGX_OK;
}


static void
ngx_http_identgw_clientless_close(ngx_connection_t *c)
{
    ngx_pool_t  *pool;

#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, -1);
#endif

    pool = c->pool;

    ngx_close_connection(c);

    if (pool != NULL) {
        ngx_destroy_pool(pool);
    }
}


/* As ngx_http_handler() begins, but behind the server's own rewrites. */

static void
ngx_http_identgw_clientless_find(ngx_http_request_t *r)
{
    ngx_http_phase_handler_t   *ph;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    ph = cmcf->phase_engine.handlers;

    r->valid_location = 1;
    r->phase_handler = cmcf->phase_engine.server_rewrite_index;

    while (ph[r->phase_handler].checker != ngx_http_core_find_config_phase) {
        r->phase_handler++;
    }

    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
}


static void
ngx_http_identgw_clientless_ignore(ngx_event_t *ev)
{
    /* nobody writes to this socket, and nothing is written to it */
}


static u_char *
ngx_http_identgw_clientless_log(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char              *p;
    ngx_http_log_ctx_t  *ctx;

    ctx = log->data;
    p = buf;

    if (log->action) {
        p = ngx_snprintf(p, len, " while %s", log->action);
    }

    p = ngx_snprintf(p, len - (p - buf), ", identgw poll");

    if (ctx->request == NULL) {
        return p;
    }

    return ctx->request->log_handler(ctx->request, ctx->current_request, p,
                                     len - (p - buf));
}
