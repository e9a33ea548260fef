#include "tokens.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SET_SLOTS = 8, SET_COUNT = TOKENS_COUNT / SET_SLOTS };

struct slot {
    uint64_t generation; /* 0: empty */
    unsigned char digest[IGW_SHA256_SIZE];
    int64_t begin;
    int64_t exp;
    uint32_t sub_len;
    uint32_t username_len;
    char *text; /* "sub\0username\0" */
};

struct tokens {
    pthread_mutex_t lock;
    struct slot slots[SET_COUNT][SET_SLOTS];
};

static struct slot *set_of(struct tokens *tokens,
                           const unsigned char digest[IGW_SHA256_SIZE]);
static struct slot *choose(struct slot *set,
                           const unsigned char digest[IGW_SHA256_SIZE],
                           uint64_t generation);
static void point(struct identity *identity, size_t sub_len,
                  size_t username_len);

void
identity_fill(struct identity *identity, const struct igw_claims *claims)
{
    size_t sub_len = claims->sub.len;
    size_t username_len = claims->preferred_username.len;

    memcpy(identity->text, claims->sub.data, sub_len);
    identity->text[sub_len] = '\0';
    memcpy(identity->text + sub_len + 1, claims->preferred_username.data,
           username_len);
    identity->text[sub_len + 1 + username_len] = '\0';
    identity->begin = claims->nbf > claims->iat ? claims->nbf : claims->iat;
    identity->exp = claims->exp;
    point(identity, sub_len, username_len);
}

static void
point(struct identity *identity, size_t sub_len, size_t username_len)
{
    identity->sub = (struct igw_slice){ identity->text, sub_len };
    identity->username =
        (struct igw_slice){ identity->text + sub_len + 1, username_len };
}

struct tokens *
tokens_new(void)
{
    /* What is never used of it never costs a page. */
    struct tokens *tokens = calloc(1, sizeof(*tokens));

    if (tokens != NULL) {
        pthread_mutex_init(&tokens->lock, NULL);
    }
    return tokens;
}

void
tokens_free(struct tokens **tokens)
{
    if (*tokens == NULL) {
        return;
    }
    for (size_t i = 0; i < TOKENS_COUNT; i++) {
        free((*tokens)->slots[i / SET_SLOTS][i % SET_SLOTS].text);
    }
    pthread_mutex_destroy(&(*tokens)->lock);
    free(*tokens);
    *tokens = NULL;
}

bool
tokens_find(struct tokens *tokens, const unsigned char digest[IGW_SHA256_SIZE],
            uint64_t generation, struct identity *identity)
{
    struct slot *set = set_of(tokens, digest);
    bool is_found = false;

    pthread_mutex_lock(&tokens->lock);
    for (size_t i = 0; i < SET_SLOTS && !is_found; i++) {
        const struct slot *slot = &set[i];

        if (slot->generation == generation && generation != 0
            && memcmp(slot->digest, digest, IGW_SHA256_SIZE) == 0) {
            memcpy(identity->text, slot->text,
                   slot->sub_len + slot->username_len + 2);
            identity->begin = slot->begin;
            identity->exp = slot->exp;
            point(identity, slot->sub_len, slot->username_len);
            is_found = true;
        }
    }
    pthread_mutex_unlock(&tokens->lock);
    return is_found;
}

void
tokens_keep(struct tokens *tokens, const unsigned char digest[IGW_SHA256_SIZE],
            uint64_t generation, const struct identity *identity)
{
    size_t size = identity->sub.len + identity->username.len + 2;
    char *text = size <= TOKENS_TEXT_MAX ? malloc(size) : NULL;
    struct slot *slot;

    if (text == NULL) {
        return;
    }
    memcpy(text, identity->text, size);

    pthread_mutex_lock(&tokens->lock);
    slot = choose(set_of(tokens, digest), digest, generation);
    free(slot->text);
    slot->text = text;
    slot->generation = generation;
    memcpy(slot->digest, digest, IGW_SHA256_SIZE);
    slot->begin = identity->begin;
    slot->exp = identity->exp;
    slot->sub_len = (uint32_t)identity->sub.len;
    slot->username_len = (uint32_t)identity->username.len;
    pthread_mutex_unlock(&tokens->lock);
}

static struct slot *
set_of(struct tokens *tokens, const unsigned char digest[IGW_SHA256_SIZE])
{
    return tokens->slots[(digest[0] | (unsigned)digest[1] << 8) % SET_COUNT];
}

/* Its own slot, else one of no more use, else the one that expires first. */
static struct slot *
choose(struct slot *set, const unsigned char digest[IGW_SHA256_SIZE],
       uint64_t generation)
{
    struct slot *chosen = &set[0];

    for (size_t i = 0; i < SET_SLOTS; i++) {
        struct slot *slot = &set[i];

        if (slot->generation == generation
            && memcmp(slot->digest, digest, IGW_SHA256_SIZE) == 0) {
            return slot;
        }
        if (chosen->generation == generation
            && (slot->generation != generation || slot->exp < chosen->exp)) {
            chosen = slot;
        }
    }
    return chosen;
}
