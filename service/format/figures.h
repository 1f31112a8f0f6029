// SPDX-License-Identifier: Apache-2.0
// An answer in words for people: what a table on a terminal and one in a text have in common. Labels instead of codes,
// the noise range beside every figure, flags in words; figures within what is possible (no negative number of people).
// Thread safety: pure.   Depends on: wire/answer.h, format/{grid,text}.h.
#pragma once
#include "service/format/asked.h"
#include "service/format/grid.h"
#include "service/format/text.h"
#include "service/wire/answer.h"

// The reader's words and numbers. Either call may return NULL, and then the concept or code itself is shown.
typedef struct {
    const char *(*concept)(void *state, const char *concept);
    const char *(*code)(void *state, const char *concept, const char *code);
    void *state;
    const gw_numbers *numbers; // how tables write figures; NULL: 24,108.5
} gw_labels;
const char *gw_label_of_concept(const gw_labels *labels, const char *concept); // `labels` may be NULL
const char *gw_label_of_code(const gw_labels *labels, const char *concept, const char *code);
// How a sentence or a list names a unit: "people" for PS, "hours" for H; "" for a plain number; others as they are.
const char *gw_unit_word(const char *unit);

// A breakdown that the statistic has of its own: of histograms, quantiles, series.
bool gw_axis_is_own(const gw_answer *answer, size_t axis);

// Said first and last of figures that are made from the policy alone.
#define GW_NOT_REAL "NOT REAL: made from the policy alone, about nobody; for trying things out."
// The notice says so by itself.
bool gw_notice_says_not_real(const gw_answer *answer);
// The answer's notice, and GW_NOT_REAL before it where the figures are dummies and it does not say so itself. Appends
// nothing where there is neither.
void gw_notice_append(const gw_answer *answer, gw_buffer *buffer);
// What of one person counts, for programs: "keep-rows 3"; "" where nothing was bounded.
#define GW_BOUNDS_TEXT 160
void gw_bounds_format(const gw_answer *answer, char text[GW_BOUNDS_TEXT]);

// The cells. `ret_is_clipped`: a figure was moved into what is possible. NULL without memory.
gw_grid *gw_figures_grid(const gw_answer *answer, const gw_labels *labels, bool *ret_is_clipped);
// The lines below them, in order: each is handed to `line`, with the indent of its continuation.
typedef void (*gw_figures_line)(void *state, const char *text, unsigned indent);
void gw_figures_notes(const gw_answer *answer, const gw_labels *labels, bool is_clipped, gw_figures_line line,
                      void *state);
