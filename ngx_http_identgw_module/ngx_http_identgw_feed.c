#include "ngx_http_identgw_feed.h"
#include "ngx_http_identgw_cache.h"
#include "ngx_http_identgw_clientless.h"
#include "ngx_http_identgw_feed_read.h"
#include "ngx_http_identgw_identity.h"
#include "ngx_http_identgw_polls.h"
#include "ngx_http_identgw_question.h"


#define NGX_HTTP_IDENTGW_FEED_TEXT_SIZE  131072  /* some 1,800 hashes */
#define NGX_HTTP_IDENTGW_FEED_FAILURES   4       /* that the lease bears */
#define NGX_HTTP_IDENTGW_FEED_WARN_SEC   60


struct ngx_http_identgw_feed_s {
    const ngx_http_identgw_main_conf_t  *mcf;
    ngx_event_t                          timer;
    ngx_http_request_t                  *request;  /* NULL: no poll here */
    ngx_http_identgw_poll_t              poll;
    ngx_buf_t                            text;
    ngx_uint_t                           failures;  /* in a row */
    time_t                               warned_sec;
    unsigned                             ended : 1;  /* poll is in force */
};


static void ngx_http_identgw_feed_turn(ngx_event_t *ev);
static ngx_int_t ngx_http_identgw_feed_poll(ngx_http_identgw_feed_t *feed);
static ngx_int_t ngx_http_identgw_feed_ask(ngx_http_identgw_feed_t *feed,
    ngx_http_request_t *r);
static void ngx_http_identgw_feed_args(ngx_http_identgw_poll_t *poll,
    ngx_str_t *args);
static void ngx_http_identgw_feed_answered(ngx_http_request_t *r);
static void ngx_http_identgw_feed_apply(ngx_http_identgw_feed_t *feed,
    const ngx_http_identgw_ask_t *ask);
static const char *ngx_http_identgw_feed_fault(
    const ngx_http_identgw_feed_t *feed, const ngx_http_identgw_ask_t *ask);
static ngx_uint_t ngx_http_identgw_feed_is_text(const ngx_http_request_t *sr);
static void ngx_http_identgw_feed_end(ngx_http_identgw_feed_t *feed,
    ngx_http_identgw_poll_e result, const char *fault);
static void ngx_http_identgw_feed_cleanup(void *data);


ngx_http_identgw_feed_t *
ngx_http_identgw_feed_init(ngx_conf_t *cf,
    const ngx_http_identgw_main_conf_t *mcf)
{
    ngx_http_identgw_feed_t  *feed;

    feed = ngx_pcalloc(cf->pool, sizeof(ngx_http_identgw_feed_t));
    if (feed == NULL) {
        return NULL;
    }

    feed->text.start = ngx_palloc(cf->pool, NGX_HTTP_IDENTGW_FEED_TEXT_SIZE);
    if (feed->text.start == NULL) {
        return NULL;
    }

    feed->text.end = feed->text.start + NGX_HTTP_IDENTGW_FEED_TEXT_SIZE;
    feed->mcf = mcf;

    feed->timer.handler = ngx_http_identgw_feed_turn;
    feed->timer.data = feed;
    feed->timer.log = &cf->cycle->new_log;
    feed->timer.cancelable = 1;

    return feed;
}


void
ngx_http_identgw_feed_want(const ngx_http_request_t *r)
{
    ngx_http_identgw_feed_t       *feed;
    ngx_http_identgw_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_identgw_module);
    feed = mcf->feed;

    if (!feed->timer.timer_set) {
        ngx_add_timer(&feed->timer, 0);
    }
}


static void
ngx_http_identgw_feed_turn(ngx_event_t *ev)
{
    ngx_msec_t                wait;
    ngx_connection_t         *c;
    ngx_http_identgw_feed_t  *feed;

    feed = ev->data;

    if (feed->request != NULL) {

        /* it has had its time: nothing that comes now is of use */

        c = feed->request->connection;
        ngx_http_identgw_feed_end(feed, NGX_HTTP_IDENTGW_POLL_FAILED,
                                  "has no answer in time");
        ngx_http_finalize_request(feed->request, NGX_HTTP_CLOSE);
        ngx_http_run_posted_requests(c);

        /* its end has set the timer, which would end the next one, too */

        if (ev->timer_set) {
            ngx_del_timer(ev);
        }
    }

    if (!ngx_http_identgw_cache_is_on(feed->mcf)) {
        return;
    }

    wait = ngx_http_identgw_polls_begin(feed->mcf->zone, &feed->poll);

    if (wait == NGX_TIMER_INFINITE) {
        return;
    }

    if (wait == 0) {
        feed->ended = 0;
        wait = ngx_http_identgw_polls_patience(feed->mcf->zone);

        if (ngx_http_identgw_feed_poll(feed) != NGX_OK) {
            ngx_http_identgw_feed_end(feed, NGX_HTTP_IDENTGW_POLL_FAILED,
                                      "cannot be sent");
        }
    }

    /* an answer may be here already, and have set the timer */

    if (!feed->timer.timer_set) {
        ngx_add_timer(&feed->timer, wait);
    }
}


