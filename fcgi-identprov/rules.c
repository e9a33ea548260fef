#include "rules_fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "text.h"

enum {
    EMAIL_LOCAL_MAX_BYTES = 64,
    DOMAIN_LABEL_MAX_BYTES = 63,
    CACHE_MARGIN_SEC = 60,
    TOUCH_AFTER_MS = 60000,
    /*
     * Of a short idle limit: a use is recorded as much too early at most, and
     * kept from being recorded as long by a gateway that has the answer.
     */
    IDLE_PARTS = 4
};

const char *const rules_field_names[RULES_FIELDS] = {
    "username", "password", "email", "first_name", "last_name",
};

enum igw_result
rules_refuse(struct rules_fault *fault, const char *code, const char *detail)
{
    fault->code = code;
    (void)snprintf(fault->detail, sizeof(fault->detail), "%s", detail);
    return IGW_INVALID;
}

static enum igw_result
refuse_length(struct rules_fault *fault, const char *code, int64_t min,
              int64_t max, const char *unit)
{
    fault->code = code;
    (void)snprintf(fault->detail, sizeof(fault->detail),
                   "must have %lld to %lld %s", (long long)min, (long long)max,
                   unit);
    return IGW_INVALID;
}

enum igw_result
rules_check_bytes(struct igw_slice given, struct rules_fault *fault)
{
    switch (igw_text_check(given)) {
    case IGW_TEXT_OK:
        return IGW_OK;
    case IGW_TEXT_CONTROL:
        return rules_refuse(fault, "control_character",
                            "must not have control characters");
    case IGW_TEXT_NOT_UTF8:
        break;
    }
    return rules_refuse(fault, "invalid_encoding", "must be UTF-8");
}

enum igw_result
rules_check_length(const char *text, int64_t min, int64_t max,
                   struct rules_fault *fault)
{
    int64_t length = (int64_t)igw_text_length(igw_slice_of(text));

    if (length < min) {
        return refuse_length(fault, length == 0 ? "required" : "too_short", min,
                             max, "characters");
    }
    if (length > max) {
        return refuse_length(fault, "too_long", min, max, "characters");
    }
    return IGW_OK;
}

bool
rules_is_word(int32_t code_point)
{
    switch (igw_text_kind(code_point)) {
    case IGW_TEXT_LETTER:
    case IGW_TEXT_MARK:
    case IGW_TEXT_NUMBER:
        return true;
    default:
        return false;
    }
}

static bool
is_in(int32_t code_point, const char *set)
{
    return code_point > 0 && code_point < 0x80
           && strchr(set, (int)code_point) != NULL;
}

static bool
username_is_made_well(const char *text)
{
    struct igw_slice rest = igw_slice_of(text);
    int32_t code_point;
    bool is_first = true;

    while (igw_text_next(&rest, &code_point)) {
        if (!rules_is_word(code_point) && !is_in(code_point, "._-@+")) {
            return false;
        }
        if (is_first
            && (!rules_is_word(code_point)
                || igw_text_kind(code_point) == IGW_TEXT_MARK)) {
            return false;
        }
        is_first = false;
    }
    return true;
}

/*
 * The key is made of the composed text, so that one text has one key: folding
 * before marks are in their canonical order may give another one.
 */
static bool
normalize(struct igw_slice given, char **text, char **key)
{
    *text = igw_text_nfc(given);
    *key = NULL;
    if (*text != NULL) {
        *key = igw_text_nfkc_casefold(igw_slice_of(*text));
    }
    return *key != NULL;
}

static enum igw_result
check_username(const char *text, const char *key, struct rules_fault *fault)
{
    enum igw_result rc;

    rc = rules_check_length(text, 1, RULES_USERNAME_MAX, fault);
    if (rc != IGW_OK) {
        return rc;
    }
    /* Compatibility characters may fold to spaces and punctuation. */
    if (!username_is_made_well(text) || !username_is_made_well(key)) {
        return rules_refuse(
            fault, "invalid_character",
            "must begin with a letter or digit and have only letters,"
            " digits and . _ - @ +");
    }
    return rules_check_length(key, 1, RULES_USERNAME_MAX, fault);
}

