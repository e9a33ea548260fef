/*
 * pg_password.c: the password goes to libpq by its variable, which nobody sees:
 * /proc has a process's environment as it was when it began.
 */
#include "pg_password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PASSWORD_MAX = 1024 };

/* What nobody but the owner, and the group for reading, may do with it. */
enum { TOO_OPEN = S_IWGRP | S_IXGRP | S_IRWXO };

static const char *read_line(int fd, char line[PASSWORD_MAX + 2]);
static const char *check_line(char *line, size_t len);

bool
igw_pg_password(const char *path, FILE *errors)
{
    char line[PASSWORD_MAX + 2] = "";
    const char *fault;
    int fd;

    if (path[0] == '\0') {
        return true;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    fault = fd < 0 ? strerror(errno) : read_line(fd, line);
    if (fault == NULL && line[0] != '\0'
        && setenv("PGPASSWORD", line, 1) != 0) {
        fault = "out of memory";
    }
    explicit_bzero(line, sizeof(line));
    if (fd >= 0) {
        (void)close(fd);
    }
    if (fault != NULL) {
        (void)fprintf(errors, "the database's password file %s: %s\n", path,
                      fault);
    }
    return fault == NULL;
}

/* NULL, or what is wrong. */
static const char *
read_line(int fd, char line[PASSWORD_MAX + 2])
{
    struct stat info;
    ssize_t len;

    if (fstat(fd, &info) != 0) {
        return strerror(errno);
    }
    if (!S_ISREG(info.st_mode)) {
        return "it is no file";
    }
    if ((info.st_mode & TOO_OPEN) != 0) {
        return "it is open to others: chmod 600, and if somebody may have "
               "read it, another password";
    }
    len = read(fd, line, PASSWORD_MAX + 2);
    return len < 0 ? strerror(errno) : check_line(line, (size_t)len);
}

/* Ends the line where its line end was. */
static const char *
check_line(char *line, size_t len)
{
    if (len > 0 && line[len - 1] == '\n') {
        len--;
    }
    if (len > PASSWORD_MAX || memchr(line, '\n', len) != NULL
        || memchr(line, '\0', len) != NULL) {
        return "it must hold one line of at most 1024 bytes";
    }
    line[len] = '\0';
    return NULL;
}
