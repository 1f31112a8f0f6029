// SPDX-License-Identifier: Apache-2.0
// The pieces of a command line that questions are made of: names, lists, filters. What is wrong is said of what was
// typed, so that nobody has to know what is sent.
// Thread safety: pure; texts live in the arena or in argv.   Depends on: wire/question.h, client/cli/options.h.
#pragma once
#include "client/cli/options.h"
#include "service/wire/question.h"

extern const char gw_line_names_rule[]; // what a name may hold, for a refusal's `why`

// `option` "value" is not `what`.
gw_status gw_line_bad(const char *option, const char *value, const char *what, const char *code, const char *why,
                      const char *mend, gw_problem *ret_problem);
// Code: bad_name, where `name` cannot be the name of `what` ("a concept").
GW_MUST_CHECK gw_status gw_line_name(const char *what, const char *name, gw_problem *ret_problem);
// "a,b" split at single commas; NULL where a part is empty or there are more than `max`.
const char *const *gw_line_list(const char *text, size_t max, gw_arena *arena, size_t *ret_count);
// The filters "C=V1,V2" and "C=LO..HI" of `option` ("--where"). Codes: bad_filter, too_many.
GW_MUST_CHECK gw_status gw_line_filters(const char *option, const gw_words *words, gw_arena *arena,
                                        const gw_filter **ret, size_t *ret_count, gw_problem *ret_problem);
