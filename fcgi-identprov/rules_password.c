/*
 * rules_password.c: the policy of new passwords.
 */
#include <stdlib.h>
#include <string.h>

#include "blocklist.h"
#include "crypto.h"
#include "rules_fault.h"
#include "text.h"

void
rules_wipe(char **text)
{
    if (*text != NULL) {
        igw_wipe(*text, strlen(*text));
        free(*text);
        *text = NULL;
    }
}

/* Is the word the password, or a long one inside it? */
static bool
is_inside(const char *folded, struct igw_slice word)
{
    if (word.len == 0) {
        return false;
    }
    if (igw_slice_is(word, folded)) {
        return true;
    }
    return igw_text_length(word) >= RULES_OWN_WORD_MIN
           && memmem(folded, strlen(folded), word.data, word.len) != NULL;
}

/* Takes the next run of letters, marks and digits off *text; empty at its end.
 */
static struct igw_slice
next_word(struct igw_slice *text)
{
    struct igw_slice word = *text;
    struct igw_slice rest = *text;
    int32_t code_point;

    while (igw_text_next(&rest, &code_point)) {
        if (rules_is_word(code_point)) {
            *text = rest;
            continue;
        }
        word.len = (size_t)(text->data - word.data);
        if (word.len > 0) {
            return word;
        }
        *text = rest;
        word.data = rest.data;
    }
    word.len = (size_t)(text->data - word.data);
    return word;
}

static bool
has_word_of(const char *folded, struct igw_slice text)
{
    struct igw_slice word;

    if (is_inside(folded, text)) {
        return true;
    }
    do {
        word = next_word(&text);
        if (is_inside(folded, word)) {
            return true;
        }
    } while (word.len > 0);
    return false;
}

/* All but the domain's last label, which is nobody's own. */
static bool
has_word_of_email(const char *folded, const char *email)
{
    size_t local_len = strcspn(email, "@");
    const char *dot = strrchr(email, '.');
    struct igw_slice local = { email, local_len };
    struct igw_slice domain = { email + local_len, 0 };

    if (dot != NULL && dot > domain.data) {
        domain.len = (size_t)(dot - domain.data);
    }
    return has_word_of(folded, local) || has_word_of(folded, domain);
}

/* IGW_INVALID: it has one. The text is not folded yet. */
static enum igw_result
check_words_of(const char *folded, const char *text)
{
    char *own;
    bool has_own;

    if (text == NULL) {
        return IGW_OK;
    }
    own = igw_text_nfkc_casefold(igw_slice_of(text));
    if (own == NULL) {
        return IGW_ERROR;
    }
    has_own = has_word_of(folded, igw_slice_of(own));
    free(own);
    return has_own ? IGW_INVALID : IGW_OK;
}

static enum igw_result
check_own_words(const char *folded, const struct rules_password *policy)
{
    const char *const texts[] = { policy->first_name, policy->last_name,
                                  policy->issuer, policy->audience };
    enum igw_result rc = IGW_OK;

    if (policy->username_key != NULL
        && has_word_of(folded, igw_slice_of(policy->username_key))) {
        return IGW_INVALID;
    }
    if (policy->email_key != NULL
        && has_word_of_email(folded, policy->email_key)) {
        return IGW_INVALID;
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts) && rc == IGW_OK;
         i++) {
        rc = check_words_of(folded, texts[i]);
    }
    return rc;
}

static enum igw_result
check_guessable(const char *password, const struct rules_password *policy,
                struct rules_fault *fault)
{
    char *folded = igw_text_nfkc_casefold(igw_slice_of(password));
    bool is_common;
    enum igw_result rc;

    if (folded == NULL) {
        return IGW_ERROR;
    }
    is_common = blocklist_has(folded);
    rc = check_own_words(folded, policy);
    rules_wipe(&folded);
    if (is_common) {
        return rules_refuse(fault, "common_password",
                            "is one that everybody tries first");
    }
    if (rc == IGW_INVALID) {
        return rules_refuse(fault, "own_words",
                            "must not contain the username, a name, a part of"
                            " the e-mail address or the service's name");
    }
    return rc;
}

enum igw_result
rules_password(struct igw_slice given, const struct rules_password *policy,
               char **text, struct rules_fault *fault)
{
    enum igw_result rc;

    *text = NULL;
    rc = rules_check_bytes(given, fault);
    if (rc != IGW_OK) {
        return rc;
    }

    rc = IGW_ERROR;
    *text = igw_text_nfkc(given);
    if (*text == NULL) {
        goto fail;
    }

    rc = rules_check_length(*text, policy->min, RULES_PASSWORD_MAX, fault);
    if (rc != IGW_OK) {
        goto fail;
    }
    rc = check_guessable(*text, policy, fault);
    if (rc != IGW_OK) {
        goto fail;
    }
    return IGW_OK;

fail:
    rules_wipe(text);
    return rc;
}
