/*
 * metrics.h: how many requests, how long they took, and what else a program
 * counts, in Prometheus's text format. Counting is a few relaxed additions to
 * memory; nothing is locked and nothing is forgotten while the program runs.
 */
#ifndef IGW_METRICS_H
#define IGW_METRICS_H

#include "route.h"

/* A monotonic time in microseconds. */
int64_t igw_metrics_now_us(void);

/* Before a request is handled. */
void igw_metrics_begin(void);
/* `route` is a place in the table that igw_route has, or its count: none. */
void igw_metrics_end(const struct igw_route *table, size_t count, size_t route,
                     int status, int64_t came_us);
/* A request that was refused before there was a route for it. */
void igw_metrics_refused(int status);

/* How many answers of this status there were. */
double igw_metrics_answers(int status);

/*
 * Answers with the metrics that all programs have, and behind them what `more`
 * (NULL: nothing) appends with the functions below.
 */
void igw_metrics_answer(struct igw_call *call,
                        void (*more)(struct igw_call *call,
                                     struct igw_buf *out));
/* The same as a handler, for a program that has no more to say. */
void igw_metrics_get(struct igw_call *call);

/* The name goes without the program's own, which is put before it. */
void igw_metrics_head(struct igw_buf *out, const char *name, const char *type,
                      const char *help);
/* labels: NULL, or "name=\"value\"". */
void igw_metrics_value(struct igw_buf *out, const char *name,
                       const char *labels, double value);
/* Both at once, for one that has no labels. */
void igw_metrics_put(struct igw_buf *out, const char *name, const char *type,
                     const char *help, double value);

#endif
