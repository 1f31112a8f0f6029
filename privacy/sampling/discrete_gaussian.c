// SPDX-License-Identifier: Apache-2.0
// Rejection in blocks: a block of Laplace proposals of scale t = ceil(sigma), a coin for each, and the accepted ones
// are moved to the front. Which ones those are is the only thing that any branch or address sees.
#include "privacy/sampling/discrete_gaussian.h"
#include "privacy/sampling/bernoulli_exp.h"
#include "privacy/sampling/discrete_laplace.h"
#include "privacy/sampling/wide.h"
#include <stdlib.h>
#include <string.h>

#define PROPOSALS_MAX 64
#define SCALE_BITS_MAX 40        // as the sensitivity of the Laplace law
#define VARIANCE_INVERSE_MAX 354 // below 1/354 every value but 0 has a probability below 2^-255

// A proposal y is accepted with probability exp(-m / (linear * t)), m = square y^2 - linear |y| + constant, which is
// y^2 / (2 variance) - |y| / t and what keeps it from being negative.
struct gw_discrete_gaussian {
    gw_discrete_laplace *proposals;
    gw_bernoulli_exp *coins;
    gw_uint128 square;
    gw_uint128 linear;
    gw_wide constant;
};

typedef struct {
    int64_t values[PROPOSALS_MAX + 1]; // one place more: a rejected last proposal is written and not counted
    gw_wide exponents[PROPOSALS_MAX];
    uint8_t is_accepted[PROPOSALS_MAX];
} proposal_block;

static gw_uint128 greatest_divisor(gw_uint128 a, gw_uint128 b) {
    while (b != 0) {
        gw_uint128 rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

// The smallest t >= 1 with t^2 >= variance; 0 where it would pass 2^SCALE_BITS_MAX.
static uint64_t scale_of(gw_gaussian_variance variance) {
    gw_uint128 least = variance.numerator / variance.denominator + (variance.numerator % variance.denominator != 0);
    if (least >> (2 * SCALE_BITS_MAX) > 1 || least > (gw_uint128)1 << (2 * SCALE_BITS_MAX))
        return 0;
    uint64_t low = 0, high = 1ull << SCALE_BITS_MAX; // low^2 < least <= high^2
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if ((gw_uint128)middle * middle < least)
            low = middle;
        else
            high = middle;
    }
    return high;
}

// The largest value of y (linear - square y) over the integers y >= 0: beside the real maximum at linear / (2 square).
static gw_wide constant_of(gw_uint128 square, gw_uint128 linear) {
    uint64_t y = (uint64_t)(linear / square / 2); // at most sigma
    gw_wide best = gw_wide_multiply(gw_wide_from(linear - square * y), y);
    if (linear / square < (gw_uint128)y + 1)
        return best; // the next is negative
    gw_wide next = gw_wide_multiply(gw_wide_from(linear - square * (y + 1)), y + 1);
    return gw_wide_is_less(best, next) ? next : best;
}

gw_status gw_discrete_gaussian_new(gw_gaussian_variance variance, gw_discrete_gaussian **ret) {
    if (variance.numerator == 0 || variance.denominator == 0 || variance.numerator >> 126 != 0 ||
        variance.numerator <= (variance.denominator - 1) / VARIANCE_INVERSE_MAX)
        return GW_INVALID;
    uint64_t scale = scale_of(variance);
    if (scale == 0)
        return GW_INVALID;
    gw_uint128 square = (gw_uint128)scale * variance.denominator;
    gw_uint128 linear = 2 * variance.numerator;
    gw_uint128 common = greatest_divisor(square, linear);
    gw_discrete_gaussian *law = calloc(1, sizeof(*law));
    if (law == NULL)
        return GW_NO_MEMORY;
    law->square = square / common;
    law->linear = linear / common;
    law->constant = constant_of(law->square, law->linear);
    gw_noise proposals = {{1000000}, scale};
    gw_status status = gw_discrete_laplace_new(proposals, &law->proposals);
    if (status == GW_OK)
        status =
            gw_bernoulli_exp_new_wide(gw_wide_from(1), gw_wide_multiply(gw_wide_from(law->linear), scale), &law->coins);
    if (status == GW_OK)
        *ret = law;
    else
        gw_discrete_gaussian_free(law);
    return status;
}

void gw_discrete_gaussian_free(gw_discrete_gaussian *law) {
    if (law == NULL)
        return;
    gw_discrete_laplace_free(law->proposals);
    gw_bernoulli_exp_free(law->coins);
    free(law);
}

// About a third more proposals than values wanted, and never so few that a second block is likely: on average 1.32 are
// needed a value.
static size_t proposals_for(size_t wanted) {
    return wanted >= PROPOSALS_MAX / 2 ? PROPOSALS_MAX : (wanted + wanted / 2 + 6) / 4 * 4;
}

static gw_wide exponent_of(const gw_discrete_gaussian *law, int64_t value) {
    uint64_t sign = 0 - ((uint64_t)value >> 63);
    uint64_t magnitude = ((uint64_t)value ^ sign) - sign;
    gw_wide square = gw_wide_multiply(gw_wide_multiply(gw_wide_from(law->square), magnitude), magnitude);
    gw_wide linear = gw_wide_multiply(gw_wide_from(law->linear), magnitude);
    return gw_wide_subtract(gw_wide_add(square, law->constant), linear);
}

// Leaves the accepted proposals at the front of block->values, in their order, and tells how many they are.
static gw_status propose(const gw_discrete_gaussian *law, gw_random_source source, proposal_block *block, size_t count,
                         size_t *ret_accepted) {
    gw_status status = gw_discrete_laplace_fill(law->proposals, source, block->values, count);
    if (status != GW_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        block->exponents[i] = exponent_of(law, block->values[i]);
    status = gw_bernoulli_exp_fill_wide(law->coins, source, block->exponents, block->is_accepted, count);
    if (status != GW_OK)
        return status;
    size_t accepted = 0;
    for (size_t i = 0; i < count; i++) {
        block->values[accepted] = block->values[i];
        accepted += block->is_accepted[i];
    }
    *ret_accepted = accepted;
    return GW_OK;
}

gw_status gw_discrete_gaussian_fill(const gw_discrete_gaussian *law, gw_random_source source, int64_t *ret,
                                    size_t count) {
    proposal_block block;
    gw_status status = GW_OK;
    for (size_t done = 0; done < count && status == GW_OK;) {
        size_t accepted = 0;
        status = propose(law, source, &block, proposals_for(count - done), &accepted);
        size_t taken = accepted < count - done ? accepted : count - done;
        memcpy(ret + done, block.values, taken * sizeof(*ret));
        done += taken;
    }
    explicit_bzero(&block, sizeof(block));
    if (status != GW_OK)
        explicit_bzero(ret, count * sizeof(*ret)); // no half of the noise for anybody to use by mistake
    return status;
}
