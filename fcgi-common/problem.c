/*
 * problem.c: errors as application/problem+json.
 */
#include "problem.h"

#include <string.h>

#include "log.h"

struct answer {
    int status;
    const char *code;
    const char *detail;
};

static const struct answer answers[] = {
    [IGW_OK] = { 500, "internal_error", "An error was asked for, wrongly." },
    [IGW_INVALID] = { 422, "invalid", "The data breaks a rule." },
    [IGW_DENIED] = { 401, "unauthorized", "Valid credentials are needed." },
    [IGW_NOT_FOUND] = { 404, "not_found", "There is no such thing." },
    [IGW_CONFLICT] = { 409, "conflict", "Something there forbids it." },
    [IGW_UNAVAILABLE] = { 503, "unavailable",
                          "The service cannot answer now. Whether a change "
                          "was made is not known." },
    [IGW_ERROR] = { 500, "internal_error", "The service has failed." }
};

static void put_token(struct igw_buf *pointer, const char *name);
static void add(struct igw_errors *errors, const char *field,
                const struct igw_buf *pointer, const char *code,
                const char *detail);
static void write_problem(struct igw_call *call, const struct answer *answer,
                          const struct igw_errors *errors);
static bool fill(struct json_t *json, const struct igw_call *call,
                 const struct answer *answer, const struct igw_errors *errors);

void
igw_errors_add(struct igw_errors *errors, const char *name, const char *code,
               const char *detail)
{
    struct igw_buf pointer;

    igw_buf_init(&pointer);
    put_token(&pointer, name);
    add(errors, name, &pointer, code, detail);
    igw_buf_clear(&pointer);
}

void
igw_errors_add_below(struct igw_errors *errors, const char *parent,
                     const char *name, const char *code, const char *detail)
{
    struct igw_buf pointer;

    igw_buf_init(&pointer);
    igw_buf_puts(&pointer, parent);
    put_token(&pointer, name);
    add(errors, pointer.data, &pointer, code, detail);
    igw_buf_clear(&pointer);
}

/* "/" and the name, escaped (RFC 6901 3). */
static void
put_token(struct igw_buf *pointer, const char *name)
{
    igw_buf_puts(pointer, "/");
    for (const char *c = name; *c != '\0'; c++) {
        if (*c == '~' || *c == '/') {
            igw_buf_puts(pointer, *c == '~' ? "~0" : "~1");
        } else {
            igw_buf_append(pointer, c, 1);
        }
    }
}

static void
add(struct igw_errors *errors, const char *field, const struct igw_buf *pointer,
    const char *code, const char *detail)
{
    struct json_t *entry = igw_json_object();

    if (errors->list == NULL) {
        errors->list = igw_json_array();
    }
    if (pointer->failed
        || !igw_json_set_text(entry, "field", igw_slice_of(field))
        || !igw_json_set_text(entry, "pointer", igw_buf_slice(pointer))
        || !igw_json_set_text(entry, "code", igw_slice_of(code))
        || !igw_json_set_text(entry, "detail", igw_slice_of(detail))) {
        igw_json_free(&entry);
        errors->failed = true;
    } else if (!igw_json_append(errors->list, entry)) {
        errors->failed = true;
    }
}

bool
igw_errors_any(const struct igw_errors *errors)
{
    return errors->failed || igw_json_size(errors->list) > 0;
}

void
igw_errors_clear(struct igw_errors *errors)
{
    igw_json_free(&errors->list);
    errors->failed = false;
}

void
igw_problem(struct igw_call *call, int status, const char *code,
            const char *detail)
{
    const struct answer answer = { status, code, detail };

    write_problem(call, &answer, NULL);
}

void
igw_problem_fields(struct igw_call *call, const struct igw_errors *errors)
{
    static const struct answer answer = {
        422, "invalid_fields", "Fields are wrong; each is in errors."
    };

    if (errors->failed) {
        igw_problem_result(call, IGW_ERROR);
    } else {
        write_problem(call, &answer, errors);
    }
}

void
igw_problem_result(struct igw_call *call, enum igw_result result)
{
    write_problem(call, &answers[result], NULL);
}

static void
write_problem(struct igw_call *call, const struct answer *answer,
              const struct igw_errors *errors)
{
    struct igw_response *response = call->response;
    struct json_t *json = igw_json_object();

    if (answer->status >= 500) {
        igw_logf(IGW_LOG_ERROR, answer->code, "answered %d to %s%s",
                 answer->status, call->request->prefix, call->request->path);
    }
    igw_response_set_header(response, "Cache-Control",
                            igw_slice_of("no-store"));
    if ((answer->status == 429 || answer->status == 503)
        && !igw_response_has_header(response, "Retry-After")) {
        igw_response_header(response, "Retry-After", igw_slice_of("1"));
    }
    if (fill(json, call, answer, errors)) {
        igw_response_json(response, answer->status, json);
        response->content_type = "application/problem+json";
    } else {
        igw_response_empty(response, 500);
    }
    igw_json_free(&json);
}

static bool
fill(struct json_t *json, const struct igw_call *call,
     const struct answer *answer, const struct igw_errors *errors)
{
    return igw_json_set_text(json, "type", igw_slice_of("about:blank"))
           && igw_json_set_text(json, "title",
                                igw_slice_of(igw_status_text(answer->status)))
           && igw_json_set_integer(json, "status", answer->status)
           && igw_json_set_text(json, "detail", igw_slice_of(answer->detail))
           && igw_json_set_text(json, "code", igw_slice_of(answer->code))
           && igw_json_set_text(json, "request_id",
                                igw_slice_of(call->request->id))
           && (errors == NULL
               || igw_json_set(json, "errors", igw_json_share(errors->list)));
}
