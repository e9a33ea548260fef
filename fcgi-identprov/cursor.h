/*
 * cursor.h: how the feed's cursor is written: a text that gateways keep and
 * send back, [0-9A-Za-z._-]. Its end is a digest of the rest, so that a torn
 * one, whose snapshot would say that more was seen, is none. Pure.
 */
#ifndef CURSOR_H
#define CURSOR_H

#include "buf.h"
#include "store_feed.h"

enum { CURSOR_MAX = 8192 };

/*
 * Appends the cursor, at most CURSOR_MAX bytes: when the snapshot is too long
 * for that, an older one, whose reader sees some rows twice.
 */
enum igw_result cursor_write(const struct feed *feed,
                             struct igw_buf *out) IGW_MUST_CHECK;

/* Both parts empty when the text is no cursor. Borrowed. */
struct feed_cursor cursor_read(struct igw_slice text);

/* The value of since in a query string; empty: none, or more than one. */
struct igw_slice cursor_in_query(const char *query);

#endif
