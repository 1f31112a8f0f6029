// SPDX-License-Identifier: Apache-2.0
// Interval arithmetic on fixed-point integers: 448 fractional bits in 7 limbs, and one whole limb above them. Every
// operation on bounds rounds the lower end down and the upper end up, so the real number is always between them; Ziv's
// test then says whether both ends have the same first 320 bits. No floating point takes part. What the samplers'
// probabilities are made with: discrete_laplace.md, "Certified thresholds".
// Thread safety: pure.   Depends on: wide.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/sampling/wide.h"

GW_C_BEGIN

#define GW_FIXED_FRACTION_LIMBS 7
#define GW_FIXED_LIMBS (GW_FIXED_FRACTION_LIMBS + 1)
#define GW_THRESHOLD_LIMBS 5
// More squarings than this would eat the bits that the test needs; exp of anything that large is negligible.
#define GW_FIXED_DOUBLINGS_MAX 40

// Least significant limb first; value = sum of limbs[i] * 2^(64 (i - 7)).
typedef struct {
    uint64_t limbs[GW_FIXED_LIMBS];
} gw_fixed;

typedef struct {
    gw_fixed low;
    gw_fixed high;
} gw_fixed_bounds;

// A probability's first 320 bits, most significant limb first.
typedef struct {
    uint64_t limbs[GW_THRESHOLD_LIMBS];
} gw_threshold;

// The positive number x * 2^doublings, x below 2^-16.
typedef struct {
    gw_fixed_bounds x;
    int doublings;
} gw_fixed_exponent;

typedef enum { GW_DOWN, GW_UP } gw_rounding;

int gw_fixed_compare(const gw_fixed *a, const gw_fixed *b);
gw_fixed gw_fixed_add(const gw_fixed *a, const gw_fixed *b);
// a - b, or 0 where b is larger: the callers' real differences are never negative.
gw_fixed gw_fixed_subtract(const gw_fixed *a, const gw_fixed *b);
gw_fixed gw_fixed_add_last(const gw_fixed *a, uint64_t units);
gw_fixed gw_fixed_multiply(const gw_fixed *a, const gw_fixed *b, gw_rounding direction);
// a * factor / divisor, for a * factor < 2^64.
gw_fixed gw_fixed_scale(const gw_fixed *a, uint64_t factor, uint64_t divisor, gw_rounding direction);
// a / b for a <= b, b >= 2^-192. False where b is smaller than that.
bool gw_fixed_divide(const gw_fixed *a, const gw_fixed *b, gw_rounding direction, gw_fixed *ret);

gw_fixed_bounds gw_fixed_bounds_multiply(const gw_fixed_bounds *a, const gw_fixed_bounds *b);
bool gw_fixed_is_negligible(const gw_fixed *a); // below 2^-256
// Ziv's test: both ends agree on 320 bits (and are below 1), so the number between them has these bits.
bool gw_threshold_certify(const gw_fixed_bounds *a, gw_threshold *ret);

// numerator / denominator; false where one of them is 0.
bool gw_fixed_exponent_of(const gw_wide *numerator, const gw_wide *denominator, gw_fixed_exponent *ret);
// Bounds of exp(-exponent * 2^power); false past GW_FIXED_DOUBLINGS_MAX, where it is negligible.
bool gw_fixed_exp(const gw_fixed_exponent *exponent, unsigned power, gw_fixed_bounds *ret);

GW_C_END
