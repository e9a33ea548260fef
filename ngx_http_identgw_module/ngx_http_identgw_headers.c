#include "ngx_http_identgw_headers.h"
#include "ngx_http_identgw_compat.h"
#include "ngx_http_identgw_names.h"
#include "ngx_http_identgw_session.h"


/* Places behind the lines that are added: a Cookie line, and other modules. */

#define NGX_HTTP_IDENTGW_HEADERS_SPARE  4


/* What leaves the list. */

typedef struct {
    const ngx_http_identgw_srv_conf_t  *scf;
    const ngx_http_identgw_name_t      *session;
    uint64_t                            marks;        /* set by rebuild */
    unsigned                            authorization : 1;
    unsigned                            forbidden : 1;
    unsigned                            cookies : 1;
} ngx_http_identgw_headers_drop_t;


static ngx_int_t ngx_http_identgw_headers_add_values(ngx_array_t *added,
    const ngx_http_identgw_srv_conf_t *scf, const ngx_str_t *values);
static void ngx_http_identgw_headers_fill(ngx_table_elt_t *h,
    const ngx_http_identgw_name_t *name, const ngx_str_t *value);
static ngx_int_t ngx_http_identgw_headers_add_cookies(ngx_http_request_t *r,
    ngx_array_t *added, const ngx_str_t *name);
static ngx_int_t ngx_http_identgw_headers_rebuild(ngx_http_request_t *r,
    ngx_http_identgw_headers_drop_t *drop, const ngx_array_t *added);
static ngx_list_part_t *ngx_http_identgw_headers_keep(ngx_pool_t *pool,
    const ngx_list_part_t *part, ngx_list_part_t *last,
    const ngx_http_identgw_headers_drop_t *drop);
static ngx_list_part_t *ngx_http_identgw_headers_append(ngx_pool_t *pool,
    ngx_list_part_t *last, ngx_table_elt_t *elts, ngx_uint_t n);
static ngx_uint_t ngx_http_identgw_headers_drops_any(
    const ngx_http_request_t *r, const ngx_http_identgw_headers_drop_t *drop);
static uint64_t ngx_http_identgw_headers_marks(
    const ngx_http_identgw_headers_drop_t *drop);
static ngx_uint_t ngx_http_identgw_headers_drops(const ngx_table_elt_t *h,
    const ngx_http_identgw_headers_drop_t *drop);


static const ngx_str_t  ngx_http_identgw_headers_auth =
    ngx_string("authorization");
static const ngx_str_t  ngx_http_identgw_headers_cookie = ngx_string("cookie");


