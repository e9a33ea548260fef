/*
 * template.c: see template.h.
 */
#include "template.h"

#include <stdio.h>
#include <string.h>

enum {
    NAME_SIZE = 64,
    LEVELS_MAX = 24, /* of sections and files in each other */
    FILES_MAX = 128
};

enum kind { VALUE, SECTION, INVERTED, END, FILE_TAG, COMMENT };

/* What begins with the first "{{" of a text. */
struct tag {
    enum kind kind;
    char name[NAME_SIZE];
    struct igw_slice before;
    struct igw_slice after;
};

struct run {
    const struct igw_template_set *set;
    struct json_t *values[LEVELS_MAX]; /* innermost last */
    size_t level;
    bool is_plain;
    struct igw_buf *out;
};

static void render(struct run *run, struct igw_slice text);
static void render_tag(struct run *run, const struct tag *tag,
                       struct igw_slice *rest);
static void put_value(struct run *run, const struct tag *tag);
static void put_section(struct run *run, const struct tag *tag,
                        struct igw_slice body);
static void render_with(struct run *run, struct json_t *value,
                        struct igw_slice body);
static void put_file(struct run *run, const char *name);
static void put(struct run *run, struct igw_slice text);
static bool put_text(struct run *run, const char *key);
static struct json_t *look_up(const struct run *run, const char *name);
static bool is_something(const struct json_t *value);
static bool next_tag(struct igw_slice text, struct tag *tag,
                     const char **detail);
static bool find_end(struct igw_slice text, const char *name,
                     struct igw_slice *body, struct igw_slice *rest);

static const char *
text_key(const char *name)
{
    return strncmp(name, "t.", 2) == 0 ? name + 2 : NULL;
}

static bool
is_style(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && strcmp(name + len - 4, ".css") == 0;
}

void
igw_template_render(const struct igw_template_set *set, const char *text,
                    struct json_t *values, struct igw_buf *out)
{
    struct run run = { .set = set, .values = { values }, .out = out };

    render(&run, igw_slice_of(text));
}

bool
igw_template_text(const struct igw_template_set *set, const char *key,
                  struct json_t *values, struct igw_buf *out)
{
    struct run run = { .set = set, .values = { values }, .out = out };

    run.is_plain = true;
    return put_text(&run, key);
}

void
igw_template_escape(struct igw_slice text, struct igw_buf *out)
{
    static const char *const references[256] = {
        ['&'] = "&amp;",  ['<'] = "&lt;",   ['>'] = "&gt;",
        ['"'] = "&quot;", ['\''] = "&#39;", ['`'] = "&#96;",
    };

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (references[c] != NULL) {
            igw_buf_puts(out, references[c]);
        } else if (c == 0x7f || (c < ' ' && strchr("\t\n\r", c) == NULL)
                   || c == '\0') {
            igw_buf_puts(out, "\xef\xbf\xbd");
        } else {
            igw_buf_append(out, text.data + i, 1);
        }
    }
}

/* --- rendering ----------------------------------------------------------- */

static void /* NOLINTNEXTLINE(misc-no-recursion): LEVELS_MAX */
render(struct run *run, struct igw_slice text)
{
    const char *detail;
    struct tag tag;

    while (next_tag(text, &tag, &detail)) {
        igw_buf_append(run->out, tag.before.data, tag.before.len);
        text = tag.after;
        render_tag(run, &tag, &text);
    }
    igw_buf_append(run->out, text.data, text.len);
}

static void /* NOLINTNEXTLINE(misc-no-recursion): LEVELS_MAX */
render_tag(struct run *run, const struct tag *tag, struct igw_slice *rest)
{
    struct igw_slice body;

    switch (tag->kind) {
    case VALUE:
        put_value(run, tag);
        break;
    case SECTION:
    case INVERTED:
        if (find_end(*rest, tag->name, &body, rest)) {
            put_section(run, tag, body);
        }
        break;
    case FILE_TAG:
        put_file(run, tag->name);
        break;
    case END:
    case COMMENT:
        break;
    }
}

