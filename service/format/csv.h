// SPDX-License-Identifier: Apache-2.0
// An answer as CSV for programs: one line per cell, codes not labels, the unbiased figures exactly as released.
// Fields are quoted as RFC 4180 says; lines end in \n, so that line tools work on them.
// Thread safety: pure.   Depends on: base/buffer.h, wire/answer.h.
#pragma once
#include "service/format/asked.h"
#include "service/wire/answer.h"
#include "service/wire/question.h"

// Columns: the breakdown's concepts, then estimate, lower, upper, se, flag, unit, statistic, dataset, indicator,
// release, of, where, epsilon, and notice where there is one (SYNTHETIC data say so in every row).
void gw_format_csv(const gw_answer *answer, const gw_asked *asked, gw_buffer *buffer);
// One line of any fields; NULL is an empty field.
void gw_csv_row(gw_buffer *buffer, const char *const *fields, size_t count);
