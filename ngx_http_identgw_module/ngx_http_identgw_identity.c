#include "ngx_http_identgw_compat.h"
#include "ngx_http_identgw_identity.h"
#include "ngx_http_identgw_names.h"


typedef struct {
    ngx_int_t                   from;
    ngx_int_t                   to;
    ngx_http_identgw_reason_e   reason;
} ngx_http_identgw_identity_status_t;


static ngx_http_identgw_reason_e ngx_http_identgw_identity_outcome(
    const ngx_http_identgw_ask_t *ask);
static time_t ngx_http_identgw_identity_seconds(const ngx_str_t *value);
static void ngx_http_identgw_identity_storage(const ngx_http_request_t *sr,
    ngx_http_identgw_verdict_t *verdict);
static ngx_int_t ngx_http_identgw_identity_values(
    const ngx_http_request_t *sr, const ngx_http_identgw_srv_conf_t *scf,
    ngx_http_identgw_verdict_t *verdict);
static const char *ngx_http_identgw_identity_value(
    const ngx_http_request_t *sr, const ngx_str_t *folded, ngx_str_t *value);
static const char *ngx_http_identgw_identity_check(
    const ngx_http_identgw_srv_conf_t *scf, ngx_uint_t i,
    const ngx_str_t *value);
static const ngx_list_part_t *ngx_http_identgw_identity_headers(
    const ngx_http_request_t *sr);
static ngx_uint_t ngx_http_identgw_identity_is_line(
    const ngx_http_request_t *sr, const ngx_str_t *folded,
    const ngx_table_elt_t *h);
static ngx_uint_t ngx_http_identgw_identity_is_bearer(const ngx_str_t *value);
static ngx_uint_t ngx_http_identgw_identity_is_clean(const ngx_str_t *value);


/* the first row that holds the status counts */

static const ngx_http_identgw_identity_status_t
    ngx_http_identgw_identity_statuses[] = {
    { 200, 299, NGX_HTTP_IDENTGW_OK },
    { 401, 401, NGX_HTTP_IDENTGW_DENIED },
    { 403, 403, NGX_HTTP_IDENTGW_FORBIDDEN },
    { 429, 429, NGX_HTTP_IDENTGW_THROTTLED },
    { 500, 599, NGX_HTTP_IDENTGW_IDP_UNAVAILABLE },
    { NGX_ERROR, NGX_ERROR, NGX_HTTP_IDENTGW_IDP_UNAVAILABLE },
    { 0, 0, NGX_HTTP_IDENTGW_UNDECIDED }
};


ngx_int_t
ngx_http_identgw_identity_read(const ngx_http_identgw_ask_t *ask,
    const ngx_http_identgw_srv_conf_t *scf,
    ngx_http_identgw_verdict_t *verdict, ngx_array_t **cookies)
{
    static const ngx_str_t  cookie_key = ngx_string("set_cookie");
    static const ngx_str_t  retry_key = ngx_string("retry_after");
    static const ngx_str_t  challenge_key = ngx_string("www_authenticate");

    ngx_str_t           *value;
    ngx_array_t         *retry_after;
    ngx_http_request_t  *sr;

    sr = ask->request;
    retry_after = NULL;

    if (ask->unusable) {
        verdict->reason = NGX_HTTP_IDENTGW_IDP_INVALID;
        return NGX_OK;
    }

    verdict->reason = ngx_http_identgw_identity_outcome(ask);

    if (ngx_http_identgw_identity_collect(sr, &cookie_key, cookies) != NGX_OK
        || ngx_http_identgw_identity_collect(sr, &challenge_key,
                                             &verdict->challenges)
        != NGX_OK
        || ngx_http_identgw_identity_collect(sr, &retry_key, &retry_after)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (retry_after != NULL) {
        value = retry_after->elts;
        verdict->retry_after = value[0];
    }

    ngx_http_identgw_identity_storage(sr, verdict);

    if (verdict->reason == NGX_HTTP_IDENTGW_OK) {
        return ngx_http_identgw_identity_values(sr, scf, verdict);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_identgw_identity_collect(const ngx_http_request_t *sr,
    const ngx_str_t *folded, ngx_array_t **values)
{
    ngx_str_t              *value;
    ngx_uint_t              i;
    const ngx_list_part_t  *part;
    const ngx_table_elt_t  *h;

    part = ngx_http_identgw_identity_headers(sr);

    for (/* void */; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (!ngx_http_identgw_identity_is_line(sr, folded, &h[i])
                || !ngx_http_identgw_identity_is_clean(&h[i].value))
            {
                continue;
            }

            if (*values == NULL) {
                *values = ngx_array_create(sr->pool, 2, sizeof(ngx_str_t));
                if (*values == NULL) {
                    return NGX_ERROR;
                }
            }

            value = ngx_array_push(*values);
            if (value == NULL) {
                return NGX_ERROR;
            }

            *value = h[i].value;
        }
    }

    return NGX_OK;
}


static ngx_http_identgw_reason_e
ngx_http_identgw_identity_outcome(const ngx_http_identgw_ask_t *ask)
{
    ngx_int_t                                   status;
    const char                                 *fault;
    ngx_log_t                                  *log;
    ngx_http_request_t                         *sr;
    const ngx_http_identgw_identity_status_t   *row;

    sr = ask->request;
    log = sr->connection->log;

    status = ngx_http_identgw_identity_status(ask);
    fault = ngx_http_identgw_identity_fault(ask);

    if (fault != NULL) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "identgw: authenticate answer %s", fault);
        return NGX_HTTP_IDENTGW_IDP_INVALID;
    }

    row = ngx_http_identgw_identity_statuses;

    while (row->from != 0 && (status < row->from || status > row->to)) {
        row++;
    }

    if (row->reason == NGX_HTTP_IDENTGW_UNDECIDED) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "identgw: authenticate answer has status %i", status);
        return NGX_HTTP_IDENTGW_IDP_INVALID;
    }

    if (row->reason == NGX_HTTP_IDENTGW_IDP_UNAVAILABLE) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "identgw: authenticate failed with status %i", status);
    }

    return row->reason;
}


