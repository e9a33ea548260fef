/*
 * rules.h: which documents are profiles. Pure: neither HTTP nor the database.
 */
#ifndef USERPROFILE_RULES_H
#define USERPROFILE_RULES_H

#include "problem.h"
#include "profile.h"

enum { RULES_CUSTOM_MAX = 16384 }; /* bytes of `custom`, serialized */

/*
 * A JSON object to a profile, in place of what was in it, its texts in NFC.
 * IGW_INVALID: every member
 * that breaks a rule is in `errors`, nested ones as JSON pointers (RFC 6901);
 * of a document with very many, the first 100. The caller clears both.
 */
enum igw_result rules_read(struct json_t *document, struct profile *profile,
                           struct igw_errors *errors) IGW_MUST_CHECK;

/*
 * A merge patch (RFC 7396) to a profile that is there: null takes a member
 * away, in `address` and at any depth of `custom`, too. Only what the patch
 * names is looked at: what was stored under older rules may stay. Unless
 * IGW_OK, the profile is of no more use; a profile without any member of an
 * address has none.
 */
enum igw_result rules_patch(struct json_t *patch, struct profile *profile,
                            struct igw_errors *errors) IGW_MUST_CHECK;

/* The member, or the one of `address`, of this name; NULL: it is not there. */
const char *rules_value(const struct profile *profile, const char *name);
/* Whether it is a member of `address`. */
bool rules_is_of_address(const char *name);

/*
 * The other way: appends the members that are there as JSON text, each with a
 * comma in front of it.
 */
void rules_write(const struct profile *profile, struct igw_buf *out);

#endif
