#include "ngx_http_identgw_list.h"
#include "ngx_http_identgw_names.h"


static char *ngx_http_identgw_list_add(ngx_conf_t *cf,
    ngx_http_identgw_srv_conf_t *scf, const ngx_str_t *arg);
static char *ngx_http_identgw_list_check(ngx_conf_t *cf,
    const ngx_http_identgw_srv_conf_t *scf,
    const ngx_http_identgw_identity_t *identity);
static void ngx_http_identgw_list_find_user(ngx_http_identgw_srv_conf_t *scf);


static const ngx_str_t  ngx_http_identgw_list_default[] = {
    ngx_string("Authorization"),
    ngx_string("X-User"),
    ngx_string("X-Email"),
    ngx_string("X-First-Name")
};


char *
ngx_http_identgw_list_set(ngx_conf_t *cf, ngx_http_identgw_srv_conf_t *scf,
    const ngx_str_t *args, ngx_uint_t n)
{
    static const ngx_str_t  connection = ngx_string("connection");

    char        *rv;
    ngx_uint_t   i;

    for (i = 0; i < n; i++) {
        rv = ngx_http_identgw_list_add(cf, scf, &args[i]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    ngx_http_identgw_list_find_user(scf);
    scf->marks |= ngx_http_identgw_names_forbidden_marks();
    scf->marks |= ngx_http_identgw_names_letter_marks(&connection);

    return NGX_CONF_OK;
}


char *
ngx_http_identgw_list_set_default(ngx_conf_t *cf,
    ngx_http_identgw_srv_conf_t *scf)
{
    return ngx_http_identgw_list_set(cf, scf, ngx_http_identgw_list_default,
                                     sizeof(ngx_http_identgw_list_default)
                                     / sizeof(ngx_str_t));
}


/* "name" or "name=answer-name" */

static char *
ngx_http_identgw_list_add(ngx_conf_t *cf, ngx_http_identgw_srv_conf_t *scf,
    const ngx_str_t *arg)
{
    static const ngx_str_t  authorization = ngx_string("authorization");

    u_char                       *equals;
    ngx_str_t                     name, answer;
    ngx_http_identgw_identity_t  *identity;

    name = *arg;
    answer = *arg;
    equals = ngx_strlchr(arg->data, arg->data + arg->len, '=');

    if (equals != NULL) {
        name.len = equals - arg->data;
        answer.data = equals + 1;
        answer.len = arg->len - name.len - 1;
    }

    if (!ngx_http_identgw_names_is_token(&name)
        || !ngx_http_identgw_names_is_token(&answer))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid identity header \"%V\", it must be a "
                           "name such as \"X-User\", or \"Remote-User=X-User\" "
                           "for one that the answer calls otherwise", arg);
        return NGX_CONF_ERROR;
    }

    if (scf->identity == NULL) {
        scf->identity = ngx_array_create(cf->pool, 4,
                                         sizeof(ngx_http_identgw_identity_t));
        if (scf->identity == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    identity = ngx_array_push(scf->identity);
    if (identity == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(identity, sizeof(ngx_http_identgw_identity_t));

    identity->answer.len = answer.len;
    identity->answer.data = ngx_pnalloc(cf->pool, answer.len);

    if (identity->answer.data == NULL
        || ngx_http_identgw_names_init(cf->pool, &name, &identity->name)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_http_identgw_names_fold(identity->answer.data, &answer);

    identity->authorization =
        ngx_http_identgw_names_equal(&authorization, &identity->name.folded);

    if (!identity->authorization) {
        scf->marks |= identity->name.marks;
    }

    return ngx_http_identgw_list_check(cf, scf, identity);
}


static char *
ngx_http_identgw_list_check(ngx_conf_t *cf,
    const ngx_http_identgw_srv_conf_t *scf,
    const ngx_http_identgw_identity_t *identity)
{
    const ngx_http_identgw_identity_t  *other;

    if (ngx_http_identgw_names_reserved(&identity->name.folded)
        || (ngx_http_identgw_names_asked(&identity->name.folded)
            && !identity->authorization))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" cannot be an identity header, nginx or "
                           "HTTP lives by it; choose a name of your own, as "
                           "in \"X-User=%V\"", &identity->name.key,
                           &identity->name.key);
        return NGX_CONF_ERROR;
    }

    for (other = scf->identity->elts; other < identity; other++) {
        if (ngx_http_identgw_names_equal(&other->name.folded,
                                         &identity->name.folded))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "identity headers \"%V\" and \"%V\" are the "
                               "same to a CGI application, leave one out",
                               &other->name.key, &identity->name.key);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static void
ngx_http_identgw_list_find_user(ngx_http_identgw_srv_conf_t *scf)
{
    ngx_uint_t                          i;
    const ngx_http_identgw_identity_t  *identity;

    identity = scf->identity->elts;

    for (i = 0; i < scf->identity->nelts; i++) {
        if (!identity[i].authorization) {
            break;
        }
    }

    scf->user = i;
}
