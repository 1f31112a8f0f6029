// SPDX-License-Identifier: Apache-2.0
// An answer as a table for people: labels instead of codes, the noise range beside every figure, flags in words.
// Figures are shown within what is possible (no negative number of people); machine formats keep them unbiased.
// Thread safety: pure.   Depends on: wire/answer.h, format/grid.h.
#pragma once
#include "service/format/asked.h"
#include "service/wire/answer.h"

// Where labels come from; either call may return NULL, and then the concept or code itself is shown.
typedef struct {
    const char *(*concept)(void *state, const char *concept);
    const char *(*code)(void *state, const char *concept, const char *code);
    void *state;
} gw_labels;

// What was asked first. `labels` may be NULL. No line is wider than `width`.
void gw_format_table(const gw_answer *answer, const gw_asked *asked, const gw_labels *labels, unsigned width,
                     gw_buffer *buffer);
