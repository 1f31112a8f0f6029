// SPDX-License-Identifier: Apache-2.0
// The law of a weighted sum of independent noise values of different laws, as far as ranges need it: how likely it
// strays how far. Every chance is the exact one or a proven upper bound of it (combine.md), in doubles with room for
// their rounding. Used inside privacy/ only. Thread safety: pure; a gw_noise_sum is immutable after new.
// Depends on: released.h, status.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/released.h"
#include "privacy/status.h"
#include <stdbool.h>

GW_C_BEGIN

// `count` independent noise values, each times `weight`. Signs make no difference: the law is symmetric.
typedef struct {
    gw_noise noise;
    double weight; // >= 0, in the unit of the sum
    size_t count;
} gw_noise_term;

#define GW_NOISE_TERMS_MAX 64u // a path down a tree has three a level

typedef struct gw_noise_sum gw_noise_sum;
// `chance_min` is the smallest chance that will be asked for. With `is_monotone` the stated chances never fall when a
// weight grows, which the exact law of a lattice does not promise; it costs up to half a step of each noise value.
// GW_INVALID: no noise, a weight that is no number; GW_NO_MEMORY.
GW_MUST_CHECK gw_status gw_noise_sum_new(const gw_noise_term *terms, size_t term_count, double chance_min,
                                         bool is_monotone, gw_noise_sum **ret);
void gw_noise_sum_free(gw_noise_sum *sum); // accepts NULL
double gw_noise_sum_sd(const gw_noise_sum *sum);
// At least P(|X| >= x), for x >= 0.
double gw_noise_sum_chance(const gw_noise_sum *sum, double x);
// Some c with P(|X| > c) <= chance, the smallest where the law is exact.
double gw_noise_sum_quantile(const gw_noise_sum *sum, double chance);

GW_C_END
