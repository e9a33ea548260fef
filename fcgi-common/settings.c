/*
 * settings.c: the settings table.
 */
#include "settings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 128, NUMBER_MAX_BYTES = 24, RANGE_MAX_BYTES = 128 };

struct unit {
    const char *suffix;
    int64_t factor;
};

/* The larger first, so that help shows 5m and not 300s. */
static const struct unit durations[] = { { "d", 86400000 }, { "h", 3600000 },
                                         { "m", 60000 },    { "s", 1000 },
                                         { "ms", 1 },       { NULL, 0 } };
static const struct unit sizes[] = { { "g", 1 << 30 },
                                     { "m", 1 << 20 },
                                     { "k", 1 << 10 },
                                     { "", 1 },
                                     { NULL, 0 } };
static const struct unit plain[] = { { "", 1 }, { NULL, 0 } };

static const struct unit *const units[] = {
    [IGW_SETTING_TEXT] = plain, [IGW_SETTING_INTEGER] = plain,
    [IGW_SETTING_BOOL] = plain, [IGW_SETTING_DURATION] = durations,
    [IGW_SETTING_SIZE] = sizes, [IGW_SETTING_CHOICE] = plain
};

static bool load_one(const struct igw_setting *setting, const char *prefix,
                     void *target, FILE *errors);
static bool is_required(const struct igw_setting *setting);
static bool store(const struct igw_setting *setting, const char *value,
                  void *target);
static bool parse_number(const char *value, const struct unit *scale,
                         int64_t *out);
static bool find_choice(const char *choices, const char *value, int64_t *out);
static bool check_environment(const struct igw_setting *table, size_t count,
                              const char *prefix, FILE *errors);
static bool is_known(const struct igw_setting *table, size_t count,
                     const char *name, size_t len);
static void show_range(const struct igw_setting *setting, char *out,
                       size_t size);
static void show_choices(const char *choices, char *out, size_t size);
static void show_number(int64_t value, const struct unit *scale, char *out,
                        size_t size);

enum igw_result
igw_settings_load(const struct igw_setting *table, size_t count,
                  const char *prefix, void *target, FILE *errors)
{
    bool is_valid = check_environment(table, count, prefix, errors);

    for (size_t i = 0; i < count; i++) {
        if (!load_one(&table[i], prefix, target, errors)) {
            is_valid = false;
        }
    }
    return is_valid ? IGW_OK : IGW_INVALID;
}

void
igw_settings_help(const struct igw_setting *table, size_t count,
                  const char *prefix, FILE *out)
{
    for (size_t i = 0; i < count; i++) {
        char range[RANGE_MAX_BYTES];

        show_range(&table[i], range, sizeof(range));
        (void)fprintf(out, "  %s%s\n      %s\n", prefix, table[i].name,
                      table[i].text);
        if (is_required(&table[i])) {
            (void)fprintf(out, "      %s; required\n", range);
        } else if (table[i].fallback[0] == '\0') {
            (void)fprintf(out, "      %s; default: none\n", range);
        } else {
            (void)fprintf(out, "      %s; default: %s\n", range,
                          table[i].fallback);
        }
    }
}

void
igw_settings_markdown(const struct igw_setting *table, size_t count,
                      const char *prefix, FILE *out)
{
    (void)fputs("| setting | default | range | meaning |\n"
                "|---|---|---|---|\n",
                out);
    for (size_t i = 0; i < count; i++) {
        const char *fallback = table[i].fallback;
        char range[RANGE_MAX_BYTES];

        show_range(&table[i], range, sizeof(range));
        (void)fprintf(out, "| `%s%s` | ", prefix, table[i].name);
        if (is_required(&table[i])) {
            (void)fputs("required", out);
        } else if (*fallback == '\0') {
            (void)fputs("none", out);
        } else {
            (void)fprintf(out, "`%s`", fallback);
        }
        (void)fprintf(out, " | %s | %s |\n", range, table[i].text);
    }
}

static bool
load_one(const struct igw_setting *setting, const char *prefix, void *target,
         FILE *errors)
{
    char name[NAME_MAX_BYTES];
    char range[RANGE_MAX_BYTES];
    const char *value;

    (void)snprintf(name, sizeof(name), "%s%s", prefix, setting->name);
    value = getenv(name);
    show_range(setting, range, sizeof(range));
    if (value == NULL) {
        value = is_required(setting) ? NULL : setting->fallback;
    }
    if (value == NULL) {
        (void)fprintf(errors, "%s is not set; it must be %s: %s\n", name, range,
                      setting->text);
        return false;
    }
    if (!store(setting, value, target)) {
        (void)fprintf(errors, "%s=%s is wrong; it must be %s\n", name, value,
                      range);
        return false;
    }
    return true;
}

