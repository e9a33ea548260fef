/*
 * language.c: the syntax of language tags (RFC 5646 2.1).
 */
#include <string.h>
#include <strings.h>

#include "shapes.h"

#define LETTERS                  \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
    "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

enum { SUBTAG_MAX = 8, TAG_SUBTAGS_MAX = 18 };

/* A tag's subtags and how far they have been read. */
struct tag {
    struct igw_slice subtags[TAG_SUBTAGS_MAX];
    size_t count;
    size_t at;
};

static bool split(struct igw_slice text, struct tag *tag);
static bool is_grandfathered(struct igw_slice text);
static bool take(struct tag *tag, size_t min, size_t max, const char *alphabet);
static bool take_private_use(struct tag *tag);
static void take_language(struct tag *tag);
static bool take_variant(struct tag *tag);
static bool take_extension(struct tag *tag);
static bool is_repeated(const struct tag *tag, size_t at);
static bool is_same(struct igw_slice a, struct igw_slice b);

/* langtag / privateuse / grandfathered. */
bool
shapes_is_locale(struct igw_slice text)
{
    struct tag tag = { .count = 0 };

    if (is_grandfathered(text)) {
        return true;
    }
    if (!split(text, &tag)) {
        return false;
    }

    if (!take_private_use(&tag)) {
        take_language(&tag);
        if (tag.at == 0) {
            return false;
        }
        (void)take(&tag, 4, 4, LETTERS);  /* script */
        if (!take(&tag, 2, 2, LETTERS)) { /* region */
            (void)take(&tag, 3, 3, DIGITS);
        }
        while (take_variant(&tag)) {
        }
        while (take_extension(&tag)) {
        }
        (void)take_private_use(&tag);
    }
    return tag.at == tag.count;
}

/*
 * Between "-" or, as many systems write locales, "_" (OpenID Connect Core
 * 5.1). False: a subtag is empty, too long or no letters and digits.
 */
static bool
split(struct igw_slice text, struct tag *tag)
{
    const char *at = text.data;
    const char *end = text.data + text.len;

    for (;;) {
        size_t len = strspn(at, LETTERS DIGITS);

        if (len == 0 || len > SUBTAG_MAX || tag->count == TAG_SUBTAGS_MAX) {
            return false;
        }
        tag->subtags[tag->count++] = (struct igw_slice){ at, len };
        at += len;
        if (at == end) {
            return true;
        }
        if (*at != '-' && *at != '_') {
            return false;
        }
        at++;
    }
}

/* Those that have another form; the others are language tags anyway. */
static bool
is_grandfathered(struct igw_slice text)
{
    static const char *const irregular[] = {
        "en-GB-oed", "i-ami", "i-bnn",     "i-default", "i-enochian", "i-hak",
        "i-klingon", "i-lux", "i-mingo",   "i-navajo",  "i-pwn",      "i-tao",
        "i-tay",     "i-tsu", "sgn-BE-FR", "sgn-BE-NL", "sgn-CH-DE"
    };

    for (size_t i = 0; i < sizeof(irregular) / sizeof(irregular[0]); i++) {
        if (strcasecmp(irregular[i], text.data) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the next subtag is one of so many of these characters; takes it. */
static bool
take(struct tag *tag, size_t min, size_t max, const char *alphabet)
{
    const struct igw_slice *subtag = &tag->subtags[tag->at];

    if (tag->at == tag->count || subtag->len < min || subtag->len > max
        || strspn(subtag->data, alphabet) < subtag->len) {
        return false;
    }
    tag->at++;
    return true;
}

/* "x" and at least one subtag. */
static bool
take_private_use(struct tag *tag)
{
    if (tag->count - tag->at < 2 || !take(tag, 1, 1, "xX")) {
        return false;
    }
    tag->at = tag->count;
    return true;
}

static void
take_language(struct tag *tag)
{
    if (take(tag, 2, 3, LETTERS)) {
        for (int i = 0; i < 3 && take(tag, 3, 3, LETTERS); i++) {
        }
    } else {
        (void)take(tag, 4, 8, LETTERS);
    }
}

/* Each once (RFC 5646 2.2.5). */
static bool
take_variant(struct tag *tag)
{
    const struct igw_slice *next = &tag->subtags[tag->at];
    size_t before = tag->at;

    if (take(tag, 5, 8, LETTERS DIGITS)
        || (tag->at < tag->count && strspn(next->data, DIGITS) > 0
            && take(tag, 4, 4, LETTERS DIGITS))) {
        if (!is_repeated(tag, before)) {
            return true;
        }
        tag->at = before;
    }
    return false;
}

/* A singleton, each once (2.2.6), and at least one subtag. */
static bool
take_extension(struct tag *tag)
{
    size_t before = tag->at;

    if (tag->at == tag->count
        || is_same(tag->subtags[tag->at], igw_slice_of("x"))
        || is_repeated(tag, before) || !take(tag, 1, 1, LETTERS DIGITS)) {
        return false;
    }
    if (!take(tag, 2, 8, LETTERS DIGITS)) {
        tag->at = before;
        return false;
    }
    while (take(tag, 2, 8, LETTERS DIGITS)) {
    }
    return true;
}

/*
 * Whether subtag `at` is there before. For variants nothing else before them
 * is of their length but a language of 5 to 8 letters, which has none.
 */
static bool
is_repeated(const struct tag *tag, size_t at)
{
    for (size_t i = 1; i < at; i++) {
        if (is_same(tag->subtags[i], tag->subtags[at])) {
            return true;
        }
    }
    return false;
}

static bool
is_same(struct igw_slice a, struct igw_slice b)
{
    return a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0;
}
