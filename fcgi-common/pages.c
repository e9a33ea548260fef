/*
 * pages.c: see pages.h.
 */
#include "pages.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept.h"
#include "crypto.h"
#include "template.h"
#include "text.h"

enum { FILES_MAX = 96, NAME_SIZE = 64, FILE_MAX_BYTES = 262144 };

static const char style_name[] = "style.css";

struct file {
    char name[NAME_SIZE];
    char *text;
};

struct igw_pages {
    struct file files[FILES_MAX];
    size_t file_count;
    char languages[IGW_PAGES_LANGUAGES_MAX][NAME_SIZE]; /* English first */
    struct json_t *texts[IGW_PAGES_LANGUAGES_MAX];
    size_t language_count;
    char csp[IGW_PAGES_CSP_SIZE];
};

/* Where a file came from, for what is said of it. */
struct source {
    const char *directory; /* NULL: built in */
    char *why;
};

static bool
refuse(const struct source *source, const char *name, const char *detail)
{
    (void)snprintf(source->why, IGW_PAGES_WHY_SIZE, "%s%s%s: %s",
                   source->directory == NULL ? "" : source->directory,
                   source->directory == NULL ? "" : "/", name, detail);
    return false;
}

/* --- files --------------------------------------------------------------- */

/* Its place; file_count: there is none of this name. */
static size_t
find(const struct igw_pages *pages, struct igw_slice name)
{
    size_t i = 0;

    while (i < pages->file_count && !igw_slice_is(name, pages->files[i].name)) {
        i++;
    }
    return i;
}

const char *
igw_pages_file(const struct igw_pages *pages, struct igw_slice name)
{
    size_t i = find(pages, name);

    return i < pages->file_count ? pages->files[i].text : NULL;
}

static bool
ends_in(const char *name, const char *end)
{
    size_t len = strlen(name);
    size_t end_len = strlen(end);

    return len > end_len && strcmp(name + len - end_len, end) == 0;
}

/* In the place of a file of this name, if there is one. Takes `text` over. */
static bool
keep_file(struct igw_pages *pages, const char *name, char *text,
          const struct source *source)
{
    size_t i = find(pages, igw_slice_of(name));

    if (text == NULL) {
        return refuse(source, name, "no memory");
    }
    if (i == FILES_MAX) {
        free(text);
        return refuse(source, name, "there are too many files");
    }
    if (i == pages->file_count) {
        (void)snprintf(pages->files[i].name, NAME_SIZE, "%s", name);
        pages->file_count++;
    }
    free(pages->files[i].text);
    pages->files[i].text = text;
    return true;
}

/* --- languages ----------------------------------------------------------- */

static size_t
language_of(struct igw_pages *pages, const char *name)
{
    size_t len = strlen(name) - strlen(".json");
    size_t i = 0;

    while (i < pages->language_count
           && (strlen(pages->languages[i]) != len
               || strncmp(pages->languages[i], name, len) != 0)) {
        i++;
    }
    if (i == pages->language_count && i < IGW_PAGES_LANGUAGES_MAX) {
        (void)snprintf(pages->languages[i], NAME_SIZE, "%.*s", (int)len, name);
        pages->language_count++;
    }
    return i;
}

static bool
are_texts(struct json_t *texts)
{
    void *member;

    if (igw_json_type(texts) != IGW_JSON_OBJECT) {
        return false;
    }
    for (member = igw_json_first(texts); member != NULL;
         member = igw_json_next(texts, member)) {
        if (igw_json_type(igw_json_value(member)) != IGW_JSON_STRING) {
            return false;
        }
    }
    return true;
}

/* What `texts` lacks is taken from `others`. */
static bool
fill_up(struct json_t *texts, struct json_t *others)
{
    void *member;

    for (member = igw_json_first(others); member != NULL;
         member = igw_json_next(others, member)) {
        if (igw_json_get(texts, igw_json_name(member)) == NULL
            && !igw_json_set(texts, igw_json_name(member),
                             igw_json_share(igw_json_value(member)))) {
            return false;
        }
    }
    return true;
}

