/*
 * handlers.h: the routes of userprofile. See docs/http-api.md.
 */
#ifndef USERPROFILE_HANDLERS_H
#define USERPROFILE_HANDLERS_H

#include "auth.h"
#include "http.h"

/* The program's own, shared by all threads, not changed while serving. */
struct app {
    struct auth auth;
};

/* call->app is a struct app. */
void handlers_serve(struct igw_call *call);

#endif
