// SPDX-License-Identifier: Apache-2.0
// From measured nodes to figures. Ranges of values are told in values: from the lowest of the lowest bin to the highest
// of the highest, so they hold for the exact figure and not only for its bin.
#include "service/release/bins.h"

#include "privacy/derive/series.h"
#include "service/base/check.h"
#include "service/wire/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 512u  // of the poverty line
#define NAMES_BYTES 512u // names and short numbers of "measured"
#define FIGURE_MAX 1e23  // longer ones would have no place; no ratio of people's money is as large
#define NODE_BYTES 4u    // sign, quotes and comma of an integer

struct gw_bins {
    const gw_release_shape *shape;
    const gw_released_table *table;
    int64_t *values; // twice the middle of each bin; NULL for periods
    gw_poverty_line line;
    gw_derived *rates; // poverty: of every group
};

static bool is_tree(const gw_release_bins *of) {
    return of->tree.bin_count > 0;
}

static double power_of_ten(unsigned exponent) {
    return pow(10, exponent);
}

static int64_t bin_low(const gw_release_bins *of, size_t bin) {
    return of->first_scaled + (int64_t)bin * of->width_scaled;
}

static int64_t bin_high(const gw_release_bins *of, size_t bin) {
    int64_t high = bin_low(of, bin) + of->width_scaled - of->grid_scaled;
    return high < of->last_scaled ? high : of->last_scaled;
}

static double bin_middle(const gw_release_bins *of, size_t bin) {
    return ((double)bin_low(of, bin) + (double)bin_high(of, bin)) / 2 / power_of_ten(of->scale);
}

// ---- one for all groups

static gw_status rates_make(gw_bins *bins) {
    const gw_release_bins *of = bins->shape->bins;
    gw_poverty_rule rule = {
        .values = bins->values, .quantile = {1, 2}, .numerator = of->fraction.a, .denominator = of->fraction.b};
    bins->rates = calloc(of->tree.group_count, sizeof *bins->rates);
    if (!bins->rates)
        return GW_NO_MEMORY;
    return gw_poverty_rates(bins->table, &of->tree, &rule, GW_LEVEL_95, &bins->line, bins->rates);
}

static gw_status bins_init(gw_bins *bins) {
    const gw_release_bins *of = bins->shape->bins;
    if (of->first) {
        bins->values = calloc(of->bin_count, sizeof *bins->values);
        if (!bins->values)
            return GW_NO_MEMORY;
        for (size_t i = 0; i < of->bin_count; i++)
            bins->values[i] = bin_low(of, i) + bin_high(of, i);
    }
    return bins->shape->statistic == GW_STATISTIC_POVERTY ? rates_make(bins) : GW_OK;
}

gw_status gw_bins_new(const gw_release_shape *shape, const gw_released_table *table, gw_bins **ret) {
    gw_bins *bins = calloc(1, sizeof *bins);
    if (!bins)
        return GW_NO_MEMORY;
    bins->shape = shape;
    bins->table = table;
    gw_status status = bins_init(bins);
    if (status != GW_OK) {
        gw_bins_free(bins);
        return status;
    }
    *ret = bins;
    return GW_OK;
}

void gw_bins_free(gw_bins *bins) {
    if (!bins)
        return;
    free(bins->values);
    free(bins->rates);
    free(bins);
}

// ---- figures

size_t gw_bins_cells(const gw_release_shape *shape) {
    size_t cells = 1;
    for (size_t axis = shape->bins->group_axes; axis < shape->axis_count; axis++)
        cells *= shape->axis_sizes[axis];
    return cells;
}

// The value of the chosen bin: its middle, a whole step.
static void figures_choice(const gw_bins *bins, size_t group, gw_cell_figures *ret) {
    size_t bin = (size_t)gw_released_value(bins->table, group, 0);
    *ret = (gw_cell_figures){.is_estimable = true, .has_no_se = true, .has_no_range = true};
    gw_cell_number(ret->estimate, bin_middle(bins->shape->bins, bin), bins->shape->decimals);
}

