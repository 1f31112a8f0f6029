// SPDX-License-Identifier: Apache-2.0
// The parts mechanism: adds independent discrete Laplace noise to every value of an exact table.
// Counts have one part (sensitivity 1); rates have two (with and without the property; sensitivity 1); means have two
// (sum of x and sum of W - x on the grid; sensitivity W). Full epsilon on each, no splitting: a person's parts sum to a
// constant. Proof: parts.md. The number of random bytes drawn and of instructions run depends on public shape only.
// Thread safety: pure given its source.   Depends on: exact_table.h, released.h, random_source.h, sampling/.
#pragma once
#include "privacy/exact_table.h"
#include "privacy/linkage.h"
#include "privacy/random_source.h"
#include "privacy/released.h"
#include "privacy/sampling/discrete_laplace.h"

GW_C_BEGIN

// Draws every noise value first, then reads `exact` once. GW_INVALID: epsilon or sensitivity is 0, or their ratio is
// outside what the sampler certifies; otherwise the source's own failure. `exact` stays the caller's (who frees and so
// wipes it).
GW_MUST_CHECK gw_status gw_parts_release(const gw_exact_table *exact, gw_noise noise, gw_random_source source,
                                         gw_released_table **ret_table);

// The same under a sampler made before (for the same `noise`), so that a service need not certify thresholds twice.
GW_MUST_CHECK gw_status gw_parts_release_under(const gw_exact_table *exact, const gw_discrete_laplace *sampler,
                                               gw_noise noise, gw_random_source source, gw_released_table **ret_table);

GW_C_END
