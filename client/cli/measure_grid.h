// SPDX-License-Identifier: Apache-2.0
// What only measures of where people lie take: a quantile's levels and its method, poverty's fraction, how many bins;
// and the everyday names of such measures ("median", "s80s20").
// Thread safety: pure; texts live in the arena or in argv.   Depends on: client/cli/wording.h.
#pragma once
#include "client/cli/wording.h"

// "median" -> a quantile at 0.5; "s80s20" -> the quintile ratio. False: no such name.
bool gw_measure_alias(const char *name, gw_statistic *ret);
// Fills levels, method, fraction and bins of `question`, whose statistic and concept are set. `name` is the measure's,
// as it was typed. Codes: option_value, option_missing.
GW_MUST_CHECK gw_status gw_measure_grid_read(const gw_question_options *options, const char *name, gw_arena *arena,
                                             gw_question *question, gw_problem *ret_problem);
// The option of these that was given, "--at"; NULL where none was.
const char *gw_measure_grid_option(const gw_question_options *options);
