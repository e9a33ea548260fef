#include "ngx_http_identgw_node.h"
#include "ngx_http_identgw_feed.h"
#include "ngx_http_identgw_flight.h"
#include "ngx_http_identgw_policy.h"
#include "ngx_http_identgw_uri.h"


#define NGX_HTTP_IDENTGW_NODE_LAYOUT          1   /* of the zone */
#define NGX_HTTP_IDENTGW_NODE_ENTRY_SIZE      1024
#define NGX_HTTP_IDENTGW_NODE_MIN_ENTRY_SIZE  256
#define NGX_HTTP_IDENTGW_NODE_MAX_ENTRY_SIZE  32768
#define NGX_HTTP_IDENTGW_NODE_MIN_INTERVAL    10
#define NGX_HTTP_IDENTGW_NODE_MAX_LEASE       600000
#define NGX_HTTP_IDENTGW_NODE_MSEC            UINT64_C(1000000)


static char *ngx_http_identgw_node_read_feed(ngx_conf_t *cf,
    ngx_http_identgw_feed_conf_t *feed);
static ngx_int_t ngx_http_identgw_node_parameter(ngx_conf_t *cf,
    const ngx_str_t *arg, const char *name, const char *usage,
    ngx_str_t *value);
static ngx_int_t ngx_http_identgw_node_time(ngx_conf_t *cf,
    const ngx_str_t *arg, const char *name, ngx_msec_t *msec);
static ngx_int_t ngx_http_identgw_node_check(ngx_conf_t *cf,
    const ngx_http_identgw_main_conf_t *mcf);
static ngx_int_t ngx_http_identgw_node_find_list(ngx_conf_t *cf,
    const ngx_http_identgw_main_conf_t *mcf, uint64_t *list);
static ngx_int_t ngx_http_identgw_node_make_zone(ngx_conf_t *cf,
    ngx_http_identgw_main_conf_t *mcf, uint64_t list);


char *
ngx_http_identgw_node_zone(ngx_conf_t *cf, ngx_http_identgw_main_conf_t *mcf)
{
    size_t                         min_size;
    ssize_t                        size, entry_size;
    ngx_str_t                     *value, text;
    ngx_http_identgw_zone_conf_t  *zone;

    zone = &mcf->zone_conf;
    value = cf->args->elts;

    if (zone->line != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "there is one \"identgw_zone\" already, in %s:%ui; "
                           "one is enough for all servers",
                           zone->file, zone->line);
        return NGX_CONF_ERROR;
    }

    entry_size = NGX_HTTP_IDENTGW_NODE_ENTRY_SIZE;

    if (cf->args->nelts == 3) {

        if (ngx_http_identgw_node_parameter(cf, &value[2], "entry=",
                                            "\"entry=size\"", &text)
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        entry_size = ngx_parse_size(&text);
    }

    if (entry_size < NGX_HTTP_IDENTGW_NODE_MIN_ENTRY_SIZE
        || entry_size > NGX_HTTP_IDENTGW_NODE_MAX_ENTRY_SIZE)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%V\" of \"identgw_zone\", it must be a "
                           "size between 256 and 32k", &value[2]);
        return NGX_CONF_ERROR;
    }

    zone->entry_size = ngx_align(entry_size, 64);
    min_size = ngx_align(ngx_http_identgw_zone_min_size(zone->entry_size),
                         ngx_pagesize);

    size = ngx_parse_size(&value[1]);

    if (size == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone size \"%V\", it must be one such as "
                           "\"16m\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    if ((size_t) size < min_size) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone of \"%V\" is too small to be useful, it must "
                           "be %uzk at least", &value[1], min_size / 1024);
        return NGX_CONF_ERROR;
    }

    zone->size = size;
    zone->file = cf->conf_file->file.name.data;
    zone->line = cf->conf_file->line;

    return NGX_CONF_OK;
}


