// SPDX-License-Identifier: Apache-2.0
// Quantiles by inverting the test of F - t n at every boundary between bins. The moment bound decides nearly all of
// them; the law of the noise is worked out for the few that it leaves open.
#include "privacy/derive/quantile.h"
#include "privacy/derive/tree_data.h"
#include <math.h>
#include <stdlib.h>

#define LAWS_MAX 48 // worked out for one end of one range; where more are open the moment bound, which is wider, stands

// A boundary as the test sees it, for every level at once.
typedef struct {
    double fixed, slope, slack; // of the released F - t n
    gw_tree_squares squares;
} boundary_facts;

typedef struct {
    const gw_tree *tree;
    const boundary_facts *boundaries; // bin_count
    double theta;
    double chance; // two-sided
    const gw_tree_reaches *reaches;
} quantile_test;

static double level_value(gw_quantile_level level) {
    return (double)level.a / (double)level.b;
}

static gw_status boundaries_make(const gw_tree *tree, boundary_facts **ret) {
    boundary_facts *facts = calloc(tree->shape.bin_count, sizeof(*facts));
    if (facts == NULL)
        return GW_NO_MEMORY;
    for (size_t boundary = 1; boundary < tree->shape.bin_count; boundary++) {
        gw_tree_cut cut;
        gw_tree_cut_at(tree, boundary, &cut);
        facts[boundary] = (boundary_facts){cut.fixed, cut.slope, cut.slack, gw_tree_path_squares(&cut.path)};
    }
    *ret = facts;
    return GW_OK;
}

// Whether noise alone may have moved F - t n at the boundary by its `distance` from 0 in one direction. Each direction
// has half the chance.
static gw_status boundary_explains(const quantile_test *test, size_t boundary, int direction, int *laws_left,
                                   bool *ret) {
    const boundary_facts *facts = &test->boundaries[boundary];
    double distance = direction * (facts->fixed + facts->slope * test->theta) - facts->slack;
    *ret = distance <= 0.0;
    if (*ret)
        return GW_OK;
    double squares = gw_tree_squares_at(facts->squares, test->theta);
    *ret = distance <= gw_tree_reaches_at(test->reaches, test->tree, squares);
    if (!*ret || *laws_left == 0)
        return GW_OK;
    (*laws_left)--;
    gw_tree_cut cut;
    gw_tree_thetas theta = {test->theta, test->theta};
    double room;
    gw_tree_cut_at(test->tree, boundary, &cut);
    gw_status status = gw_tree_cut_quantile(test->tree, &cut, theta, test->chance, &room);
    if (status == GW_OK)
        *ret = distance <= room;
    return status;
}

// The first bin that may be the quantile: the first j where F up to and with j may reach t n. The last always does.
static gw_status search_low(const quantile_test *test, size_t bin_count, size_t *ret) {
    int laws_left = LAWS_MAX;
    bool is_possible = false;
    for (size_t bin = 0; bin < bin_count - 1; bin++) {
        gw_status status = boundary_explains(test, bin + 1, -1, &laws_left, &is_possible);
        if (status != GW_OK)
            return status;
        if (is_possible) {
            *ret = bin;
            return GW_OK;
        }
    }
    *ret = bin_count - 1;
    return GW_OK;
}

// The last bin that may be the quantile: the last j where F before j may lie below t n. Before the first it does.
static gw_status search_high(const quantile_test *test, size_t bin_count, size_t *ret) {
    int laws_left = LAWS_MAX;
    bool is_possible = false;
    for (size_t bin = bin_count - 1; bin > 0; bin--) {
        gw_status status = boundary_explains(test, bin, 1, &laws_left, &is_possible);
        if (status != GW_OK)
            return status;
        if (is_possible) {
            *ret = bin;
            return GW_OK;
        }
    }
    *ret = 0;
    return GW_OK;
}

static gw_status quantile_range(const quantile_test *test, gw_quantile *ret) {
    size_t count = test->tree->shape.bin_count, low, high;
    gw_status status = search_low(test, count, &low);
    if (status == GW_OK)
        status = search_high(test, count, &high);
    if (status != GW_OK)
        return status;
    bool fits = low <= high; // otherwise the noise went where it goes once in a while, and nothing can be said
    *ret = (gw_quantile){.low = fits ? low : 0, .high = fits ? high : count - 1};
    ret->is_determinable = ret->low > 0 || ret->high < count - 1 || count == 1;
    return GW_OK;
}

// The first bin up to which the monotone curve reaches its part; found by halving.
static size_t quantile_estimate(const gw_tree *tree, double theta) {
    size_t low = 0, high = tree->shape.bin_count - 1; // high always does
    double wanted = theta * tree->monotone[tree->shape.bin_count];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tree->monotone[middle + 1] >= wanted)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static bool is_below(gw_quantile_level left, gw_quantile_level right) {
    return left.a * right.b < right.a * left.b; // both products are below 2^40
}

