// SPDX-License-Identifier: Apache-2.0
// Ranges: every one tests a weighted sum of measured nodes whose exact value the hypothesis fixes, so that what is
// released less that value is noise alone (tree_estimate.md).
#include "privacy/derive/tree_data.h"
#include "privacy/interval.h"
#include "privacy/tail.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

#define LEVEL_PPM_MIN 500000u
#define LEVEL_PPM_MAX 999999u
#define NARROWINGS 4     // of a share by the moment bound; each is cheap and the third changes little
#define NARROWINGS_LAW 2 // of a share by the law

double gw_level_chance(uint32_t level_ppm) {
    return level_ppm < LEVEL_PPM_MIN || level_ppm > LEVEL_PPM_MAX ? 0.0 : (1e6 - (double)level_ppm) / 1e6;
}

// ---- contrasts

void gw_tree_cut_measure(const gw_tree *tree, gw_tree_cut *cut) {
    double size = 0.0;
    cut->fixed = cut->slope = 0.0;
    for (size_t level = cut->path.bottom; level <= cut->path.top; level++) {
        const gw_tree_step *step = &cut->path.steps[level];
        const gw_int128 *sums = tree->sums + tree->levels.starts[level] + level + step->first;
        size_t after = step->left + (step->has_path ? 1 : 0);
        double left = (double)(sums[step->left] - sums[0]);
        double right = (double)(sums[after + step->right] - sums[after]);
        cut->fixed += (1.0 + step->fixed) * left + step->fixed * right;
        cut->slope += step->slope * (left + right);
        size += fabs(left) + fabs(right);
        if (!step->has_path)
            continue;
        double middle = (double)(sums[after] - sums[step->left]);
        cut->fixed += (step->fixed - step[-1].fixed) * middle;
        cut->slope += (step->slope - step[-1].slope) * middle;
        size += fabs(middle);
    }
    cut->slack = 64.0 * DBL_EPSILON * size;
}

void gw_tree_cut_at(const gw_tree *tree, size_t boundary, gw_tree_cut *ret) {
    gw_tree_path_at(&tree->shape, &tree->levels, boundary, &ret->path);
    gw_tree_cut_measure(tree, ret);
}

gw_status gw_tree_cut_quantile(const gw_tree *tree, const gw_tree_cut *cut, gw_tree_thetas thetas, double chance,
                               double *ret) {
    gw_noise_term terms[GW_TREE_TERMS_MAX];
    size_t count = gw_tree_path_terms(&cut->path, thetas, tree->noise, tree->pooled, terms);
    gw_noise_sum *law = NULL;
    if (count == 0) {
        *ret = 0.0; // no noise: nothing lies on one side, and nothing is asked of the other
        return GW_OK;
    }
    gw_status status = gw_noise_sum_new(terms, count, chance, thetas.low != thetas.high, &law);
    if (status != GW_OK)
        return status;
    *ret = gw_noise_sum_quantile(law, chance);
    gw_noise_sum_free(law);
    return GW_OK;
}

// ---- the moment bound, tabulated

void gw_tree_reaches_make(const gw_tree *tree, double chance, gw_tree_reaches *ret) {
    // No path uses more than all nodes of the top and a fan of each level below, each with a weight of at most 1.
    size_t below = tree->shape.level_count - 1;
    ret->squares_max = (double)((below * tree->shape.fan + tree->levels.counts[below]) * tree->pooled);
    gw_tree_moments moments;
    gw_tree_moments_of(tree->noise, &moments);
    for (size_t i = 0; i <= GW_TREE_REACH_STEPS; i++) {
        double part = (double)i / GW_TREE_REACH_STEPS;
        ret->reach[i] = gw_tree_reach(&moments, part * part * ret->squares_max, chance);
    }
}

