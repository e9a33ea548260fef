/*
 * template.h: text with places for values: Mustache (mustache(5)) without its
 * raw tags and its lambdas. A value gets into a page through the escaper only:
 * there is no tag that leaves it as it is.
 *
 *   {{name}} {{a.b}} {{.}}      the value, escaped; nothing when there is none
 *   {{#name}}...{{/name}}       once for each of a list, or once when there is
 *                               something: a text that is not empty, true, an
 *                               object, whose members are known within
 *   {{^name}}...{{/name}}       once when there is nothing
 *   {{>file}}                   another template; one that ends in ".css" as
 *                               it stands
 *   {{! comment}}
 *
 * A name is looked for in the innermost object and outwards. {{t.key}} is of
 * the language's table of texts, which may hold {{name}}, too. Pure.
 */
#ifndef IGW_TEMPLATE_H
#define IGW_TEMPLATE_H

#include "buf.h"
#include "json.h"

struct igw_template_set {
    /* A file's text; NULL: there is none of this name. */
    const char *(*find)(const void *arg, struct igw_slice name);
    const void *arg;
    const struct json_t *texts; /* what "t." is of */
};

struct igw_template_fault {
    size_t line;
    char detail[128];
};

/*
 * Whether `text` could be rendered: its tags are well-formed and closed, its
 * files and its texts are there, and it is not in one of its files: `text` is
 * what set->find has for it. IGW_INVALID: *fault says what is not so.
 */
enum igw_result
igw_template_check(const struct igw_template_set *set, const char *text,
                   struct igw_template_fault *fault) IGW_MUST_CHECK;

/* Whether `text` takes in the file `what`, perhaps by way of others. */
bool igw_template_takes_in(const struct igw_template_set *set, const char *text,
                           const char *what);

/* Appends the template, which has been checked, as HTML. */
void igw_template_render(const struct igw_template_set *set, const char *text,
                         struct json_t *values, struct igw_buf *out);

/*
 * Appends a text of the table, with its values filled in, as plain text: to be
 * a value itself. False: there is no text of this key.
 */
bool igw_template_text(const struct igw_template_set *set, const char *key,
                       struct json_t *values, struct igw_buf *out);

/*
 * Appends text with what HTML gives a meaning to as references, and U+FFFD for
 * each control character but tab, line feed and carriage return.
 */
void igw_template_escape(struct igw_slice text, struct igw_buf *out);

#endif
