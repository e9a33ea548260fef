/*
 * profile.h: what a profile is: a row of texts, each there or not. Names are
 * those of OpenID Connect Core 5.1 where it has one.
 */
#ifndef USERPROFILE_PROFILE_H
#define USERPROFILE_PROFILE_H

#include "igw.h"

/* The order of the columns in store.c, and of the members in an answer. */
enum profile_field {
    PROFILE_GIVEN_NAME,
    PROFILE_FAMILY_NAME,
    PROFILE_NICKNAME,
    PROFILE_PICTURE,
    PROFILE_WEBSITE,
    PROFILE_GENDER,
    PROFILE_BIRTHDATE,
    PROFILE_ZONEINFO,
    PROFILE_LOCALE,
    PROFILE_PHONE_NUMBER,
    PROFILE_ADDRESS_FORMATTED,
    PROFILE_ADDRESS_STREET_ADDRESS,
    PROFILE_ADDRESS_LOCALITY,
    PROFILE_ADDRESS_REGION,
    PROFILE_ADDRESS_POSTAL_CODE,
    PROFILE_ADDRESS_COUNTRY,
    PROFILE_BIO,
    PROFILE_CUSTOM, /* the text of a JSON object */
    PROFILE_FIELDS
};

enum { PROFILE_VERSION_SIZE = 24 };

struct profile {
    char *value[PROFILE_FIELDS]; /* owned; NULL: the member is not there */
    int64_t updated_at;          /* seconds since 1970 */
    char version[PROFILE_VERSION_SIZE]; /* another one after each write */
};

void profile_init(struct profile *profile);
void profile_clear(struct profile *profile);

#endif
