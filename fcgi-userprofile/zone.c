/*
 * zone.c: the names of the system's time zone database.
 */
#include "zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 1024 };

static const char *directory(void);
static bool is_name(struct igw_slice name);
static bool is_zone_file(const char *path);

enum igw_result
zone_check(struct igw_slice name)
{
    char path[PATH_SIZE];

    if (!is_name(name)) {
        return IGW_INVALID;
    }
    (void)snprintf(path, sizeof(path), "%s/%s", directory(), name.data);
    if (is_zone_file(path)) {
        return IGW_OK;
    }
    return zone_is_installed() ? IGW_INVALID : IGW_UNAVAILABLE;
}

/* UTC is in every database. */
bool
zone_is_installed(void)
{
    char path[PATH_SIZE];

    (void)snprintf(path, sizeof(path), "%s/UTC", directory());
    return is_zone_file(path);
}

/* Where the C library looks for it, too (tzset(3)). */
static const char *
directory(void)
{
    const char *dir = getenv("TZDIR");

    return dir != NULL && strlen(dir) < PATH_SIZE / 2 ? dir
                                                      : "/usr/share/zoneinfo";
}

/*
 * Words of letters, digits and _+- between slashes, so that nothing leads out
 * of the directory. Copies of the whole database, and what is only a default,
 * are beside the zones but none.
 */
static bool
is_name(struct igw_slice name)
{
    static const char *const others[] = { "posix/", "right/", "posixrules",
                                          "localtime" };
    const char *at = name.data;
    size_t len;

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strncmp(name.data, others[i], strlen(others[i])) == 0) {
            return false;
        }
    }
    do {
        len = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "abcdefghijklmnopqrstuvwxyz0123456789_+-");
        at += len + 1;
    } while (len > 0 && at[-1] == '/');
    return len > 0 && at[-1] == '\0';
}

/* RFC 8536: its first four bytes are TZif. */
static bool
is_zone_file(const char *path)
{
    char magic[4];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool is_zone;

    if (fd < 0) {
        return false;
    }
    is_zone = read(fd, magic, sizeof(magic)) == sizeof(magic)
              && memcmp(magic, "TZif", sizeof(magic)) == 0;
    (void)close(fd);
    return is_zone;
}
