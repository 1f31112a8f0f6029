// SPDX-License-Identifier: Apache-2.0
// What the files that make a plan share. Nobody outside this room includes it. Each step fills its part of the plan, or
// refuses with a problem.
// Thread safety: one owner.   Depends on: plan.h.
#pragma once
#include "service/query/plan.h"

typedef struct {
    const gw_question *question;
    const gw_policy *policy;
    const gw_catalogue *catalogue;
    gw_arena *arena;
    gw_problem *problem;
    gw_plan *plan;
} gw_plan_builder;

gw_status gw_plan_too_large(const gw_plan_builder *b); // the arena is used up
gw_status gw_plan_unknown_concept(const gw_plan_builder *b, const char *concept);
GW_MUST_CHECK gw_status gw_plan_unknown_code(const gw_plan_builder *b, const gw_plan_axis *axis, const char *code);

// plan_cells.c: where, population, numerator, plus, minus; then the breakdowns.
GW_MUST_CHECK gw_status gw_plan_conditions(const gw_plan_builder *b);
GW_MUST_CHECK gw_status gw_plan_axes(const gw_plan_builder *b);
// plan_tables.c: several tables at one price, knowing their common axes; nothing for one table.
GW_MUST_CHECK gw_status gw_plan_tables(const gw_plan_builder *b);
// plan_grid.c: the bins of statistics by tree or pick, what is measured for them, and the cells of their answers.
GW_MUST_CHECK gw_status gw_plan_grid_make(const gw_plan_builder *b);
// Whether a choice by rank, where the plan has one, is within what its coins are certified for.
bool gw_plan_choice_fits(const gw_plan *plan);
bool gw_plan_is_by_grid(gw_statistic statistic); // quantile, poverty, Gini, quintile ratio, series
#define GW_GAP_SHARES_MAX                                                                                              \
    512u // a range of shares is worked out from the sum of all others' noise, some milliseconds each
// plan_gap.c: the two groups of a gap, where one is asked; after the axes.
GW_MUST_CHECK gw_status gw_plan_gap_resolve(const gw_plan_builder *b);
GW_MUST_CHECK gw_status gw_plan_axis_resolve(const gw_plan_builder *b, const char *concept, gw_plan_axis *ret);
// plan_steps.c: how values of variances and ratios are counted.
GW_MUST_CHECK gw_status gw_plan_spread(const gw_plan_builder *b);
GW_MUST_CHECK gw_status gw_plan_ratio(const gw_plan_builder *b);
GW_MUST_CHECK gw_status gw_plan_too_wide(const gw_plan_builder *b, const char *why);
int64_t gw_plan_common_divisor(int64_t a, int64_t b);
// plan_measure.c: what one row or person adds, in which steps; then, knowing the cells, how much one person may add.
GW_MUST_CHECK gw_status gw_plan_measure(const gw_plan_builder *b);
GW_MUST_CHECK gw_status gw_plan_bounds(const gw_plan_builder *b);
// plan_keys.c: unknown keys of a text concept, and the delta that they cost; and the refusal of such a concept in any
// other place.
GW_MUST_CHECK gw_status gw_plan_keys(const gw_plan_builder *b);
gw_status gw_plan_refuse_text(const gw_plan_builder *b, const gw_column *column);
