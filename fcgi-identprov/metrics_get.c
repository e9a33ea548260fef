#include "app.h"
#include "handlers.h"
#include "metrics.h"

static void
put_hashing(struct igw_buf *out, const struct app *app)
{
    struct hasher_count count = hasher_count(app->hasher);

    igw_metrics_put(out, "hash_jobs", "gauge",
                    "Passwords that are being hashed or wait for a slot.",
                    (double)count.jobs);
    igw_metrics_put(out, "hash_slots", "gauge", "Hashes at once.",
                    (double)count.slots);
    igw_metrics_put(out, "hashes_total", "counter", "Passwords hashed.",
                    (double)count.done);
}

static void
put_keys(struct igw_buf *out, const struct app *app)
{
    struct keys_count count = keys_count(app->keys);

    igw_metrics_head(out, "keys", "gauge", "Published keys by state.");
    igw_metrics_value(out, "keys", "state=\"next\"", (double)count.next);
    igw_metrics_value(out, "keys", "state=\"signing\"", (double)count.signing);
    igw_metrics_value(out, "keys", "state=\"old\"", (double)count.old);
    igw_metrics_put(out, "keys_age_seconds", "gauge",
                    "Since the keys were last read from the database.",
                    (double)count.read_ms_ago / 1000);
}

/* Without a database, the page goes without them. */
static void
put_sessions(struct igw_call *call, struct igw_buf *out)
{
    const struct app *app = call->app;
    int64_t count;

    if (store_count_sessions(call->pg, app->limits.idle_ms, &count) == IGW_OK) {
        igw_metrics_put(out, "sessions", "gauge",
                        "Live sessions; above 100,000, PostgreSQL's estimate"
                        " of the table's rows.",
                        (double)count);
    }
}

static void
put_all(struct igw_call *call, struct igw_buf *out)
{
    const struct app *app = call->app;

    igw_metrics_put(out, "throttled_total", "counter",
                    "Requests that were told to come later (429).",
                    igw_metrics_answers(429));
    igw_metrics_put(out, "threads", "gauge",
                    "Threads that answer, each with a database connection.",
                    (double)app->settings->threads);
    put_hashing(out, app);
    put_keys(out, app);
    put_sessions(call, out);
}

void
metrics_get(struct igw_call *call)
{
    igw_metrics_answer(call, put_all);
}
