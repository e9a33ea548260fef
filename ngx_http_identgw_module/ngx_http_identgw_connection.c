#include "ngx_http_identgw_connection.h"
#include "ngx_http_identgw_names.h"


static ngx_int_t ngx_http_identgw_connection_cut_value(ngx_pool_t *pool,
    const ngx_http_identgw_srv_conf_t *scf, ngx_str_t *value);
static ngx_str_t ngx_http_identgw_connection_next(u_char **pos,
    const u_char *end);
static ngx_uint_t ngx_http_identgw_connection_is_identity(
    const ngx_http_identgw_srv_conf_t *scf, const ngx_str_t *name);


static const ngx_str_t  ngx_http_identgw_connection_name =
    ngx_string("connection");


ngx_uint_t
ngx_http_identgw_connection_is_plain(const ngx_table_elt_t *h)
{
    static const ngx_str_t  close = ngx_string("close");
    static const ngx_str_t  keep_alive = ngx_string("keep_alive");

    return ngx_http_identgw_names_equal(&ngx_http_identgw_connection_name,
                                        &h->key)
           && (ngx_http_identgw_names_equal(&keep_alive, &h->value)
               || ngx_http_identgw_names_equal(&close, &h->value));
}


ngx_int_t
ngx_http_identgw_connection_cut(ngx_http_request_t *r,
    const ngx_http_identgw_srv_conf_t *scf)
{
    ngx_int_t         rc, result;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    result = NGX_DECLINED;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (!ngx_http_identgw_names_equal(
                    &ngx_http_identgw_connection_name, &h[i].key))
            {
                continue;
            }

            rc = ngx_http_identgw_connection_cut_value(r->pool, scf,
                                                       &h[i].value);

            if (rc == NGX_ERROR) {
                return NGX_ERROR;
            }

            if (rc == NGX_OK) {
                result = NGX_OK;
            }
        }
    }

    return result;
}


static ngx_int_t
ngx_http_identgw_connection_cut_value(ngx_pool_t *pool,
    const ngx_http_identgw_srv_conf_t *scf, ngx_str_t *value)
{
    u_char      *p, *pos, *end, *kept;
    ngx_str_t    name;
    ngx_uint_t   is_cut;

    /* what a "," stood for becomes ", " */

    kept = ngx_pnalloc(pool, 2 * value->len + 1);
    if (kept == NULL) {
        return NGX_ERROR;
    }

    p = kept;
    pos = value->data;
    end = value->data + value->len;
    is_cut = 0;

    while (pos < end) {
        name = ngx_http_identgw_connection_next(&pos, end);

        if (ngx_http_identgw_connection_is_identity(scf, &name)) {
            is_cut = 1;
            continue;
        }

        if (name.len != 0) {
            p = (p == kept) ? p : ngx_cpymem(p, ", ", 2);
            p = ngx_cpymem(p, name.data, name.len);
        }
    }

    if (!is_cut) {
        return NGX_DECLINED;
    }

    *p = '\0';

    value->data = kept;
    value->len = p - kept;

    return NGX_OK;
}


/* The element of the list at *pos, without the blanks around it. */

static ngx_str_t
ngx_http_identgw_connection_next(u_char **pos, const u_char *end)
{
    u_char     *p;
    ngx_str_t   name;

    for (p = *pos; p < end && (*p == ' ' || *p == '\t'); p++) { /* void */ }

    name.data = p;

    while (p < end && *p != ',') {
        p++;
    }

    *pos = p + 1;

    while (p > name.data && (p[-1] == ' ' || p[-1] == '\t')) {
        p--;
    }

    name.len = p - name.data;

    return name;
}


static ngx_uint_t
ngx_http_identgw_connection_is_identity(const ngx_http_identgw_srv_conf_t *scf,
    const ngx_str_t *name)
{
    ngx_uint_t                          i;
    const ngx_http_identgw_identity_t  *identity;

    identity = scf->identity->elts;

    for (i = 0; i < scf->identity->nelts; i++) {
        if (ngx_http_identgw_names_equal(&identity[i].name.folded, name)) {
            return 1;
        }
    }

    return 0;
}
