/*
 * ready.h: what a program says of itself to those who watch it.
 */
#ifndef IGW_READY_H
#define IGW_READY_H

#include "http.h"

/* What has to be there, and whether it is not. */
struct igw_lack {
    const char *code;
    const char *detail; /* a sentence */
    bool is_lacking;
};

/*
 * 200, or 503 when something is lacking: insiders (request.is_internal) read
 * of each, the code of the first one in `code`, all in `detail`.
 */
void igw_ready_answer(struct igw_call *call, const struct igw_lack *lacks,
                      size_t count);

/* 200: the process answers. */
void igw_ready_live(struct igw_call *call);

#endif