ngx_int_t
ngx_http_identgw_headers_strip(ngx_http_request_t *r,
    const ngx_http_identgw_srv_conf_t *scf)
{
    ngx_int_t                        rc, cut;
    ngx_http_identgw_headers_drop_t  drop;

    cut = ngx_http_identgw_connection_cut(r, scf);

    if (cut == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_memzero(&drop, sizeof(ngx_http_identgw_headers_drop_t));

    drop.scf = scf;
    drop.forbidden = 1;

    rc = ngx_http_identgw_headers_rebuild(r, &drop, NULL);

    return rc == NGX_DECLINED ? cut : rc;
}


ngx_int_t
ngx_http_identgw_headers_hide_authorization(ngx_http_request_t *r)
{
    ngx_http_identgw_headers_drop_t  drop;

    ngx_memzero(&drop, sizeof(ngx_http_identgw_headers_drop_t));

    drop.authorization = 1;

    return ngx_http_identgw_headers_rebuild(r, &drop, NULL) == NGX_ERROR
           ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_http_identgw_headers_apply(ngx_http_request_t *r,
    const ngx_http_identgw_srv_conf_t *scf, const ngx_str_t *values,
    const ngx_http_identgw_name_t *session)
{
    ngx_int_t                        rc;
    ngx_uint_t                       n;
    ngx_array_t                      added;
    ngx_table_elt_t                 *h;
    ngx_http_identgw_headers_drop_t  drop;

    ngx_memzero(&drop, sizeof(ngx_http_identgw_headers_drop_t));

    drop.scf = scf;
    drop.authorization = 1;

    if (ngx_array_init(&added, r->pool, scf->identity->nelts
                       + NGX_HTTP_IDENTGW_HEADERS_SPARE,
                       sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (values != NULL
        && ngx_http_identgw_headers_add_values(&added, scf, values) != NGX_OK)
    {
        return NGX_ERROR;
    }

    n = added.nelts;

    if (session != NULL) {
        drop.session = session;

        rc = ngx_http_identgw_headers_add_cookies(r, &added, &session->key);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        drop.cookies = (rc == NGX_OK);
    }

    if (ngx_http_identgw_headers_rebuild(r, &drop, &added) == NGX_ERROR) {
        return NGX_ERROR;
    }

    h = added.elts;

    return drop.cookies
           ? ngx_http_identgw_compat_link_cookies(r, h + n, added.nelts - n)
           : NGX_OK;
}


void
ngx_http_identgw_headers_settle(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    r->headers_in.authorization = NULL;
    ngx_str_null(&r->headers_in.user);
    ngx_str_null(&r->headers_in.passwd);

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (ngx_http_identgw_names_equal(&ngx_http_identgw_headers_auth,
                                             &h[i].key))
            {
                r->headers_in.authorization = &h[i];
            }
        }
    }
}


ngx_uint_t
ngx_http_identgw_headers_has_bearer(const ngx_http_request_t *r)
{
    const ngx_table_elt_t  *h;

    h = r->headers_in.authorization;

    return h != NULL
           && h->value.len >= sizeof("Bearer ") - 1
           && ngx_strncasecmp(h->value.data, (u_char *) "Bearer ",
                              sizeof("Bearer ") - 1)
           == 0;
}


ngx_table_elt_t *
ngx_http_identgw_headers_push_name(ngx_list_t *list,
    const ngx_http_identgw_name_t *name, const ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(list);

    if (h != NULL) {
        ngx_http_identgw_headers_fill(h, name, value);
    }

    return h;
}


ngx_table_elt_t *
ngx_http_identgw_headers_push(ngx_pool_t *pool, ngx_list_t *list,
    const ngx_str_t *key, const ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(list);
    if (h == NULL) {
        return NULL;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->lowcase_key = ngx_pnalloc(pool, key->len);
    if (h->lowcase_key == NULL) {
        return NULL;
    }

    h->hash = ngx_hash_strlow(h->lowcase_key, key->data, key->len);
    h->key = *key;
    h->value = *value;

    return h;
}


static ngx_int_t
ngx_http_identgw_headers_add_values(ngx_array_t *added,
    const ngx_http_identgw_srv_conf_t *scf, const ngx_str_t *values)
{
    ngx_uint_t                         i;
    ngx_table_elt_t                   *h;
    const ngx_http_identgw_identity_t  *identity;

    identity = scf->identity->elts;

    for (i = 0; i < scf->identity->nelts; i++) {
        if (values[i].len == 0) {
            continue;
        }

        h = ngx_array_push(added);
        if (h == NULL) {
            return NGX_ERROR;
        }

        ngx_http_identgw_headers_fill(h, &identity[i].name, &values[i]);
    }

    return NGX_OK;
}


static void
ngx_http_identgw_headers_fill(ngx_table_elt_t *h,
    const ngx_http_identgw_name_t *name, const ngx_str_t *value)
{
    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = name->hash;
    h->key = name->key;
    h->value = *value;
    h->lowcase_key = name->lowcase_key;
}


/*
 * Adds a copy of every Cookie line without the cookie called "name". All are
 * copied, because nginx links Cookie lines with one another; NGX_DECLINED:
 * none, because no line holds it.
 */

static ngx_int_t
ngx_http_identgw_headers_add_cookies(ngx_http_request_t *r, ngx_array_t *added,
    const ngx_str_t *name)
{
    ngx_str_t               value;
    ngx_int_t               rc, cut;
    ngx_uint_t              i, n;
    ngx_table_elt_t        *h;
    const ngx_list_part_t  *part;
    const ngx_table_elt_t  *cookie;

    rc = NGX_DECLINED;
    n = added->nelts;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        cookie = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (!ngx_http_identgw_names_equal(&ngx_http_identgw_headers_cookie,
                                              &cookie[i].key))
            {
                continue;
            }

            cut = ngx_http_identgw_session_cut_cookies(r->pool,
                                                       &cookie[i].value, name,
                                                       &value);

            if (cut == NGX_ERROR) {
                return NGX_ERROR;
            }

            if (cut == NGX_OK) {
                rc = NGX_OK;
            }

            if (value.len == 0) {
                continue;
            }

            h = ngx_array_push(added);
            if (h == NULL) {
                return NGX_ERROR;
            }

            *h = cookie[i];
            h->value = value;
        }
    }

    if (rc == NGX_DECLINED) {
        added->nelts = n;
    }

    return rc;
}


/*
 * What is "added" becomes a part of the list, in its place in memory.
 * NGX_DECLINED: nothing was to be done.
 *
 * No part but the first may be empty: nginx's loops over a list would take
 * the element behind its end for a header.
 */

static ngx_int_t
ngx_http_identgw_headers_rebuild(ngx_http_request_t *r,
    ngx_http_identgw_headers_drop_t *drop, const ngx_array_t *added)
{
    ngx_uint_t        n, nalloc;
    ngx_list_t       *list;
    ngx_list_part_t   head, *part, *last;

    n = (added == NULL) ? 0 : added->nelts;
    drop->marks = ngx_http_identgw_headers_marks(drop);

    if (n == 0 && !ngx_http_identgw_headers_drops_any(r, drop)) {
        return NGX_DECLINED;
    }

    list = &r->headers_in.headers;
    ngx_memzero(&head, sizeof(ngx_list_part_t));
    last = &head;

    for (part = &list->part; part; part = part->next) {
        last = ngx_http_identgw_headers_keep(r->pool, part, last, drop);
        if (last == NULL) {
            return NGX_ERROR;
        }
    }

    nalloc = last->nelts;

    if (n != 0) {
        nalloc = added->nalloc;

        last = ngx_http_identgw_headers_append(r->pool, last, added->elts, n);
        if (last == NULL) {
            return NGX_ERROR;
        }
    }

    if (last->elts == NULL) {
        nalloc = NGX_HTTP_IDENTGW_HEADERS_SPARE;
        last->elts = ngx_palloc(r->pool, nalloc * sizeof(ngx_table_elt_t));

        if (last->elts == NULL) {
            return NGX_ERROR;
        }
    }

    list->part = head;
    list->last = (last == &head) ? &list->part : last;
    list->size = sizeof(ngx_table_elt_t);
    list->nalloc = nalloc;
    list->pool = r->pool;

    ngx_http_identgw_compat_headers_changed(r);

    return NGX_OK;
}


/* Appends the runs of "part" that stay behind "last", returns the new last. */

static ngx_list_part_t *
ngx_http_identgw_headers_keep(ngx_pool_t *pool, const ngx_list_part_t *part,
    ngx_list_part_t *last, const ngx_http_identgw_headers_drop_t *drop)
{
    ngx_uint_t        i, start;
    ngx_table_elt_t  *h;

    h = part->elts;
    start = 0;

    for (i = 0; i <= part->nelts; i++) {
        if (i < part->nelts
            && (!ngx_http_identgw_names_marked(drop->marks, &h[i].key)
                || !ngx_http_identgw_headers_drops(&h[i], drop)))
        {
            continue;
        }

        if (i > start) {
            last = ngx_http_identgw_headers_append(pool, last, &h[start],
                                                   i - start);
            if (last == NULL) {
                return NULL;
            }
        }

        start = i + 1;
    }

    return last;
}


/* A head that is still empty takes the first part itself. */

static ngx_list_part_t *
ngx_http_identgw_headers_append(ngx_pool_t *pool, ngx_list_part_t *last,
    ngx_table_elt_t *elts, ngx_uint_t n)
{
    ngx_list_part_t  *part;

    part = last;

    if (last->elts != NULL) {
        part = ngx_palloc(pool, sizeof(ngx_list_part_t));
        if (part == NULL) {
            return NULL;
        }

        last->next = part;
    }

    part->elts = elts;
    part->nelts = n;
    part->next = NULL;

    return part;
}


static ngx_uint_t
ngx_http_identgw_headers_drops_any(const ngx_http_request_t *r,
    const ngx_http_identgw_headers_drop_t *drop)
{
    ngx_uint_t              i;
    const ngx_list_part_t  *part;
    const ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (ngx_http_identgw_names_marked(drop->marks, &h[i].key)
                && ngx_http_identgw_headers_drops(&h[i], drop))
            {
                return 1;
            }
        }
    }

    return 0;
}