ngx_int_t
ngx_http_identgw_identity_epoch(const ngx_http_request_t *sr, ngx_str_t *epoch)
{
    static const ngx_str_t  key = ngx_string("identgw_epoch");

    if (ngx_http_identgw_identity_value(sr, &key, epoch) == NULL
        && ngx_http_identgw_identity_is_clean(epoch)
        && epoch->len != 0
        && epoch->len <= NGX_HTTP_IDENTGW_ZONE_EPOCH_SIZE)
    {
        return NGX_OK;
    }

    ngx_str_null(epoch);

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_identgw_identity_status(const ngx_http_identgw_ask_t *ask)
{
    /* a code of nginx's own comes as the result, an answer's in headers_out */

    if (ask->rc != NGX_ERROR && ask->rc < NGX_HTTP_SPECIAL_RESPONSE) {
        return ask->request->headers_out.status;
    }

    return ask->rc;
}


const char *
ngx_http_identgw_identity_fault(const ngx_http_identgw_ask_t *ask)
{
    const ngx_http_upstream_t  *u;

    u = ask->request->upstream;

    if (u == NULL) {
        return NULL;
    }

    if (u->headers_in.x_accel_redirect != NULL
        && !(u->conf->ignore_headers & NGX_HTTP_UPSTREAM_IGN_XA_REDIRECT))
    {
        return "has X-Accel-Redirect";
    }

    if (ask->rc == NGX_OK && !ask->complete) {
        return "was cut";
    }

    if (ngx_http_identgw_compat_is_garbled(u)) {
        return "cannot be read";
    }

    /* 502 of nginx's own although something came */

    if (ask->rc == NGX_HTTP_BAD_GATEWAY
        && u->headers_in.status_n != NGX_HTTP_BAD_GATEWAY
        && u->state != NULL
        && u->state->bytes_received > 0)
    {
        return "cannot be read";
    }

    return NULL;
}


/* Of which epoch the answer is, and how long it may be kept. */

static void
ngx_http_identgw_identity_storage(const ngx_http_request_t *sr,
    ngx_http_identgw_verdict_t *verdict)
{
    (void) ngx_http_identgw_identity_epoch(sr, &verdict->epoch);

    verdict->max_age_sec = ngx_http_identgw_identity_max_age(sr);
}


time_t
ngx_http_identgw_identity_max_age(const ngx_http_request_t *sr)
{
    static const ngx_str_t  key = ngx_string("x_accel_expires");

    ngx_str_t  value;

    value.len = 0;

    if (ngx_http_identgw_identity_value(sr, &key, &value) == NULL) {
        return ngx_http_identgw_identity_seconds(&value);
    }

    return value.len != 0 ? 0 : -1;
}


/* X-Accel-Expires: seconds, or "@" and a time; 0 and nonsense forbid it. */

static time_t
ngx_http_identgw_identity_seconds(const ngx_str_t *value)
{
    time_t  n, now;

    if (value->len == 0) {
        return 0;
    }

    if (value->data[0] != '@') {
        n = ngx_atotm(value->data, value->len);
        return n == NGX_ERROR ? 0 : n;
    }

    now = ngx_time();
    n = ngx_atotm(value->data + 1, value->len - 1);

    return (n == NGX_ERROR || n < now) ? 0 : n - now;
}


static ngx_int_t
ngx_http_identgw_identity_values(const ngx_http_request_t *sr,
    const ngx_http_identgw_srv_conf_t *scf,
    ngx_http_identgw_verdict_t *verdict)
{
    ngx_uint_t                          i;
    const char                         *fault;
    const ngx_http_identgw_identity_t  *identity;

    identity = scf->identity->elts;

    verdict->values = ngx_pcalloc(sr->pool,
                                  scf->identity->nelts * sizeof(ngx_str_t));
    if (verdict->values == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < scf->identity->nelts; i++) {
        fault = ngx_http_identgw_identity_value(sr, &identity[i].answer,
                                                &verdict->values[i]);

        if (fault == NULL) {
            fault = ngx_http_identgw_identity_check(scf, i,
                                                    &verdict->values[i]);
        }

        if (fault != NULL) {
            ngx_log_error(NGX_LOG_ERR, sr->connection->log, 0,
                          "identgw: authenticate answer %s (header for "
                          "\"%V\")", fault, &identity[i].name.key);

            verdict->values = NULL;
            verdict->reason = NGX_HTTP_IDENTGW_IDP_INVALID;
            return NGX_OK;
        }
    }

    if (scf->user < scf->identity->nelts) {
        verdict->user = verdict->values[scf->user];
    }

    return NGX_OK;
}


/* Reads the one line called "folded"; returns what is wrong, or NULL. */

static const char *
ngx_http_identgw_identity_value(const ngx_http_request_t *sr,
    const ngx_str_t *folded, ngx_str_t *value)
{
    ngx_uint_t              i, n;
    const ngx_list_part_t  *part;
    const ngx_table_elt_t  *h;

    n = 0;
    part = ngx_http_identgw_identity_headers(sr);

    for (/* void */; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (ngx_http_identgw_identity_is_line(sr, folded, &h[i])) {
                *value = h[i].value;
                n++;
            }
        }
    }

    if (n == 0) {
        return "lacks an identity header";
    }

    return n == 1 ? NULL : "has an identity header twice";
}


