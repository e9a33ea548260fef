/*
 * auth.h: whose request it is. The token decides; X-User has to agree.
 */
#ifndef USERPROFILE_AUTH_H
#define USERPROFILE_AUTH_H

#include "jwks.h"
#include "tokens.h"

struct auth {
    struct jwks *jwks;
    struct tokens *tokens; /* verified before */
    struct igw_slice issuer;
    struct igw_slice audience;
    int64_t leeway_sec;
};

/*
 * From the header fields Authorization and X-User, each NULL when absent.
 * IGW_OK: `identity` is the user's. IGW_DENIED: *reason is a constant; NULL
 * when there is no bearer token or no X-User at all. IGW_UNAVAILABLE: there
 * are no keys.
 */
enum igw_result auth_identify(const struct auth *auth,
                              const char *authorization, const char *user,
                              int64_t now, struct identity *identity,
                              const char **reason) IGW_MUST_CHECK;

#endif
