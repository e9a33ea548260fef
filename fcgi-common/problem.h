/*
 * problem.h: application/problem+json (RFC 9457), and the one table from
 * enum igw_result to HTTP.
 */
#ifndef IGW_PROBLEM_H
#define IGW_PROBLEM_H

#include "http.h"

/* Field errors, all of them at once; init with {0}. Texts are copied. */
struct igw_errors {
    struct json_t *list;
    bool failed;
};

/*
 * Adds {field, pointer, code, detail}: a member's name and its JSON pointer
 * (RFC 6901). Of a member below `parent`, itself a pointer such as
 * "/address", the field is the pointer, too.
 */
void igw_errors_add(struct igw_errors *errors, const char *name,
                    const char *code, const char *detail);
void igw_errors_add_below(struct igw_errors *errors, const char *parent,
                          const char *name, const char *code,
                          const char *detail);
bool igw_errors_any(const struct igw_errors *errors);
void igw_errors_clear(struct igw_errors *errors);

/*
 * Answers with {type, title, status, detail, code, request_id, errors?},
 * Cache-Control: no-store, and Retry-After for 429 and 503 unless it is set.
 */
void igw_problem(struct igw_call *call, int status, const char *code,
                 const char *detail);
void igw_problem_fields(struct igw_call *call,
                        const struct igw_errors *errors); /* 422 */
/* By result: DENIED 401, NOT_FOUND 404, CONFLICT 409, UNAVAILABLE 503, ... */
void igw_problem_result(struct igw_call *call, enum igw_result result);

#endif
