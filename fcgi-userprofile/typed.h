/*
 * typed.h: what was typed into the form of a profile.
 */
#ifndef USERPROFILE_TYPED_H
#define USERPROFILE_TYPED_H

struct json_t;

/*
 * The form's members, an address's among the others, as the patch that
 * rules_patch takes: an empty text takes the member away, and what the form
 * does not name stays. `version` and `action` are not of the profile. NULL: no
 * memory.
 */
struct json_t *typed_patch(struct json_t *form);

#endif
