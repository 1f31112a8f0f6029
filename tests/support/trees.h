// SPDX-License-Identifier: Apache-2.0
// Measured trees for tests: of stated counts, with seeded noise or (an epsilon so large that noise is never seen) none;
// and made-up incomes. Thread safety: one owner.   Depends on: mechanism/tree.h, derive/tree_estimate.h, unit.h.
#pragma once
#include "privacy/derive/tree_estimate.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"
#include <math.h>

// Noise of rate 150: other than 0 once in 10^65 draws.
static inline gw_noise trees_silent(const gw_tree_shape *shape) {
    return (gw_noise){.epsilon = {150000000ULL * shape->level_count}, .sensitivity = 1};
}

static inline gw_tree_shape trees_shape(size_t groups, size_t bins, size_t fan) {
    gw_tree_shape shape;
    assert_int_equal(gw_tree_shape_make(groups, bins, fan, &shape), GW_OK);
    return shape;
}

// `counts`: group_count * bin_count.
static inline gw_released_table *trees_release(const gw_tree_shape *shape, const int64_t *counts, gw_noise unit,
                                               seeded_random *random) {
    gw_exact_table *leaves = NULL;
    gw_released_table *table = NULL;
    assert_int_equal(gw_exact_table_new(shape->group_count * shape->bin_count, 1, &leaves), GW_OK);
    for (size_t i = 0; i < leaves->cell_count; i++)
        leaves->values[i] = counts[i];
    assert_int_equal(gw_tree_release(leaves, shape, unit, seeded_source(random), &table), GW_OK);
    gw_exact_table_free(leaves);
    return table;
}

static inline gw_tree *trees_of(const gw_released_table *table, const gw_tree_shape *shape, size_t first,
                                size_t count) {
    gw_tree *tree = NULL;
    assert_int_equal(gw_tree_new(table, shape, (gw_tree_groups){first, count}, &tree), GW_OK);
    return tree;
}

// One group, measured and looked at.
static inline gw_tree *trees_measure(const gw_tree_shape *shape, const int64_t *counts, gw_noise unit,
                                     seeded_random *random) {
    gw_released_table *table = trees_release(shape, counts, unit, random);
    gw_tree *tree = trees_of(table, shape, 0, 1);
    gw_released_free(table);
    return tree;
}

static inline double trees_uniform(seeded_random *random) {
    return ((double)(seeded_next(random) >> 11) + 0.5) / 9007199254740992.0;
}

// Log-normal incomes of `people`, as counts over bins of equal width; what lies above goes into the last.
static inline void trees_incomes(size_t people, size_t bins, double median_bin, double spread, seeded_random *random,
                                 int64_t *counts) {
    memset(counts, 0, bins * sizeof(*counts));
    for (size_t i = 0; i < people; i++) {
        double u = trees_uniform(random), v = trees_uniform(random);
        double normal = sqrt(-2 * log(u)) * cos(2 * M_PI * v);
        double bin = median_bin * exp(spread * normal);
        counts[bin >= (double)bins ? bins - 1 : (size_t)bin]++;
    }
}
