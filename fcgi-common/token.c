/*
 * token.c: access tokens that come.
 */
#include "token.h"

#include <string.h>

#include "text.h"
#include "token_claims.h"

/* A compact token's parts, as they came. */
struct parts {
    struct igw_slice header;
    struct igw_slice payload;
    struct igw_slice signature;
    struct igw_slice signed_text; /* header "." payload */
};

/* What a token must be beyond its signature; false refuses it. */
struct check {
    bool (*is_met)(const struct igw_claims *claims,
                   const struct igw_token_policy *policy);
    const char *reason;
};

static bool split(struct igw_slice token, struct parts *parts);
static bool take_part(struct igw_slice *rest, struct igw_slice *part);
static enum igw_result find_key(const struct igw_keyset *keys,
                                struct igw_slice header,
                                const struct igw_key **key,
                                const char **reason);
static enum igw_result decode_object(struct igw_slice part,
                                     struct json_t **object);
static const char *header_fault(struct json_t *header);
static bool is_algorithm_of(const struct json_t *header,
                            enum igw_algorithm algorithm);
static bool is_header_member(const char *name);
static bool is_access_token_type(struct igw_slice typ);
static bool is_in_any_case(struct igw_slice text, const char *lower);
static enum igw_result check_signature(const struct igw_key *key,
                                       const struct parts *parts,
                                       const char **reason);
static enum igw_result read_claims(struct igw_slice payload,
                                   const struct igw_token_policy *policy,
                                   struct igw_claims *claims,
                                   const char **reason);
static bool unpack(const struct json_t *payload, struct igw_slice audience,
                   struct igw_claims *claims);
static bool unpack_text(const struct json_t *payload, const struct claim *claim,
                        struct igw_claims *claims);
static bool unpack_time(const struct json_t *payload, const struct claim *claim,
                        struct igw_claims *claims);
static bool unpack_audience(const struct json_t *aud, struct igw_slice wanted,
                            struct igw_claims *claims);
static bool unpack_verified(const struct json_t *value,
                            struct igw_claims *claims);
static bool is_text_array(const struct json_t *json);
static bool has_issuer(const struct igw_claims *claims,
                       const struct igw_token_policy *policy);
static bool has_audience(const struct igw_claims *claims,
                         const struct igw_token_policy *policy);
static bool is_not_over(const struct igw_claims *claims,
                        const struct igw_token_policy *policy);
static bool has_begun(const struct igw_claims *claims,
                      const struct igw_token_policy *policy);
static enum igw_result deny(const char **reason, const char *value);

/* The first one that is not met is the reason. */
static const struct check checks[] = {
    { has_issuer, "wrong_issuer" },
    { has_audience, "wrong_audience" },
    { is_not_over, "expired" },
    { has_begun, "not_yet_valid" },
};

enum igw_result
igw_token_verify(const struct igw_keyset *keys, struct igw_slice token,
                 const struct igw_token_policy *policy,
                 struct igw_claims *claims, const char **reason)
{
    const struct igw_key *key = NULL;
    struct parts parts;
    enum igw_result rc;

    *claims = (struct igw_claims){ 0 };
    *reason = NULL;
    if (token.len > IGW_TOKEN_MAX) {
        return deny(reason, "too_long");
    }
    if (!split(token, &parts)) {
        return deny(reason, "malformed");
    }
    rc = find_key(keys, parts.header, &key, reason);
    if (rc != IGW_OK) {
        return rc;
    }
    rc = check_signature(key, &parts, reason);
    if (rc != IGW_OK) {
        return rc;
    }
    return read_claims(parts.payload, policy, claims, reason);
}

void
igw_claims_clear(struct igw_claims *claims)
{
    struct json_t *payload = claims->owner;

    igw_json_free(&payload);
    *claims = (struct igw_claims){ 0 };
}

/* Exactly three parts, none of them empty (RFC 7515 7.1). */
static bool
split(struct igw_slice token, struct parts *parts)
{
    struct igw_slice rest = token;

    if (!take_part(&rest, &parts->header)
        || !take_part(&rest, &parts->payload)) {
        return false;
    }
    parts->signature = rest;
    parts->signed_text =
        (struct igw_slice){ token.data,
                            parts->header.len + 1 + parts->payload.len };
    return rest.len > 0 && memchr(rest.data, '.', rest.len) == NULL;
}

/* Takes a part that is not empty and its dot off *rest. */
static bool
take_part(struct igw_slice *rest, struct igw_slice *part)
{
    const char *dot = rest->len > 0 ? memchr(rest->data, '.', rest->len) : NULL;

    if (dot == NULL || dot == rest->data) {
        return false;
    }
    *part = (struct igw_slice){ rest->data, (size_t)(dot - rest->data) };
    rest->data += part->len + 1;
    rest->len -= part->len + 1;
    return true;
}