double gw_tree_reaches_at(const gw_tree_reaches *reaches, const gw_tree *tree, double squares) {
    double part = sqrt(squares * (double)tree->pooled / reaches->squares_max) * (1.0 + 1e-12);
    size_t step = (size_t)ceil(part * GW_TREE_REACH_STEPS);
    return reaches->reach[step < GW_TREE_REACH_STEPS ? step : GW_TREE_REACH_STEPS];
}

// ---- shares

// What is left of the shares low .. high where |fixed + slope * theta| is at most `room`. False: nothing.
static bool share_narrow(const gw_tree_cut *cut, double room, gw_tree_thetas *span) {
    double total = -cut->slope;
    double low = fmax(span->low, (cut->fixed - room - cut->slack) / total - DBL_EPSILON);
    double high = fmin(span->high, (cut->fixed + room + cut->slack) / total + DBL_EPSILON);
    if (low > high)
        return false;
    *span = (gw_tree_thetas){low, high};
    return true;
}

// A share outside the span is rejected already, and the squares are convex in it: the larger end bounds those inside.
static double share_room(const gw_tree *tree, gw_tree_squares squares, const gw_tree_reaches *reaches,
                         gw_tree_thetas span) {
    double low = gw_tree_squares_at(squares, span.low), high = gw_tree_squares_at(squares, span.high);
    return gw_tree_reaches_at(reaches, tree, fmax(low, high));
}

gw_status gw_tree_share(const gw_tree *tree, const gw_tree_cut *cut, gw_tree_share_test test, gw_tree_thetas *ret) {
    gw_tree_thetas span = {0.0, 1.0};
    gw_tree_squares squares = gw_tree_path_squares(&cut->path);
    bool fits = -cut->slope > cut->slack; // a noisy total that isn't positive bounds nothing
    for (int i = 0; i < NARROWINGS && fits; i++)
        fits = share_narrow(cut, share_room(tree, squares, test.reaches, span), &span);
    for (int i = 0; i < NARROWINGS_LAW && fits && test.law_chance > 0.0 && span.low < span.high; i++) {
        double room;
        gw_status status = gw_tree_cut_quantile(tree, cut, span, test.law_chance, &room);
        if (status != GW_OK)
            return status;
        fits = share_narrow(cut, room, &span);
    }
    *ret = fits ? span : (gw_tree_thetas){0.0, 1.0};
    return GW_OK;
}

// ---- spans

// Exact values are integers, so the ends are too. The estimate is moved into the range where it lies outside.
static gw_derived range_around(double centre, double room, double estimate, double se) {
    gw_derived range = {.is_determinable = true, .se = se};
    range.lower = ceil(centre - room);
    range.upper = fmax(range.lower, floor(centre + room));
    range.estimate = fmin(fmax(estimate, range.lower), range.upper);
    return range;
}

// The best weights, or as few nodes as possible with the exact law of their sum: whichever is expected to be narrower,
// by public facts. The law of unequal weights is an upper bound that loses half a step of each noise, or what a sum of
// so many uniform steps reaches.
static bool fewest_is_narrower(const gw_tree *tree, const gw_tree_path *best, const gw_tree_path *fewest,
                               double chance) {
    gw_tree_weights wide = gw_tree_path_weights(best, 0.0), narrow = gw_tree_path_weights(fewest, 0.0);
    double pooled = (double)tree->pooled;
    wide.squares *= pooled;
    wide.fourths *= pooled;
    narrow.squares *= pooled;
    narrow.fourths *= pooled;
    double lost = sqrt(wide.squares * log(2000.0 / chance) / 6.0);
    return gw_tree_expected(tree->noise, narrow, chance) < gw_tree_expected(tree->noise, wide, chance) + lost;
}

