#include "accept.h"

#include <string.h>
#include <strings.h>

#include "text.h"

enum {
    Q_FULL = 1000,
    FIT_NONE = 0,
    FIT_ANY = 1,  /* by a full wildcard */
    FIT_TYPE = 2, /* by type and a wildcard */
    FIT_NAME = 3
};

struct range {
    struct igw_slice type; /* with its subtype */
    int q;                 /* thousandths */
};

/* How well an offer is asked for. */
struct wish {
    int fit;
    int q;
    size_t position; /* in the client's line */
};

/* Takes the part before `separator` off *rest. */
static struct igw_slice
take(struct igw_slice *rest, char separator)
{
    const char *end = memchr(rest->data, separator, rest->len);
    struct igw_slice part = *rest;

    if (end == NULL) {
        rest->data += rest->len;
        rest->len = 0;
        return igw_text_trim(part);
    }
    part.len = (size_t)(end - rest->data);
    rest->data = end + 1;
    rest->len -= part.len + 1;
    return igw_text_trim(part);
}

/* qvalue: 0[.ddd] or 1[.000]; what is not one counts as 0. */
static int
read_q(struct igw_slice text)
{
    int q;
    int unit = Q_FULL / 10;

    if (text.len == 0 || text.len > 5 || (text.len > 1 && text.data[1] != '.')
        || (text.data[0] != '0' && text.data[0] != '1')) {
        return 0;
    }
    q = (text.data[0] - '0') * Q_FULL;
    for (size_t i = 2; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return 0;
        }
        q += (text.data[i] - '0') * unit;
        unit /= 10;
    }
    return q > Q_FULL ? 0 : q;
}

static struct range
read_range(struct igw_slice text)
{
    struct range range = { take(&text, ';'), Q_FULL };

    while (text.len > 0) {
        struct igw_slice parameter = take(&text, ';');

        if (parameter.len >= 2 && strncasecmp(parameter.data, "q=", 2) == 0) {
            parameter.data += 2;
            parameter.len -= 2;
            range.q = read_q(parameter);
            break;
        }
    }
    return range;
}

static bool
is_named(struct igw_slice type, const char *name)
{
    return name != NULL && type.len == strlen(name)
           && strncasecmp(type.data, name, type.len) == 0;
}

static int
fit_of(struct igw_slice type, const struct igw_accept_offer *offer)
{
    size_t major = strcspn(offer->type, "/") + 1;

    if (is_named(type, offer->type) || is_named(type, offer->alias)) {
        return FIT_NAME;
    }
    if (type.len == major + 1 && type.data[major] == '*'
        && strncasecmp(type.data, offer->type, major) == 0) {
        return FIT_TYPE;
    }
    return is_named(type, "*/*") ? FIT_ANY : FIT_NONE;
}

/* The most specific range that fits says how much an offer is wanted. */
static struct wish
wish_of(struct igw_slice accept, const struct igw_accept_offer *offer)
{
    struct wish wish = { FIT_NONE, 0, 0 };

    for (size_t position = 0; accept.len > 0; position++) {
        struct range range = read_range(take(&accept, ','));
        int fit = fit_of(range.type, offer);

        if (fit > wish.fit || (fit == wish.fit && range.q > wish.q)) {
            wish = (struct wish){ fit, range.q, position };
        }
    }
    return wish;
}

static bool
is_better(struct wish a, struct wish b)
{
    if (a.q != b.q) {
        return a.q > b.q;
    }
    if (a.fit != b.fit) {
        return a.fit > b.fit;
    }
    return a.position < b.position;
}

size_t
igw_accept_choose(const char *accept, const struct igw_accept_offer *offers,
                  size_t count)
{
    struct igw_slice line = { accept, accept == NULL ? 0 : strlen(accept) };
    struct wish best = { FIT_NONE, 0, 0 };
    size_t chosen = 0;

    for (size_t i = 0; i < count; i++) {
        struct wish wish = wish_of(line, &offers[i]);

        if (wish.q > 0 && is_better(wish, best)) {
            best = wish;
            chosen = i;
        }
    }
    return chosen;
}

bool
igw_accept_is_of_browser(const struct igw_request *request)
{
    enum { DATA, TEXT, PAGE, OFFERS };
    static const struct igw_accept_offer offers[OFFERS] = {
        [DATA] = { "application/json", "application/problem+json" },
        [TEXT] = { "text/plain", NULL },
        [PAGE] = { "text/html", NULL },
    };
    const char *accept = igw_request_param(request, "HTTP_ACCEPT");

    return accept != NULL && igw_accept_choose(accept, offers, OFFERS) == PAGE;
}

/* "ru" is asked for by ru, RU, and ru-RU. */
static bool
is_language(struct igw_slice range, const char *language)
{
    size_t len = strlen(language);

    return range.len >= len && strncasecmp(range.data, language, len) == 0
           && (range.len == len || range.data[len] == '-');
}

size_t
igw_accept_language(const char *accept, const char *const *languages,
                    size_t count)
{
    struct igw_slice line = igw_slice_of(accept);
    int best = 0;
    size_t chosen = 0;

    while (line.len > 0) {
        struct range range = read_range(take(&line, ','));

        for (size_t i = 0; i < count; i++) {
            if (range.q > best && is_language(range.type, languages[i])) {
                best = range.q;
                chosen = i;
            }
        }
    }
    return chosen;
}
