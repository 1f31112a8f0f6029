// SPDX-License-Identifier: Apache-2.0
// Scores, coins, choice: three passes over all bins, each of the same length and the same instructions whatever the
// data. All coins are thrown and then one head is picked uniformly, which is permute-and-flip without its early end.
#include "privacy/mechanism/quantile.h"
#include "privacy/released_make.h"
#include "privacy/sampling/bernoulli_exp.h"
#include "privacy/sampling/thresholds.h"
#include <stdlib.h>
#include <string.h>

#define PICK_LIMBS 5 // 320 bits: a pick among n heads is uniform but for n / 2^320
#define MICRO_PER_UNIT 1000000u
#define COUNT_BITS 84 // of one bin: a million of them, times the level, stay below 2^124

bool gw_quantile_level_is_sound(gw_quantile_level level) {
    return level.a > 0 && level.a < level.b && level.b <= GW_QUANTILE_DENOMINATOR_MAX;
}

// ---- scores

// All of it is private and wiped at the end.
typedef struct {
    size_t count;       // bins of all groups
    uint64_t *distance; // by bin: how much further from the wanted rank than the best of its group
    uint8_t *heads;
    uint64_t *picks; // PICK_LIMBS by group
} workspace;

// 1 where any bit is set.
static gw_uint128 any_bit(gw_uint128 value) {
    return (value | (0 - value)) >> 127;
}

// Two's complement: 0 where the top bit says negative.
static gw_uint128 at_least_zero(gw_uint128 value) {
    return value & ((value >> 127) - 1);
}

// The value, or INT64_MAX where it is past it.
static gw_uint128 at_most_63_bits(gw_uint128 value) {
    gw_uint128 past = 0 - any_bit(value >> 63);
    return (value & ~past) | (INT64_MAX & past);
}

// b F - a n as far as the bin misses 0: F below the bin is too many, or F up to and with it too few. Both products are
// below 2^124; bins hold no negative counts, so one of the two is 0.
static gw_uint128 bin_distance(gw_quantile_level level, gw_uint128 below, gw_uint128 with, gw_uint128 total) {
    gw_uint128 wanted = total * level.a;
    return at_least_zero(below * level.b - wanted) | at_least_zero(wanted - with * level.b);
}

// Distances of one group, less the smallest. Plain unsigned arithmetic and masks: checked arithmetic of 128 bits
// branches on its operands. What does not fit is noted in bits that are looked at once, at the end. False: a count is
// negative or past COUNT_BITS. A distance past 63 bits counts as one of 63: the smaller of a score and a constant moves
// by no more than the score.
static bool score_group(const gw_int128 *bins, const gw_quantile_shape *shape, uint64_t *distance) {
    gw_uint128 outside = 0, total = 0, below = 0, nearest = INT64_MAX;
    for (size_t i = 0; i < shape->bin_count; i++) {
        total += (gw_uint128)bins[i];
        outside |= (gw_uint128)bins[i] >> COUNT_BITS;
    }
    for (size_t i = 0; i < shape->bin_count; i++) {
        gw_uint128 with = below + (gw_uint128)bins[i];
        gw_uint128 here = at_most_63_bits(bin_distance(shape->level, below, with, total));
        nearest -= at_least_zero(nearest - here);
        distance[i] = (uint64_t)here;
        below = with;
    }
    for (size_t i = 0; i < shape->bin_count; i++)
        distance[i] -= (uint64_t)nearest;
    return outside == 0;
}

// ---- choice

// floor(pick * count / 2^320): uniform below count.
static uint64_t pick_below(const uint64_t *pick, uint64_t count) {
    uint64_t carry = 0;
    for (size_t i = 0; i < PICK_LIMBS; i++)
        carry = (uint64_t)(((gw_uint128)pick[i] * count + carry) >> 64);
    return carry;
}

// The index of the pick-th head. Every bin is looked at, in the same way.
static uint64_t choose(const uint8_t *heads, size_t bin_count, const uint64_t *pick) {
    uint64_t count = 0, seen = 0, chosen = 0;
    for (size_t i = 0; i < bin_count; i++)
        count += heads[i];
    uint64_t wanted = pick_below(pick, count);
    for (size_t i = 0; i < bin_count; i++) {
        uint64_t is_it = (uint64_t)(seen == wanted) & heads[i];
        chosen |= (uint64_t)i & -is_it;
        seen += heads[i];
    }
    return chosen;
}

