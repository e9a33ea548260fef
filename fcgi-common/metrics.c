/*
 * metrics.c: see metrics.h.
 */
#include "metrics.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "pg.h"
#include "turns.h"

enum {
    ROUTES_MAX = 48, /* those of a table, and one for none */
    CACHE_LINE = 64,
    US_PER_SEC = 1000000,
    LABELS_MAX = 160
};

/* Those that problem.c and the handlers give; the last one is for others. */
static const int statuses[] = { 200, 201, 204, 303, 304, 400, 401,
                                403, 404, 405, 409, 412, 413, 415,
                                422, 428, 429, 500, 502, 503, 0 };

enum { STATUSES = sizeof(statuses) / sizeof(statuses[0]) };

/* Microseconds; what takes longer than the last is in none but "+Inf". */
static const int64_t bounds_us[] = { 250,    500,     1000,    2500,   5000,
                                     10000,  25000,   50000,   100000, 250000,
                                     500000, 1000000, 2500000, 5000000 };

enum { BOUNDS = sizeof(bounds_us) / sizeof(bounds_us[0]) };

struct counts {
    atomic_uint_fast64_t by_status[STATUSES];
    atomic_uint_fast64_t by_time[BOUNDS + 1];
    atomic_uint_fast64_t sum_us;
} __attribute__((aligned(CACHE_LINE)));

static struct counts counts[ROUTES_MAX];
static atomic_uint_fast64_t in_progress;
static _Atomic(const struct igw_route *) routes; /* what was counted by */
static atomic_size_t route_count;

static size_t index_of(int status);
static void add(atomic_uint_fast64_t *number, uint64_t value);
static double get(const atomic_uint_fast64_t *number);
static void put_requests(struct igw_buf *out);
static void put_lines(struct igw_buf *out, struct igw_turns *turns);
static void put_times(struct igw_buf *out);
static void put_route_times(struct igw_buf *out, size_t route);
static void put_label(char labels[LABELS_MAX], size_t route, const char *name,
                      const char *value);
static void put_process(struct igw_buf *out);
static void put_database(struct igw_buf *out);

int64_t
igw_metrics_now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * US_PER_SEC + now.tv_nsec / 1000;
}

void
igw_metrics_begin(void)
{
    add(&in_progress, 1);
}

void
igw_metrics_end(const struct igw_route *table, size_t count, size_t route,
                int status, int64_t came_us)
{
    int64_t took_us = igw_metrics_now_us() - came_us;
    size_t bucket = 0;
    struct counts *of;

    (void)atomic_fetch_sub_explicit(&in_progress, 1, memory_order_relaxed);
    if (atomic_load_explicit(&routes, memory_order_relaxed) != table) {
        atomic_store(&route_count, count);
        atomic_store(&routes, table);
    }
    of = &counts[route < ROUTES_MAX ? route : ROUTES_MAX - 1];
    while (bucket < BOUNDS && took_us > bounds_us[bucket]) {
        bucket++;
    }
    add(&of->by_status[index_of(status)], 1);
    add(&of->by_time[bucket], 1);
    add(&of->sum_us, (uint64_t)took_us);
}

void
igw_metrics_refused(int status)
{
    add(&counts[ROUTES_MAX - 1].by_status[index_of(status)], 1);
}

double
igw_metrics_answers(int status)
{
    double sum = 0;

    for (size_t route = 0; route < ROUTES_MAX; route++) {
        sum += get(&counts[route].by_status[index_of(status)]);
    }
    return sum;
}

static size_t
index_of(int status)
{
    size_t i = 0;

    while (statuses[i] != status && statuses[i] != 0) {
        i++;
    }
    return i;
}

static void
add(atomic_uint_fast64_t *number, uint64_t value)
{
    (void)atomic_fetch_add_explicit(number, value, memory_order_relaxed);
}

static double
get(const atomic_uint_fast64_t *number)
{
    return (double)atomic_load_explicit(number, memory_order_relaxed);
}

/* --- the page --------------------------------------------------------------
 */

void
igw_metrics_answer(struct igw_call *call,
                   void (*more)(struct igw_call *call, struct igw_buf *out))
{
    struct igw_response *response = call->response;

    igw_response_header(response, "Cache-Control", igw_slice_of("no-store"));
    igw_response_text(response, 200, "text/plain; version=0.0.4; charset=utf-8",
                      igw_slice_of(""));
    put_requests(&response->body);
    put_lines(&response->body, call->turns);
    put_times(&response->body);
    put_process(&response->body);
    put_database(&response->body);
    if (more != NULL) {
        more(call, &response->body);
    }
    if (response->body.failed) {
        response->is_broken = true;
    }
}

void
igw_metrics_get(struct igw_call *call)
{
    igw_metrics_answer(call, NULL);
}

void
igw_metrics_head(struct igw_buf *out, const char *name, const char *type,
                 const char *help)
{
    const char *program = igw_log_program();

    igw_buf_printf(out, "# HELP %s_%s %s\n# TYPE %s_%s %s\n", program, name,
                   help, program, name, type);
}

void
igw_metrics_value(struct igw_buf *out, const char *name, const char *labels,
                  double value)
{
    igw_buf_printf(out, "%s_%s%s%s%s %.15g\n", igw_log_program(), name,
                   labels != NULL ? "{" : "", labels != NULL ? labels : "",
                   labels != NULL ? "}" : "", value);
}

void
igw_metrics_put(struct igw_buf *out, const char *name, const char *type,
                const char *help, double value)
{
    igw_metrics_head(out, name, type, help);
    igw_metrics_value(out, name, NULL, value);
}

