/*
 * text.h: Unicode text and the encodings of the web. The one input layer:
 * bytes from outside pass igw_text_check before they become a C string.
 * The only file that includes utf8proc is text.c.
 */
#ifndef IGW_TEXT_H
#define IGW_TEXT_H

#include "buf.h"

enum igw_text_fault {
    IGW_TEXT_OK = 0,
    IGW_TEXT_NOT_UTF8, /* RFC 3629: also overlong, surrogate, > U+10FFFF */
    IGW_TEXT_CONTROL   /* NUL, C0, DEL or C1 */
};

enum igw_text_fault igw_text_check(struct igw_slice text);

/* What a whole HTTP message may hold in a name and in a value. */

/* RFC 9110 5.6.2: not empty, and of the bytes of names. */
bool igw_text_is_token(struct igw_slice text);

/* Whether there is a byte of C0 or DEL, whatever the encoding. */
bool igw_text_has_control(struct igw_slice text);

/* Without the blanks and tabs (RFC 9110 5.6.3) at both ends. Borrowed. */
struct igw_slice igw_text_trim(struct igw_slice text);

/* Number of code points of valid UTF-8. */
size_t igw_text_length(struct igw_slice text);

/* What a code point is, for the rules of names. */
enum igw_text_kind {
    IGW_TEXT_LETTER,      /* Unicode general category L */
    IGW_TEXT_MARK,        /* M */
    IGW_TEXT_NUMBER,      /* N */
    IGW_TEXT_PUNCTUATION, /* P and S */
    IGW_TEXT_SPACE,       /* Zs */
    IGW_TEXT_JOINER,      /* U+200C and U+200D */
    IGW_TEXT_OTHER        /* C, Zl, Zp, and what is ignored when displayed */
};

enum igw_text_kind igw_text_kind(int32_t code_point);

/*
 * Takes the first code point off *text. IGW_NOT_FOUND at its end, IGW_INVALID
 * (and nothing taken) where it is not UTF-8.
 */
enum igw_result igw_text_step(struct igw_slice *text,
                              int32_t *code_point) IGW_MUST_CHECK;

/*
 * The same for text that is known to be valid UTF-8. False at its end.
 */
bool igw_text_next(struct igw_slice *text, int32_t *code_point);

/*
 * Normal forms of valid UTF-8 (UAX #15): NFC for display and storage, NFKC for
 * passwords, NFKC_Casefold for comparing names. The result is malloc'd and
 * NUL-terminated, the caller's; NULL when out of memory or not UTF-8.
 */
char *igw_text_nfc(struct igw_slice text) IGW_MUST_CHECK;
char *igw_text_nfkc(struct igw_slice text) IGW_MUST_CHECK;
char *igw_text_nfkc_casefold(struct igw_slice text) IGW_MUST_CHECK;

/* Lower-case hex; out has room for 2 * len + 1 bytes. */
void igw_hex(const unsigned char *data, size_t len, char *out);

/* RFC 4648 base64url without padding, appended to out. */
void igw_base64url_encode(const void *data, size_t len, struct igw_buf *out);

/*
 * Strict: the alphabet only, no padding, unused bits zero (RFC 7515, one
 * spelling per value). Appends to out; IGW_INVALID otherwise.
 */
enum igw_result igw_base64url_decode(struct igw_slice text,
                                     struct igw_buf *out) IGW_MUST_CHECK;

#endif
