#include "ngx_http_identgw_flight.h"
#include "ngx_http_identgw_compat.h"


#define NGX_HTTP_IDENTGW_FLIGHT_LISTS  256
#define NGX_HTTP_IDENTGW_FLIGHT_MSEC   UINT64_C(1000000)


typedef struct ngx_http_identgw_flight_s  ngx_http_identgw_flight_t;


struct ngx_http_identgw_flights_s {
    ngx_queue_t  lists[NGX_HTTP_IDENTGW_FLIGHT_LISTS];  /* who asks, by key */
};


typedef enum {
    NGX_HTTP_IDENTGW_FLIGHT_ASKS = 0,  /* for itself and its followers */
    NGX_HTTP_IDENTGW_FLIGHT_WAITS,
    NGX_HTTP_IDENTGW_FLIGHT_TOLD,
    NGX_HTTP_IDENTGW_FLIGHT_ALONE      /* asks, if at all, for itself */
} ngx_http_identgw_flight_state_e;


/* A request's part; it lives in the request's pool. */

struct ngx_http_identgw_flight_s {
    ngx_http_identgw_flight_state_e   state;
    ngx_http_request_t               *request;
    ngx_http_identgw_ctx_t           *ctx;
    ngx_http_identgw_slots_id_t       id;
    ngx_http_identgw_slots_token_t    token;
    uint64_t                          asked_nsec;
    ngx_queue_t                       queue;      /* of its list; of whom it
                                                     follows, oldest first */
    ngx_queue_t                       followers;
    ngx_event_t                       deadline;
};


static ngx_http_identgw_flight_t *ngx_http_identgw_flight_create(
    ngx_http_request_t *r, const ngx_http_identgw_loc_conf_t *lcf,
    ngx_http_identgw_ctx_t *ctx);
static ngx_queue_t *ngx_http_identgw_flight_list(
    const ngx_http_identgw_flight_t *flight);
static ngx_http_identgw_flight_t *ngx_http_identgw_flight_find(
    const ngx_http_identgw_flight_t *flight, uint64_t lease_nsec);
static void ngx_http_identgw_flight_follow(ngx_http_identgw_flight_t *flight,
    ngx_http_identgw_flight_t *leader, ngx_msec_t patience);
static ngx_uint_t ngx_http_identgw_flight_is_outdated(
    const ngx_http_identgw_flight_t *flight);
static void ngx_http_identgw_flight_end(ngx_http_identgw_flight_t *flight);
static void ngx_http_identgw_flight_hand_over(
    ngx_http_identgw_flight_t *flight);
static void ngx_http_identgw_flight_tell(ngx_http_identgw_flight_t *flight,
    const ngx_http_identgw_verdict_t *verdict);
static ngx_int_t ngx_http_identgw_flight_copy(ngx_pool_t *pool,
    ngx_str_t *values, ngx_uint_t n, ngx_array_t **copies);
static void ngx_http_identgw_flight_wake(ngx_http_identgw_flight_t *flight,
    ngx_http_identgw_flight_state_e state);
static void ngx_http_identgw_flight_give_up(ngx_event_t *ev);
static void ngx_http_identgw_flight_cleanup(void *data);
static ngx_http_identgw_zone_t *ngx_http_identgw_flight_zone(
    const ngx_http_request_t *r);
static ngx_http_identgw_flight_t *ngx_http_identgw_flight_first(
    const ngx_http_identgw_flight_t *leader);


ngx_http_identgw_flights_t *
ngx_http_identgw_flight_init(ngx_pool_t *pool)
{
    ngx_uint_t                   i;
    ngx_http_identgw_flights_t  *flights;

    flights = ngx_palloc(pool, sizeof(ngx_http_identgw_flights_t));
    if (flights == NULL) {
        return NULL;
    }

    for (i = 0; i < NGX_HTTP_IDENTGW_FLIGHT_LISTS; i++) {
        ngx_queue_init(&flights->lists[i]);
    }

    return flights;
}


