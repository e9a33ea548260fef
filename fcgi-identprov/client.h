/*
 * client.h: what a request says about its sessions, and how an answer tells
 * the client about one.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include "app.h"
#include "http.h"
#include "shown.h"

/* The session's header and cookie: as the gateway says, else the setting. */
const char *client_session_name(const struct igw_call *call);

/* The session id that counts; empty when there is none. Borrowed. */
struct igw_slice client_session(const struct igw_call *call);

/* False: more session ids came than can be ended; the call is answered. */
bool client_sessions_fit(struct igw_call *call) IGW_MUST_CHECK;

/*
 * Hashes of all ids that came, in the header and in cookies, whether they
 * count or not: what a login or logout ends. They have to fit.
 */
enum igw_result client_all_sessions(const struct igw_call *call,
                                    struct session_hash hashes[SESSION_ALL_MAX],
                                    size_t *count) IGW_MUST_CHECK;

/* User-Agent as far as it is text, at most 256 bytes. Borrowed. */
struct igw_slice client_agent(const struct igw_call *call);

/* Who calls, for routes that need a session. */
struct client_caller {
    struct session_hash hash;
    struct live_session session;
};

/* False: the call has been answered, 401 or 503. Else clear *caller. */
bool client_caller(struct igw_call *call,
                   struct client_caller *caller) IGW_MUST_CHECK;
/*
 * The same for who may also be nobody: IGW_NOT_FOUND. Nothing is answered;
 * clear *caller in every case.
 */
enum igw_result client_find(struct igw_call *call,
                            struct client_caller *caller) IGW_MUST_CHECK;
void client_caller_clear(struct client_caller *caller);

/*
 * A browser sends a form, or a session in its cookie, to write for another
 * site.
 */
bool client_is_foreign(const struct igw_call *call);

/* 401 to who has no session. */
void client_refuse(struct igw_call *call);

/* Set-Cookie; id NULL clears it. */
void client_set_cookie(struct igw_call *call, const char *id);

/* An entry of the audit log about this request; detail and ids are to add. */
struct audit_entry client_audit(const struct igw_call *call,
                                enum audit_event event);

/* 204, not to be stored. */
void client_answer_empty(struct igw_call *call);

/* WWW-Authenticate of every 401. */
void client_challenge(struct igw_call *call);

#endif
