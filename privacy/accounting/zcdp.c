// SPDX-License-Identifier: Apache-2.0
// Rho of a price, rho of a budget, and the admission rule of both measures (zcdp.md). Integers throughout.
#include "privacy/accounting/zcdp.h"
#include "privacy/accounting/fixed128.h"

#define MICRO_PER_UNIT 1000000u
#define RHO_BITS 40
#define NOISELESS_UNITS 128        // past this epsilon tanh(epsilon / 2) is nearer to epsilon than any unit can tell
#define TOTAL_UNITS_MAX (1u << 22) // a larger total is treated as this one: rho stays below GW_RHO_MAX

// The order b = alpha - 1 of the bound is sought among b = mantissa * 2^exponent. The bound is flat where it is best:
// 18 bits of b lose less than 2^-36 of rho.
#define MANTISSA_MIN ((uint64_t)1 << 17)
#define EXPONENT_MIN (-30) // b from 2^-13
#define EXPONENT_COUNT 41  // to below 2^28

typedef struct {
    uint64_t numerator; // b = numerator / denominator
    uint64_t denominator;
} order;

uint64_t gw_rho_add(uint64_t a, uint64_t b) {
    return a < GW_RHO_MAX && b < GW_RHO_MAX - a ? a + b : GW_RHO_MAX;
}

// epsilon itself in units of rho, rounded up: tanh below 1 by less than a unit's share.
static uint64_t rho_of_noiseless(uint64_t micro) {
    gw_uint128 scaled = ((gw_uint128)micro << RHO_BITS) + MICRO_PER_UNIT - 1;
    return scaled / MICRO_PER_UNIT < GW_RHO_MAX ? (uint64_t)(scaled / MICRO_PER_UNIT) : GW_RHO_MAX;
}

uint64_t gw_rho_of(gw_epsilon epsilon) {
    if (epsilon.micro > (uint64_t)NOISELESS_UNITS * MICRO_PER_UNIT)
        return rho_of_noiseless(epsilon.micro);
    // tanh(epsilon / 2) = (1 - q) / (1 + q) with q = exp(-epsilon), falling in q: its upper end comes from q's lower.
    gw_fixed128 q = gw_fixed128_exponential(epsilon.micro, MICRO_PER_UNIT).low;
    gw_fixed128 tanh_high = gw_fixed128_divide_up(GW_FIXED128_ONE - q, GW_FIXED128_ONE + q);
    gw_fixed128 rho = gw_fixed128_scale_up(tanh_high, epsilon.micro, MICRO_PER_UNIT);
    uint64_t units = (uint64_t)(rho >> (GW_FIXED128_BITS - RHO_BITS));
    return units + ((rho & (((gw_fixed128)1 << (GW_FIXED128_BITS - RHO_BITS)) - 1)) != 0);
}

static order order_at(uint64_t index) {
    int exponent = EXPONENT_MIN + (int)(index / MANTISSA_MIN);
    uint64_t mantissa = MANTISSA_MIN + index % MANTISSA_MIN;
    return exponent < 0 ? (order){mantissa, (uint64_t)1 << -exponent} : (order){mantissa << exponent, 1};
}

