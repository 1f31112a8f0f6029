// SPDX-License-Identifier: Apache-2.0
// From the measured nodes of a tree over a grid to figures as texts: quantiles, poverty, inequality, series. Said once,
// for whoever seals an answer and for whoever reads one at another level; post-processing of released integers only.
// Ranges of values are told in values: from the lowest of the lowest bin to the highest of the highest, so they hold
// for the exact figure and not only for its bin.
// Thread safety: immutable after new.   Depends on: privacy/derive/{distribution,series}.h, format/cell_figures.h.
#pragma once
#include "privacy/derive/distribution.h"
#include "service/format/cell_figures.h"

// What bins stand for, in 10^-scale of the unit: bin i begins at first + i * width and holds values `step` apart, none
// above `last`.
typedef struct {
    int64_t first, width, step, last;
    unsigned scale;
} gw_bin_grid;
int64_t gw_bin_low(const gw_bin_grid *grid, size_t bin);
int64_t gw_bin_high(const gw_bin_grid *grid, size_t bin);
double gw_bin_middle(const gw_bin_grid *grid, size_t bin); // in the unit

typedef struct {
    gw_statistic statistic;
    gw_tree_published tree;
    unsigned decimals;
    gw_bin_grid grid; // unused by series
    const gw_quantile_level *levels;
    size_t level_count;         // quantiles
    gw_quantile_level fraction; // poverty: of the median
    double step;                // series: what one counts for
} gw_tree_figures_shape;

typedef struct gw_tree_figures gw_tree_figures;
// Works out what all groups share. Borrows texts and nodes. GW_INVALID: no such statistic, level, grid or tree (a file
// may claim any); GW_NO_MEMORY.
GW_MUST_CHECK gw_status gw_tree_figures_new(const gw_tree_figures_shape *shape, uint32_t level_ppm,
                                            gw_tree_figures **ret);
void gw_tree_figures_free(gw_tree_figures *figures); // accepts NULL

// How many cells of the answer belong to one group, and their figures in the order of the answer: one of each level of
// quantiles; of series two of each period, its count and the count up to it; otherwise one.
size_t gw_tree_figures_cells(gw_statistic statistic, size_t level_count, size_t bin_count);
GW_MUST_CHECK gw_status gw_tree_figures_of(const gw_tree_figures *figures, size_t group, gw_cell_figures *ret);

// Poverty: the median of all and the line below which people count as poor, in the unit of the values.
typedef struct {
    bool is_determinable; // otherwise neither median nor threshold
    char median[GW_CELL_NUMBER_TEXT], median_lower[GW_CELL_NUMBER_TEXT], median_upper[GW_CELL_NUMBER_TEXT];
    char threshold[GW_CELL_NUMBER_TEXT], threshold_lower[GW_CELL_NUMBER_TEXT], threshold_upper[GW_CELL_NUMBER_TEXT];
} gw_line_figures;
gw_line_figures gw_tree_figures_line(const gw_tree_figures *figures);
