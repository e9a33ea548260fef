#include "ngx_http_identgw_faults.h"


#if (NGX_HTTP_IDENTGW_FAULTS)

/* in the order of ngx_http_identgw_fault_e */

static const char  *ngx_http_identgw_faults_names[] = {
    "generation",
    "sent",
    "purge",
    "stream",
    "one_poll",
    "lease"
};


ngx_uint_t
ngx_http_identgw_faults_has(ngx_http_identgw_fault_e fault)
{
    const char  *value;

    value = getenv("IDENTGW_FAULTS");

    return value != NULL
           && ngx_strstr(value, ngx_http_identgw_faults_names[fault]) != NULL;
}


void
ngx_http_identgw_faults_crash(const char *point)
{
    u_char       path[NGX_MAX_PATH];
    const char  *directory;

    directory = getenv("IDENTGW_CRASH");

    if (directory == NULL) {
        return;
    }

    (void) ngx_snprintf(path, sizeof(path), "%s/%s%Z", directory, point);

    if (ngx_delete_file(path) != NGX_FILE_ERROR) {
        (void) kill(ngx_getpid(), SIGKILL);
    }
}

#endif
