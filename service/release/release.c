// SPDX-License-Identifier: Apache-2.0
// Encodes answers. Estimates and ranges are post-processing of the measured integers, which are printed beside them, so
// a reader can recompute everything here. Numbers that round are rounded outwards in ranges.
#include "service/release/release_inner.h"

#include "service/base/check.h"
#include "service/release/bins.h"
#include "service/wire/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 8u         // of a cell of the answer
#define INDEX_DIGITS_MAX 6u  // of a chosen bin
#define VALUE_DIGITS_MAX 40u // of any 128-bit integer

// What is the same for every cell of a table, worked out once.
typedef struct {
    const gw_release_shape *shape;
    gw_figures_law *law; // NULL with bins
    const gw_released_table *table;
    size_t cell_count; // of the answer: a gap's cells are two of the table's each
    size_t part_count; // of a cell of the answer
    gw_bins *bins;     // statistics over a grid; otherwise NULL
    char **keys;       // per axis and code: the code in quotes
} encoder;

static bool is_gap(const gw_release_shape *shape) {
    return shape->gap_concept != NULL;
}

static size_t sides_of(const gw_release_shape *shape) {
    return is_gap(shape) ? 2 : 1;
}

// ---- cells

// Numbers and keys need no escapes here: keys were escaped once, figures are digits.
static void write_figure(gw_buffer *out, const char *name, const char *text) {
    gw_buffer_text(out, name);
    if (!text) {
        gw_buffer_text(out, "null");
        return;
    }
    gw_buffer_text(out, "\"");
    gw_buffer_text(out, text);
    gw_buffer_text(out, "\"");
}

static void encode_figures(const gw_cell_figures *figures, gw_buffer *out) {
    write_figure(out, ",\"estimate\":", figures->is_estimable ? figures->estimate : NULL);
    write_figure(out, ",\"lower\":", figures->has_no_range ? NULL : figures->lower);
    write_figure(out, ",\"upper\":", figures->has_no_range || figures->is_open ? NULL : figures->upper);
    write_figure(out, ",\"se\":", figures->is_estimable && !figures->has_no_se ? figures->se : NULL);
    write_figure(out, ",\"flag\":", figures->is_uncertain ? "u" : "");
}

// The codes of the first `axis_count` breakdowns of a cell of so many cells.
static void encode_codes(const encoder *e, size_t axis_count, size_t cell_count, size_t cell, gw_buffer *out) {
    const gw_release_shape *shape = e->shape;
    size_t first = 0, stride = cell_count;
    gw_buffer_text(out, "[");
    for (size_t axis = 0; axis < axis_count; axis++) {
        size_t size = shape->axis_sizes[axis];
        stride /= size;
        gw_buffer_text(out, axis ? "," : "");
        gw_buffer_text(out, e->keys[first + cell / stride % size]);
        first += size;
    }
    gw_buffer_text(out, "]");
}

// The measured integers of a cell; a gap's two sides lie beside each other.
static void cell_values(const encoder *e, size_t cell, gw_int128 values[PARTS_MAX]) {
    for (size_t part = 0; part < e->part_count; part++) {
        size_t measured = cell * e->part_count + part;
        values[part] = gw_released_value(e->table, measured / e->shape->part_count, measured % e->shape->part_count);
    }
}

static void encode_cell(const encoder *e, size_t cell, const gw_cell_figures *figures, gw_buffer *out) {
    gw_int128 values[PARTS_MAX];
    cell_values(e, cell, values);
    gw_buffer_text(out, cell ? ",{" : "{");
    gw_buffer_text(out, "\"key\":");
    encode_codes(e, e->shape->axis_count, e->cell_count, cell, out);
    gw_buffer_text(out, ",\"parts\":[");
    for (size_t part = 0; part < e->part_count; part++) {
        char text[GW_INT128_TEXT];
        gw_int128_format(values[part], text);
        write_figure(out, part ? "," : "", text);
    }
    gw_buffer_text(out, "]");
    encode_figures(figures, out);
    gw_buffer_text(out, "}");
}

static void encode_hash(gw_buffer *out, const char *name, gw_hash hash) {
    char hex[GW_HASH_HEX];
    gw_hex((gw_bytes){hash.bytes, sizeof hash.bytes}, hex);
    gw_json_write_member(out, name, hex);
}

