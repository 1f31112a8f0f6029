// SPDX-License-Identifier: Apache-2.0
// Poverty around a private line: one range for the line, then the union of what each possible line says of a rate.
// Inequality: what the band of all tails leaves possible, its extremes found exactly (distribution.md).
#include "privacy/derive/distribution.h"
#include "privacy/derive/tree_data.h"
#include "privacy/interval.h"
#include "privacy/tail.h"
#include <math.h>
#include <stdlib.h>

#define RATIO_MAX 1000000u
#define LAWS_MAX 24 // lines of a union whose law is worked out; the moment bound, which is wider, stands for others
#define DINKELBACH_MAX 64
#define PRECISION 1e-12
#define MODEL_BINS 256u  // of the reference population that prices are worked out on: log-normal values,
#define MODEL_MEDIAN 0.2 // median at a fifth of the grid's range
#define MODEL_SPREAD 0.6 // Gini 0.33, S80/S20 5.4: as incomes are

// ---- poverty

static bool rule_is_sound(const gw_poverty_rule *rule, size_t bin_count) {
    bool is_sound = gw_quantile_level_is_sound(rule->quantile) && rule->numerator > 0 && rule->denominator > 0 &&
                    rule->numerator <= RATIO_MAX && rule->denominator <= RATIO_MAX;
    for (size_t i = 1; i < bin_count && is_sound; i++)
        is_sound = rule->values[i - 1] < rule->values[i];
    return is_sound;
}