// Ranges of lower levels may not start, and of higher ones not end, beyond those of others: they are widened, never
// narrowed, so each still holds.
static void ranges_widen(const gw_quantile_level *levels, size_t count, gw_quantile *quantiles) {
    for (size_t i = 0; i < count; i++) {
        size_t low = quantiles[i].low, high = quantiles[i].high;
        for (size_t j = 0; j < count; j++) {
            if (!quantiles[j].is_determinable)
                continue;
            if (is_below(levels[i], levels[j]) && quantiles[j].low < low)
                low = quantiles[j].low;
            if (is_below(levels[j], levels[i]) && quantiles[j].high > high)
                high = quantiles[j].high;
        }
        quantiles[i].low = low;
        quantiles[i].high = high;
    }
}

gw_status gw_quantiles_of(const gw_tree *tree, const gw_quantile_level *levels, size_t count, uint32_t level_ppm,
                          gw_quantile *ret) {
    return gw_quantiles_within(tree, levels, count, gw_level_chance(level_ppm), ret);
}

gw_status gw_quantiles_within(const gw_tree *tree, const gw_quantile_level *levels, size_t count, double chance,
                              gw_quantile *ret) {
    if (!(chance > 0.0 && chance < 1.0) || count == 0 || count > GW_QUANTILES_MAX)
        return GW_INVALID;
    for (size_t i = 0; i < count; i++)
        if (!gw_quantile_level_is_sound(levels[i]))
            return GW_INVALID;
    boundary_facts *boundaries = NULL;
    gw_status status = boundaries_make(tree, &boundaries);
    if (status != GW_OK)
        return status;
    gw_tree_reaches reaches;
    gw_tree_reaches_make(tree, chance, &reaches);
    for (size_t i = 0; i < count && status == GW_OK; i++) {
        quantile_test test = {tree, boundaries, level_value(levels[i]), chance, &reaches};
        status = quantile_range(&test, &ret[i]);
    }
    free(boundaries);
    if (status != GW_OK)
        return status;
    ranges_widen(levels, count, ret);
    for (size_t i = 0; i < count; i++) {
        size_t bin = quantile_estimate(tree, level_value(levels[i]));
        bin = bin < ret[i].low ? ret[i].low : bin;
        ret[i].bin = bin > ret[i].high ? ret[i].high : bin;
    }
    return GW_OK;
}

// ---- prices

double gw_quantile_half_width(const gw_tree_cost *cost, gw_quantile_level level, gw_epsilon epsilon,
                              uint32_t level_ppm) {
    gw_tree_cost_place place = {.theta = level_value(level), .pooled = 1};
    return gw_tree_cost_reach(cost, place, epsilon, gw_level_chance(level_ppm));
}

// How fast the chance of a coin falls with the rank that its bin misses: exp(-rate * rank).
static double choice_rate(const gw_quantile_choice *choice, gw_epsilon epsilon) {
    uint64_t a = choice->level.a, b = choice->level.b;
    double sensitivity = (double)(a > b - a ? a : b - a) * (double)choice->unit_sensitivity;
    return (double)epsilon.micro / 1e6 * (double)b / (2.0 * sensitivity);
}

static bool choice_is_sound(const gw_quantile_choice *choice, gw_epsilon epsilon, double chance) {
    return choice->bin_count > 0 && gw_quantile_level_is_sound(choice->level) && choice->unit_sensitivity > 0 &&
           epsilon.micro > 0 && chance > 0.0;
}

// The worst case: one bin at the rank and all others missing it by just so much. Each of those shows heads with chance
// p, and one of all heads is picked: P(miss) = 1 - (1 - (1 - p)^m) / (m p).
static double choice_miss(double bin_count, double p) {
    return 1.0 + expm1(bin_count * log1p(-p)) / (bin_count * p);
}

double gw_quantile_choice_half_width(const gw_quantile_choice *choice, gw_epsilon epsilon, uint32_t level_ppm) {
    double chance = gw_level_chance(level_ppm), bin_count = (double)choice->bin_count;
    if (!choice_is_sound(choice, epsilon, chance))
        return INFINITY;
    double low = 0.0, high = log(bin_count / chance) + 1.0; // of rate x rank; p = 1 misses surely but for one bin
    if (choice->bin_count == 1)
        return 0.0;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2.0;
        if (choice_miss(bin_count, exp(-middle)) > chance)
            low = middle;
        else
            high = middle;
    }
    return high / choice_rate(choice, epsilon);
}

double gw_quantile_choice_bound(const gw_quantile_choice *choice, gw_epsilon epsilon, uint32_t level_ppm) {
    double chance = gw_level_chance(level_ppm);
    if (!choice_is_sound(choice, epsilon, chance))
        return INFINITY;
    return (log((double)choice->bin_count) + log(1.0 / chance)) / choice_rate(choice, epsilon);
}