static void encode_bounds(const gw_release_shape *shape, gw_buffer *out) {
    gw_json_write_member(out, "per", shape->is_per_person ? "person" : "row");
    gw_buffer_text(out, shape->is_weighted ? ",\"weighted\":true" : ",\"weighted\":false");
    gw_json_write_name(out, "bounds");
    gw_buffer_text(out, "{");
    gw_json_write_member(out, "kind", shape->bounds_kind);
    gw_json_write_member(out, "units", shape->bounds_units);
    gw_json_write_member(out, "total", shape->bounds_total);
    gw_json_write_member(out, "note", shape->bounds_note);
    gw_buffer_text(out, "}");
}

static void encode_gap(const gw_release_shape *shape, gw_buffer *out) {
    if (!is_gap(shape))
        return;
    gw_json_write_name(out, "gap");
    gw_buffer_text(out, "{");
    gw_json_write_member(out, "concept", shape->gap_concept);
    gw_json_write_member(out, "group", shape->gap_group);
    gw_json_write_member(out, "reference", shape->gap_reference);
    gw_json_write_member(out, "of", gw_statistic_name(shape->statistic));
    gw_buffer_text(out, "}");
}

// Where the sensitivity does not say what a unit's parts add up to.
static bool has_width(const gw_release_shape *shape) {
    if (shape->statistic == GW_STATISTIC_VARIANCE || shape->statistic == GW_STATISTIC_SD)
        return true;
    return shape->statistic == GW_STATISTIC_MEAN && (shape->bounds_kind || is_gap(shape));
}

void gw_release_write_head(const gw_release_shape *shape, gw_hash salt, gw_buffer *out) {
    gw_buffer_text(out, "{\"v\":1");
    encode_hash(out, "salt", salt);
    gw_json_write_member(out, "release", shape->release);
    gw_json_write_member(out, "dataset", shape->dataset);
    gw_json_write_member(out, "data_version", shape->data_version);
    gw_json_write_integer(out, "policy", (int64_t)shape->policy_version);
    gw_json_write_member(out, "indicator", shape->indicator);
    gw_json_write_integer(out, "indicator_version", (int64_t)shape->indicator_version);
    encode_hash(out, "question", shape->question);
    gw_json_write_member(out, "unit", shape->unit);
    gw_json_write_integer(out, "decimals", (int64_t)shape->decimals);
    gw_json_write_member(out, "level", "0.95");
    gw_json_write_member(out, "statistic", gw_statistic_name(is_gap(shape) ? GW_STATISTIC_GAP : shape->statistic));
    gw_json_write_member(out, "of", shape->of);
    if (shape->over)
        gw_json_write_member(out, "over", shape->over);
    encode_gap(shape, out);
    gw_json_write_member(out, "notice", shape->notice);
    if (shape->is_dummy)
        gw_buffer_text(out, ",\"dummy\":true");
    gw_json_write_name(out, "noise");
    bool is_choice = shape->bins && shape->bins->tree.bin_count == 0;
    const char *law = is_choice ? "permute-and-flip" : shape->delta.atto > 0 ? "random-threshold" : "discrete-laplace";
    gw_buffer_text(out, "{");
    gw_json_write_member(out, "law", law);
    gw_json_write_epsilon(out, "epsilon", shape->noise.epsilon);
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)shape->noise.sensitivity);
    gw_json_write_member(out, "sensitivity", text);
    gw_json_write_member(out, "grid", shape->grid);
    gw_json_write_member(out, "offset", shape->offset);
    if (shape->over_grid)
        gw_json_write_member(out, "over_grid", shape->over_grid);
    if (has_width(shape)) {
        snprintf(text, sizeof text, "%llu", (unsigned long long)shape->width);
        gw_json_write_member(out, "width", text);
    }
    if (is_choice) {
        char persons[GW_CELL_NUMBER_TEXT];
        GW_ASSERT(gw_rank_error_text(shape->bins->rank_error, persons));
        gw_json_write_member(out, "rank_error", persons);
        gw_json_write_integer(out, "bins", (int64_t)shape->bins->bin_count);
    }
    gw_buffer_text(out, "}");
    if (shape->bins)
        gw_bins_encode_question(shape, out);
    if (shape->bounds_kind)
        encode_bounds(shape, out);
    gw_json_write_name(out, "by");
    gw_buffer_text(out, "[");
    for (size_t i = 0; i < shape->axis_count; i++) {
        gw_buffer_text(out, i ? "," : "");
        gw_json_write_string(out, shape->by[i]);
    }
    gw_buffer_text(out, "]");
}

