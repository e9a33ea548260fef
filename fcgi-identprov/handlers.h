/*
 * handlers.h: the HTTP interface. Each handler answers once, at its end.
 */
#ifndef HANDLERS_H
#define HANDLERS_H

#include "http.h"

/* For struct igw_server: finds the handler of a request and calls it. */
void handlers_handle(struct igw_call *call);

/* For struct igw_server, too: whether a password is hashed for it. */
bool handlers_is_slow(const struct igw_request *request);

void register_post(struct igw_call *call);
void login_post(struct igw_call *call);
void authenticate_get(struct igw_call *call);
void logout_post(struct igw_call *call);
void account_get(struct igw_call *call);
void account_patch(struct igw_call *call);
void account_delete(struct igw_call *call);
void password_post(struct igw_call *call);
void sessions_get(struct igw_call *call);
void sessions_delete(struct igw_call *call);
void session_delete(struct igw_call *call);
void revocations_get(struct igw_call *call);
void signin_get(struct igw_call *call);
void jwks_get(struct igw_call *call);
void metrics_get(struct igw_call *call);
void healthz_get(struct igw_call *call);
void readyz_get(struct igw_call *call);

#endif
