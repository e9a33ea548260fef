/*
 * ready.c: see ready.h.
 */
#include "ready.h"

#include "problem.h"

static void answer_status(struct igw_call *call, const char *status);
static void answer_lacks(struct igw_call *call, const struct igw_lack *lacks,
                         size_t count, const char *first);

void
igw_ready_answer(struct igw_call *call, const struct igw_lack *lacks,
                 size_t count)
{
    size_t i = 0;

    while (i < count && !lacks[i].is_lacking) {
        i++;
    }
    if (i == count) {
        answer_status(call, "ready");
    } else if (!call->request->is_internal) {
        igw_problem(call, 503, "not_ready", "This server is not ready.");
    } else {
        answer_lacks(call, lacks, count, lacks[i].code);
    }
}

void
igw_ready_live(struct igw_call *call)
{
    answer_status(call, "live");
}

static void
answer_status(struct igw_call *call, const char *status)
{
    struct json_t *json = igw_json_object();

    igw_response_header(call->response, "Cache-Control",
                        igw_slice_of("no-store"));
    if (igw_json_set_text(json, "status", igw_slice_of(status))) {
        igw_response_json(call->response, 200, json);
    } else {
        igw_problem_result(call, IGW_ERROR);
    }
    igw_json_free(&json);
}

static void
answer_lacks(struct igw_call *call, const struct igw_lack *lacks, size_t count,
             const char *first)
{
    struct igw_buf all;

    igw_buf_init(&all);
    for (size_t i = 0; i < count; i++) {
        if (lacks[i].is_lacking) {
            igw_buf_printf(&all, "%s%s: %s", all.len > 0 ? " " : "",
                           lacks[i].code, lacks[i].detail);
        }
    }
    igw_problem(call, 503, first, all.failed ? first : all.data);
    igw_buf_clear(&all);
}