static void /* NOLINTNEXTLINE(misc-no-recursion): LEVELS_MAX */
put_value(struct run *run, const struct tag *tag)
{
    const char *key = text_key(tag->name);
    struct json_t *value;
    char number[24];

    if (key != NULL) {
        (void)put_text(run, key);
        return;
    }
    value = look_up(run, tag->name);
    if (igw_json_type(value) == IGW_JSON_INTEGER) {
        (void)snprintf(number, sizeof(number), "%lld",
                       (long long)igw_json_integer(value));
        put(run, igw_slice_of(number));
    } else {
        put(run, igw_json_text(value));
    }
}

static void
put(struct run *run, struct igw_slice text)
{
    if (run->is_plain) {
        igw_buf_append(run->out, text.data, text.len);
    } else {
        igw_template_escape(text, run->out);
    }
}

/* First its own values, then the escaper for the whole of it. */
static bool /* NOLINTNEXTLINE(misc-no-recursion): LEVELS_MAX */
put_text(struct run *run, const char *key)
{
    struct json_t *text = igw_json_get(run->set->texts, key);
    struct igw_buf plain;
    struct run inner = *run;

    if (text == NULL) {
        return false;
    }
    igw_buf_init(&plain);
    if (run->level + 1 < LEVELS_MAX) {
        inner.out = &plain;
        inner.is_plain = true;
        inner.level = run->level + 1;
        inner.values[inner.level] = NULL;
        render(&inner, igw_json_text(text));
    }
    put(run, igw_buf_slice(&plain));
    run->out->failed |= plain.failed;
    igw_buf_clear(&plain);
    return true;
}

static void /* NOLINTNEXTLINE(misc-no-recursion): LEVELS_MAX */
put_section(struct run *run, const struct tag *tag, struct igw_slice body)
{
    struct json_t *value = look_up(run, tag->name);

    if (tag->kind == INVERTED) {
        if (!is_something(value)) {
            render(run, body);
        }
        return;
    }
    if (igw_json_type(value) == IGW_JSON_ARRAY) {
        for (size_t i = 0; i < igw_json_size(value); i++) {
            render_with(run, igw_json_at(value, i), body);
        }
    } else if (is_something(value)) {
        render_with(run, value, body);
    }
}

static void /* NOLINTNEXTLINE(misc-no-recursion): LEVELS_MAX */
render_with(struct run *run, struct json_t *value, struct igw_slice body)
{
    if (run->level + 1 < LEVELS_MAX) {
        run->values[++run->level] = value;
        render(run, body);
        run->level--;
    }
}

static void /* NOLINTNEXTLINE(misc-no-recursion): LEVELS_MAX */
put_file(struct run *run, const char *name)
{
    const char *text = run->set->find(run->set->arg, igw_slice_of(name));

    if (text == NULL) {
        return;
    }
    if (is_style(name)) {
        igw_buf_puts(run->out, text);
    } else {
        render_with(run, NULL, igw_slice_of(text));
    }
}

/* --- values -------------------------------------------------------------- */

static bool
is_something(const struct json_t *value)
{
    switch (igw_json_type(value)) {
    case IGW_JSON_BOOL:
        return igw_json_bool(value);
    case IGW_JSON_STRING:
        return igw_json_text(value).len > 0;
    case IGW_JSON_ARRAY:
        return igw_json_size(value) > 0;
    case IGW_JSON_NULL:
        return false;
    default:
        return true;
    }
}