ngx_int_t
ngx_http_identgw_flight_join(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    uint64_t                    lease_nsec;
    ngx_http_identgw_flight_t  *flight, *leader;

    flight = ctx->flight;

    if (flight != NULL) {

        switch (flight->state) {

        case NGX_HTTP_IDENTGW_FLIGHT_WAITS:
            return NGX_AGAIN;

        case NGX_HTTP_IDENTGW_FLIGHT_TOLD:
            return NGX_OK;

        default:
            return NGX_DECLINED;
        }
    }

    flight = ngx_http_identgw_flight_create(r, lcf, ctx);
    if (flight == NULL) {
        return NGX_ERROR;
    }

    ctx->flight = flight;
    lease_nsec = ngx_http_identgw_flight_zone(r)->lease_nsec;
    leader = ngx_http_identgw_flight_find(flight, lease_nsec);

    if (leader == NULL) {
        ngx_queue_insert_tail(ngx_http_identgw_flight_list(flight),
                              &flight->queue);
        return NGX_DECLINED;
    }

    ngx_http_identgw_flight_follow(flight, leader, lease_nsec
                                   / NGX_HTTP_IDENTGW_FLIGHT_MSEC);

    return NGX_AGAIN;
}


void
ngx_http_identgw_flight_land(ngx_http_request_t *r,
    ngx_http_identgw_ctx_t *ctx)
{
    ngx_http_identgw_flight_t   *flight;
    ngx_http_identgw_reason_e    reason;

    flight = ctx->flight;

    if (flight == NULL || flight->state != NGX_HTTP_IDENTGW_FLIGHT_ASKS) {
        return;
    }

    if (ngx_queue_empty(&flight->followers)) {
        ngx_http_identgw_flight_end(flight);
        return;
    }

    reason = ctx->verdict.reason;

    if ((reason != NGX_HTTP_IDENTGW_OK
         && reason != NGX_HTTP_IDENTGW_DENIED
         && reason != NGX_HTTP_IDENTGW_FORBIDDEN)
        || ngx_http_identgw_flight_is_outdated(flight))
    {
        ngx_http_identgw_flight_hand_over(flight);
        return;
    }

    while (!ngx_queue_empty(&flight->followers)) {
        ngx_http_identgw_flight_tell(ngx_http_identgw_flight_first(flight),
                                     &ctx->verdict);
    }

    ngx_http_identgw_flight_end(flight);
}


static ngx_http_identgw_flight_t *
ngx_http_identgw_flight_create(ngx_http_request_t *r,
    const ngx_http_identgw_loc_conf_t *lcf, ngx_http_identgw_ctx_t *ctx)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_identgw_flight_t  *flight;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_identgw_flight_t));
    if (cln == NULL) {
        return NULL;
    }

    flight = cln->data;
    ngx_memzero(flight, sizeof(ngx_http_identgw_flight_t));

    cln->handler = ngx_http_identgw_flight_cleanup;

    flight->request = r;
    flight->ctx = ctx;
    ngx_memcpy(flight->id.key, ctx->key, NGX_HTTP_IDENTGW_SLOTS_KEY_SIZE);
    flight->id.policy = lcf->policy;
    flight->token = ctx->token;
    flight->asked_nsec = ngx_http_identgw_compat_nsec();
    ngx_queue_init(&flight->followers);

    return flight;
}


static ngx_queue_t *
ngx_http_identgw_flight_list(const ngx_http_identgw_flight_t *flight)
{
    ngx_http_identgw_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(flight->request,
                                        ngx_http_identgw_module);

    return &mcf->flights->lists[flight->id.key[0]
                                % NGX_HTTP_IDENTGW_FLIGHT_LISTS];
}


/* Who asks for the same, before any revocation that this one knows of. */

