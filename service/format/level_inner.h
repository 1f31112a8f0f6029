// SPDX-License-Identifier: Apache-2.0
// What the ways from an answer to its figures at a level share; nobody but format/level*.c includes it.
// Thread safety: pure; texts live in the arena.   Depends on: wire/answer.h, format/cell_figures.h.
#pragma once
#include "service/format/cell_figures.h"
#include "service/wire/answer.h"

// An answer that is worked out again. `cells` are copies of the answer's, whose ranges are replaced; so are the line
// and the rank's error.
typedef struct {
    const gw_answer *answer;
    uint32_t level_ppm;
    gw_arena *arena;
    size_t only; // of which cell the range is wanted; SIZE_MAX: of all
    gw_answer_cell *cells;
    gw_verdict *verdicts; // of gaps
    gw_answer_line line;
    const char *rank_error;
} gw_level_work;

// The range of one cell.
GW_MUST_CHECK gw_status gw_level_put(gw_level_work *work, size_t cell, const gw_cell_figures *figures);
// A decimal as a fraction in lowest terms. GW_INVALID where a file claims another thing.
GW_MUST_CHECK gw_status gw_level_fraction(const char *text, uint64_t *ret_a, uint64_t *ret_b);

// By what was measured. GW_INVALID: the document does not fit together, or no release holds such integers.
GW_MUST_CHECK gw_status gw_level_tree(gw_level_work *work);
GW_MUST_CHECK gw_status gw_level_tables(gw_level_work *work);
GW_MUST_CHECK gw_status gw_level_keys(gw_level_work *work);
GW_MUST_CHECK gw_status gw_level_choice(gw_level_work *work);