static void figures_quantile(const gw_bins *bins, const gw_quantile *quantile, gw_cell_figures *ret) {
    const gw_release_bins *of = bins->shape->bins;
    unsigned decimals = bins->shape->decimals;
    double power = power_of_ten(of->scale), estimate = bin_middle(of, quantile->bin);
    double lower = (double)bin_low(of, quantile->low) / power, upper = (double)bin_high(of, quantile->high) / power;
    *ret = (gw_cell_figures){.is_estimable = quantile->is_determinable, .has_no_se = true};
    gw_cell_number(ret->estimate, estimate, decimals);
    gw_cell_number(ret->lower, gw_cell_round(lower, decimals, false), decimals);
    gw_cell_number(ret->upper, gw_cell_round(upper, decimals, true), decimals);
    ret->is_uncertain = !ret->is_estimable || upper - lower > 2 * GW_FLAG_COUNT_RELATIVE * fabs(estimate);
}

static gw_status figures_quantiles(const gw_bins *bins, const gw_tree *tree, gw_cell_figures *ret) {
    const gw_release_bins *of = bins->shape->bins;
    gw_quantile *quantiles = calloc(of->level_count, sizeof *quantiles);
    gw_status status =
        quantiles ? gw_quantiles_of(tree, of->levels, of->level_count, GW_LEVEL_95, quantiles) : GW_NO_MEMORY;
    for (size_t i = 0; status == GW_OK && i < of->level_count; i++)
        figures_quantile(bins, &quantiles[i], &ret[i]);
    free(quantiles);
    return status;
}

// A figure with its range, times `factor`.
static void figures_derived(const gw_bins *bins, const gw_derived *derived, double factor, gw_cell_figures *ret) {
    unsigned decimals = bins->shape->decimals;
    *ret = (gw_cell_figures){.is_estimable = derived->is_determinable, .has_no_se = !(derived->se > 0)};
    gw_cell_number(ret->estimate, factor * derived->estimate, decimals);
    gw_cell_number(ret->lower, gw_cell_round(factor * derived->lower, decimals, false), decimals);
    gw_cell_number(ret->upper, gw_cell_round(fmin(factor * derived->upper, FIGURE_MAX), decimals, true), decimals);
    gw_cell_number(ret->se, factor * derived->se, decimals + 1);
}

// Of 0 .. 1, shown as 0 .. 100.
static void figures_part(const gw_bins *bins, const gw_derived *part, gw_cell_figures *ret) {
    figures_derived(bins, part, 100, ret);
    ret->is_uncertain = !part->is_determinable || part->upper - part->lower > 2 * GW_FLAG_RATIO_HALF_WIDTH;
}

static bool is_wide(const gw_derived *derived) {
    return derived->upper - derived->lower > 2 * GW_FLAG_COUNT_RELATIVE * fabs(derived->estimate);
}

static gw_status figures_gini(const gw_bins *bins, const gw_tree *tree, gw_cell_figures *ret) {
    gw_derived gini;
    gw_status status = gw_gini(tree, bins->values, GW_LEVEL_95, &gini);
    if (status == GW_OK)
        figures_part(bins, &gini, ret);
    return status;
}

static gw_status figures_quintiles(const gw_bins *bins, const gw_tree *tree, gw_cell_figures *ret) {
    gw_derived ratio;
    bool is_bounded = false;
    gw_status status = gw_quintile_ratio(tree, bins->values, GW_LEVEL_95, &ratio, &is_bounded);
    if (status != GW_OK)
        return status;
    ratio.is_determinable &= is_bounded; // a range without an end says nothing of how large it is
    figures_derived(bins, &ratio, 1, ret);
    ret->is_uncertain = !ratio.is_determinable || is_wide(&ratio);
    return GW_OK;
}

