/*
 * browser.c: see browser.h. Two members of the form say what it is to do:
 * `version`, the entity tag of the profile that the page showed, empty where
 * there was none, and `action`, which is "delete" or not there. For the others
 * see typed.h.
 */
#include "browser.h"

#include <string.h>

#include "accept.h"
#include "app.h"
#include "caller.h"
#include "document.h"
#include "origin.h"
#include "page.h"
#include "problem.h"
#include "rules.h"
#include "store.h"
#include "typed.h"
#include "webform.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct igw_page_field person_fields[] = {
    { "given_name", "text", "given-name", false },
    { "family_name", "text", "family-name", false },
    { "nickname", "text", "nickname", false },
    { "birthdate", "text", "bday", false },
    { "gender", "text", "sex", false },
    { "phone_number", "tel", "tel", false },
    { "website", "url", "url", false },
    { "picture", "url", "photo", false },
    { "locale", "text", "language", false },
    { "zoneinfo", "text", "off", false },
    { "bio", "textarea", "off", false },
};

static const struct igw_page_field address_fields[] = {
    { "street_address", "textarea", "street-address", false },
    { "postal_code", "text", "postal-code", false },
    { "locality", "text", "address-level2", false },
    { "region", "text", "address-level1", false },
    { "country", "text", "country-name", false },
    { "formatted", "textarea", "off", false },
};

/* One person's look at the page. */
struct visit {
    struct igw_call *call;
    struct identity identity;
    struct profile profile;           /* as it is, then as it is to be */
    char version[DOCUMENT_ETAG_SIZE]; /* of what there is; "": nothing is */
    struct json_t *given;             /* the form's members; NULL: no form */
};

static bool begin(struct visit *visit, struct igw_call *call);
static void end(struct visit *visit);
static enum igw_result find(struct visit *visit);
static enum igw_result set_version(struct visit *visit);
static enum igw_result create(struct visit *visit);
static enum igw_result change(struct visit *visit);
static enum igw_result remove_it(struct visit *visit);
static enum igw_result check_version(struct visit *visit, const char *code);
static enum igw_result apply(struct visit *visit);
static void go_on(struct igw_call *call, const char *done);
static void refuse(struct igw_call *call, enum igw_result rc);
static void answer(struct visit *visit, int status);

void
browser_get(struct igw_call *call)
{
    struct visit visit;
    enum igw_result rc;

    if (!begin(&visit, call)) {
        return;
    }
    rc = find(&visit);
    if (rc == IGW_OK || rc == IGW_NOT_FOUND) {
        answer(&visit, 200);
    } else {
        igw_problem_result(call, rc);
    }
    end(&visit);
}

static bool
begin(struct visit *visit, struct igw_call *call)
{
    *visit = (struct visit){ .call = call };
    profile_init(&visit->profile);
    return caller_identify(call, &visit->identity);
}

static void
end(struct visit *visit)
{
    profile_clear(&visit->profile);
    igw_json_free(&visit->given);
}

/* What there is now; IGW_NOT_FOUND: nothing. */
static enum igw_result
find(struct visit *visit)
{
    enum igw_result rc;

    profile_clear(&visit->profile);
    visit->version[0] = '\0';
    rc = store_find(visit->call->pg, visit->identity.sub, &visit->profile);
    return rc == IGW_OK ? set_version(visit) : rc;
}

static enum igw_result
set_version(struct visit *visit)
{
    struct document document;
    enum igw_result rc =
        document_make(&document, &visit->identity, &visit->profile);

    if (rc == IGW_OK) {
        memcpy(visit->version, document.etag, sizeof(visit->version));
    }
    document_clear(&document);
    return rc;
}

/* --- the form ------------------------------------------------------------ */

/* A member of the form; empty when it is not there. */
static struct igw_slice
given(const struct visit *visit, const char *name)
{
    return igw_json_text(igw_json_get(visit->given, name));
}

static bool
is_deletion(const struct visit *visit)
{
    return igw_slice_is(given(visit, "action"), "delete");
}

