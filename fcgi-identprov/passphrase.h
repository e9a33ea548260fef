/*
 * passphrase.h: the file with the passphrase of the signing keys.
 */
#ifndef PASSPHRASE_H
#define PASSPHRASE_H

#include "buf.h"

enum { PASSPHRASE_MIN = 16, PASSPHRASE_MAX = 1024, PASSPHRASE_WHY_SIZE = 512 };

/*
 * Appends the file's one line, without its line end. IGW_DENIED: it cannot be
 * read, others than its owner and group can read it, or it is no passphrase;
 * `why` names the file and the command that mends it. The caller's
 * igw_buf_clear wipes the bytes.
 */
enum igw_result passphrase_read(const char *path, struct igw_buf *out,
                                char why[PASSPHRASE_WHY_SIZE]) IGW_MUST_CHECK;

#endif
