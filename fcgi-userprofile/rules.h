/*
 * rules.h: which documents are profiles. Pure: neither HTTP nor the database.
 */
#ifndef USERPROFILE_RULES_H
#define USERPROFILE_RULES_H

#include "problem.h"
#include "profile.h"

enum { RULES_CUSTOM_MAX = 16384 }; /* bytes of `custom`, serialized */

/*
 * A JSON object to a profile, its texts in NFC. IGW_INVALID: every member
 * that breaks a rule is in `errors`, nested ones as JSON pointers (RFC 6901);
 * of a document with very many, the first 100. The caller clears both.
 */
enum igw_result rules_read(struct json_t *document, struct profile *profile,
                           struct igw_errors *errors) IGW_MUST_CHECK;

/* The other way: adds the members that are there to `document`. */
enum igw_result rules_write(const struct profile *profile,
                            struct json_t *document) IGW_MUST_CHECK;

#endif
