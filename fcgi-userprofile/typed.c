/*
 * typed.c: see typed.h.
 */
#include "typed.h"

#include <string.h>

#include "json.h"
#include "rules.h"

/*
 * A text with the line feeds that a browser makes CR LF; null, which takes the
 * member away, of an empty one.
 */
static struct json_t *
value_of(struct igw_slice text)
{
    struct igw_buf out;
    struct json_t *value;

    if (text.len == 0) {
        return igw_json_new_null();
    }
    igw_buf_init(&out);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '\r' || text.data[i + 1] != '\n') {
            igw_buf_append(&out, text.data + i, 1);
        }
    }
    value = out.failed ? NULL : igw_json_new_text(igw_buf_slice(&out));
    igw_buf_clear(&out);
    return value;
}

struct json_t *
typed_patch(struct json_t *form)
{
    struct json_t *patch = igw_json_object();
    struct json_t *address = igw_json_object();
    bool is_made = patch != NULL && address != NULL;
    void *member;

    for (member = igw_json_first(form); is_made && member != NULL;
         member = igw_json_next(form, member)) {
        const char *name = igw_json_name(member);
        bool is_address = rules_is_of_address(name);

        if (strcmp(name, "version") != 0 && strcmp(name, "action") != 0) {
            is_made =
                igw_json_set(is_address ? address : patch, name,
                             value_of(igw_json_text(igw_json_value(member))));
        }
    }
    if (is_made && igw_json_size(address) > 0) {
        is_made = igw_json_set(patch, "address", igw_json_share(address));
    }
    igw_json_free(&address);
    if (!is_made) {
        igw_json_free(&patch);
    }
    return patch;
}
