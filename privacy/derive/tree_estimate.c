// SPDX-License-Identifier: Apache-2.0
// Least squares on a tree in two passes (Hay, Rastogi, Miklau, Suciu 2010; weighted, so that ragged last nodes are
// exact too): upwards each node joins its own value with its children's sum, downwards the difference that is left is
// shared among the children by their variances. Variances by the same two passes along one path.
#include "privacy/derive/tree_estimate.h"
#include "privacy/derive/tree_data.h"
#include "privacy/tail.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Far above any measured node (of a grid's steps 2^62 a person, 2^34 persons). A file may claim any.
#define NODE_END ((gw_int128)1 << 104)

// ---- making

static gw_int128 source_node(gw_tree_source source, size_t node) {
    return source.table != NULL ? gw_released_value(source.table, node, 0) : source.nodes[node];
}

// Prefix sums of every level, the groups added up: at most GW_CELLS_MAX nodes below NODE_END, so 128 bits hold them.
static gw_status tree_sums(gw_tree *tree, gw_tree_source source, gw_tree_groups groups) {
    for (size_t level = 0; level < tree->shape.level_count; level++) {
        gw_int128 *sums = tree->sums + tree->levels.starts[level] + level;
        for (size_t i = 0; i < tree->levels.counts[level]; i++) {
            sums[i + 1] = sums[i];
            for (size_t group = groups.first; group < groups.first + groups.count; group++) {
                size_t cell = group * tree->levels.node_count + tree->levels.starts[level] + i;
                gw_int128 node = source_node(source, cell);
                if (node >= NODE_END || node <= -NODE_END)
                    return GW_INVALID;
                sums[i + 1] += node;
            }
        }
    }
    return GW_OK;
}

static double tree_node(const gw_tree *tree, size_t level, size_t node) {
    const gw_int128 *sums = tree->sums + tree->levels.starts[level] + level;
    return (double)(sums[node + 1] - sums[node]);
}

typedef struct {
    size_t first, end; // children, as nodes of the level below
} node_span;

static node_span children_of(const gw_tree *tree, size_t level, size_t node) {
    size_t first = node * tree->shape.fan, end = first + tree->shape.fan;
    size_t count = tree->levels.counts[level - 1];
    return (node_span){first, end < count ? end : count};
}

static double span_sum(const double *values, node_span span) {
    double sum = 0.0;
    for (size_t i = span.first; i < span.end; i++)
        sum += values[i];
    return sum;
}

// Upwards: values[node] becomes the best estimate from the node's own value and all below it.
static void estimate_up(gw_tree *tree, double *values) {
    for (size_t level = 0; level < tree->shape.level_count; level++) {
        size_t start = tree->levels.starts[level];
        for (size_t node = 0; node < tree->levels.counts[level]; node++) {
            values[start + node] = tree_node(tree, level, node);
            tree->alone[start + node] = 1.0;
            if (level == 0)
                continue;
            node_span span = children_of(tree, level, node);
            size_t below = tree->levels.starts[level - 1];
            double variance = span_sum(tree->alone + below, span); // of the children's sum
            double alone = variance / (1.0 + variance);
            values[start + node] = alone * values[start + node] + (1.0 - alone) * span_sum(values + below, span);
            tree->alone[start + node] = alone;
        }
    }
}

// Downwards: what a node is above its children's sum is shared among them by their variances.
static void estimate_down(const gw_tree *tree, double *values) {
    for (size_t level = tree->shape.level_count; level-- > 1;) {
        size_t below = tree->levels.starts[level - 1];
        for (size_t node = 0; node < tree->levels.counts[level]; node++) {
            node_span span = children_of(tree, level, node);
            double rest = values[tree->levels.starts[level] + node] - span_sum(values + below, span);
            double variance = span_sum(tree->alone + below, span);
            for (size_t i = span.first; i < span.end; i++)
                values[below + i] += tree->alone[below + i] / variance * rest;
        }
    }
}

// The nearest curve in squares that never falls (pool adjacent violators: Ayer, Brunk, Ewing, Reid, Silverman 1955),
// then never negative: the two bounds commute.
static gw_status estimate_monotone(gw_tree *tree) {
    size_t count = tree->shape.bin_count, blocks = 0;
    double *means = malloc(count * sizeof(*means));
    size_t *sizes = malloc(count * sizeof(*sizes));
    bool is_ready = means != NULL && sizes != NULL;
    for (size_t i = 0; is_ready && i < count; i++) {
        means[blocks] = tree->prefix[i + 1];
        sizes[blocks++] = 1;
        while (blocks > 1 && means[blocks - 2] > means[blocks - 1]) {
            double left = (double)sizes[blocks - 2], right = (double)sizes[blocks - 1];
            means[blocks - 2] = (left * means[blocks - 2] + right * means[blocks - 1]) / (left + right);
            sizes[blocks - 2] += sizes[blocks - 1];
            blocks--;
        }
    }
    for (size_t block = 0, at = 1; is_ready && block < blocks; block++)
        for (size_t i = 0; i < sizes[block]; i++)
            tree->monotone[at++] = fmax(0.0, means[block]);
    free(means);
    free(sizes);
    return is_ready ? GW_OK : GW_NO_MEMORY;
}