// Length of the widest cells this shape could have with integers of `digits` digits: keys as they are, every number at
// its widest (sign, quotes and comma; decimals, point and two digits of percent for the four figures). A large step
// makes figures longer than the integers they come from.
static size_t cells_bytes_max(const gw_release_shape *shape, size_t cell_count, unsigned digits) {
    unsigned figure_digits = digits;
    for (int64_t step = shape->step_scaled; step > 1; step /= 10)
        figure_digits++;
    if (shape->bins) {
        figure_digits = figure_digits > GW_CELL_DIGITS_MAX ? figure_digits : GW_CELL_DIGITS_MAX;
        digits = digits > INDEX_DIGITS_MAX ? digits : INDEX_DIGITS_MAX;
    }
    size_t bytes = cell_count * (GW_RELEASE_CELL_BYTES + shape->part_count * sides_of(shape) * (digits + 4) +
                                 4 * (figure_digits + shape->decimals + 6));
    for (size_t axis = 0; axis < shape->axis_count; axis++) {
        size_t codes = 0;
        for (size_t i = 0; i < shape->axis_sizes[axis]; i++)
            codes += strlen(shape->axis_codes[axis][i]) + 3;
        GW_ASSERT(shape->axis_sizes[axis] > 0); // a concept has at least one code
        bytes += codes * (cell_count / shape->axis_sizes[axis]);
    }
    return bytes;
}

static size_t body_bytes_max(const gw_release_shape *shape, size_t cell_count, unsigned digits) {
    return cells_bytes_max(shape, cell_count, digits) + (shape->bins ? gw_bins_bytes_max(shape, digits) : 0);
}

size_t gw_release_bytes_max(const gw_release_shape *shape, size_t cell_count) {
    return GW_RELEASE_HEAD_BYTES_MAX + body_bytes_max(shape, cell_count, shape->value_digits);
}

static char *key_text(const char *code) {
    gw_buffer quoted;
    gw_buffer_init(&quoted, 1024);
    gw_json_write_string(&quoted, code);
    char *text = quoted.status == GW_OK ? strdup(gw_buffer_string(&quoted)) : NULL;
    gw_buffer_done(&quoted);
    return text;
}

static size_t key_count(const gw_release_shape *shape) {
    size_t count = 0;
    for (size_t axis = 0; axis < shape->axis_count; axis++)
        count += shape->axis_sizes[axis];
    return count;
}

static gw_status encoder_init_keys(encoder *e) {
    const gw_release_shape *shape = e->shape;
    size_t at = 0;
    e->keys = calloc(key_count(shape) + 1, sizeof *e->keys);
    for (size_t axis = 0; e->keys && axis < shape->axis_count; axis++)
        for (size_t i = 0; i < shape->axis_sizes[axis]; i++)
            if (!(e->keys[at++] = key_text(shape->axis_codes[axis][i])))
                return GW_NO_MEMORY;
    return e->keys ? GW_OK : GW_NO_MEMORY;
}

static void encoder_done(encoder *e) {
    for (size_t i = 0; e->keys && i < key_count(e->shape); i++)
        free(e->keys[i]);
    free(e->keys);
    gw_figures_law_free(e->law);
    gw_bins_free(e->bins);
}

static gw_status encode_own_cells(const encoder *e, gw_buffer *out) {
    gw_status status = GW_OK;
    for (size_t cell = 0; status == GW_OK && cell < e->cell_count; cell++) {
        gw_int128 values[PARTS_MAX];
        gw_cell_figures figures;
        cell_values(e, cell, values);
        status = gw_figures_of(e->law, values, &figures);
        if (status == GW_OK)
            encode_cell(e, cell, &figures, out);
    }
    return status;
}

