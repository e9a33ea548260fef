/*
 * webform.h: application/x-www-form-urlencoded, of browsers' forms and of
 * queries.
 */
#ifndef IGW_WEBFORM_H
#define IGW_WEBFORM_H

#include "http.h"

/* The media type says that a browser's form was sent. */
bool igw_webform_is(const struct igw_request *request);

/*
 * The pairs as members. IGW_INVALID: why has a code and a sentence.
 */
enum igw_result igw_webform_parse(struct igw_slice text, struct json_t *object,
                                  struct igw_json_fault *why) IGW_MUST_CHECK;

/* The same as an object of its own; NULL when it is none. */
struct json_t *igw_webform_texts(struct igw_slice text);

#endif
