/*
 * log.h: one line of JSON per event on stderr, written with one write(2).
 * Never a password, token, cookie, session id or whole hash.
 */
#ifndef IGW_LOG_H
#define IGW_LOG_H

#include "igw.h"

enum igw_log_level { IGW_LOG_DEBUG, IGW_LOG_INFO, IGW_LOG_WARN, IGW_LOG_ERROR };

/* One name and its value; a list ends with {NULL, NULL}. */
struct igw_log_field {
    const char *name;
    const char *value; /* NULL: left out; escaped, cut after 1 KiB */
};

/* Once, before the threads: the program's name and the least level shown. */
void igw_log_init(const char *program, enum igw_log_level least);

/* The name given there; "" before. */
const char *igw_log_program(void);

/*
 * The request that this thread serves; put on each of its lines. Borrowed
 * until the next call; NULL for none. Whoever was its user is forgotten.
 */
void igw_log_request(const char *request_id);
/* Copied (64 bytes); NULL for none. */
void igw_log_user(const char *user_id);

/* Whether lines of this level are written at all. */
bool igw_log_shows(enum igw_log_level level);

/* {"time","level","program","event","request_id","user_id", fields...} */
void igw_log(enum igw_log_level level, const char *event,
             const struct igw_log_field *fields);

/* The common case: an event and one formatted `detail`. */
void igw_logf(enum igw_log_level level, const char *event, const char *format,
              ...) IGW_PRINTF(3, 4);

#endif
