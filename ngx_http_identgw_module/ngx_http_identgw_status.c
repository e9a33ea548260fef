#include "ngx_http_identgw_status.h"
#include "ngx_http_identgw_headers.h"
#include "ngx_http_identgw_status_cache.h"


#define NGX_HTTP_IDENTGW_STATUS_BOUNDS     12
#define NGX_HTTP_IDENTGW_STATUS_TEXT_SIZE  16384  /* twice what it takes */


typedef enum {
    NGX_HTTP_IDENTGW_STATUS_UNAVAILABLE = 0,
    NGX_HTTP_IDENTGW_STATUS_ERROR,
    NGX_HTTP_IDENTGW_STATUS_INVALID,
    NGX_HTTP_IDENTGW_STATUS_CLASSES
} ngx_http_identgw_status_class_e;


/* What a reload takes over, in shared memory. */

typedef struct {
    ngx_atomic_t    requests[NGX_HTTP_IDENTGW_REASONS];

    /* each ask in one of them; the last is for what exceeds all bounds */
    ngx_atomic_t    asks[NGX_HTTP_IDENTGW_STATUS_BOUNDS + 1];
    ngx_atomic_t    asks_msec;

    ngx_atomic_t    failures[NGX_HTTP_IDENTGW_STATUS_CLASSES];
} ngx_http_identgw_status_counters_t;


typedef struct {
    ngx_msec_t  msec;
    char       *seconds;
} ngx_http_identgw_status_bound_t;


/* How a format says it; "%uA" is the number, "%s" and "%V" are names. */

typedef struct {
    ngx_str_t   type;
    char       *begin;
    char       *request;        /* reason, number */
    char       *buckets;
    char       *bucket;         /* seconds, number */
    char       *sum_and_count;  /* everything, seconds, milliseconds, number */
    char       *failure;        /* class, number */
    char       *separator;      /* of requests, of failures */
    char       *failures_end;
    u_char   *(*cache)(u_char *p, u_char *last,
                       const ngx_http_identgw_main_conf_t *mcf);
    char       *end;
} ngx_http_identgw_status_format_t;


static ngx_int_t ngx_http_identgw_status_init_zone(ngx_shm_zone_t *zone,
    void *data);
static ngx_int_t ngx_http_identgw_status_log(ngx_http_request_t *r);
static ngx_int_t ngx_http_identgw_status_handler(ngx_http_request_t *r);
static ngx_http_identgw_status_class_e ngx_http_identgw_status_class(
    const ngx_http_identgw_ask_t *ask, ngx_http_identgw_reason_e reason);
