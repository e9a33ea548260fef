/*
 * condition.c: entity tags and their lists.
 */
#include "condition.h"

#include <string.h>

enum match {
    ABSENT, /* no such field */
    MATCH,
    NO_MATCH,
    MALFORMED
};

/* An entity tag of a list (RFC 9110 8.8.3). */
struct tag {
    struct igw_slice opaque; /* with its quotes */
    bool is_weak;
};

static enum match match(const struct igw_request *request, const char *field,
                        const char *etag, bool is_weak_enough);
static enum match match_list(const char *list, struct igw_slice etag,
                             bool is_weak_enough);
static enum igw_result next_tag(const char **rest, struct tag *tag);
static bool is_star(const char *text);

bool
igw_condition_is_there(const struct igw_request *request)
{
    return igw_request_param(request, "HTTP_IF_MATCH") != NULL
           || igw_request_param(request, "HTTP_IF_NONE_MATCH") != NULL;
}

/* The order is that of RFC 9110 13.2.2. */
enum igw_condition
igw_condition_check(const struct igw_request *request, const char *etag)
{
    enum match wanted = match(request, "HTTP_IF_MATCH", etag, false);
    enum match unwanted = match(request, "HTTP_IF_NONE_MATCH", etag, true);

    if (wanted == MALFORMED || unwanted == MALFORMED) {
        return IGW_CONDITION_MALFORMED;
    }
    if (wanted == NO_MATCH) {
        return IGW_CONDITION_FAILED;
    }
    if (unwanted == MATCH) {
        return request->method == IGW_GET ? IGW_CONDITION_NOT_MODIFIED
                                          : IGW_CONDITION_FAILED;
    }
    return IGW_CONDITION_HOLDS;
}

static enum match
match(const struct igw_request *request, const char *field, const char *etag,
      bool is_weak_enough)
{
    const char *list = igw_request_param(request, field);

    if (list == NULL) {
        return ABSENT;
    }
    if (is_star(list)) {
        return etag != NULL ? MATCH : NO_MATCH;
    }
    return match_list(list, igw_slice_of(etag), is_weak_enough);
}

/* At least one tag; what is behind the one that matches must be right, too. */
static enum match
match_list(const char *list, struct igw_slice etag, bool is_weak_enough)
{
    enum match result = MALFORMED;
    enum igw_result rc;
    struct tag tag;

    while ((rc = next_tag(&list, &tag)) == IGW_OK) {
        if (igw_slice_equal(tag.opaque, etag)
            && (is_weak_enough || !tag.is_weak)) {
            result = MATCH;
        } else if (result != MATCH) {
            result = NO_MATCH;
        }
    }
    return rc == IGW_NOT_FOUND ? result : MALFORMED;
}

/*
 * Takes a tag and the comma behind it off *rest. Elements may be empty
 * (RFC 9110 5.6.1.2). IGW_NOT_FOUND at the end.
 */
static enum igw_result
next_tag(const char **rest, struct tag *tag)
{
    const char *at = *rest + strspn(*rest, ", \t");
    const char *end;

    if (*at == '\0') {
        return IGW_NOT_FOUND;
    }
    tag->is_weak = strncmp(at, "W/", 2) == 0;
    at += tag->is_weak ? 2 : 0;
    if (*at != '"') {
        return IGW_INVALID;
    }
    /* No blank is in a tag; other controls do not come this far. */
    end = at + 1 + strcspn(at + 1, "\" \t");
    if (*end != '"') {
        return IGW_INVALID;
    }
    tag->opaque = (struct igw_slice){ at, (size_t)(end - at) + 1 };
    *rest = end + 1 + strspn(end + 1, " \t");
    return **rest == ',' || **rest == '\0' ? IGW_OK : IGW_INVALID;
}

static bool
is_star(const char *text)
{
    text += strspn(text, " \t");
    return *text == '*' && text[1 + strspn(text + 1, " \t")] == '\0';
}
