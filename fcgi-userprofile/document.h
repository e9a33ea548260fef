/*
 * document.h: a profile as its owner sees it: the JSON text and its entity
 * tag.
 */
#ifndef USERPROFILE_DOCUMENT_H
#define USERPROFILE_DOCUMENT_H

#include "profile.h"
#include "tokens.h"

enum { DOCUMENT_ETAG_SIZE = 25 };

struct document {
    struct igw_buf text;
    /*
     * Strong (RFC 9110 8.8.1): of the text and of the row's version, so that a
     * profile that became what it had been before has another one.
     */
    char etag[DOCUMENT_ETAG_SIZE];
};

/* Initializes `document`, which the caller clears in every case. */
enum igw_result document_make(struct document *document,
                              const struct identity *identity,
                              const struct profile *profile) IGW_MUST_CHECK;
void document_clear(struct document *document);

#endif