static ngx_http_identgw_status_counters_t *ngx_http_identgw_status_counters(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_identgw_status_send(ngx_http_request_t *r,
    ngx_buf_t *b);
static u_char *ngx_http_identgw_status_requests(u_char *p, u_char *last,
    const ngx_http_identgw_status_format_t *format,
    const ngx_http_identgw_status_counters_t *counters);
static u_char *ngx_http_identgw_status_asks(u_char *p, u_char *last,
    const ngx_http_identgw_status_format_t *format,
    const ngx_http_identgw_status_counters_t *counters);
static u_char *ngx_http_identgw_status_failures(u_char *p, u_char *last,
    const ngx_http_identgw_status_format_t *format,
    const ngx_http_identgw_status_counters_t *counters);


static const ngx_http_identgw_status_bound_t
    ngx_http_identgw_status_bounds[NGX_HTTP_IDENTGW_STATUS_BOUNDS] = {
    { 1, "0.001" },
    { 2, "0.002" },
    { 5, "0.005" },
    { 10, "0.01" },
    { 20, "0.02" },
    { 50, "0.05" },
    { 100, "0.1" },
    { 200, "0.2" },
    { 500, "0.5" },
    { 1000, "1" },
    { 2000, "2" },
    { 5000, "5" }
};


/* in the order of ngx_http_identgw_status_class_e */

static char  *ngx_http_identgw_status_classes[] = {
    "unavailable",
    "status",
    "invalid"
};


static const ngx_http_identgw_status_format_t
    ngx_http_identgw_status_prometheus = {

    ngx_string("text/plain; version=0.0.4; charset=utf-8"),

    "# HELP identgw_requests_total Client requests by verdict.\n"
    "# TYPE identgw_requests_total counter\n",

    "identgw_requests_total{reason=\"%V\"} %uA\n",

    "# HELP identgw_authenticate_seconds Time until the identity provider "
    "answered.\n"
    "# TYPE identgw_authenticate_seconds histogram\n",

    "identgw_authenticate_seconds_bucket{le=\"%s\"} %uA\n",

    "identgw_authenticate_seconds_bucket{le=\"+Inf\"} %uA\n"
    "identgw_authenticate_seconds_sum %uA.%03uA\n"
    "identgw_authenticate_seconds_count %uA\n"
    "# HELP identgw_authenticate_failures_total Questions without an answer "
    "that is a verdict.\n"
    "# TYPE identgw_authenticate_failures_total counter\n",

    "identgw_authenticate_failures_total{class=\"%s\"} %uA\n",

    "",

    "",

    ngx_http_identgw_status_cache_prometheus,

    ""
};


static const ngx_http_identgw_status_format_t
    ngx_http_identgw_status_json = {

    ngx_string("application/json"),

    "{\"requests\":{",

    "\"%V\":%uA",

    "},\"authenticate\":{\"seconds\":{\"buckets\":{",

    "\"%s\":%uA,",

    "\"+Inf\":%uA},\"sum\":%uA.%03uA,\"count\":%uA},\"failures\":{",

    "\"%s\":%uA",

    ",",

    "}}",

    ngx_http_identgw_status_cache_json,

    "}\n"
};


char *
ngx_http_identgw_status_configure(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    static ngx_str_t  name = ngx_string("identgw_status");

    ngx_http_identgw_loc_conf_t *lcf = conf;

    ngx_str_t                     *value;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_identgw_main_conf_t  *mcf;

    if (lcf->status != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;
    lcf->status = &ngx_http_identgw_status_prometheus;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "json") == 0) {
        lcf->status = &ngx_http_identgw_status_json;

    } else if (cf->args->nelts == 2
               && ngx_strcmp(value[1].data, "prometheus") != 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid format \"%V\" in \"%V\", it must be "
                           "\"prometheus\" or \"json\"", &value[1],
                           &cmd->name);
        return NGX_CONF_ERROR;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_identgw_module);

    mcf->status = ngx_shared_memory_add(cf, &name, 8 * ngx_pagesize,
                                        &ngx_http_identgw_module);
    if (mcf->status == NULL) {
        return NGX_CONF_ERROR;
    }

    mcf->status->init = ngx_http_identgw_status_init_zone;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_identgw_status_handler;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_identgw_status_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt           *h;
    ngx_http_core_main_conf_t     *cmcf;
    ngx_http_identgw_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_identgw_module);

    if (mcf->status == NULL) {
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_identgw_status_log;

    return NGX_OK;
}


void
ngx_http_identgw_status_asked(ngx_http_request_t *r,
    const ngx_http_identgw_ctx_t *ctx)
{
    ngx_uint_t                           i;
    ngx_http_identgw_status_class_e      class;
    ngx_http_identgw_status_counters_t  *counters;

    counters = ngx_http_identgw_status_counters(r);

    if (counters == NULL) {
        return;
    }

    for (i = 0; i < NGX_HTTP_IDENTGW_STATUS_BOUNDS; i++) {
        if (ctx->authenticate.msec <= ngx_http_identgw_status_bounds[i].msec) {
            break;
        }
    }

    (void) ngx_atomic_fetch_add(&counters->asks[i], 1);
    (void) ngx_atomic_fetch_add(&counters->asks_msec, ctx->authenticate.msec);

    class = ngx_http_identgw_status_class(&ctx->authenticate,
                                          ctx->verdict.reason);

    if (class != NGX_HTTP_IDENTGW_STATUS_CLASSES) {
        (void) ngx_atomic_fetch_add(&counters->failures[class], 1);
    }
}


static ngx_int_t
ngx_http_identgw_status_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t  *pool;

    zone->data = data;

    if (data != NULL) {
        return NGX_OK;
    }

    pool = (ngx_slab_pool_t *) zone->shm.addr;

    zone->data = ngx_slab_calloc(pool,
                                 sizeof(ngx_http_identgw_status_counters_t));

    return zone->data != NULL ? NGX_OK : NGX_ERROR;
}


/* The end of a request; subrequests come here with "log_subrequest". */

