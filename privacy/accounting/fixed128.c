// SPDX-License-Identifier: Apache-2.0
// Interval arithmetic on unsigned 128-bit integers with 96 fractional bits: lower ends are rounded down, upper ends up,
// and what a series leaves out is added to its upper end (zcdp.md, "Slack").
#include "privacy/accounting/fixed128.h"

#define SERIES_TERMS_MAX 64 // exp needs 21 terms at 1/2, the logarithm 30 at 1/3: the bound is never met

// The 256-bit product as two halves.
static gw_uint128 multiply(gw_uint128 a, gw_uint128 b, gw_uint128 *ret_low) {
    uint64_t a0 = (uint64_t)a;
    uint64_t a1 = (uint64_t)(a >> 64);
    uint64_t b0 = (uint64_t)b;
    uint64_t b1 = (uint64_t)(b >> 64);
    gw_uint128 low = (gw_uint128)a0 * b0;
    gw_uint128 one = (gw_uint128)a1 * b0 + (low >> 64);
    gw_uint128 two = (gw_uint128)a0 * b1 + (uint64_t)one;
    *ret_low = two << 64 | (uint64_t)low;
    return (gw_uint128)a1 * b1 + (one >> 64) + (two >> 64);
}

static gw_fixed128 multiply_round(gw_fixed128 a, gw_fixed128 b, bool is_up) {
    gw_uint128 low = 0;
    gw_uint128 high = multiply(a, b, &low);
    gw_uint128 rest = low & (GW_FIXED128_ONE - 1);
    return (high << (128 - GW_FIXED128_BITS) | low >> GW_FIXED128_BITS) + (is_up && rest != 0);
}

gw_fixed128 gw_fixed128_multiply_down(gw_fixed128 a, gw_fixed128 b) {
    return multiply_round(a, b, false);
}

gw_fixed128 gw_fixed128_multiply_up(gw_fixed128 a, gw_fixed128 b) {
    return multiply_round(a, b, true);
}

// value * factor is 192 bits: divided limb by limb.
static gw_fixed128 scale_round(gw_fixed128 value, uint64_t factor, uint64_t divisor, bool is_up) {
    gw_uint128 low = (gw_uint128)(uint64_t)value * factor;
    gw_uint128 high = (gw_uint128)(uint64_t)(value >> 64) * factor + (low >> 64);
    gw_uint128 rest = high % divisor << 64 | (uint64_t)low;
    gw_fixed128 quotient = high / divisor << 64 | rest / divisor;
    return quotient + (is_up && rest % divisor != 0);
}

gw_fixed128 gw_fixed128_scale_down(gw_fixed128 value, uint64_t factor, uint64_t divisor) {
    return scale_round(value, factor, divisor, false);
}

gw_fixed128 gw_fixed128_scale_up(gw_fixed128 value, uint64_t factor, uint64_t divisor) {
    return scale_round(value, factor, divisor, true);
}

// Bit by bit: a <= b, so the first bit is the whole one. b stays below 2^127, so the rest never loses its top bit.
static gw_fixed128 divide_round(gw_fixed128 a, gw_fixed128 b, bool is_up) {
    gw_fixed128 quotient = 0;
    gw_uint128 rest = a;
    for (int i = 0; i <= GW_FIXED128_BITS; i++) {
        quotient = quotient << 1 | (rest >= b);
        rest = (rest >= b ? rest - b : rest) << 1;
    }
    return quotient + (is_up && rest != 0);
}

gw_fixed128 gw_fixed128_divide_down(gw_fixed128 a, gw_fixed128 b) {
    return divide_round(a, b, false);
}

gw_fixed128 gw_fixed128_divide_up(gw_fixed128 a, gw_fixed128 b) {
    return divide_round(a, b, true);
}

// 2 atanh(numerator / denominator) for a ratio of at most 1/3: 2 (t + t^3/3 + t^5/5 + …). The terms after the one
// of t^k add up to less than t^k / 8, so one more t^k covers them.
static gw_fixed128_range twice_atanh(uint64_t numerator, uint64_t denominator) {
    gw_fixed128_range t = {gw_fixed128_scale_down(GW_FIXED128_ONE, numerator, denominator),
                           gw_fixed128_scale_up(GW_FIXED128_ONE, numerator, denominator)};
    gw_fixed128_range square = {gw_fixed128_multiply_down(t.low, t.low), gw_fixed128_multiply_up(t.high, t.high)};
    gw_fixed128_range power = t;
    gw_fixed128_range sum = t;
    for (uint64_t k = 3; k < 2 * SERIES_TERMS_MAX && power.high > 1; k += 2) {
        power.low = gw_fixed128_multiply_down(power.low, square.low);
        power.high = gw_fixed128_multiply_up(power.high, square.high);
        sum.low += power.low / k;
        sum.high += power.high / k + 1;
    }
    sum.high += power.high;
    return (gw_fixed128_range){2 * sum.low, 2 * sum.high};
}

// n = 2^k z with z from about 2/3 to 4/3: ln n = k ln 2 + 2 atanh((z - 1) / (z + 1)), of either sign.
gw_fixed128_range gw_fixed128_logarithm(uint64_t n) {
    unsigned shift = 63u - (unsigned)__builtin_clzll(n);
    if (n > ((uint64_t)1 << shift) + ((uint64_t)1 << shift) / 3)
        shift++;
    uint64_t power = (uint64_t)1 << shift;
    bool is_above = n >= power;
    gw_fixed128_range rest = twice_atanh(is_above ? n - power : power - n, power + n);
    gw_fixed128_range two = twice_atanh(1, 3);
    gw_fixed128_range whole = {two.low * shift, two.high * shift};
    if (is_above)
        return (gw_fixed128_range){whole.low + rest.low, whole.high + rest.high};
    return (gw_fixed128_range){whole.low - rest.high, whole.high - rest.low};
}

// exp(-x) for x = numerator / denominator <= 1/2: terms alternate and shrink, so what is left out after a term is
// smaller than that term.
static gw_fixed128_range exponential_series(uint64_t numerator, uint64_t denominator) {
    gw_fixed128_range term = {GW_FIXED128_ONE, GW_FIXED128_ONE};
    gw_fixed128_range sum = {GW_FIXED128_ONE, GW_FIXED128_ONE};
    for (uint64_t n = 1; n <= SERIES_TERMS_MAX && term.high > 1; n++) {
        term.low = gw_fixed128_scale_down(term.low, numerator, denominator) / n;
        term.high = gw_fixed128_scale_up(term.high, numerator, denominator) / n + 1;
        if (n % 2 == 0) {
            sum.low += term.low;
            sum.high += term.high;
        } else {
            sum.low -= term.high;
            sum.high -= term.low;
        }
    }
    return (gw_fixed128_range){sum.low - term.high, sum.high + term.high};
}

// The argument is halved until the series may run, and the result squared as often.
gw_fixed128_range gw_fixed128_exponential(uint64_t numerator, uint64_t denominator) {
    unsigned halvings = 0;
    while ((gw_uint128)numerator * 2 > (gw_uint128)denominator << halvings)
        halvings++;
    gw_fixed128_range result = exponential_series(numerator, denominator << halvings);
    for (unsigned i = 0; i < halvings; i++) {
        result.low = gw_fixed128_multiply_down(result.low, result.low);
        result.high = gw_fixed128_multiply_up(result.high, result.high);
    }
    if (result.high > GW_FIXED128_ONE)
        result.high = GW_FIXED128_ONE;
    return result;
}