/* The first part of the name from the inside out, the others below that. */
static struct json_t *
look_up(const struct run *run, const char *name)
{
    char part[NAME_SIZE];
    const char *dot = strchr(name, '.');
    size_t len = dot == NULL ? strlen(name) : (size_t)(dot - name);
    struct json_t *value = NULL;

    if (strcmp(name, ".") == 0) {
        return run->values[run->level];
    }
    (void)snprintf(part, sizeof(part), "%.*s", (int)len, name);
    for (size_t level = run->level + 1; level > 0 && value == NULL; level--) {
        value = igw_json_get(run->values[level - 1], part);
    }
    return dot == NULL ? value : igw_json_get(value, dot + 1);
}

/* --- tags ---------------------------------------------------------------- */

static const char *
find(struct igw_slice text, const char *what)
{
    return text.len == 0 ? NULL
                         : memmem(text.data, text.len, what, strlen(what));
}

static struct igw_slice
trim(struct igw_slice text)
{
    while (text.len > 0 && text.data[0] == ' ') {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && text.data[text.len - 1] == ' ') {
        text.len--;
    }
    return text;
}

static enum kind
take_kind(struct igw_slice *inside)
{
    static const char signs[] = { [SECTION] = '#',
                                  [INVERTED] = '^',
                                  [END] = '/',
                                  [FILE_TAG] = '>',
                                  [COMMENT] = '!' };

    for (size_t kind = SECTION; kind <= COMMENT; kind++) {
        if (inside->len > 0 && inside->data[0] == signs[kind]) {
            inside->data++;
            inside->len--;
            return (enum kind)kind;
        }
    }
    return VALUE;
}

static bool
is_name(struct igw_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'
              || c == '.' || c == '-')) {
            return false;
        }
    }
    return text.len > 0 && text.len < NAME_SIZE;
}

/* False at the end of the text, and *detail NULL, or at a tag that is none. */
static bool
next_tag(struct igw_slice text, struct tag *tag, const char **detail)
{
    const char *open = find(text, "{{");
    struct igw_slice inside;
    const char *close;

    *detail = NULL;
    if (open == NULL) {
        return false;
    }
    tag->before = (struct igw_slice){ text.data, (size_t)(open - text.data) };
    inside.data = open + 2;
    inside.len = text.len - tag->before.len - 2;
    close = find(inside, "}}");
    if (close == NULL) {
        *detail = "{{ has no }}";
        return false;
    }
    tag->after.data = close + 2;
    tag->after.len = inside.len - (size_t)(close - inside.data) - 2;
    inside.len = (size_t)(close - inside.data);
    tag->kind = take_kind(&inside);
    inside = trim(inside);
    if (tag->kind != COMMENT && !is_name(inside)) {
        *detail = "{{ }} has no name of a-z 0-9 _ . -";
        return false;
    }
    (void)snprintf(tag->name, sizeof(tag->name), "%.*s",
                   tag->kind == COMMENT ? 0 : (int)inside.len, inside.data);
    /* A tag that is no value takes the end of its line along. */
    if (tag->kind != VALUE && tag->after.len > 0
        && tag->after.data[0] == '\n') {
        tag->after.data++;
        tag->after.len--;
    }
    return true;
}

/* Splits what is behind a section's first tag at its last one. */
static bool
find_end(struct igw_slice text, const char *name, struct igw_slice *body,
         struct igw_slice *rest)
{
    const char *start = text.data;
    size_t open = 1;
    const char *detail;
    struct tag tag;

    while (next_tag(text, &tag, &detail)) {
        const char *at = tag.before.data + tag.before.len;

        text = tag.after;
        if (tag.kind == SECTION || tag.kind == INVERTED) {
            open++;
        } else if (tag.kind == END && --open == 0) {
            *body = (struct igw_slice){ start, (size_t)(at - start) };
            *rest = tag.after;
            return strcmp(tag.name, name) == 0;
        }
    }
    return false;
}

/* --- checking ------------------------------------------------------------ */

static size_t
line_of(const char *text, const char *at)
{
    size_t line = 1;

    for (; text < at; text++) {
        line += *text == '\n';
    }
    return line;
}

/* The files that have been looked into. */
struct walk {
    const char *seen[FILES_MAX];
    size_t count;
};

