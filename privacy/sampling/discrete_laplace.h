// SPDX-License-Identifier: Apache-2.0
// Exact discrete Laplace noise by independent digits, with data-independent time: no rejection anywhere.
// P(Z=k) = (1-q)/(1+q) q^|k|, q = exp(-epsilon/sensitivity). Thresholds have 320 bits, certified by integer interval
// arithmetic; total variation from the ideal is below 2^-250 per sample. Construction and proof: discrete_laplace.md.
// Thread safety: a gw_discrete_laplace is immutable after new and may be shared.   Depends on: released.h,
// random_source.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/random_source.h"
#include "privacy/released.h"

GW_C_BEGIN

typedef struct gw_discrete_laplace gw_discrete_laplace;

// GW_INVALID when epsilon or sensitivity is 0 or |Z| could pass 2^62 (sensitivity / epsilon too large);
// GW_INTERNAL when a threshold cannot be certified (never seen; refuses instead of guessing).
GW_MUST_CHECK gw_status gw_discrete_laplace_new(gw_noise noise, gw_discrete_laplace **ret);
void gw_discrete_laplace_free(gw_discrete_laplace *law); // accepts NULL

// `count` independent samples. Draws a number of bytes fixed by (law, count), but for ties of probability < 2^-55.
GW_MUST_CHECK gw_status gw_discrete_laplace_fill(const gw_discrete_laplace *law, gw_random_source source, int64_t *ret,
                                                 size_t count);
// The same law by plain binary digits: the reference that the digits in base 16 are tested against.
GW_MUST_CHECK gw_status gw_discrete_laplace_fill_plain(const gw_discrete_laplace *law, gw_random_source source,
                                                       int64_t *ret, size_t count);

GW_C_END
