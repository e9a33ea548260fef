/*
 * For tests only: a build with NGX_HTTP_IDENTGW_FAULTS can leave out one
 * ingredient of the revocation protocol, and die in the middle of a change to
 * shared memory. Any other build has nothing of this.
 */

#ifndef NGX_HTTP_IDENTGW_FAULTS_H
#define NGX_HTTP_IDENTGW_FAULTS_H


#include <ngx_config.h>
#include <ngx_core.h>


/* Words of the environment variable IDENTGW_FAULTS, see faults.c. */

typedef enum {
    NGX_HTTP_IDENTGW_FAULT_GENERATION = 0, /* verdicts are stored unchecked */
    NGX_HTTP_IDENTGW_FAULT_SENT,           /* leases count from the receipt */
    NGX_HTTP_IDENTGW_FAULT_PURGE,          /* answers leave before the purge */
    NGX_HTTP_IDENTGW_FAULT_STREAM,         /* the lease comes without its rows */
    NGX_HTTP_IDENTGW_FAULT_ONE_POLL,       /* any answer counts as the last poll's */
    NGX_HTTP_IDENTGW_FAULT_LEASE,          /* leases never end */
    NGX_HTTP_IDENTGW_FAULTS_COUNT
} ngx_http_identgw_fault_e;


#if (NGX_HTTP_IDENTGW_FAULTS)

ngx_uint_t ngx_http_identgw_faults_has(ngx_http_identgw_fault_e fault);

/* Kills the process if $IDENTGW_CRASH/point exists, and removes that file. */
void ngx_http_identgw_faults_crash(const char *point);

#else

static ngx_inline ngx_uint_t
ngx_http_identgw_faults_has(ngx_http_identgw_fault_e fault)
{
    return 0;
}


static ngx_inline void
ngx_http_identgw_faults_crash(const char *point)
{
    /* never */
}

#endif


#endif
