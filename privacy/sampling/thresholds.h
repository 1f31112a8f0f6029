// SPDX-License-Identifier: Apache-2.0
// Probabilities of the digits of discrete Laplace noise, certified to 320 bits by integer interval arithmetic.
// Every threshold is floor(2^320 p) of the real number p, proved by a lower and an upper bound with the same floor
// (Ziv); where they differ the computation refuses. No floating point takes part. Derivation: discrete_laplace.md.
// Thread safety: pure.   Depends on: released.h, fixed_point.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/released.h"
#include "privacy/sampling/fixed_point.h"
#include "privacy/status.h"

GW_C_BEGIN

#define GW_BINARY_DIGITS_MAX 62 // |Z| <= 2^62, so a sum with a 64-bit count never leaves 128 bits
#define GW_RADIX_DIGITS_MAX 16  // ceil(62 / 4)
#define GW_RADIX_VALUES 15      // thresholds of one digit in base 16
#define GW_SENSITIVITY_MAX (1ULL << 40)

// q = exp(-epsilon / sensitivity).
typedef struct {
    unsigned binary_count;                     // digits 2^i whose probability reaches 2^-256
    unsigned radix_count;                      // ceil(binary_count / 4)
    gw_threshold zero;                         // P(Z = 0) = (1 - q) / (1 + q)
    gw_threshold binary[GW_BINARY_DIGITS_MAX]; // P(bit i of |Z| - 1 is 1) = q^(2^i) / (1 + q^(2^i))
    // [j][d - 1]: P(digit j of |Z| - 1 in base 16 is at least d); 0 where the digit would pass 2^binary_count.
    gw_threshold radix[GW_RADIX_DIGITS_MAX][GW_RADIX_VALUES];
} gw_thresholds;

// GW_INVALID: epsilon or sensitivity is 0 or past its maximum, |Z| could pass 2^62, or q < 2^-256 (no noise to speak
// of). GW_INTERNAL: a threshold could not be certified.
GW_MUST_CHECK gw_status gw_thresholds_compute(gw_noise noise, gw_thresholds *ret);

GW_C_END