/* Whether this is a new one, and there is room to say so. */
static bool
is_new(struct walk *walk, const char *file)
{
    for (size_t i = 0; i < walk->count; i++) {
        if (walk->seen[i] == file) {
            return false;
        }
    }
    if (walk->count == FILES_MAX) {
        return false;
    }
    walk->seen[walk->count++] = file;
    return true;
}

/* Whether `text`, or a file in it, has a tag for the file `what`. */
static bool /* NOLINTNEXTLINE(misc-no-recursion): a file is new once */
takes_in(const struct igw_template_set *set, const char *text, const char *what,
         struct walk *walk)
{
    struct igw_slice rest = igw_slice_of(text);
    const char *detail;
    struct tag tag;

    while (next_tag(rest, &tag, &detail)) {
        const char *file = tag.kind == FILE_TAG && !is_style(tag.name)
                               ? set->find(set->arg, igw_slice_of(tag.name))
                               : NULL;

        if (file != NULL
            && (file == what
                || (is_new(walk, file) && takes_in(set, file, what, walk)))) {
            return true;
        }
        rest = tag.after;
    }
    return false;
}

bool
igw_template_takes_in(const struct igw_template_set *set, const char *text,
                      const char *what)
{
    struct walk walk = { .count = 0 };

    return takes_in(set, text, what, &walk);
}

static const char *
fault_of_file(const struct igw_template_set *set, const char *name,
              const char *text)
{
    const char *file = set->find(set->arg, igw_slice_of(name));

    if (file == NULL) {
        return "there is no such file";
    }
    return !is_style(name)
                   && (file == text || igw_template_takes_in(set, file, text))
               ? "so the file would be within itself"
               : NULL;
}

/* What is wrong with one tag of `text`; NULL: nothing. */
static const char *
fault_of(const struct igw_template_set *set, const char *text,
         const struct tag *tag, char open[LEVELS_MAX][NAME_SIZE], size_t *level)
{
    const char *key = text_key(tag->name);

    if (tag->kind == FILE_TAG) {
        return fault_of_file(set, tag->name, text);
    }
    if (tag->kind == VALUE && key != NULL
        && igw_json_get(set->texts, key) == NULL) {
        return "there is no such text";
    }
    if (tag->kind == SECTION || tag->kind == INVERTED) {
        if (*level == LEVELS_MAX) {
            return "too many sections in each other";
        }
        (void)snprintf(open[(*level)++], NAME_SIZE, "%s", tag->name);
    }
    if (tag->kind == END
        && (*level == 0 || strcmp(open[--*level], tag->name) != 0)) {
        return "it is not the innermost section that is open";
    }
    return NULL;
}

static enum igw_result
refuse(struct igw_template_fault *fault, size_t line, const char *name,
       const char *detail)
{
    fault->line = line;
    (void)snprintf(fault->detail, sizeof(fault->detail), "%s%s%s", name,
                   name[0] != '\0' ? ": " : "", detail);
    return IGW_INVALID;
}

enum igw_result
igw_template_check(const struct igw_template_set *set, const char *text,
                   struct igw_template_fault *fault)
{
    struct igw_slice rest = igw_slice_of(text);
    char open[LEVELS_MAX][NAME_SIZE];
    size_t level = 0;
    const char *detail;
    struct tag tag;

    while (next_tag(rest, &tag, &detail)) {
        detail = fault_of(set, text, &tag, open, &level);
        if (detail != NULL) {
            return refuse(fault,
                          line_of(text, tag.before.data + tag.before.len),
                          tag.name, detail);
        }
        rest = tag.after;
    }
    if (detail != NULL) {
        return refuse(fault, line_of(text, find(rest, "{{")), "", detail);
    }
    if (level > 0) {
        return refuse(fault, line_of(text, rest.data), open[level - 1],
                      "this section is not closed");
    }
    return IGW_OK;
}