/* route="/login",method="POST", and one more; "none": no such path. */
static void
put_label(char labels[LABELS_MAX], size_t route, const char *name,
          const char *value)
{
    const struct igw_route *table = atomic_load(&routes);
    bool is_one = table != NULL && route < atomic_load(&route_count);

    (void)snprintf(labels, LABELS_MAX, "route=\"%s\",method=\"%s\"%s%s%s%s%s",
                   is_one ? table[route].path : "none",
                   is_one ? igw_route_method(&table[route]) : "any",
                   name != NULL ? "," : "", name != NULL ? name : "",
                   name != NULL ? "=\"" : "", name != NULL ? value : "",
                   name != NULL ? "\"" : "");
}

static void
put_requests(struct igw_buf *out)
{
    char labels[LABELS_MAX];
    char status[16];

    igw_metrics_head(out, "requests_total", "counter",
                     "Requests by route and status.");
    for (size_t route = 0; route < ROUTES_MAX; route++) {
        for (size_t i = 0; i < STATUSES; i++) {
            double value = get(&counts[route].by_status[i]);

            if (value == 0) {
                continue;
            }
            (void)snprintf(status, sizeof(status), "%d", statuses[i]);
            put_label(labels, route, "status",
                      statuses[i] != 0 ? status : "other");
            igw_metrics_value(out, "requests_total", labels, value);
        }
    }
    igw_metrics_put(out, "requests_in_progress", "gauge",
                    "Requests that are being answered, this one too.",
                    get(&in_progress));
}

/* One number of both lines. */
static void
put_line_counts(struct igw_buf *out, const char *name, const char *type,
                const char *help, const struct igw_line_count *lines,
                const int64_t values[IGW_LINES])
{
    char label[LABELS_MAX];

    igw_metrics_head(out, name, type, help);
    for (size_t i = 0; i < IGW_LINES; i++) {
        (void)snprintf(label, sizeof(label), "line=\"%s\"", lines[i].name);
        igw_metrics_value(out, name, label, (double)values[i]);
    }
}

static void
put_lines(struct igw_buf *out, struct igw_turns *turns)
{
    struct igw_line_count lines[IGW_LINES];

    igw_turns_count(turns, lines);
    put_line_counts(out, "requests_waiting", "gauge",
                    "Requests that wait for their turn to write.", lines,
                    (int64_t[]){ lines[0].waiting, lines[1].waiting });
    put_line_counts(out, "requests_waiting_max", "gauge",
                    "How many may; what comes then is answered 503.", lines,
                    (int64_t[]){ lines[0].max, lines[1].max });
    put_line_counts(out, "requests_busy_total", "counter",
                    "Requests that found the line full and were answered 503.",
                    lines, (int64_t[]){ lines[0].refused, lines[1].refused });
}

static void
put_times(struct igw_buf *out)
{
    igw_metrics_head(out, "request_seconds", "histogram",
                     "Time from a whole request to its answer, waiting"
                     " included.");
    for (size_t route = 0; route < ROUTES_MAX; route++) {
        put_route_times(out, route);
    }
}

/* The buckets of a histogram are sums of those below them. */
static void
put_route_times(struct igw_buf *out, size_t route)
{
    const struct counts *of = &counts[route];
    char labels[LABELS_MAX];
    char bound[32] = "+Inf";
    double sums[BOUNDS + 1];
    double sum = 0;

    for (size_t i = 0; i <= BOUNDS; i++) {
        sum += get(&of->by_time[i]);
        sums[i] = sum;
    }
    for (size_t i = 0; i <= BOUNDS && sum > 0; i++) {
        if (i < BOUNDS) {
            (void)snprintf(bound, sizeof(bound), "%g",
                           (double)bounds_us[i] / US_PER_SEC);
        } else {
            (void)snprintf(bound, sizeof(bound), "+Inf");
        }
        put_label(labels, route, "le", bound);
        igw_metrics_value(out, "request_seconds_bucket", labels, sums[i]);
    }
    if (sum > 0) {
        put_label(labels, route, NULL, NULL);
        igw_metrics_value(out, "request_seconds_sum", labels,
                          get(&of->sum_us) / US_PER_SEC);
        igw_metrics_value(out, "request_seconds_count", labels, sum);
    }
}

static void
put_process(struct igw_buf *out)
{
    char text[128] = "";
    FILE *file = fopen("/proc/self/statm", "re");
    long pages = 0;

    if (file != NULL) {
        if (fgets(text, sizeof(text), file) != NULL) {
            const char *second = strchr(text, ' ');

            pages = second != NULL ? strtol(second, NULL, 10) : 0;
        }
        (void)fclose(file);
    }
    igw_metrics_put(out, "resident_memory_bytes", "gauge",
                    "Resident memory of the process.",
                    (double)pages * (double)sysconf(_SC_PAGESIZE));
}

static void
put_database(struct igw_buf *out)
{
    struct igw_pg_counts count = igw_pg_counts();

    igw_metrics_put(out, "database_connections", "gauge",
                    "Open connections to the database.",
                    (double)count.connections);
    igw_metrics_put(out, "database_connects_total", "counter",
                    "Connections made to the database.",
                    (double)count.connects);
    igw_metrics_put(out, "database_losses_total", "counter",
                    "Connections to the database that could not be made, or"
                    " were given up.",
                    (double)count.losses);
    igw_metrics_put(out, "database_statements_total", "counter",
                    "Statements sent to the database.",
                    (double)count.statements);
}
