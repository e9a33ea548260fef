/*
 * The identity provider's answer, as it comes from nginx: its status and header
 * lines, against a plain reading of what lets somebody in, and as whom. The
 * module's files are included; what they need of nginx stands below.
 */
#include "../../ngx_http_identgw_module/ngx_http_identgw_identity.c"
#include "../../ngx_http_identgw_module/ngx_http_identgw_names.c"
#pragma GCC visibility pop

#include <ctype.h>

#include "fuzz.h"

enum { LINES_MAX = 16, BLOCKS_MAX = 64, IDENTITIES = 3 };

static ngx_table_elt_t lines[LINES_MAX];
static ngx_uint_t nlines;
static void *blocks[BLOCKS_MAX];
static size_t nblocks;
static ngx_time_t now = { .sec = 1000000 };
volatile ngx_time_t *ngx_cached_time = &now;

static void *
keep(void *block)
{
    MUST(block != NULL && nblocks < BLOCKS_MAX);
    blocks[nblocks++] = block;
    return block;
}

void *
ngx_pnalloc(ngx_pool_t *pool, size_t size)
{
    return keep(malloc(size + 1));
}

void *
ngx_pcalloc(ngx_pool_t *pool, size_t size)
{
    return keep(calloc(1, size + 1));
}

ngx_array_t *
ngx_array_create(ngx_pool_t *pool, ngx_uint_t n, size_t size)
{
    ngx_array_t *a = keep(calloc(1, sizeof(*a)));

    a->elts = keep(calloc(LINES_MAX, size));
    a->size = size;
    a->nalloc = LINES_MAX;
    return a;
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
    return 1;
}

/* As nginx's. */
time_t
ngx_atotm(u_char *line, size_t n)
{
    time_t value = 0;

    for (; n > 0 && *line >= '0' && *line <= '9'; n--, line++) {
        if (value > (NGX_MAX_TIME_T_VALUE - 9) / 10) {
            return NGX_ERROR;
        }
        value = value * 10 + (*line - '0');
    }
    return n == 0 && line != NULL ? value : NGX_ERROR;
}

void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
                   const char *format, ...)
{
}

ngx_uint_t
ngx_http_identgw_compat_is_garbled(const ngx_http_upstream_t *u)
{
    return 0;
}

/* LINE NUL LINE ...: a byte for the name, then the value. */
static void
read_lines(const uint8_t *data, size_t size)
{
    static const char *const names[] = {
        "Authorization", "X-User",        "x_user",          "X-Email",
        "Identgw-Epoch", "IDENTGW EPOCH", "Set-Cookie",      "WWW-Authenticate",
        "Retry-After",   "X-Userx",       "X-Accel-Expires", "x-user"
    };

    nlines = 0;
    while (size > 0 && nlines < LINES_MAX) {
        const uint8_t *end = memchr(data, 0, size);
        size_t len = end ? (size_t)(end - data) : size;
        ngx_table_elt_t *h = &lines[nlines];

        if (len > 0) {
            const char *name =
                names[data[0] % (sizeof(names) / sizeof(*names))];

            ngx_memzero(h, sizeof(*h));
            h->key.len = strlen(name);
            /* one that there was no memory for */
            h->key.data = data[0] == 0xff ? NULL : (u_char *)(uintptr_t)name;
            h->value.data = keep(fuzz_string(data + 1, len - 1));
            h->value.len = len - 1;
            nlines++;
        }
        data += len + (end != NULL);
        size -= len + (end != NULL);
    }
}

/* --- the plain reading --- */

static int
is_called(const ngx_table_elt_t *h, const char *folded)
{
    if (h->key.data == NULL || h->key.len != strlen(folded)) {
        return 0;
    }
    for (size_t i = 0; i < h->key.len; i++) {
        int c = isalnum(h->key.data[i]) ? tolower(h->key.data[i]) : '_';

        if (c != folded[i]) {
            return 0;
        }
    }
    return 1;
}

/* The only one; NULL: none, or two. */
static const ngx_str_t *
only(const char *folded)
{
    const ngx_str_t *value = NULL;
    size_t count = 0;

    for (ngx_uint_t i = 0; i < nlines; i++) {
        if (is_called(&lines[i], folded)) {
            value = &lines[i].value;
            count++;
        }
    }
    return count == 1 ? value : NULL;
}

static int
is_clean(const ngx_str_t *value)
{
    for (size_t i = 0; i < value->len; i++) {
        if (iscntrl(value->data[i])) {
            return 0;
        }
    }
    return 1;
}

