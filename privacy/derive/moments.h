// SPDX-License-Identifier: Apache-2.0
// Variance and standard deviation from released Bernstein parts (mechanism/moments.h), with a noise range that covers
// at its level or more, at any level. Divided by the number, not by the number less one: the spread of these people,
// not an estimate for others. Post-processing. Proof: moments.md.
// Thread safety: pure.   Depends on: privacy/combine.h.
#pragma once
#include "privacy/combine.h"
#include "privacy/linkage.h"

GW_C_BEGIN

typedef struct {
    gw_combine_part parts[3]; // one noise law and as many values in each; step 1
    double range;             // largest less smallest value, in the unit of the values
    uint64_t width;           // what a unit's parts sum to, in steps: says how finely squares were rounded
} gw_moments;

// Within [0, range^2 / 4], or [0, range / 2]; the whole of it where nothing can be said. The estimate is what the parts
// say, unclipped: a variance may come out below 0, and then there is no estimate of the standard deviation.
// GW_INVALID: no noise, unequal parts, a level out of range.
GW_MUST_CHECK gw_status gw_moments_variance(const gw_moments *moments, uint32_t level_ppm, gw_combined *ret);
GW_MUST_CHECK gw_status gw_moments_sd(const gw_moments *moments, uint32_t level_ppm, gw_combined *ret);
// a - b of two groups that share no released integer, of variances or of standard deviations. The range and the verdict
// are by each side's own range at half the chance: a little wide, and never too narrow.
GW_MUST_CHECK gw_status gw_moments_difference(const gw_moments *a, const gw_moments *b, bool is_sd, uint32_t level_ppm,
                                              gw_combined *ret);

GW_C_END
