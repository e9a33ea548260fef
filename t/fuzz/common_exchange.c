/*
 * Parameters of a whole request, through libfcgi: a handler sees those that
 * were sent, and clean ones; the answer is well-formed whatever was asked.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "exchange.h"
#include "fuzz.h"
#include "log.h"
#include "params.h"
#include "problem.h"

enum { BODY_MAX = 4096, ANSWER_MAX = 65536 };

static struct igw_slice sent;
static size_t handled;

static bool
was_sent(const char *param)
{
    struct igw_slice rest = sent;
    struct igw_slice name;
    struct igw_slice value;

    while (igw_pair_next(&rest, &name, &value) == IGW_OK) {
        if (strncmp(param, name.data, name.len) == 0 && param[name.len] == '='
            && strncmp(param + name.len + 1, value.data, value.len) == 0) {
            return true; /* or the first one of a list */
        }
    }
    return false;
}

static void
handle(struct igw_call *call)
{
    handled++;
    MUST(call->request->path[0] == '/');
    MUST(call->request->id[0] != '\0');
    for (char **param = call->request->params; *param != NULL; param++) {
        for (const char *byte = *param; *byte != '\0'; byte++) {
            MUST((unsigned char)*byte >= ' ' || *byte == '\t');
        }
        /* the one is trimmed, the other is libfcgi's own */
        MUST(strncmp(*param, "SCRIPT_NAME=", 12) == 0
             || strcmp(*param, "FCGI_ROLE=RESPONDER") == 0 || was_sent(*param));
    }
    igw_problem(call, 404, "not_found", call->request->path);
}

/* FastCGI 1.0, 3.3: records of stdout or stderr, then FCGI_END_REQUEST. */
static void
check_answer(const unsigned char *bytes, size_t len)
{
    bool has_ended = false;

    while (len > 0) {
        size_t size;

        MUST(len >= 8 && bytes[0] == 1 && !has_ended);
        MUST(bytes[1] == 6 || bytes[1] == 7 || bytes[1] == 3);
        size = 8 + ((size_t)bytes[4] << 8 | bytes[5]) + bytes[6];
        MUST(size <= len);
        has_ended = bytes[1] == 3;
        bytes += size;
        len -= size;
    }
    MUST(has_ended);
}

static void
send_answer(struct igw_exchange *exchange)
{
    static unsigned char bytes[ANSWER_MAX];
    int pair[2];
    ssize_t len;
    size_t whole = 0;

    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    MUST(igw_exchange_send(exchange, pair[0]));
    (void)close(pair[0]);
    while ((len = read(pair[1], bytes + whole, sizeof(bytes) - whole)) > 0) {
        whole += (size_t)len;
    }
    (void)close(pair[1]);
    check_answer(bytes, whole);
}

static void
add_record(struct igw_buf *out, int type, const void *data, size_t len)
{
    const unsigned char header[8] = { 1,
                                      (unsigned char)type,
                                      0,
                                      1,
                                      (unsigned char)(len >> 8),
                                      (unsigned char)len,
                                      0,
                                      0 };

    igw_buf_append(out, header, sizeof(header));
    igw_buf_append(out, data, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct igw_exchange *exchange;
    struct igw_call call = { 0 };
    struct igw_frame frame;
    struct igw_buf bytes;

    if (exchange == NULL) {
        igw_log_init("fuzz", IGW_LOG_ERROR);
        exchange = igw_exchange_new();
        MUST(exchange != NULL);
    }
    size = size > 60000 ? 60000 : size;
    igw_buf_init(&bytes);
    add_record(&bytes, 1, "\0\1\1\0\0\0\0\0", 8);
    if (size > 0) {
        add_record(&bytes, 4, data, size);
    }
    add_record(&bytes, 4, NULL, 0);
    add_record(&bytes, 5, NULL, 0);
    igw_frame_init(&frame, BODY_MAX, BODY_MAX * 32);
    MUST(igw_frame_feed(&frame, bytes.data, bytes.len) == bytes.len);
    MUST(frame.stage == IGW_FRAME_WHOLE);
    sent = igw_buf_slice(&frame.params);
    if (igw_exchange_handle(exchange, &frame, &call, handle)) {
        send_answer(exchange);
    }
    igw_frame_clear(&frame);
    igw_buf_clear(&bytes);
    return 0;
}
