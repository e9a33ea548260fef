/*
 * crypto.h: hashing, randomness and keys over OpenSSL's EVP, which crypto.c
 * alone includes. Every failure denies: no function returns a half result.
 */
#ifndef IGW_CRYPTO_H
#define IGW_CRYPTO_H

#include "buf.h"

enum { IGW_SHA256_SIZE = 32 };

enum igw_result
igw_sha256(const void *data, size_t len,
           unsigned char digest[IGW_SHA256_SIZE]) IGW_MUST_CHECK;
/*
 * PBKDF2 (RFC 8018) with HMAC of this digest ("SHA1", "SHA256", "SHA512"); for
 * passwords that other programs have hashed.
 */
enum igw_result igw_pbkdf2(const char *digest, struct igw_slice password,
                           struct igw_slice salt, int iterations,
                           unsigned char *out, size_t len) IGW_MUST_CHECK;
enum igw_result igw_random(void *out, size_t len) IGW_MUST_CHECK;
void igw_wipe(void *data, size_t len);
/* Whether the bytes are the same, in a time that depends on len only. */
bool igw_secret_equal(const void *a, const void *b, size_t len);

enum igw_algorithm { IGW_ES256, IGW_RS256 };

/* As a JWS header names it (RFC 7518 3.1). */
const char *igw_algorithm_name(enum igw_algorithm algorithm);

/*
 * A key of exactly one algorithm, private or public, parsed once and shared by
 * all threads: P-256 for ES256; RSA of 3072 to 4096 bits with the exponent
 * 65537 for RS256. Its kid is the RFC 7638 thumbprint of the public half.
 */
struct igw_key;

enum {
    IGW_KID_SIZE = 43, /* of a thumbprint */
    IGW_KID_MAX = 64,
    IGW_RSA_BITS_MIN = 3072,
    IGW_RSA_BITS_MAX = 4096,
    IGW_NUMBER_MAX = IGW_RSA_BITS_MAX / 8,
    IGW_ES256_SIGNATURE_SIZE = 64,
    IGW_SIGNATURE_MAX = IGW_RSA_BITS_MAX / 8
};

/* The public half, big-endian: x and y in full size, or n and e. */
struct igw_key_numbers {
    unsigned char bytes[2][IGW_NUMBER_MAX];
    size_t len[2];
};

struct igw_key *igw_key_generate(enum igw_algorithm algorithm) IGW_MUST_CHECK;
/* IGW_INVALID: no such public key, or a kid that is empty or too long. */
enum igw_result igw_key_from_numbers(enum igw_algorithm algorithm,
                                     const struct igw_key_numbers *numbers,
                                     struct igw_slice kid,
                                     struct igw_key **key) IGW_MUST_CHECK;
void igw_key_free(struct igw_key **key);
const char *igw_key_kid(const struct igw_key *key);
enum igw_algorithm igw_key_algorithm(const struct igw_key *key);
bool igw_key_is_private(const struct igw_key *key);
const struct igw_key_numbers *igw_key_numbers(const struct igw_key *key);

/*
 * PKCS#8, encrypted under the passphrase (AES-256-CBC, PBKDF2), PEM, appended.
 * IGW_INVALID: an empty passphrase, or not a private key.
 */
enum igw_result igw_key_export(const struct igw_key *key,
                               struct igw_slice passphrase,
                               struct igw_buf *pem) IGW_MUST_CHECK;
/* IGW_DENIED: wrong passphrase. IGW_INVALID: not a private key of these. */
enum igw_result igw_key_import(struct igw_slice pem,
                               struct igw_slice passphrase,
                               struct igw_key **key) IGW_MUST_CHECK;

/* At most IGW_SIGNATURE_MAX. */
size_t igw_key_signature_size(const struct igw_key *key);
/* RFC 7518 3.3 and 3.4 (r || s): writes igw_key_signature_size bytes. */
enum igw_result igw_key_sign(const struct igw_key *key, struct igw_slice data,
                             unsigned char *signature) IGW_MUST_CHECK;
/* IGW_DENIED: not this key's signature of these bytes. */
enum igw_result igw_key_verify(const struct igw_key *key, struct igw_slice data,
                               struct igw_slice signature) IGW_MUST_CHECK;

#endif
