// SPDX-License-Identifier: Apache-2.0
// Survival probabilities P(X >= j), certified one after the other from P(X = 0) = (1 - q)^(1/shares) on; a draw of X is
// the number of them above a random word.
#include "privacy/sampling/negative_binomial.h"
#include "privacy/sampling/digits.h"
#include "privacy/sampling/fixed_point.h"
#include "privacy/sampling/thresholds.h"
#include "privacy/sampling/ties.h"
#include <stdlib.h>
#include <string.h>

#define MICRO_PER_UNIT 1000000u
#define RATIO_MAX 200u // epsilon / sensitivity past this has no noise: q < 2^-288

static const gw_fixed ONE = {.limbs = {[GW_FIXED_FRACTION_LIMBS] = 1}};

struct gw_noise_share {
    gw_digits_kernel kernel;
    size_t entry_count;
    gw_threshold *thresholds; // [j]: P(X >= j + 1), falling
    size_t first_count;
    uint64_t *firsts; // their first limbs, as many as differ from 0, and one 0: a word of 0 ties with all the rest
};

typedef struct {
    uint64_t words[2 * GW_DIGITS_LANES];
    uint64_t values[2 * GW_DIGITS_LANES]; // X of every lane, then Y of every lane
    uint64_t ties[2 * GW_DIGITS_LANES];
} share_block;

// a^power, every product rounded in one direction: monotone in a.
static gw_fixed power_of(const gw_fixed *a, uint32_t power, gw_rounding direction) {
    gw_fixed result = ONE;
    for (unsigned bit = 32; bit-- > 0;) {
        result = gw_fixed_multiply(&result, &result, direction);
        if (power >> bit & 1)
            result = gw_fixed_multiply(&result, a, direction);
    }
    return result;
}

// Bounds of the root of a number below 1, bit by bit from the top: `low` is the largest whose power, rounded up, is at
// most a->low; `high` is one unit above the largest whose power, rounded down, is below a->high.
static gw_fixed_bounds root_of(const gw_fixed_bounds *a, uint32_t degree) {
    gw_fixed_bounds root = {{.limbs = {0}}, {.limbs = {0}}};
    for (int bit = 64 * GW_FIXED_FRACTION_LIMBS - 1; bit >= 0; bit--) {
        gw_fixed low = root.low, high = root.high;
        low.limbs[bit / 64] |= 1ull << (bit % 64);
        high.limbs[bit / 64] |= 1ull << (bit % 64);
        gw_fixed low_power = power_of(&low, degree, GW_UP);
        gw_fixed high_power = power_of(&high, degree, GW_DOWN);
        if (gw_fixed_compare(&low_power, &a->low) <= 0)
            root.low = low;
        if (gw_fixed_compare(&high_power, &a->high) < 0)
            root.high = high;
    }
    root.high = gw_fixed_add_last(&root.high, 1);
    return root;
}

static bool noise_is_valid(gw_noise noise, uint32_t shares) {
    uint64_t micro = noise.epsilon.micro;
    return micro != 0 && micro <= GW_EPSILON_MICRO_MAX && noise.sensitivity != 0 &&
           noise.sensitivity <= GW_SENSITIVITY_MAX && shares != 0 && shares <= GW_NOISE_SHARES_MAX &&
           (gw_uint128)micro <= (gw_uint128)noise.sensitivity * MICRO_PER_UNIT * RATIO_MAX;
}

// q = exp(-epsilon / sensitivity) and P(X = 0).
static bool start_of(gw_noise noise, uint32_t shares, gw_fixed_bounds *ret_q, gw_fixed_bounds *ret_none) {
    gw_fixed_exponent exponent;
    gw_wide numerator = {{noise.epsilon.micro}}, denominator = {{noise.sensitivity * MICRO_PER_UNIT}};
    if (!gw_fixed_exponent_of(&numerator, &denominator, &exponent) || !gw_fixed_exp(&exponent, 0, ret_q))
        return false;
    gw_fixed_bounds rest = {gw_fixed_subtract(&ONE, &ret_q->high), gw_fixed_subtract(&ONE, &ret_q->low)};
    *ret_none = root_of(&rest, shares);
    return true;
}

// From P(X = j) to P(X = j + 1) = P(X = j) q (j + 1/shares) / (j + 1).
static void probability_step(gw_fixed_bounds *probability, const gw_fixed_bounds *q, uint64_t j, uint64_t shares) {
    uint64_t factor = j * shares + 1, divisor = (j + 1) * shares; // below 2^35
    *probability = gw_fixed_bounds_multiply(probability, q);
    probability->low = gw_fixed_scale(&probability->low, factor, divisor, GW_DOWN);
    probability->high = gw_fixed_scale(&probability->high, factor, divisor, GW_UP);
}

