/*
 * token_sign.c: access tokens that are signed. libjwt holds their claims.
 */
#include <jwt.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "token_claims.h"

_Static_assert(sizeof(long) >= sizeof(int64_t), "libjwt's times are long");

static bool is_signable(const struct igw_claims *claims);
static bool is_signable_text(struct igw_slice text, bool is_required);
static struct igw_slice text_of(const struct igw_claims *claims,
                                const struct claim *claim);
static int64_t time_of(const struct igw_claims *claims,
                       const struct claim *claim);
static jwt_t *hold(const struct igw_claims *claims);
static bool hold_texts(jwt_t *jwt, const struct igw_claims *claims);
static bool hold_text(jwt_t *jwt, const char *name, struct igw_slice text);
static bool hold_times(jwt_t *jwt, const struct igw_claims *claims);
static bool hold_groups(jwt_t *jwt, const struct igw_claims *claims);
static enum igw_result put_token(const struct igw_key *key, const char *payload,
                                 struct igw_buf *token);

enum igw_result
igw_token_sign(const struct igw_key *key, const struct igw_claims *claims,
               struct igw_buf *out)
{
    jwt_t *jwt = NULL;
    char *payload = NULL;
    struct igw_buf token;
    enum igw_result rc = IGW_ERROR;

    if (!is_signable(claims)) {
        return IGW_INVALID;
    }
    igw_buf_init(&token);
    jwt = hold(claims);
    if (jwt == NULL) {
        goto done;
    }
    payload = jwt_get_grants_json(jwt, NULL);
    if (payload == NULL) {
        goto done;
    }
    rc = put_token(key, payload, &token);
    if (rc != IGW_OK) {
        goto done;
    }
    igw_buf_append(out, token.data, token.len);
    rc = out->failed ? IGW_ERROR : IGW_OK;

done:
    igw_buf_clear(&token);
    free(payload);
    jwt_free(jwt);
    return rc;
}

/* Claims that igw_token_verify would refuse are not signed. */
static bool
is_signable(const struct igw_claims *claims)
{
    for (size_t i = 0; i < COUNT(text_claims); i++) {
        if (!is_signable_text(text_of(claims, &text_claims[i]),
                              text_claims[i].is_required)) {
            return false;
        }
    }
    for (size_t i = 0; i < COUNT(time_claims); i++) {
        if (!igw_token_is_time(time_of(claims, &time_claims[i]))) {
            return false;
        }
    }
    for (size_t i = 0; i < claims->group_count; i++) {
        if (!is_signable_text(claims->groups[i], true)) {
            return false;
        }
    }
    return is_signable_text(claims->aud, true);
}

/* libjwt takes C strings, so a NUL would cut the text. */
static bool
is_signable_text(struct igw_slice text, bool is_required)
{
    if (text.len == 0) {
        return !is_required;
    }
    return igw_text_check(text) != IGW_TEXT_NOT_UTF8
           && memchr(text.data, '\0', text.len) == NULL;
}

static struct igw_slice
text_of(const struct igw_claims *claims, const struct claim *claim)
{
    struct igw_slice text;

    memcpy(&text, (const char *)claims + claim->offset, sizeof(text));
    return text;
}

static int64_t
time_of(const struct igw_claims *claims, const struct claim *claim)
{
    int64_t seconds;

    memcpy(&seconds, (const char *)claims + claim->offset, sizeof(seconds));
    return seconds;
}

static jwt_t *
hold(const struct igw_claims *claims)
{
    jwt_t *jwt = NULL;

    if (jwt_new(&jwt) != 0) {
        return NULL;
    }
    if (!hold_texts(jwt, claims) || !hold_times(jwt, claims)
        || !hold_groups(jwt, claims)) {
        jwt_free(jwt);
        return NULL;
    }
    return jwt;
}

static bool
hold_texts(jwt_t *jwt, const struct igw_claims *claims)
{
    for (size_t i = 0; i < COUNT(text_claims); i++) {
        if (!hold_text(jwt, text_claims[i].name,
                       text_of(claims, &text_claims[i]))) {
            return false;
        }
    }
    if (claims->email.len > 0
        && jwt_add_grant_bool(jwt, "email_verified", claims->email_verified)
               != 0) {
        return false;
    }
    return hold_text(jwt, aud_claim.name, claims->aud);
}

static bool
hold_text(jwt_t *jwt, const char *name, struct igw_slice text)
{
    char *copy;
    bool is_held;

    if (text.len == 0) {
        return true;
    }
    copy = strndup(text.data, text.len);
    is_held = copy != NULL && jwt_add_grant(jwt, name, copy) == 0;
    free(copy);
    return is_held;
}

static bool
hold_times(jwt_t *jwt, const struct igw_claims *claims)
{
    for (size_t i = 0; i < COUNT(time_claims); i++) {
        int64_t seconds = time_of(claims, &time_claims[i]);

        if (jwt_add_grant_int(jwt, time_claims[i].name, (long)seconds) != 0) {
            return false;
        }
    }
    return true;
}

static bool
hold_groups(jwt_t *jwt, const struct igw_claims *claims)
{
    struct json_t *object = igw_json_object();
    struct json_t *groups = igw_json_array();
    struct igw_buf text;
    bool is_held = claims->group_count == 0;

    igw_buf_init(&text);
    for (size_t i = 0; i < claims->group_count; i++) {
        if (!igw_json_append(groups, igw_json_new_text(claims->groups[i]))) {
            goto done;
        }
    }
    if (claims->group_count > 0) {
        is_held = igw_json_set(object, "groups", igw_json_share(groups))
                  && igw_json_dump(object, &text) == IGW_OK
                  && jwt_add_grants_json(jwt, text.data) == 0;
    }

done:
    igw_buf_clear(&text);
    igw_json_free(&groups);
    igw_json_free(&object);
    return is_held;
}

/* IGW_INVALID: longer than what igw_token_verify takes. */
static enum igw_result
put_token(const struct igw_key *key, const char *payload, struct igw_buf *token)
{
    unsigned char signature[IGW_SIGNATURE_MAX];
    struct igw_buf header;
    enum igw_result rc;

    igw_buf_init(&header);
    igw_buf_printf(
        &header, "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
        igw_algorithm_name(igw_key_algorithm(key)), igw_key_kid(key));
    igw_base64url_encode(header.data, header.len, token);
    igw_buf_puts(token, ".");
    igw_base64url_encode(payload, strlen(payload), token);
    rc = header.failed || token->failed ? IGW_ERROR : IGW_OK;
    igw_buf_clear(&header);
    if (rc != IGW_OK) {
        return rc;
    }
    rc = igw_key_sign(key, igw_buf_slice(token), signature);
    if (rc != IGW_OK) {
        return rc;
    }
    igw_buf_puts(token, ".");
    igw_base64url_encode(signature, igw_key_signature_size(key), token);
    if (token->failed) {
        return IGW_ERROR;
    }
    return token->len <= IGW_TOKEN_MAX ? IGW_OK : IGW_INVALID;
}
