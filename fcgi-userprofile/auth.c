#include "auth.h"

#include <string.h>
#include <strings.h>

#include "store.h"
#include "text.h"

static bool bearer_token(const char *authorization, struct igw_slice *token);
static bool remember(const struct auth *auth, const unsigned char *digest,
                     int64_t now, struct identity *identity);
static enum igw_result verify(const struct auth *auth, struct igw_slice token,
                              const unsigned char *digest, int64_t now,
                              struct identity *identity, const char **reason);
static bool is_subject(struct igw_slice subject);

enum igw_result
auth_identify(const struct auth *auth, const char *authorization,
              const char *user, int64_t now, struct identity *identity,
              const char **reason)
{
    unsigned char digest[IGW_SHA256_SIZE];
    struct igw_slice token;
    enum igw_result rc;

    *reason = NULL;
    if (!bearer_token(authorization, &token) || user == NULL || *user == '\0') {
        return IGW_DENIED;
    }

    rc = igw_sha256(token.data, token.len, digest);
    if (rc == IGW_OK && !remember(auth, digest, now, identity)) {
        rc = verify(auth, token, digest, now, identity, reason);
    }
    if (rc == IGW_OK && !igw_slice_is(identity->username, user)) {
        *reason = "user_mismatch";
        rc = IGW_DENIED;
    }
    return rc;
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

/*
 * Whether the token was verified with the keys of now and would be today: its
 * times are looked at each time. What is over is verify's to refuse.
 */
static bool
remember(const struct auth *auth, const unsigned char *digest, int64_t now,
         struct identity *identity)
{
    return tokens_find(auth->tokens, digest, jwks_generation(auth->jwks),
                       identity)
           && now < identity->exp + auth->leeway_sec
           && identity->begin <= now + auth->leeway_sec;
}

static enum igw_result
verify(const struct auth *auth, struct igw_slice token,
       const unsigned char *digest, int64_t now, struct identity *identity,
       const char **reason)
{
    const struct igw_token_policy policy = { .issuer = auth->issuer,
                                             .audience = auth->audience,
                                             .now = now,
                                             .leeway_sec = auth->leeway_sec };
    uint64_t generation;
    const struct igw_keyset *keys = jwks_acquire(auth->jwks, &generation);
    struct igw_claims claims = { 0 };
    enum igw_result rc = IGW_UNAVAILABLE;

    if (keys != NULL) {
        rc = igw_token_verify(keys, token, &policy, &claims, reason);
    }
    jwks_release(auth->jwks);

    if (rc == IGW_DENIED && strcmp(*reason, "unknown_key") == 0) {
        jwks_want(auth->jwks);
    } else if (rc == IGW_OK && !is_subject(claims.sub)) {
        *reason = "bad_subject";
        rc = IGW_DENIED;
    } else if (rc == IGW_OK) {
        identity_fill(identity, &claims);
        tokens_keep(auth->tokens, digest, generation, identity);
    }
    igw_claims_clear(&claims);
    return rc;
}

static bool
is_subject(struct igw_slice subject)
{
    return subject.len > 0 && subject.len <= STORE_SUBJECT_MAX
           && igw_text_check(subject) == IGW_TEXT_OK;
}
