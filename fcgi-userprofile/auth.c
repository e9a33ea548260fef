#include "auth.h"

#include <string.h>
#include <strings.h>

#include "store.h"
#include "text.h"

static bool bearer_token(const char *authorization, struct igw_slice *token);
static enum igw_result verify(const struct auth *auth, struct igw_slice token,
                              int64_t now, struct igw_claims *claims,
                              const char **reason);
static const char *disagreement(const struct igw_claims *claims,
                                const char *user);

enum igw_result
auth_identify(const struct auth *auth, const char *authorization,
              const char *user, int64_t now, struct igw_claims *claims,
              const char **reason)
{
    struct igw_slice token;
    enum igw_result rc;

    *reason = NULL;
    if (!bearer_token(authorization, &token) || user == NULL || *user == '\0') {
        return IGW_DENIED;
    }

    rc = verify(auth, token, now, claims, reason);
    if (rc != IGW_OK) {
        return rc;
    }

    *reason = disagreement(claims, user);
    if (*reason != NULL) {
        igw_claims_clear(claims);
        return IGW_DENIED;
    }
    return IGW_OK;
}

/* RFC 6750 2.1: the scheme in any case, one blank, the token. */
static bool
bearer_token(const char *authorization, struct igw_slice *token)
{
    static const char scheme[] = "Bearer ";

    if (authorization == NULL
        || strncasecmp(authorization, scheme, strlen(scheme)) != 0) {
        return false;
    }

    *token = igw_slice_of(authorization + strlen(scheme));
    return token->len > 0;
}

static enum igw_result
verify(const struct auth *auth, struct igw_slice token, int64_t now,
       struct igw_claims *claims, const char **reason)
{
    const struct igw_token_policy policy = { .issuer = auth->issuer,
                                             .audience = auth->audience,
                                             .now = now,
                                             .leeway_sec = auth->leeway_sec };
    const struct igw_keyset *keys = jwks_acquire(auth->jwks);
    enum igw_result rc = IGW_UNAVAILABLE;

    if (keys != NULL) {
        rc = igw_token_verify(keys, token, &policy, claims, reason);
    }
    jwks_release(auth->jwks);
    return rc;
}

/* Why a token that is good in itself is not this request's; else NULL. */
static const char *
disagreement(const struct igw_claims *claims, const char *user)
{
    if (!igw_slice_is(claims->preferred_username, user)) {
        return "user_mismatch";
    }
    if (claims->sub.len == 0 || claims->sub.len > STORE_SUBJECT_MAX
        || igw_text_check(claims->sub) != IGW_TEXT_OK) {
        return "bad_subject";
    }
    return NULL;
}
