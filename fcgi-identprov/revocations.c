#include "app.h"
#include "cursor.h"
#include "handlers.h"
#include "problem.h"

static enum igw_result
put_answer(struct igw_buf *out, const struct feed *feed)
{
    enum igw_result rc;

    igw_buf_puts(out, feed->is_reset ? "reset " : "cursor ");
    rc = cursor_write(feed, out);
    igw_buf_puts(out, "\n");
    if (feed->count > 0) {
        igw_buf_append(out, feed->hashes.data, feed->hashes.len);
        igw_buf_puts(out, "\n");
    }
    igw_buf_printf(out, "end %lld\n", (long long)feed->count);
    return out->failed ? IGW_ERROR : rc;
}

/* A cursor that PostgreSQL cannot read is like none. */
static enum igw_result
poll(struct igw_pg *pg, struct igw_slice token, struct feed *feed)
{
    const struct feed_cursor none = { { NULL, 0 }, { NULL, 0 } };
    const struct feed_cursor cursor = cursor_read(token);
    enum igw_result rc = store_poll(pg, &cursor, feed);

    return rc == IGW_INVALID ? store_poll(pg, &none, feed) : rc;
}

/*
 * Where the database does not commit, each poll has its thread until the
 * time-out: no more than a quarter of them, so that others are served.
 */
static bool
begin_poll(struct app *app)
{
    int max = (int)(app->settings->threads / 4);

    if (atomic_fetch_add(&app->polls, 1) < (max > 1 ? max : 1)) {
        return true;
    }
    atomic_fetch_sub(&app->polls, 1);
    return false;
}

static void
answer(struct igw_call *call)
{
    struct igw_slice token = cursor_in_query(call->request->query);
    struct igw_buf text;
    struct feed feed;
    enum igw_result rc;

    igw_buf_init(&text);
    rc = poll(call->pg, token, &feed);
    if (rc == IGW_OK) {
        rc = put_answer(&text, &feed);
    }
    if (rc == IGW_OK) {
        igw_response_header(call->response, "Identgw-Epoch",
                            igw_slice_of(feed.epoch));
        igw_response_header(call->response, "Cache-Control",
                            igw_slice_of("no-store"));
        igw_response_text(call->response, 200, "text/plain",
                          igw_buf_slice(&text));
    } else {
        igw_problem_result(call, rc);
    }
    feed_clear(&feed);
    igw_buf_clear(&text);
}

void
revocations_get(struct igw_call *call)
{
    struct app *app = call->app;

    if (!begin_poll(app)) {
        igw_problem(call, 503, "busy", "Too many polls are under way.");
        return;
    }
    answer(call);
    atomic_fetch_sub(&app->polls, 1);
}