/* In front of what is there of this language. */
static bool
keep_texts(struct igw_pages *pages, const char *name, struct igw_slice text,
           const struct source *source)
{
    size_t language = language_of(pages, name);
    struct igw_json_fault why;
    struct json_t *texts = NULL;

    if (language == IGW_PAGES_LANGUAGES_MAX) {
        return refuse(source, name, "there are too many languages");
    }
    if (igw_json_parse(text, &texts, &why) != IGW_OK) {
        return refuse(source, name, why.detail);
    }
    if (!are_texts(texts)) {
        igw_json_free(&texts);
        return refuse(source, name, "is not one object of texts");
    }
    if (!fill_up(texts, pages->texts[language])) {
        igw_json_free(&texts);
        return refuse(source, name, "no memory");
    }
    igw_json_free(&pages->texts[language]);
    pages->texts[language] = texts;
    return true;
}

const struct json_t *
igw_pages_texts(const struct igw_pages *pages, const char *accept_language)
{
    const char *names[IGW_PAGES_LANGUAGES_MAX];

    for (size_t i = 0; i < pages->language_count; i++) {
        names[i] = pages->languages[i];
    }
    return pages->texts[igw_accept_language(accept_language, names,
                                            pages->language_count)];
}

/* --- loading ------------------------------------------------------------- */

static bool
keep(struct igw_pages *pages, const char *name, struct igw_slice text,
     const struct source *source)
{
    if (ends_in(name, ".json")) {
        return keep_texts(pages, name, text, source);
    }
    return keep_file(pages, name, strndup(text.data, text.len), source);
}

static bool
load_built_in(struct igw_pages *pages, const struct igw_page_file *files,
              size_t count, char *why)
{
    const struct source source = { NULL, why };
    bool is_loaded = language_of(pages, "en.json") == 0;

    for (size_t i = 0; i < count && is_loaded; i++) {
        is_loaded =
            keep(pages, files[i].name, igw_slice_of(files[i].text), &source);
    }
    return is_loaded;
}

/* Without carriage returns: the style sheet's hash is of what browsers see. */
static bool
read_text(FILE *in, struct igw_buf *text)
{
    int c;

    while ((c = getc(in)) != EOF && text->len <= FILE_MAX_BYTES) {
        char byte = (char)c;

        if (byte != '\r') {
            igw_buf_append(text, &byte, 1);
        }
    }
    return ferror(in) == 0 && !text->failed;
}

static bool
load_file(struct igw_pages *pages, const char *name,
          const struct source *source)
{
    char path[4096 + NAME_SIZE + 2];
    struct igw_buf text;
    bool is_loaded;
    FILE *in;

    (void)snprintf(path, sizeof(path), "%s/%s", source->directory, name);
    in = fopen(path, "re");
    if (in == NULL) {
        return refuse(source, name, strerror(errno));
    }
    igw_buf_init(&text);
    if (!read_text(in, &text)) {
        is_loaded = refuse(source, name, "it cannot be read");
    } else if (text.len == 0 || text.len > FILE_MAX_BYTES) {
        is_loaded = refuse(source, name, "it is empty or over 256 KiB");
    } else if (igw_text_check(igw_buf_slice(&text)) == IGW_TEXT_NOT_UTF8
               || memchr(text.data, '\0', text.len) != NULL) {
        is_loaded = refuse(source, name, "it is not UTF-8");
    } else {
        is_loaded = keep(pages, name, igw_buf_slice(&text), source);
    }
    igw_buf_clear(&text);
    (void)fclose(in);
    return is_loaded;
}

static bool
load_directory(struct igw_pages *pages, const char *directory, char *why)
{
    const struct source source = { directory, why };
    DIR *dir = opendir(directory);
    const struct dirent *entry;
    bool is_loaded = true;

    if (dir == NULL) {
        return refuse(&source, "", strerror(errno));
    }
    while (is_loaded && (entry = readdir(dir)) != NULL) {
        const char *name = entry->d_name;

        if (name[0] == '.'
            || (!ends_in(name, ".html") && !ends_in(name, ".css")
                && !ends_in(name, ".json"))) {
            continue;
        }
        is_loaded = strlen(name) < NAME_SIZE
                        ? load_file(pages, name, &source)
                        : refuse(&source, name, "its name is too long");
    }
    (void)closedir(dir);
    return is_loaded;
}

