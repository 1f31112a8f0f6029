// SPDX-License-Identifier: Apache-2.0
// Figures of trees. Everything is worked out in the fewest places that the grid needs, so that it is the same whether
// the grid came from a policy or from an answer's texts.
#include "service/format/tree_figures.h"

#include "privacy/derive/series.h"

#include <math.h>
#include <stdlib.h>

#define VALUE_END ((gw_int128)1 << 60) // twice a value is within 64 bits
#define FIGURE_END 1e40                // longer ones have no place in a text; no release holds such
#define RATIO_MAX 1e23                 // shown for a ratio that is bounded by nothing nearer
#define SCALE_MAX 12u

struct gw_tree_figures {
    gw_tree_figures_shape shape;
    uint32_t level_ppm;
    int64_t *values; // twice the middle of each bin; NULL for series
    gw_poverty_line line;
    gw_derived *rates; // poverty: of every group
};

// ---- bins

int64_t gw_bin_low(const gw_bin_grid *grid, size_t bin) {
    return grid->first + (int64_t)bin * grid->width;
}

int64_t gw_bin_high(const gw_bin_grid *grid, size_t bin) {
    int64_t high = gw_bin_low(grid, bin) + grid->width - grid->step;
    return high < grid->last ? high : grid->last;
}

double gw_bin_middle(const gw_bin_grid *grid, size_t bin) {
    return ((double)gw_bin_low(grid, bin) + (double)gw_bin_high(grid, bin)) / 2 / pow(10, grid->scale);
}

static bool grid_is_sound(const gw_bin_grid *grid, size_t bin_count) {
    gw_int128 end = (gw_int128)grid->first + (gw_int128)bin_count * grid->width;
    return grid->scale <= SCALE_MAX && grid->step > 0 && grid->width >= grid->step && end < VALUE_END &&
           grid->first > -VALUE_END && grid->last < VALUE_END && grid->last >= grid->first &&
           (gw_int128)grid->last >= end - grid->width; // the last bin is not empty
}

static void grid_shorten(gw_bin_grid *grid) {
    while (grid->scale > 0 && grid->first % 10 == 0 && grid->width % 10 == 0 && grid->step % 10 == 0 &&
           grid->last % 10 == 0) {
        grid->first /= 10;
        grid->width /= 10;
        grid->step /= 10;
        grid->last /= 10;
        grid->scale--;
    }
}

// ---- one for all groups

static gw_status rates_make(gw_tree_figures *figures) {
    const gw_tree_figures_shape *shape = &figures->shape;
    gw_poverty_rule rule = {.values = figures->values,
                            .quantile = {1, 2},
                            .numerator = shape->fraction.a,
                            .denominator = shape->fraction.b};
    figures->rates = calloc(shape->tree.shape.group_count, sizeof *figures->rates);
    if (!figures->rates)
        return GW_NO_MEMORY;
    return gw_poverty_rates_of_published(&shape->tree, &rule, figures->level_ppm, &figures->line, figures->rates);
}

static gw_status figures_init(gw_tree_figures *figures) {
    gw_tree_figures_shape *shape = &figures->shape;
    size_t bins = shape->tree.shape.bin_count;
    gw_tree_levels levels;
    if (!gw_tree_levels_of(&shape->tree.shape, &levels))
        return GW_INVALID;
    if (shape->statistic == GW_STATISTIC_SERIES)
        return shape->step > 0 ? GW_OK : GW_INVALID;
    if (!grid_is_sound(&shape->grid, bins))
        return GW_INVALID;
    grid_shorten(&shape->grid);
    figures->values = calloc(bins, sizeof *figures->values);
    if (!figures->values)
        return GW_NO_MEMORY;
    for (size_t i = 0; i < bins; i++)
        figures->values[i] = gw_bin_low(&shape->grid, i) + gw_bin_high(&shape->grid, i);
    return shape->statistic == GW_STATISTIC_POVERTY ? rates_make(figures) : GW_OK;
}

