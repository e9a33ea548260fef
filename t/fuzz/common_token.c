/*
 * Of a good token, and of a signed one with any header and payload, only what
 * the policy allows is taken: nothing that differs by a byte from what was
 * signed.
 */
#include "fuzz.h"
#include "text.h"
#include "token.h"

enum { NOW = 1100, LEEWAY_SEC = 5 };

static const struct igw_token_policy policy = { .issuer = { "identprov", 9 },
                                                .audience = { "identgw", 7 },
                                                .now = NOW,
                                                .leeway_sec = LEEWAY_SEC };

static struct igw_key *key;
static struct igw_keyset *keys;
static struct igw_buf good;

static void
set_up(void)
{
    const struct igw_claims claims = { .iss = igw_slice_of("identprov"),
                                       .aud = igw_slice_of("identgw"),
                                       .sub = igw_slice_of("s"),
                                       .sid = igw_slice_of("0123456789abcdef"),
                                       .jti = igw_slice_of("j"),
                                       .preferred_username =
                                           igw_slice_of("ivan"),
                                       .iat = NOW,
                                       .nbf = NOW,
                                       .exp = NOW + 300 };
    struct igw_buf text;
    struct json_t *jwk;
    char why[160];

    key = igw_key_generate(IGW_ES256);
    MUST(key != NULL);
    jwk = igw_key_jwk(key);
    igw_buf_init(&text);
    igw_buf_puts(&text, "{\"keys\":[");
    MUST(igw_json_dump(jwk, &text) == IGW_OK);
    igw_buf_puts(&text, "]}");
    MUST(igw_keyset_parse(igw_buf_slice(&text), &keys, why) == IGW_OK);
    igw_buf_clear(&text);
    igw_json_free(&jwk);
    igw_buf_init(&good);
    MUST(igw_token_sign(key, &claims, &good) == IGW_OK);
}

static enum igw_result
verify(struct igw_slice token)
{
    struct igw_claims claims;
    const char *reason = NULL;
    enum igw_result rc =
        igw_token_verify(keys, token, &policy, &claims, &reason);

    MUST(rc == IGW_OK || (rc == IGW_DENIED && reason != NULL));
    if (rc == IGW_OK) {
        MUST(igw_slice_is(claims.iss, "identprov"));
        MUST(claims.sub.len > 0 && claims.preferred_username.len > 0);
        MUST(strlen(claims.sub.data) == claims.sub.len);
        MUST(claims.exp > NOW - LEEWAY_SEC && claims.iat <= NOW + LEEWAY_SEC);
    }
    igw_claims_clear(&claims);
    return rc;
}

/* The good token with some bytes replaced, cut or put in. */
static void
check_changed(const uint8_t *data, size_t size)
{
    size_t at = (size_t)fuzz_byte(&data, &size) << 8;
    size_t cut = fuzz_byte(&data, &size);
    struct igw_buf token;

    at = (at | fuzz_byte(&data, &size)) % (good.len + 1);
    cut = cut < good.len - at ? cut : good.len - at;
    igw_buf_init(&token);
    igw_buf_append(&token, good.data, at);
    igw_buf_append(&token, data, size);
    igw_buf_append(&token, good.data + at + cut, good.len - at - cut);
    MUST((verify(igw_buf_slice(&token)) == IGW_OK)
         == igw_slice_equal(igw_buf_slice(&token), igw_buf_slice(&good)));
    igw_buf_clear(&token);
}

/* HEADER NUL PAYLOAD, with a good signature. */
static void
check_signed(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    size_t len = strlen(text);
    unsigned char signature[IGW_SIGNATURE_MAX];
    struct igw_buf token;

    igw_buf_init(&token);
    igw_base64url_encode(text, len, &token);
    igw_buf_puts(&token, ".");
    if (len < size) {
        igw_base64url_encode(text + len + 1, size - len - 1, &token);
    }
    MUST(igw_key_sign(key, igw_buf_slice(&token), signature) == IGW_OK);
    igw_buf_puts(&token, ".");
    igw_base64url_encode(signature, igw_key_signature_size(key), &token);
    (void)verify(igw_buf_slice(&token));
    igw_buf_clear(&token);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (key == NULL) {
        set_up();
        MUST(verify(igw_buf_slice(&good)) == IGW_OK);
    }
    switch (fuzz_byte(&data, &size) % 3) {
    case 0:
        check_changed(data, size);
        break;
    case 1:
        check_signed(data, size);
        break;
    default:
        text = fuzz_string(data, size);
        MUST(verify((struct igw_slice){ text, size }) == IGW_DENIED
             || igw_slice_equal((struct igw_slice){ text, size },
                                igw_buf_slice(&good)));
        free(text);
    }
    return 0;
}
