// SPDX-License-Identifier: Apache-2.0
// How far a weighted sum of very many independent noise values of different laws strays, at a stated chance: what
// estimates from several tables need. Proof: noise_blend.md. Used inside privacy/ only. Thread safety: pure.
// Depends on: noise_sum.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/noise_sum.h"

GW_C_BEGIN

#define GW_NOISE_BLEND_TERMS_MAX 4096u // 64 tables, at most 64 different weights each

double gw_noise_blend_sd(const gw_noise_term *terms, size_t count);
// Some c with P(|X| > c) <= chance, within a few hundredths of a standard deviation of the smallest; wider where noise
// is nearly always 0. In bounded time and memory. `chance` is 1e-9 .. 0.5. GW_INVALID: no noise, weights that are no
// weights, too many terms; GW_NO_MEMORY.
GW_MUST_CHECK gw_status gw_noise_blend_quantile(const gw_noise_term *terms, size_t count, double chance,
                                                double *ret_quantile);

GW_C_END
