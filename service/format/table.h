// SPDX-License-Identifier: Apache-2.0
// An answer as a table for people at a terminal. Machine formats keep the unbiased figures.
// Thread safety: pure.   Depends on: format/figures.h.
#pragma once
#include "service/format/figures.h"

// What was asked first. `labels` may be NULL. No line is wider than `width`.
void gw_format_table(const gw_answer *answer, const gw_asked *asked, const gw_labels *labels, unsigned width,
                     gw_buffer *buffer);
