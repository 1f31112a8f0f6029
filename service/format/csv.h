// SPDX-License-Identifier: Apache-2.0
// An answer as CSV for programs: one line per cell, codes not labels, the unbiased figures exactly as released.
// Fields are quoted as RFC 4180 says; lines end in \n, so that line tools work on them.
// Thread safety: pure.   Depends on: base/buffer.h, format/fields.h.
#pragma once
#include "service/format/asked.h"
#include "service/wire/answer.h"

// Columns: the breakdown's concepts, then the fields of fields.h.
void gw_format_csv(const gw_answer *answer, const gw_asked *asked, gw_buffer *buffer);
// One line of any fields; NULL is an empty field.
void gw_csv_row(gw_buffer *buffer, const char *const *fields, size_t count);
// The same, ending in CRLF as RFC 4180 has it.
void gw_csv_row_crlf(gw_buffer *buffer, const char *const *fields, size_t count);
