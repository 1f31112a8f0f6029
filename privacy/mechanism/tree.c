// SPDX-License-Identifier: Apache-2.0
// The table of all nodes is summed up by a loop that knows the shape alone, then handed to the parts mechanism: there
// is one place where exact values become released ones.
#include "privacy/mechanism/tree.h"
#include "privacy/mechanism/parts.h"
#include "privacy/sampling/thresholds.h"
#include <string.h>

static size_t divide_up(size_t count, size_t divisor) {
    return count / divisor + (count % divisor != 0);
}

gw_status gw_tree_shape_make(size_t group_count, size_t bin_count, size_t fan, gw_tree_shape *ret) {
    if (group_count == 0 || bin_count == 0 || fan < GW_TREE_FAN_MIN || fan > GW_TREE_FAN_MAX)
        return GW_INVALID;
    if (group_count > GW_CELLS_MAX || bin_count > GW_CELLS_MAX)
        return GW_LIMIT;
    gw_tree_shape shape = {.group_count = group_count, .bin_count = bin_count, .fan = fan, .level_count = 1};
    gw_tree_levels levels;
    for (size_t top = bin_count; top > fan; top = divide_up(top, fan))
        shape.level_count++;
    if (!gw_tree_levels_of(&shape, &levels))
        return GW_LIMIT;
    *ret = shape;
    return GW_OK;
}

bool gw_tree_levels_of(const gw_tree_shape *shape, gw_tree_levels *ret) {
    if (shape->group_count == 0 || shape->bin_count == 0 || shape->fan < GW_TREE_FAN_MIN ||
        shape->fan > GW_TREE_FAN_MAX || shape->level_count == 0 || shape->level_count > GW_TREE_LEVELS_MAX ||
        shape->bin_count > GW_CELLS_MAX || shape->group_count > GW_CELLS_MAX)
        return false;
    memset(ret, 0, sizeof(*ret));
    size_t count = shape->bin_count;
    for (size_t level = 0; level < shape->level_count; level++) {
        if (level > 0 && count == 1)
            return false; // nothing lies above a root
        if (level > 0)
            count = divide_up(count, shape->fan);
        ret->counts[level] = count;
        ret->starts[level] = ret->node_count;
        ret->node_count += count; // at most twice the bins
    }
    return ret->node_count * shape->group_count <= GW_CELLS_MAX;
}

gw_status gw_tree_noise(const gw_tree_shape *shape, gw_noise unit, gw_noise *ret) {
    gw_tree_levels levels;
    uint64_t sensitivity;
    if (!gw_tree_levels_of(shape, &levels))
        return GW_INVALID;
    if (!gw_mul_u64(unit.sensitivity, shape->level_count, &sensitivity) || sensitivity > GW_SENSITIVITY_MAX)
        return GW_LIMIT;
    *ret = (gw_noise){.epsilon = unit.epsilon, .sensitivity = sensitivity};
    return GW_OK;
}

// Sums of one group, level by level. Checked without a branch on a value.
static bool sum_group(const gw_int128 *leaves, const gw_tree_shape *shape, const gw_tree_levels *levels,
                      gw_int128 *nodes) {
    bool is_overflow = false;
    memcpy(nodes, leaves, shape->bin_count * sizeof(*nodes));
    for (size_t level = 1; level < shape->level_count; level++) {
        const gw_int128 *below = nodes + levels->starts[level - 1];
        gw_int128 *here = nodes + levels->starts[level];
        for (size_t i = 0; i < levels->counts[level - 1]; i++)
            is_overflow |= __builtin_add_overflow(here[i / shape->fan], below[i], &here[i / shape->fan]);
    }
    return !is_overflow;
}

gw_status gw_tree_release_under(const gw_exact_table *leaves, const gw_tree_shape *shape,
                                const gw_discrete_laplace *sampler, gw_noise noise, gw_random_source source,
                                gw_released_table **ret_table) {
    gw_tree_levels levels;
    gw_exact_table *nodes = NULL;
    if (!gw_tree_levels_of(shape, &levels) || leaves->part_count != 1 ||
        leaves->cell_count != shape->group_count * shape->bin_count)
        return GW_INVALID;
    gw_status status = gw_exact_table_new(shape->group_count * levels.node_count, 1, &nodes);
    if (status != GW_OK)
        return status;
    bool is_summed = true;
    for (size_t group = 0; group < shape->group_count; group++)
        is_summed &= sum_group(leaves->values + group * shape->bin_count, shape, &levels,
                               nodes->values + group * levels.node_count);
    status = is_summed ? gw_parts_release_under(nodes, sampler, noise, source, ret_table) : GW_INTERNAL;
    gw_exact_table_free(nodes); // wipes the sums
    return status;
}

gw_status gw_tree_release(const gw_exact_table *leaves, const gw_tree_shape *shape, gw_noise unit,
                          gw_random_source source, gw_released_table **ret_table) {
    gw_discrete_laplace *sampler = NULL;
    gw_noise noise;
    gw_status status = gw_tree_noise(shape, unit, &noise);
    if (status == GW_OK)
        status = gw_discrete_laplace_new(noise, &sampler);
    if (status == GW_OK)
        status = gw_tree_release_under(leaves, shape, sampler, noise, source, ret_table);
    gw_discrete_laplace_free(sampler);
    return status;
}
