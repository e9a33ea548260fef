#include "passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto.h"

/* What nobody but the owner, and the group for reading, may do with it. */
enum { TOO_OPEN = S_IWGRP | S_IXGRP | S_IRWXO };

#define HOW_TO_MAKE \
    "make one with: (umask 077; head -c 32 /dev/urandom | base64 > %s)"

static enum igw_result
refuse_errno(const char *path, char why[PASSPHRASE_WHY_SIZE])
{
    (void)snprintf(why, PASSPHRASE_WHY_SIZE,
                   "passphrase file %s: %s; " HOW_TO_MAKE, path,
                   strerror(errno), path);
    return IGW_DENIED;
}

static enum igw_result
check_file(int fd, const char *path, char why[PASSPHRASE_WHY_SIZE])
{
    struct stat info;

    if (fstat(fd, &info) != 0) {
        return refuse_errno(path, why);
    }
    if (!S_ISREG(info.st_mode)) {
        (void)snprintf(why, PASSPHRASE_WHY_SIZE,
                       "passphrase file %s is not a file; " HOW_TO_MAKE, path,
                       path);
        return IGW_DENIED;
    }
    if ((info.st_mode & TOO_OPEN) != 0) {
        (void)snprintf(
            why, PASSPHRASE_WHY_SIZE,
            "passphrase file %s is open to others (mode %04o): chmod 600"
            " %s, and if somebody may have read it, " HOW_TO_MAKE,
            path, (unsigned)(info.st_mode & 07777), path, path);
        return IGW_DENIED;
    }
    return IGW_OK;
}

/* The length of the first line, which has to be the only one. */
static enum igw_result
check_line(const char *data, size_t len, size_t *line_len)
{
    const char *end = memchr(data, '\n', len);

    *line_len = end == NULL ? len : (size_t)(end - data);
    if (end != NULL && end + 1 != data + len) {
        return IGW_DENIED;
    }
    if (*line_len < PASSPHRASE_MIN || *line_len > PASSPHRASE_MAX
        || memchr(data, '\0', len) != NULL) {
        return IGW_DENIED;
    }
    return IGW_OK;
}

static enum igw_result
read_line(int fd, const char *path, struct igw_buf *out,
          char why[PASSPHRASE_WHY_SIZE])
{
    char data[PASSPHRASE_MAX + 2]; /* one more than what is right */
    size_t line_len;
    ssize_t len;
    enum igw_result rc;

    len = read(fd, data, sizeof(data));
    if (len < 0) {
        return refuse_errno(path, why);
    }
    rc = check_line(data, (size_t)len, &line_len);
    if (rc == IGW_OK) {
        igw_buf_append(out, data, line_len);
        rc = out->failed ? IGW_ERROR : IGW_OK;
    } else {
        (void)snprintf(
            why, PASSPHRASE_WHY_SIZE,
            "passphrase file %s must hold one line of %d to %d bytes;"
            " " HOW_TO_MAKE,
            path, PASSPHRASE_MIN, PASSPHRASE_MAX, path);
    }
    igw_wipe(data, sizeof(data));
    return rc;
}

enum igw_result
passphrase_read(const char *path, struct igw_buf *out,
                char why[PASSPHRASE_WHY_SIZE])
{
    enum igw_result rc;
    int fd;

    (void)snprintf(why, PASSPHRASE_WHY_SIZE,
                   "passphrase file %s: out of memory", path);
    if (path[0] == '\0') {
        (void)snprintf(why, PASSPHRASE_WHY_SIZE,
                       "IDENTPROV_KEY_PASSPHRASE_FILE is not set; " HOW_TO_MAKE,
                       "FILE");
        return IGW_DENIED;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        return refuse_errno(path, why);
    }
    rc = check_file(fd, path, why);
    if (rc == IGW_OK) {
        rc = read_line(fd, path, out, why);
    }
    close(fd);
    return rc;
}
