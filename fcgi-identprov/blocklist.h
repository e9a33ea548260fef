/*
 * blocklist.h: passwords that everybody tries. The table is made by
 * scripts/embed-passwords at build time: texts with a NUL behind each, sorted
 * by their bytes, and where each begins.
 */
#ifndef BLOCKLIST_H
#define BLOCKLIST_H

#include "igw.h"

extern const char blocklist_words[];
extern const uint32_t blocklist_at[];
extern const size_t blocklist_count;

/* Whether the text, NFKC-casefolded, is on the list. */
bool blocklist_has(const char *folded);

#endif
