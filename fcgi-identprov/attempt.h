/*
 * attempt.h: somebody shows a password: may it be tried now?
 */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include "client.h"

struct attempt {
    struct throttle_keys keys; /* for store_forgive, if it succeeds */
    int64_t delay_ms;          /* of the next one, if it fails */
};

/*
 * Counts an attempt at the account of this (folded) name. False: the call has
 * been answered, with 429 or because the store cannot be asked.
 */
bool attempt_begin(struct igw_call *call, const char *username_key,
                   struct attempt *attempt) IGW_MUST_CHECK;

enum { ATTEMPT_DETAIL_SIZE = 64 };

/* What the audit log has of a failure: why, and what follows from it. */
void attempt_detail(const struct attempt *attempt, const char *reason,
                    char detail[ATTEMPT_DETAIL_SIZE]);

/* The same for registrations, of which a network may make some. */
bool attempt_register(struct igw_call *call) IGW_MUST_CHECK;

#endif
