// SPDX-License-Identifier: Apache-2.0
// What a measured tree says of one group, or of several groups together: consistent estimates of every bin and of every
// sum of bins from the left (generalised least squares, closed form), with exact variances, noise ranges, and a band
// that holds for all sums at once. Post-processing: reads released integers and public shape only. Proof:
// tree_estimate.md. Thread safety: a gw_tree is immutable after new.   Depends on: mechanism/tree.h, interval.h
// (levels).
#pragma once
#include "privacy/interval.h"
#include "privacy/linkage.h"
#include "privacy/mechanism/tree.h"
#include <stdbool.h>

GW_C_BEGIN

typedef struct gw_tree gw_tree;

// Groups group_first .. group_first + group_count - 1 of the table, summed: their noises add. Copies what it needs.
// GW_INVALID: the table is not of this shape, or no such groups; GW_NO_MEMORY.
typedef struct {
    size_t first;
    size_t count;
} gw_tree_groups;
GW_MUST_CHECK gw_status gw_tree_new(const gw_released_table *table, const gw_tree_shape *shape, gw_tree_groups groups,
                                    gw_tree **ret);
// The same from nodes that were published: whoever has an answer can work all of it out again, at any level. Files may
// claim anything: GW_INVALID also for noise that no sampler draws, and nodes that nobody can have measured.
typedef struct {
    gw_tree_shape shape;
    gw_noise noise;         // of each node
    const gw_int128 *nodes; // of all groups, one group after the other; each as gw_tree_levels says
} gw_tree_published;
GW_MUST_CHECK gw_status gw_tree_of_published(const gw_tree_published *published, gw_tree_groups groups, gw_tree **ret);
void gw_tree_free(gw_tree *tree); // accepts NULL
size_t gw_tree_bin_count(const gw_tree *tree);

// A figure with its noise range. `estimate` lies within lower .. upper.
typedef struct {
    bool is_determinable; // false: the range is all that is possible
    double estimate;
    double se; // standard deviation of the noise, 0 where it isn't worked out
    double lower;
    double upper;
} gw_derived;

// Least squares: the sum of the first `bins` bins (0 .. bin_count), and one bin. Unbiased; may be negative or fall.
double gw_tree_prefix(const gw_tree *tree, size_t bins);
double gw_tree_leaf(const gw_tree *tree, size_t bin);
double gw_tree_prefix_variance(const gw_tree *tree, size_t bins); // exact
double gw_tree_leaf_variance(const gw_tree *tree, size_t bin);
// The same prefix, never negative and never falling: the nearest such curve in squares, unweighted. Biased.
double gw_tree_monotone(const gw_tree *tree, size_t bins);

// The sum of bins from .. to - 1 with a range that holds the exact sum with at least the level (parts per million).
// Not clamped at 0. GW_INVALID: not from < to <= bin_count, or a level out of range.
GW_MUST_CHECK gw_status gw_tree_span_range(const gw_tree *tree, size_t from, size_t to, uint32_t level_ppm,
                                           gw_derived *ret);

// Bounds for every prefix at once: with at least the level, lower[k] <= exact sum of the first k bins <= upper[k] for
// all k = 0 .. bin_count together. Counts are taken not to be negative, so both curves rise. Arrays of bin_count + 1.
GW_MUST_CHECK gw_status gw_tree_band(const gw_tree *tree, uint32_t level_ppm, double *ret_lower, double *ret_upper);
// The same of the share that lies right of the first k bins, 1 - prefix / total: falls from 1 to 0, within 0 .. 1.
// False in *ret_is_determinable: the total may be 0 (then shares are 0 .. 1).
GW_MUST_CHECK gw_status gw_tree_tail_band(const gw_tree *tree, uint32_t level_ppm, double *ret_lower, double *ret_upper,
                                          bool *ret_is_determinable);

// What a question about a tree costs in error, before it is asked; all public.
typedef struct {
    gw_tree_shape shape;
    uint64_t unit_sensitivity; // units that one person adds at most
    uint64_t group_size;       // persons in a typical group
} gw_tree_cost;
// Expected half-width of the range of a prefix, worst over prefixes, in persons. Falls as epsilon grows; infinite for
// epsilon 0 or a bad shape.
double gw_tree_half_width(const gw_tree_cost *cost, gw_epsilon epsilon, uint32_t level_ppm);

GW_C_END
