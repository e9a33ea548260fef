#include "cursor.h"

#include <string.h>

#include "crypto.h"
#include "text.h"

enum { DIGEST_BYTES = 8, DIGEST_LEN = 2 * DIGEST_BYTES };

static enum igw_result
digest(struct igw_slice text, char hex[DIGEST_LEN + 1])
{
    unsigned char whole[IGW_SHA256_SIZE];
    enum igw_result rc = igw_sha256(text.data, text.len, whole);

    if (rc == IGW_OK) {
        igw_hex(whole, DIGEST_BYTES, hex);
    }
    return rc;
}

/* What is visible in `xmin-xmin-` is visible in `xmin-xmax-ids`. */
static void
put_snapshot(struct igw_buf *out, const char *snapshot, size_t room)
{
    int xmin_len = (int)strcspn(snapshot, "-");

    if (strlen(snapshot) <= room) {
        igw_buf_puts(out, snapshot);
    } else {
        igw_buf_printf(out, "%.*s-%.*s-", xmin_len, snapshot, xmin_len,
                       snapshot);
    }
}

enum igw_result
cursor_write(const struct feed *feed, struct igw_buf *out)
{
    size_t start = out->len;
    size_t fixed = strlen(feed->history) + DIGEST_LEN + 2;
    char hex[DIGEST_LEN + 1];
    enum igw_result rc;

    igw_buf_printf(out, "%s.", feed->history);
    put_snapshot(out, feed->snapshot, CURSOR_MAX - fixed);
    if (out->failed) {
        return IGW_ERROR;
    }
    rc = digest((struct igw_slice){ out->data + start, out->len - start }, hex);
    if (rc == IGW_OK) {
        igw_buf_printf(out, ".%s", hex);
    }
    return out->failed ? IGW_ERROR : rc;
}

/* Takes the part behind the last '.' off *text; false when there is none. */
static bool
take_last(struct igw_slice *text, struct igw_slice *part)
{
    const char *dot =
        text->len == 0 ? NULL : memrchr(text->data, '.', text->len);

    if (dot == NULL) {
        return false;
    }
    part->data = dot + 1;
    part->len = (size_t)(text->data + text->len - part->data);
    text->len = (size_t)(dot - text->data);
    return true;
}

struct feed_cursor
cursor_read(struct igw_slice text)
{
    const struct feed_cursor none = { { NULL, 0 }, { NULL, 0 } };
    struct feed_cursor cursor;
    struct igw_slice check;
    char hex[DIGEST_LEN + 1];

    if (text.len > CURSOR_MAX || !take_last(&text, &check)
        || digest(text, hex) != IGW_OK || !igw_slice_is(check, hex)
        || !take_last(&text, &cursor.snapshot)) {
        return none;
    }
    cursor.history = text;
    return cursor;
}

struct igw_slice
cursor_in_query(const char *query)
{
    static const char name[] = "since=";
    struct igw_slice value = { NULL, 0 };
    size_t len;

    for (;; query += len + 1) {
        len = strcspn(query, "&");
        if (strncmp(query, name, sizeof(name) - 1) == 0) {
            if (value.data != NULL) {
                return (struct igw_slice){ NULL, 0 };
            }
            value.data = query + sizeof(name) - 1;
            value.len = len - (sizeof(name) - 1);
        }
        if (query[len] == '\0') {
            return value;
        }
    }
}
