// SPDX-License-Identifier: Apache-2.0
// An answer as newline-delimited JSON: one object per cell, its codes and the fields of fields.h as members. Figures
// are strings, exactly as released; what is missing is null. Thread safety: pure.   Depends on: format/fields.h.
#pragma once
#include "service/format/asked.h"
#include "service/wire/answer.h"

void gw_format_ndjson(const gw_answer *answer, const gw_asked *asked, gw_buffer *buffer);