// A lower bound of what rho may be at the order 1 + b, with L = ln(1 / delta); negative where nothing may be spent:
//     ( E + ln(1 + 1/b) - (L - ln(1 + b)) / b ) / (1 + b)
static gw_int128 rho_at(uint64_t total_micro, gw_fixed128_range log_inverse_delta, order b) {
    uint64_t sum = b.numerator + b.denominator;
    gw_fixed128_range log_sum = gw_fixed128_logarithm(sum);
    gw_fixed128_range log_numerator = gw_fixed128_logarithm(b.numerator);
    gw_fixed128_range log_denominator = gw_fixed128_logarithm(b.denominator);
    gw_fixed128 gain = gw_fixed128_scale_down(GW_FIXED128_ONE, total_micro, MICRO_PER_UNIT);
    if (log_sum.low > log_numerator.high)
        gain += log_sum.low - log_numerator.high;
    gw_fixed128 log_order = log_sum.low > log_denominator.high ? log_sum.low - log_denominator.high : 0;
    gw_fixed128 loss = 0;
    if (log_inverse_delta.high > log_order)
        loss = gw_fixed128_scale_up(log_inverse_delta.high - log_order, b.denominator, b.numerator);
    else
        gain += gw_fixed128_scale_down(log_order - log_inverse_delta.high, b.denominator, b.numerator);
    return gain >= loss ? (gw_int128)gw_fixed128_scale_down(gain - loss, b.denominator, sum)
                        : -(gw_int128)gw_fixed128_scale_up(loss - gain, b.denominator, sum);
}

uint64_t gw_rho_total(gw_epsilon total, gw_delta delta) {
    if (delta.atto == 0 || delta.atto >= GW_DELTA_ONE_ATTO)
        return 0;
    uint64_t micro_max = (uint64_t)TOTAL_UNITS_MAX * MICRO_PER_UNIT;
    uint64_t micro = total.micro < micro_max ? total.micro : micro_max;
    gw_fixed128_range one = gw_fixed128_logarithm(GW_DELTA_ONE_ATTO);
    gw_fixed128_range part = gw_fixed128_logarithm(delta.atto);
    gw_fixed128_range log_inverse = {one.low > part.high ? one.low - part.high : 0, one.high - part.low};
    // The bound rises to its best order and falls after it (zcdp.md, "The search"): keep the third that holds the best.
    uint64_t low = 0;
    uint64_t high = EXPONENT_COUNT * MANTISSA_MIN - 1;
    while (high - low > 2) {
        uint64_t third = (high - low) / 3;
        if (rho_at(micro, log_inverse, order_at(low + third)) < rho_at(micro, log_inverse, order_at(high - third)))
            low += third;
        else
            high -= third;
    }
    gw_int128 best = 0;
    for (uint64_t i = low; i <= high; i++) {
        gw_int128 rho = rho_at(micro, log_inverse, order_at(i));
        best = rho > best ? rho : best;
    }
    return (uint64_t)(best >> (GW_FIXED128_BITS - RHO_BITS));
}

static bool rho_admits(gw_loss total, gw_loss spent, gw_loss cost) {
    return total.rho > 0 && total.rho < GW_RHO_MAX && gw_budget_admits(total.rho, spent.rho, cost.rho);
}

bool gw_zcdp_admits(gw_loss total, gw_loss spent, gw_loss cost) {
    return gw_budget_admits(total.micro, spent.micro, cost.micro) || rho_admits(total, spent, cost);
}

uint64_t gw_zcdp_fits(gw_loss total, gw_loss spent, gw_epsilon each) {
    // Both measures only fill up: what one of them ends at is not admitted by it again, so the longer run counts.
    uint64_t rho = gw_rho_of(each);
    if (each.micro == 0)
        return 0;
    uint64_t pure = gw_budget_remaining(total.micro, spent.micro) / each.micro;
    uint64_t concentrated = rho_admits(total, spent, (gw_loss){0}) ? (total.rho - spent.rho) / rho : 0;
    return concentrated > pure ? concentrated : pure;
}

gw_epsilon gw_zcdp_remaining(gw_loss total, gw_loss spent) {
    uint64_t low = gw_budget_remaining(total.micro, spent.micro);
    uint64_t high = GW_EPSILON_MICRO_MAX;
    uint64_t left = rho_admits(total, spent, (gw_loss){0}) ? total.rho - spent.rho : 0;
    while (low < high) { // rho rises with epsilon
        uint64_t middle = low + (high - low + 1) / 2;
        if (gw_rho_of((gw_epsilon){middle}) <= left)
            low = middle;
        else
            high = middle - 1;
    }
    return (gw_epsilon){low};
}