// Bins strictly below the line that a median in `bin` draws; integers, so that a value on the line is not below it.
static size_t bins_below(const gw_poverty_rule *rule, size_t bin_count, size_t bin) {
    gw_int128 line = (gw_int128)rule->values[bin] * (gw_int128)rule->numerator;
    size_t low = 0, high = bin_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((gw_int128)rule->values[middle] * (gw_int128)rule->denominator < line)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static double line_value(const gw_poverty_rule *rule, size_t bin) {
    return (double)rule->values[bin] * (double)rule->numerator / (double)rule->denominator;
}

static gw_status line_find(gw_tree_source source, const gw_poverty_rule *rule, double chance, gw_poverty_line *ret) {
    const gw_tree_shape *shape = source.shape;
    gw_tree *pooled = NULL;
    gw_tree_groups all = {.first = 0, .count = shape->group_count};
    gw_status status = gw_tree_from(source, all, &pooled);
    if (status != GW_OK)
        return status;
    gw_poverty_line line;
    status = rule_is_sound(rule, shape->bin_count) ? GW_OK : GW_INVALID;
    if (status == GW_OK)
        status = gw_quantiles_within(pooled, &rule->quantile, 1, chance, &line.median);
    gw_tree_free(pooled);
    if (status != GW_OK)
        return status;
    line.line = line_value(rule, line.median.bin);
    line.line_low = line_value(rule, line.median.low);
    line.line_high = line_value(rule, line.median.high);
    line.poor_bins = bins_below(rule, shape->bin_count, line.median.bin);
    line.poor_bins_low = bins_below(rule, shape->bin_count, line.median.low);
    line.poor_bins_high = bins_below(rule, shape->bin_count, line.median.high);
    *ret = line;
    return GW_OK;
}

// The shares that each possible line leaves for one group, and how far each was worked out.
typedef struct {
    gw_tree_thetas *spans;
    bool *is_by_law;
    size_t count;
} line_shares;

static gw_status share_at(const gw_tree *tree, size_t bins, gw_tree_share_test test, gw_tree_thetas *ret) {
    gw_tree_cut cut;
    if (bins == 0 || bins == tree->shape.bin_count) { // nobody, or everybody, is below
        ret->low = ret->high = bins == 0 ? 0.0 : 1.0;
        return GW_OK;
    }
    gw_tree_cut_at(tree, bins, &cut);
    return gw_tree_share(tree, &cut, test, ret);
}

// The line whose share reaches furthest down, or up.
static size_t shares_furthest(const line_shares *shares, bool is_up) {
    size_t furthest = 0;
    for (size_t i = 1; i < shares->count; i++)
        if (is_up ? shares->spans[i].high > shares->spans[furthest].high
                  : shares->spans[i].low < shares->spans[furthest].low)
            furthest = i;
    return furthest;
}

// Works out the law of whichever line decides the end, until the deciding one is by law already.
static gw_status shares_refine(const gw_tree *tree, size_t first, gw_tree_share_test test, bool is_up,
                               line_shares *shares) {
    for (int laws = 0; laws < LAWS_MAX; laws++) {
        size_t furthest = shares_furthest(shares, is_up);
        if (shares->is_by_law[furthest])
            return GW_OK;
        gw_status status = share_at(tree, first + furthest, test, &shares->spans[furthest]);
        if (status != GW_OK)
            return status;
        shares->is_by_law[furthest] = true;
    }
    return GW_OK;
}

static gw_status rate_range(const gw_tree *tree, const gw_poverty_line *line, double chance, line_shares *shares,
                            gw_derived *ret) {
    gw_tree_reaches reaches;
    gw_tree_reaches_make(tree, chance, &reaches);
    for (size_t i = 0; i < shares->count; i++) {
        gw_tree_share_test quick = {.reaches = &reaches, .law_chance = 0.0};
        gw_status status = share_at(tree, line->poor_bins_low + i, quick, &shares->spans[i]);
        if (status != GW_OK)
            return status;
        shares->is_by_law[i] = false;
    }
    gw_tree_share_test close = {.reaches = &reaches, .law_chance = chance};
    gw_status status = shares_refine(tree, line->poor_bins_low, close, false, shares);
    if (status == GW_OK)
        status = shares_refine(tree, line->poor_bins_low, close, true, shares);
    if (status != GW_OK)
        return status;
    ret->lower = fmax(0.0, shares->spans[shares_furthest(shares, false)].low);
    ret->upper = fmin(1.0, shares->spans[shares_furthest(shares, true)].high);
    ret->is_determinable = ret->lower > 0.0 || ret->upper < 1.0;
    return GW_OK;
}

// The estimate at the estimated line, from the monotone curve; its se is of the rate at that line alone.
static void rate_estimate(const gw_tree *tree, const gw_poverty_line *line, gw_derived *ret) {
    double total = tree->monotone[tree->shape.bin_count];
    double rate = total > 0.0 ? tree->monotone[line->poor_bins] / total : 0.0;
    gw_tree_cut cut;
    gw_tree_cut_at(tree, line->poor_bins, &cut);
    double squares = gw_tree_path_weights(&cut.path, rate).squares * (double)tree->pooled;
    ret->se = total > 0.0 ? gw_tail_sd(tree->noise) * sqrt(squares) / total : 0.0;
    ret->estimate = fmin(fmax(rate, ret->lower), ret->upper);
}

static gw_status rate_find(gw_tree_source source, size_t group, const gw_poverty_line *line, double chance,
                           line_shares *shares, gw_derived *ret) {
    gw_tree *tree = NULL;
    gw_status status = gw_tree_from(source, (gw_tree_groups){.first = group, .count = 1}, &tree);
    if (status != GW_OK)
        return status;
    status = rate_range(tree, line, chance, shares, ret);
    if (status == GW_OK)
        rate_estimate(tree, line, ret);
    gw_tree_free(tree);
    return status;
}

static gw_status rates_find(gw_tree_source source, const gw_poverty_rule *rule, uint32_t level_ppm,
                            gw_poverty_line *ret_line, gw_derived *ret_rates) {
    double chance = gw_level_chance(level_ppm);
    if (chance == 0.0)
        return GW_INVALID;
    gw_poverty_line line;
    gw_status status = line_find(source, rule, chance / 2.0, &line);
    if (status != GW_OK)
        return status;
    line_shares shares = {.count = line.poor_bins_high - line.poor_bins_low + 1};
    shares.spans = malloc(shares.count * sizeof(*shares.spans));
    shares.is_by_law = malloc(shares.count * sizeof(*shares.is_by_law));
    status = shares.spans != NULL && shares.is_by_law != NULL ? GW_OK : GW_NO_MEMORY;
    for (size_t group = 0; group < source.shape->group_count && status == GW_OK; group++)
        status = rate_find(source, group, &line, chance / 2.0, &shares, &ret_rates[group]);
    free(shares.spans);
    free(shares.is_by_law);
    if (status == GW_OK)
        *ret_line = line;
    return status;
}

gw_status gw_poverty_rates(const gw_released_table *table, const gw_tree_shape *shape, const gw_poverty_rule *rule,
                           uint32_t level_ppm, gw_poverty_line *ret_line, gw_derived *ret_rates) {
    gw_tree_source source = {.shape = shape, .noise = gw_released_noise(table), .table = table};
    return rates_find(source, rule, level_ppm, ret_line, ret_rates);
}

gw_status gw_poverty_rates_of_published(const gw_tree_published *published, const gw_poverty_rule *rule,
                                        uint32_t level_ppm, gw_poverty_line *ret_line, gw_derived *ret_rates) {
    gw_tree_source source = {.shape = &published->shape, .noise = published->noise, .nodes = published->nodes};
    return rates_find(source, rule, level_ppm, ret_line, ret_rates);
}

// ---- inequality: functionals of tails

// tail[g] is the share of people in bins g and above, weight[g] how much further up bin g lies than the one before.
typedef struct {
    size_t count;
    double *weight; // weight[0]: the lowest value itself
    double *low;
    double *high;
    double *middle; // of the monotone estimate
    bool is_determinable;
} tails;

static void tails_free(tails *in) {
    free(in->weight);
    free(in->low);
    free(in->high);
    free(in->middle);
}

static gw_status tails_alloc(size_t count, tails *ret) {
    *ret = (tails){.count = count};
    ret->weight = calloc(count, sizeof(double));
    ret->low = calloc(count + 1, sizeof(double));
    ret->high = calloc(count + 1, sizeof(double));
    ret->middle = calloc(count + 1, sizeof(double));
    if (ret->weight != NULL && ret->low != NULL && ret->high != NULL && ret->middle != NULL)
        return GW_OK;
    tails_free(ret);
    return GW_NO_MEMORY;
}

static gw_status tails_of(const gw_tree *tree, const int64_t *values, uint32_t level_ppm, tails *ret) {
    size_t count = tree->shape.bin_count;
    for (size_t i = 0; i < count; i++)
        if (values[i] < 0 || (i > 0 && values[i] <= values[i - 1]))
            return GW_INVALID;
    gw_status status = tails_alloc(count, ret);
    if (status != GW_OK)
        return status;
    status = gw_tree_tail_band(tree, level_ppm, ret->low, ret->high, &ret->is_determinable);
    if (status != GW_OK) {
        tails_free(ret);
        return status;
    }
    double total = tree->monotone[count];
    for (size_t i = 0; i < count; i++) {
        double tail = total > 0.0 ? 1.0 - tree->monotone[i] / total : 0.5;
        ret->weight[i] = i == 0 ? (double)values[0] : (double)(values[i] - values[i - 1]);
        ret->middle[i] = i == 0 ? 1.0 : fmin(fmax(tail, ret->low[i]), ret->high[i]);
    }
    return GW_OK;
}

// ---- Gini: 1 - sum w p^2 / sum w p

typedef struct {
    double top, bottom;
} quotient;

static quotient squares_of(const tails *in, const double *p) {
    quotient sums = {0.0, 0.0};
    for (size_t i = 0; i < in->count; i++) {
        sums.top += in->weight[i] * p[i] * p[i];
        sums.bottom += in->weight[i] * p[i];
    }
    return sums;
}

// Sums of w p^2 and w p where sum w (p^2 - lambda p) is largest (p at an end: it is convex), or smallest (p as near to
// lambda / 2 as its bounds let it).
static quotient squares_at(const tails *in, double lambda, bool is_largest) {
    quotient sums = {0.0, 0.0};
    for (size_t i = 0; i < in->count; i++) {
        double low = in->low[i], high = in->high[i];
        double p = is_largest ? (low + high >= lambda ? high : low) : fmin(fmax(lambda / 2.0, low), high);
        sums.top += in->weight[i] * p * p;
        sums.bottom += in->weight[i] * p;
    }
    return sums;
}

// Dinkelbach 1967: the quotient's extreme is where its own value as lambda leaves nothing to gain. Each step's quotient
// is attained; the last is moved outwards by what precision leaves.
static double squares_extreme(const tails *in, bool is_largest) {
    quotient start = squares_of(in, in->middle);
    double lambda = start.bottom > 0.0 ? start.top / start.bottom : 1.0;
    for (int i = 0; i < DINKELBACH_MAX; i++) {
        quotient sums = squares_at(in, lambda, is_largest);
        double next = sums.bottom > 0.0 ? sums.top / sums.bottom : 0.0;
        bool is_done = fabs(next - lambda) <= PRECISION;
        lambda = next;
        if (is_done)
            break;
    }
    return lambda;
}

static gw_derived gini_of(const tails *in) {
    gw_derived result = {.estimate = 0.0, .lower = 0.0, .upper = 1.0};
    quotient middle = squares_of(in, in->middle);
    if (!in->is_determinable || middle.bottom <= 0.0)
        return result;
    result.is_determinable = true;
    result.lower = fmax(0.0, 1.0 - squares_extreme(in, true) - 1e-9);
    result.upper = fmin(1.0, 1.0 - squares_extreme(in, false) + 1e-9);
    result.estimate = fmin(fmax(1.0 - middle.top / middle.bottom, result.lower), result.upper);
    return result;
}

gw_status gw_gini(const gw_tree *tree, const int64_t *values, uint32_t level_ppm, gw_derived *ret) {
    tails in;
    gw_status status = tails_of(tree, values, level_ppm, &in);
    if (status != GW_OK)
        return status;
    *ret = gini_of(&in);
    tails_free(&in);
    return GW_OK;
}

// ---- S80/S20

// What the fifth at the top, and at the bottom, holds, as parts of the number of people: both rise with each tail.
static double held_top(const tails *in, const double *p) {
    double sum = 0.0;
    for (size_t i = 0; i < in->count; i++)
        sum += in->weight[i] * fmin(p[i], 0.2);
    return sum;
}
static double held_bottom(const tails *in, const double *p) {
    double sum = 0.0;
    for (size_t i = 0; i < in->count; i++)
        sum += in->weight[i] * fmax(0.0, p[i] - 0.8);
    return sum;
}

static gw_derived quintiles_of(const tails *in, double ratio_max, bool *ret_is_bounded) {
    gw_derived result = {.estimate = 1.0, .lower = 1.0, .upper = ratio_max};
    double bottom = held_bottom(in, in->middle), bottom_low = held_bottom(in, in->low);
    double bottom_high = held_bottom(in, in->high);
    result.is_determinable = in->is_determinable && bottom_high > 0.0;
    if (result.is_determinable)
        result.lower = fmax(1.0, held_top(in, in->low) / bottom_high * (1.0 - 1e-9));
    if (bottom_low > 0.0)
        result.upper = fmin(ratio_max, held_top(in, in->high) / bottom_low * (1.0 + 1e-9));
    *ret_is_bounded = isfinite(result.upper);
    result.estimate = bottom > 0.0 ? held_top(in, in->middle) / bottom : result.lower;
    result.estimate = fmin(fmax(result.estimate, result.lower), result.upper);
    if (!*ret_is_bounded)
        result.upper = result.estimate;
    return result;
}

gw_status gw_quintile_ratio(const gw_tree *tree, const int64_t *values, uint32_t level_ppm, gw_derived *ret,
                            bool *ret_is_bounded) {
    tails in;
    gw_status status = tails_of(tree, values, level_ppm, &in);
    if (status != GW_OK)
        return status;
    double ratio_max = values[0] > 0 ? (double)values[in.count - 1] / (double)values[0] : INFINITY;
    *ret = quintiles_of(&in, ratio_max, ret_is_bounded);
    tails_free(&in);
    return GW_OK;
}

// ---- prices

double gw_poverty_half_width(const gw_tree_cost *cost, gw_epsilon epsilon, uint32_t level_ppm) {
    double half = gw_level_chance(level_ppm) / 2.0, group = (double)cost->group_size;
    double groups = (double)cost->shape.group_count;
    double rate = gw_tree_cost_reach(cost, (gw_tree_cost_place){.theta = 0.2, .pooled = 1}, epsilon, half);
    double line =
        gw_tree_cost_reach(cost, (gw_tree_cost_place){.theta = 0.5, .pooled = cost->shape.group_count}, epsilon, half);
    if (cost->group_size == 0)
        return 1.0;
    return fmin(1.0, rate / group + line / (group * groups));
}

// The reference population with every tail off by as much as the band would be.
static gw_status model_make(const gw_tree_cost *cost, gw_epsilon epsilon, uint32_t level_ppm, tails *ret) {
    double chance = gw_level_chance(level_ppm) / (double)(cost->shape.bin_count + 1);
    double reach = gw_tree_cost_reach(cost, (gw_tree_cost_place){.theta = 0.5, .pooled = 1}, epsilon, chance);
    double off = cost->group_size == 0 ? 1.0 : fmin(1.0, reach / (double)cost->group_size);
    gw_status status = tails_alloc(MODEL_BINS, ret);
    for (size_t i = 0; i < MODEL_BINS && status == GW_OK; i++) {
        double place = (double)i / MODEL_BINS / MODEL_MEDIAN;
        double tail = i == 0 ? 1.0 : erfc(log(place) / (MODEL_SPREAD * M_SQRT2)) / 2.0;
        ret->weight[i] = 1.0;
        ret->middle[i] = tail;
        ret->low[i] = i == 0 ? 1.0 : fmax(0.0, tail - off);
        ret->high[i] = i == 0 ? 1.0 : fmin(1.0, tail + off);
    }
    ret->is_determinable = off < 1.0;
    return status;
}

double gw_gini_half_width(const gw_tree_cost *cost, gw_epsilon epsilon, uint32_t level_ppm) {
    tails model;
    if (model_make(cost, epsilon, level_ppm, &model) != GW_OK)
        return INFINITY;
    gw_derived result = gini_of(&model);
    tails_free(&model);
    return (result.upper - result.lower) / 2.0;
}

double gw_quintile_ratio_half_width(const gw_tree_cost *cost, gw_epsilon epsilon, uint32_t level_ppm) {
    tails model;
    bool is_bounded;
    if (model_make(cost, epsilon, level_ppm, &model) != GW_OK)
        return INFINITY;
    gw_derived result = quintiles_of(&model, MODEL_BINS, &is_bounded);
    tails_free(&model);
    return (result.upper - result.lower) / 2.0;
}
