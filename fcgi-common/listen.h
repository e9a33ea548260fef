/*
 * listen.h: the listening socket of server.h.
 */
#ifndef IGW_LISTEN_H
#define IGW_LISTEN_H

#include <sys/stat.h>

#include "igw.h"

struct igw_listener {
    int fd;
    bool is_inherited; /* others may listen on it, too */
    const char *path;  /* of a unix socket made here, else NULL */
    struct stat made;  /* that socket, so that no other's is removed */
};

/*
 * `address` as igw_server.listen. IGW_INVALID: logged with the reason. A
 * service manager is told that the process is ready, for who connects waits
 * from now on.
 */
enum igw_result igw_listen_open(struct igw_listener *listener,
                                const char *address) IGW_MUST_CHECK;
/* Its unix socket goes, unless another process has replaced it. */
void igw_listen_hide(struct igw_listener *listener);
/* Hides and closes it. */
void igw_listen_close(struct igw_listener *listener);

#endif
