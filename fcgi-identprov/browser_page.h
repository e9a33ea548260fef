/*
 * browser_page.h: what the pages of identprov have in common.
 */
#ifndef BROWSER_PAGE_H
#define BROWSER_PAGE_H

#include "app.h"
#include "page.h"

/* What a page is made of besides its texts; each NULL when there is none. */
struct browser_content {
    struct json_t *query;   /* its members */
    struct json_t *given;   /* what was typed into a form that failed */
    struct json_t *problem; /* what was wrong with it */
};

/* The query, as far as it is one. */
struct browser_content browser_query(const struct igw_call *call);
void browser_content_clear(struct browser_content *content);

/* igw_page_init, with what every page of identprov has. */
void browser_begin(struct igw_page *page, struct igw_call *call,
                   const char *name);
void browser_set_user(struct igw_page *page, const struct account *account);

/*
 * For the pages to sign in and to register: return_to, where the form shall
 * lead, which is what came under that name or in X-Original-URI from the
 * gateway; return_query, which takes that along to the other one of the two.
 */
void browser_set_return(struct igw_page *page, const struct igw_call *call,
                        const struct browser_content *content);

/* The account's page. False: no session; nothing has been answered. */
bool browser_account(struct igw_call *call,
                     const struct browser_content *content,
                     int status) IGW_MUST_CHECK;

#endif