static ngx_int_t
ngx_http_identgw_status_log(ngx_http_request_t *r)
{
    ngx_http_identgw_reason_e            reason;
    const ngx_http_identgw_ctx_t        *ctx;
    ngx_http_identgw_status_counters_t  *counters;

    ctx = (r == r->main) ? ngx_http_identgw_ctx_find(r) : NULL;

    if (ctx == NULL) {
        return NGX_OK;
    }

    reason = ngx_http_identgw_ctx_outcome(ctx);

    if (reason != NGX_HTTP_IDENTGW_UNDECIDED) {
        counters = ngx_http_identgw_status_counters(r);
        (void) ngx_atomic_fetch_add(&counters->requests[reason], 1);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_status_handler(ngx_http_request_t *r)
{
    u_char                                    *p, *last;
    ngx_int_t                                  rc;
    ngx_buf_t                                 *b;
    ngx_http_identgw_main_conf_t              *mcf;
    const ngx_http_identgw_loc_conf_t         *lcf;
    const ngx_http_identgw_status_format_t    *format;
    const ngx_http_identgw_status_counters_t  *counters;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    b = ngx_create_temp_buf(r->pool, NGX_HTTP_IDENTGW_STATUS_TEXT_SIZE);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_identgw_module);
    lcf = ngx_http_get_module_loc_conf(r, ngx_http_identgw_module);
    format = lcf->status;
    counters = ngx_http_identgw_status_counters(r);
    last = b->end;

    if (counters == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_http_identgw_status_requests(b->pos, last, format, counters);
    p = ngx_http_identgw_status_asks(p, last, format, counters);
    p = ngx_http_identgw_status_failures(p, last, format, counters);

    if (mcf->zone != NULL) {
        p = format->cache(p, last, mcf);
    }

    b->last = ngx_slprintf(p, last, format->end);

    r->headers_out.content_type = format->type;
    r->headers_out.content_type_len = format->type.len;

    return ngx_http_identgw_status_send(r, b);
}


static ngx_http_identgw_status_class_e
ngx_http_identgw_status_class(const ngx_http_identgw_ask_t *ask,
    ngx_http_identgw_reason_e reason)
{
    const ngx_http_upstream_t  *u;

    if (reason == NGX_HTTP_IDENTGW_IDP_INVALID) {
        return NGX_HTTP_IDENTGW_STATUS_INVALID;
    }

    if (reason != NGX_HTTP_IDENTGW_IDP_UNAVAILABLE) {
        return NGX_HTTP_IDENTGW_STATUS_CLASSES;
    }

    /* nginx has a status of its own for an upstream that said none */

    u = ask->request->upstream;

    return (u != NULL && u->headers_in.status_n == 0)
           ? NGX_HTTP_IDENTGW_STATUS_UNAVAILABLE
           : NGX_HTTP_IDENTGW_STATUS_ERROR;
}


static ngx_http_identgw_status_counters_t *
ngx_http_identgw_status_counters(ngx_http_request_t *r)
{
    ngx_http_identgw_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_identgw_module);

    return mcf->status != NULL ? mcf->status->data : NULL;
}


static ngx_int_t
ngx_http_identgw_status_send(ngx_http_request_t *r, ngx_buf_t *b)
{
    static const ngx_str_t  key = ngx_string("Cache-Control");
    static const ngx_str_t  value = ngx_string("no-store");

    ngx_int_t    rc;
    ngx_chain_t  out;

    if (ngx_http_identgw_headers_push(r->pool, &r->headers_out.headers, &key,
                                      &value)
        == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = b->last - b->pos;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static u_char *
ngx_http_identgw_status_requests(u_char *p, u_char *last,
    const ngx_http_identgw_status_format_t *format,
    const ngx_http_identgw_status_counters_t *counters)
{
    ngx_uint_t  i;

    p = ngx_slprintf(p, last, format->begin);

    for (i = NGX_HTTP_IDENTGW_OK; i < NGX_HTTP_IDENTGW_REASONS; i++) {
        if (i != NGX_HTTP_IDENTGW_OK) {
            p = ngx_slprintf(p, last, format->separator);
        }

        p = ngx_slprintf(p, last, format->request,
                         ngx_http_identgw_ctx_reason(i), counters->requests[i]);
    }

    return p;
}


static u_char *
ngx_http_identgw_status_asks(u_char *p, u_char *last,
    const ngx_http_identgw_status_format_t *format,
    const ngx_http_identgw_status_counters_t *counters)
{
    ngx_uint_t         i;
    ngx_atomic_uint_t  n, msec;

    n = 0;
    p = ngx_slprintf(p, last, format->buckets);

    for (i = 0; i < NGX_HTTP_IDENTGW_STATUS_BOUNDS; i++) {
        n += counters->asks[i];
        p = ngx_slprintf(p, last, format->bucket,
                         ngx_http_identgw_status_bounds[i].seconds, n);
    }

    n += counters->asks[i];
    msec = counters->asks_msec;

    return ngx_slprintf(p, last, format->sum_and_count,
                        n, msec / 1000, msec % 1000, n);
}


static u_char *
ngx_http_identgw_status_failures(u_char *p, u_char *last,
    const ngx_http_identgw_status_format_t *format,
    const ngx_http_identgw_status_counters_t *counters)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_IDENTGW_STATUS_CLASSES; i++) {
        if (i != 0) {
            p = ngx_slprintf(p, last, format->separator);
        }

        p = ngx_slprintf(p, last, format->failure,
                         ngx_http_identgw_status_classes[i],
                         counters->failures[i]);
    }

    return ngx_slprintf(p, last, format->failures_end);
}