/* --- checking ------------------------------------------------------------ */

/* What is found while a file is checked. */
struct look {
    const struct igw_pages *pages;
    const char *page; /* what {{>page}} is */
};

static const char *
find_any(const void *arg, struct igw_slice name)
{
    const struct look *look = arg;

    return igw_slice_is(name, "page") ? look->page
                                      : igw_pages_file(look->pages, name);
}

/* Each file may be the page but those that layout.html is made of. */
static bool
check_file(const struct igw_pages *pages, const struct file *file, char *why)
{
    const char *layout = igw_pages_file(pages, igw_slice_of("layout.html"));
    struct look look = { pages, "" };
    const struct igw_template_set set = { find_any, &look, pages->texts[0] };
    struct igw_template_fault fault;

    if (layout != NULL && layout != file->text
        && !igw_template_takes_in(&set, layout, file->text)) {
        look.page = file->text;
    }
    if (!ends_in(file->name, ".html")
        || igw_template_check(&set, file->text, &fault) == IGW_OK) {
        return true;
    }
    (void)snprintf(why, IGW_PAGES_WHY_SIZE, "%s: line %zu: %s", file->name,
                   fault.line, fault.detail);
    return false;
}

static bool
make_csp(struct igw_pages *pages)
{
    const char *style = igw_pages_file(pages, igw_slice_of(style_name));
    unsigned char digest[IGW_SHA256_SIZE];
    struct igw_buf hash;
    bool is_made =
        style != NULL && igw_sha256(style, strlen(style), digest) == IGW_OK;

    igw_buf_init(&hash);
    if (is_made) {
        igw_base64url_encode(digest, sizeof(digest), &hash);
        is_made = !hash.failed;
    }
    for (size_t i = 0; is_made && i < hash.len; i++) {
        hash.data[i] = hash.data[i] == '-' ? '+' : hash.data[i];
        hash.data[i] = hash.data[i] == '_' ? '/' : hash.data[i];
    }
    if (is_made) {
        (void)snprintf(pages->csp, sizeof(pages->csp),
                       "default-src 'none'; style-src 'sha256-%s=';"
                       " img-src 'self' data:; form-action 'self';"
                       " base-uri 'none'; frame-ancestors 'none'",
                       hash.data);
    }
    igw_buf_clear(&hash);
    return is_made;
}

static bool
finish(struct igw_pages *pages, char *why)
{
    bool is_right = make_csp(pages);

    for (size_t i = 1; i < pages->language_count && is_right; i++) {
        is_right = fill_up(pages->texts[i], pages->texts[0]);
    }
    for (size_t i = 0; i < pages->file_count && is_right; i++) {
        is_right = check_file(pages, &pages->files[i], why);
    }
    return is_right;
}

struct igw_pages *
igw_pages_new(const struct igw_page_file *files, size_t count,
              const char *directory, char why[IGW_PAGES_WHY_SIZE])
{
    struct igw_pages *pages = calloc(1, sizeof(*pages));

    (void)snprintf(why, IGW_PAGES_WHY_SIZE, "no memory");
    if (pages == NULL) {
        return NULL;
    }
    if (!load_built_in(pages, files, count, why)
        || (directory[0] != '\0' && !load_directory(pages, directory, why))
        || !finish(pages, why)) {
        igw_pages_free(&pages);
    }
    return pages;
}

void
igw_pages_free(struct igw_pages **pages)
{
    if (*pages == NULL) {
        return;
    }
    for (size_t i = 0; i < (*pages)->file_count; i++) {
        free((*pages)->files[i].text);
    }
    for (size_t i = 0; i < (*pages)->language_count; i++) {
        igw_json_free(&(*pages)->texts[i]);
    }
    free(*pages);
    *pages = NULL;
}

const char *
igw_pages_csp(const struct igw_pages *pages)
{
    return pages->csp;
}