static ngx_http_identgw_flight_t *
ngx_http_identgw_flight_find(const ngx_http_identgw_flight_t *flight,
    uint64_t lease_nsec)
{
    ngx_queue_t                *list, *q;
    ngx_http_identgw_flight_t  *other;

    list = ngx_http_identgw_flight_list(flight);

    for (q = ngx_queue_head(list);
         q != ngx_queue_sentinel(list);
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_http_identgw_flight_t, queue);

        if (other->id.policy == flight->id.policy
            && other->token.revocations == flight->token.revocations
            && other->token.resets == flight->token.resets
            && flight->asked_nsec < other->asked_nsec + lease_nsec
            && ngx_memcmp(other->id.key, flight->id.key,
                          NGX_HTTP_IDENTGW_SLOTS_KEY_SIZE)
            == 0)
        {
            return other;
        }
    }

    return NULL;
}


static void
ngx_http_identgw_flight_follow(ngx_http_identgw_flight_t *flight,
    ngx_http_identgw_flight_t *leader, ngx_msec_t patience)
{
    ngx_http_request_t       *r;
    ngx_http_identgw_zone_t  *zone;

    r = flight->request;
    zone = ngx_http_identgw_flight_zone(r);

    (void) ngx_atomic_fetch_add(&ngx_http_identgw_zone_counters(zone)->joins,
                                1);

    flight->state = NGX_HTTP_IDENTGW_FLIGHT_WAITS;
    ngx_queue_insert_tail(&leader->followers, &flight->queue);

    flight->deadline.handler = ngx_http_identgw_flight_give_up;
    flight->deadline.data = flight;
    flight->deadline.log = r->connection->log;
    ngx_add_timer(&flight->deadline, patience);

    /* a client that leaves is noticed, as it is while r asks */

    r->read_event_handler = ngx_http_test_reading;
}


/*
 * A verdict that is shared is not as fresh as one of an own question: none is
 * used later than a lease after the question left, and none lets in after a
 * revocation (a verdict that does not is one itself).
 */

static ngx_uint_t
ngx_http_identgw_flight_is_outdated(const ngx_http_identgw_flight_t *flight)
{
    ngx_http_identgw_zone_t         *zone;
    ngx_http_identgw_slots_token_t   now;

    zone = ngx_http_identgw_flight_zone(flight->request);

    if (ngx_http_identgw_compat_nsec()
        >= flight->asked_nsec + zone->lease_nsec)
    {
        return 1;
    }

    if (flight->ctx->verdict.reason != NGX_HTTP_IDENTGW_OK) {
        return 0;
    }

    ngx_http_identgw_zone_read_token(zone, flight->id.key, &now);

    return now.revocations != flight->token.revocations
           || now.resets != flight->token.resets;
}


/* No longer for anybody. */

static void
ngx_http_identgw_flight_end(ngx_http_identgw_flight_t *flight)
{
    if (flight->state == NGX_HTTP_IDENTGW_FLIGHT_ASKS
        || flight->state == NGX_HTTP_IDENTGW_FLIGHT_WAITS)
    {
        ngx_queue_remove(&flight->queue);
    }

    if (flight->deadline.timer_set) {
        ngx_del_timer(&flight->deadline);
    }

    flight->state = NGX_HTTP_IDENTGW_FLIGHT_ALONE;
}


static void
ngx_http_identgw_flight_hand_over(ngx_http_identgw_flight_t *flight)
{
    ngx_http_identgw_flight_t  *next;

    ngx_http_identgw_flight_end(flight);

    if (ngx_queue_empty(&flight->followers)) {
        return;
    }

    next = ngx_http_identgw_flight_first(flight);
    ngx_http_identgw_flight_end(next);

    if (!ngx_queue_empty(&flight->followers)) {
        ngx_queue_add(&next->followers, &flight->followers);
        ngx_queue_init(&flight->followers);
    }

    ngx_http_identgw_zone_read_token(
        ngx_http_identgw_flight_zone(next->request), next->id.key,
        &next->token);

    next->ctx->token = next->token;
    next->asked_nsec = ngx_http_identgw_compat_nsec();
    ngx_queue_insert_tail(ngx_http_identgw_flight_list(next), &next->queue);

    ngx_http_identgw_flight_wake(next, NGX_HTTP_IDENTGW_FLIGHT_ASKS);
}