// ---- release

static uint64_t common_divisor(uint64_t a, uint64_t b) {
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

// The coin of a bin at distance m: exp(-m epsilon / (2 x sensitivity)).
static gw_status coin_new(gw_noise noise, gw_bernoulli_exp **ret) {
    uint64_t denominator;
    uint64_t shared = common_divisor(noise.epsilon.micro, 2 * MICRO_PER_UNIT);
    if (noise.epsilon.micro == 0 || noise.epsilon.micro > GW_EPSILON_MICRO_MAX)
        return GW_INVALID;
    if (!gw_mul_u64(noise.sensitivity, 2 * MICRO_PER_UNIT / shared, &denominator))
        return GW_LIMIT;
    return gw_bernoulli_exp_new(noise.epsilon.micro / shared, denominator, ret);
}

static gw_status quantile_noise(gw_quantile_level level, gw_noise unit, gw_noise *ret) {
    uint64_t a = level.a, b = level.b, sensitivity;
    if (!gw_quantile_level_is_sound(level) || unit.sensitivity == 0 || unit.sensitivity > GW_SENSITIVITY_MAX)
        return GW_INVALID;
    if (!gw_mul_u64(a > b - a ? a : b - a, unit.sensitivity, &sensitivity))
        return GW_LIMIT;
    *ret = (gw_noise){.epsilon = unit.epsilon, .sensitivity = sensitivity};
    return GW_OK;
}

static void wipe(void *bytes, size_t count) {
    if (bytes != NULL)
        explicit_bzero(bytes, count);
    free(bytes);
}

static gw_status work(const gw_exact_table *bins, const gw_quantile_shape *shape, const gw_bernoulli_exp *coin,
                      gw_random_source source, workspace *space, gw_int128 *ret_chosen) {
    gw_status status = source.fill(source.state, space->picks, shape->group_count * PICK_LIMBS * sizeof(uint64_t));
    if (status != GW_OK)
        return status;
    bool is_scored = true;
    for (size_t group = 0; group < shape->group_count; group++)
        is_scored &=
            score_group(bins->values + group * shape->bin_count, shape, space->distance + group * shape->bin_count);
    if (!is_scored)
        return GW_INTERNAL;
    status = gw_bernoulli_exp_fill(coin, source, space->distance, space->heads, space->count);
    for (size_t group = 0; group < shape->group_count && status == GW_OK; group++)
        ret_chosen[group] = (gw_int128)choose(space->heads + group * shape->bin_count, shape->bin_count,
                                              space->picks + group * PICK_LIMBS);
    return status;
}

gw_status gw_quantile_release(const gw_exact_table *bins, const gw_quantile_shape *shape, gw_noise unit,
                              gw_random_source source, gw_released_table **ret_table) {
    gw_noise noise;
    gw_bernoulli_exp *coin = NULL;
    gw_released_table *table = NULL;
    size_t count;
    if (__builtin_mul_overflow(shape->group_count, shape->bin_count, &count) || count == 0 || bins->part_count != 1 ||
        bins->cell_count != count)
        return GW_INVALID;
    gw_status status = quantile_noise(shape->level, unit, &noise);
    if (status == GW_OK)
        status = coin_new(noise, &coin);
    if (status != GW_OK)
        return status;
    workspace space = {.count = count,
                       .distance = calloc(count, sizeof(uint64_t)),
                       .heads = calloc(count, 1),
                       .picks = calloc(shape->group_count, PICK_LIMBS * sizeof(uint64_t))};
    bool is_ready = space.distance != NULL && space.heads != NULL && space.picks != NULL;
    status = is_ready ? gw_released_make(shape->group_count, 1, noise, &table) : GW_NO_MEMORY;
    if (status == GW_OK)
        status = work(bins, shape, coin, source, &space, gw_released_values(table));
    wipe(space.distance, count * sizeof(uint64_t));
    wipe(space.heads, count);
    wipe(space.picks, shape->group_count * PICK_LIMBS * sizeof(uint64_t));
    gw_bernoulli_exp_free(coin);
    if (status != GW_OK) {
        gw_released_free(table);
        return status;
    }
    *ret_table = table;
    return GW_OK;
}