static enum igw_result
find_key(const struct igw_keyset *keys, struct igw_slice header,
         const struct igw_key **key, const char **reason)
{
    struct json_t *object = NULL;
    const char *fault;
    enum igw_result rc = decode_object(header, &object);

    if (rc != IGW_OK) {
        return rc == IGW_INVALID ? deny(reason, "malformed") : rc;
    }
    fault = header_fault(object);
    if (fault == NULL) {
        *key =
            igw_keyset_find(keys, igw_json_text(igw_json_get(object, "kid")));
        fault = *key == NULL ? "unknown_key" : NULL;
    }
    if (fault == NULL && !is_algorithm_of(object, igw_key_algorithm(*key))) {
        fault = "wrong_algorithm";
    }
    igw_json_free(&object);
    return fault != NULL ? deny(reason, fault) : IGW_OK;
}

/* Base64url of a JSON object; IGW_INVALID: it is not. */
static enum igw_result
decode_object(struct igw_slice part, struct json_t **object)
{
    struct igw_json_fault fault;
    struct igw_buf text;
    enum igw_result rc;

    igw_buf_init(&text);
    rc = igw_base64url_decode(part, &text);
    if (rc == IGW_OK) {
        rc = igw_json_parse(igw_buf_slice(&text), object, &fault);
    }
    if (rc == IGW_OK && igw_json_type(*object) != IGW_JSON_OBJECT) {
        igw_json_free(object);
        rc = IGW_INVALID;
    }
    igw_buf_clear(&text);
    return rc;
}

/*
 * The key's own algorithm, one type, and nothing that would have to be
 * understood (RFC 8725 3.1 and 3.11; crit, jwk, jku, x5u, x5c, zip, b64 are
 * members that we do not have).
 */
static const char *
header_fault(struct json_t *header)
{
    void *iter;

    for (iter = igw_json_first(header); iter != NULL;
         iter = igw_json_next(header, iter)) {
        if (!is_header_member(igw_json_name(iter))) {
            return "unknown_header";
        }
    }
    if (!is_algorithm_of(header, IGW_ES256)
        && !is_algorithm_of(header, IGW_RS256)) {
        return "wrong_algorithm";
    }
    if (!is_access_token_type(igw_json_text(igw_json_get(header, "typ")))) {
        return "wrong_type";
    }
    return NULL;
}

static bool
is_algorithm_of(const struct json_t *header, enum igw_algorithm algorithm)
{
    return igw_slice_is(igw_json_text(igw_json_get(header, "alg")),
                        igw_algorithm_name(algorithm));
}

