/*
 * The answer of the revocation feed, as a gateway reads it: what is taken is
 * what was written, line for line.
 */
#include "../../ngx_http_identgw_module/ngx_http_identgw_feed_read.c"

#include "fuzz.h"

/* The feed in the one spelling that it has, but for the case of digits. */
static char *
written(const ngx_http_identgw_feed_read_t *feed, size_t room, size_t *len)
{
    char *text = malloc(room);
    size_t at;

    MUST(text != NULL);
    at = (size_t)snprintf(text, room, "%s %.*s\n",
                          feed->is_reset ? "reset" : "cursor",
                          (int)feed->cursor_size, feed->cursor);
    for (size_t i = 0; i < feed->nkeys * NGX_HTTP_IDENTGW_FEED_READ_KEY_SIZE;
         i++) {
        at += (size_t)snprintf(
            text + at, room - at, "%02x%s", feed->keys[i],
            (i + 1) % NGX_HTTP_IDENTGW_FEED_READ_KEY_SIZE ? "" : "\n");
    }
    *len =
        at + (size_t)snprintf(text + at, room - at, "end %zu\n", feed->nkeys);
    MUST(*len < room);
    return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *text = (unsigned char *)fuzz_string(data, size);
    char *copy = fuzz_string(data, size);
    char *again;
    size_t len;
    ngx_http_identgw_feed_read_t feed;

    if (ngx_http_identgw_feed_read(text, size, &feed) == NULL) {
        MUST(feed.cursor_size > 0 && feed.epoch_size <= feed.cursor_size);
        again = written(&feed, size + 64, &len);
        MUST(len == size || len == size + 1); /* the last line's end */
        MUST(strncasecmp(copy, again, size) == 0);
        free(again);
    }
    free(text);
    free(copy);
    return 0;
}
