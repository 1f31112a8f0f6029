// SPDX-License-Identifier: Apache-2.0
// Prices from public figures: half-widths of noise ranges before anything is asked, and the epsilon for a wanted one.
#include "privacy/cost.h"
#include "privacy/derive/distribution.h"
#include "privacy/derive/series.h"
#include "privacy/derive/keys.h"
#include "privacy/tail.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const NAMES[] = {
    [GW_STATISTIC_COUNT] = "count",
    [GW_STATISTIC_SHARE] = "share",
    [GW_STATISTIC_RATE] = "rate",
    [GW_STATISTIC_MEAN] = "mean",
    [GW_STATISTIC_SUM] = "sum",
    [GW_STATISTIC_NET] = "net",
    [GW_STATISTIC_VARIANCE] = "variance",
    [GW_STATISTIC_SD] = "sd",
    [GW_STATISTIC_RATIO] = "ratio",
    [GW_STATISTIC_GAP] = "gap",
    [GW_STATISTIC_HISTOGRAM] = "histogram",
    [GW_STATISTIC_QUANTILE] = "quantile",
    [GW_STATISTIC_POVERTY] = "poverty",
    [GW_STATISTIC_GINI] = "gini",
    [GW_STATISTIC_QUINTILE_RATIO] = "quintile_ratio",
    [GW_STATISTIC_SERIES] = "series",
    [GW_STATISTIC_KEYS] = "keys",
};
#define NAME_COUNT (sizeof(NAMES) / sizeof(NAMES[0]))
#define MICRO_PER_UNIT 1000000u
#define NORMAL_STEPS 60 // halvings of [0, 8]: beyond the precision of a double

const char *gw_statistic_name(gw_statistic statistic) {
    return NAMES[statistic];
}

gw_status gw_statistic_parse(const char *name, gw_statistic *ret) {
    for (size_t i = 0; i < NAME_COUNT; i++) {
        if (strcmp(name, NAMES[i]) == 0) {
            *ret = (gw_statistic)i;
            return GW_OK;
        }
    }
    return GW_INVALID;
}

bool gw_statistic_has_of(gw_statistic statistic) {
    switch (statistic) {
    case GW_STATISTIC_COUNT:
    case GW_STATISTIC_SHARE:
    case GW_STATISTIC_RATE:
    case GW_STATISTIC_NET:
    case GW_STATISTIC_GAP:
        return false;
    case GW_STATISTIC_MEAN:
    case GW_STATISTIC_SUM:
    case GW_STATISTIC_VARIANCE:
    case GW_STATISTIC_SD:
    case GW_STATISTIC_RATIO:
    case GW_STATISTIC_HISTOGRAM:
    case GW_STATISTIC_QUANTILE:
    case GW_STATISTIC_POVERTY:
    case GW_STATISTIC_GINI:
    case GW_STATISTIC_QUINTILE_RATIO:
    case GW_STATISTIC_SERIES:
    case GW_STATISTIC_KEYS:
        return true;
    }
    return false;
}

// z with P(|N| > z) = chance for a standard normal N.
static double normal_half_width(double chance) {
    double low = 0.0;
    double high = 8.0;
    for (int i = 0; i < NORMAL_STEPS; i++) {
        double middle = (low + high) / 2.0;
        if (erfc(middle / M_SQRT2) > chance)
            low = middle;
        else
            high = middle;
    }
    return high;
}

// Half-width of the sum of `others` noises: its shape lies between one noise value and a normal law, so the wider of
// the two is expected to be enough. The range of an answer is computed by interval.h, not here.
static double sum_half_width(gw_noise noise, double chance, double others) {
    double one = (double)gw_tail_half_width(noise, chance);
    if (others <= 1.0)
        return sqrt(others) * one; // the normal quantile is dear, and prices are searched for
    return sqrt(others) * fmax(one, normal_half_width(chance) * gw_tail_sd(noise));
}

// A ratio's half-width is c(theta) / denominator; c is largest at an end of [0, 1], where one noise value or the sum of
// the others stands alone.
static double ratio_half_width(double bound, double denominator) {
    return denominator <= 0.0 ? 1.0 : fmin(1.0, bound / denominator);
}

// ---- statistics over a grid

static double choice_half_width(const gw_cost_shape *shape, gw_epsilon epsilon, uint32_t level_ppm) {
    gw_quantile_choice choice = {
        .bin_count = shape->bin_count, .level = shape->levels[0], .unit_sensitivity = shape->unit_sensitivity};
    return gw_quantile_choice_half_width(&choice, epsilon, level_ppm);
}

static double quantiles_half_width(const gw_cost_shape *shape, const gw_tree_cost *cost, gw_epsilon epsilon,
                                   uint32_t level_ppm) {
    double most = 0.0;
    for (size_t i = 0; i < shape->level_count; i++)
        most = fmax(most, gw_quantile_half_width(cost, shape->levels[i], epsilon, level_ppm));
    return most;
}

// In steps of the noise where it is about persons, and then put into the unit by the caller's figure.
static double grid_half_width(const gw_cost_shape *shape, gw_epsilon epsilon, uint32_t level_ppm) {
    gw_tree_cost cost = {.shape = shape->tree,
                         .unit_sensitivity = shape->unit_sensitivity,
                         .group_size = (uint64_t)((double)shape->group_size * shape->unit_mean)};
    switch (shape->statistic) {
    case GW_STATISTIC_QUANTILE:
        return shape->unit * (shape->tree.bin_count == 0 ? choice_half_width(shape, epsilon, level_ppm)
                                                         : quantiles_half_width(shape, &cost, epsilon, level_ppm));
    case GW_STATISTIC_POVERTY:
        return gw_poverty_half_width(&cost, epsilon, level_ppm);
    case GW_STATISTIC_GINI:
        return gw_gini_half_width(&cost, epsilon, level_ppm);
    case GW_STATISTIC_QUINTILE_RATIO:
        return gw_quintile_ratio_half_width(&cost, epsilon, level_ppm);
    case GW_STATISTIC_SERIES:
        return shape->unit * gw_series_half_width(&cost, false, epsilon, level_ppm);
    default: // the others have no grid
        return INFINITY;
    }
}

