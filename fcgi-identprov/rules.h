/*
 * rules.h: what an account may look like, and how long things live. Pure: no
 * HTTP, no SQL, no clock.
 *
 * username    1 to 64 code points, letters, marks and digits of any script and
 *             . _ - @ +, the first one a letter or a digit. No space, so that
 *             it is whole in a header; kept in NFC, compared NFKC-casefolded,
 *             the folded form at most 64 code points, too.
 * email       local@domain, 3 to 254 bytes; local part at most 64 bytes, RFC
 *             5322 atoms with single dots between them; domain of labels of
 *             at most 63 bytes; letters of any script in both (RFC 6531).
 *             Kept in NFC, compared NFKC-casefolded.
 * first_name  1 to 100 code points of letters, marks, digits, punctuation,
 * last_name   joiners and inner spaces, something visible in it; NFC. The last
 *             name may be empty.
 * password    NFKC, then a setting's minimum (8) to 128 code points, anything
 *             but control characters; not a common password, whatever its
 *             case; does not contain a word of the account or the service
 *             that has 4 code points or more, and is no shorter one. Words
 *             are the username, the e-mail address's local part, the names,
 *             issuer and audience, whole and their parts, and the labels of
 *             the address's domain but the last.
 */
#ifndef RULES_H
#define RULES_H

#include "igw.h"

enum rules_field {
    RULES_USERNAME,
    RULES_PASSWORD,
    RULES_EMAIL,
    RULES_FIRST_NAME,
    RULES_LAST_NAME,
    RULES_FIELDS
};

enum {
    RULES_USERNAME_MAX = 64,
    RULES_EMAIL_MAX_BYTES = 254,
    RULES_NAME_MAX = 100,
    RULES_PASSWORD_MAX = 128,
    RULES_OWN_WORD_MIN = 4
};

/* The members' names in JSON, by enum rules_field. */
extern const char *const rules_field_names[RULES_FIELDS];

struct rules_fault {
    const char *code; /* NULL: none */
    char detail[128];
};

/*
 * Each takes text from outside. On IGW_OK the malloc'd normal form (and the
 * form for comparing) is the caller's; on IGW_INVALID *fault says why.
 */
enum igw_result rules_username(struct igw_slice given, char **text, char **key,
                               struct rules_fault *fault) IGW_MUST_CHECK;
enum igw_result rules_email(struct igw_slice given, char **text, char **key,
                            struct rules_fault *fault) IGW_MUST_CHECK;
enum igw_result rules_person_name(struct igw_slice given, char **text,
                                  struct rules_fault *fault) IGW_MUST_CHECK;

/* What a new password is held against; a text that is NULL is not known. */
struct rules_password {
    int64_t min;              /* code points */
    const char *username_key; /* of the account */
    const char *email_key;
    const char *first_name;
    const char *last_name;
    const char *issuer; /* of the service */
    const char *audience;
};

/* The one policy of all new passwords. *text holds a secret: rules_wipe it. */
enum igw_result rules_password(struct igw_slice given,
                               const struct rules_password *policy, char **text,
                               struct rules_fault *fault) IGW_MUST_CHECK;
void rules_wipe(char **text);

/* Everything about one new account, checked at once. */
struct rules_applicant {
    char *username;
    char *username_key;
    char *email;
    char *email_key;
    char *first_name;
    char *last_name;
    char *password; /* wiped by rules_applicant_clear */
    struct rules_fault faults[RULES_FIELDS];
};

/*
 * given[i].data NULL: the field did not come. The policy is without the words
 * of the account, which are the applicant's. IGW_INVALID: at least one of the
 * faults has a code. *out is the caller's to clear in every case.
 */
enum igw_result
rules_applicant_check(const struct igw_slice given[RULES_FIELDS],
                      const struct rules_password *policy,
                      struct rules_applicant *out) IGW_MUST_CHECK;
void rules_applicant_clear(struct rules_applicant *applicant);

/* The form that usernames are compared by, of any text; NULL: no memory. */
char *rules_username_key(struct igw_slice given) IGW_MUST_CHECK;

/* What a token of a session may say about time; all in seconds. */
struct rules_times {
    int64_t issued_at;
    int64_t expires_at;
    int64_t cache_sec; /* how long a gateway may use the answer */
};

/*
 * A token lives token_ttl_ms, at least a second, else never past its session.
 * The gateway may use an answer until 60 seconds before the token's end, and
 * for a quarter of the idle limit: a session that is used at least once in half
 * of the limit lives on.
 */
struct rules_times rules_token_times(int64_t now_sec, int64_t token_ttl_ms,
                                     int64_t session_left_ms,
                                     int64_t session_idle_ms);

/* How old a recorded use must be before the next one is recorded. */
int64_t rules_touch_after_ms(int64_t session_idle_ms);

#endif
