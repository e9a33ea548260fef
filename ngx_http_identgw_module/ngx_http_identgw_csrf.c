#include "ngx_http_identgw_csrf.h"
#include "ngx_http_identgw_names.h"


/* What a request says in one header. */

typedef enum {
    NGX_HTTP_IDENTGW_CSRF_ABSENT = 0,
    NGX_HTTP_IDENTGW_CSRF_SAID,
    NGX_HTTP_IDENTGW_CSRF_ODD
} ngx_http_identgw_csrf_said_e;


static char *ngx_http_identgw_csrf_add(ngx_conf_t *cf, ngx_array_t *origins,
    const ngx_str_t *arg);
static ngx_uint_t ngx_http_identgw_csrf_writes(const ngx_http_request_t *r);
static ngx_http_identgw_csrf_said_e ngx_http_identgw_csrf_read(
    const ngx_http_request_t *r, const ngx_str_t *key,
    const ngx_str_t *folded, ngx_str_t *value);
static ngx_uint_t ngx_http_identgw_csrf_is_own(const ngx_http_request_t *r,
    const ngx_http_identgw_origin_t *origin);
static ngx_uint_t ngx_http_identgw_csrf_is_listed(const ngx_array_t *origins,
    const ngx_http_identgw_origin_t *origin);
static ngx_uint_t ngx_http_identgw_csrf_parse(const ngx_str_t *text,
    ngx_http_identgw_origin_t *origin);
static ngx_uint_t ngx_http_identgw_csrf_is_host(const ngx_str_t *host);
static ngx_uint_t ngx_http_identgw_csrf_is_name(u_char *p, u_char *end);
static void ngx_http_identgw_csrf_cut_port(ngx_str_t *host,
    ngx_uint_t is_https);
static ngx_uint_t ngx_http_identgw_csrf_same(
    const ngx_http_identgw_origin_t *a, const ngx_http_identgw_origin_t *b);


char *
ngx_http_identgw_csrf_configure(ngx_conf_t *cf, ngx_array_t **origins)
{
    char        *rv;
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        *origins = NULL;
        return NGX_CONF_OK;
    }

    *origins = ngx_array_create(cf->pool, 2,
                                sizeof(ngx_http_identgw_origin_t));
    if (*origins == NULL) {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "on") == 0) {
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        rv = ngx_http_identgw_csrf_add(cf, *origins, &value[i]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_http_identgw_csrf_is_foreign(ngx_http_request_t *r,
    const ngx_array_t *origins)
{
    static const ngx_str_t  site_key = ngx_string("Sec-Fetch-Site");
    static const ngx_str_t  site_folded = ngx_string("sec_fetch_site");
    static const ngx_str_t  origin_key = ngx_string("Origin");
    static const ngx_str_t  origin_folded = ngx_string("origin");

    ngx_str_t                     site, text;
    ngx_uint_t                    is_origin;
    ngx_http_identgw_origin_t     origin;
    ngx_http_identgw_csrf_said_e  said_site, said_origin;

    if (!ngx_http_identgw_csrf_writes(r)) {
        return 0;
    }

    said_site = ngx_http_identgw_csrf_read(r, &site_key, &site_folded, &site);
    said_origin = ngx_http_identgw_csrf_read(r, &origin_key, &origin_folded,
                                             &text);

    if (said_site == NGX_HTTP_IDENTGW_CSRF_ODD
        || said_origin == NGX_HTTP_IDENTGW_CSRF_ODD)
    {
        return 1;
    }

    is_origin = (said_origin == NGX_HTTP_IDENTGW_CSRF_SAID
                 && ngx_http_identgw_csrf_parse(&text, &origin));

    if (is_origin && ngx_http_identgw_csrf_is_listed(origins, &origin)) {
        return 0;
    }

    if (said_site == NGX_HTTP_IDENTGW_CSRF_SAID) {
        return !(site.len == sizeof("same-origin") - 1
                 && ngx_strncmp(site.data, "same-origin", site.len) == 0)
               && !(site.len == sizeof("none") - 1
                    && ngx_strncmp(site.data, "none", site.len) == 0);
    }

    return said_origin == NGX_HTTP_IDENTGW_CSRF_SAID
           && !(is_origin && ngx_http_identgw_csrf_is_own(r, &origin));
}


static char *
ngx_http_identgw_csrf_add(ngx_conf_t *cf, ngx_array_t *origins,
    const ngx_str_t *arg)
{
    ngx_http_identgw_origin_t  *origin;

    origin = ngx_array_push(origins);
    if (origin == NULL) {
        return NGX_CONF_ERROR;
    }

    if (!ngx_http_identgw_csrf_parse(arg, origin)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid origin \"%V\", it must be what browsers "
                           "send, such as \"https://app.example:8443\", "
                           "without a path", arg);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* RFC 9110 9.2.1; WebSocket begins with a GET and writes afterwards. */

static ngx_uint_t
ngx_http_identgw_csrf_writes(const ngx_http_request_t *r)
{
    return !(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_OPTIONS))
           || r->headers_in.upgrade != NULL;
}


/* Two lines, or another spelling that an application may fold, are odd. */

static ngx_http_identgw_csrf_said_e
ngx_http_identgw_csrf_read(const ngx_http_request_t *r, const ngx_str_t *key,
    const ngx_str_t *folded, ngx_str_t *value)
{
    ngx_uint_t                     i;
    const ngx_list_part_t         *part;
    const ngx_table_elt_t         *h;
    ngx_http_identgw_csrf_said_e   said;

    said = NGX_HTTP_IDENTGW_CSRF_ABSENT;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (!ngx_http_identgw_names_equal(folded, &h[i].key)) {
                continue;
            }

            if (said != NGX_HTTP_IDENTGW_CSRF_ABSENT
                || ngx_strncasecmp(h[i].key.data, key->data, key->len) != 0)
            {
                return NGX_HTTP_IDENTGW_CSRF_ODD;
            }

            said = NGX_HTTP_IDENTGW_CSRF_SAID;
            *value = h[i].value;
        }
    }

    return said;
}