// Fills thresholds (GW_NOISE_SHARE_ENTRIES_MAX places) until one is below 2^-256; counts them.
static gw_status table_compute(gw_noise noise, uint32_t shares, gw_threshold *thresholds, size_t *ret_count) {
    gw_fixed_bounds q, probability, survival = {ONE, ONE};
    if (!start_of(noise, shares, &q, &probability))
        return GW_INTERNAL;
    for (uint64_t j = 0;; j++) {
        survival.low = gw_fixed_subtract(&survival.low, &probability.high);
        survival.high = gw_fixed_subtract(&survival.high, &probability.low);
        *ret_count = j;
        if (gw_fixed_is_negligible(&survival.high))
            return j == 0 ? GW_INVALID : GW_OK;
        if (j == GW_NOISE_SHARE_ENTRIES_MAX)
            return GW_INVALID;
        if (!gw_threshold_certify(&survival, &thresholds[j]))
            return GW_INTERNAL;
        probability_step(&probability, &q, j, shares);
    }
}

static gw_status firsts_take(gw_noise_share *law) {
    law->firsts = calloc(law->entry_count + 1, sizeof(law->firsts[0]));
    if (law->firsts == NULL)
        return GW_NO_MEMORY;
    while (law->first_count < law->entry_count && law->thresholds[law->first_count].limbs[0] != 0) {
        law->firsts[law->first_count] = law->thresholds[law->first_count].limbs[0];
        law->first_count++;
    }
    law->first_count++; // the 0 after them
    return GW_OK;
}

gw_status gw_noise_share_new(gw_noise noise, uint32_t shares, gw_noise_share **ret) {
    // q^j < 2^-256 from j = 177.5 sensitivity / epsilon on: what is longer than any table is refused before it is
    // begun.
    if (!noise_is_valid(noise, shares) || (gw_uint128)noise.sensitivity * MICRO_PER_UNIT * 177 >
                                              (gw_uint128)noise.epsilon.micro * GW_NOISE_SHARE_ENTRIES_MAX)
        return GW_INVALID;
    gw_noise_share *law = calloc(1, sizeof(*law));
    gw_threshold *table = calloc(GW_NOISE_SHARE_ENTRIES_MAX, sizeof(*table)); // pages that stay untouched cost nothing
    gw_status status = law == NULL || table == NULL ? GW_NO_MEMORY : GW_OK;
    if (status == GW_OK) {
        law->kernel = gw_digits_kernel_best();
        status = table_compute(noise, shares, table, &law->entry_count);
    }
    if (status == GW_OK) {
        law->thresholds = realloc(table, law->entry_count * sizeof(*table));
        table = law->thresholds == NULL ? table : NULL;
        status = law->thresholds == NULL ? GW_NO_MEMORY : firsts_take(law);
    }
    free(table);
    if (status == GW_OK)
        *ret = law;
    else
        gw_noise_share_free(law);
    return status;
}

void gw_noise_share_free(gw_noise_share *law) {
    if (law == NULL)
        return;
    free(law->thresholds);
    free(law->firsts);
    free(law);
}

size_t gw_noise_share_entry_count(const gw_noise_share *law) {
    return law->entry_count;
}

static gw_status resolve_ties(const gw_noise_share *law, gw_random_source source, share_block *block, size_t count) {
    uint64_t any = 0;
    for (size_t i = 0; i < count; i++)
        any |= block->ties[i];
    if (__builtin_expect(any == 0, 1))
        return GW_OK;
    for (size_t i = 0; i < count; i++) {
        gw_status status =
            gw_tie_resolve(source, block->words[i], law->thresholds, law->entry_count, 0, &block->values[i]);
        if (status != GW_OK)
            return status;
    }
    return GW_OK;
}

// The words of every lane's X, then those of every lane's Y. Lanes that round up to a multiple of 4 are thrown away.
static gw_status fill_block(const gw_noise_share *law, gw_random_source source, share_block *block, int64_t *ret,
                            size_t count) {
    size_t lane_count = (count + 3) / 4 * 4;
    gw_status status = source.fill(source.state, block->words, 2 * lane_count * sizeof(block->words[0]));
    if (status != GW_OK)
        return status;
    memset(block->values, 0, sizeof(block->values));
    memset(block->ties, 0, sizeof(block->ties));
    law->kernel(block->words, 2 * lane_count, law->firsts, law->first_count, 0, block->values, block->ties);
    status = resolve_ties(law, source, block, 2 * lane_count);
    if (status != GW_OK)
        return status;
    for (size_t lane = 0; lane < count; lane++)
        ret[lane] = (int64_t)(block->values[lane] - block->values[lane_count + lane]);
    return GW_OK;
}

gw_status gw_noise_share_fill(const gw_noise_share *law, gw_random_source source, int64_t *ret, size_t count) {
    share_block block;
    gw_status status = GW_OK;
    for (size_t done = 0; done < count && status == GW_OK; done += GW_DIGITS_LANES) {
        size_t left = count - done;
        status = fill_block(law, source, &block, ret + done, left < GW_DIGITS_LANES ? left : GW_DIGITS_LANES);
    }
    explicit_bzero(&block, sizeof(block));
    if (status != GW_OK)
        explicit_bzero(ret, count * sizeof(*ret)); // no half of the noise for anybody to use by mistake
    return status;
}
