// SPDX-License-Identifier: Apache-2.0
// The inner loop of the digit sampler: how many thresholds lie above each random word. Two builds of it, one for any
// processor and one for AVX2, give the same output for the same words; tests compare them.
// Thread safety: pure.   Depends on: nothing.
#pragma once
#include "privacy/linkage.h"
#include <stddef.h>
#include <stdint.h>

GW_C_BEGIN

#define GW_DIGITS_LANES 64 // samples of one block: one word of signs

// For each of `lane_count` lanes: magnitudes[lane] += (number of firsts above words[lane]) << shift, and ties[lane]
// becomes nonzero where the word equals one of them, so that 64 bits did not decide. lane_count is a multiple of 4. No
// branch and no address depends on a word.
typedef void (*gw_digits_kernel)(const uint64_t *words, size_t lane_count, const uint64_t *firsts, size_t first_count,
                                 unsigned shift, uint64_t *magnitudes, uint64_t *ties);

void gw_digits_kernel_portable(const uint64_t *words, size_t lane_count, const uint64_t *firsts, size_t first_count,
                               unsigned shift, uint64_t *magnitudes, uint64_t *ties);
// The fastest that this processor runs.
gw_digits_kernel gw_digits_kernel_best(void);

GW_C_END
