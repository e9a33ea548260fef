/*
 * params.c: which FastCGI parameters are let through.
 */
#include "params.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "text.h"

enum { COUNT_MAX = 256 };

/* Lists by RFC 9110 5.3, and what is joined like one; Cookie by RFC 9113. */
static const struct {
    const char *name;
    const char *joint;
} repeatable[] = { { "HTTP_ACCEPT", ", " },
                   { "HTTP_ACCEPT_CHARSET", ", " },
                   { "HTTP_ACCEPT_ENCODING", ", " },
                   { "HTTP_ACCEPT_LANGUAGE", ", " },
                   { "HTTP_BAGGAGE", ", " },
                   { "HTTP_CACHE_CONTROL", ", " },
                   { "HTTP_CONNECTION", ", " },
                   { "HTTP_CONTENT_ENCODING", ", " },
                   { "HTTP_CONTENT_LANGUAGE", ", " },
                   { "HTTP_COOKIE", "; " },
                   { "HTTP_FORWARDED", ", " },
                   { "HTTP_IF_MATCH", ", " },
                   { "HTTP_IF_NONE_MATCH", ", " },
                   { "HTTP_LINK", ", " },
                   { "HTTP_PRAGMA", ", " },
                   { "HTTP_PREFER", ", " },
                   { "HTTP_TE", ", " },
                   { "HTTP_TRACESTATE", ", " },
                   { "HTTP_TRAILER", ", " },
                   { "HTTP_UPGRADE", ", " },
                   { "HTTP_VIA", ", " },
                   { "HTTP_WARNING", ", " },
                   { "HTTP_X_FORWARDED_FOR", ", " },
                   { "HTTP_X_FORWARDED_HOST", ", " },
                   { "HTTP_X_FORWARDED_PROTO", ", " } };

static bool is_clean(struct igw_slice name, struct igw_slice value);
static bool is_field(struct igw_slice name);
static bool has_only_tabs(struct igw_slice value);
static bool is_repeat(const struct igw_slice *names, size_t count);
static const char *joint_of(struct igw_slice name);
static void take_id(struct igw_slice value, char id[IGW_PARAMS_ID_SIZE]);

enum igw_result
igw_params_check(struct igw_slice params, struct igw_params *found)
{
    struct igw_slice names[COUNT_MAX];
    struct igw_slice value;

    *found = (struct igw_params){ 0 };
    for (size_t count = 0; count < COUNT_MAX; count++) {
        enum igw_result rc = igw_pair_next(&params, &names[count], &value);

        if (rc != IGW_OK) {
            return rc == IGW_NOT_FOUND ? IGW_OK : rc;
        }
        if (!is_clean(names[count], value)) {
            found->is_malformed = true;
        } else if (igw_slice_is(names[count], "REQUEST_ID")) {
            take_id(value, found->id);
        }
        if (is_repeat(names, count)) {
            if (joint_of(names[count]) != NULL) {
                found->has_lists = true;
            } else {
                found->is_repeated = true;
            }
        }
    }
    found->are_too_many = true;
    return IGW_OK;
}

bool
igw_params_join(char **params)
{
    for (char **first = params; *first != NULL; first++) {
        struct igw_slice name = { *first, strcspn(*first, "=") };
        const char *joint = joint_of(name);

        for (char **next = first + 1; joint != NULL && *next != NULL; next++) {
            char *joined;

            if (strncmp(*next, *first, name.len + 1) != 0) {
                continue;
            }
            if (asprintf(&joined, "%s%s%s", *first, joint, *next + name.len + 1)
                < 0) {
                return false;
            }
            free(*first);
            *first = joined;
        }
    }
    return true;
}

/* A token as name; no control in the value but a tab in that of a field. */
static bool
is_clean(struct igw_slice name, struct igw_slice value)
{
    return igw_text_is_token(name)
           && (!igw_text_has_control(value)
               || (is_field(name) && has_only_tabs(value)));
}

static bool
is_field(struct igw_slice name)
{
    return name.len > 5 && memcmp(name.data, "HTTP_", 5) == 0;
}

/* Whether no control is in the value but tabs. */
static bool
has_only_tabs(struct igw_slice value)
{
    while (value.len > 0) {
        const char *tab = memchr(value.data, '\t', value.len);
        size_t len = tab == NULL ? value.len : (size_t)(tab - value.data);

        if (igw_text_has_control((struct igw_slice){ value.data, len })) {
            return false;
        }
        len += tab == NULL ? 0 : 1;
        value.data += len;
        value.len -= len;
    }
    return true;
}

/* Whether names[count] is among those before it. */
static bool
is_repeat(const struct igw_slice *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (igw_slice_equal(names[i], names[count])) {
            return true;
        }
    }
    return false;
}

static const char *
joint_of(struct igw_slice name)
{
    for (size_t i = 0; i < sizeof(repeatable) / sizeof(repeatable[0]); i++) {
        if (igw_slice_is(name, repeatable[i].name)) {
            return repeatable[i].joint;
        }
    }
    return NULL;
}

static void
take_id(struct igw_slice value, char id[IGW_PARAMS_ID_SIZE])
{
    if (value.len == 0 || value.len >= IGW_PARAMS_ID_SIZE) {
        return;
    }
    for (size_t i = 0; i < value.len; i++) {
        unsigned char byte = (unsigned char)value.data[i];

        if (!isalnum(byte) && byte != '_' && byte != '-') {
            return;
        }
    }
    memcpy(id, value.data, value.len);
    id[value.len] = '\0';
}
