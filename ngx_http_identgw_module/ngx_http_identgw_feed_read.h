/*
 * The text of an answer of the revocation feed, DESIGN.md 3.4. Nothing of
 * nginx in here, so that it can be fuzzed by itself.
 */

#ifndef NGX_HTTP_IDENTGW_FEED_READ_H
#define NGX_HTTP_IDENTGW_FEED_READ_H


#include <stddef.h>


#define NGX_HTTP_IDENTGW_FEED_READ_MAX_CURSOR_SIZE  8192
#define NGX_HTTP_IDENTGW_FEED_READ_KEY_SIZE         32


typedef struct {
    unsigned char  *cursor;
    size_t          cursor_size;
    size_t          epoch_size;   /* of the cursor's beginning; 0: it has
                                     none that can be told from the rest */
    unsigned char  *keys;         /* one behind the other */
    size_t          nkeys;
    int             is_reset;
} ngx_http_identgw_feed_read_t;


/*
 * Reads "size" bytes at "text", which is overwritten: "feed" points into it.
 * Returns what is wrong with it, or NULL.
 */
const char *ngx_http_identgw_feed_read(unsigned char *text, size_t size,
    ngx_http_identgw_feed_read_t *feed);


#endif
