#include "document.h"

#include <stdio.h>
#include <string.h>

#include "rules.h"
#include "text.h"

enum { TAG_BYTES = 16 /* of a SHA-256 */, USUAL_BYTES = 1024 };

static bool write_text(struct document *document,
                       const struct identity *identity,
                       const struct profile *profile);
static bool make_etag(struct document *document, const char *version);

enum igw_result
document_make(struct document *document, const struct identity *identity,
              const struct profile *profile)
{
    memset(document, 0, sizeof(*document));
    if (!write_text(document, identity, profile)
        || !make_etag(document, profile->version)) {
        return IGW_ERROR;
    }
    return IGW_OK;
}

void
document_clear(struct document *document)
{
    igw_buf_clear(&document->text);
}

static bool
write_text(struct document *document, const struct identity *identity,
           const struct profile *profile)
{
    struct igw_buf *text = &document->text;

    (void)igw_buf_reserve(text, USUAL_BYTES);
    igw_buf_puts(text, "{\"sub\":");
    igw_json_quote(identity->sub, text);
    igw_buf_puts(text, ",\"preferred_username\":");
    igw_json_quote(identity->username, text);
    rules_write(profile, text);
    igw_buf_printf(text, ",\"updated_at\":%lld}",
                   (long long)profile->updated_at);
    return !text->failed;
}

static bool
make_etag(struct document *document, const char *version)
{
    unsigned char digest[IGW_SHA256_SIZE];
    struct igw_buf bytes;
    struct igw_buf tag;
    bool is_made;

    igw_buf_init(&bytes);
    igw_buf_init(&tag);
    igw_buf_puts(&bytes, version);
    igw_buf_append(&bytes, document->text.data, document->text.len);
    is_made =
        !bytes.failed && igw_sha256(bytes.data, bytes.len, digest) == IGW_OK;
    if (is_made) {
        igw_base64url_encode(digest, TAG_BYTES, &tag);
        is_made = !tag.failed;
    }
    if (is_made) {
        (void)snprintf(document->etag, sizeof(document->etag), "\"%s\"",
                       tag.data);
    }
    igw_buf_clear(&bytes);
    igw_buf_clear(&tag);
    return is_made;
}
