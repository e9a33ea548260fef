#include "ngx_http_identgw_redirect.h"
#include "ngx_http_identgw_headers.h"
#include "ngx_http_identgw_names.h"


#define NGX_HTTP_IDENTGW_REDIRECT_MAX_SIZE  2048


static const ngx_table_elt_t *ngx_http_identgw_redirect_header(
    const ngx_http_request_t *r, const ngx_str_t *folded);
static ngx_uint_t ngx_http_identgw_redirect_says(const ngx_table_elt_t *h,
    const ngx_str_t *value);
static ngx_uint_t ngx_http_identgw_redirect_accepts_html(
    const ngx_table_elt_t *h);
static ngx_uint_t ngx_http_identgw_redirect_is_path(const ngx_str_t *uri);
static u_char *ngx_http_identgw_redirect_decode(u_char *p, u_char *end,
    u_char *ch);
static ngx_uint_t ngx_http_identgw_redirect_is_plain(u_char ch);
static u_char *ngx_http_identgw_redirect_write(u_char *dst,
    const ngx_str_t *uri);


ngx_uint_t
ngx_http_identgw_redirect_suits(const ngx_http_request_t *r)
{
    static const ngx_str_t  accept_key = ngx_string("accept");
    static const ngx_str_t  fetch_key = ngx_string("sec_fetch_");
    static const ngx_str_t  mode_key = ngx_string("sec_fetch_mode");
    static const ngx_str_t  dest_key = ngx_string("sec_fetch_dest");
    static const ngx_str_t  navigate = ngx_string("navigate");
    static const ngx_str_t  document = ngx_string("document");

    const ngx_table_elt_t  *dest;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))
        || r->headers_in.upgrade != NULL)
    {
        return 0;
    }

    if (ngx_http_identgw_redirect_header(r, &fetch_key) == NULL) {
        return ngx_http_identgw_redirect_accepts_html(
            ngx_http_identgw_redirect_header(r, &accept_key));
    }

    dest = ngx_http_identgw_redirect_header(r, &dest_key);

    return ngx_http_identgw_redirect_says(
        ngx_http_identgw_redirect_header(r, &mode_key), &navigate)
           && (dest == NULL
               || ngx_http_identgw_redirect_says(dest, &document));
}


