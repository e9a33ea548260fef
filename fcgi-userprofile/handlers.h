/*
 * handlers.h: the routes of userprofile. See docs/http-api.md.
 */
#ifndef USERPROFILE_HANDLERS_H
#define USERPROFILE_HANDLERS_H

#include "http.h"

/* call->app is a struct app. */
void handlers_serve(struct igw_call *call);

#endif