/* Of the names that drops() compares with. */

static uint64_t
ngx_http_identgw_headers_marks(const ngx_http_identgw_headers_drop_t *drop)
{
    uint64_t          marks;
    const ngx_str_t  *name;

    marks = (drop->scf == NULL) ? 0 : drop->scf->marks;

    if (drop->authorization) {
        name = &ngx_http_identgw_headers_auth;
        marks |= ngx_http_identgw_names_letter_marks(name);
    }

    if (drop->cookies) {
        name = &ngx_http_identgw_headers_cookie;
        marks |= ngx_http_identgw_names_letter_marks(name);
    }

    if (drop->session != NULL) {
        marks |= drop->session->marks;
    }

    return marks;
}


/* Whether a line of a name that is marked leaves. */

static ngx_uint_t
ngx_http_identgw_headers_drops(const ngx_table_elt_t *h,
    const ngx_http_identgw_headers_drop_t *drop)
{
    ngx_uint_t                          i;
    const ngx_http_identgw_identity_t  *identity;

    if (drop->authorization
        && ngx_http_identgw_names_equal(&ngx_http_identgw_headers_auth,
                                        &h->key))
    {
        return 1;
    }

    if (drop->forbidden && ngx_http_identgw_names_forbidden(&h->key)) {
        return 1;
    }

    if (drop->cookies
        && ngx_http_identgw_names_equal(&ngx_http_identgw_headers_cookie,
                                        &h->key))
    {
        return 1;
    }

    if (drop->session != NULL
        && ngx_http_identgw_names_equal(&drop->session->folded, &h->key))
    {
        return 1;
    }

    if (drop->scf == NULL) {
        return 0;
    }

    identity = drop->scf->identity->elts;

    for (i = 0; i < drop->scf->identity->nelts; i++) {
        if (!identity[i].authorization
            && ngx_http_identgw_names_equal(&identity[i].name.folded, &h->key))
        {
            return 1;
        }
    }

    return 0;
}
