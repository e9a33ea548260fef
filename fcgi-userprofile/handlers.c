#include "handlers.h"

#include "accept.h"
#include "app.h"
#include "browser.h"
#include "caller.h"
#include "condition.h"
#include "document.h"
#include "metrics.h"
#include "problem.h"
#include "ready.h"
#include "route.h"
#include "rules.h"
#include "store.h"
#include "webform.h"

static void get_profile(struct igw_call *call);
static void post_profile(struct igw_call *call);
static void put_profile(struct igw_call *call);
static void patch_profile(struct igw_call *call);
static void delete_profile(struct igw_call *call);
static void get_health(struct igw_call *call);
static void get_readiness(struct igw_call *call);

static const struct igw_route routes[] = {
    { IGW_GET, "/userprofile", get_profile, IGW_ROUTE_USUAL },
    { IGW_POST, "/userprofile", post_profile, IGW_ROUTE_USUAL },
    { IGW_PUT, "/userprofile", put_profile, IGW_ROUTE_USUAL },
    { IGW_PATCH, "/userprofile", patch_profile, IGW_ROUTE_USUAL },
    { IGW_DELETE, "/userprofile", delete_profile, IGW_ROUTE_USUAL },
    { IGW_GET, "/metrics", igw_metrics_get, IGW_ROUTE_INTERNAL },
    { IGW_GET, "/healthz", get_health, IGW_ROUTE_USUAL },
    { IGW_GET, "/readyz", get_readiness, IGW_ROUTE_USUAL },
};

typedef enum igw_result rules_function(struct json_t *document,
                                       struct profile *profile,
                                       struct igw_errors *errors);
typedef enum igw_result store_function(struct igw_pg *pg,
                                       struct igw_slice subject,
                                       struct profile *profile);

/* A kind of write. */
struct write {
    rules_function *rules; /* from the body to the profile; NULL: no body */
    store_function *store;
    int status;
};

/* One request for a profile. */
struct task {
    struct igw_call *call;
    const struct write *write;
    struct identity identity;
    struct json_t *body;
    struct profile profile; /* as it is, then as it is to be */
};

static const struct write creation = { rules_read, store_insert, 201 };
static const struct write replacement = { rules_read, store_replace, 200 };
static const struct write patching = { rules_patch, store_replace, 200 };
static const struct write deletion = { NULL, store_delete, 204 };

/* What becomes of a task; IGW_INVALID: the call has been answered. */
typedef enum igw_result task_function(struct task *task);

static void run(struct igw_call *call, const struct write *write,
                task_function *function);
static enum igw_result find(struct task *task);
static enum igw_result create(struct task *task);
static enum igw_result change(struct task *task);
static enum igw_result change_locked(struct task *task);
static enum igw_result write_now(struct task *task);
static enum igw_result look(struct task *task);
static enum igw_result check_condition(struct task *task, bool is_there);
static enum igw_result judge(struct igw_call *call, const char *etag);
static void answer(const struct task *task, enum igw_result rc);
static void answer_profile(const struct task *task);
static void answer_not_modified(struct igw_call *call, const char *etag);
static void no_store(struct igw_call *call);

void
handlers_serve(struct igw_call *call)
{
    igw_route(call, routes, sizeof(routes) / sizeof(routes[0]));
    browser_mend(call);
    igw_response_guard(call->response);
}

static void
get_profile(struct igw_call *call)
{
    if (igw_accept_is_of_browser(call->request)) {
        browser_get(call);
    } else {
        run(call, NULL, find);
    }
}

static void
post_profile(struct igw_call *call)
{
    if (igw_webform_is(call->request)
        && igw_accept_is_of_browser(call->request)) {
        browser_post(call);
    } else {
        run(call, &creation, create);
    }
}

static void
put_profile(struct igw_call *call)
{
    run(call, &replacement, change);
}

static void
patch_profile(struct igw_call *call)
{
    run(call, &patching, change_locked);
}

static void
delete_profile(struct igw_call *call)
{
    run(call, &deletion, change);
}

static void
run(struct igw_call *call, const struct write *write, task_function *function)
{
    struct task task;

    task.call = call;
    task.write = write;
    task.body = NULL;
    if (!caller_identify(call, &task.identity)) {
        return;
    }

    profile_init(&task.profile);
    if (write == NULL || write->rules == NULL
        || igw_call_json(call, &task.body)) {
        answer(&task, function(&task));
    }

    profile_clear(&task.profile);
    igw_json_free(&task.body);
}

static enum igw_result
find(struct task *task)
{
    enum igw_result rc =
        store_find(task->call->pg, task->identity.sub, &task->profile);

    return rc == IGW_OK ? check_condition(task, true) : rc;
}

/* A race is the store's to decide; then the condition has its say again. */
static enum igw_result
create(struct task *task)
{
    enum igw_result rc = look(task);

    if (rc == IGW_OK) {
        rc = write_now(task);
    }
    if (rc == IGW_CONFLICT && look(task) == IGW_INVALID) {
        rc = IGW_INVALID;
    }
    return rc;
}

static enum igw_result
change(struct task *task)
{
    return igw_condition_is_there(task->call->request) ? change_locked(task)
                                                       : write_now(task);
}