static int
is_bearer(const ngx_str_t *value)
{
    static const char token[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
                                "uvwxyz0123456789-._~+/=";
    const char *text = (const char *)value->data;

    return strlen(text) == value->len && strncmp(text, "Bearer ", 7) == 0
           && value->len > 7 && value->len <= 7 + 4096
           && strspn(text + 7, token) == value->len - 7;
}

static int
is_equal(const ngx_str_t *a, const ngx_str_t *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static void
check_in(const ngx_http_identgw_verdict_t *verdict)
{
    const ngx_str_t *token = only("authorization");
    const ngx_str_t *user = only("x_user");
    const ngx_str_t *email = only("x_email");
    int is_in = token != NULL && user != NULL && email != NULL
                && is_bearer(token) && is_clean(user) && user->len > 0
                && is_clean(email);

    MUST(is_in == (verdict->reason == NGX_HTTP_IDENTGW_OK));
    MUST(is_in == (verdict->values != NULL));
    if (is_in) {
        MUST(is_equal(&verdict->values[0], token));
        MUST(is_equal(&verdict->values[1], user));
        MUST(is_equal(&verdict->values[2], email));
        MUST(is_equal(&verdict->user, user));
    } else {
        MUST(verdict->reason == NGX_HTTP_IDENTGW_IDP_INVALID);
        MUST(verdict->user.len == 0);
    }
}

/* All that are clean, in their order. */
static void
check_collected(const ngx_array_t *values, const char *folded)
{
    const ngx_str_t *value = values == NULL ? NULL : values->elts;
    ngx_uint_t n = 0;

    for (ngx_uint_t i = 0; i < nlines; i++) {
        if (is_called(&lines[i], folded) && is_clean(&lines[i].value)) {
            MUST(values != NULL && n < values->nelts);
            MUST(is_equal(&value[n++], &lines[i].value));
        }
    }
    MUST(n == (values == NULL ? 0 : values->nelts));
}

static void
check_storage(const ngx_http_identgw_verdict_t *verdict)
{
    const ngx_str_t *epoch = only("identgw_epoch");
    const ngx_str_t *expires = only("x_accel_expires");

    if (epoch != NULL && epoch->len > 0 && epoch->len <= 64
        && is_clean(epoch)) {
        MUST(is_equal(&verdict->epoch, epoch));
    } else {
        MUST(verdict->epoch.len == 0);
    }
    MUST(verdict->max_age_sec >= -1);
    if (expires != NULL) {
        const char *text = (const char *)expires->data;
        size_t digits = strspn(text, "0123456789");

        MUST(verdict->max_age_sec >= 0);
        if (digits == expires->len && digits > 0 && digits < 10) {
            MUST(verdict->max_age_sec == atol(text));
        } else if (text[0] != '@' && digits != expires->len) {
            MUST(verdict->max_age_sec == 0);
        }
    }
}

static ngx_http_identgw_reason_e
reason_of(ngx_int_t status)
{
    switch (status) {
    case 401:
        return NGX_HTTP_IDENTGW_DENIED;
    case 403:
        return NGX_HTTP_IDENTGW_FORBIDDEN;
    case 429:
        return NGX_HTTP_IDENTGW_THROTTLED;
    default:
        return status == NGX_ERROR || (status >= 500 && status < 600)
                   ? NGX_HTTP_IDENTGW_IDP_UNAVAILABLE
                   : NGX_HTTP_IDENTGW_IDP_INVALID;
    }
}

/* --- */

static ngx_http_identgw_identity_t identities[IDENTITIES] = {
    { .name = { .key = ngx_string("Authorization") },
      .answer = ngx_string("authorization"),
      .authorization = 1 },
    { .name = { .key = ngx_string("X-User") }, .answer = ngx_string("x_user") },
    { .name = { .key = ngx_string("X-Email") },
      .answer = ngx_string("x_email") }
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ngx_int_t statuses[] = { 200, 200, 204,      299, 401,
                                          403, 429, 500,      503, 302,
                                          404, 100, NGX_ERROR };
    ngx_array_t list = { identities, IDENTITIES, sizeof(identities[0]),
                         IDENTITIES, NULL };
    ngx_http_identgw_srv_conf_t scf = { .identity = &list, .user = 1 };
    ngx_http_identgw_verdict_t verdict = { 0 };
    ngx_http_identgw_ask_t ask = { 0 };
    ngx_http_upstream_t upstream;
    ngx_http_upstream_conf_t conf = { 0 };
    ngx_http_request_t sr;
    ngx_connection_t connection;
    ngx_log_t log = { 0 };
    ngx_array_t *cookies = NULL;
    ngx_int_t status;

    if (size < 1 || size > 8192) {
        return 0;
    }
    status = statuses[data[0] % (sizeof(statuses) / sizeof(*statuses))];
    read_lines(data + 1, size - 1);

    ngx_memzero(&sr, sizeof(sr));
    ngx_memzero(&upstream, sizeof(upstream));
    ngx_memzero(&connection, sizeof(connection));
    connection.log = &log;
    sr.connection = &connection;
    sr.upstream = &upstream;
    upstream.conf = &conf;
    upstream.headers_in.headers.part.elts = lines;
    upstream.headers_in.headers.part.nelts = nlines;
    sr.headers_out.status = (ngx_uint_t)status;
    ask.request = &sr;
    ask.rc = status == NGX_ERROR ? NGX_ERROR : NGX_OK;
    ask.complete = 1;

    MUST(ngx_http_identgw_identity_read(&ask, &scf, &verdict, &cookies)
         == NGX_OK);
    if (status >= 200 && status < 300) {
        check_in(&verdict);
    } else {
        MUST(verdict.reason == reason_of(status));
        MUST(verdict.values == NULL && verdict.user.len == 0);
    }
    check_collected(cookies, "set_cookie");
    check_collected(verdict.challenges, "www_authenticate");
    check_storage(&verdict);

    while (nblocks > 0) {
        free(blocks[--nblocks]);
    }
    return 0;
}
