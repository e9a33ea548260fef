#include "ngx_http_identgw_session.h"
#include "ngx_http_identgw_names.h"


typedef struct {
    ngx_str_t  raw;       /* between two ";" */
    ngx_str_t  name;      /* empty: it is no pair */
} ngx_http_identgw_session_cookie_t;


static ngx_http_identgw_session_e ngx_http_identgw_session_of_line(
    const ngx_str_t *line, const ngx_str_t *name, ngx_str_t *id,
    ngx_http_identgw_session_e found);
static ngx_int_t ngx_http_identgw_session_push_cookies(ngx_array_t *ids,
    const ngx_str_t *line, const ngx_str_t *name);
static ngx_int_t ngx_http_identgw_session_push(ngx_array_t *ids,
    const ngx_str_t *id);
static ngx_uint_t ngx_http_identgw_session_is_valid(const ngx_str_t *id);
static u_char *ngx_http_identgw_session_cookie(u_char *p, u_char *end,
    ngx_http_identgw_session_cookie_t *cookie);
static ngx_uint_t ngx_http_identgw_session_is_called(
    const ngx_http_identgw_session_cookie_t *cookie, const ngx_str_t *name);
static ngx_str_t ngx_http_identgw_session_value(
    const ngx_http_identgw_session_cookie_t *cookie);
static void ngx_http_identgw_session_trim(ngx_str_t *s);


ngx_http_identgw_session_e
ngx_http_identgw_session_read(ngx_http_request_t *r,
    const ngx_http_identgw_name_t *name, ngx_str_t *id)
{
    static const ngx_str_t  cookie_name = ngx_string("cookie");

    ngx_str_t                    header;
    ngx_uint_t                   i, n;
    ngx_list_part_t             *part;
    ngx_table_elt_t             *h;
    ngx_http_identgw_session_e   found;

    found = NGX_HTTP_IDENTGW_SESSION_NONE;
    n = 0;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (ngx_http_identgw_names_equal(&name->folded, &h[i].key)) {
                header = h[i].value;
                n++;

            } else if (ngx_http_identgw_names_equal(&cookie_name, &h[i].key)) {
                found = ngx_http_identgw_session_of_line(&h[i].value,
                                                         &name->key, id,
                                                         found);
            }
        }
    }

    if (n != 0) {
        *id = header;
        found = n == 1 ? NGX_HTTP_IDENTGW_SESSION_IN_HEADER
                       : NGX_HTTP_IDENTGW_SESSION_BAD;
    }

    if (found > NGX_HTTP_IDENTGW_SESSION_BAD
        && !ngx_http_identgw_session_is_valid(id))
    {
        found = NGX_HTTP_IDENTGW_SESSION_BAD;
    }

    if (found <= NGX_HTTP_IDENTGW_SESSION_BAD) {
        ngx_str_null(id);
    }

    return found;
}


