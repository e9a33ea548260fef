/*
 * audit.h: what is written down of what happens, for whoever asks later. An
 * entry has ids, never a name, an address of mail or a secret.
 */
#ifndef AUDIT_H
#define AUDIT_H

#include "igw.h"

enum audit_event {
    AUDIT_REGISTERED,
    AUDIT_LOGIN,
    AUDIT_LOGIN_FAILED, /* detail: why, which the client is not told */
    AUDIT_LOGOUT,
    AUDIT_SESSION_REVOKED,
    AUDIT_SESSIONS_REVOKED, /* several, or all, of an account */
    AUDIT_PASSWORD_CHANGED,
    AUDIT_PASSWORD_FAILED, /* the current one was wrong */
    AUDIT_ACCOUNT_CHANGED,
    AUDIT_ACCOUNT_DISABLED,
    AUDIT_ACCOUNT_ENABLED,
    AUDIT_ACCOUNT_DELETED,
    AUDIT_KEY_CREATED,
    AUDIT_KEY_ROTATED,
    AUDIT_KEY_RETIRED, /* and is deleted */
    AUDIT_KEY_WITHDRAWN,
    AUDIT_EVENTS
};

/* As they are stored and printed, by enum audit_event. */
extern const char *const audit_event_names[AUDIT_EVENTS];

/* Texts that are NULL are not known. */
struct audit_entry {
    enum audit_event event;
    const char *account_id;
    const char *sid; /* of session.h */
    const char *request_id;
    const char *address; /* of the client */
    const char *detail;  /* one of our own words, or a few */
};

#endif
