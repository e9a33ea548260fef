/*
 * The session id that identprov reads: what counts, and what a logout ends, of
 * a Cookie line that is made of cookies which are known.
 */
#include "fuzz.h"
#include "session.h"

enum { VALUES_MAX = 16 };

#define NAME "sid"

/* Those of our name, as they were made. */
static struct igw_slice values[VALUES_MAX];
static size_t nvalues;

static void
trim(char *text)
{
    size_t begin = strspn(text, " \t");
    size_t len = strlen(text);

    while (len > begin && strchr(" \t", text[len - 1]) != NULL) {
        len--;
    }
    memmove(text, text + begin, len - begin);
    text[len - begin] = '\0';
}

/* KIND VALUE NUL KIND VALUE ...; the values are the caller's. */
static void
make(const uint8_t *data, size_t size, struct igw_buf *line)
{
    static const char *const names[] = { NAME, "Sid", "sidx", NULL };

    nvalues = 0;
    while (size > 0 && nvalues < VALUES_MAX) {
        uint8_t kind = fuzz_byte(&data, &size);
        const uint8_t *end = memchr(data, 0, size);
        size_t len = end == NULL ? size : (size_t)(end - data);
        char *value = fuzz_string(data, len);
        const char *name = names[kind % 4];

        for (char *c = value; *c != '\0'; c++) {
            *c = *c == ';' || (name == NULL && *c == '=') ? ',' : *c;
        }
        trim(value);
        igw_buf_printf(line, "%s%s%s%s%s%s;", kind & 4 ? " " : "",
                       name == NULL ? "" : name, kind & 8 ? " \t" : "",
                       name == NULL ? "" : "=", kind & 16 ? "\t " : "", value);
        if (name != NULL && strcmp(name, NAME) == 0) {
            values[nvalues++] = igw_slice_of(value);
        } else {
            free(value);
        }
        data += len + (end != NULL);
        size -= len + (end != NULL);
    }
}

static bool
is_good(struct igw_slice id)
{
    for (size_t i = 0; i < id.len; i++) {
        if (id.data[i] <= ' ' || id.data[i] >= 0x7f) {
            return false;
        }
    }
    return id.len > 0 && id.len <= SESSION_ID_MAX;
}

/* All of them the same, and good. */
static struct igw_slice
the_one(void)
{
    for (size_t i = 1; i < nvalues; i++) {
        if (!igw_slice_equal(values[0], values[i])) {
            return (struct igw_slice){ NULL, 0 };
        }
    }
    return nvalues > 0 && is_good(values[0]) ? values[0]
                                             : (struct igw_slice){ NULL, 0 };
}

/* The good ones in their order, after the header's: the first eight. */
static void
check_all(const char *header, const char *cookies)
{
    struct igw_slice ids[SESSION_ALL_MAX];
    size_t count = session_all(header, cookies, NAME, ids);
    size_t n = 0;

    if (header != NULL && is_good(igw_slice_of(header))) {
        MUST(n < count && igw_slice_is(ids[n], header));
        n++;
    }
    for (size_t i = 0; i < nvalues && n < SESSION_ALL_MAX; i++) {
        if (is_good(values[i])) {
            MUST(n < count && igw_slice_equal(ids[n], values[i]));
            n++;
        }
    }
    MUST(n == count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool has_header = fuzz_byte(&data, &size) & 1;
    struct igw_buf line;
    struct igw_slice id;
    const char *header;

    igw_buf_init(&line);
    igw_buf_puts(&line, "");
    make(data, size, &line);
    MUST(!line.failed);
    header = has_header ? nvalues > 0 ? values[0].data : "" : NULL;

    id = session_choose(header, line.data, NAME);
    if (has_header) {
        MUST(igw_slice_equal(id, session_in_header(header)));
        MUST((id.len > 0) == is_good(igw_slice_of(header)));
        MUST(id.len == 0 || igw_slice_is(id, header));
    } else {
        MUST(igw_slice_equal(id, the_one()));
    }
    check_all(header, line.data);

    igw_buf_clear(&line);
    while (nvalues > 0) {
        nvalues--;
        free((void *)(uintptr_t)values[nvalues].data);
    }
    return 0;
}