// Period by period: its count, then the count up to it.
static gw_status figures_series(const gw_bins *bins, const gw_tree *tree, gw_cell_figures *ret) {
    const gw_release_shape *shape = bins->shape;
    double step = (double)shape->step_scaled / power_of_ten(shape->step_scale);
    size_t count = shape->bins->bin_count;
    gw_series_point *points = calloc(count, sizeof *points);
    gw_status status = points ? gw_series_points(tree, GW_LEVEL_95, points) : GW_NO_MEMORY;
    for (size_t i = 0; status == GW_OK && i < count; i++) {
        figures_derived(bins, &points[i].period, step, &ret[2 * i]);
        figures_derived(bins, &points[i].total, step, &ret[2 * i + 1]);
        ret[2 * i].is_uncertain = is_wide(&points[i].period);
        ret[2 * i + 1].is_uncertain = is_wide(&points[i].total);
    }
    free(points);
    return status;
}

static gw_status figures_of_tree(const gw_bins *bins, size_t group, gw_cell_figures *ret) {
    gw_tree *tree = NULL;
    gw_status status = gw_tree_new(bins->table, &bins->shape->bins->tree, (gw_tree_groups){group, 1}, &tree);
    if (status != GW_OK)
        return status;
    if (bins->shape->statistic == GW_STATISTIC_QUANTILE)
        status = figures_quantiles(bins, tree, ret);
    else if (bins->shape->statistic == GW_STATISTIC_GINI)
        status = figures_gini(bins, tree, ret);
    else if (bins->shape->statistic == GW_STATISTIC_QUINTILE_RATIO)
        status = figures_quintiles(bins, tree, ret);
    else
        status = figures_series(bins, tree, ret);
    gw_tree_free(tree);
    return status;
}

gw_status gw_bins_figures(const gw_bins *bins, size_t group, gw_cell_figures *ret) {
    if (!is_tree(bins->shape->bins)) {
        figures_choice(bins, group, ret);
        return GW_OK;
    }
    if (bins->shape->statistic == GW_STATISTIC_POVERTY) {
        figures_part(bins, &bins->rates[group], ret);
        return GW_OK;
    }
    return figures_of_tree(bins, group, ret);
}

// ---- members of the answer

void gw_bins_encode_question(const gw_release_shape *shape, gw_buffer *out) {
    const gw_release_bins *of = shape->bins;
    if (of->fraction_text)
        gw_json_write_member(out, "fraction", of->fraction_text);
    if (of->level_count == 0)
        return;
    gw_json_write_name(out, "at");
    gw_buffer_text(out, "[");
    for (size_t i = 0; i < of->level_count; i++) {
        gw_buffer_text(out, i ? "," : "");
        gw_json_write_string(out, of->level_texts[i]);
    }
    gw_buffer_text(out, "]");
}

static void encode_value(gw_buffer *out, const char *name, double value, unsigned decimals) {
    char text[GW_CELL_NUMBER_TEXT];
    gw_cell_number(text, value, decimals);
    gw_json_write_member(out, name, text);
}

// The median of all and the line below which people count as poor, in the unit of the values.
static void encode_line(const gw_bins *bins, gw_buffer *out) {
    const gw_release_bins *of = bins->shape->bins;
    const gw_poverty_line *line = &bins->line;
    double power = power_of_ten(of->scale), fraction = (double)of->fraction.a / (double)of->fraction.b;
    unsigned decimals = of->scale + 2;
    gw_json_write_name(out, "line");
    gw_buffer_text(out, "{");
    gw_json_write_member(out, "unit", of->line_unit);
    if (line->median.is_determinable) {
        encode_value(out, "median", bin_middle(of, line->median.bin), decimals);
        encode_value(out, "threshold", fraction * bin_middle(of, line->median.bin), decimals);
    } else {
        gw_json_write_member(out, "median", NULL);
        gw_json_write_member(out, "threshold", NULL);
    }
    encode_value(out, "median_lower", (double)bin_low(of, line->median.low) / power, decimals);
    encode_value(out, "median_upper", (double)bin_high(of, line->median.high) / power, decimals);
    encode_value(out, "threshold_lower", fraction * (double)bin_low(of, line->median.low) / power, decimals);
    encode_value(out, "threshold_upper", fraction * (double)bin_high(of, line->median.high) / power, decimals);
    gw_buffer_text(out, "}");
}

