// SPDX-License-Identifier: Apache-2.0
// The nodes beside the path from the top of a tree down to a boundary between bins, and the weights with the least
// noise that turn them into F - theta n: the sum left of the boundary less theta times the total. Weights are straight
// lines in theta (tree_estimate.md). Used inside privacy/ only. Thread safety: pure.   Depends on: mechanism/tree.h,
// noise_sum.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/mechanism/tree.h"
#include "privacy/noise_sum.h"

GW_C_BEGIN

#define GW_TREE_TERMS_MAX (3u * GW_TREE_LEVELS_MAX)

// Of one level: nodes first .. first + left - 1 lie left of the boundary; then, where has_path, the node that the
// boundary cuts; then `right` nodes. Left ones weigh 1 + beta, right ones beta, the cut one beta less that of the level
// below. beta = fixed + slope * theta.
typedef struct {
    size_t first;
    size_t left;
    size_t right;
    bool has_path;
    double fixed;
    double slope;
} gw_tree_step;

typedef struct {
    size_t bottom; // lowest level that counts: the boundary lies between two of its nodes
    size_t top;
    gw_tree_step steps[GW_TREE_LEVELS_MAX];
} gw_tree_path;

// `boundary` bins lie left. `levels` is of `shape`. The weights are the best.
void gw_tree_path_at(const gw_tree_shape *shape, const gw_tree_levels *levels, size_t boundary, gw_tree_path *ret);
// Replaces the weights by 1, 0 and -1, as few of them as there can be, for theta = 0: the law of an equal sum is exact.
void gw_tree_path_fewest(gw_tree_path *path);

// Sums of squared (and fourth powers of) weights: the variance in units of one node's.
typedef struct {
    double squares;
    double fourths;
} gw_tree_weights;
gw_tree_weights gw_tree_path_weights(const gw_tree_path *path, double theta);

// The squares alone, for every theta: constant + theta (linear + theta quadratic). Convex.
typedef struct {
    double constant;
    double linear;
    double quadratic;
} gw_tree_squares;
gw_tree_squares gw_tree_path_squares(const gw_tree_path *path);
double gw_tree_squares_at(gw_tree_squares squares, double theta);

// The noise as terms, each weight at its largest over theta_low .. theta_high; `pooled` trees are summed.
typedef struct {
    double low;
    double high;
} gw_tree_thetas;
size_t gw_tree_path_terms(const gw_tree_path *path, gw_tree_thetas thetas, gw_noise noise, size_t pooled,
                          gw_noise_term terms[GW_TREE_TERMS_MAX]);

// The moment bound: some c with P(|X| > c) <= chance for every weighted sum X of noise whose weights are at most 1 and
// whose squares sum to at most `squares`. Rises with squares.
#define GW_TREE_REACH_MOMENTS 48u
typedef struct {
    double s[GW_TREE_REACH_MOMENTS];
    double cumulant[GW_TREE_REACH_MOMENTS]; // ln E exp(s Z)
} gw_tree_moments;
void gw_tree_moments_of(gw_noise noise, gw_tree_moments *ret);
double gw_tree_reach(const gw_tree_moments *moments, double squares, double chance);
// What a quantile of X is expected to be: from its sd and fourth moment (Cornish, Fisher 1938). For prices only.
double gw_tree_expected(gw_noise noise, gw_tree_weights weights, double chance);

GW_C_END