/* False: the call has been answered. */
static bool
read_form(struct visit *visit)
{
    struct igw_json_fault why;
    enum igw_result rc = IGW_ERROR;

    visit->given = igw_json_object();
    if (visit->given != NULL) {
        rc = igw_webform_parse(visit->call->request->body, visit->given, &why);
    }
    if (rc == IGW_INVALID) {
        igw_problem(visit->call, 400, why.code, why.detail);
    } else if (rc != IGW_OK) {
        igw_problem_result(visit->call, rc);
    }
    return rc == IGW_OK;
}

/* What there is now decides what the form may do next. */
static void
show_again(struct visit *visit, enum igw_result rc)
{
    int status;

    refuse(visit->call, rc);
    status = visit->call->response->status;
    if (status == 404 || status == 409 || status == 412 || is_deletion(visit)) {
        rc = find(visit);
        if (rc != IGW_OK && rc != IGW_NOT_FOUND) {
            return; /* as it has been answered */
        }
        (void)igw_json_set_text(visit->given, "version",
                                igw_slice_of(visit->version));
    }
    answer(visit, status);
}

static void
run(struct visit *visit)
{
    const char *done = "saved";
    enum igw_result rc;

    if (is_deletion(visit)) {
        done = "removed";
        rc = remove_it(visit);
    } else if (given(visit, "version").len > 0) {
        rc = change(visit);
    } else {
        done = "created";
        rc = create(visit);
    }
    if (rc == IGW_OK) {
        go_on(visit->call, done);
    } else {
        show_again(visit, rc);
    }
}

void
browser_post(struct igw_call *call)
{
    struct visit visit;

    if (igw_origin_is_foreign(call->request)) {
        igw_problem(call, 403, "cross_site",
                    "A browser says that another site sends this.");
        return;
    }
    if (begin(&visit, call) && read_form(&visit)) {
        run(&visit);
    }
    end(&visit);
}

static void
go_on(struct igw_call *call, const char *done)
{
    igw_response_headerf(call->response, "Location", "%s%s?done=%s",
                         call->request->prefix, call->request->path, done);
    igw_response_header(call->response, "Cache-Control",
                        igw_slice_of("no-store"));
    igw_response_empty(call->response, 303);
}

static void
refuse(struct igw_call *call, enum igw_result rc)
{
    switch (rc) {
    case IGW_INVALID:
        break; /* said already */
    case IGW_NOT_FOUND:
        igw_problem(call, 404, "no_profile", "You have no profile any more.");
        break;
    case IGW_CONFLICT:
        igw_problem(call, 409, "profile_exists", "You have a profile already.");
        break;
    default:
        igw_problem_result(call, rc);
    }
}

/* --- what it does -------------------------------------------------------- */

static enum igw_result
create(struct visit *visit)
{
    enum igw_result rc = apply(visit);

    return rc == IGW_OK ? store_insert(visit->call->pg, visit->identity.sub,
                                       &visit->profile)
                        : rc;
}

/* Nobody else writes between the look at the version and the change. */
static enum igw_result
change(struct visit *visit)
{
    struct igw_pg *pg = visit->call->pg;
    enum igw_result rc = store_lock(pg, visit->identity.sub, &visit->profile);

    if (rc == IGW_OK) {
        rc = check_version(visit, "precondition_failed");
    }
    if (rc == IGW_OK) {
        rc = apply(visit);
    }
    if (rc == IGW_OK) {
        rc = store_replace(pg, visit->identity.sub, &visit->profile);
    }
    return store_unlock(pg, rc);
}

/* What is not there any more need not be deleted. */
static enum igw_result
remove_it(struct visit *visit)
{
    struct igw_pg *pg = visit->call->pg;
    enum igw_result rc = store_lock(pg, visit->identity.sub, &visit->profile);

    if (rc == IGW_OK) {
        rc = check_version(visit, "profile_changed");
    }
    if (rc == IGW_OK) {
        rc = store_delete(pg, visit->identity.sub, &visit->profile);
    }
    rc = store_unlock(pg, rc);
    return rc == IGW_NOT_FOUND ? IGW_OK : rc;
}

static enum igw_result
check_version(struct visit *visit, const char *code)
{
    enum igw_result rc = set_version(visit);

    if (rc == IGW_OK
        && !igw_slice_is(given(visit, "version"), visit->version)) {
        igw_problem(visit->call, 412, code,
                    "The profile is not the one that the page showed.");
        rc = IGW_INVALID;
    }
    return rc;
}