static ngx_int_t
ngx_http_identgw_feed_poll(ngx_http_identgw_feed_t *feed)
{
    ngx_connection_t    *c;
    ngx_pool_cleanup_t  *cln;
    ngx_http_request_t  *r;

    r = ngx_http_identgw_clientless_create(feed->mcf->feed_conf.server,
                                           &feed->mcf->feed_conf.uri,
                                           feed->timer.log);
    if (r == NULL) {
        return NGX_ERROR;
    }

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        ngx_http_finalize_request(r, NGX_HTTP_CLOSE);
        return NGX_ERROR;
    }

    cln->handler = ngx_http_identgw_feed_cleanup;
    cln->data = feed;

    r->write_event_handler = ngx_http_identgw_feed_answered;
    feed->request = r;
    c = r->connection;

    if (ngx_http_identgw_feed_ask(feed, r) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_CLOSE);
        ngx_http_run_posted_requests(c);
        return NGX_ERROR;
    }

    ngx_http_run_posted_requests(c);

    return NGX_OK;
}


static ngx_int_t
ngx_http_identgw_feed_ask(ngx_http_identgw_feed_t *feed, ngx_http_request_t *r)
{
    ngx_str_t                uri, args;
    ngx_http_identgw_ctx_t  *ctx;

    ctx = ngx_http_identgw_ctx_get(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    args.data = ngx_pnalloc(r->pool, sizeof("since=")
                            + 3 * feed->poll.cursor_len);
    if (args.data == NULL) {
        return NGX_ERROR;
    }

    ngx_http_identgw_feed_args(&feed->poll, &args);
    uri = feed->mcf->feed_conf.uri;

    feed->text.pos = feed->text.start;
    feed->text.last = feed->text.start;
    ctx->authenticate.body = &feed->text;

    if (ngx_http_identgw_question_feed(r, &uri, &args, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_identgw_clientless_skip(ctx->authenticate.request);

    return NGX_OK;
}


static void
ngx_http_identgw_feed_args(ngx_http_identgw_poll_t *poll, ngx_str_t *args)
{
    u_char  *p;

    p = args->data;

    if (poll->cursor_len != 0) {
        p = ngx_cpymem(p, "since=", sizeof("since=") - 1);
        p = (u_char *) ngx_escape_uri(p, poll->cursor, poll->cursor_len,
                                      NGX_ESCAPE_URI_COMPONENT);
    }

    args->len = p - args->data;
}


/* The subrequest is over, or something else woke the request. */

static void
ngx_http_identgw_feed_answered(ngx_http_request_t *r)
{
    ngx_http_identgw_ctx_t        *ctx;
    ngx_http_identgw_main_conf_t  *mcf;

    ctx = ngx_http_identgw_ctx_find(r);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_identgw_module);

    if (!ctx->authenticate.done || mcf->feed->request != r) {
        return;
    }

    ngx_http_identgw_feed_apply(mcf->feed, &ctx->authenticate);
    ngx_http_finalize_request(r, NGX_HTTP_CLOSE);
}


static void
ngx_http_identgw_feed_apply(ngx_http_identgw_feed_t *feed,
    const ngx_http_identgw_ask_t *ask)
{
    const char                      *fault;
    ngx_http_identgw_poll_e          result;
    ngx_http_identgw_feed_read_t     read;
    ngx_http_identgw_poll_answer_t   answer;

    fault = ngx_http_identgw_feed_fault(feed, ask);

    if (fault != NULL) {
        ngx_http_identgw_feed_end(feed, NGX_HTTP_IDENTGW_POLL_FAILED, fault);
        return;
    }

    fault = ngx_http_identgw_feed_read(feed->text.pos,
                                       feed->text.last - feed->text.pos,
                                       &read);

    if (fault != NULL) {
        ngx_http_identgw_feed_end(feed, NGX_HTTP_IDENTGW_POLL_INVALID, fault);
        return;
    }

    answer.cursor.data = read.cursor;
    answer.cursor.len = read.cursor_size;

    if (ngx_http_identgw_identity_epoch(ask->request, &answer.epoch)
        != NGX_OK)
    {
        answer.epoch.data = read.cursor;
        answer.epoch.len = read.epoch_size;
    }

    if (answer.epoch.len == 0
        || answer.epoch.len > NGX_HTTP_IDENTGW_ZONE_EPOCH_SIZE)
    {
        ngx_http_identgw_feed_end(feed, NGX_HTTP_IDENTGW_POLL_INVALID,
                                  "does not say of which epoch it is");
        return;
    }

    answer.rows = read.keys;
    answer.nrows = read.nkeys;
    answer.is_reset = read.is_reset;

    result = ngx_http_identgw_polls_apply(feed->mcf->zone, &feed->poll,
                                          &answer);

    ngx_http_identgw_feed_end(feed, result,
                              result == NGX_HTTP_IDENTGW_POLL_LATE
                              ? "comes too late"
                              : result == NGX_HTTP_IDENTGW_POLL_EPOCH
                              ? "is of another epoch" : NULL);
}


static const char *
ngx_http_identgw_feed_fault(const ngx_http_identgw_feed_t *feed,
    const ngx_http_identgw_ask_t *ask)
{
    ngx_int_t    status;
    const char  *fault;

    fault = ask->unusable ? "has a location that is not fit for it"
                          : ngx_http_identgw_identity_fault(ask);

    if (fault != NULL) {
        return fault;
    }

    status = ngx_http_identgw_identity_status(ask);

    if (status != NGX_HTTP_OK) {
        return status >= 500 || status < 0 ? "failed"
                                           : "has another status than 200";
    }

    if (!ngx_http_identgw_feed_is_text(ask->request)) {
        return "is not text/plain";
    }

    if (ask->size != feed->text.last - feed->text.pos) {
        return "is bigger than any poll";
    }

    return NULL;
}


static ngx_uint_t
ngx_http_identgw_feed_is_text(const ngx_http_request_t *sr)
{
    static const ngx_str_t  text = ngx_string("text/plain");

    const ngx_str_t  *type;

    type = &sr->headers_out.content_type;

    return type->len >= text.len
           && ngx_strncasecmp(type->data, text.data, text.len) == 0
           && (type->len == text.len
               || type->data[text.len] == ';'
               || type->data[text.len] == ' ');
}


/* "fault" is NULL for a poll that is in force. */

static void
ngx_http_identgw_feed_end(ngx_http_identgw_feed_t *feed,
    ngx_http_identgw_poll_e result, const char *fault)
{
    time_t      now_sec;
    ngx_uint_t  level;

    feed->ended = 1;
    now_sec = ngx_time();

    if (result >= NGX_HTTP_IDENTGW_POLL_INVALID) {
        ngx_http_identgw_polls_fail(feed->mcf->zone, &feed->poll, result);
    }

    if (fault == NULL) {

        if (feed->failures >= NGX_HTTP_IDENTGW_FEED_FAILURES) {
            ngx_log_error(NGX_LOG_NOTICE, feed->timer.log, 0,
                          "identgw: the revocation feed \"%V\" works again",
                          &feed->mcf->feed_conf.uri);
        }

        feed->failures = 0;
        return;
    }

    feed->failures++;
    level = NGX_LOG_INFO;

    if (feed->failures == NGX_HTTP_IDENTGW_FEED_FAILURES
        || (feed->failures > NGX_HTTP_IDENTGW_FEED_FAILURES
            && now_sec - feed->warned_sec >= NGX_HTTP_IDENTGW_FEED_WARN_SEC))
    {
        level = NGX_LOG_ERR;
        feed->warned_sec = now_sec;
    }

    ngx_log_error(level, feed->timer.log, 0,
                  "identgw: answer of the revocation feed \"%V\" %s; without "
                  "it every request asks identprov",
                  &feed->mcf->feed_conf.uri, fault);
}


/* The request's memory goes, however it ended; the next turn comes at once. */

static void
ngx_http_identgw_feed_cleanup(void *data)
{
    ngx_http_identgw_feed_t *feed = data;

    feed->request = NULL;

    if (!feed->ended) {
        ngx_http_identgw_feed_end(feed, NGX_HTTP_IDENTGW_POLL_FAILED,
                                  "was given up");
    }

    if (feed->timer.timer_set) {
        ngx_del_timer(&feed->timer);
    }

    if (!ngx_exiting && !ngx_quit && !ngx_terminate) {
        ngx_add_timer(&feed->timer, 1);
    }
}
