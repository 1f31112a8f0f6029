// SPDX-License-Identifier: Apache-2.0
// Any number of quantiles from one measured tree, with ranges; and what is known of the rank of a quantile chosen by
// permute-and-flip. The a/b-quantile is the first bin up to which at least a/b of all lie. Results are indices of bins;
// their public values are the caller's. Post-processing. Proof: quantile.md.
// Thread safety: as tree_estimate.h.   Depends on: tree_estimate.h, mechanism/quantile.h.
#pragma once
#include "privacy/derive/tree_estimate.h"
#include "privacy/linkage.h"
#include "privacy/mechanism/quantile.h"

GW_C_BEGIN

typedef struct {
    bool is_determinable; // false: every bin is possible
    size_t bin;           // estimate, low <= bin <= high
    size_t low;           // the range: holds the exact quantile's bin with at least the level
    size_t high;
} gw_quantile;

#define GW_QUANTILES_MAX 64u // of one question

// `levels` in any order; estimates and ranges never fall as the level rises. GW_INVALID: a bad level, or more than
// GW_QUANTILES_MAX.
GW_MUST_CHECK gw_status gw_quantiles_of(const gw_tree *tree, const gw_quantile_level *levels, size_t count,
                                        uint32_t level_ppm, gw_quantile *ret);
// The same for ranges that miss with at most `chance`, 0 < chance < 1: where a level is shared among several claims.
GW_MUST_CHECK gw_status gw_quantiles_within(const gw_tree *tree, const gw_quantile_level *levels, size_t count,
                                            double chance, gw_quantile *ret);

// Expected half-width of the range of a quantile in ranks (persons), worst over bins: how many more or fewer than a/b
// of the group may lie below the bin shown. Falls as epsilon grows. The range in values depends on how dense people
// are.
double gw_quantile_half_width(const gw_tree_cost *cost, gw_quantile_level level, gw_epsilon epsilon,
                              uint32_t level_ppm);

// Permute-and-flip over `bin_count` bins: the rank (in persons) that the chosen bin misses the wanted one by is above
// this with a chance of at most 1 - level. The exact worst case, and the formula (2 Delta / epsilon) (ln m + ln 1/beta)
// that it lies below. Both fall as epsilon grows.
typedef struct {
    size_t bin_count;
    gw_quantile_level level;
    uint64_t unit_sensitivity;
} gw_quantile_choice;
double gw_quantile_choice_half_width(const gw_quantile_choice *choice, gw_epsilon epsilon, uint32_t level_ppm);
double gw_quantile_choice_bound(const gw_quantile_choice *choice, gw_epsilon epsilon, uint32_t level_ppm);

GW_C_END