static gw_status prefix_range(const gw_tree *tree, size_t bins, double chance, gw_derived *ret) {
    gw_tree_cut cut;
    gw_tree_thetas none = {0.0, 0.0};
    double room;
    gw_tree_cut_at(tree, bins, &cut);
    gw_tree_path fewest = cut.path;
    gw_tree_path_fewest(&fewest);
    if (fewest_is_narrower(tree, &cut.path, &fewest, chance)) {
        cut.path = fewest;
        gw_tree_cut_measure(tree, &cut);
    }
    gw_status status = gw_tree_cut_quantile(tree, &cut, none, chance, &room);
    if (status == GW_OK)
        *ret = range_around(cut.fixed, room + cut.slack, tree->prefix[bins], sqrt(gw_tree_prefix_variance(tree, bins)));
    return status;
}

// A sum of whole nodes, taken from the widest level that fits at either end.
typedef struct {
    double sum;
    size_t count;
} node_sum;

static node_sum span_nodes(const gw_tree *tree, size_t from, size_t to) {
    node_sum nodes = {0.0, 0};
    for (size_t level = 0; level < tree->shape.level_count && from < to; level++) {
        const gw_int128 *sums = tree->sums + tree->levels.starts[level] + level;
        size_t fan = tree->shape.fan;
        bool is_top = level + 1 == tree->shape.level_count;
        bool is_end = to == tree->levels.counts[level]; // the last parent is whole, however few children it has
        size_t parent_from = (from + fan - 1) / fan;
        size_t parent_to = is_end && !is_top ? tree->levels.counts[level + 1] : to / fan;
        if (is_top || parent_from >= parent_to)
            parent_from = parent_to = 0; // all of them, here
        size_t inner = parent_to == 0 ? to : parent_from * fan, outer = parent_to == 0 || is_end ? to : parent_to * fan;
        nodes.sum += (double)(sums[inner] - sums[from]) + (double)(sums[to] - sums[outer]);
        nodes.count += inner - from + to - outer;
        from = parent_from;
        to = parent_to;
    }
    return nodes;
}

static gw_status nodes_range(const gw_tree *tree, size_t from, size_t to, double chance, gw_derived *ret) {
    node_sum nodes = span_nodes(tree, from, to);
    gw_noise_term term = {.noise = tree->noise, .weight = 1.0, .count = nodes.count * tree->pooled};
    gw_noise_sum *law = NULL;
    gw_status status = gw_noise_sum_new(&term, 1, chance, false, &law);
    if (status != GW_OK)
        return status;
    double room = gw_noise_sum_quantile(law, chance) + 16.0 * DBL_EPSILON * fabs(nodes.sum);
    double se = to - from == 1 ? sqrt(gw_tree_leaf_variance(tree, from)) : gw_noise_sum_sd(law);
    *ret = range_around(nodes.sum, room, tree->prefix[to] - tree->prefix[from], se);
    gw_noise_sum_free(law);
    return GW_OK;
}

gw_status gw_tree_span_range(const gw_tree *tree, size_t from, size_t to, uint32_t level_ppm, gw_derived *ret) {
    double chance = gw_level_chance(level_ppm);
    if (chance == 0.0 || from >= to || to > tree->shape.bin_count)
        return GW_INVALID;
    if (from == 0)
        return prefix_range(tree, to, chance, ret);
    return nodes_range(tree, from, to, chance, ret);
}

// ---- bands

gw_status gw_tree_band(const gw_tree *tree, uint32_t level_ppm, double *ret_lower, double *ret_upper) {
    double chance = gw_level_chance(level_ppm);
    size_t count = tree->shape.bin_count;
    if (chance == 0.0)
        return GW_INVALID;
    gw_tree_reaches reaches;
    gw_tree_reaches_make(tree, chance / (double)count, &reaches);
    ret_lower[0] = ret_upper[0] = 0.0;
    for (size_t bins = 1; bins <= count; bins++) {
        gw_tree_cut cut;
        gw_tree_cut_at(tree, bins, &cut);
        double squares = gw_tree_path_squares(&cut.path).constant;
        double room = gw_tree_reaches_at(&reaches, tree, squares) + cut.slack;
        ret_lower[bins] = fmax(ret_lower[bins - 1], ceil(cut.fixed - room)); // the exact sums never fall
        ret_upper[bins] = fmax(0.0, floor(cut.fixed + room));
    }
    for (size_t bins = count; bins-- > 1;)
        ret_upper[bins] = fmin(ret_upper[bins], ret_upper[bins + 1]);
    for (size_t bins = 1; bins <= count; bins++) // where nothing fits, the noise went too far: no less than the lower
        ret_upper[bins] = fmax(ret_upper[bins], ret_lower[bins]);
    return GW_OK;
}

