/*
 * browser.h: the page of userprofile, for browsers: to see a profile, and a
 * form to make, change and delete it.
 */
#ifndef USERPROFILE_BROWSER_H
#define USERPROFILE_BROWSER_H

#include "http.h"

/* call->app is a struct app. */
void browser_get(struct igw_call *call);
/* The page's form: 303 to the page, or the form once more with its errors. */
void browser_post(struct igw_call *call);

/* For a browser, an error that is no page becomes one of the same status. */
void browser_mend(struct igw_call *call);

#endif
