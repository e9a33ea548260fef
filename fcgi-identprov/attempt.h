/*
 * attempt.h: somebody shows a password: may it be tried now?
 */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include "client.h"

/*
 * Counts an attempt at the account of this (folded) name. False: the call has
 * been answered, with 429 or because the store cannot be asked. What is in
 * *keys is forgiven with store_forgive once the password was right.
 */
bool attempt_begin(struct igw_call *call, const char *username_key,
                   struct throttle_keys *keys) IGW_MUST_CHECK;

/* The same for registrations, of which a network may make some. */
bool attempt_register(struct igw_call *call) IGW_MUST_CHECK;

#endif
