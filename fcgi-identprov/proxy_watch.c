#include "proxy_watch.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "address.h"
#include "log.h"

enum { HUNDRED = 100, NEARLY_ALL = 95, QUIET_SEC = 3600 };

void
proxy_watch_init(struct proxy_watch *watch)
{
    *watch = (struct proxy_watch){ .lock = PTHREAD_MUTEX_INITIALIZER };
}

static int64_t
now_sec(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec + 1;
}

/* Under the lock. True: it is time to warn of watch->address. */
static bool
count(struct proxy_watch *watch, const char *address)
{
    int same;

    if (watch->seen == 0) {
        (void)snprintf(watch->address, sizeof(watch->address), "%s", address);
    }
    watch->seen++;
    if (strcmp(watch->address, address) == 0) {
        watch->same++;
    }
    if (watch->seen < HUNDRED) {
        return false;
    }
    same = watch->same;
    watch->seen = 0;
    watch->same = 0;
    return same >= NEARLY_ALL && address_is_private(watch->address)
           && (watch->warned_sec == 0
               || now_sec() - watch->warned_sec >= QUIET_SEC);
}

void
proxy_watch_note(struct proxy_watch *watch, const char *address)
{
    bool is_time;
    char common[PROXY_WATCH_ADDRESS_SIZE];

    pthread_mutex_lock(&watch->lock);
    is_time = count(watch, address);
    if (is_time) {
        watch->warned_sec = now_sec();
        memcpy(common, watch->address, sizeof(common));
    }
    pthread_mutex_unlock(&watch->lock);
    if (is_time) {
        igw_logf(IGW_LOG_WARN, "one_address",
                 "nearly all logins come from %s: if that is a proxy, tell"
                 " nginx of it with set_real_ip_from and real_ip_header, or"
                 " its users wait for each other's wrong passwords",
                 common);
    }
}
