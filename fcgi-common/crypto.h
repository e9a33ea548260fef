/*
 * crypto.h: hashing, randomness and keys over OpenSSL's EVP, which crypto.c
 * alone includes. Every failure denies: no function returns a half result.
 */
#ifndef IGW_CRYPTO_H
#define IGW_CRYPTO_H

#include "buf.h"
#include "json.h"

enum { IGW_SHA256_SIZE = 32, IGW_ES256_SIGNATURE_SIZE = 64 };

enum igw_result
igw_sha256(const void *data, size_t len,
           unsigned char digest[IGW_SHA256_SIZE]) IGW_MUST_CHECK;
enum igw_result igw_random(void *out, size_t len) IGW_MUST_CHECK;
void igw_wipe(void *data, size_t len);
/* Whether the bytes are the same, in a time that depends on len only. */
bool igw_secret_equal(const void *a, const void *b, size_t len);

/*
 * A P-256 key, private or public, parsed once and shared by all threads.
 * Its kid is the RFC 7638 thumbprint of the public half.
 */
struct igw_key;

enum { IGW_KID_SIZE = 43 };

struct igw_key *igw_key_generate(void) IGW_MUST_CHECK;
void igw_key_free(struct igw_key **key);
const char *igw_key_kid(const struct igw_key *key);
bool igw_key_is_private(const struct igw_key *key);

/*
 * PKCS#8, encrypted under the passphrase (AES-256-CBC, PBKDF2), PEM, appended.
 * IGW_INVALID: an empty passphrase, or not a private key.
 */
enum igw_result igw_key_export(const struct igw_key *key,
                               struct igw_slice passphrase,
                               struct igw_buf *pem) IGW_MUST_CHECK;
/* IGW_DENIED: wrong passphrase. IGW_INVALID: not a P-256 private key. */
enum igw_result igw_key_import(struct igw_slice pem,
                               struct igw_slice passphrase,
                               struct igw_key **key) IGW_MUST_CHECK;

/* Public JWK (RFC 7517): kty crv x y use=sig alg=ES256 kid; never d. */
struct json_t *igw_key_jwk(const struct igw_key *key) IGW_MUST_CHECK;
/*
 * IGW_INVALID: not an EC P-256 public key whose point is on the curve, has a
 * private member, another `use` or `alg`, key_ops without verify, or a kid
 * that is not [A-Za-z0-9_-]{1,64}. The kid is kept as it is, because another
 * provider's need not be a thumbprint.
 */
enum igw_result igw_key_from_jwk(const struct json_t *jwk,
                                 struct igw_key **key) IGW_MUST_CHECK;

/* ES256 (RFC 7518 3.4): 64 bytes r || s. */
enum igw_result
igw_key_sign(const struct igw_key *key, struct igw_slice data,
             unsigned char signature[IGW_ES256_SIGNATURE_SIZE]) IGW_MUST_CHECK;
/* IGW_DENIED: not this key's signature of these bytes. */
enum igw_result igw_key_verify(const struct igw_key *key, struct igw_slice data,
                               struct igw_slice signature) IGW_MUST_CHECK;

/* A set of public keys, found by exact kid. Not changed once it is shared. */
struct igw_keyset;

/*
 * JWKS text. Keys of other kinds or algorithms are passed over; none left, or
 * one kid twice, is IGW_INVALID. Unless IGW_OK, `why` says what was wrong.
 */
enum igw_result igw_keyset_parse(struct igw_slice jwks, struct igw_keyset **set,
                                 char why[160]) IGW_MUST_CHECK;
void igw_keyset_free(struct igw_keyset **set);
const struct igw_key *igw_keyset_find(const struct igw_keyset *set,
                                      struct igw_slice kid);

#endif
