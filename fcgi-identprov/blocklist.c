#include "blocklist.h"

#include <stdlib.h>
#include <string.h>

static int
compare(const void *text, const void *at)
{
    return strcmp(text, blocklist_words + *(const uint32_t *)at);
}

bool
blocklist_has(const char *folded)
{
    return bsearch(folded, blocklist_at, blocklist_count, sizeof(*blocklist_at),
                   compare)
           != NULL;
}
