// SPDX-License-Identifier: Apache-2.0
// Names and texts as they stand in SQL, in quotes. Whoever writes a statement takes them from here.
// Thread safety: pure.   Depends on: base/buffer.h.
#pragma once
#include "service/base/buffer.h"

void gw_engine_identifier(gw_buffer *sql, const char *name); // "name", a quote in it doubled
void gw_engine_literal(gw_buffer *sql, const char *text);    // 'text', likewise
