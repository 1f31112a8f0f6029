// SPDX-License-Identifier: Apache-2.0
// A random word that equals the first limb of a threshold: further limbs of the same uniform number settle it. Bits
// beyond the first difference cannot matter, so drawing them only here changes no outcome's probability.
// Thread safety: pure given its source.   Depends on: random_source.h, fixed_point.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/random_source.h"
#include "privacy/sampling/fixed_point.h"

GW_C_BEGIN

// `value` holds (number of first limbs above `word`) << shift and more. If the word ties, it is corrected to what all
// 320 bits say, and four words are drawn; else nothing happens.
GW_MUST_CHECK gw_status gw_tie_resolve(gw_random_source source, uint64_t word, const gw_threshold *thresholds,
                                       size_t count, unsigned shift, uint64_t *value);

GW_C_END
