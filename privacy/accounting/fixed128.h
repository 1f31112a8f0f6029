// SPDX-License-Identifier: Apache-2.0
// Certified logarithms and exponentials in 128 bits: every result is a pair of integers with the real number between.
// Small and quick beside sampling/fixed_point and its 448 bits, because every charge, and every charge that an auditor
// recomputes, needs one. No floating point: the same integers on every machine.
// Thread safety: pure.   Depends on: checked.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/checked.h"

GW_C_BEGIN

#define GW_FIXED128_BITS 96
#define GW_FIXED128_ONE ((gw_uint128)1 << GW_FIXED128_BITS)

typedef gw_uint128 gw_fixed128; // value = integer / 2^96: from 0 to below 2^32

typedef struct {
    gw_fixed128 low;
    gw_fixed128 high;
} gw_fixed128_range;

// The product, and value * factor / divisor, rounded. The caller knows that the result is below 2^32.
gw_fixed128 gw_fixed128_multiply_down(gw_fixed128 a, gw_fixed128 b);
gw_fixed128 gw_fixed128_multiply_up(gw_fixed128 a, gw_fixed128 b);
gw_fixed128 gw_fixed128_scale_down(gw_fixed128 value, uint64_t factor, uint64_t divisor);
gw_fixed128 gw_fixed128_scale_up(gw_fixed128 value, uint64_t factor, uint64_t divisor);
// a / b for a <= b, b > 0.
gw_fixed128 gw_fixed128_divide_down(gw_fixed128 a, gw_fixed128 b);
gw_fixed128 gw_fixed128_divide_up(gw_fixed128 a, gw_fixed128 b);

// ln(n) for 1 <= n <= 2^62.
gw_fixed128_range gw_fixed128_logarithm(uint64_t n);
// exp(-numerator / denominator) for numerator / denominator <= 256, denominator < 2^50.
gw_fixed128_range gw_fixed128_exponential(uint64_t numerator, uint64_t denominator);

GW_C_END
