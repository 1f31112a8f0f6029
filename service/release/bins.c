// SPDX-License-Identifier: Apache-2.0
// The figures of a tree are those that any reader of its nodes works out (format/tree_figures.h); here they are
// written.
#include "service/release/bins.h"

#include "service/base/check.h"
#include "service/format/tree_figures.h"
#include "service/wire/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 512u  // of the poverty line
#define NAMES_BYTES 512u // names and short numbers of "measured"
#define NODE_BYTES 4u    // sign, quotes and comma of an integer

struct gw_bins {
    const gw_release_shape *shape;
    const gw_released_table *table;
    gw_int128 *nodes; // those of the table; NULL for a choice
    gw_tree_figures *figures;
};

static bool is_tree(const gw_release_bins *of) {
    return of->tree.bin_count > 0;
}

static size_t node_count(const gw_release_bins *of) {
    gw_tree_levels levels;
    bool is_sound = gw_tree_levels_of(&of->tree, &levels);
    GW_ASSERT(is_sound);
    return levels.node_count;
}

// What a reader of the answer has, and so no more than that is handed on.
static gw_status figures_make(gw_bins *bins) {
    const gw_release_shape *shape = bins->shape;
    const gw_release_bins *of = shape->bins;
    size_t count = of->tree.group_count * node_count(of);
    if (gw_released_cell_count(bins->table) != count || gw_released_part_count(bins->table) != 1)
        return GW_INVALID;
    bins->nodes = calloc(count, sizeof *bins->nodes);
    if (!bins->nodes)
        return GW_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        bins->nodes[i] = gw_released_value(bins->table, i, 0);
    gw_tree_figures_shape figures = {.statistic = shape->statistic,
                                     .tree = {of->tree, gw_released_noise(bins->table), bins->nodes},
                                     .decimals = shape->decimals,
                                     .grid = of->grid,
                                     .levels = of->levels,
                                     .level_count = of->level_count,
                                     .fraction = of->fraction,
                                     .step = (double)shape->step_scaled / pow(10, shape->step_scale)};
    return gw_tree_figures_new(&figures, GW_LEVEL_95, &bins->figures);
}

gw_status gw_bins_new(const gw_release_shape *shape, const gw_released_table *table, gw_bins **ret) {
    gw_bins *bins = calloc(1, sizeof *bins);
    if (!bins)
        return GW_NO_MEMORY;
    bins->shape = shape;
    bins->table = table;
    gw_status status = is_tree(shape->bins) ? figures_make(bins) : GW_OK;
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
    gw_tree_figures_free(bins->figures);
    free(bins->nodes);
    free(bins);
}

// ---- figures

size_t gw_bins_cells(const gw_release_shape *shape) {
    return gw_tree_figures_cells(shape->statistic, shape->bins->level_count, shape->bins->bin_count);
}

// The value of the chosen bin: its middle, a whole step.
static void figures_choice(const gw_bins *bins, size_t group, gw_cell_figures *ret) {
    size_t bin = (size_t)gw_released_value(bins->table, group, 0);
    *ret = (gw_cell_figures){.is_estimable = true, .has_no_se = true, .has_no_range = true};
    gw_cell_number(ret->estimate, gw_bin_middle(&bins->shape->bins->grid, bin), bins->shape->decimals);
}

gw_status gw_bins_figures(const gw_bins *bins, size_t group, gw_cell_figures *ret) {
    if (bins->figures)
        return gw_tree_figures_of(bins->figures, group, ret);
    figures_choice(bins, group, ret);
    return GW_OK;
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

// The median of all and the line below which people count as poor, in the unit of the values.
static void encode_line(const gw_bins *bins, gw_buffer *out) {
    gw_line_figures line = gw_tree_figures_line(bins->figures);
    gw_json_write_name(out, "line");
    gw_buffer_text(out, "{");
    gw_json_write_member(out, "unit", bins->shape->bins->line_unit);
    gw_json_write_member(out, "median", line.is_determinable ? line.median : NULL);
    gw_json_write_member(out, "threshold", line.is_determinable ? line.threshold : NULL);
    gw_json_write_member(out, "median_lower", line.median_lower);
    gw_json_write_member(out, "median_upper", line.median_upper);
    gw_json_write_member(out, "threshold_lower", line.threshold_lower);
    gw_json_write_member(out, "threshold_upper", line.threshold_upper);
    gw_buffer_text(out, "}");
}

static void encode_nodes(const gw_bins *bins, size_t group, size_t nodes, gw_buffer *out) {
    char text[GW_INT128_TEXT];
    gw_buffer_text(out, "[");
    for (size_t i = 0; i < nodes; i++) {
        gw_int128_format(bins->nodes[group * nodes + i], text);
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
    gw_json_write_member(out, "step", of->step);
    gw_json_write_member(out, "last", of->last);
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
        GW_ASSERT(shape->axis_sizes[axis] > 0);
        bytes += codes * (of->group_count / shape->axis_sizes[axis]);
    }
    return bytes;
}
