#include <string.h>

#include "accept.h"
#include "browser.h"
#include "client.h"
#include "handlers.h"
#include "problem.h"

#define SENTENCE "Please go to login..."

/* How long a gateway may keep the text, which is the same for everybody. */
#define KEPT_SEC "60"

enum form { FORM_TEXT, FORM_HTML, FORM_PROBLEM, FORMS };

static const struct igw_accept_offer offers[FORMS] = {
    [FORM_TEXT] = { "text/plain", NULL },
    [FORM_HTML] = { "text/html", NULL },
    [FORM_PROBLEM] = { "application/problem+json", "application/json" },
};

static void
answer_problem(struct igw_call *call)
{
    struct igw_buf detail;

    igw_buf_init(&detail);
    igw_buf_printf(&detail,
                   SENTENCE " Send the session id that it answers with as the"
                            " header or cookie %s; a bearer token is not taken"
                            " here.",
                   client_session_name(call));
    client_challenge(call);
    igw_problem(call, 401, "no_session",
                detail.failed ? SENTENCE : detail.data);
    igw_buf_clear(&detail);

    /* The gateway asks for a text to send; the status is its own. */
    if (call->request->is_internal && call->response->status == 401) {
        call->response->status = 200;
    }
}

/* The gateway says that the client sent a bearer token. */
static bool
is_hinted(const struct igw_call *call)
{
    const char *hint = igw_request_param(call->request, "HTTP_X_IDENTGW_HINT");

    return hint != NULL && strcmp(hint, "bearer") == 0;
}

static void
answer_text(struct igw_call *call)
{
    struct igw_buf text;

    igw_buf_init(&text);
    igw_buf_puts(&text, SENTENCE "\n");
    if (is_hinted(call)) {
        igw_buf_printf(&text,
                       "A bearer token is not taken here: send the session id"
                       " as the header or cookie %s.\n",
                       client_session_name(call));
    }
    igw_response_text(call->response, 200, "text/plain; charset=utf-8",
                      text.failed ? igw_slice_of(SENTENCE "\n")
                                  : igw_buf_slice(&text));
    igw_buf_clear(&text);
    if (call->request->is_internal) {
        igw_response_header(call->response, "X-Accel-Expires",
                            igw_slice_of(KEPT_SEC));
    }
}

void
signin_get(struct igw_call *call)
{
    const char *accept = igw_request_param(call->request, "HTTP_ACCEPT");

    igw_response_header(call->response, "Vary",
                        igw_slice_of("Accept, Sec-Fetch-Mode, Sec-Fetch-Dest"));
    switch (igw_accept_choose(accept, offers, FORMS)) {
    case FORM_PROBLEM:
        answer_problem(call);
        break;
    case FORM_HTML:
        browser_signin(call);
        return;
    default:
        answer_text(call);
        break;
    }
    igw_response_set_header(call->response, "Cache-Control",
                            igw_slice_of("no-store"));
    igw_response_guard(call->response);
}