/* Both forms of what a person calls himself, if `check` has nothing against. */
static enum igw_result
take_name(struct igw_slice given,
          enum igw_result (*check)(const char *text, const char *key,
                                   struct rules_fault *fault),
          char **text, char **key, struct rules_fault *fault)
{
    enum igw_result rc;

    *text = NULL;
    *key = NULL;
    rc = rules_check_bytes(given, fault);
    if (rc != IGW_OK) {
        return rc;
    }

    rc = normalize(given, text, key) ? check(*text, *key, fault) : IGW_ERROR;
    if (rc != IGW_OK) {
        free(*text);
        free(*key);
        *text = NULL;
        *key = NULL;
    }
    return rc;
}

enum igw_result
rules_username(struct igw_slice given, char **text, char **key,
               struct rules_fault *fault)
{
    return take_name(given, check_username, text, key, fault);
}

char *
rules_username_key(struct igw_slice given)
{
    char *text;
    char *key;

    (void)normalize(given, &text, &key);
    free(text);
    return key;
}

/* RFC 5322 atext, and what RFC 6531 adds to it. */
static bool
is_atom(int32_t code_point)
{
    if (code_point < 0x80) {
        return rules_is_word(code_point)
               || is_in(code_point, "!#$%&'*+-/=?^_`{|}~");
    }
    return rules_is_word(code_point);
}

static bool
is_label(int32_t code_point)
{
    return rules_is_word(code_point) || code_point == '-';
}

/* Parts between single dots, each of 1 to max bytes. */
static bool
is_dotted(struct igw_slice text, bool (*is_part)(int32_t), size_t max_bytes)
{
    int32_t code_point;
    size_t part_bytes = 0;
    size_t left;

    while (left = text.len, igw_text_next(&text, &code_point)) {
        if (code_point == '.') {
            if (part_bytes == 0) {
                return false;
            }
            part_bytes = 0;
            continue;
        }
        part_bytes += left - text.len;
        if (!is_part(code_point) || part_bytes > max_bytes) {
            return false;
        }
    }
    return part_bytes > 0;
}

/* No label begins or ends with a hyphen. */
static bool
hyphens_are_inside(struct igw_slice domain)
{
    for (size_t i = 0; i < domain.len; i++) {
        bool is_first = i == 0 || domain.data[i - 1] == '.';
        bool is_last = i + 1 == domain.len || domain.data[i + 1] == '.';

        if (domain.data[i] == '-' && (is_first || is_last)) {
            return false;
        }
    }
    return true;
}

static bool
email_is_made_well(const char *text)
{
    const char *at = strrchr(text, '@');
    struct igw_slice local;
    struct igw_slice domain;

    if (at == NULL) {
        return false;
    }
    local = (struct igw_slice){ text, (size_t)(at - text) };
    domain = igw_slice_of(at + 1);
    return local.len <= EMAIL_LOCAL_MAX_BYTES
           && is_dotted(local, is_atom, EMAIL_LOCAL_MAX_BYTES)
           && is_dotted(domain, is_label, DOMAIN_LABEL_MAX_BYTES)
           && hyphens_are_inside(domain);
}

static enum igw_result
check_email(const char *text, const char *key, struct rules_fault *fault)
{
    if (text[0] == '\0') {
        return rules_refuse(fault, "required", "must not be empty");
    }
    if (strlen(text) > RULES_EMAIL_MAX_BYTES
        || strlen(key) > RULES_EMAIL_MAX_BYTES) {
        return refuse_length(fault, "too_long", 3, RULES_EMAIL_MAX_BYTES,
                             "bytes");
    }
    /* Casefolding may make a dot or an @ of another character. */
    if (!email_is_made_well(text) || !email_is_made_well(key)) {
        return rules_refuse(
            fault, "invalid_email",
            "must be an e-mail address such as name@example.org");
    }
    return IGW_OK;
}

enum igw_result
rules_email(struct igw_slice given, char **text, char **key,
            struct rules_fault *fault)
{
    return take_name(given, check_email, text, key, fault);
}

static enum igw_result
check_person_name(const char *text, struct rules_fault *fault)
{
    struct igw_slice rest = igw_slice_of(text);
    enum igw_text_kind kind = IGW_TEXT_SPACE;
    bool is_first = true;
    bool has_visible = false;
    int32_t code_point;

    while (igw_text_next(&rest, &code_point)) {
        kind = igw_text_kind(code_point);
        if (kind == IGW_TEXT_OTHER) {
            return rules_refuse(fault, "invalid_character",
                                "must have only visible characters and spaces");
        }
        if (kind == IGW_TEXT_SPACE && is_first) {
            return rules_refuse(fault, "outer_space",
                                "must not begin or end with a space");
        }
        has_visible = has_visible
                      || (kind != IGW_TEXT_SPACE && kind != IGW_TEXT_JOINER
                          && kind != IGW_TEXT_MARK);
        is_first = false;
    }
    if (kind == IGW_TEXT_SPACE) {
        return rules_refuse(fault, "outer_space",
                            "must not begin or end with a space");
    }
    if (!has_visible) {
        return rules_refuse(fault, "invalid_character",
                            "must have a visible character");
    }
    return IGW_OK;
}

