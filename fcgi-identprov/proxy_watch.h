/*
 * proxy_watch.h: does everybody come from one private address? Then it is a
 * proxy's, nginx has not been told of it, and all users wait for each
 * other's wrong passwords.
 */
#ifndef PROXY_WATCH_H
#define PROXY_WATCH_H

#include <pthread.h>

#include "igw.h"

enum { PROXY_WATCH_ADDRESS_SIZE = 64 };

/* Looks at the logins in hundreds. */
struct proxy_watch {
    pthread_mutex_t lock;
    char address[PROXY_WATCH_ADDRESS_SIZE]; /* the first one's of these */
    int seen;
    int same;
    int64_t warned_sec; /* 0: never */
};

void proxy_watch_init(struct proxy_watch *watch);

/* A login from this address; warns in the log, once an hour at most. */
void proxy_watch_note(struct proxy_watch *watch, const char *address);

#endif
