// SPDX-License-Identifier: Apache-2.0
// The recursion of the optimal selection (Desfontaines, Voss, Gipson, Mandayam 2022, Theorem 1) in fixed point. Every
// step rounds pi down; a sliver of delta is held back for what rounding does to the differences of pi, and the result
// is checked whatever the slivers were.
#include "privacy/mechanism/selection_table.h"

#define MICRO_PER_UNIT 1000000u
#define SLIVER_LIMB (GW_FIXED_FRACTION_LIMBS - 4) // 2^-256: 2^64 times a rounding, and far below any delta'
#define HALVINGS 160                              // of the gap between two bounds of delta': to 2^-160 of delta

static const gw_fixed ONE = {.limbs = {[GW_FIXED_FRACTION_LIMBS] = 1}};

static gw_fixed fixed_floor(const gw_fixed *a) {
    gw_fixed floor = *a;
    for (size_t i = 0; i < GW_FIXED_FRACTION_LIMBS - GW_THRESHOLD_LIMBS; i++)
        floor.limbs[i] = 0;
    return floor;
}

static gw_threshold threshold_of(const gw_fixed *a) {
    gw_threshold threshold;
    for (size_t i = 0; i < GW_THRESHOLD_LIMBS; i++)
        threshold.limbs[i] = a->limbs[GW_FIXED_FRACTION_LIMBS - 1 - i];
    return threshold;
}

static gw_fixed fixed_of(const gw_threshold *threshold) {
    gw_fixed value = {.limbs = {0}};
    for (size_t i = 0; i < GW_THRESHOLD_LIMBS; i++)
        value.limbs[GW_FIXED_FRACTION_LIMBS - 1 - i] = threshold->limbs[i];
    return value;
}

// a^exponent, rounded down, for a of at most 1.
static gw_fixed power_down(gw_fixed a, uint64_t exponent) {
    gw_fixed power = ONE;
    for (; exponent > 0; exponent >>= 1) {
        if (exponent & 1)
            power = gw_fixed_multiply(&power, &a, GW_DOWN);
        a = gw_fixed_multiply(&a, &a, GW_DOWN);
    }
    return power;
}

static gw_fixed middle_of(const gw_fixed *low, const gw_fixed *high) {
    gw_fixed sum = gw_fixed_add(low, high);
    return gw_fixed_scale(&sum, 1, 2, GW_DOWN);
}

// The largest delta' that is found with (1 - delta')^keys >= 1 - delta. delta / keys is one, by Bernoulli's inequality.
static gw_fixed delta_of_key(const gw_fixed *delta, uint64_t keys) {
    gw_fixed low = gw_fixed_scale(delta, 1, keys, GW_DOWN), high = *delta;
    gw_fixed kept = gw_fixed_subtract(&ONE, delta);
    for (int i = 0; i < HALVINGS && keys > 1; i++) {
        gw_fixed middle = middle_of(&low, &high);
        gw_fixed power = power_down(gw_fixed_subtract(&ONE, &middle), keys);
        if (gw_fixed_compare(&power, &kept) >= 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

gw_status gw_selection_share_of(gw_selection_price price, gw_selection_share *ret) {
    uint64_t keys = price.keys_per_person;
    if (price.epsilon.micro == 0 || price.epsilon.micro > GW_EPSILON_MICRO_MAX || price.delta.atto == 0 ||
        price.delta.atto >= GW_DELTA_ONE_ATTO || keys == 0 || keys > GW_SELECTION_KEYS_PER_PERSON_MAX ||
        price.epsilon.micro > GW_SELECTION_EPSILON_MAX * MICRO_PER_UNIT * keys)
        return GW_INVALID;
    gw_wide numerator = {.limbs = {price.epsilon.micro}}, denominator = {.limbs = {keys * MICRO_PER_UNIT}};
    gw_fixed_exponent exponent;
    if (!gw_fixed_exponent_of(&numerator, &denominator, &exponent) || !gw_fixed_exp(&exponent, 0, &ret->q))
        return GW_INTERNAL;
    gw_fixed delta = gw_fixed_scale(&ONE, price.delta.atto, GW_DELTA_ONE_ATTO, GW_DOWN);
    ret->delta = delta_of_key(&delta, keys);
    return GW_OK;
}

// min(pi / q + delta, 1 - q (1 - pi - delta)), rounded down; false where that is 1.
static bool next_of(const gw_selection_share *share, const gw_fixed *delta, const gw_fixed *pi, gw_fixed *ret) {
    gw_fixed hidden = gw_fixed_subtract(&ONE, pi);
    gw_fixed rest = gw_fixed_subtract(&hidden, delta);
    if (gw_fixed_compare(&hidden, delta) <= 0)
        return false;
    rest = gw_fixed_multiply(&rest, &share->q.high, GW_UP);
    gw_fixed next = gw_fixed_subtract(&ONE, &rest), rise;
    // Past q the first of the two is above 1.
    if (gw_fixed_compare(pi, &share->q.low) < 0 && gw_fixed_divide(pi, &share->q.high, GW_DOWN, &rise)) {
        rise = gw_fixed_add(&rise, delta);
        if (gw_fixed_compare(&rise, &next) < 0)
            next = rise;
    }
    *ret = fixed_floor(&next);
    return true;
}

gw_status gw_selection_table_make(const gw_selection_share *share, gw_threshold *ret_table, size_t count_max,
                                  size_t *ret_count) {
    gw_fixed sliver = {.limbs = {0}}, pi = {.limbs = {0}}, next;
    sliver.limbs[SLIVER_LIMB] = 1;
    gw_fixed delta = gw_fixed_subtract(&share->delta, &sliver);
    size_t count = 0;
    for (; next_of(share, &delta, &pi, &next); pi = next) {
        if (count == count_max)
            return GW_INVALID;
        ret_table[count++] = threshold_of(&next);
    }
    *ret_count = count;
    return GW_OK;
}

// Adds max(0, q one - other), rounded up.
static void add_excess(const gw_selection_share *share, const gw_fixed *one, const gw_fixed *other, gw_fixed *sum) {
    gw_fixed scaled = gw_fixed_multiply(one, &share->q.high, GW_UP);
    gw_fixed excess = gw_fixed_subtract(&scaled, other); // 0 where `other` is larger
    *sum = gw_fixed_add(sum, &excess);
}

bool gw_selection_table_keeps(const gw_selection_share *share, const gw_threshold *table, size_t count) {
    gw_fixed before = {.limbs = {0}}; // P(T = t - 1)
    gw_fixed pi = {.limbs = {0}}, joining = {.limbs = {0}}, leaving = {.limbs = {0}};
    for (size_t t = 0; t <= count; t++) {
        gw_fixed next = t < count ? fixed_of(&table[t]) : ONE;
        if (gw_fixed_compare(&next, &pi) < 0)
            return false;
        gw_fixed mass = gw_fixed_subtract(&next, &pi);
        add_excess(share, &mass, &before, &joining);
        add_excess(share, &before, &mass, &leaving);
        before = mass;
        pi = next;
    }
    const gw_fixed none = {.limbs = {0}};
    add_excess(share, &before, &none, &leaving);
    gw_fixed allowed = gw_fixed_multiply(&share->q.low, &share->delta, GW_DOWN);
    return gw_fixed_compare(&joining, &allowed) <= 0 && gw_fixed_compare(&leaving, &allowed) <= 0;
}