static size_t node_count(const gw_release_bins *of) {
    gw_tree_levels levels;
    bool is_sound = gw_tree_levels_of(&of->tree, &levels);
    GW_ASSERT(is_sound);
    return levels.node_count;
}

static void encode_nodes(const gw_bins *bins, size_t group, size_t nodes, gw_buffer *out) {
    char text[GW_INT128_TEXT];
    gw_buffer_text(out, "[");
    for (size_t i = 0; i < nodes; i++) {
        gw_int128_format(gw_released_value(bins->table, group * nodes + i, 0), text);
        gw_buffer_text(out, i ? ",\"" : "\"");
        gw_buffer_text(out, text);
        gw_buffer_text(out, "\"");
    }
    gw_buffer_text(out, "]");
}

static void encode_tree(const gw_bins *bins, gw_bins_key key, const void *state, gw_buffer *out) {
    const gw_release_shape *shape = bins->shape;
    const gw_release_bins *of = shape->bins;
    size_t nodes = node_count(of);
    gw_json_write_name(out, "measured");
    gw_buffer_text(out, "{\"kind\":\"tree\"");
    gw_json_write_integer(out, "fan", (int64_t)of->tree.fan);
    gw_json_write_integer(out, "bins", (int64_t)of->tree.bin_count);
    gw_json_write_integer(out, "nodes", (int64_t)nodes);
    gw_json_write_member(out, "first", of->first);
    gw_json_write_member(out, "width", of->width);
    gw_json_write_name(out, "by");
    gw_buffer_text(out, "[");
    for (size_t i = 0; i < of->group_axes; i++) {
        gw_buffer_text(out, i ? "," : "");
        gw_json_write_string(out, shape->by[i]);
    }
    gw_buffer_text(out, "],\"groups\":[");
    for (size_t group = 0; group < of->group_count; group++) {
        gw_buffer_text(out, group ? ",{\"key\":" : "{\"key\":");
        key(state, group, out);
        gw_buffer_text(out, ",\"nodes\":");
        encode_nodes(bins, group, nodes, out);
        gw_buffer_text(out, "}");
    }
    gw_buffer_text(out, "]");
    if (of->tree.group_count > of->group_count) {
        gw_json_write_name(out, "rest");
        encode_nodes(bins, of->group_count, nodes, out);
    }
    gw_buffer_text(out, "}");
}

void gw_bins_encode_measured(const gw_bins *bins, gw_bins_key key, const void *state, gw_buffer *out) {
    if (bins->shape->statistic == GW_STATISTIC_POVERTY)
        encode_line(bins, out);
    if (is_tree(bins->shape->bins))
        encode_tree(bins, key, state, out);
}

size_t gw_bins_bytes_max(const gw_release_shape *shape, unsigned digits) {
    const gw_release_bins *of = shape->bins;
    if (!is_tree(of))
        return 0;
    size_t bytes = LINE_BYTES + NAMES_BYTES + of->tree.group_count * (node_count(of) * (digits + NODE_BYTES) + 32);
    for (size_t axis = 0; axis < of->group_axes; axis++) {
        size_t codes = 0;
        for (size_t i = 0; i < shape->axis_sizes[axis]; i++)
            codes += strlen(shape->axis_codes[axis][i]) + 3;
        bytes += codes * (of->group_count / shape->axis_sizes[axis]);
    }
    return bytes;
}
