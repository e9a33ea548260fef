/*
 * fuzz.h: what the fuzz targets share. A target's input is whatever libFuzzer
 * makes of the corpus; MUST() says what has to be so for all of them.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(claim)                                                          \
    do {                                                                     \
        if (!(claim)) {                                                      \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, \
                          #claim);                                           \
            abort();                                                         \
        }                                                                    \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes a byte off the input; 0 at its end. */
static inline uint8_t
fuzz_byte(const uint8_t **data, size_t *size)
{
    if (*size == 0) {
        return 0;
    }
    (*size)--;
    return *(*data)++;
}

/* A copy with a NUL behind it, the caller's: reading past it is seen. */
static inline char *
fuzz_string(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    MUST(text != NULL);
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    return text;
}

#endif
