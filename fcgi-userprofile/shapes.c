#include "shapes.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LETTERS                  \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
    "abcdefghijklmnopqrstuvwxyz"
#define DIGITS     "0123456789"
#define HEX_DIGITS DIGITS "ABCDEFabcdef"

enum { PORT_DIGITS_MAX = 5, PORT_MAX = 65535 };

/* The length of `prefix`, in any case, at the text's begin; else 0. */
static size_t
skip_prefix(struct igw_slice text, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncasecmp(text.data, prefix, len) == 0 ? len : 0;
}

static bool
is_all(struct igw_slice text, const char *alphabet)
{
    return strspn(text.data, alphabet) >= text.len;
}

/* RFC 3986 2.1: "%" and two hex digits. */
static bool
has_whole_escapes(struct igw_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '%' && strspn(text.data + i + 1, HEX_DIGITS) < 2) {
            return false;
        }
    }
    return true;
}

/*
 * An IPv6 address in brackets, else a name: what is not ASCII may be in it,
 * as in an IRI, of ASCII only what is in names and addresses.
 */
static bool
is_host(struct igw_slice host)
{
    struct in6_addr address;
    char inner[INET6_ADDRSTRLEN];

    if (host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']') {
        if (host.len - 2 >= sizeof(inner)) {
            return false;
        }
        memcpy(inner, host.data + 1, host.len - 2);
        inner[host.len - 2] = '\0';
        return inet_pton(AF_INET6, inner, &address) == 1;
    }

    for (size_t i = 0; i < host.len; i++) {
        if ((unsigned char)host.data[i] < 0x80
            && strchr(LETTERS DIGITS ".-_~%", host.data[i]) == NULL) {
            return false;
        }
    }
    return host.len > 0 && host.data[0] != '.' && has_whole_escapes(host);
}

/* Host and, perhaps, port; neither user nor password (RFC 3986 3.2). */
static bool
is_authority(struct igw_slice text)
{
    const char *colon = memrchr(text.data, ':', text.len);
    const char *bracket = memrchr(text.data, ']', text.len);
    struct igw_slice port = { "", 0 };

    if (colon != NULL && (bracket == NULL || bracket < colon)) {
        port.data = colon + 1;
        port.len = text.len - (size_t)(port.data - text.data);
        text.len -= port.len + 1;
    }
    return is_host(text) && port.len <= PORT_DIGITS_MAX && is_all(port, DIGITS)
           && strtol(port.data, NULL, 10) <= PORT_MAX;
}

bool
shapes_is_url(struct igw_slice text)
{
    size_t skip = skip_prefix(text, "http://") + skip_prefix(text, "https://");
    const char *authority = text.data + skip;
    const char *rest = authority + strcspn(authority, "/?#");
    const char *fragment = strchr(rest, '#');

    return skip > 0
           && is_authority(
               (struct igw_slice){ authority, (size_t)(rest - authority) })
           && strpbrk(rest, " \"<>\\^`{|}") == NULL
           && (fragment == NULL || strchr(fragment + 1, '#') == NULL)
           && has_whole_escapes(igw_slice_of(rest));
}

/* `count` decimal digits at *text, which moves behind them; else -1. */
static int
take_digits(const char **text, size_t count)
{
    int number = 0;

    for (size_t i = 0; i < count; i++, (*text)++) {
        if (**text < '0' || **text > '9') {
            return -1;
        }
        number = number * 10 + (**text - '0');
    }
    return number;
}

static int
days_in_month(int year, int month)
{
    static const int days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && is_leap);
}

bool
shapes_is_birthdate(struct igw_slice text)
{
    const char *at = text.data;
    int year = take_digits(&at, 4);
    int month;
    int day;

    if (year >= 0 && *at == '\0') {
        return year > 0;
    }
    if (year < 0 || *at++ != '-') {
        return false;
    }

    month = take_digits(&at, 2);
    if (month < 1 || month > 12 || *at++ != '-') {
        return false;
    }

    /* The year 0000 says "not given" and has a 29th of February. */
    day = take_digits(&at, 2);
    return day >= 1 && day <= days_in_month(year, month) && *at == '\0';
}

bool
shapes_is_phone_number(struct igw_slice text)
{
    size_t digits;

    if (text.data[0] != '+' || text.data[1] == '0') {
        return false;
    }

    digits = strspn(text.data + 1, DIGITS);
    return digits >= 7 && digits <= 15 && text.len == digits + 1;
}
