/*
 * browser.h: the pages of identprov, for browsers. They are made of what the
 * JSON interface says, and their forms are its routes.
 */
#ifndef BROWSER_H
#define BROWSER_H

#include "http.h"

/* Routes that only browsers have; see IGW_ROUTE_PAGE. */
void browser_home_get(struct igw_call *call);
void browser_register_get(struct igw_call *call);
void browser_logout_get(struct igw_call *call);
/* Where only forms are sent to: 303 to the account's page. */
void browser_account_go(struct igw_call *call);

/* Of routes that have JSON, or text, for others. */
void browser_account_get(struct igw_call *call);
void browser_signin(struct igw_call *call);

/*
 * For a browser, an error that has been answered becomes a page of the same
 * status: the form once more, with what was typed but passwords and with each
 * error beside its field; the sign-in page to who has no session; else what is
 * wrong.
 */
void browser_mend(struct igw_call *call);

#endif
