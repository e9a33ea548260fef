#include "ngx_http_identgw_names.h"


static u_char ngx_http_identgw_names_fold_byte(u_char ch);
static ngx_uint_t ngx_http_identgw_names_listed(const ngx_str_t *list,
    const ngx_str_t *folded);


/* Folded; a "_" at the end stands for every name that begins so. */

static const ngx_str_t  ngx_http_identgw_names_of_http[] = {
    ngx_string("accept_encoding"),
    ngx_string("close"),
    ngx_string("connection"),
    ngx_string("content_"),
    ngx_string("cookie"),
    ngx_string("cookie2"),
    ngx_string("date"),
    ngx_string("depth"),
    ngx_string("destination"),
    ngx_string("expect"),
    ngx_string("forwarded"),
    ngx_string("host"),
    ngx_string("http2_settings"),
    ngx_string("if_"),
    ngx_string("keep_alive"),
    ngx_string("origin"),
    ngx_string("overwrite"),
    ngx_string("proxy"),
    ngx_string("proxy_"),
    ngx_string("range"),
    ngx_string("referer"),
    ngx_string("sec_"),
    ngx_string("set_cookie"),
    ngx_string("te"),
    ngx_string("trailer"),
    ngx_string("transfer_encoding"),
    ngx_string("upgrade"),
    ngx_string("via"),
    ngx_string("x_accel_"),
    ngx_string("x_forwarded_"),
    ngx_string("x_real_ip"),
    ngx_null_string
};


static const ngx_str_t  ngx_http_identgw_names_of_question[] = {
    ngx_string("accept"),
    ngx_string("accept_language"),
    ngx_string("authorization"),
    ngx_string("user_agent"),
    ngx_string("x_identgw_"),
    ngx_string("x_original_uri"),
    ngx_string("x_request_id"),
    ngx_null_string
};


static const ngx_str_t  ngx_http_identgw_names_of_no_client[] = {
    ngx_string("proxy"),
    ngx_string("x_email"),
    ngx_string("x_first_name"),
    ngx_string("x_groups"),
    ngx_string("x_user"),
    ngx_null_string
};


ngx_int_t
ngx_http_identgw_names_init(ngx_pool_t *pool, const ngx_str_t *key,
    ngx_http_identgw_name_t *name)
{
    name->key = *key;

    name->lowcase_key = ngx_pnalloc(pool, key->len);
    if (name->lowcase_key == NULL) {
        return NGX_ERROR;
    }

    name->folded.data = ngx_pnalloc(pool, key->len);
    if (name->folded.data == NULL) {
        return NGX_ERROR;
    }

    name->hash = ngx_hash_strlow(name->lowcase_key, key->data, key->len);

    name->folded.len = key->len;
    ngx_http_identgw_names_fold(name->folded.data, key);

    name->marks = ngx_http_identgw_names_marks(&name->folded);

    return NGX_OK;
}


void
ngx_http_identgw_names_fold(u_char *dst, const ngx_str_t *key)
{
    size_t  i;

    for (i = 0; i < key->len; i++) {
        dst[i] = ngx_http_identgw_names_fold_byte(key->data[i]);
    }
}


uint64_t
ngx_http_identgw_names_marks(const ngx_str_t *folded)
{
    u_char      first;
    uint64_t    marks;
    ngx_str_t   key;
    ngx_uint_t  i;

    marks = 0;
    key.len = folded->len;
    key.data = &first;

    for (i = 0; i < 256; i++) {
        first = (u_char) i;

        if (ngx_http_identgw_names_fold_byte(first) == folded->data[0]) {
            marks |= (uint64_t) 1 << ngx_http_identgw_names_mark(&key);
        }
    }

    return marks;
}


ngx_uint_t
ngx_http_identgw_names_begin(const ngx_str_t *folded, const ngx_str_t *key)
{
    size_t  i;

    if (key->len < folded->len) {
        return 0;
    }

    for (i = 0; i < folded->len; i++) {
        if (key->data[i] != folded->data[i]
            && ngx_http_identgw_names_fold_byte(key->data[i])
            != folded->data[i])
        {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
ngx_http_identgw_names_is_token(const ngx_str_t *name)
{
    size_t  i;
    u_char  ch;

    for (i = 0; i < name->len; i++) {
        ch = name->data[i];

        if (ch <= ' ' || ch >= 0x7f
            || ngx_strchr("()<>@,;:\\\"/[]?={}", ch) != NULL)
        {
            return 0;
        }
    }

    return name->len != 0;
}


ngx_uint_t
ngx_http_identgw_names_reserved(const ngx_str_t *folded)
{
    return ngx_http_identgw_names_listed(ngx_http_identgw_names_of_http,
                                         folded);
}


ngx_uint_t
ngx_http_identgw_names_forbidden(const ngx_str_t *key)
{
    return ngx_http_identgw_names_listed(ngx_http_identgw_names_of_no_client,
                                         key);
}


uint64_t
ngx_http_identgw_names_forbidden_marks(void)
{
    uint64_t          marks;
    const ngx_str_t  *name;

    marks = 0;

    for (name = ngx_http_identgw_names_of_no_client; name->len; name++) {
        marks |= ngx_http_identgw_names_marks(name);
    }

    return marks;
}


ngx_uint_t
ngx_http_identgw_names_asked(const ngx_str_t *folded)
{
    return ngx_http_identgw_names_listed(ngx_http_identgw_names_of_question,
                                         folded);
}


static u_char
ngx_http_identgw_names_fold_byte(u_char ch)
{
    if (ch >= 'A' && ch <= 'Z') {
        return ch | 0x20;
    }

    if ((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9')) {
        return ch;
    }

    return '_';
}


static ngx_uint_t
ngx_http_identgw_names_listed(const ngx_str_t *list, const ngx_str_t *folded)
{
    for (; list->len; list++) {
        if (list->data[list->len - 1] == '_'
            ? ngx_http_identgw_names_begin(list, folded)
            : ngx_http_identgw_names_equal(list, folded))
        {
            return 1;
        }
    }

    return 0;
}
