// SPDX-License-Identifier: Apache-2.0
// A file of questions: {"godwit_questions":1,"questions":[…]}, comments welcome. Each question stands in it as a
// request has it; a dataset may be named shortly. Thread safety: one thread.   Depends on: client/cli/names.h,
// wire/question.h.
#pragma once
#include "client/cli/names.h"

// Reads and checks all of it; says file, line and column of whatever is wrong. `ret_json` owns the questions' texts and
// is freed by the caller, also on failure. Codes: as gw_question_decode, file_missing, file_unreadable, file_too_big.
GW_MUST_CHECK gw_status gw_questions_file_read(const char *path, gw_arena *arena, gw_json **ret_json,
                                               gw_question *ret_basket, gw_problem *ret_problem);
// Short names of datasets become full ones. Codes: unknown_dataset, ambiguous_dataset.
GW_MUST_CHECK gw_status gw_questions_file_resolve(const gw_names *names, gw_arena *arena, gw_question *basket,
                                                  gw_problem *ret_problem);
