/*
 * The feed's cursor: only what was written is read, and as it was written.
 */
#include "cursor.h"
#include "fuzz.h"

static void
check_written(const uint8_t *data, size_t size)
{
    size_t cut = fuzz_byte(&data, &size);
    char *snapshot = fuzz_string(data, size);
    struct feed feed = { .history = "7001.00000001.5", .snapshot = snapshot };
    struct feed_cursor read;
    struct igw_buf text;

    igw_buf_init(&text);
    if (strpbrk(snapshot, ".") == NULL
        && cursor_write(&feed, &text) == IGW_OK) {
        MUST(text.len <= CURSOR_MAX || strchr(snapshot, '-') == NULL);
        read = cursor_read(igw_buf_slice(&text));
        MUST(text.len > CURSOR_MAX || igw_slice_is(read.history, feed.history));
        /* torn */
        if (cut > 0 && cut < text.len) {
            text.len -= cut;
            MUST(cursor_read(igw_buf_slice(&text)).history.data == NULL);
        }
    }
    igw_buf_clear(&text);
    free(snapshot);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    struct feed_cursor cursor = cursor_read((struct igw_slice){ text, size });
    struct igw_slice since = cursor_in_query(text);

    MUST((cursor.history.data == NULL) == (cursor.snapshot.data == NULL));
    MUST(since.data == NULL
         || (since.data >= text && since.data + since.len <= text + size));
    check_written(data, size);
    free(text);
    return 0;
}
