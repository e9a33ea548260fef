/*
 * app.h: what the program's threads share.
 */
#ifndef USERPROFILE_APP_H
#define USERPROFILE_APP_H

#include "auth.h"
#include "pages.h"

/* Not changed while serving. */
struct app {
    struct auth auth;
    struct igw_pages *pages;
    const char *identprov_path; /* in front of the pages' links to it */
};

#endif
