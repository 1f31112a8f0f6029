// SPDX-License-Identifier: Apache-2.0
// Poverty and inequality from one measured tree of group x value, charged once: the at-risk-of-poverty rate of each
// group around the median of all, the Gini coefficient, and the quintile share ratio S80/S20. They are those of the
// population with each value taken as the public value of its bin. Ranges hold at their level, are finite and within
// what is possible; where nothing can be said they say so. Post-processing: no second read. Proof: distribution.md.
// Thread safety: as tree_estimate.h.   Depends on: quantile.h.
#pragma once
#include "privacy/derive/quantile.h"
#include "privacy/linkage.h"

GW_C_BEGIN

// The line: `numerator` / `denominator` of the pooled quantile (60/100 of the median). Below it, strictly, is poor.
typedef struct {
    const int64_t *values; // of the bins, strictly rising, in any public unit
    gw_quantile_level quantile;
    uint64_t numerator;
    uint64_t denominator; // both 1 .. 10^6
} gw_poverty_rule;

typedef struct {
    gw_quantile median; // of all groups together
    double line;        // in the unit of values, at the estimate and the ends of the median's range
    double line_low;
    double line_high;
    size_t poor_bins; // the first so many bins lie below the line
    size_t poor_bins_low;
    size_t poor_bins_high;
} gw_poverty_line;

// `ret_rates`: one per group, as fractions. The ranges of line and rate share the level: each rate's range holds with
// at least the level, the line's range too. GW_INVALID: a bad rule, or the table is not of this shape.
GW_MUST_CHECK gw_status gw_poverty_rates(const gw_released_table *table, const gw_tree_shape *shape,
                                         const gw_poverty_rule *rule, uint32_t level_ppm, gw_poverty_line *ret_line,
                                         gw_derived *ret_rates);

// The same from published nodes.
GW_MUST_CHECK gw_status gw_poverty_rates_of_published(const gw_tree_published *published, const gw_poverty_rule *rule,
                                                      uint32_t level_ppm, gw_poverty_line *ret_line,
                                                      gw_derived *ret_rates);

// Gini coefficient, 0 .. 1, of values that are not negative. `values` as above. GW_INVALID: a negative value.
GW_MUST_CHECK gw_status gw_gini(const gw_tree *tree, const int64_t *values, uint32_t level_ppm, gw_derived *ret);

// What the fifth of people with the highest values hold together over what the fifth with the lowest hold: S80/S20, at
// least 1. Where nothing bounds it from above (the lowest fifth may hold nothing), *ret_is_bounded is false and `upper`
// is the estimate or the lower end, whichever is larger: finite, and no bound.
GW_MUST_CHECK gw_status gw_quintile_ratio(const gw_tree *tree, const int64_t *values, uint32_t level_ppm,
                                          gw_derived *ret, bool *ret_is_bounded);

// Expected half-widths before asking, from public figures: rates as fractions (of a group of group_size, with the line
// moving as little as a line does); Gini as a number of 0 .. 1, S80/S20 as a ratio around 5. Fall as epsilon grows.
double gw_poverty_half_width(const gw_tree_cost *cost, gw_epsilon epsilon, uint32_t level_ppm);
double gw_gini_half_width(const gw_tree_cost *cost, gw_epsilon epsilon, uint32_t level_ppm);
double gw_quintile_ratio_half_width(const gw_tree_cost *cost, gw_epsilon epsilon, uint32_t level_ppm);

GW_C_END
