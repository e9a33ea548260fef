/*
 * caller.h: who calls, and what is said to who does not say it.
 */
#ifndef USERPROFILE_CALLER_H
#define USERPROFILE_CALLER_H

#include "http.h"
#include "tokens.h"

/* False: the call has been answered, 401 or 503. call->app is a struct app. */
bool caller_identify(struct igw_call *call,
                     struct identity *identity) IGW_MUST_CHECK;

#endif
