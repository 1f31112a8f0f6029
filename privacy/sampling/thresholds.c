// SPDX-License-Identifier: Apache-2.0
// Monotone formulas of q^(2^i), evaluated on bounds; the arithmetic is fixed_point.c's.
#include "privacy/sampling/thresholds.h"
#include <string.h>

#define MICRO_PER_UNIT 1000000u

static const gw_fixed ONE = {.limbs = {[GW_FIXED_FRACTION_LIMBS] = 1}};

// (1 - q) / (1 + q), falling in q.
static bool zero_threshold(const gw_fixed_bounds *q, gw_threshold *ret) {
    gw_fixed one_less_high = gw_fixed_subtract(&ONE, &q->high);
    gw_fixed one_less_low = gw_fixed_subtract(&ONE, &q->low);
    gw_fixed one_plus_high = gw_fixed_add(&ONE, &q->high);
    gw_fixed one_plus_low = gw_fixed_add(&ONE, &q->low);
    gw_fixed_bounds zero;
    return gw_fixed_divide(&one_less_high, &one_plus_high, GW_DOWN, &zero.low) &&
           gw_fixed_divide(&one_less_low, &one_plus_low, GW_UP, &zero.high) && gw_threshold_certify(&zero, ret);
}

// x / (1 + x), rising in x.
static bool binary_bounds(const gw_fixed_bounds *x, gw_fixed_bounds *ret) {
    gw_fixed one_plus_low = gw_fixed_add(&ONE, &x->low);
    gw_fixed one_plus_high = gw_fixed_add(&ONE, &x->high);
    return gw_fixed_divide(&x->low, &one_plus_low, GW_DOWN, &ret->low) &&
           gw_fixed_divide(&x->high, &one_plus_high, GW_UP, &ret->high);
}

// (x^d - x^16) / (1 - x^16) for d = 1 .. value_max, given x and x^16. The four ends are taken on their safe sides,
// which widens the bounds a little and keeps them bounds.
static bool radix_thresholds(const gw_fixed_bounds *x, const gw_fixed_bounds *x16, unsigned value_max,
                             gw_threshold ret[GW_RADIX_VALUES]) {
    gw_fixed divisor_high = gw_fixed_subtract(&ONE, &x16->low);
    gw_fixed divisor_low = gw_fixed_subtract(&ONE, &x16->high);
    gw_fixed_bounds power = {ONE, ONE};
    for (unsigned d = 1; d <= value_max; d++) {
        power.low = gw_fixed_multiply(&power.low, &x->low, GW_DOWN);
        power.high = gw_fixed_multiply(&power.high, &x->high, GW_UP);
        gw_fixed top_low = gw_fixed_subtract(&power.low, &x16->high);
        gw_fixed top_high = gw_fixed_subtract(&power.high, &x16->low);
        gw_fixed_bounds share;
        if (!gw_fixed_divide(&top_low, &divisor_high, GW_DOWN, &share.low) ||
            !gw_fixed_divide(&top_high, &divisor_low, GW_UP, &share.high) || !gw_threshold_certify(&share, &ret[d - 1]))
            return false;
    }
    return true;
}

// Fills the binary thresholds and powers[i] = q^(2^i) for i up to the next multiple of 4; counts the digits.
static gw_status thresholds_binary(gw_fixed_bounds powers[GW_BINARY_DIGITS_MAX + 4], gw_thresholds *ret) {
    unsigned i = 0;
    for (;; i++) {
        gw_fixed_bounds share;
        if (!binary_bounds(&powers[i], &share))
            return GW_INTERNAL;
        if (gw_fixed_is_negligible(&share.high))
            break;
        if (i == GW_BINARY_DIGITS_MAX)
            return GW_INVALID;
        if (!gw_threshold_certify(&share, &ret->binary[i]))
            return GW_INTERNAL;
        powers[i + 1] = gw_fixed_bounds_multiply(&powers[i], &powers[i]);
    }
    ret->binary_count = i;
    ret->radix_count = (i + 3) / 4;
    for (; i < 4 * ret->radix_count; i++)
        powers[i + 1] = gw_fixed_bounds_multiply(&powers[i], &powers[i]);
    return i == 0 ? GW_INVALID : GW_OK;
}

gw_status gw_thresholds_compute(gw_noise noise, gw_thresholds *ret) {
    uint64_t micro = noise.epsilon.micro;
    if (micro == 0 || micro > GW_EPSILON_MICRO_MAX || noise.sensitivity == 0 || noise.sensitivity > GW_SENSITIVITY_MAX)
        return GW_INVALID;
    uint64_t denominator = noise.sensitivity * MICRO_PER_UNIT; // below 2^60
    // Past 200 there is no noise (q < 2^-288), and the halvings below stay few.
    if ((gw_uint128)micro > (gw_uint128)denominator * 200)
        return GW_INVALID;
    gw_fixed_bounds powers[GW_BINARY_DIGITS_MAX + 4];
    memset(ret, 0, sizeof(*ret));
    gw_fixed_exponent exponent;
    if (!gw_fixed_exponent_of(&(gw_wide){{micro}}, &(gw_wide){{denominator}}, &exponent) ||
        !gw_fixed_exp(&exponent, 0, &powers[0]))
        return GW_INTERNAL;
    gw_status status = thresholds_binary(powers, ret);
    if (status != GW_OK)
        return status;
    if (!zero_threshold(&powers[0], &ret->zero))
        return GW_INTERNAL;
    for (unsigned j = 0; j < ret->radix_count; j++) {
        unsigned bits = ret->binary_count - 4 * j;
        unsigned value_max = bits >= 4 ? GW_RADIX_VALUES : (1u << bits) - 1;
        if (!radix_thresholds(&powers[4 * j], &powers[4 * j + 4], value_max, ret->radix[j]))
            return GW_INTERNAL;
    }
    return GW_OK;
}
