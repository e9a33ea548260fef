/*
 * rules_fault.h: what the rules' own files share.
 */
#ifndef RULES_FAULT_H
#define RULES_FAULT_H

#include "rules.h"

/* Each is IGW_INVALID when it has filled in *fault. */
enum igw_result rules_refuse(struct rules_fault *fault, const char *code,
                             const char *detail);
/* The rule of every field, before any C string is made of it. */
enum igw_result rules_check_bytes(struct igw_slice given,
                                  struct rules_fault *fault) IGW_MUST_CHECK;
enum igw_result rules_check_length(const char *text, int64_t min, int64_t max,
                                   struct rules_fault *fault) IGW_MUST_CHECK;

/* Letters, marks and digits of any script. */
bool rules_is_word(int32_t code_point);

#endif
