/*
 * page.h: one page as an answer. Values become HTML through templates only,
 * which escape them.
 */
#ifndef IGW_PAGE_H
#define IGW_PAGE_H

#include "http.h"
#include "pages.h"

struct igw_page {
    const struct igw_pages *pages;
    const char *name;           /* "signin": of signin.html */
    const struct json_t *texts; /* borrowed */
    struct json_t *values;
    bool failed;
};

/*
 * A page of this name in the caller's language. The values begin with `page`,
 * its name, that name as true, `prefix` and `request_id`. igw_page_answer
 * clears it.
 */
void igw_page_init(struct igw_page *page, const struct igw_pages *pages,
                   const struct igw_call *call, const char *name);
/* These remember a failure; `value` is taken over in every case. */
void igw_page_set(struct igw_page *page, const char *name,
                  struct json_t *value);
void igw_page_set_text(struct igw_page *page, const char *name,
                       struct igw_slice text);
/* A text of the table, its values filled in, becomes a value. */
void igw_page_set_key(struct igw_page *page, const char *name, const char *key);

/*
 * Of the query's members (NULL: none): ?done=saved sets `done` to the text
 * done_saved; other words set nothing.
 */
void igw_page_set_done(struct igw_page *page, const struct json_t *query);

/*
 * Answers with layout.html around the page, whose `title`, unless it is set, is
 * the text <name>_title; not to be stored.
 */
void igw_page_answer(struct igw_page *page, struct igw_call *call, int status);

/* For a page that is not answered with after all. */
void igw_page_clear(struct igw_page *page);

/* A field of a form. */
struct igw_page_field {
    const char *name;
    const char *type;         /* of <input>; "textarea" is that */
    const char *autocomplete; /* HTML's token; "off" */
    bool is_required;
};

/*
 * Sets the value `name` to what field.html needs of each field: name, type,
 * autocomplete, required, label (the text field_<name>), hint (hint_<name> or
 * hint_<autocomplete>, if there is one), value (from `given`; never a
 * password's) and error: of the problem's errors the one about it, as the text
 * error_<name>_<code>, error_<code>, or in the problem's own words. given,
 * problem: NULL for none.
 */
void igw_page_set_fields(struct igw_page *page, const char *name,
                         const struct igw_page_field *fields, size_t count,
                         const struct json_t *given,
                         const struct json_t *problem);

/*
 * Sets `problem`: the text problem_<code> or the problem's detail; `retry_sec`
 * from Retry-After; `has_faults` and `faults`, the list of what is wrong with
 * fields: name, label and error, as igw_page_set_fields has them.
 */
void igw_page_set_problem(struct igw_page *page, const struct igw_call *call,
                          const struct json_t *problem);

/*
 * The problem that has been answered so far, the caller's; NULL: the answer is
 * none.
 */
struct json_t *igw_page_problem(const struct igw_call *call);

#endif
