/*
 * pages.h: what pages are made of: templates, a style sheet, and a table of
 * texts for each language. They are built in; a directory of the operator's may
 * have files in the place of any of them, and more of each kind. Nothing
 * changes after igw_pages_new.
 */
#ifndef IGW_PAGES_H
#define IGW_PAGES_H

#include "json.h"

struct igw_page_file {
    const char *name; /* "layout.html", "style.css", "en.json" */
    const char *text;
};

enum {
    IGW_PAGES_LANGUAGES_MAX = 32,
    IGW_PAGES_CSP_SIZE = 320,
    IGW_PAGES_WHY_SIZE = 4400
};

struct igw_pages;

/*
 * `directory` "": none. NULL: `why` says which file is of no use and in what.
 */
struct igw_pages *igw_pages_new(const struct igw_page_file *files, size_t count,
                                const char *directory,
                                char why[IGW_PAGES_WHY_SIZE]) IGW_MUST_CHECK;
void igw_pages_free(struct igw_pages **pages);

/* A file's text; NULL: there is none of this name. */
const char *igw_pages_file(const struct igw_pages *pages,
                           struct igw_slice name);

/* The texts of the language that Accept-Language (NULL: none) likes best. */
const struct json_t *igw_pages_texts(const struct igw_pages *pages,
                                     const char *accept_language);

/* Content-Security-Policy of every page: it allows the style sheet. */
const char *igw_pages_csp(const struct igw_pages *pages);

#endif
