// SPDX-License-Identifier: Apache-2.0
// Coins that fall on heads with probability exp(-m * numerator / denominator), in time that does not depend on m or on
// how they fall: one coin per bit of m, all of them thrown. The same primitive serves permute-and-flip, the acceptance
// of the discrete Gaussian, randomised response and the selection of keys. Construction and proof: bernoulli_exp.md.
// Thread safety: a gw_bernoulli_exp is immutable after new and may be shared.   Depends on: random_source.h,
// fixed_point.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/random_source.h"
#include "privacy/sampling/fixed_point.h"

GW_C_BEGIN

typedef struct gw_bernoulli_exp gw_bernoulli_exp;

// GW_INVALID when numerator or denominator is 0. GW_INTERNAL when a threshold cannot be certified (never seen; refuses
// instead of guessing).
GW_MUST_CHECK gw_status gw_bernoulli_exp_new(uint64_t numerator, uint64_t denominator, gw_bernoulli_exp **ret);
// The same for a ratio of 256-bit integers; GW_INVALID also when it is below 2^-127.
GW_MUST_CHECK gw_status gw_bernoulli_exp_new_wide(gw_wide numerator, gw_wide denominator, gw_bernoulli_exp **ret);
void gw_bernoulli_exp_free(gw_bernoulli_exp *law); // accepts NULL

// One coin for each m[i]: ret[i] is 1 for heads, 0 for tails. The random bytes drawn and the instructions run depend on
// (law, count) alone, but for ties of probability < 2^-56 per coin. A failing source leaves tails everywhere.
GW_MUST_CHECK gw_status gw_bernoulli_exp_fill(const gw_bernoulli_exp *law, gw_random_source source, const uint64_t *m,
                                              uint8_t *ret, size_t count);
GW_MUST_CHECK gw_status gw_bernoulli_exp_fill_wide(const gw_bernoulli_exp *law, gw_random_source source,
                                                   const gw_wide *m, uint8_t *ret, size_t count);

GW_C_END
