/*
 * fetch.h: one document over HTTP, through libcurl, which fetch.c alone
 * includes. Redirects are not followed.
 */
#ifndef USERPROFILE_FETCH_H
#define USERPROFILE_FETCH_H

#include <stdatomic.h>

#include "buf.h"

enum { FETCH_WHY_SIZE = 160 };

struct fetch {
    const char *url;
    const char *ca_file; /* PEM; "" for the system's */
    int64_t timeout_ms;  /* of all of it */
    size_t max_bytes;
    const atomic_bool *is_stopped; /* true: give up */
};

/* Once, before there are threads. */
enum igw_result fetch_init(void) IGW_MUST_CHECK;

/*
 * IGW_OK: https, or http to this machine alone (localhost, 127.0.0.0/8, ::1),
 * without credentials. Otherwise IGW_INVALID and `why` says what is wrong.
 */
enum igw_result fetch_check_url(const char *url,
                                char why[FETCH_WHY_SIZE]) IGW_MUST_CHECK;

/*
 * Appends the body of a 200 to `body`; *max_age_sec is its Cache-Control's
 * max-age, -1 when it has none. IGW_UNAVAILABLE: there was no such answer, and
 * `why` says why.
 */
enum igw_result fetch_get(const struct fetch *fetch, struct igw_buf *body,
                          int64_t *max_age_sec,
                          char why[FETCH_WHY_SIZE]) IGW_MUST_CHECK;

#endif
