// SPDX-License-Identifier: Apache-2.0
// Series: which tree to measure, found from the number of periods alone, and its points.
#include "privacy/derive/series.h"
#include "privacy/derive/tree_data.h"
#include "privacy/interval.h"
#include "privacy/tail.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Variance of a node's best estimate from itself and what is below, by level: all whole nodes of a level are alike, and
// its last one may have fewer below it.
typedef struct {
    double whole[GW_TREE_LEVELS_MAX];
    double last[GW_TREE_LEVELS_MAX];
} level_variances;

static double join(double below) {
    return below / (1.0 + below);
}

// Children of the last node of `level`.
static size_t last_children(const gw_tree_shape *shape, const gw_tree_levels *levels, size_t level) {
    return levels->counts[level - 1] - (levels->counts[level] - 1) * shape->fan;
}

static void variances_of(const gw_tree_shape *shape, const gw_tree_levels *levels, level_variances *ret) {
    *ret = (level_variances){.whole = {1.0}, .last = {1.0}};
    for (size_t level = 1; level < shape->level_count; level++) {
        size_t children = last_children(shape, levels, level);
        ret->whole[level] = join((double)shape->fan * ret->whole[level - 1]);
        ret->last[level] = join((double)(children - 1) * ret->whole[level - 1] + ret->last[level - 1]);
    }
}

// The sum of alone-variances of nodes first .. end - 1 of a level.
static double variance_sum(const gw_tree_levels *levels, const level_variances *variances, size_t level, size_t first,
                           size_t end) {
    double sum = (double)(end - first) * variances->whole[level];
    if (end == levels->counts[level] && end > first)
        sum += variances->last[level] - variances->whole[level];
    return sum;
}

static double prefix_variance(const gw_tree_shape *shape, const gw_tree_levels *levels,
                              const level_variances *variances, size_t bins) {
    size_t node = bins - 1, top = shape->level_count - 1;
    double own = 1.0, shared = 1.0;
    for (size_t level = 1; level <= top; level++) {
        size_t parent = node / shape->fan, first = parent * shape->fan, end = first + shape->fan;
        end = end < levels->counts[level - 1] ? end : levels->counts[level - 1];
        double before = variance_sum(levels, variances, level - 1, first, node);
        double below = variance_sum(levels, variances, level - 1, first, end), alone = join(below);
        own += before;
        shared += before;
        double part = shared / below;
        own += part * part * (alone - below);
        shared = part * alone;
        node = parent;
    }
    return own + variance_sum(levels, variances, top, 0, node);
}

gw_series_error gw_series_error_of(const gw_tree_shape *shape) {
    gw_series_error error = {INFINITY, INFINITY};
    gw_tree_levels levels;
    level_variances variances;
    if (!gw_tree_levels_of(shape, &levels))
        return error;
    variances_of(shape, &levels, &variances);
    double sum = 0.0, largest = 0.0;
    for (size_t bins = 1; bins <= shape->bin_count; bins++) {
        double variance = prefix_variance(shape, &levels, &variances, bins);
        sum += variance;
        largest = fmax(largest, variance);
    }
    double sd = M_SQRT2 * (double)shape->level_count;
    error.root_mean_square = sd * sqrt(sum / (double)shape->bin_count);
    error.largest = sd * sqrt(largest);
    return error;
}

gw_status gw_series_shape(size_t group_count, size_t period_count, gw_tree_shape *ret) {
    if (period_count <= GW_SERIES_PLAIN_MAX)
        return gw_tree_shape_make(group_count, period_count, GW_SERIES_PLAIN_MAX, ret);
    gw_status status = GW_LIMIT;
    double best = INFINITY;
    for (size_t fan = GW_TREE_FAN_MIN; fan <= GW_TREE_FAN_MAX; fan++) {
        gw_tree_shape shape;
        gw_status made = gw_tree_shape_make(group_count, period_count, fan, &shape);
        if (made == GW_INVALID || made == GW_NO_MEMORY)
            return made;
        double error = made == GW_OK ? gw_series_error_of(&shape).root_mean_square : INFINITY;
        if (error < best) {
            best = error;
            *ret = shape;
            status = GW_OK;
        }
    }
    return status;
}

gw_status gw_series_points(const gw_tree *tree, uint32_t level_ppm, gw_series_point *ret) {
    for (size_t i = 0; i < gw_tree_bin_count(tree); i++) {
        gw_series_point point;
        gw_status status = gw_tree_span_range(tree, i, i + 1, level_ppm, &point.period);
        if (status == GW_OK)
            status = gw_tree_span_range(tree, 0, i + 1, level_ppm, &point.total);
        if (status != GW_OK)
            return status;
        ret[i] = point;
    }
    return GW_OK;
}

double gw_series_half_width(const gw_tree_cost *cost, bool is_total, gw_epsilon epsilon, uint32_t level_ppm) {
    if (is_total)
        return gw_tree_half_width(cost, epsilon, level_ppm);
    double chance = gw_level_chance(level_ppm);
    uint64_t sensitivity = cost->unit_sensitivity * cost->shape.level_count;
    if (epsilon.micro == 0 || sensitivity == 0 || chance == 0.0)
        return INFINITY;
    return (double)gw_tail_half_width((gw_noise){.epsilon = epsilon, .sensitivity = sensitivity}, chance);
}
