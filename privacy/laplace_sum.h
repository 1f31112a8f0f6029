// SPDX-License-Identifier: Apache-2.0
// The law of a weighted sum of at most a few single noise values, in closed form: what noise_sum.h works out by
// transforms, in microseconds, for figures that are worked out cell by cell. Every chance is a proven upper bound of
// the exact one (laplace_sum.md). Used inside privacy/ only. Thread safety: pure.   Depends on: noise_sum.h.
#pragma once
#include "privacy/noise_sum.h"
#include "privacy/linkage.h"

GW_C_BEGIN

#define GW_LAPLACE_TERMS_MAX 4u

typedef struct {
    double scales[GW_LAPLACE_TERMS_MAX], factors[GW_LAPLACE_TERMS_MAX];
    size_t count;
    double smoothing; // what the lattice can add
} gw_laplace_sum;

// False where the terms stand for more than GW_LAPLACE_TERMS_MAX noise values, or for none that is noise.
bool gw_laplace_sum_init(const gw_noise_term *terms, size_t term_count, gw_laplace_sum *ret);
// At least P(|X| > x); the bound never falls when a weight grows by more than one part in 25.
double gw_laplace_sum_chance(const gw_laplace_sum *sum, double x);
// Some c with P(|X| > c) <= chance. 0 where nothing is noisy.
double gw_laplace_sum_quantile(const gw_laplace_sum *sum, double chance);

GW_C_END
