/*
 * own_password.h: for what a user may do only with the password at hand.
 */
#ifndef OWN_PASSWORD_H
#define OWN_PASSWORD_H

#include "client.h"
#include "form.h"

/*
 * Whether the field holds the caller's password. False: the call has been
 * answered. Clear credential->account in either case.
 */
bool own_password_is_right(struct igw_call *call,
                           const struct client_caller *caller,
                           const struct form_field *field,
                           struct credential *credential) IGW_MUST_CHECK;

/*
 * Answers what has become of it, 204 when IGW_OK; `event` is for the log.
 * IGW_DENIED: the credential is another by now, and the session over.
 */
void own_password_answer(struct igw_call *call, enum igw_result result,
                         const char *event);

#endif