static enum igw_result
apply(struct visit *visit)
{
    struct json_t *patch = typed_patch(visit->given);
    struct igw_errors errors = { 0 };
    enum igw_result rc = IGW_ERROR;

    if (patch != NULL) {
        rc = rules_patch(patch, &visit->profile, &errors);
    }
    if (rc == IGW_INVALID) {
        igw_problem_fields(visit->call, &errors);
    }
    igw_errors_clear(&errors);
    igw_json_free(&patch);
    return rc;
}

/* --- the page ------------------------------------------------------------ */

/* An address's members have no parent in the form. */
static void
name_fields(struct json_t *problem)
{
    static const char parent[] = "/address/";
    struct json_t *errors = igw_json_get(problem, "errors");

    for (size_t i = 0; i < igw_json_size(errors); i++) {
        struct json_t *error = igw_json_at(errors, i);
        struct igw_slice field = igw_json_text(igw_json_get(error, "field"));

        if (field.len > strlen(parent)
            && strncmp(field.data, parent, strlen(parent)) == 0) {
            field.data += strlen(parent);
            field.len -= strlen(parent);
            (void)igw_json_set(error, "field", igw_json_new_text(field));
        }
    }
}

static void
put_values(const struct profile *profile, const struct igw_page_field *fields,
           size_t count, struct json_t *values)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = rules_value(profile, fields[i].name);

        if (text != NULL) {
            (void)igw_json_set_text(values, fields[i].name, igw_slice_of(text));
        }
    }
}

/* What was typed, else what there is. */
static struct json_t *
values_of(struct visit *visit)
{
    struct json_t *values;

    if (visit->given != NULL && !is_deletion(visit)) {
        return igw_json_share(visit->given);
    }
    values = igw_json_object();
    put_values(&visit->profile, person_fields, COUNT(person_fields), values);
    put_values(&visit->profile, address_fields, COUNT(address_fields), values);
    (void)igw_json_set_text(values, "version", igw_slice_of(visit->version));
    return values;
}

static void
begin_page(struct igw_page *page, struct igw_call *call, const char *name)
{
    const struct app *app = call->app;
    struct igw_buf path;

    igw_page_init(page, app->pages, call, name);
    igw_page_set_text(page, "identprov", igw_slice_of(app->identprov_path));
    igw_buf_init(&path);
    igw_buf_printf(&path, "%s/userprofile", call->request->prefix);
    page->failed |= path.failed;
    igw_page_set_text(page, "profile_path", igw_buf_slice(&path));
    igw_buf_clear(&path);
}

static void
answer(struct visit *visit, int status)
{
    struct igw_call *call = visit->call;
    struct json_t *query =
        igw_webform_texts(igw_slice_of(call->request->query));
    struct json_t *problem = igw_page_problem(call);
    struct json_t *values = values_of(visit);
    struct igw_page page;

    name_fields(problem);
    begin_page(&page, call, "profile");
    page.failed |= values == NULL;
    igw_page_set_text(&page, "username", visit->identity.username);
    igw_page_set_text(&page, "version",
                      igw_json_text(igw_json_get(values, "version")));
    igw_page_set(&page, "is_optional", igw_json_new_bool(true));
    if (status == 200) {
        igw_page_set_done(&page, query);
    }
    igw_page_set_problem(&page, call, problem);
    igw_page_set_fields(&page, "person", person_fields, COUNT(person_fields),
                        values, problem);
    igw_page_set_fields(&page, "address", address_fields, COUNT(address_fields),
                        values, problem);
    igw_page_answer(&page, call, status);
    igw_json_free(&values);
    igw_json_free(&problem);
    igw_json_free(&query);
}

void
browser_mend(struct igw_call *call)
{
    struct json_t *problem;
    struct igw_page page;

    if (call->response->status < 400 || call->request->is_internal
        || !igw_accept_is_of_browser(call->request)) {
        return;
    }
    problem = igw_page_problem(call);
    if (problem == NULL) {
        return;
    }
    begin_page(&page, call, "message");
    igw_page_set_problem(&page, call, problem);
    igw_page_answer(&page, call, call->response->status);
    igw_json_free(&problem);
}