gw_status gw_tree_tail_band(const gw_tree *tree, uint32_t level_ppm, double *ret_lower, double *ret_upper,
                            bool *ret_is_determinable) {
    double chance = gw_level_chance(level_ppm);
    size_t count = tree->shape.bin_count;
    if (chance == 0.0)
        return GW_INVALID;
    gw_tree_reaches reaches;
    gw_tree_reaches_make(tree, chance / (double)count, &reaches);
    bool is_determinable = count == 1;
    ret_lower[0] = ret_upper[0] = 1.0;
    for (size_t bins = 1; bins < count; bins++) {
        gw_tree_cut cut;
        gw_tree_thetas left;
        gw_tree_cut_at(tree, bins, &cut);
        gw_status status = gw_tree_share(tree, &cut, (gw_tree_share_test){&reaches, 0.0}, &left);
        if (status != GW_OK)
            return status;
        ret_lower[bins] = fmin(1.0, fmax(0.0, 1.0 - left.high));
        ret_upper[bins] = fmin(ret_upper[bins - 1], fmax(0.0, 1.0 - left.low));
        is_determinable |= left.high - left.low < 1.0;
    }
    ret_lower[count] = ret_upper[count] = 0.0;
    for (size_t bins = count; bins-- > 1;)
        ret_lower[bins] = fmax(ret_lower[bins], ret_lower[bins + 1]);
    for (size_t bins = 1; bins < count; bins++)
        ret_upper[bins] = fmax(ret_upper[bins], ret_lower[bins]);
    *ret_is_determinable = is_determinable;
    return GW_OK;
}

// ---- prices

// A boundary with `top` nodes of the top level and half of each level below on its left.
static size_t boundary_middle(const gw_tree_shape *shape, size_t top) {
    size_t boundary = top;
    for (size_t level = 1; level < shape->level_count; level++)
        boundary = boundary * shape->fan + shape->fan / 2;
    return boundary < shape->bin_count ? boundary : shape->bin_count;
}

double gw_tree_cost_reach(const gw_tree_cost *cost, gw_tree_cost_place place, gw_epsilon epsilon, double chance) {
    gw_tree_levels levels;
    gw_tree_path path;
    double reach = 0.0;
    if (!gw_tree_levels_of(&cost->shape, &levels) || epsilon.micro == 0 || cost->unit_sensitivity == 0 ||
        !(chance > 0.0))
        return INFINITY;
    gw_noise noise = {.epsilon = epsilon, .sensitivity = cost->unit_sensitivity * cost->shape.level_count};
    for (size_t top = 0; top <= levels.counts[cost->shape.level_count - 1]; top++) {
        gw_tree_path_at(&cost->shape, &levels, boundary_middle(&cost->shape, top), &path);
        gw_tree_weights weights = gw_tree_path_weights(&path, place.theta);
        weights.squares *= (double)place.pooled;
        weights.fourths *= (double)place.pooled;
        reach = fmax(reach, gw_tree_expected(noise, weights, chance));
    }
    return reach;
}

double gw_tree_half_width(const gw_tree_cost *cost, gw_epsilon epsilon, uint32_t level_ppm) {
    return gw_tree_cost_reach(cost, (gw_tree_cost_place){.theta = 0.0, .pooled = 1}, epsilon,
                              gw_level_chance(level_ppm));
}
