/*
 * The session id that a client sends, in header lines and cookies: what is
 * read, what is cut out, and what a logout forgets agree with each other and
 * with a plain reading of the lines. The module's files are included; what
 * they need of nginx stands below.
 */
#include "../../ngx_http_identgw_module/ngx_http_identgw_names.c"
#include "../../ngx_http_identgw_module/ngx_http_identgw_session.c"
#pragma GCC visibility pop

#include "fuzz.h"

enum { LINES_MAX = 8, IDS_MAX = 256 };

static ngx_table_elt_t lines[LINES_MAX];
static ngx_uint_t nlines;
static void *freed[IDS_MAX];
static size_t nfreed;

static void *
keep(void *p)
{
    MUST(p != NULL && nfreed < IDS_MAX);
    freed[nfreed++] = p;
    return p;
}

void *
ngx_pnalloc(ngx_pool_t *pool, size_t size)
{
    return keep(malloc(size + 1));
}

void *
ngx_array_push(ngx_array_t *a)
{
    MUST(a->nelts < a->nalloc);
    return (u_char *)a->elts + a->size * a->nelts++;
}

ngx_uint_t
ngx_hash_strlow(u_char *dst, u_char *src, size_t n)
{
    while (n--) {
        *dst++ = ngx_tolower(*src);
        src++;
    }

    return 1;
}

/* LINE NUL LINE ...: each begins with "c" for Cookie or "h" for the header. */
static void
read_lines(const uint8_t *data, size_t size)
{
    static u_char cookie[] = "Cookie";
    static u_char header[] = "jsession-ID";

    nlines = 0;

    while (size > 0 && nlines < LINES_MAX) {
        const uint8_t *end = memchr(data, 0, size);
        size_t len = end ? (size_t)(end - data) : size;
        ngx_table_elt_t *h = &lines[nlines];

        if (len > 0) {
            ngx_memzero(h, sizeof(*h));
            h->key.data = data[0] == 'c' ? cookie : header;
            h->key.len =
                data[0] == 'c' ? sizeof(cookie) - 1 : sizeof(header) - 1;
            h->value.data = keep(fuzz_string(data + 1, len - 1));
            h->value.len = len - 1;
            nlines++;
        }

        data += len + (end != NULL);
        size -= len + (end != NULL);
    }
}

static int
is_collected(const ngx_array_t *ids, const ngx_str_t *id)
{
    const ngx_str_t *known = ids->elts;

    for (ngx_uint_t i = 0; i < ids->nelts; i++) {
        if (known[i].len == id->len
            && memcmp(known[i].data, id->data, id->len) == 0) {
            return 1;
        }
    }

    return 0;
}

/* Whether there is something to cut. */
static int
has_session(const ngx_str_t *line, const ngx_str_t *name)
{
    ngx_http_identgw_session_cookie_t cookie;
    u_char *p = line->data;
    u_char *end = line->data + line->len;

    while (p < end) {
        p = ngx_http_identgw_session_cookie(p, end, &cookie);

        if (ngx_http_identgw_session_is_called(&cookie, name)) {
            return 1;
        }
    }

    return 0;
}

/* Takes the next cookie that is not empty and not called so. */
static int
next_other(u_char **p, u_char *end, const ngx_str_t *name, ngx_str_t *raw)
{
    ngx_http_identgw_session_cookie_t cookie;

    while (*p < end) {
        *p = ngx_http_identgw_session_cookie(*p, end, &cookie);
        ngx_http_identgw_session_trim(&cookie.raw);

        if (cookie.raw.len > 0
            && !ngx_http_identgw_session_is_called(&cookie, name)) {
            *raw = cookie.raw;
            return 1;
        }
    }

    return 0;
}

/* The other cookies stay, in their order. */
static void
check_cut(const ngx_str_t *line, const ngx_str_t *name)
{
    u_char *p = line->data;
    u_char *end = line->data + line->len;
    u_char *cut_p, *cut_end;
    ngx_int_t rc;
    ngx_str_t cut, again, raw, cut_raw;

    rc = ngx_http_identgw_session_cut_cookies(NULL, line, name, &cut);
    MUST(rc == NGX_OK || rc == NGX_DECLINED);
    MUST(cut.len <= line->len);
    MUST((rc == NGX_DECLINED) == !has_session(line, name));
    MUST(ngx_http_identgw_session_cut_cookies(NULL, &cut, name, &again)
         == NGX_DECLINED);
    cut_p = cut.data;
    cut_end = cut.data + cut.len;

    while (next_other(&p, end, name, &raw)) {
        MUST(next_other(&cut_p, cut_end, name, &cut_raw));
        MUST(raw.len == cut_raw.len);
        MUST(memcmp(raw.data, cut_raw.data, raw.len) == 0);
    }

    MUST(!next_other(&cut_p, cut_end, name, &cut_raw));
}

/* What a session may be called, byte by byte. */
static void
check_valid(const ngx_str_t *id)
{
    int is_valid = id->len > 0;

    for (size_t i = 0; i < id->len; i++) {
        is_valid = is_valid && id->data[i] > ' ' && id->data[i] < 0x7f;
    }

    MUST(id->len > NGX_HTTP_IDENTGW_SESSION_MAX_SIZE
         || !ngx_http_identgw_session_is_valid(id) == !is_valid);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static u_char session[] = "jsession_id";
    ngx_str_t key = { sizeof(session) - 1, session };
    ngx_http_identgw_name_t name;
    ngx_http_request_t r;
    ngx_http_identgw_session_e found;
    ngx_str_t id, all[IDS_MAX];
    ngx_array_t ids = { all, 0, sizeof(ngx_str_t), IDS_MAX, NULL };

    if (size > 512) {
        return 0;
    }

    read_lines(data, size);
    ngx_memzero(&r, sizeof(r));
    ngx_memzero(&name, sizeof(name));
    r.headers_in.headers.part.elts = lines;
    r.headers_in.headers.part.nelts = nlines;
    MUST(ngx_http_identgw_names_init(NULL, &key, &name) == NGX_OK);

    found = ngx_http_identgw_session_read(&r, &name, &id);
    MUST(ngx_http_identgw_session_collect(&r, &name, &ids) == NGX_OK);

    if (found > NGX_HTTP_IDENTGW_SESSION_BAD) {
        MUST(id.len > 0 && id.len <= NGX_HTTP_IDENTGW_SESSION_MAX_SIZE);
        check_valid(&id);
        MUST(is_collected(&ids, &id));
    } else {
        MUST(id.len == 0);
    }

    if (found == NGX_HTTP_IDENTGW_SESSION_NONE) {
        MUST(ids.nelts == 0);
    }

    for (ngx_uint_t i = 0; i < nlines; i++) {
        check_valid(&lines[i].value);

        if (lines[i].key.len == 6) {
            check_cut(&lines[i].value, &key);
        }
    }

    while (nfreed > 0) {
        free(freed[--nfreed]);
    }

    return 0;
}