/* Without memory for a copy it will ask for itself. */

static void
ngx_http_identgw_flight_tell(ngx_http_identgw_flight_t *flight,
    const ngx_http_identgw_verdict_t *verdict)
{
    ngx_pool_t                         *pool;
    ngx_array_t                        *values, *challenges;
    const ngx_http_identgw_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(flight->request,
                                       ngx_http_identgw_module);

    pool = flight->request->pool;

    ngx_http_identgw_flight_end(flight);

    if (ngx_http_identgw_flight_copy(pool, verdict->values,
                                     scf->identity->nelts, &values)
        != NGX_OK
        || ngx_http_identgw_flight_copy(pool,
                                        verdict->challenges == NULL ? NULL
                                        : verdict->challenges->elts,
                                        verdict->challenges == NULL ? 0
                                        : verdict->challenges->nelts,
                                        &challenges)
        != NGX_OK)
    {
        ngx_http_identgw_flight_wake(flight, NGX_HTTP_IDENTGW_FLIGHT_ALONE);
        return;
    }

    flight->ctx->verdict.reason = verdict->reason;
    flight->ctx->verdict.challenges = challenges;

    if (values != NULL) {
        flight->ctx->verdict.values = values->elts;

        if (scf->user < values->nelts) {
            flight->ctx->verdict.user =
                flight->ctx->verdict.values[scf->user];
        }
    }

    ngx_http_identgw_flight_wake(flight, NGX_HTTP_IDENTGW_FLIGHT_TOLD);
}


/* Of "values", which may be NULL, an array is made that is NULL, too. */

static ngx_int_t
ngx_http_identgw_flight_copy(ngx_pool_t *pool, ngx_str_t *values,
    ngx_uint_t n, ngx_array_t **copies)
{
    ngx_str_t   *copy;
    ngx_uint_t   i;

    *copies = NULL;

    if (values == NULL) {
        return NGX_OK;
    }

    *copies = ngx_array_create(pool, n, sizeof(ngx_str_t));
    if (*copies == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        copy = ngx_array_push(*copies);
        copy->len = values[i].len;
        copy->data = ngx_pstrdup(pool, &values[i]);

        if (copy->data == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* Its phase handler runs soon, from the event loop, however often this is. */

static void
ngx_http_identgw_flight_wake(ngx_http_identgw_flight_t *flight,
    ngx_http_identgw_flight_state_e state)
{
    flight->state = state;
    flight->request->read_event_handler = ngx_http_block_reading;

    ngx_post_event(flight->request->connection->write, &ngx_posted_events);
}


static void
ngx_http_identgw_flight_give_up(ngx_event_t *ev)
{
    ngx_http_identgw_flight_t  *flight;

    flight = ev->data;

    ngx_http_identgw_flight_end(flight);
    ngx_http_identgw_flight_wake(flight, NGX_HTTP_IDENTGW_FLIGHT_ALONE);
}


static void
ngx_http_identgw_flight_cleanup(void *data)
{
    ngx_http_identgw_flight_t *flight = data;

    if (flight->state == NGX_HTTP_IDENTGW_FLIGHT_ASKS) {
        ngx_http_identgw_flight_hand_over(flight);

    } else {
        ngx_http_identgw_flight_end(flight);
    }
}


static ngx_http_identgw_zone_t *
ngx_http_identgw_flight_zone(const ngx_http_request_t *r)
{
    ngx_http_identgw_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_identgw_module);

    return mcf->zone;
}


static ngx_http_identgw_flight_t *
ngx_http_identgw_flight_first(const ngx_http_identgw_flight_t *leader)
{
    return ngx_queue_data(ngx_queue_head(&leader->followers),
                          ngx_http_identgw_flight_t, queue);
}
