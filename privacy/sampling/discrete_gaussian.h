// SPDX-License-Identifier: Apache-2.0
// Exact discrete Gaussian noise: P(Z=k) proportional to exp(-k^2 / (2 variance)) for every integer k. Discrete Laplace
// proposals and coins, both of data-independent time; how many proposals it takes is independent of the values that
// come out, so time tells nothing about them. Total variation from the ideal is below 2^-250 per sample. Construction
// and proof: discrete_gaussian.md. Thread safety: a gw_discrete_gaussian is immutable after new and may be shared.
// Depends on: checked.h, random_source.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/checked.h"
#include "privacy/random_source.h"

GW_C_BEGIN

// The law's parameter, numerator / denominator. (The noise's own variance is this, but for less than 1e-6 of it when it
// is at least 1.)
typedef struct {
    gw_uint128 numerator;
    uint64_t denominator;
} gw_gaussian_variance;

typedef struct gw_discrete_gaussian gw_discrete_gaussian;

// GW_INVALID when a part is 0, the variance is past 2^80 or below 1/354 (no noise to speak of), or the fraction in
// lowest terms is too long for certified coins (2 numerator sqrt(variance) past 2^127). GW_INTERNAL when a threshold
// cannot be certified (never seen; refuses instead of guessing).
GW_MUST_CHECK gw_status gw_discrete_gaussian_new(gw_gaussian_variance variance, gw_discrete_gaussian **ret);
void gw_discrete_gaussian_free(gw_discrete_gaussian *law); // accepts NULL

// `count` independent samples. The random bytes drawn and the time spent depend on (law, count) and on which proposals
// are accepted; the latter is independent of `ret`.
GW_MUST_CHECK gw_status gw_discrete_gaussian_fill(const gw_discrete_gaussian *law, gw_random_source source,
                                                  int64_t *ret, size_t count);

GW_C_END