static ngx_uint_t
ngx_http_identgw_csrf_is_own(const ngx_http_request_t *r,
    const ngx_http_identgw_origin_t *origin)
{
    ngx_http_identgw_origin_t  own;

    if (r->headers_in.host == NULL) {
        return 0;
    }

    own.host = r->headers_in.host->value;
    own.is_https = 0;

#if (NGX_HTTP_SSL)
    own.is_https = (r->connection->ssl != NULL);
#endif

    ngx_http_identgw_csrf_cut_port(&own.host, own.is_https);

    return ngx_http_identgw_csrf_same(&own, origin);
}


static ngx_uint_t
ngx_http_identgw_csrf_is_listed(const ngx_array_t *origins,
    const ngx_http_identgw_origin_t *origin)
{
    ngx_uint_t                        i;
    const ngx_http_identgw_origin_t  *listed;

    listed = origins->elts;

    for (i = 0; i < origins->nelts; i++) {
        if (ngx_http_identgw_csrf_same(&listed[i], origin)) {
            return 1;
        }
    }

    return 0;
}


/* RFC 6454 6.2: scheme "://" host [ ":" port ]; "null" is no origin. */

static ngx_uint_t
ngx_http_identgw_csrf_parse(const ngx_str_t *text,
    ngx_http_identgw_origin_t *origin)
{
    static const ngx_str_t  http = ngx_string("http://");
    static const ngx_str_t  https = ngx_string("https://");

    const ngx_str_t  *scheme;

    origin->is_https = (text->len > https.len
                        && ngx_strncasecmp(text->data, https.data, https.len)
                        == 0);

    scheme = origin->is_https ? &https : &http;

    if (text->len <= scheme->len
        || ngx_strncasecmp(text->data, scheme->data, scheme->len) != 0)
    {
        return 0;
    }

    origin->host.data = text->data + scheme->len;
    origin->host.len = text->len - scheme->len;

    if (!ngx_http_identgw_csrf_is_host(&origin->host)) {
        return 0;
    }

    ngx_http_identgw_csrf_cut_port(&origin->host, origin->is_https);

    return 1;
}


/* Of an address in brackets the ":" are no port's. */

static ngx_uint_t
ngx_http_identgw_csrf_is_host(const ngx_str_t *host)
{
    u_char     *p, *end, *colon;
    ngx_int_t   port;

    p = host->data;
    end = p + host->len;

    if (*p == '[') {
        p = ngx_strlchr(p, end, ']');
    }

    if (p == NULL) {
        return 0;
    }

    colon = ngx_strlchr(p, end, ':');

    if (colon == NULL) {
        return ngx_http_identgw_csrf_is_name(host->data, end);
    }

    port = ngx_atoi(colon + 1, end - colon - 1);

    return port >= 1 && port <= 65535
           && ngx_http_identgw_csrf_is_name(host->data, colon);
}


static ngx_uint_t
ngx_http_identgw_csrf_is_name(u_char *p, u_char *end)
{
    u_char       ch;
    const char  *others;

    if (p == end) {
        return 0;
    }

    others = (*p == '[' && end[-1] == ']') ? "[]:." : "-._";

    for (/* void */; p < end; p++) {
        ch = *p | 0x20;

        if ((ch < 'a' || ch > 'z') && (*p < '0' || *p > '9')
            && (*p == '\0' || ngx_strchr(others, *p) == NULL))
        {
            return 0;
        }
    }

    return 1;
}


static void
ngx_http_identgw_csrf_cut_port(ngx_str_t *host, ngx_uint_t is_https)
{
    static const ngx_str_t  ports[] = { ngx_string(":80"),
                                        ngx_string(":443") };

    const ngx_str_t  *port;

    port = &ports[is_https ? 1 : 0];

    if (host->len > port->len
        && ngx_strncmp(host->data + host->len - port->len, port->data,
                       port->len)
        == 0)
    {
        host->len -= port->len;
    }
}


static ngx_uint_t
ngx_http_identgw_csrf_same(const ngx_http_identgw_origin_t *a,
    const ngx_http_identgw_origin_t *b)
{
    return a->is_https == b->is_https
           && a->host.len == b->host.len
           && ngx_strncasecmp(a->host.data, b->host.data, a->host.len) == 0;
}