enum igw_result
rules_person_name(struct igw_slice given, char **text,
                  struct rules_fault *fault)
{
    enum igw_result rc;

    *text = NULL;
    rc = rules_check_bytes(given, fault);
    if (rc != IGW_OK) {
        return rc;
    }

    rc = IGW_ERROR;
    *text = igw_text_nfc(given);
    if (*text == NULL) {
        goto fail;
    }

    rc = rules_check_length(*text, 1, RULES_NAME_MAX, fault);
    if (rc != IGW_OK) {
        goto fail;
    }
    rc = check_person_name(*text, fault);
    if (rc != IGW_OK) {
        goto fail;
    }
    return IGW_OK;

fail:
    free(*text);
    *text = NULL;
    return rc;
}

static enum igw_result
check_last_name(struct igw_slice given, char **text, struct rules_fault *fault)
{
    if (given.len == 0) {
        *text = strdup("");
        return *text == NULL ? IGW_ERROR : IGW_OK;
    }
    return rules_person_name(given, text, fault);
}

enum igw_result
rules_applicant_check(const struct igw_slice given[RULES_FIELDS],
                      const struct rules_password *policy,
                      struct rules_applicant *out)
{
    enum igw_result results[RULES_FIELDS];
    enum igw_result rc = IGW_OK;
    struct rules_password own = *policy;

    memset(out, 0, sizeof(*out));
    results[RULES_USERNAME] =
        rules_username(given[RULES_USERNAME], &out->username,
                       &out->username_key, &out->faults[RULES_USERNAME]);
    results[RULES_EMAIL] =
        rules_email(given[RULES_EMAIL], &out->email, &out->email_key,
                    &out->faults[RULES_EMAIL]);
    results[RULES_FIRST_NAME] =
        rules_person_name(given[RULES_FIRST_NAME], &out->first_name,
                          &out->faults[RULES_FIRST_NAME]);
    results[RULES_LAST_NAME] = check_last_name(
        given[RULES_LAST_NAME], &out->last_name, &out->faults[RULES_LAST_NAME]);

    own.username_key = out->username_key;
    own.email_key = out->email_key;
    own.first_name = out->first_name;
    own.last_name = out->last_name;
    results[RULES_PASSWORD] =
        rules_password(given[RULES_PASSWORD], &own, &out->password,
                       &out->faults[RULES_PASSWORD]);

    for (int i = 0; i < RULES_FIELDS; i++) {
        if (results[i] > rc) {
            rc = results[i];
        }
    }
    return rc;
}

void
rules_applicant_clear(struct rules_applicant *applicant)
{
    free(applicant->username);
    free(applicant->username_key);
    free(applicant->email);
    free(applicant->email_key);
    free(applicant->first_name);
    free(applicant->last_name);
    rules_wipe(&applicant->password);
    memset(applicant, 0, sizeof(*applicant));
}

static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

struct rules_times
rules_token_times(int64_t now_sec, int64_t token_ttl_ms,
                  int64_t session_left_ms, int64_t session_idle_ms)
{
    int64_t life_sec = least(token_ttl_ms, session_left_ms) / 1000;
    int64_t cache_sec;

    if (life_sec < 1) {
        life_sec = 1;
    }
    cache_sec = life_sec - CACHE_MARGIN_SEC;

    cache_sec = least(cache_sec, session_left_ms / 1000);
    cache_sec = least(cache_sec, session_idle_ms / IDLE_PARTS / 1000);
    return (struct rules_times){
        .issued_at = now_sec,
        .expires_at = now_sec + life_sec,
        .cache_sec = cache_sec < 0 ? 0 : cache_sec,
    };
}

int64_t
rules_touch_after_ms(int64_t session_idle_ms)
{
    return least(TOUCH_AFTER_MS, session_idle_ms / IDLE_PARTS);
}