static bool
is_header_member(const char *name)
{
    static const char *const members[] = { "alg", "typ", "kid" };

    for (size_t i = 0; i < COUNT(members); i++) {
        if (strcmp(name, members[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* RFC 9068 4; a media type is the same in any case (RFC 2045 5.1). */
static bool
is_access_token_type(struct igw_slice typ)
{
    return is_in_any_case(typ, "at+jwt")
           || is_in_any_case(typ, "application/at+jwt");
}

/* ASCII only, whatever the locale. */
static bool
is_in_any_case(struct igw_slice text, const char *lower)
{
    if (text.len != strlen(lower)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c >= 'A' && c <= 'Z') {
            c = (char)(c - 'A' + 'a');
        }
        if (c != lower[i]) {
            return false;
        }
    }
    return true;
}

static enum igw_result
check_signature(const struct igw_key *key, const struct parts *parts,
                const char **reason)
{
    struct igw_buf signature;
    enum igw_result rc;

    igw_buf_init(&signature);
    rc = igw_base64url_decode(parts->signature, &signature);
    if (rc == IGW_INVALID) {
        rc = deny(reason, "malformed");
        goto done;
    }
    if (rc != IGW_OK) {
        goto done;
    }
    rc = igw_key_verify(key, parts->signed_text, igw_buf_slice(&signature));
    if (rc == IGW_DENIED) {
        rc = deny(reason, "bad_signature");
    }

done:
    igw_buf_clear(&signature);
    return rc;
}

static enum igw_result
read_claims(struct igw_slice payload, const struct igw_token_policy *policy,
            struct igw_claims *claims, const char **reason)
{
    struct json_t *object = NULL;
    const char *fault = NULL;
    enum igw_result rc = decode_object(payload, &object);

    if (rc != IGW_OK) {
        return rc == IGW_INVALID ? deny(reason, "malformed") : rc;
    }
    claims->owner = object;
    if (!unpack(object, policy->audience, claims)) {
        fault = "bad_claims";
    }
    for (size_t i = 0; i < COUNT(checks) && fault == NULL; i++) {
        fault = checks[i].is_met(claims, policy) ? NULL : checks[i].reason;
    }
    if (fault != NULL) {
        igw_claims_clear(claims);
        return deny(reason, fault);
    }
    return IGW_OK;
}

/* The slices point into payload. False: a claim is missing or of no use. */
static bool
unpack(const struct json_t *payload, struct igw_slice audience,
       struct igw_claims *claims)
{
    const struct json_t *groups = igw_json_get(payload, "groups");

    for (size_t i = 0; i < COUNT(text_claims); i++) {
        if (!unpack_text(payload, &text_claims[i], claims)) {
            return false;
        }
    }
    for (size_t i = 0; i < COUNT(time_claims); i++) {
        if (!unpack_time(payload, &time_claims[i], claims)) {
            return false;
        }
    }
    if (groups != NULL && !is_text_array(groups)) {
        return false;
    }
    return unpack_audience(igw_json_get(payload, aud_claim.name), audience,
                           claims)
           && unpack_verified(igw_json_get(payload, "email_verified"), claims);
}

static bool
unpack_text(const struct json_t *payload, const struct claim *claim,
            struct igw_claims *claims)
{
    const struct json_t *value = igw_json_get(payload, claim->name);
    struct igw_slice text = igw_json_text(value);

    if (value == NULL) {
        return !claim->is_required;
    }
    if (igw_json_type(value) != IGW_JSON_STRING
        || (text.len == 0 && claim->is_required)) {
        return false;
    }
    memcpy((char *)claims + claim->offset, &text, sizeof(text));
    return true;
}

static bool
unpack_time(const struct json_t *payload, const struct claim *claim,
            struct igw_claims *claims)
{
    const struct json_t *value = igw_json_get(payload, claim->name);
    int64_t seconds = igw_json_integer(value);

    if (value == NULL) {
        return !claim->is_required;
    }
    if (igw_json_type(value) != IGW_JSON_INTEGER
        || !igw_token_is_time(seconds)) {
        return false;
    }
    memcpy((char *)claims + claim->offset, &seconds, sizeof(seconds));
    return true;
}

/* Of an array (RFC 7519 4.1.3) the one that is wanted, if it is there. */
static bool
unpack_audience(const struct json_t *aud, struct igw_slice wanted,
                struct igw_claims *claims)
{
    if (igw_json_type(aud) == IGW_JSON_STRING) {
        claims->aud = igw_json_text(aud);
        return true;
    }
    if (!is_text_array(aud)) {
        return false;
    }
    for (size_t i = 0; i < igw_json_size(aud); i++) {
        struct igw_slice text = igw_json_text(igw_json_at(aud, i));

        if (igw_slice_equal(text, wanted)) {
            claims->aud = text;
        }
    }
    return true;
}

static bool
unpack_verified(const struct json_t *value, struct igw_claims *claims)
{
    claims->email_verified = igw_json_bool(value);
    return value == NULL || igw_json_type(value) == IGW_JSON_BOOL;
}

static bool
is_text_array(const struct json_t *json)
{
    if (igw_json_type(json) != IGW_JSON_ARRAY) {
        return false;
    }
    for (size_t i = 0; i < igw_json_size(json); i++) {
        if (igw_json_type(igw_json_at(json, i)) != IGW_JSON_STRING) {
            return false;
        }
    }
    return true;
}

static bool
has_issuer(const struct igw_claims *claims,
           const struct igw_token_policy *policy)
{
    return igw_slice_equal(claims->iss, policy->issuer);
}

/* An audience that nobody has set is nobody's. */
static bool
has_audience(const struct igw_claims *claims,
             const struct igw_token_policy *policy)
{
    return claims->aud.len > 0
           && igw_slice_equal(claims->aud, policy->audience);
}

/* RFC 7519 4.1.4: now must be before exp. */
static bool
is_not_over(const struct igw_claims *claims,
            const struct igw_token_policy *policy)
{
    return policy->now < claims->exp + policy->leeway_sec;
}

/* A token from the future is a clock that is wrong, or worse. */
static bool
has_begun(const struct igw_claims *claims,
          const struct igw_token_policy *policy)
{
    int64_t latest = policy->now + policy->leeway_sec;

    return claims->nbf <= latest && claims->iat <= latest;
}

static enum igw_result
deny(const char **reason, const char *value)
{
    *reason = value;
    return IGW_DENIED;
}
