// SPDX-License-Identifier: Apache-2.0
// Figures of groups of saved cells, worked out and written: shared by the parts of `compare`.
// Thread safety: pure but for what is said.   Depends on: client/cli/saved.h.
#pragma once
#include "client/cli/saved.h"

#define GW_FIGURE_TEXT 64
#define GW_FIGURE_DUMMY "NOT REAL: made from the policy alone"

// No negative zero; nothing for an infinite value.
void gw_figure_number(double value, unsigned decimals, char text[GW_FIGURE_TEXT]);
// Ends of ranges are rounded outwards.
double gw_figure_outwards(double value, unsigned decimals, bool is_up);
typedef struct {
    char estimate[GW_FIGURE_TEXT], lower[GW_FIGURE_TEXT], upper[GW_FIGURE_TEXT], se[GW_FIGURE_TEXT];
} gw_figure_texts;
// Empty texts: not estimable, or nothing bounds it.
gw_figure_texts gw_figure_texts_of(const gw_combined *figure, unsigned decimals);
// "-1,204.5", in the reader's own signs.
const char *gw_figure_said(const gw_cli *cli, const char *number, gw_arena *arena);

gw_status gw_figure_refuse(const char *code, const char *what, const char *why, const char *mend,
                           gw_problem *ret_problem);
// What combine.h refuses is not a figure. Codes: not_comparable, too_many.
GW_MUST_CHECK gw_status gw_figure_checked(gw_status status, gw_problem *ret_problem);
// The group's own figure: its sum, or its pooled ratio.
GW_MUST_CHECK gw_status gw_figure_of(const gw_saved_group *group, uint32_t level_ppm, gw_combined *ret,
                                     gw_problem *ret_problem);

const char *gw_proof_word(gw_saved_proof proof); // for programs
void gw_proof_say(gw_cli *cli, const gw_saved *saved, gw_saved_proof proof);
// Where one person may stand in several of `cells` cells.
void gw_pooled_note(gw_cli *cli, const gw_saved *saved, size_t cells);