static const char *
ngx_http_identgw_identity_check(const ngx_http_identgw_srv_conf_t *scf,
    ngx_uint_t i, const ngx_str_t *value)
{
    const ngx_http_identgw_identity_t  *identity;

    identity = scf->identity->elts;

    if (identity[i].authorization) {
        return ngx_http_identgw_identity_is_bearer(value)
               ? NULL : "has no bearer token of a sane size";
    }

    if (!ngx_http_identgw_identity_is_clean(value)) {
        return "has control bytes in an identity header";
    }

    if (i == scf->user && value->len == 0) {
        return "names no user";
    }

    return NULL;
}


static const ngx_list_part_t *
ngx_http_identgw_identity_headers(const ngx_http_request_t *sr)
{
    const ngx_list_t  *list;

    /* what nginx passes on may lack lines that fastcgi_hide_header names */

    if (sr->upstream != NULL) {
        list = &sr->upstream->headers_in.headers;

        if (list->part.elts != NULL) {
            return &list->part;
        }
    }

    return &sr->headers_out.headers.part;
}


/*
 * In nginx's own list a hash of 0 marks a line as taken out; in an upstream's
 * one without a name is left behind when there was no memory for it.
 */

static ngx_uint_t
ngx_http_identgw_identity_is_line(const ngx_http_request_t *sr,
    const ngx_str_t *folded, const ngx_table_elt_t *h)
{
    return (h->hash != 0 || sr->upstream != NULL)
           && h->key.data != NULL
           && ngx_http_identgw_names_equal(folded, &h->key);
}


/* RFC 6750 2.1: the bytes of a bearer token. */

static ngx_uint_t
ngx_http_identgw_identity_is_bearer(const ngx_str_t *value)
{
    static const u_char  token[256] = {
        ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1,
        ['-'] = 1, ['.'] = 1, ['_'] = 1, ['~'] = 1,
        ['+'] = 1, ['/'] = 1, ['='] = 1
    };

    u_char         is_token;
    size_t         len;
    const u_char  *p, *end;

    if (value->len <= sizeof("Bearer ") - 1
        || ngx_strncmp(value->data, "Bearer ", sizeof("Bearer ") - 1) != 0)
    {
        return 0;
    }

    len = value->len - (sizeof("Bearer ") - 1);

    if (len > NGX_HTTP_IDENTGW_IDENTITY_MAX_TOKEN_SIZE) {
        return 0;
    }

    is_token = 1;
    end = value->data + value->len;
    p = end - len;

    /* it is long: eight bytes at a time */

    for (/* void */; end - p >= 8; p += 8) {
        is_token &= token[p[0]] & token[p[1]] & token[p[2]] & token[p[3]]
            & token[p[4]] & token[p[5]] & token[p[6]] & token[p[7]];
    }

    for (/* void */; p < end; p++) {
        is_token &= token[*p];
    }

    return is_token;
}


static ngx_uint_t
ngx_http_identgw_identity_is_clean(const ngx_str_t *value)
{
    size_t  i;

    for (i = 0; i < value->len; i++) {
        if (value->data[i] < ' ' || value->data[i] == 0x7f) {
            return 0;
        }
    }

    return 1;
}
