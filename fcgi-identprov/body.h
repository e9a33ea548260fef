/*
 * body.h: what a client sends: a JSON object, or a browser's form, which is
 * read as an object of texts and answered with a redirect.
 */
#ifndef BODY_H
#define BODY_H

#include "http.h"

enum { BODY_RETURN_TO_MAX = 2048 };

struct body {
    struct json_t *json;
    bool is_form;
    char *return_to; /* of a form: where to go, ready for Location */
};

/*
 * False: the call has been answered (415, 400). Clear *body in either case.
 * A form's field return_to is taken out, for whatever handler.
 */
bool body_read(struct igw_call *call, struct body *body) IGW_MUST_CHECK;
void body_clear(struct body *body);

/*
 * Where a form may send its browser: a path here, of at most
 * BODY_RETURN_TO_MAX bytes, that begins with one "/" and then neither "/" nor
 * "\" and holds no control character. The malloc'd spelling for Location, "/"
 * for anything else. NULL: no memory.
 */
char *body_return_to(struct igw_slice text) IGW_MUST_CHECK;

/* Sends a form's browser on, in the place of an answer that is a success. */
void body_redirects(struct igw_call *call, const struct body *body);

#endif
