#include "ngx_http_identgw_status_cache.h"


#define ngx_http_identgw_status_cache_at(field)                               \
    offsetof(ngx_http_identgw_zone_facts_t, field)


/* A number of the facts: with others of one metric, told apart by a label. */

typedef struct {
    char    *name;      /* NULL: the end */
    size_t   offset;
} ngx_http_identgw_status_cache_label_t;


/* Or by itself. */

typedef struct {
    char    *metric;    /* NULL: the end */
    char    *member;
    char    *type;
    char    *help;
    size_t   offset;
} ngx_http_identgw_status_cache_number_t;


static u_char *ngx_http_identgw_status_cache_labels(u_char *p, u_char *last,
    const char *format, const ngx_http_identgw_zone_facts_t *facts,
    const ngx_http_identgw_status_cache_label_t *label);
static u_char *ngx_http_identgw_status_cache_seconds(u_char *p, u_char *last,
    const ngx_http_identgw_zone_facts_t *facts, uint64_t nsec,
    const char *unknown);
static ngx_atomic_uint_t ngx_http_identgw_status_cache_value(
    const ngx_http_identgw_zone_facts_t *facts, size_t offset);


static const ngx_http_identgw_status_cache_label_t
    ngx_http_identgw_status_cache_lookups[] = {
    { "hit", ngx_http_identgw_status_cache_at(counters.hits) },
    { "miss", ngx_http_identgw_status_cache_at(counters.misses) },
    { "expired", ngx_http_identgw_status_cache_at(counters.expired) },
    { "bypass", ngx_http_identgw_status_cache_at(counters.bypass) },
    { NULL, 0 }
};


static const ngx_http_identgw_status_cache_label_t
    ngx_http_identgw_status_cache_polls[] = {
    { "ok", ngx_http_identgw_status_cache_at(
          counters.polls[NGX_HTTP_IDENTGW_POLL_OK]) },
    { "reset", ngx_http_identgw_status_cache_at(
          counters.polls[NGX_HTTP_IDENTGW_POLL_RESET]) },
    { "late", ngx_http_identgw_status_cache_at(
          counters.polls[NGX_HTTP_IDENTGW_POLL_LATE]) },
    { "epoch", ngx_http_identgw_status_cache_at(
          counters.polls[NGX_HTTP_IDENTGW_POLL_EPOCH]) },
    { "invalid", ngx_http_identgw_status_cache_at(
          counters.polls[NGX_HTTP_IDENTGW_POLL_INVALID]) },
    { "failed", ngx_http_identgw_status_cache_at(
          counters.polls[NGX_HTTP_IDENTGW_POLL_FAILED]) },
    { NULL, 0 }
};


static const ngx_http_identgw_status_cache_number_t
    ngx_http_identgw_status_cache_numbers[] = {
    { "identgw_cache_stale_total", "stale", "counter",
      "Requests served from the zone while identprov was away.",
      ngx_http_identgw_status_cache_at(counters.stale) },
    { "identgw_cache_joins_total", "joins", "counter",
      "Requests that waited for the question of another one.",
      ngx_http_identgw_status_cache_at(counters.joins) },
    { "identgw_cache_outdated_total", "outdated", "counter",
      "Answers that were not stored, for a revocation came first.",
      ngx_http_identgw_status_cache_at(counters.outdated) },
    { "identgw_cache_full_total", "full", "counter",
      "Answers that do not fit into an entry.",
      ngx_http_identgw_status_cache_at(counters.full) },
    { "identgw_cache_evictions_total", "evictions", "counter",
      "Entries that gave way to newer ones.",
      ngx_http_identgw_status_cache_at(evictions) },
    { "identgw_cache_purges_total", "purges", "counter",
      "Sessions that answers of this node dropped.",
      ngx_http_identgw_status_cache_at(counters.purges) },
    { "identgw_cache_resets_total", "resets", "counter",
      "How often the whole zone was forgotten.",
      ngx_http_identgw_status_cache_at(counters.resets) },
    { "identgw_cache_entries", "entries", "gauge", "Entries in use.",
      ngx_http_identgw_status_cache_at(entries) },
    { "identgw_cache_slots", "slots", "gauge", "Entries there is room for.",
      ngx_http_identgw_status_cache_at(slots) },
    { "identgw_cache_bytes", "bytes", "gauge", "What the entries hold.",
      ngx_http_identgw_status_cache_at(bytes) },
    { "identgw_feed_rows_total", "revoked", "counter",
      "Sessions that the feed has revoked.",
      ngx_http_identgw_status_cache_at(counters.rows) },
    { NULL, NULL, NULL, NULL, 0 }
};


