// SPDX-License-Identifier: Apache-2.0
// What is measured, where no indicator says it: "count", "sum:income", "net" with what adds and what takes away, whose
// rows, and whether rows or persons are counted.
// Thread safety: pure; texts live in the arena or in argv.   Depends on: client/cli/{line,wording}.h.
#pragma once
#include "client/cli/wording.h"

// Fills statistic, of, table, is_per_person, plus, minus and is_unweighted of `question`, whose indicator is set where
// one was named. Whatever the service would refuse for its form is refused here, in the words of the command line.
// Codes: option_value, bad_name, bad_filter, too_many.
GW_MUST_CHECK gw_status gw_measure_read(const gw_question_options *options, gw_arena *arena, gw_question *question,
                                        gw_problem *ret_problem);
// `text`: CONCEPT=GROUP:REFERENCE, beside a measure or an indicator. Codes: option_value, bad_name.
GW_MUST_CHECK gw_status gw_gap_read(const char *text, gw_arena *arena, gw_question *question, gw_problem *ret_problem);
// "median:age": what --measure takes, typed where an indicator's name belongs.
bool gw_measure_is_meant(const char *word, gw_arena *arena);
