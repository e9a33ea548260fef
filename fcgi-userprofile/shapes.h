/*
 * shapes.h: which texts may be a URL, a date and so on. Each text is valid
 * UTF-8 without controls, not empty, and ends with a NUL behind its length.
 */
#ifndef USERPROFILE_SHAPES_H
#define USERPROFILE_SHAPES_H

#include "igw.h"

/*
 * http or https (RFC 3986) with a host, perhaps a port, without credentials;
 * IRIs (RFC 3987), too.
 */
bool shapes_is_url(struct igw_slice text);
/* OpenID Connect Core 5.1: YYYY-MM-DD, 0000-MM-DD or YYYY, a real date. */
bool shapes_is_birthdate(struct igw_slice text);
/*
 * A well-formed tag of BCP 47 (RFC 5646 2.2.9), each variant and singleton
 * once; "_" stands for "-", too. In language.c.
 */
bool shapes_is_locale(struct igw_slice text);
/* E.164: "+", then 7 (the shortest in use) to 15 digits, no 0 in front. */
bool shapes_is_phone_number(struct igw_slice text);

#endif
