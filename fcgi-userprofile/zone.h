/*
 * zone.h: which time zones there are: the files of the system's database in
 * TZDIR, else /usr/share/zoneinfo, looked at with each question, so that an
 * upgrade of the database needs no restart.
 */
#ifndef USERPROFILE_ZONE_H
#define USERPROFILE_ZONE_H

#include "igw.h"

/*
 * `name` ends with a NUL behind its length. IGW_INVALID: there is no such
 * zone. IGW_UNAVAILABLE: there is no database to look in.
 */
enum igw_result zone_check(struct igw_slice name) IGW_MUST_CHECK;
bool zone_is_installed(void);

#endif
