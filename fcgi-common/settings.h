/*
 * settings.h: one table per program, from which parsing, --help and the
 * reference page come. A value comes from the environment variable
 * <PREFIX><NAME>; a wrong one stops the start with its name and its range.
 */
#ifndef IGW_SETTINGS_H
#define IGW_SETTINGS_H

#include <stdio.h>

#include "igw.h"

enum igw_setting_type {
    IGW_SETTING_TEXT,     /* const char *; min and max are its length */
    IGW_SETTING_INTEGER,  /* int64_t */
    IGW_SETTING_BOOL,     /* bool; on or off */
    IGW_SETTING_DURATION, /* int64_t in milliseconds; 250ms 30s 5m 12h 7d */
    IGW_SETTING_SIZE,     /* int64_t in bytes; 512 64k 19m */
    IGW_SETTING_CHOICE    /* int64_t, index into `choices` */
};

struct igw_setting {
    const char *name; /* upper case, without the program's prefix */
    enum igw_setting_type type;
    const char *fallback; /* spelt as in the environment; NULL: required */
    int64_t min;          /* inclusive, in the unit of the field */
    int64_t max;
    const char *choices; /* "open|closed" for IGW_SETTING_CHOICE */
    const char *text;    /* one sentence for people */
    size_t offset;       /* of the field in the program's settings struct */
};

/*
 * Fills `target` from getenv(prefix + name). On IGW_INVALID one line per wrong
 * setting is on `errors`, with name, value and range; an environment variable
 * with the prefix that is in no table is wrong, too. Text values point into
 * the environment.
 */
enum igw_result igw_settings_load(const struct igw_setting *table, size_t count,
                                  const char *prefix, void *target,
                                  FILE *errors) IGW_MUST_CHECK;

/* The part of --help: name, default, range, text. */
void igw_settings_help(const struct igw_setting *table, size_t count,
                       const char *prefix, FILE *out);

/* The same as a Markdown table, for docs/settings.md. */
void igw_settings_markdown(const struct igw_setting *table, size_t count,
                           const char *prefix, FILE *out);

#endif
