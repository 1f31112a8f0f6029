// SPDX-License-Identifier: Apache-2.0
// What a tree keeps, shared by tree_estimate.c and tree_range.c, and the one contrast that both ranges and quantiles
// test: D(theta) = F - theta n at a boundary. Used inside privacy/derive/ only.
// Thread safety: pure.   Depends on: tree_estimate.h, tree_path.h.
#pragma once
#include "privacy/derive/tree_estimate.h"
#include "privacy/derive/tree_path.h"
#include "privacy/linkage.h"

GW_C_BEGIN

struct gw_tree {
    gw_tree_shape shape;
    gw_tree_levels levels;
    gw_noise noise;   // of one node of one group
    size_t pooled;    // groups summed: each node carries so many noises
    gw_int128 *sums;  // of measured nodes: sums[starts[l] + l + i] = the first i nodes of level l
    double *alone;    // by node: variance of its best estimate from itself and what is below, in units of one node's
    double *prefix;   // least squares, bin_count + 1
    double *monotone; // bin_count + 1
};

// Where measured nodes are: in a table that was just released, or as they were published.
typedef struct {
    const gw_tree_shape *shape;
    gw_noise noise;
    const gw_released_table *table; // or NULL
    const gw_int128 *nodes;
} gw_tree_source;
GW_MUST_CHECK gw_status gw_tree_from(gw_tree_source source, gw_tree_groups groups, gw_tree **ret);

// D(theta) as released: fixed + slope * theta, and what rounding can cost.
typedef struct {
    gw_tree_path path;
    double fixed;
    double slope;
    double slack;
} gw_tree_cut;
void gw_tree_cut_at(const gw_tree *tree, size_t boundary, gw_tree_cut *ret);
void gw_tree_cut_measure(const gw_tree *tree, gw_tree_cut *cut); // after the path's weights were changed

// Some c with P(|noise of D(theta)| > c) <= chance. At one theta; or (is_monotone) at every theta of low .. high.
GW_MUST_CHECK gw_status gw_tree_cut_quantile(const gw_tree *tree, const gw_tree_cut *cut, gw_tree_thetas thetas,
                                             double chance, double *ret);

// gw_tree_reach for one chance, tabulated: never below it, at most a hundredth above.
#define GW_TREE_REACH_STEPS 256u
typedef struct {
    double squares_max;
    double reach[GW_TREE_REACH_STEPS + 1];
} gw_tree_reaches;
void gw_tree_reaches_make(const gw_tree *tree, double chance, gw_tree_reaches *ret);
double gw_tree_reaches_at(const gw_tree_reaches *reaches, const gw_tree *tree, double squares); // of one group's path

// The share F / n left of a boundary, by inversion: holds the exact share but for the chance of `reaches`. With
// law_chance > 0 (the same chance) by the law of the noise too, which is closer and slower. 0 .. 1 where nothing fits.
typedef struct {
    const gw_tree_reaches *reaches;
    double law_chance;
} gw_tree_share_test;
GW_MUST_CHECK gw_status gw_tree_share(const gw_tree *tree, const gw_tree_cut *cut, gw_tree_share_test test,
                                      gw_tree_thetas *ret);

// Expected quantile of the noise of F - theta n, summed over `pooled` trees, at the boundary where it is widest.
// Infinite for epsilon 0 or a bad shape. It scales with the sd of one noise, so it falls as epsilon grows.
typedef struct {
    double theta;
    size_t pooled;
} gw_tree_cost_place;
double gw_tree_cost_reach(const gw_tree_cost *cost, gw_tree_cost_place place, gw_epsilon epsilon, double chance);

// 1 - level; 0 for a level out of range.
double gw_level_chance(uint32_t level_ppm);

GW_C_END
