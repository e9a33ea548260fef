#include "shapes.h"

#include <string.h>
#include <strings.h>

#define LETTERS                  \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
    "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* The length of `prefix`, in any case, at the text's begin; else 0. */
static size_t
skip_prefix(struct igw_slice text, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncasecmp(text.data, prefix, len) == 0 ? len : 0;
}

bool
shapes_is_url(struct igw_slice text)
{
    size_t skip = skip_prefix(text, "http://") + skip_prefix(text, "https://");
    const char *host = text.data + skip;
    size_t host_len = strcspn(host, "/?#");

    return skip > 0 && host_len > 0 && host[0] != ':'
           && memchr(host, '@', host_len) == NULL
           && strpbrk(host, " \"<>\\^`{|}") == NULL;
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

/* A letter, then any of the alphabet. */
static bool
is_word(struct igw_slice text, const char *alphabet)
{
    return strspn(text.data, LETTERS) > 0
           && strspn(text.data, alphabet) == text.len;
}

bool
shapes_is_zoneinfo(struct igw_slice text)
{
    return is_word(text, LETTERS DIGITS "/_+-");
}

bool
shapes_is_locale(struct igw_slice text)
{
    return is_word(text, LETTERS DIGITS "-_");
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
