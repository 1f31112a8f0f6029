// SPDX-License-Identifier: Apache-2.0
// Counts over a public grid of bins, measured at every level of a tree: leaves are the bins, each node above sums up to
// `fan` nodes below. One charge then answers any number of quantiles, shares below a value and totals over spans. A
// person's unit lies in one leaf, so in one node of each level: sensitivity level_count x unit. The top level has up to
// `fan` nodes; the root above it isn't measured, since its noise would cost every other node more than it gains
// (tree.md). Time and random bytes depend on the shape only. Thread safety: pure given its source.
// Depends on: exact_table.h, released.h, random_source.h, sampling/discrete_laplace.h.
#pragma once
#include "privacy/exact_table.h"
#include "privacy/linkage.h"
#include "privacy/random_source.h"
#include "privacy/released.h"
#include "privacy/sampling/discrete_laplace.h"
#include <stdbool.h>

GW_C_BEGIN

#define GW_TREE_FAN_MIN 2u
#define GW_TREE_FAN_MAX 64u
#define GW_TREE_FAN_DISTRIBUTION 16u // of quantiles, poverty and inequality: within a tenth of the best from 64 bins on
#define GW_TREE_LEVELS_MAX 20u       // fan 2 and a million bins

// Public. Make it with gw_tree_shape_make.
typedef struct {
    size_t group_count;
    size_t bin_count; // leaves of each group; need not be a power of fan: last nodes sum fewer
    size_t fan;
    size_t level_count; // measured levels; 1: the bins alone
} gw_tree_shape;

// As many levels as it takes until at most `fan` nodes are on top. GW_INVALID: a count of 0, a fan out of 2 .. 64;
// GW_LIMIT: more cells than a statement may have, before or after the levels are added.
GW_MUST_CHECK gw_status gw_tree_shape_make(size_t group_count, size_t bin_count, size_t fan, gw_tree_shape *ret);

// Nodes of one group, level 0 (the bins) first; node i of a level sums nodes i * fan .. of the level below.
typedef struct {
    size_t counts[GW_TREE_LEVELS_MAX];
    size_t starts[GW_TREE_LEVELS_MAX]; // index of the level's first node within its group
    size_t node_count;
} gw_tree_levels;
// False for a shape that gw_tree_shape_make would not give (but it may have fewer levels, or the root as one more).
bool gw_tree_levels_of(const gw_tree_shape *shape, gw_tree_levels *ret);

// What every node's noise is: `unit` says epsilon and how many units (persons, or weight) one person adds at most.
// GW_INVALID: a bad shape; GW_LIMIT: level_count x unit.sensitivity is past what the sampler takes.
GW_MUST_CHECK gw_status gw_tree_noise(const gw_tree_shape *shape, gw_noise unit, gw_noise *ret);

// `leaves` has group_count * bin_count cells (group-major) of one part. The result has group_count * node_count cells
// of one part and the noise of gw_tree_noise. Sums are exact integers, wiped before this returns. GW_INVALID: `leaves`
// is not of this shape, or as gw_parts_release; GW_INTERNAL: a sum leaves 128 bits.
GW_MUST_CHECK gw_status gw_tree_release(const gw_exact_table *leaves, const gw_tree_shape *shape, gw_noise unit,
                                        gw_random_source source, gw_released_table **ret_table);
// The same under a sampler made before for the noise of gw_tree_noise.
GW_MUST_CHECK gw_status gw_tree_release_under(const gw_exact_table *leaves, const gw_tree_shape *shape,
                                              const gw_discrete_laplace *sampler, gw_noise noise,
                                              gw_random_source source, gw_released_table **ret_table);

GW_C_END