gw_status gw_tree_figures_new(const gw_tree_figures_shape *shape, uint32_t level_ppm, gw_tree_figures **ret) {
    gw_tree_figures *figures = calloc(1, sizeof *figures);
    if (!figures)
        return GW_NO_MEMORY;
    figures->shape = *shape;
    figures->level_ppm = level_ppm;
    gw_status status = figures_init(figures);
    if (status != GW_OK) {
        gw_tree_figures_free(figures);
        return status;
    }
    *ret = figures;
    return GW_OK;
}

void gw_tree_figures_free(gw_tree_figures *figures) {
    if (!figures)
        return;
    free(figures->values);
    free(figures->rates);
    free(figures);
}

// ---- figures

size_t gw_tree_figures_cells(gw_statistic statistic, size_t level_count, size_t bin_count) {
    return statistic == GW_STATISTIC_QUANTILE ? level_count : statistic == GW_STATISTIC_SERIES ? 2 * bin_count : 1;
}

static void quantile_say(const gw_tree_figures *figures, const gw_quantile *quantile, gw_cell_figures *ret) {
    const gw_bin_grid *grid = &figures->shape.grid;
    unsigned decimals = figures->shape.decimals;
    double power = pow(10, grid->scale), estimate = gw_bin_middle(grid, quantile->bin);
    double lower = (double)gw_bin_low(grid, quantile->low) / power;
    double upper = (double)gw_bin_high(grid, quantile->high) / power;
    *ret = (gw_cell_figures){.is_estimable = quantile->is_determinable, .has_no_se = true};
    gw_cell_number(ret->estimate, estimate, decimals);
    gw_cell_number(ret->lower, gw_cell_round(lower, decimals, false), decimals);
    gw_cell_number(ret->upper, gw_cell_round(upper, decimals, true), decimals);
    ret->is_uncertain = !ret->is_estimable || upper - lower > 2 * GW_FLAG_COUNT_RELATIVE * fabs(estimate);
}

static gw_status quantiles_of(const gw_tree_figures *figures, const gw_tree *tree, gw_cell_figures *ret) {
    const gw_tree_figures_shape *shape = &figures->shape;
    gw_quantile *quantiles = calloc(shape->level_count + 1, sizeof *quantiles);
    gw_status status = quantiles
                           ? gw_quantiles_of(tree, shape->levels, shape->level_count, figures->level_ppm, quantiles)
                           : GW_NO_MEMORY;
    for (size_t i = 0; status == GW_OK && i < shape->level_count; i++)
        quantile_say(figures, &quantiles[i], &ret[i]);
    free(quantiles);
    return status;
}

// A figure with its range, times `factor`.
static gw_status derived_say(const gw_tree_figures *figures, const gw_derived *derived, double factor,
                             gw_cell_figures *ret) {
    unsigned decimals = figures->shape.decimals;
    double lower = factor * derived->lower, upper = factor * derived->upper, se = factor * derived->se;
    *ret = (gw_cell_figures){.is_estimable = derived->is_determinable, .has_no_se = !(derived->se > 0)};
    if (!(fabs(lower) < FIGURE_END) || !(fabs(upper) < FIGURE_END) || !(se < FIGURE_END))
        return GW_INVALID;
    gw_cell_number(ret->estimate, factor * derived->estimate, decimals);
    gw_cell_number(ret->lower, gw_cell_round(lower, decimals, false), decimals);
    gw_cell_number(ret->upper, gw_cell_round(upper, decimals, true), decimals);
    gw_cell_number(ret->se, se, decimals + 1);
    return GW_OK;
}

// Of 0 .. 1, shown as 0 .. 100.
static gw_status part_say(const gw_tree_figures *figures, const gw_derived *part, gw_cell_figures *ret) {
    gw_status status = derived_say(figures, part, 100, ret);
    ret->is_uncertain = !part->is_determinable || part->upper - part->lower > 2 * GW_FLAG_RATIO_HALF_WIDTH;
    return status;
}

static bool is_wide(const gw_derived *derived) {
    return derived->upper - derived->lower > 2 * GW_FLAG_COUNT_RELATIVE * fabs(derived->estimate);
}

