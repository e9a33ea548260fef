/*
 * igw.h: the words that every file of both applications shares.
 */
#ifndef IGW_H
#define IGW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IGW_MUST_CHECK          __attribute__((warn_unused_result))
#define IGW_PRINTF(text, first) __attribute__((format(printf, text, first)))

/* The outcome of everything that can fail; problem.c maps it to HTTP. */
enum igw_result {
    IGW_OK = 0,
    IGW_INVALID,     /* the caller's data breaks a rule; said to the client */
    IGW_DENIED,      /* not allowed, or no such credentials */
    IGW_NOT_FOUND,   /* the named thing does not exist */
    IGW_CONFLICT,    /* a uniqueness rule of the store forbids it */
    IGW_UNAVAILABLE, /* the store cannot be asked, or the outcome is unknown */
    IGW_ERROR        /* ours: out of memory, a bug, a broken library call */
};

/* Bytes that somebody else owns; may hold any byte, not NUL-terminated. */
struct igw_slice {
    const char *data;
    size_t len;
};

/* The slice of a C string; NULL gives the empty slice. */
struct igw_slice igw_slice_of(const char *text);
bool igw_slice_equal(struct igw_slice a, struct igw_slice b);
bool igw_slice_is(struct igw_slice a, const char *text);

#endif