// Of a key that is surely shown; one person moves as many keys as the sensitivity says, each by one.
static double keys_half_width(const gw_cost_shape *shape, gw_epsilon epsilon, uint32_t level_ppm) {
    uint64_t most = GW_SELECTION_EPSILON_MAX * MICRO_PER_UNIT * shape->sensitivity; // sensitivities: at most 2^40
    if (epsilon.micro > most)
        epsilon.micro = most; // there is no law past it, and no less noise to be had
    gw_selection_price price = {.epsilon = epsilon, .keys_per_person = shape->sensitivity, .delta = shape->delta};
    return gw_keys_price_half_width(price, level_ppm);
}

// Twice the noise values, in two groups: at an end of [0, 1] one value a side.
static double gap_half_width(const gw_cost_shape *shape, gw_noise noise, double chance) {
    double group = (double)shape->group_size * shape->unit_mean, others = 1.0;
    if (shape->statistic == GW_STATISTIC_SHARE && shape->cell_count > 1)
        others = (double)(shape->cell_count - 1);
    double bound = sum_half_width(noise, chance, 2.0 * others);
    bool is_share = shape->statistic == GW_STATISTIC_SHARE;
    double whole = is_share ? group * (others + 1.0) : group;
    return shape->range * (whole > 0.0 ? fmin(2.0, bound / whole) : 2.0);
}

// A variance strays by `off` at most; its root is taken to be an eighth of the range.
static double root_half_width(double range, double off) {
    double root = range / 8.0, square = root * root;
    double half = off <= square ? root - sqrt(square - off) : sqrt(off);
    return fmin(half, range / 2.0);
}

// The denominator is at least a noise away from zero, or there is no range.
static double quotient_half_width(double bound, double group) {
    return group > bound ? 1.5 * bound / (group - bound) : INFINITY;
}

double gw_cost_half_width(const gw_cost_shape *shape, gw_epsilon epsilon, uint32_t level_ppm) {
    if (epsilon.micro == 0 || shape->sensitivity == 0)
        return INFINITY; // no finite range without noise of a known law
    gw_noise noise = {.epsilon = epsilon, .sensitivity = shape->sensitivity};
    double chance = (1e6 - (double)level_ppm) / 1e6;
    double bound = sum_half_width(noise, chance, 1.0);
    double group = (double)shape->group_size * shape->unit_mean; // what a typical cell's parts sum to, in steps
    double others = shape->cell_count > 1 ? (double)(shape->cell_count - 1) : 1.0;
    if (shape->is_gap) // each side has noise of its own
        return gap_half_width(shape, noise, chance);
    switch (shape->statistic) {
    case GW_STATISTIC_COUNT:
    case GW_STATISTIC_HISTOGRAM:
    case GW_STATISTIC_SUM:
    case GW_STATISTIC_NET:
        return bound * shape->unit;
    case GW_STATISTIC_SHARE:
        return ratio_half_width(sum_half_width(noise, chance, others), group * (others + 1.0));
    case GW_STATISTIC_RATE:
        return ratio_half_width(bound, group);
    case GW_STATISTIC_MEAN:
        return shape->range * ratio_half_width(bound, group);
    case GW_STATISTIC_VARIANCE: // the largest weight of a noise value is that of a square, at an end of the range
        return shape->range * shape->range * fmin(0.25, ratio_half_width(bound, group));
    case GW_STATISTIC_SD:
        return root_half_width(shape->range, shape->range * shape->range * ratio_half_width(bound, group));
    case GW_STATISTIC_RATIO:
        return shape->unit * quotient_half_width(bound, group);
    case GW_STATISTIC_GAP:
    case GW_STATISTIC_QUANTILE:
    case GW_STATISTIC_POVERTY:
    case GW_STATISTIC_GINI:
    case GW_STATISTIC_QUINTILE_RATIO:
    case GW_STATISTIC_SERIES:
        return grid_half_width(shape, epsilon, level_ppm);
    case GW_STATISTIC_KEYS:
        return keys_half_width(shape, epsilon, level_ppm);
    }
    return INFINITY;
}

// Three significant digits, upwards: a price that people can say, at most one part in a hundred above the least.
static uint64_t price_up(uint64_t micro) {
    uint64_t step = 1;
    while (micro / step >= 1000)
        step *= 10;
    return (micro + step - 1) / step * step;
}

gw_status gw_cost_epsilon_up(const gw_cost_shape *shape, double half_width, gw_epsilon *ret_epsilon) {
    if (!(half_width > 0.0)) // NaN too
        return GW_INVALID;
    uint64_t low = 0;
    uint64_t high = GW_EPSILON_MICRO_MAX;
    if (!(gw_cost_half_width(shape, (gw_epsilon){high}, GW_LEVEL_95) <= half_width))
        return GW_INVALID;
    while (high - low > 1) { // high does it, low does not
        uint64_t middle = low + (high - low) / 2;
        if (gw_cost_half_width(shape, (gw_epsilon){middle}, GW_LEVEL_95) <= half_width)
            high = middle;
        else
            low = middle;
    }
    ret_epsilon->micro = price_up(high);
    return GW_OK;
}