u_char *
ngx_http_identgw_status_cache_prometheus(u_char *p, u_char *last,
    const ngx_http_identgw_main_conf_t *mcf)
{
    const char                                    *format;
    ngx_http_identgw_zone_facts_t                  facts;
    const ngx_http_identgw_status_cache_label_t   *label;
    const ngx_http_identgw_status_cache_number_t  *row;

    ngx_http_identgw_zone_read_facts(mcf->zone, &facts);

    p = ngx_slprintf(p, last,
                     "# HELP identgw_cache_requests_total What the cache did "
                     "for requests with a session id.\n"
                     "# TYPE identgw_cache_requests_total counter\n");
    format = "%sidentgw_cache_requests_total{result=\"%s\"} %uA\n";
    label = ngx_http_identgw_status_cache_lookups;
    p = ngx_http_identgw_status_cache_labels(p, last, format, &facts, label);
    p = ngx_slprintf(p, last,
                     "# HELP identgw_feed_polls_total Polls of the revocation "
                     "feed, by how they ended.\n"
                     "# TYPE identgw_feed_polls_total counter\n");
    format = "%sidentgw_feed_polls_total{result=\"%s\"} %uA\n";
    label = ngx_http_identgw_status_cache_polls;
    p = ngx_http_identgw_status_cache_labels(p, last, format, &facts, label);

    for (row = ngx_http_identgw_status_cache_numbers; row->metric; row++) {
        p = ngx_slprintf(p, last, "# HELP %s %s\n# TYPE %s %s\n%s %uA\n",
                         row->metric, row->help, row->metric, row->type,
                         row->metric,
                         ngx_http_identgw_status_cache_value(&facts,
                                                             row->offset));
    }

    p = ngx_slprintf(p, last,
                     "# HELP identgw_lease_age_seconds How long ago the last "
                     "complete poll left.\n"
                     "# TYPE identgw_lease_age_seconds gauge\n"
                     "identgw_lease_age_seconds ");
    p = ngx_http_identgw_status_cache_seconds(p, last, &facts, facts.age_nsec,
                                              "NaN");
    p = ngx_slprintf(p, last,
                     "\n# HELP identgw_feed_lag_seconds How long that poll "
                     "took until it was in force.\n"
                     "# TYPE identgw_feed_lag_seconds gauge\n"
                     "identgw_feed_lag_seconds ");
    p = ngx_http_identgw_status_cache_seconds(p, last, &facts,
                                              facts.took_nsec, "NaN");

    return ngx_slprintf(p, last, "\n");
}


u_char *
ngx_http_identgw_status_cache_json(u_char *p, u_char *last,
    const ngx_http_identgw_main_conf_t *mcf)
{
    static const char  format[] = "%s\"%s\":%uA";

    ngx_http_identgw_zone_facts_t                  facts;
    const ngx_http_identgw_status_cache_label_t   *label;
    const ngx_http_identgw_status_cache_number_t  *row;

    ngx_http_identgw_zone_read_facts(mcf->zone, &facts);

    p = ngx_slprintf(p, last, ",\"cache\":{\"requests\":{");
    label = ngx_http_identgw_status_cache_lookups;
    p = ngx_http_identgw_status_cache_labels(p, last, format, &facts, label);
    p = ngx_slprintf(p, last, "},\"polls\":{");
    label = ngx_http_identgw_status_cache_polls;
    p = ngx_http_identgw_status_cache_labels(p, last, format, &facts, label);
    p = ngx_slprintf(p, last, "}");

    for (row = ngx_http_identgw_status_cache_numbers; row->metric; row++) {
        p = ngx_slprintf(p, last, ",\"%s\":%uA", row->member,
                         ngx_http_identgw_status_cache_value(&facts,
                                                             row->offset));
    }

    p = ngx_slprintf(p, last, ",\"lease_age\":");
    p = ngx_http_identgw_status_cache_seconds(p, last, &facts, facts.age_nsec,
                                              "null");
    p = ngx_slprintf(p, last, ",\"feed_lag\":");
    p = ngx_http_identgw_status_cache_seconds(p, last, &facts,
                                              facts.took_nsec, "null");

    return ngx_slprintf(p, last, "}");
}


/* The format's first "%s" is what stands between two of JSON's members. */

static u_char *
ngx_http_identgw_status_cache_labels(u_char *p, u_char *last,
    const char *format, const ngx_http_identgw_zone_facts_t *facts,
    const ngx_http_identgw_status_cache_label_t *label)
{
    const char  *separator, *next;

    separator = "";
    next = (format[sizeof("%s") - 1] == '"') ? "," : "";

    for (/* void */; label->name; label++) {
        p = ngx_slprintf(p, last, format, separator, label->name,
                         ngx_http_identgw_status_cache_value(facts,
                                                             label->offset));
        separator = next;
    }

    return p;
}


static u_char *
ngx_http_identgw_status_cache_seconds(u_char *p, u_char *last,
    const ngx_http_identgw_zone_facts_t *facts, uint64_t nsec,
    const char *unknown)
{
    ngx_atomic_uint_t  msec;

    if (!facts->is_polled) {
        return ngx_slprintf(p, last, "%s", unknown);
    }

    msec = nsec / 1000000;

    return ngx_slprintf(p, last, "%uA.%03uA", msec / 1000, msec % 1000);
}


static ngx_atomic_uint_t
ngx_http_identgw_status_cache_value(const ngx_http_identgw_zone_facts_t *facts,
    size_t offset)
{
    return *(const ngx_atomic_t *) ((const u_char *) facts + offset);
}
