/*
 * params.h: the rules for FastCGI parameters, applied before libfcgi sees them:
 * it cuts values at a NUL, answers with the first of several, and aborts the
 * process when two lengths are too large together.
 */
#ifndef IGW_PARAMS_H
#define IGW_PARAMS_H

#include "igw.h"

enum { IGW_PARAMS_ID_SIZE = 65 };

struct igw_params {
    bool are_too_many;
    bool is_malformed; /* a control byte, or a name that is no token */
    bool is_repeated;  /* one that may be there once only */
    bool has_lists;    /* a header field is there several times, and may */
    char id[IGW_PARAMS_ID_SIZE]; /* REQUEST_ID if it is fit for use, else "" */
};

/* `params` are name-value pairs (FastCGI 1.0, 3.4), else IGW_INVALID. */
enum igw_result igw_params_check(struct igw_slice params,
                                 struct igw_params *found) IGW_MUST_CHECK;

/*
 * Of malloc'd "NAME=VALUE" texts, ended with NULL: the first of several equal
 * names gets the values of all. False: out of memory.
 */
bool igw_params_join(char **params) IGW_MUST_CHECK;

#endif