/* No fallback, or an empty one that would be too short. */
static bool
is_required(const struct igw_setting *setting)
{
    return setting->fallback == NULL
           || (setting->type == IGW_SETTING_TEXT && setting->fallback[0] == '\0'
               && setting->min > 0);
}

static bool
store(const struct igw_setting *setting, const char *value, void *target)
{
    void *field = (char *)target + setting->offset;
    int64_t number;

    if (setting->type == IGW_SETTING_TEXT) {
        number = (int64_t)strlen(value);
        *(const char **)field = value;
        return number >= setting->min && number <= setting->max;
    }
    if (setting->type == IGW_SETTING_BOOL) {
        *(bool *)field = strcmp(value, "on") == 0;
        return *(bool *)field || strcmp(value, "off") == 0;
    }
    if (setting->type == IGW_SETTING_CHOICE) {
        return find_choice(setting->choices, value, field);
    }
    if (!parse_number(value, units[setting->type], &number)
        || number < setting->min || number > setting->max) {
        return false;
    }
    *(int64_t *)field = number;
    return true;
}

/* Digits, perhaps a minus before them, and exactly one of the units. */
static bool
parse_number(const char *value, const struct unit *scale, int64_t *out)
{
    const char *digits = value + (*value == '-' ? 1 : 0);
    const char *end = digits + strspn(digits, "0123456789");
    int64_t number = 0;

    if (end == digits) {
        return false;
    }
    for (const char *p = digits; p < end; p++) {
        if (__builtin_mul_overflow(number, 10, &number)
            || __builtin_add_overflow(number, *p - '0', &number)) {
            return false;
        }
    }
    while (scale->suffix != NULL && strcasecmp(scale->suffix, end) != 0) {
        scale++;
    }
    if (scale->suffix == NULL
        || __builtin_mul_overflow(number, scale->factor, out)) {
        return false;
    }
    *out = *value == '-' ? -*out : *out;
    return true;
}

static bool
find_choice(const char *choices, const char *value, int64_t *out)
{
    size_t len = strlen(value);
    int64_t index = 0;

    for (const char *p = choices; *p != '\0'; index++) {
        size_t word = strcspn(p, "|");

        if (word == len && memcmp(p, value, len) == 0) {
            *out = index;
            return true;
        }
        p += word + (p[word] == '|' ? 1 : 0);
    }
    return false;
}

/* A setting that is misspelt must not be a setting that is ignored. */
static bool
check_environment(const struct igw_setting *table, size_t count,
                  const char *prefix, FILE *errors)
{
    size_t prefix_len = strlen(prefix);
    bool is_valid = true;

    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        size_t len = strcspn(*entry, "=");

        if (len < prefix_len || memcmp(*entry, prefix, prefix_len) != 0) {
            continue;
        }
        if (!is_known(table, count, *entry + prefix_len, len - prefix_len)) {
            (void)fprintf(errors, "%.*s is no setting of this program\n",
                          (int)len, *entry);
            is_valid = false;
        }
    }
    return is_valid;
}

static bool
is_known(const struct igw_setting *table, size_t count, const char *name,
         size_t len)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(table[i].name) == len
            && memcmp(table[i].name, name, len) == 0) {
            return true;
        }
    }
    return false;
}

static void
show_range(const struct igw_setting *setting, char *out, size_t size)
{
    char min[NUMBER_MAX_BYTES];
    char max[NUMBER_MAX_BYTES];

    show_number(setting->min, units[setting->type], min, sizeof(min));
    show_number(setting->max, units[setting->type], max, sizeof(max));
    switch (setting->type) {
    case IGW_SETTING_TEXT:
        (void)snprintf(out, size, "text of %s to %s bytes", min, max);
        break;
    case IGW_SETTING_BOOL:
        (void)snprintf(out, size, "on or off");
        break;
    case IGW_SETTING_CHOICE:
        show_choices(setting->choices, out, size);
        break;
    default:
        (void)snprintf(out, size, "%s to %s", min, max);
        break;
    }
}

static void
show_choices(const char *choices, char *out, size_t size)
{
    static const char word[4] = { ' ', 'o', 'r', ' ' };

    (void)snprintf(out, size, "%s", choices);
    for (char *bar = strchr(out, '|'); bar != NULL; bar = strchr(bar, '|')) {
        if (strlen(out) + 4 > size) {
            return;
        }
        memmove(bar + 4, bar + 1, strlen(bar));
        memcpy(bar, word, sizeof(word));
    }
}

static void
show_number(int64_t value, const struct unit *scale, char *out, size_t size)
{
    while (scale[1].suffix != NULL && value % scale->factor != 0) {
        scale++;
    }
    if (value == 0) {
        while (scale[1].suffix != NULL) {
            scale++;
        }
    }
    (void)snprintf(out, size, "%" PRId64 "%s", value / scale->factor,
                   scale->suffix);
}
