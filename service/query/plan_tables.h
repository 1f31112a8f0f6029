// SPDX-License-Identifier: Apache-2.0
// Several tables of one price: which are measured, what share each has, and which errors that makes. Public figures
// only. Nobody outside this room includes it.
// Thread safety: pure.   Depends on: plan.h, privacy/marginals_split.h.
#pragma once
#include "privacy/marginals_split.h"
#include "service/query/plan.h"

// What the plan measures at the price `epsilon`. GW_INVALID: a price too small to be shared.
GW_MUST_CHECK gw_status gw_plan_tables_law(const gw_plan *plan, gw_epsilon epsilon, gw_marginals_law *ret_law);
// Half the width of the noise range of a cell of each table, in the unit of the answer; INFINITY at a price that
// cannot be shared.
void gw_plan_tables_errors(const gw_plan *plan, gw_epsilon epsilon, uint32_t level_ppm, double *ret_half_widths);
// The largest of those of the tables that were asked for.
double gw_plan_tables_error(const gw_plan *plan, gw_epsilon epsilon, uint32_t level_ppm);
// Smallest epsilon of three digits at which no asked table's error passes `half_width`, within a hundredth.
GW_MUST_CHECK gw_status gw_plan_tables_epsilon_up(const gw_plan *plan, double half_width, gw_epsilon *ret_epsilon);
