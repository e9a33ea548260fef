/*
 * shapes.h: which texts may be a URL, a date and so on. Each text is valid
 * UTF-8 without controls, not empty, and ends with a NUL behind its length.
 */
#ifndef USERPROFILE_SHAPES_H
#define USERPROFILE_SHAPES_H

#include "igw.h"

/* http or https with a host and without credentials; IRIs (RFC 3987), too. */
bool shapes_is_url(struct igw_slice text);
/* OpenID Connect Core 5.1: YYYY-MM-DD, 0000-MM-DD or YYYY, a real date. */
bool shapes_is_birthdate(struct igw_slice text);
/* As the tz database's names are written. */
bool shapes_is_zoneinfo(struct igw_slice text);
/* As BCP 47 tags are written; "_" is in use, too. */
bool shapes_is_locale(struct igw_slice text);
/* E.164: "+", then 7 (the shortest in use) to 15 digits, no 0 in front. */
bool shapes_is_phone_number(struct igw_slice text);

#endif
