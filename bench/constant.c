/*
 * constant ADDRESS THREADS TOKEN: an identity provider that has one user, whose
 * sessions are all there are, looks nothing up and signs nothing. It speaks as
 * identprov does, over the same server: what is left is what asking costs.
 * /asked says how often it was asked. It is the application, too: / is the same
 * few bytes for everybody, and /seen says what came.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "route.h"
#include "server.h"

static void serve(struct igw_call *call);
static void authenticate(struct igw_call *call);
static void signin(struct igw_call *call);
static void revocations(struct igw_call *call);
static void count(struct igw_call *call);
static void hello(struct igw_call *call);
static void show(struct igw_call *call);

static const char epoch[] = "1.00000001";
static atomic_ullong asked;

static const struct igw_route routes[] = {
    { IGW_GET, "/authenticate", authenticate, false },
    { IGW_GET, "/signin", signin, false },
    { IGW_GET, "/revocations", revocations, false },
    { IGW_GET, "/asked", count, false },
    { IGW_GET, "/", hello, false },
    { IGW_GET, "/elsewhere", hello, false },
    { IGW_GET, "/.bench/cache", hello, false },
    { IGW_GET, "/seen", show, false }
};

int
main(int argc, char **argv)
{
    struct igw_server server = {
        .body_max_bytes = 65536,
        .request_timeout_ms = 10000,
        .handle = serve,
    };

    if (argc != 4) {
        (void)fprintf(stderr, "usage: constant ADDRESS THREADS TOKEN\n");
        return 2;
    }
    igw_server_block_signals();
    igw_log_init("constant", IGW_LOG_WARN);
    server.listen = argv[1];
    server.threads = strtol(argv[2], NULL, 10);
    server.app = argv[3];
    return igw_server_run(&server) == IGW_OK ? 0 : 1;
}

static void
serve(struct igw_call *call)
{
    igw_route(call, routes, sizeof(routes) / sizeof(routes[0]));
}

static void
authenticate(struct igw_call *call)
{
    const char *token = call->app;
    struct igw_response *response = call->response;
    struct igw_buf body;

    atomic_fetch_add(&asked, 1);
    igw_buf_init(&body);
    igw_buf_printf(&body,
                   "{\"token\":\"%s\",\"token_type\":\"Bearer\","
                   "\"expires_in\":300}",
                   token);
    igw_response_text(response, 200, "application/json", igw_buf_slice(&body));
    igw_buf_clear(&body);
    igw_response_headerf(response, "Authorization", "Bearer %s", token);
    igw_response_header(response, "X-User", igw_slice_of("ivan"));
    igw_response_header(response, "X-Email", igw_slice_of("ivan@example.org"));
    igw_response_header(response, "X-First-Name", igw_slice_of("Ivan"));
    igw_response_header(response, "Identgw-Epoch", igw_slice_of(epoch));
    igw_response_header(response, "X-Accel-Expires", igw_slice_of("3600"));
    igw_response_header(response, "Cache-Control", igw_slice_of("no-store"));
}

static void
signin(struct igw_call *call)
{
    igw_response_text(call->response, 200, "text/plain",
                      igw_slice_of("Please go to login...\n"));
    igw_response_header(call->response, "X-Accel-Expires", igw_slice_of("60"));
}

/* Nothing ever ends. */
static void
revocations(struct igw_call *call)
{
    bool is_first = strstr(call->request->query, "since=1") == NULL;
    struct igw_buf body;

    igw_buf_init(&body);
    igw_buf_printf(&body, "%s %s:0\nend 0\n", is_first ? "reset" : "cursor",
                   epoch);
    igw_response_text(call->response, 200, "text/plain", igw_buf_slice(&body));
    igw_response_header(call->response, "Identgw-Epoch", igw_slice_of(epoch));
    igw_buf_clear(&body);
}

static void
count(struct igw_call *call)
{
    struct igw_buf body;

    igw_buf_init(&body);
    igw_buf_printf(&body, "%llu\n", atomic_load(&asked));
    igw_response_text(call->response, 200, "text/plain", igw_buf_slice(&body));
    igw_buf_clear(&body);
}

static void
hello(struct igw_call *call)
{
    igw_response_text(call->response, 200, "text/plain",
                      igw_slice_of("hello\n"));
}

static void
show(struct igw_call *call)
{
    static const char *const names[] = { "HTTP_AUTHORIZATION", "HTTP_X_USER",
                                         "HTTP_X_EMAIL", "HTTP_X_FIRST_NAME",
                                         "HTTP_COOKIE" };
    struct igw_buf body;

    igw_buf_init(&body);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = igw_request_param(call->request, names[i]);

        igw_buf_printf(&body, "%s\n", value == NULL ? "" : value);
    }
    igw_response_text(call->response, 200, "text/plain", igw_buf_slice(&body));
    igw_buf_clear(&body);
}
