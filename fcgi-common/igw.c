/*
 * igw.c: slices.
 */
#include <string.h>

#include "igw.h"

struct igw_slice
igw_slice_of(const char *text)
{
    if (text == NULL) {
        return (struct igw_slice){ "", 0 };
    }
    return (struct igw_slice){ text, strlen(text) };
}

bool
igw_slice_equal(struct igw_slice a, struct igw_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool
igw_slice_is(struct igw_slice a, const char *text)
{
    return igw_slice_equal(a, igw_slice_of(text));
}
