// SPDX-License-Identifier: Apache-2.0
// One quantile of each group by permute-and-flip (McKenna, Sheldon 2020): of all bins, one near the wanted rank is
// chosen, with a rank error no worse than the exponential mechanism's. A coin per bin is thrown before any is looked
// at, then one of those that show heads is picked at random, so time and random bytes depend on the shape only. For
// several quantiles of one group a tree (mechanism/tree.h) costs one charge; this costs one each. Proof: quantile.md.
// Thread safety: pure given its source.   Depends on: exact_table.h, released.h, random_source.h, sampling/.
#pragma once
#include "privacy/exact_table.h"
#include "privacy/linkage.h"
#include "privacy/random_source.h"
#include "privacy/released.h"

GW_C_BEGIN

// Level a / b with 0 < a < b <= GW_QUANTILE_DENOMINATOR_MAX: 1/2 is the median, 9/10 the ninth decile.
typedef struct {
    uint64_t a;
    uint64_t b;
} gw_quantile_level;
#define GW_QUANTILE_DENOMINATOR_MAX 1000000u
bool gw_quantile_level_is_sound(gw_quantile_level level);

typedef struct {
    size_t group_count;
    size_t bin_count; // candidates of each group: the public grid
    gw_quantile_level level;
} gw_quantile_shape;

// `bins` has group_count * bin_count cells (group-major) of one part: how many units lie in each bin. `unit` says
// epsilon and how many units (persons, or weight) one person adds over all groups. The result has one cell per group:
// the index of the chosen bin. Its gw_released_noise says epsilon and the sensitivity of the score, max(a, b - a) x
// unit: that of a choice, not the law of an additive noise. GW_INVALID: not of this shape, a bad level or law;
// GW_INTERNAL: a count is negative, or 2^84 or more.
GW_MUST_CHECK gw_status gw_quantile_release(const gw_exact_table *bins, const gw_quantile_shape *shape, gw_noise unit,
                                            gw_random_source source, gw_released_table **ret_table);

GW_C_END
