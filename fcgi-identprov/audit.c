#include "audit.h"

const char *const audit_event_names[AUDIT_EVENTS] = {
    [AUDIT_REGISTERED] = "registered",
    [AUDIT_LOGIN] = "login",
    [AUDIT_LOGIN_FAILED] = "login_failed",
    [AUDIT_LOGOUT] = "logout",
    [AUDIT_SESSION_REVOKED] = "session_revoked",
    [AUDIT_SESSIONS_REVOKED] = "sessions_revoked",
    [AUDIT_PASSWORD_CHANGED] = "password_changed",
    [AUDIT_PASSWORD_FAILED] = "password_failed",
    [AUDIT_ACCOUNT_CHANGED] = "account_changed",
    [AUDIT_ACCOUNT_DISABLED] = "account_disabled",
    [AUDIT_ACCOUNT_ENABLED] = "account_enabled",
    [AUDIT_ACCOUNT_DELETED] = "account_deleted",
    [AUDIT_KEY_CREATED] = "key_created",
    [AUDIT_KEY_ROTATED] = "key_rotated",
    [AUDIT_KEY_RETIRED] = "key_retired",
    [AUDIT_KEY_WITHDRAWN] = "key_withdrawn",
};
