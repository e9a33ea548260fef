#include "ngx_http_identgw_feed_read.h"

#include <string.h>


#define NGX_HTTP_IDENTGW_FEED_READ_TIMELINE_SIZE  8


/* What is still to be read. */

typedef struct {
    unsigned char  *data;
    size_t          size;
} ngx_http_identgw_feed_read_text_t;


static ngx_http_identgw_feed_read_text_t ngx_http_identgw_feed_read_line(
    ngx_http_identgw_feed_read_text_t *text);
static int ngx_http_identgw_feed_read_word(
    ngx_http_identgw_feed_read_text_t *line, const char *word);
static const char *ngx_http_identgw_feed_read_cursor(
    const ngx_http_identgw_feed_read_text_t *token,
    ngx_http_identgw_feed_read_t *feed);
static size_t ngx_http_identgw_feed_read_epoch(
    const ngx_http_identgw_feed_read_text_t *token);
static int ngx_http_identgw_feed_read_key(
    const ngx_http_identgw_feed_read_text_t *line, unsigned char *key);
static int ngx_http_identgw_feed_read_digit(unsigned char ch);
static int ngx_http_identgw_feed_read_count(
    const ngx_http_identgw_feed_read_text_t *line, size_t count);


const char *
ngx_http_identgw_feed_read(unsigned char *data, size_t size,
    ngx_http_identgw_feed_read_t *feed)
{
    const char                         *fault;
    ngx_http_identgw_feed_read_text_t   text, line;

    text.data = data;
    text.size = size;

    line = ngx_http_identgw_feed_read_line(&text);
    feed->is_reset = ngx_http_identgw_feed_read_word(&line, "reset ");

    if (!feed->is_reset
        && !ngx_http_identgw_feed_read_word(&line, "cursor "))
    {
        return "does not begin with \"cursor\" or \"reset\"";
    }

    fault = ngx_http_identgw_feed_read_cursor(&line, feed);

    if (fault != NULL) {
        return fault;
    }

    feed->keys = text.data;
    feed->nkeys = 0;

    for (line = ngx_http_identgw_feed_read_line(&text);
         !ngx_http_identgw_feed_read_word(&line, "end ");
         line = ngx_http_identgw_feed_read_line(&text))
    {
        /* a key takes half the place of its line */

        if (!ngx_http_identgw_feed_read_key(&line, feed->keys + feed->nkeys
                                            * NGX_HTTP_IDENTGW_FEED_READ_KEY_SIZE))
        {
            return "has a line that is no hash";
        }

        feed->nkeys++;
    }

    if (!ngx_http_identgw_feed_read_count(&line, feed->nkeys)) {
        return "has another number of hashes than its end says";
    }

    return text.size == 0 ? NULL : "goes on behind its end";
}


/* Takes a line, without its end, which may be that of the text. */

static ngx_http_identgw_feed_read_text_t
ngx_http_identgw_feed_read_line(ngx_http_identgw_feed_read_text_t *text)
{
    unsigned char                      *newline;
    ngx_http_identgw_feed_read_text_t   line;

    line = *text;
    newline = text->size == 0 ? NULL : memchr(text->data, '\n', text->size);

    if (newline == NULL) {
        text->data += text->size;
        text->size = 0;
        return line;
    }

    line.size = (size_t) (newline - text->data);
    text->data = newline + 1;
    text->size -= line.size + 1;

    return line;
}


/* Takes "word" if the line begins with it. */

static int
ngx_http_identgw_feed_read_word(ngx_http_identgw_feed_read_text_t *line,
    const char *word)
{
    size_t  size;

    size = strlen(word);

    if (line->size < size || memcmp(line->data, word, size) != 0) {
        return 0;
    }

    line->data += size;
    line->size -= size;

    return 1;
}


/* Visible characters; all but the epoch before them is not ours to read. */

static const char *
ngx_http_identgw_feed_read_cursor(
    const ngx_http_identgw_feed_read_text_t *token,
    ngx_http_identgw_feed_read_t *feed)
{
    size_t  i;

    if (token->size == 0
        || token->size > NGX_HTTP_IDENTGW_FEED_READ_MAX_CURSOR_SIZE)
    {
        return "has a cursor of no sane size";
    }

    for (i = 0; i < token->size; i++) {
        if (token->data[i] <= 0x20 || token->data[i] >= 0x7f) {
            return "has a cursor with blanks or control bytes";
        }
    }

    feed->cursor = token->data;
    feed->cursor_size = token->size;
    feed->epoch_size = ngx_http_identgw_feed_read_epoch(token);

    return NULL;
}


/* "<system identifier>.<timeline>" at its beginning: decimal, 8 hexadecimal. */

static size_t
ngx_http_identgw_feed_read_epoch(
    const ngx_http_identgw_feed_read_text_t *token)
{
    size_t  i, end;

    for (i = 0; i < token->size; i++) {
        if (token->data[i] < '0' || token->data[i] > '9') {
            break;
        }
    }

    if (i == 0 || i == token->size || token->data[i] != '.') {
        return 0;
    }

    for (end = i + 1; end < token->size; end++) {
        if (ngx_http_identgw_feed_read_digit(token->data[end]) < 0) {
            break;
        }
    }

    return end - i - 1 == NGX_HTTP_IDENTGW_FEED_READ_TIMELINE_SIZE ? end : 0;
}


static int
ngx_http_identgw_feed_read_key(const ngx_http_identgw_feed_read_text_t *line,
    unsigned char *key)
{
    int     high, low;
    size_t  i;

    if (line->size != 2 * NGX_HTTP_IDENTGW_FEED_READ_KEY_SIZE) {
        return 0;
    }

    for (i = 0; i < NGX_HTTP_IDENTGW_FEED_READ_KEY_SIZE; i++) {
        high = ngx_http_identgw_feed_read_digit(line->data[2 * i]);
        low = ngx_http_identgw_feed_read_digit(line->data[2 * i + 1]);

        if (high < 0 || low < 0) {
            return 0;
        }

        key[i] = (unsigned char) (high << 4 | low);
    }

    return 1;
}


static int
ngx_http_identgw_feed_read_digit(unsigned char ch)
{
    if (ch >= '0' && ch <= '9') {
        return ch - '0';
    }

    ch |= 0x20;

    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}


/* Decimal, without a sign or zeros in front. */

static int
ngx_http_identgw_feed_read_count(const ngx_http_identgw_feed_read_text_t *line,
    size_t count)
{
    size_t  i;

    i = line->size;

    do {
        if (i == 0 || line->data[--i] != '0' + count % 10) {
            return 0;
        }

        count /= 10;
    } while (count != 0);

    return i == 0;
}