char *
ngx_http_identgw_node_feed(ngx_conf_t *cf, ngx_http_identgw_main_conf_t *mcf)
{
    char                          *rv;
    ngx_http_identgw_feed_conf_t  *feed, next;

    feed = &mcf->feed_conf;
    ngx_memzero(&next, sizeof(ngx_http_identgw_feed_conf_t));

    rv = ngx_http_identgw_node_read_feed(cf, &next);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (feed->line == 0) {
        *feed = next;
        return NGX_CONF_OK;
    }

    if (next.server == feed->server
        || next.interval != feed->interval
        || next.lease != feed->lease
        || next.uri.len != feed->uri.len
        || ngx_strncmp(next.uri.data, feed->uri.data, next.uri.len) != 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "there is one \"identgw_revocations\" already, in "
                           "%s:%ui; it serves the zone of all servers, and "
                           "another server may only repeat it",
                           feed->file, feed->line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_identgw_node_init(ngx_conf_t *cf)
{
    uint64_t                       list;
    ngx_uint_t                     i;
    ngx_http_identgw_main_conf_t  *mcf;
    ngx_http_identgw_protected_t  *protected;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_identgw_module);

    if (ngx_http_identgw_node_check(cf, mcf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (mcf->zone_conf.line == 0) {
        return NGX_OK;
    }

    if (ngx_http_identgw_node_find_list(cf, mcf, &list) != NGX_OK
        || ngx_http_identgw_node_make_zone(cf, mcf, list) != NGX_OK)
    {
        return NGX_ERROR;
    }

    protected = mcf->protected.elts;

    for (i = 0; i < mcf->protected.nelts; i++) {
        if (ngx_http_identgw_policy_of(cf, &protected[i],
                                       &protected[i].conf->policy)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    mcf->feed = ngx_http_identgw_feed_init(cf, mcf);
    mcf->flights = ngx_http_identgw_flight_init(cf->pool);

    return (mcf->feed == NULL || mcf->flights == NULL) ? NGX_ERROR : NGX_OK;
}


void
ngx_http_identgw_node_replace(ngx_cycle_t *cycle)
{
    ngx_uint_t                     i;
    ngx_list_part_t               *part;
    ngx_shm_zone_t                *old;
    ngx_http_identgw_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_identgw_module);

    if (cycle->old_cycle == NULL) {
        return;
    }

    part = &cycle->old_cycle->shared_memory.part;

    for (/* void */; part; part = part->next) {
        old = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (old[i].init == ngx_http_identgw_zone_init
                && (mcf == NULL
                    || mcf->zone == NULL
                    || mcf->zone->shm->shm.addr != old[i].shm.addr))
            {
                ngx_http_identgw_zone_retire(&old[i]);
            }
        }
    }
}


static char *
ngx_http_identgw_node_read_feed(ngx_conf_t *cf,
    ngx_http_identgw_feed_conf_t *feed)
{
    char        *rv;
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    rv = ngx_http_identgw_uri_set(cf, &feed->uri);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    feed->interval = 250;
    feed->lease = 2000;

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "lease=", 6) == 0) {
            if (ngx_http_identgw_node_time(cf, &value[i], "lease=",
                                           &feed->lease)
                != NGX_OK)
            {
                return NGX_CONF_ERROR;
            }

        } else if (ngx_http_identgw_node_time(cf, &value[i], "interval=",
                                              &feed->interval)
                   != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (feed->lease <= feed->interval) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the lease of %Mms is not longer than the interval "
                           "of %Mms, it would end before the next poll; make "
                           "it several intervals long",
                           feed->lease, feed->interval);
        return NGX_CONF_ERROR;
    }

    feed->server = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    feed->file = cf->conf_file->file.name.data;
    feed->line = cf->conf_file->line;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_identgw_node_parameter(ngx_conf_t *cf, const ngx_str_t *arg,
    const char *name, const char *usage, ngx_str_t *value)
{
    size_t  len;

    len = ngx_strlen(name);

    if (arg->len <= len || ngx_strncmp(arg->data, name, len) != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", it must be %s",
                           arg, usage);
        return NGX_ERROR;
    }

    value->data = arg->data + len;
    value->len = arg->len - len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_node_time(ngx_conf_t *cf, const ngx_str_t *arg,
    const char *name, ngx_msec_t *msec)
{
    ngx_int_t  n;
    ngx_str_t  text;

    if (ngx_http_identgw_node_parameter(cf, arg, name, "\"interval=time\" or "
                                        "\"lease=time\"", &text)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    n = ngx_parse_time(&text, 0);

    if (n < NGX_HTTP_IDENTGW_NODE_MIN_INTERVAL
        || n > NGX_HTTP_IDENTGW_NODE_MAX_LEASE)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time \"%V\", it must be between 10ms and "
                           "10m", arg);
        return NGX_ERROR;
    }

    *msec = n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_node_check(ngx_conf_t *cf,
    const ngx_http_identgw_main_conf_t *mcf)
{
    if (mcf->zone_conf.line != 0 && mcf->feed_conf.line == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"identgw_zone\" in %s:%ui needs to know of "
                      "revocations, add \"identgw_revocations\" with the "
                      "internal location of identprov's feed to a server",
                      mcf->zone_conf.file, mcf->zone_conf.line);
        return NGX_ERROR;
    }

    if (mcf->zone_conf.line == 0 && mcf->feed_conf.line != 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"identgw_revocations\" in %s:%ui is of no use without "
                      "a zone, add \"identgw_zone\" to \"http\" or remove it",
                      mcf->feed_conf.file, mcf->feed_conf.line);
        return NGX_ERROR;
    }