static gw_status tree_estimate(gw_tree *tree) {
    double *values = calloc(tree->levels.node_count, sizeof(*values));
    if (values == NULL)
        return GW_NO_MEMORY;
    estimate_up(tree, values);
    estimate_down(tree, values);
    for (size_t i = 0; i < tree->shape.bin_count; i++)
        tree->prefix[i + 1] = tree->prefix[i] + values[i];
    free(values);
    return estimate_monotone(tree);
}

static gw_status tree_build(gw_tree *tree, gw_tree_source source, gw_tree_groups groups) {
    size_t points = tree->shape.bin_count + 1;
    tree->sums = calloc(tree->levels.node_count + tree->shape.level_count, sizeof(*tree->sums));
    tree->alone = calloc(tree->levels.node_count, sizeof(*tree->alone));
    tree->prefix = calloc(points, sizeof(*tree->prefix));
    tree->monotone = calloc(points, sizeof(*tree->monotone));
    if (tree->sums == NULL || tree->alone == NULL || tree->prefix == NULL || tree->monotone == NULL)
        return GW_NO_MEMORY;
    gw_status status = tree_sums(tree, source, groups);
    return status == GW_OK ? tree_estimate(tree) : status;
}

gw_status gw_tree_from(gw_tree_source source, gw_tree_groups groups, gw_tree **ret) {
    const gw_tree_shape *shape = source.shape;
    gw_tree_levels levels;
    if (!gw_tree_levels_of(shape, &levels) || !gw_tail_noise_is_sound(source.noise) || groups.count == 0 ||
        groups.first >= shape->group_count || groups.count > shape->group_count - groups.first)
        return GW_INVALID;
    if (source.table != NULL && (gw_released_part_count(source.table) != 1 ||
                                 gw_released_cell_count(source.table) != shape->group_count * levels.node_count))
        return GW_INVALID;
    gw_tree *tree = calloc(1, sizeof(*tree));
    if (tree == NULL)
        return GW_NO_MEMORY;
    tree->shape = *shape;
    tree->levels = levels;
    tree->noise = source.noise;
    tree->pooled = groups.count;
    gw_status status = tree_build(tree, source, groups);
    if (status != GW_OK) {
        gw_tree_free(tree);
        return status;
    }
    *ret = tree;
    return GW_OK;
}

gw_status gw_tree_new(const gw_released_table *table, const gw_tree_shape *shape, gw_tree_groups groups,
                      gw_tree **ret) {
    gw_tree_source source = {.shape = shape, .noise = gw_released_noise(table), .table = table};
    return gw_tree_from(source, groups, ret);
}

gw_status gw_tree_of_published(const gw_tree_published *published, gw_tree_groups groups, gw_tree **ret) {
    gw_tree_source source = {.shape = &published->shape, .noise = published->noise, .nodes = published->nodes};
    return gw_tree_from(source, groups, ret);
}

void gw_tree_free(gw_tree *tree) {
    if (tree == NULL)
        return;
    free(tree->sums);
    free(tree->alone);
    free(tree->prefix);
    free(tree->monotone);
    free(tree);
}

size_t gw_tree_bin_count(const gw_tree *tree) {
    return tree->shape.bin_count;
}

// ---- estimates

double gw_tree_prefix(const gw_tree *tree, size_t bins) {
    return tree->prefix[bins];
}

double gw_tree_leaf(const gw_tree *tree, size_t bin) {
    return tree->prefix[bin + 1] - tree->prefix[bin];
}

double gw_tree_monotone(const gw_tree *tree, size_t bins) {
    return tree->monotone[bins];
}

static double node_variance(const gw_tree *tree) {
    double sd = gw_tail_sd(tree->noise);
    return sd * sd * (double)tree->pooled;
}

// Along the path of the last bin of the prefix: `own` is the variance of the prefix's part below a node, estimated from
// that node and below, and `shared` its covariance with the node's own best estimate.
double gw_tree_prefix_variance(const gw_tree *tree, size_t bins) {
    if (bins == 0)
        return 0.0;
    size_t node = bins - 1, top = tree->shape.level_count - 1;
    double own = 1.0, shared = 1.0;
    for (size_t level = 1; level <= top; level++) {
        const double *below = tree->alone + tree->levels.starts[level - 1];
        size_t parent = node / tree->shape.fan;
        node_span span = children_of(tree, level, parent);
        double before = span_sum(below, (node_span){span.first, node});
        double variance = span_sum(below, span), alone = tree->alone[tree->levels.starts[level] + parent];
        own += before;
        shared += before;
        double part = shared / variance;
        own += part * part * (alone - variance);
        shared = part * alone;
        node = parent;
    }
    own += span_sum(tree->alone + tree->levels.starts[top], (node_span){0, node});
    return own * node_variance(tree);
}

// From the top down to the bin: what is above a node adds nothing to its parent's estimate but this.
double gw_tree_leaf_variance(const gw_tree *tree, size_t bin) {
    size_t nodes[GW_TREE_LEVELS_MAX] = {bin};
    for (size_t level = 1; level < tree->shape.level_count; level++)
        nodes[level] = nodes[level - 1] / tree->shape.fan;
    size_t top = tree->shape.level_count - 1;
    double final = tree->alone[tree->levels.starts[top] + nodes[top]];
    for (size_t level = top; level > 0; level--) {
        const double *below = tree->alone + tree->levels.starts[level - 1];
        double variance = span_sum(below, children_of(tree, level, nodes[level]));
        double alone = below[nodes[level - 1]], part = alone / variance;
        final = alone - part * alone + part * part * final;
    }
    return final * node_variance(tree);
}