ngx_int_t
ngx_http_identgw_session_collect(ngx_http_request_t *r,
    const ngx_http_identgw_name_t *name, ngx_array_t *ids)
{
    static const ngx_str_t  cookie_name = ngx_string("cookie");

    ngx_int_t         rc;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            rc = NGX_OK;

            if (ngx_http_identgw_names_equal(&name->folded, &h[i].key)) {
                rc = ngx_http_identgw_session_push(ids, &h[i].value);

            } else if (ngx_http_identgw_names_equal(&cookie_name, &h[i].key)) {
                rc = ngx_http_identgw_session_push_cookies(ids, &h[i].value,
                                                           &name->key);
            }

            if (rc != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_identgw_session_cut_cookies(ngx_pool_t *pool, const ngx_str_t *value,
    const ngx_str_t *name, ngx_str_t *dst)
{
    u_char                             *p, *end, *last;
    ngx_int_t                           rc;
    ngx_http_identgw_session_cookie_t   cookie;

    dst->data = ngx_pnalloc(pool, value->len);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_DECLINED;
    last = dst->data;
    end = value->data + value->len;

    for (p = value->data; p < end; /* void */) {
        p = ngx_http_identgw_session_cookie(p, end, &cookie);

        if (ngx_http_identgw_session_is_called(&cookie, name)) {
            rc = NGX_OK;
            continue;
        }

        if (last != dst->data) {
            *last++ = ';';

        } else if (cookie.raw.data != value->data) {
            ngx_http_identgw_session_trim(&cookie.raw);
        }

        last = ngx_cpymem(last, cookie.raw.data, cookie.raw.len);
    }

    dst->len = last - dst->data;

    return rc;
}


ngx_uint_t
ngx_http_identgw_session_is_set(const ngx_str_t *set_cookie,
    const ngx_str_t *name)
{
    u_char                             *end;
    ngx_http_identgw_session_cookie_t   cookie;

    end = set_cookie->data + set_cookie->len;

    (void) ngx_http_identgw_session_cookie(set_cookie->data, end, &cookie);

    return ngx_http_identgw_session_is_called(&cookie, name);
}


static ngx_http_identgw_session_e
ngx_http_identgw_session_of_line(const ngx_str_t *line, const ngx_str_t *name,
    ngx_str_t *id, ngx_http_identgw_session_e found)
{
    u_char                             *p, *end;
    ngx_str_t                           value;
    ngx_http_identgw_session_cookie_t   cookie;

    end = line->data + line->len;

    for (p = line->data; p < end; /* void */) {
        p = ngx_http_identgw_session_cookie(p, end, &cookie);

        if (!ngx_http_identgw_session_is_called(&cookie, name)) {
            continue;
        }

        value = ngx_http_identgw_session_value(&cookie);

        if (found == NGX_HTTP_IDENTGW_SESSION_NONE) {
            found = NGX_HTTP_IDENTGW_SESSION_IN_COOKIE;
            *id = value;

        } else if (id->len != value.len
                   || ngx_memcmp(id->data, value.data, id->len) != 0)
        {
            found = NGX_HTTP_IDENTGW_SESSION_BAD;
        }
    }

    return found;
}


static ngx_int_t
ngx_http_identgw_session_push_cookies(ngx_array_t *ids, const ngx_str_t *line,
    const ngx_str_t *name)
{
    u_char                             *p, *end;
    ngx_str_t                           value;
    ngx_http_identgw_session_cookie_t   cookie;

    end = line->data + line->len;

    for (p = line->data; p < end; /* void */) {
        p = ngx_http_identgw_session_cookie(p, end, &cookie);

        if (!ngx_http_identgw_session_is_called(&cookie, name)) {
            continue;
        }

        value = ngx_http_identgw_session_value(&cookie);

        if (ngx_http_identgw_session_push(ids, &value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_session_push(ngx_array_t *ids, const ngx_str_t *id)
{
    ngx_str_t  *pushed;

    if (!ngx_http_identgw_session_is_valid(id)) {
        return NGX_OK;
    }

    pushed = ngx_array_push(ids);
    if (pushed == NULL) {
        return NGX_ERROR;
    }

    *pushed = *id;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_identgw_session_is_valid(const ngx_str_t *id)
{
    uint64_t       bytes, faults;
    const u_char  *p, *end;

    if (id->len == 0 || id->len > NGX_HTTP_IDENTGW_SESSION_MAX_SIZE) {
        return 0;
    }

    p = id->data;
    end = p + id->len;
    faults = 0;

    /* eight bytes at a time: one below 0x21 or above 0x7e has a top bit set */

    for (/* void */; end - p >= 8; p += 8) {
        ngx_memcpy(&bytes, p, 8);
        faults |= (bytes - UINT64_C(0x2121212121212121))
            | (bytes + UINT64_C(0x0101010101010101)) | bytes;
    }

    for (/* void */; p < end; p++) {
        bytes = *p;
        faults |= (bytes - 0x21) | (bytes + 0x01) | bytes;
    }

    return !(faults & UINT64_C(0x8080808080808080));
}


/* Reads one cookie at "p" < "end", returns where the next one begins. */

static u_char *
ngx_http_identgw_session_cookie(u_char *p, u_char *end,
    ngx_http_identgw_session_cookie_t *cookie)
{
    u_char  *last, *equals;

    last = memchr(p, ';', end - p);
    if (last == NULL) {
        last = end;
    }

    cookie->raw.data = p;
    cookie->raw.len = last - p;

    equals = memchr(p, '=', last - p);

    cookie->name.data = p;
    cookie->name.len = (equals == NULL) ? 0 : equals - p;
    ngx_http_identgw_session_trim(&cookie->name);

    return last == end ? end : last + 1;
}


static ngx_uint_t
ngx_http_identgw_session_is_called(
    const ngx_http_identgw_session_cookie_t *cookie, const ngx_str_t *name)
{
    return cookie->name.len == name->len
           && ngx_memcmp(cookie->name.data, name->data, name->len) == 0;
}


/* Of a pair. */

static ngx_str_t
ngx_http_identgw_session_value(const ngx_http_identgw_session_cookie_t *cookie)
{
    u_char     *end;
    ngx_str_t   value;

    end = cookie->raw.data + cookie->raw.len;

    value.data = memchr(cookie->raw.data, '=', cookie->raw.len);
    value.data++;
    value.len = end - value.data;
    ngx_http_identgw_session_trim(&value);

    return value;
}


static void
ngx_http_identgw_session_trim(ngx_str_t *s)
{
    while (s->len && (s->data[0] == ' ' || s->data[0] == '\t')) {
        s->data++;
        s->len--;
    }

    while (s->len
           && (s->data[s->len - 1] == ' ' || s->data[s->len - 1] == '\t'))
    {
        s->len--;
    }
}
