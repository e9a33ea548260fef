#include "session.h"

#include <string.h>
#include <strings.h>

#include "text.h"

enum { RANDOM_BYTES = 32 };

static bool
is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
           || (c >= 'a' && c <= 'z');
}

bool
session_name_is_valid(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > SESSION_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_alnum(name[i]) && name[i] != '-' && name[i] != '_') {
            return false;
        }
    }
    return true;
}

static char
fold(char c)
{
    if (c >= 'a' && c <= 'z') {
        return (char)(c - 'a' + 'A');
    }
    return is_alnum(c) ? c : '_';
}

void
session_param(const char *name, char out[SESSION_PARAM_SIZE])
{
    char *end = stpcpy(out, "HTTP_");

    for (size_t i = 0; i < SESSION_NAME_MAX && name[i] != '\0'; i++) {
        *end++ = fold(name[i]);
    }
    *end = '\0';
}

static bool
is_id(struct igw_slice value)
{
    if (value.len == 0 || value.len > SESSION_ID_MAX) {
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] <= ' ' || value.data[i] > '~') {
            return false;
        }
    }
    return true;
}

static struct igw_slice
id_or_none(struct igw_slice value)
{
    return is_id(value) ? value : (struct igw_slice){ NULL, 0 };
}

struct igw_slice
session_in_header(const char *value)
{
    return id_or_none(igw_slice_of(value));
}

/* Takes one `name=value` off the line. */
static struct igw_slice
next_pair(const char **line)
{
    struct igw_slice pair = { *line, strcspn(*line, ";") };

    *line += pair.len;
    if (**line == ';') {
        (*line)++;
    }
    return igw_text_trim(pair);
}

/* False when the pair is not a cookie of that name. */
static bool
value_of(struct igw_slice pair, const char *name, struct igw_slice *value)
{
    const char *equals;
    struct igw_slice found;

    if (pair.len == 0) {
        return false;
    }
    equals = memchr(pair.data, '=', pair.len);
    if (equals == NULL) {
        return false;
    }
    found = (struct igw_slice){ pair.data, (size_t)(equals - pair.data) };
    if (!igw_slice_is(igw_text_trim(found), name)) {
        return false;
    }
    value->data = equals + 1;
    value->len = pair.len - found.len - 1;
    *value = igw_text_trim(*value);
    return true;
}

struct igw_slice
session_in_cookies(const char *cookies, const char *name)
{
    struct igw_slice first = { NULL, 0 };
    struct igw_slice value;
    bool has_one = false;

    while (cookies != NULL && *cookies != '\0') {
        if (!value_of(next_pair(&cookies), name, &value)) {
            continue;
        }
        if (has_one && !igw_slice_equal(first, value)) {
            return (struct igw_slice){ NULL, 0 };
        }
        first = value;
        has_one = true;
    }
    return id_or_none(first);
}

struct igw_slice
session_choose(const char *header, const char *cookies, const char *name)
{
    if (header != NULL) {
        return session_in_header(header);
    }
    return session_in_cookies(cookies, name);
}

size_t
session_all(const char *header, const char *cookies, const char *name,
            struct igw_slice ids[SESSION_ALL_MAX])
{
    struct igw_slice value = igw_slice_of(header);
    size_t count = 0;

    if (is_id(value)) {
        ids[count++] = value;
    }
    while (cookies != NULL && *cookies != '\0') {
        if (!value_of(next_pair(&cookies), name, &value) || !is_id(value)) {
            continue;
        }
        if (count == SESSION_ALL_MAX) {
            return count + 1;
        }
        ids[count++] = value;
    }
    return count;
}

enum igw_result
session_new(char id[SESSION_ID_LEN + 1])
{
    unsigned char random[RANDOM_BYTES];
    struct igw_buf text;
    enum igw_result rc;

    rc = igw_random(random, sizeof(random));
    if (rc != IGW_OK) {
        return rc;
    }
    igw_buf_init(&text);
    igw_base64url_encode(random, sizeof(random), &text);
    igw_wipe(random, sizeof(random));
    rc = IGW_ERROR;
    if (!text.failed && text.len == SESSION_ID_LEN) {
        memcpy(id, text.data, SESSION_ID_LEN + 1);
        rc = IGW_OK;
    }
    igw_buf_clear(&text);
    return rc;
}

enum igw_result
session_hash(struct igw_slice id, struct session_hash *hash)
{
    return igw_sha256(id.data, id.len, hash->bytes);
}

void
session_sid(const struct session_hash *hash, char sid[SESSION_SID_LEN + 1])
{
    igw_hex(hash->bytes, SESSION_SID_LEN / 2, sid);
}

static bool
begins(const char *text, const char *start)
{
    return strncasecmp(text, start, strlen(start)) == 0;
}

bool
session_name_is_of_host(const char *name)
{
    return begins(name, "__Host-");
}

static bool
is_secure(const struct session_cookie *cookie)
{
    return cookie->is_secure || session_name_is_of_host(cookie->name)
           || begins(cookie->name, "__Secure-")
           || strcmp(cookie->same_site, "None") == 0;
}

static void
add_attributes(struct igw_buf *out, const struct session_cookie *cookie)
{
    igw_buf_puts(out, "; Path=/; HttpOnly");
    if (cookie->domain[0] != '\0' && !session_name_is_of_host(cookie->name)) {
        igw_buf_printf(out, "; Domain=%s", cookie->domain);
    }
    igw_buf_printf(out, "; SameSite=%s", cookie->same_site);
    if (is_secure(cookie)) {
        igw_buf_puts(out, "; Secure");
    }
}

void
session_cookie_set(struct igw_buf *out, const struct session_cookie *cookie,
                   const char *id)
{
    igw_buf_printf(out, "%s=%s", cookie->name, id);
    add_attributes(out, cookie);
}

void
session_cookie_clear(struct igw_buf *out, const struct session_cookie *cookie)
{
    igw_buf_printf(out, "%s=", cookie->name);
    add_attributes(out, cookie);
    igw_buf_puts(out, "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
}
