#include "ngx_http_identgw_locate.h"


/* How nginx looks: an exact or a regex match ends it, a prefix does not. */

typedef struct {
    ngx_http_core_loc_conf_t  *found;
    unsigned                   final : 1;
} ngx_http_identgw_locate_t;


static ngx_http_identgw_locate_t ngx_http_identgw_locate_in(
    const ngx_http_core_loc_conf_t *outer, const ngx_str_t *uri);
static ngx_http_identgw_locate_t ngx_http_identgw_locate_static(
    ngx_http_location_tree_node_t *node, const ngx_str_t *uri);
static ngx_http_core_loc_conf_t *ngx_http_identgw_locate_regex(
    const ngx_http_core_loc_conf_t *outer, const ngx_str_t *uri);


ngx_http_core_loc_conf_t *
ngx_http_identgw_locate(const ngx_http_core_srv_conf_t *server,
    const ngx_str_t *uri)
{
    const ngx_http_core_loc_conf_t  *root;

    root = server->ctx->loc_conf[ngx_http_core_module.ctx_index];

    return ngx_http_identgw_locate_in(root, uri).found;
}


static ngx_http_identgw_locate_t
ngx_http_identgw_locate_in(const ngx_http_core_loc_conf_t *outer,
    const ngx_str_t *uri)
{
    ngx_uint_t                  is_last_word;
    ngx_http_core_loc_conf_t   *regex;
    ngx_http_identgw_locate_t   here, inner;

    is_last_word = 0;
    here = ngx_http_identgw_locate_static(outer->static_locations, uri);

    if (here.found != NULL && !here.final) {
#if (NGX_PCRE)
        is_last_word = here.found->noregex;
#endif
        inner = ngx_http_identgw_locate_in(here.found, uri);

        if (inner.found != NULL) {
            here = inner;
        }
    }

    if (here.final || is_last_word) {
        return here;
    }

    regex = ngx_http_identgw_locate_regex(outer, uri);

    if (regex != NULL) {
        inner = ngx_http_identgw_locate_in(regex, uri);

        here.found = (inner.found != NULL) ? inner.found : regex;
        here.final = 1;
    }

    return here;
}


static ngx_http_identgw_locate_t
ngx_http_identgw_locate_static(ngx_http_location_tree_node_t *node,
    const ngx_str_t *uri)
{
    u_char                     *p;
    size_t                      len, n;
    ngx_int_t                   rc;
    ngx_http_identgw_locate_t   result;

    result.found = NULL;
    result.final = 0;

    p = uri->data;
    len = uri->len;

    while (node != NULL) {
        n = ngx_min(len, (size_t) node->len);
        rc = ngx_filename_cmp(p, node->name, n);

        if (rc != 0) {
            node = (rc < 0) ? node->left : node->right;

        } else if (len < (size_t) node->len) {
            node = node->left;

        } else if (len == (size_t) node->len) {
            result.found = node->exact ? node->exact : node->inclusive;
            result.final = (node->exact != NULL);
            return result;

        } else if (node->inclusive) {
            result.found = node->inclusive;
            node = node->tree;
            p += n;
            len -= n;

        } else {
            node = node->right;
        }
    }

    return result;
}


static ngx_http_core_loc_conf_t *
ngx_http_identgw_locate_regex(const ngx_http_core_loc_conf_t *outer,
    const ngx_str_t *uri)
{
#if (NGX_PCRE)

    ngx_str_t                   name;
    ngx_http_core_loc_conf_t  **clcfp;

    if (outer->regex_locations == NULL) {
        return NULL;
    }

    name = *uri;

    for (clcfp = outer->regex_locations; *clcfp; clcfp++) {
        if (ngx_regex_exec((*clcfp)->regex->regex, &name, NULL, 0) >= 0) {
            return *clcfp;
        }
    }

#endif

    return NULL;
}
