/*
 * form.h: the members of a request's JSON object as named texts.
 */
#ifndef FORM_H
#define FORM_H

#include "problem.h"

struct form_field {
    const char *name;
    struct igw_slice value; /* data NULL when absent or faulty; borrowed */
    bool is_faulty;         /* an error about it is on the list already */
    bool may_be_null;       /* null is as an empty text (RFC 7396) */
};

/*
 * Fills the fields' values. Unknown members, values that are no text and
 * texts with control characters are put on `errors`.
 */
void form_read(struct json_t *object, struct form_field *fields, size_t count,
               struct igw_errors *errors);

/* Puts `required` on `errors` for every field that did not come. */
void form_require(const struct form_field *fields, size_t count,
                  struct igw_errors *errors);

#endif
