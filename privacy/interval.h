// SPDX-License-Identifier: Apache-2.0
// Noise ranges: what the measured integers say about the exact value, at a stated level. Post-processing only.
// Counts use the exact tail; ratios use test inversion (Fieller) with the exact discrete tail where it is affordable
// and a proven upper bound of it elsewhere, so coverage is never below the level. Proof: interval.md. Levels are parts
// per million (950000 = 95 %), 500000 .. 999999. Thread safety: pure; a gw_interval_law is immutable after new. Depends
// on: released.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/released.h"
#include <stdbool.h>

GW_C_BEGIN

#define GW_LEVEL_95 950000u
#define GW_LEVEL_50 500000u

// What is worked out once per table: tails of the noise, and of the sum of `others` noises (shares over k groups have
// others = k - 1; rates and means have others = 1; counts may say 0, and then
// the law answers for single values alone).
typedef struct gw_interval_law gw_interval_law;
GW_MUST_CHECK gw_status gw_interval_law_new(gw_noise noise, uint32_t level_ppm, size_t others, gw_interval_law **ret);
void gw_interval_law_free(gw_interval_law *law); // accepts NULL

// Smallest t with P(|Z| > t) <= 1 - level, for one noise value.
uint64_t gw_interval_half_width(const gw_interval_law *law);
double gw_interval_noise_sd(const gw_interval_law *law);

// The ratio theta = a / (a + b), where a carries one noise value and b the sum of `others` of them.
typedef struct {
    bool is_estimable; // false: the noisy denominator is not positive; estimate and se mean nothing
    double estimate;   // a / (a + b), not clipped
    double se;         // noise standard error by the delta method
    double lower;      // in [0, 1]; 0 and 1 where nothing can be said: not estimable, or no ratio fits
    double upper;
} gw_ratio_range;
gw_ratio_range gw_interval_ratio(const gw_interval_law *law, gw_int128 a, gw_int128 b);
// The acceptance bound c(theta) the ratio interval inverts: theta is in the range iff
// |(1 - theta) a - theta b| <= c(theta). Public so that tests can compute the exact coverage.
double gw_interval_acceptance(const gw_interval_law *law, double theta);

GW_C_END