static gw_status encode_group_cells(const encoder *e, gw_buffer *out) {
    size_t count = gw_bins_cells(e->shape);
    gw_cell_figures *figures = calloc(count, sizeof *figures);
    gw_status status = figures ? GW_OK : GW_NO_MEMORY;
    for (size_t group = 0; status == GW_OK && group < e->shape->bins->group_count; group++) {
        status = gw_bins_figures(e->bins, group, figures);
        for (size_t i = 0; status == GW_OK && i < count; i++)
            encode_cell(e, group * count + i, &figures[i], out);
    }
    free(figures);
    return status;
}

static gw_status encode_cells(const encoder *e, gw_buffer *out) {
    gw_json_write_name(out, "cells");
    gw_buffer_text(out, "[");
    gw_status status = e->bins ? encode_group_cells(e, out) : encode_own_cells(e, out);
    gw_buffer_text(out, "]}");
    return status;
}

static void encode_group_key(const void *state, size_t group, gw_buffer *out) {
    const encoder *e = state;
    encode_codes(e, e->shape->bins->group_axes, e->shape->bins->group_count, group, out);
}

void gw_release_pad(gw_buffer *out, size_t length) {
    static const char spaces[64] = "                                                               ";
    while (out->status == GW_OK && out->size < length) {
        size_t left = length - out->size;
        gw_buffer_append(out, spaces, left < 63 ? left : 63);
    }
}

// Spaces up to a length that the shape alone decides.
static void encode_padding(const gw_release_shape *shape, size_t cell_count, size_t start, gw_buffer *out) {
    size_t length = start + body_bytes_max(shape, cell_count, shape->value_digits) + 16;
    if (out->size > length)
        length = start + body_bytes_max(shape, cell_count, VALUE_DIGITS_MAX) + 16;
    gw_release_pad(out, length);
}

// A step of the one sum over a step of the other, both decimals.
static double quotient_of(const gw_release_shape *shape) {
    return shape->over_grid ? strtod(shape->grid, NULL) / strtod(shape->over_grid, NULL) : 1.0;
}

static gw_status encoder_init_law(encoder *e, const gw_interval_law *known) {
    const gw_release_shape *shape = e->shape;
    gw_figures_shape figures = {.statistic = shape->statistic,
                                .is_gap = is_gap(shape),
                                .noise = shape->noise,
                                .decimals = shape->decimals,
                                .step_scaled = shape->step_scaled,
                                .step_scale = shape->step_scale,
                                .minimum = shape->minimum,
                                .range = shape->range,
                                .width = shape->width,
                                .quotient = quotient_of(shape),
                                .cell_count = e->cell_count};
    size_t measured = shape->statistic == GW_STATISTIC_SHARE ? gw_released_cell_count(e->table) : 0;
    for (size_t i = 0; i < measured; i++) {
        gw_int128 *total = &figures.totals[i % sides_of(shape)];
        GW_ASSERT(gw_add_i128(*total, gw_released_value(e->table, i, 0), total));
    }
    return gw_figures_law_new(&figures, GW_LEVEL_95, known, &e->law);
}

gw_status gw_release_encode(const gw_release_shape *shape, const gw_interval_law *law, const gw_released_table *table,
                            gw_hash salt, gw_buffer *ret_answer) {
    encoder e = {.shape = shape, .table = table, .part_count = shape->part_count * sides_of(shape)};
    e.cell_count =
        shape->bins ? shape->bins->group_count * gw_bins_cells(shape) : gw_released_cell_count(table) / sides_of(shape);
    GW_ASSERT(e.part_count <= PARTS_MAX);
    gw_status status = encoder_init_keys(&e);
    if (status == GW_OK)
        status = shape->bins ? gw_bins_new(shape, table, &e.bins) : encoder_init_law(&e, law);
    if (status == GW_OK) {
        gw_release_write_head(shape, salt, ret_answer);
        size_t start = ret_answer->size;
        if (e.bins)
            gw_bins_encode_measured(e.bins, encode_group_key, &e, ret_answer);
        status = encode_cells(&e, ret_answer);
        encode_padding(shape, e.cell_count, start, ret_answer);
        status = status == GW_OK ? ret_answer->status : status;
    }
    encoder_done(&e);
    return status;
}