static gw_status gini_of(const gw_tree_figures *figures, const gw_tree *tree, gw_cell_figures *ret) {
    gw_derived gini;
    gw_status status = gw_gini(tree, figures->values, figures->level_ppm, &gini);
    return status == GW_OK ? part_say(figures, &gini, ret) : status;
}

// Where nothing bounds it above there is no upper end, and no estimate either: it may be anything above the lower end.
static gw_status quintiles_of(const gw_tree_figures *figures, const gw_tree *tree, gw_cell_figures *ret) {
    gw_derived ratio;
    bool is_bounded = false;
    gw_status status = gw_quintile_ratio(tree, figures->values, figures->level_ppm, &ratio, &is_bounded);
    if (status != GW_OK)
        return status;
    ratio.is_determinable &= is_bounded;
    ratio.upper = fmin(ratio.upper, RATIO_MAX);
    status = derived_say(figures, &ratio, 1, ret);
    ret->is_open = !is_bounded;
    ret->is_uncertain = !ratio.is_determinable || is_wide(&ratio);
    return status;
}

// Period by period: its count, then the count up to it.
static gw_status series_of(const gw_tree_figures *figures, const gw_tree *tree, gw_cell_figures *ret) {
    size_t count = figures->shape.tree.shape.bin_count;
    double step = figures->shape.step;
    gw_series_point *points = calloc(count, sizeof *points);
    gw_status status = points ? gw_series_points(tree, figures->level_ppm, points) : GW_NO_MEMORY;
    for (size_t i = 0; status == GW_OK && i < count; i++) {
        status = derived_say(figures, &points[i].period, step, &ret[2 * i]);
        if (status == GW_OK)
            status = derived_say(figures, &points[i].total, step, &ret[2 * i + 1]);
        ret[2 * i].is_uncertain = is_wide(&points[i].period);
        ret[2 * i + 1].is_uncertain = is_wide(&points[i].total);
    }
    free(points);
    return status;
}

gw_status gw_tree_figures_of(const gw_tree_figures *figures, size_t group, gw_cell_figures *ret) {
    gw_statistic statistic = figures->shape.statistic;
    if (statistic == GW_STATISTIC_POVERTY) {
        gw_status status = part_say(figures, &figures->rates[group], ret);
        ret->has_no_se = true; // the rate's own leaves out that the line is uncertain too
        return status;
    }
    gw_tree *tree = NULL;
    gw_status status = gw_tree_of_published(&figures->shape.tree, (gw_tree_groups){group, 1}, &tree);
    if (status != GW_OK)
        return status;
    if (statistic == GW_STATISTIC_QUANTILE)
        status = quantiles_of(figures, tree, ret);
    else if (statistic == GW_STATISTIC_GINI)
        status = gini_of(figures, tree, ret);
    else if (statistic == GW_STATISTIC_QUINTILE_RATIO)
        status = quintiles_of(figures, tree, ret);
    else
        status = statistic == GW_STATISTIC_SERIES ? series_of(figures, tree, ret) : GW_INVALID;
    gw_tree_free(tree);
    return status;
}

gw_line_figures gw_tree_figures_line(const gw_tree_figures *figures) {
    const gw_bin_grid *grid = &figures->shape.grid;
    const gw_quantile *median = &figures->line.median;
    gw_quantile_level part = figures->shape.fraction;
    double power = pow(10, grid->scale), fraction = (double)part.a / (double)part.b;
    double middle = gw_bin_middle(grid, median->bin), low = (double)gw_bin_low(grid, median->low) / power;
    double high = (double)gw_bin_high(grid, median->high) / power;
    unsigned decimals = grid->scale + 2;
    gw_line_figures line = {.is_determinable = median->is_determinable};
    gw_cell_number(line.median, middle, decimals);
    gw_cell_number(line.threshold, fraction * middle, decimals);
    gw_cell_number(line.median_lower, low, decimals);
    gw_cell_number(line.median_upper, high, decimals);
    gw_cell_number(line.threshold_lower, gw_cell_round(fraction * low, decimals, false), decimals);
    gw_cell_number(line.threshold_upper, gw_cell_round(fraction * high, decimals, true), decimals);
    return line;
}
