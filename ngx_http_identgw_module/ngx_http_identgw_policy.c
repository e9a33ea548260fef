#include "ngx_http_identgw_policy.h"
#include "ngx_http_identgw_compat.h"


static const ngx_http_identgw_srv_conf_t *ngx_http_identgw_policy_server(
    const ngx_http_identgw_protected_t *protected);
static ngx_int_t ngx_http_identgw_policy_say_server(ngx_conf_t *cf,
    ngx_array_t *text, const ngx_http_core_srv_conf_t *server);
static ngx_int_t ngx_http_identgw_policy_say_address(ngx_array_t *text,
    const ngx_http_conf_addr_t *address,
    const ngx_http_core_srv_conf_t *server);
static ngx_int_t ngx_http_identgw_policy_say_list(ngx_array_t *text,
    const ngx_http_identgw_srv_conf_t *scf);
static ngx_int_t ngx_http_identgw_policy_say(ngx_array_t *text,
    const ngx_str_t *word);
static ngx_int_t ngx_http_identgw_policy_hash(ngx_array_t *text,
    uint64_t *hash);


ngx_int_t
ngx_http_identgw_policy_of_list(ngx_conf_t *cf,
    const ngx_http_identgw_protected_t *protected, uint64_t *hash)
{
    ngx_array_t                         text;
    const ngx_http_identgw_srv_conf_t  *scf;

    scf = ngx_http_identgw_policy_server(protected);

    if (ngx_array_init(&text, cf->temp_pool, 256, 1) != NGX_OK
        || ngx_http_identgw_policy_say_list(&text, scf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_identgw_policy_hash(&text, hash);
}


ngx_int_t
ngx_http_identgw_policy_of(ngx_conf_t *cf,
    const ngx_http_identgw_protected_t *protected, uint64_t *policy)
{
    ngx_array_t                         text;
    const ngx_http_identgw_loc_conf_t  *lcf;
    const ngx_http_identgw_srv_conf_t  *scf;

    lcf = protected->conf;
    scf = ngx_http_identgw_policy_server(protected);

    if (ngx_array_init(&text, cf->temp_pool, 256, 1) != NGX_OK
        || ngx_http_identgw_policy_say_server(cf, &text, protected->server)
        != NGX_OK
        || ngx_http_identgw_policy_say(&text, &lcf->authenticate) != NGX_OK
        || ngx_http_identgw_policy_say(&text, &lcf->session->key) != NGX_OK
        || ngx_http_identgw_policy_say_list(&text, scf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_identgw_policy_hash(&text, policy);
}


static const ngx_http_identgw_srv_conf_t *
ngx_http_identgw_policy_server(const ngx_http_identgw_protected_t *protected)
{
    return protected->server->ctx->srv_conf[ngx_http_identgw_module.ctx_index];
}


/* Not its number nor its line, which move when others come or go. */

static ngx_int_t
ngx_http_identgw_policy_say_server(ngx_conf_t *cf, ngx_array_t *text,
    const ngx_http_core_srv_conf_t *server)
{
    ngx_uint_t                        i, n;
    const ngx_http_conf_addr_t       *address;
    const ngx_http_conf_port_t       *port;
    const ngx_http_server_name_t     *name;
    const ngx_http_core_main_conf_t  *cmcf;

    name = server->server_names.elts;

    for (i = 0; i < server->server_names.nelts; i++) {
        if (ngx_http_identgw_policy_say(text, &name[i].name) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    if (cmcf->ports == NULL) {
        return NGX_OK;
    }

    port = cmcf->ports->elts;

    for (i = 0; i < cmcf->ports->nelts; i++) {
        address = port[i].addrs.elts;

        for (n = 0; n < port[i].addrs.nelts; n++) {
            if (ngx_http_identgw_policy_say_address(text, &address[n], server)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_policy_say_address(ngx_array_t *text,
    const ngx_http_conf_addr_t *address,
    const ngx_http_core_srv_conf_t *server)
{
    ngx_uint_t                         i;
    const ngx_http_core_srv_conf_t   **servers;

    servers = address->servers.elts;

    for (i = 0; i < address->servers.nelts; i++) {
        if (servers[i] == server) {
            return ngx_http_identgw_policy_say(text, &address->opt.addr_text);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_policy_say_list(ngx_array_t *text,
    const ngx_http_identgw_srv_conf_t *scf)
{
    ngx_uint_t                          i;
    const ngx_http_identgw_identity_t  *identity;

    identity = scf->identity->elts;

    for (i = 0; i < scf->identity->nelts; i++) {
        if (ngx_http_identgw_policy_say(text, &identity[i].name.key) != NGX_OK
            || ngx_http_identgw_policy_say(text, &identity[i].answer) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* A word and its end, which no word has in it. */

static ngx_int_t
ngx_http_identgw_policy_say(ngx_array_t *text, const ngx_str_t *word)
{
    u_char  *p;

    p = ngx_array_push_n(text, word->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(p, word->data, word->len);
    *p = '\0';

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_policy_hash(ngx_array_t *text, uint64_t *hash)
{
    u_char     digest[NGX_HTTP_IDENTGW_COMPAT_SHA256_SIZE];
    ngx_str_t  whole;

    whole.data = text->elts;
    whole.len = text->nelts;

    if (ngx_http_identgw_compat_sha256(&whole, digest) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memcpy(hash, digest, sizeof(uint64_t));

    return NGX_OK;
}
