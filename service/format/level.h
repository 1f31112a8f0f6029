// SPDX-License-Identifier: Apache-2.0
// An answer's figures at another level, worked out again from its measured integers and the law of their noise: whoever
// reads an answer can, and nobody is asked anything. All of what was measured: parts of cells, the nodes of a tree,
// several tables at one price, unknown keys; of a choice the error of its rank.
// Thread safety: pure; texts live in the arena.   Depends on: wire/answer.h, format/cell_figures.h.
#pragma once
#include "service/format/cell_figures.h"
#include "service/wire/answer.h"

bool gw_answer_has_levels(const gw_answer *answer);
// `ret` borrows from `answer` all but ranges and level. Estimates and flags stay: flags are decided at 95 %. Where
// nothing bounds a figure above at the level, there is no upper. `ret_verdicts`: of a gap, one per cell, in the arena;
// or NULL. GW_INVALID: no levels, a level that is none, integers that no release holds; GW_NO_MEMORY.
GW_MUST_CHECK gw_status gw_answer_at_level(const gw_answer *answer, uint32_t level_ppm, gw_arena *arena, gw_answer *ret,
                                           const gw_verdict **ret_verdicts);
// The ranges of one cell alone: of a tree only its group is worked out.
GW_MUST_CHECK gw_status gw_answer_cell_at_level(const gw_answer *answer, size_t cell, uint32_t level_ppm,
                                                gw_arena *arena, gw_answer_cell *ret);
