/*
 * session.h: session ids: how they are made, found in a request, hashed for
 * the database and written into a cookie. It knows no request and no store.
 */
#ifndef SESSION_H
#define SESSION_H

#include "buf.h"
#include "crypto.h"

enum {
    SESSION_ID_LEN = 43,   /* 32 random bytes in base64url */
    SESSION_ID_MAX = 512,  /* what is looked at when a client sends it */
    SESSION_NAME_MAX = 64, /* bytes of the header's and cookie's name */
    SESSION_PARAM_SIZE = SESSION_NAME_MAX + sizeof("HTTP_")
};

/* 1 to SESSION_NAME_MAX of [A-Za-z0-9_-]: a header's and a cookie's name. */
bool session_name_is_valid(const char *name);

/* The FastCGI parameter of the header: HTTP_ and the name as CGI folds it. */
void session_param(const char *name, char out[SESSION_PARAM_SIZE]);

/*
 * The id in the header's value, or in the cookie of that name in a Cookie
 * line. Borrowed; empty when there is none: absent (NULL), empty, over
 * SESSION_ID_MAX, with a control, space or non-ASCII byte, or two cookies of
 * the name with different values.
 */
struct igw_slice session_in_header(const char *value);
struct igw_slice session_in_cookies(const char *cookies, const char *name);

/* The one that counts: a header that is present counts alone. */
struct igw_slice session_choose(const char *header, const char *cookies,
                                const char *name);

enum { SESSION_ALL_MAX = 128 };

/*
 * Every id that came, whether it counts or not: the header's and those of the
 * cookies of the name. Borrowed; returns how many, SESSION_ALL_MAX + 1 when
 * there are more.
 */
size_t session_all(const char *header, const char *cookies, const char *name,
                   struct igw_slice ids[SESSION_ALL_MAX]);

struct session_hash {
    unsigned char bytes[IGW_SHA256_SIZE];
};

enum { SESSION_SID_LEN = 16 };

/* A new id, NUL-terminated. */
enum igw_result session_new(char id[SESSION_ID_LEN + 1]) IGW_MUST_CHECK;
enum igw_result session_hash(struct igw_slice id,
                             struct session_hash *hash) IGW_MUST_CHECK;
/* The first hex digits of the hash: the sid claim, and what logs may say. */
void session_sid(const struct session_hash *hash,
                 char sid[SESSION_SID_LEN + 1]);

/* What a cookie says besides its value. */
struct session_cookie {
    const char *name;
    const char *domain; /* "": this host only */
    const char *same_site;
    bool is_secure;
};

/* The browser refuses a name that begins with __Host- on a domain's cookie. */
bool session_name_is_of_host(const char *name);

/*
 * Values of Set-Cookie, appended to out. A name that begins with __Host- or
 * __Secure-, and SameSite=None, make it secure.
 */
void session_cookie_set(struct igw_buf *out,
                        const struct session_cookie *cookie, const char *id);
void session_cookie_clear(struct igw_buf *out,
                          const struct session_cookie *cookie);

#endif