/* Nobody else writes between the condition and the change. */
static enum igw_result
change_locked(struct task *task)
{
    struct igw_pg *pg = task->call->pg;
    enum igw_result rc = store_lock(pg, task->identity.sub, &task->profile);

    if (rc == IGW_NOT_FOUND && check_condition(task, false) == IGW_INVALID) {
        rc = IGW_INVALID;
    }
    if (rc == IGW_OK) {
        rc = check_condition(task, true);
    }
    if (rc == IGW_OK) {
        rc = write_now(task);
    }
    return store_unlock(pg, rc);
}

static enum igw_result
write_now(struct task *task)
{
    const struct write *write = task->write;
    struct igw_errors errors = { 0 };
    enum igw_result rc = IGW_OK;

    if (write->rules != NULL) {
        rc = write->rules(task->body, &task->profile, &errors);
    }
    if (rc == IGW_INVALID) {
        igw_problem_fields(task->call, &errors);
    } else if (rc == IGW_OK) {
        rc = write->store(task->call->pg, task->identity.sub, &task->profile);
    }

    igw_errors_clear(&errors);
    return rc;
}

/* Whether the request's condition, if any, holds of what is there now. */
static enum igw_result
look(struct task *task)
{
    enum igw_result rc;

    if (!igw_condition_is_there(task->call->request)) {
        return IGW_OK;
    }

    profile_clear(&task->profile);
    rc = store_find(task->call->pg, task->identity.sub, &task->profile);
    if (rc != IGW_OK && rc != IGW_NOT_FOUND) {
        return rc;
    }
    return check_condition(task, rc == IGW_OK);
}

/* IGW_OK: goes on. `is_there`: of task->profile, else of none. */
static enum igw_result
check_condition(struct task *task, bool is_there)
{
    struct igw_call *call = task->call;
    struct document document = { 0 };
    enum igw_result rc = IGW_OK;

    if (!igw_condition_is_there(call->request)) {
        return IGW_OK;
    }
    if (is_there) {
        rc = document_make(&document, &task->identity, &task->profile);
    }
    if (rc == IGW_OK) {
        rc = judge(call, is_there ? document.etag : NULL);
    }
    document_clear(&document);
    return rc;
}

static enum igw_result
judge(struct igw_call *call, const char *etag)
{
    switch (igw_condition_check(call->request, etag)) {
    case IGW_CONDITION_HOLDS:
        return IGW_OK;
    case IGW_CONDITION_NOT_MODIFIED:
        answer_not_modified(call, etag);
        break;
    case IGW_CONDITION_FAILED:
        igw_problem(call, 412, "precondition_failed",
                    "The profile is not as If-Match or If-None-Match wants "
                    "it; read it again.");
        break;
    case IGW_CONDITION_MALFORMED:
        igw_problem(call, 400, "malformed_condition",
                    "If-Match or If-None-Match is neither * nor a list of "
                    "quoted entity tags.");
    }
    return IGW_INVALID;
}

static void
answer(const struct task *task, enum igw_result rc)
{
    struct igw_call *call = task->call;

    switch (rc) {
    case IGW_OK:
        answer_profile(task);
        break;
    case IGW_INVALID:
        break; /* said already */
    case IGW_NOT_FOUND:
        igw_problem(call, 404, "no_profile",
                    "You have no profile yet; POST makes one.");
        break;
    case IGW_CONFLICT:
        igw_problem(call, 409, "profile_exists",
                    "You have a profile already; PUT replaces it.");
        break;
    default:
        igw_problem_result(call, rc);
    }
}

static void
answer_profile(const struct task *task)
{
    struct igw_call *call = task->call;
    int status = task->write != NULL ? task->write->status : 200;
    struct document document;

    if (status == 204) {
        no_store(call);
        igw_response_empty(call->response, status);
        return;
    }

    if (document_make(&document, &task->identity, &task->profile) == IGW_OK) {
        no_store(call);
        igw_response_header(call->response, "ETag",
                            igw_slice_of(document.etag));
        igw_response_text(call->response, status, "application/json",
                          igw_buf_slice(&document.text));
    } else {
        igw_problem_result(call, IGW_ERROR);
    }
    document_clear(&document);
}

static void
answer_not_modified(struct igw_call *call, const char *etag)
{
    no_store(call);
    igw_response_header(call->response, "ETag", igw_slice_of(etag));
    igw_response_empty(call->response, 304);
}

static void
get_health(struct igw_call *call)
{
    igw_ready_live(call);
}

static void
get_readiness(struct igw_call *call)
{
    const struct app *app = call->app;
    const enum igw_result store = store_check(call->pg);
    const struct igw_lack lacks[] = {
        { "database_unavailable", "The database cannot be asked.",
          store != IGW_OK && store != IGW_INVALID },
        { "wrong_schema", "The database schema is not this program's.",
          store == IGW_INVALID },
        { "no_keys", "There are no keys to verify tokens with.",
          jwks_generation(app->auth.jwks) == 0 },
    };

    igw_ready_answer(call, lacks, sizeof(lacks) / sizeof(lacks[0]));
}

static void
no_store(struct igw_call *call)
{
    igw_response_header(call->response, "Cache-Control",
                        igw_slice_of("no-store"));
}
