// SPDX-License-Identifier: Apache-2.0
// Counts over public periods: of each period, and of all up to it. Each person's unit lies in one period. Up to 36
// periods are measured plainly (users add months); longer series by the tree with the smallest error of sums, found
// from the number of periods by closed form. Then mechanism/tree.h measures. Proof: series.md.
// Thread safety: as tree_estimate.h.   Depends on: tree_estimate.h.
#pragma once
#include "privacy/derive/tree_estimate.h"
#include "privacy/linkage.h"

GW_C_BEGIN

#define GW_SERIES_PLAIN_MAX 36u

// The tree to measure: plain, or the best fan. As gw_tree_shape_make.
GW_MUST_CHECK gw_status gw_series_shape(size_t group_count, size_t period_count, gw_tree_shape *ret);

typedef struct {
    gw_derived period; // not clamped at 0: unbiased
    gw_derived total;  // of all periods up to and with this one
} gw_series_point;
// One point per period of the tree's group. Each range holds with at least the level.
GW_MUST_CHECK gw_status gw_series_points(const gw_tree *tree, uint32_t level_ppm, gw_series_point *ret);

// Error of sums from the start under a shape, over all periods, per epsilon: standard deviations of continuous noise
// at epsilon 1 (the discrete law's are below it), so divide by epsilon / unit sensitivity.
typedef struct {
    double root_mean_square;
    double largest;
} gw_series_error;
gw_series_error gw_series_error_of(const gw_tree_shape *shape);

// Expected half-width of a range, in persons: of one period, or of the total at the worst period. Falls as epsilon
// grows.
double gw_series_half_width(const gw_tree_cost *cost, bool is_total, gw_epsilon epsilon, uint32_t level_ppm);

GW_C_END