ngx_int_t
ngx_http_identgw_redirect_make(ngx_http_request_t *r, const ngx_str_t *uri)
{
    static const ngx_str_t  root = ngx_string("/");
    static const ngx_str_t  location_key = ngx_string("Location");
    static const ngx_str_t  vary_key = ngx_string("Vary");
    static const ngx_str_t  vary = ngx_string("Accept, Sec-Fetch-Mode, "
                                              "Sec-Fetch-Dest");

    u_char           *last;
    ngx_str_t         location;
    const ngx_str_t  *return_to;

    return_to = ngx_http_identgw_redirect_is_path(&r->unparsed_uri)
                ? &r->unparsed_uri : &root;

    /* a byte becomes "%25XX" at most */

    location.data = ngx_pnalloc(r->pool, uri->len + sizeof("?return_to=")
                                + return_to->len * 5);
    if (location.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    last = ngx_cpymem(location.data, uri->data, uri->len);
    *last = ngx_strlchr(uri->data, uri->data + uri->len, '?') == NULL
            ? '?' : '&';
    last = ngx_cpymem(last + 1, "return_to=", sizeof("return_to=") - 1);
    last = ngx_http_identgw_redirect_write(last, return_to);

    location.len = last - location.data;

    ngx_http_clear_location(r);

    r->headers_out.location = ngx_http_identgw_headers_push(
        r->pool, &r->headers_out.headers,
        &location_key, &location);

    if (r->headers_out.location == NULL
        || ngx_http_identgw_headers_push(r->pool, &r->headers_out.headers,
                                         &vary_key, &vary)
        == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_HTTP_MOVED_TEMPORARILY;
}


/* The first line that begins with "folded"; NULL: there is none. */

static const ngx_table_elt_t *
ngx_http_identgw_redirect_header(const ngx_http_request_t *r,
    const ngx_str_t *folded)
{
    ngx_uint_t              i;
    const ngx_list_part_t  *part;
    const ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (ngx_http_identgw_names_begin(folded, &h[i].key)
                && (h[i].key.len == folded->len
                    || folded->data[folded->len - 1] == '_'))
            {
                return &h[i];
            }
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_http_identgw_redirect_says(const ngx_table_elt_t *h,
    const ngx_str_t *value)
{
    return h != NULL
           && h->value.len == value->len
           && ngx_strncmp(h->value.data, value->data, value->len) == 0;
}


static ngx_uint_t
ngx_http_identgw_redirect_accepts_html(const ngx_table_elt_t *h)
{
    static const ngx_str_t  html = ngx_string("text/html");

    u_char  *p, *end, *next;

    if (h == NULL) {
        return 0;
    }

    end = h->value.data + h->value.len;

    for (p = h->value.data; p < end; p = next) {

        while (p < end && (*p == ' ' || *p == '\t')) {
            p++;
        }

        if ((size_t) (end - p) >= html.len
            && ngx_strncasecmp(p, html.data, html.len) == 0
            && (p + html.len == end
                || ngx_strchr(",; \t", p[html.len]) != NULL))
        {
            return 1;
        }

        next = ngx_strlchr(p, end, ',');
        next = (next == NULL) ? end : next + 1;
    }

    return 0;
}


/*
 * Whether a browser that is sent to "uri" stays here: "//" and "/\" at the
 * beginning name another host, and the segments "." and ".." can make them so.
 */

static ngx_uint_t
ngx_http_identgw_redirect_is_path(const ngx_str_t *uri)
{
    u_char      ch, before, *p, *end;
    ngx_uint_t  in_path, dots;

    if (uri->len == 0 || uri->len > NGX_HTTP_IDENTGW_REDIRECT_MAX_SIZE
        || uri->data[0] != '/')
    {
        return 0;
    }

    in_path = 1;
    dots = 3;   /* of the segment; 3: it has something else */
    before = '\0';
    end = uri->data + uri->len;

    for (p = uri->data; p < end; before = ch) {

        if (*p == '?') {
            in_path = 0;
        }

        if (*p == '#') {
            return 0;
        }

        p = ngx_http_identgw_redirect_decode(p, end, &ch);

        if (ch < ' ' || ch == 0x7f) {
            return 0;
        }

        if (!in_path) {
            continue;
        }

        if (ch == '\\'
            || (ch == '/' && (before == '/' || dots == 1 || dots == 2)))
        {
            return 0;
        }

        dots = (ch == '/') ? 0 : (ch == '.' && dots < 3) ? dots + 1 : 3;
    }

    return dots != 1 && dots != 2;
}


/* Reads a byte, escaped or not, at "p" < "end"; returns what is next. */

static u_char *
ngx_http_identgw_redirect_decode(u_char *p, u_char *end, u_char *ch)
{
    ngx_int_t  value;

    *ch = *p;

    if (*p != '%' || end - p < 3) {
        return p + 1;
    }

    value = ngx_hextoi(p + 1, 2);

    if (value == NGX_ERROR) {
        return p + 1;
    }

    *ch = (u_char) value;

    return p + 3;
}


/* RFC 3986 2.3, and "/", which a query may hold. */

static ngx_uint_t
ngx_http_identgw_redirect_is_plain(u_char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
           || (ch >= '0' && ch <= '9')
           || (ch != '\0' && ngx_strchr("-._~/", ch) != NULL);
}


/* Escapes "uri" as a value; what no uri may hold is escaped in itself. */

static u_char *
ngx_http_identgw_redirect_write(u_char *dst, const ngx_str_t *uri)
{
    u_char  ch;
    size_t  i;

    for (i = 0; i < uri->len; i++) {
        ch = uri->data[i];

        if (ngx_http_identgw_redirect_is_plain(ch)) {
            *dst++ = ch;

        } else if (ch <= ' ' || ch >= 0x7f
                   || ngx_strchr("\"<>\\^`{|}", ch) != NULL)
        {
            dst = ngx_sprintf(dst, "%%25%02Xd", ch);

        } else {
            dst = ngx_sprintf(dst, "%%%02Xd", ch);
        }
    }

    return dst;
}
