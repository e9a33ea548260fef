#include "ngx_http_identgw_polls.h"
#include "ngx_http_identgw_compat.h"
#include "ngx_http_identgw_faults.h"
#include "ngx_http_identgw_shared.h"


#define NGX_HTTP_IDENTGW_POLLS_MSEC  UINT64_C(1000000)


static ngx_http_identgw_poll_e ngx_http_identgw_polls_check(
    const ngx_http_identgw_zone_t *zone,
    const ngx_http_identgw_poll_t *poll,
    const ngx_http_identgw_poll_answer_t *answer, uint64_t now_nsec);


ngx_msec_t
ngx_http_identgw_polls_begin(ngx_http_identgw_zone_t *zone,
    ngx_http_identgw_poll_t *poll)
{
    uint64_t                         now_nsec, due_nsec;
    ngx_msec_t                       wait;
    ngx_http_identgw_shared_cursor_t  *cursor;
    ngx_http_identgw_zone_shared_t  *shared;

    shared = zone->shared;

    ngx_http_identgw_shared_lock(zone);

    now_nsec = ngx_http_identgw_compat_nsec();
    due_nsec = zone->interval_nsec;

    if (shared->polling
        && !ngx_http_identgw_faults_has(NGX_HTTP_IDENTGW_FAULT_ONE_POLL))
    {
        due_nsec = ngx_http_identgw_polls_patience(zone)
            * NGX_HTTP_IDENTGW_POLLS_MSEC;
    }

    due_nsec += shared->begun_nsec;

    if (shared->retired || now_nsec >= shared->wanted_nsec) {
        wait = NGX_TIMER_INFINITE;

    } else if (shared->begun_nsec != 0 && now_nsec < due_nsec) {
        wait = 1 + (due_nsec - now_nsec) / NGX_HTTP_IDENTGW_POLLS_MSEC;

    } else {
        wait = 0;
        cursor = &shared->cursors[shared->cursor];

        shared->begun_nsec = now_nsec;
        ngx_http_identgw_faults_crash("poll_begun");
        shared->sequence++;
        shared->polling = 1;

        poll->sequence = shared->sequence;
        poll->sent_nsec = now_nsec;
        poll->cursor_len = cursor->len;
        ngx_memcpy(poll->cursor, cursor->data, cursor->len);
    }

    ngx_http_identgw_shared_unlock(zone);

    return wait;
}


ngx_msec_t
ngx_http_identgw_polls_patience(const ngx_http_identgw_zone_t *zone)
{
    uint64_t  nsec;

    nsec = ngx_max(zone->interval_nsec, zone->lease_nsec / 4);

    return nsec / NGX_HTTP_IDENTGW_POLLS_MSEC;
}


ngx_http_identgw_poll_e
ngx_http_identgw_polls_apply(ngx_http_identgw_zone_t *zone,
    const ngx_http_identgw_poll_t *poll,
    const ngx_http_identgw_poll_answer_t *answer)
{
    uint64_t                         now_nsec, sent_nsec;
    ngx_uint_t                       i, nrows;
    ngx_http_identgw_poll_e          result;
    ngx_http_identgw_zone_shared_t  *shared;

    shared = zone->shared;

    ngx_http_identgw_shared_lock(zone);

    now_nsec = ngx_http_identgw_compat_nsec();
    result = ngx_http_identgw_polls_check(zone, poll, answer, now_nsec);

    if (result <= NGX_HTTP_IDENTGW_POLL_RESET) {

        if (result == NGX_HTTP_IDENTGW_POLL_RESET) {
            ngx_http_identgw_shared_forget(shared);
        }

        nrows = ngx_http_identgw_faults_has(NGX_HTTP_IDENTGW_FAULT_STREAM)
                ? 0 : answer->nrows;

        for (i = 0; i < nrows; i++) {
            ngx_http_identgw_slots_revoke(&shared->slots, answer->rows
                                          + i * NGX_HTTP_IDENTGW_SLOTS_KEY_SIZE);
        }

        ngx_http_identgw_faults_crash("poll_rows");
        ngx_http_identgw_shared_set_cursor(shared, &answer->epoch,
                                           &answer->cursor);
        ngx_http_identgw_faults_crash("poll_cursor");

        sent_nsec = poll->sent_nsec;

        if (ngx_http_identgw_faults_has(NGX_HTTP_IDENTGW_FAULT_SENT)) {
            sent_nsec = now_nsec;

        } else if (ngx_http_identgw_faults_has(
                       NGX_HTTP_IDENTGW_FAULT_ONE_POLL))
        {
            sent_nsec = shared->begun_nsec;
        }

        shared->sent_nsec = sent_nsec;
        shared->took_nsec = now_nsec - poll->sent_nsec;
        shared->counters.rows += answer->nrows;
    }

    if (poll->sequence == shared->sequence) {
        shared->polling = 0;
    }

    shared->counters.polls[result]++;

    ngx_http_identgw_shared_unlock(zone);

    return result;
}


void
ngx_http_identgw_polls_fail(ngx_http_identgw_zone_t *zone,
    const ngx_http_identgw_poll_t *poll,
    ngx_http_identgw_poll_e result)
{
    ngx_http_identgw_zone_shared_t  *shared;

    shared = zone->shared;

    ngx_http_identgw_shared_lock(zone);

    if (poll->sequence == shared->sequence) {
        shared->polling = 0;
    }

    shared->counters.polls[result]++;

    ngx_http_identgw_shared_unlock(zone);
}


/*
 * A timeline never goes back: whoever has a lower one is a primary that should
 * not live any more. Another database may follow when the lease has ended.
 */

static ngx_http_identgw_poll_e
ngx_http_identgw_polls_check(const ngx_http_identgw_zone_t *zone,
    const ngx_http_identgw_poll_t *poll,
    const ngx_http_identgw_poll_answer_t *answer, uint64_t now_nsec)
{
    const ngx_http_identgw_shared_cursor_t  *cursor;
    const ngx_http_identgw_zone_shared_t  *shared;

    shared = zone->shared;
    cursor = &shared->cursors[shared->cursor];

    if (poll->sequence != shared->sequence
        && !ngx_http_identgw_faults_has(NGX_HTTP_IDENTGW_FAULT_ONE_POLL))
    {
        return NGX_HTTP_IDENTGW_POLL_LATE;
    }

    if (ngx_http_identgw_shared_is_epoch(shared, &answer->epoch)) {
        return (answer->is_reset || cursor->len == 0)
               ? NGX_HTTP_IDENTGW_POLL_RESET : NGX_HTTP_IDENTGW_POLL_OK;
    }

    if (ngx_http_identgw_shared_is_earlier(shared, &answer->epoch)
        || (ngx_http_identgw_shared_is_leased(zone, now_nsec, 0)
            && !ngx_http_identgw_shared_is_later(shared, &answer->epoch)))
    {
        return NGX_HTTP_IDENTGW_POLL_EPOCH;
    }

    return NGX_HTTP_IDENTGW_POLL_RESET;
}
