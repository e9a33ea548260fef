#include "profile.h"

#include <stdlib.h>
#include <string.h>

void
profile_init(struct profile *profile)
{
    memset(profile, 0, sizeof(*profile));
}

void
profile_clear(struct profile *profile)
{
    for (size_t i = 0; i < PROFILE_FIELDS; i++) {
        free(profile->value[i]);
    }

    profile_init(profile);
}
