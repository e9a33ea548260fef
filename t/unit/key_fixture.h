/*
 * key_fixture.h: what the tests of keys share.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jwk.h"
#include "text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* RFC 7515 A.3, and the thumbprint that jwcrypto gives its key. */
#define RFC_X          "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""
#define RFC_Y          "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define RFC_POINT      RFC_X "," RFC_Y
#define RFC_THUMBPRINT "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"

#define EC  "\"kty\":\"EC\",\"crv\":\"P-256\""
#define KID "\"kid\":\"k1\""

#define PASSPHRASE "geheim"

/* RFC 7515 A.3's key, written by `openssl pkcs8 -topk8`, 1,000 rounds. */
static const char by_openssl[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhJ4FgLcVE7OAICA+gw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEENhxcXwEyuz7ernJQQZGYwMEgZDh\n"
    "lOF0Edn94MAkKI9xbZVmDF5ZeL+a/S5JKFLTtqQ2cBRcc2iXY5gvtyn7SI9pXQ1G\n"
    "+mySPsKXlPtJhpmwNO6AReu4d5OV5n0lX9fXD9sLzCaM0IFrOkaLA996BSjFc3ty\n"
    "C0vLkwpZYJkXe27PtGAm1+sRHLtq6xkzNSbdfrRqA7stxZO2hXflBvF6mMbbZ+s=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static inline enum igw_result
from_jwk(const char *text, struct igw_key **key)
{
    struct json_t *jwk = NULL;
    struct igw_json_fault fault;
    enum igw_result rc;

    assert_int_equal(igw_json_parse(igw_slice_of(text), &jwk, &fault), IGW_OK);
    rc = igw_key_from_jwk(jwk, key);
    igw_json_free(&jwk);
    return rc;
}

static inline struct igw_key *
rfc_key(void)
{
    struct igw_key *key = NULL;

    assert_int_equal(from_jwk("{" EC "," RFC_POINT "," KID "}", &key), IGW_OK);
    return key;
}

static inline struct igw_slice
slice(const void *data, size_t len)
{
    return (struct igw_slice){ data, len };
}
