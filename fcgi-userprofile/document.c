#include "document.h"

#include <stdio.h>
#include <string.h>

#include "rules.h"
#include "text.h"

enum { TAG_BYTES = 16 }; /* of a SHA-256 */

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
    struct json_t *json = igw_json_object();
    bool is_written;

    is_written =
        igw_json_set_text(json, "sub", identity->sub)
        && igw_json_set_text(json, "preferred_username", identity->username)
        && rules_write(profile, json) == IGW_OK
        && igw_json_set_integer(json, "updated_at", profile->updated_at)
        && igw_json_dump(json, &document->text) == IGW_OK;
    igw_json_free(&json);
    return is_written;
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