#if !(NGX_OPENSSL)

    if (mcf->zone_conf.line != 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"identgw_zone\" in %s:%ui needs an nginx that is "
                      "built with OpenSSL",
                      mcf->zone_conf.file, mcf->zone_conf.line);
        return NGX_ERROR;
    }

#endif

    return NGX_OK;
}


/* An entry has no names: its values are those of one list. */

static ngx_int_t
ngx_http_identgw_node_find_list(ngx_conf_t *cf,
    const ngx_http_identgw_main_conf_t *mcf, uint64_t *list)
{
    uint64_t                             hash;
    ngx_uint_t                           i, n;
    const ngx_http_identgw_protected_t  *protected;

    n = 0;
    *list = 0;
    protected = mcf->protected.elts;

    for (i = 0; i < mcf->protected.nelts; i++) {

        if (!protected[i].conf->cache) {
            continue;
        }

        if (ngx_http_identgw_policy_of_list(cf, &protected[i], &hash)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (n++ != 0 && hash != *list) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "the server in %s:%ui has other identity headers "
                          "than another one that uses \"identgw_zone\" in "
                          "%s:%ui; give all the same by one "
                          "\"identgw_identity_headers\" in \"http\", or say "
                          "\"identgw_cache off\" in this server",
                          protected[i].server->file_name,
                          protected[i].server->line,
                          mcf->zone_conf.file, mcf->zone_conf.line);
            return NGX_ERROR;
        }

        *list = hash;
    }

    return NGX_OK;
}


/* The name has the meaning in it: of another one, another zone is made. */

static ngx_int_t
ngx_http_identgw_node_make_zone(ngx_conf_t *cf,
    ngx_http_identgw_main_conf_t *mcf, uint64_t list)
{
    u_char                   *p;
    ngx_str_t                 name;
    ngx_http_identgw_zone_t  *zone;

    p = ngx_pnalloc(cf->pool, sizeof("identgw_zone_") + 16
                    + 3 * (1 + NGX_INT64_LEN));
    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_identgw_zone_t));

    if (p == NULL || zone == NULL) {
        return NGX_ERROR;
    }

    name.data = p;
    p = ngx_sprintf(p, "identgw_zone_%016xL_%uz_%uz_%d", list,
                    mcf->zone_conf.entry_size,
                    sizeof(ngx_http_identgw_slot_t),
                    NGX_HTTP_IDENTGW_NODE_LAYOUT);
    name.len = p - name.data;

    zone->entry_size = mcf->zone_conf.entry_size;
    zone->interval_nsec = mcf->feed_conf.interval * NGX_HTTP_IDENTGW_NODE_MSEC;
    zone->lease_nsec = mcf->feed_conf.lease * NGX_HTTP_IDENTGW_NODE_MSEC;

    zone->copy = ngx_palloc(cf->pool, zone->entry_size);
    if (zone->copy == NULL) {
        return NGX_ERROR;
    }

    zone->shm = ngx_shared_memory_add(cf, &name, mcf->zone_conf.size,
                                      &ngx_http_identgw_module);
    if (zone->shm == NULL) {
        return NGX_ERROR;
    }

    zone->shm->init = ngx_http_identgw_zone_init;
    zone->shm->data = zone;
    mcf->zone = zone;

    return NGX_OK;
}
