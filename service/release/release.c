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

#define INDEX_DIGITS_MAX 6u  // of a chosen bin
#define VALUE_DIGITS_MAX 40u // of any 128-bit integer

// What is the same for every cell of a table, worked out once.
typedef struct {
    const gw_release_shape *shape;
    const gw_interval_law *law;
    const gw_released_table *table;
    size_t cell_count;                   // of the answer
    gw_bins *bins;                       // statistics over a grid; otherwise NULL
    gw_int128 total;                     // shares: of all cells
    char **keys;                         // per axis and code: the code in quotes
    char se[GW_CELL_NUMBER_TEXT];        // counts, sums, nets
    gw_int128 half_width, step, divisor; // value * step / divisor is in the last place shown
} encoder;

static bool is_amount(gw_statistic statistic) {
    return statistic == GW_STATISTIC_COUNT || statistic == GW_STATISTIC_SUM || statistic == GW_STATISTIC_NET;
}

// ---- counts, sums, nets: whole numbers of steps, and so exact up to one rounding

static gw_int128 divide_down(gw_int128 value, gw_int128 by) {
    return value / by - (value % by < 0);
}

// An integer in the last place, with its point: -1234 with two decimals is -12.34.
static void places_format(char text[GW_CELL_NUMBER_TEXT], gw_int128 value, unsigned decimals) {
    char digits[GW_INT128_TEXT];
    gw_int128_format(value < 0 ? -value : value, digits);
    size_t count = strlen(digits), at = 0;
    if (value < 0)
        text[at++] = '-';
    size_t zeros = count > decimals ? 0 : decimals + 1 - count; // a digit before the point
    size_t whole = count + zeros - decimals;
    for (size_t i = 0; i < count + zeros; i++) {
        if (i == whole)
            text[at++] = '.';
        text[at++] = i < zeros ? '0' : digits[i - zeros];
    }
    text[at] = '\0';
}

static void figures_amount(const encoder *e, gw_int128 value, gw_cell_figures *ret) {
    unsigned decimals = e->shape->decimals;
    gw_int128 lower = (value - e->half_width) * e->step, upper = (value + e->half_width) * e->step;
    // The nearest, halves upwards: twice the value keeps the half whole.
    places_format(ret->estimate, divide_down(2 * value * e->step + e->divisor, 2 * e->divisor), decimals);
    // May be below 0, like the estimate: whoever adds cells up needs both as they are.
    places_format(ret->lower, divide_down(lower, e->divisor), decimals);
    places_format(ret->upper, -divide_down(-upper, e->divisor), decimals);
    memcpy(ret->se, e->se, GW_CELL_NUMBER_TEXT);
    ret->is_estimable = true;
    bool is_signed = e->shape->statistic != GW_STATISTIC_COUNT;
    double size = is_signed && value < 0 ? -(double)value : (double)value;
    ret->is_uncertain = (double)e->half_width > GW_FLAG_COUNT_RELATIVE * size;
}

// ---- shares, rates, means

// Ratios in [0, 1] shown on [minimum, minimum + range]: 0 .. 100 for shares and rates.
static void figures_ratio(const encoder *e, gw_int128 a, gw_int128 b, double minimum, double range,
                          gw_cell_figures *ret) {
    gw_ratio_range ratio = gw_interval_ratio(e->law, a, b);
    unsigned decimals = e->shape->decimals;
    gw_cell_number(ret->estimate, minimum + range * ratio.estimate, decimals);
    gw_cell_number(ret->lower, gw_cell_round(minimum + range * ratio.lower, decimals, false), decimals);
    gw_cell_number(ret->upper, gw_cell_round(minimum + range * ratio.upper, decimals, true), decimals);
    gw_cell_number(ret->se, range * ratio.se, decimals + 1);
    ret->is_estimable = ratio.is_estimable;
    // A range that is narrow because it ends where ratios end says nothing good of an estimate far outside.
    bool is_outside = ratio.estimate < ratio.lower - GW_FLAG_RATIO_HALF_WIDTH ||
                      ratio.estimate > ratio.upper + GW_FLAG_RATIO_HALF_WIDTH;
    ret->is_uncertain = !ratio.is_estimable || is_outside || ratio.upper - ratio.lower > 2 * GW_FLAG_RATIO_HALF_WIDTH;
}

static void figures_of(const encoder *e, size_t cell, gw_cell_figures *ret) {
    gw_int128 a = gw_released_value(e->table, cell, 0);
    switch (e->shape->statistic) {
    case GW_STATISTIC_COUNT:
    case GW_STATISTIC_SUM:
    case GW_STATISTIC_NET:
        figures_amount(e, a, ret);
        return;
    case GW_STATISTIC_SHARE:
        figures_ratio(e, a, e->total - a, 0, 100, ret);
        return;
    case GW_STATISTIC_RATE:
        figures_ratio(e, a, gw_released_value(e->table, cell, 1), 0, 100, ret);
        return;
    case GW_STATISTIC_MEAN:
        figures_ratio(e, a, gw_released_value(e->table, cell, 1), e->shape->minimum, e->shape->range, ret);
        return;
    case GW_STATISTIC_VARIANCE:
    case GW_STATISTIC_SD:
    case GW_STATISTIC_RATIO:
    case GW_STATISTIC_GAP:
    case GW_STATISTIC_HISTOGRAM:
        return;
    case GW_STATISTIC_QUANTILE: // from bins.h, group by group
    case GW_STATISTIC_POVERTY:
    case GW_STATISTIC_GINI:
    case GW_STATISTIC_QUINTILE_RATIO:
    case GW_STATISTIC_SERIES:
    case GW_STATISTIC_KEYS:
        return;
    }
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
    write_figure(out, ",\"upper\":", figures->has_no_range ? NULL : figures->upper);
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

static void encode_cell(const encoder *e, size_t cell, const gw_cell_figures *figures, gw_buffer *out) {
    gw_buffer_text(out, cell ? ",{" : "{");
    gw_buffer_text(out, "\"key\":");
    encode_codes(e, e->shape->axis_count, e->cell_count, cell, out);
    gw_buffer_text(out, ",\"parts\":[");
    for (size_t part = 0; part < e->shape->part_count; part++) {
        char text[GW_INT128_TEXT];
        gw_int128_format(gw_released_value(e->table, cell, part), text);
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
    gw_json_write_member(out, "statistic", gw_statistic_name(shape->statistic));
    gw_json_write_member(out, "of", shape->of);
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
    if (shape->bounds_kind && shape->statistic == GW_STATISTIC_MEAN) { // else the sensitivity says it
        snprintf(text, sizeof text, "%llu", (unsigned long long)shape->width);
        gw_json_write_member(out, "width", text);
    }
    if (is_choice) {
        snprintf(text, sizeof text, "%.0f", ceil(shape->bins->rank_error - 1e-9));
        gw_json_write_member(out, "rank_error", text);
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
    size_t bytes = cell_count * (GW_RELEASE_CELL_BYTES + shape->part_count * (digits + 4) +
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

size_t gw_release_others(gw_statistic statistic, size_t cell_count) {
    switch (statistic) {
    case GW_STATISTIC_COUNT:
    case GW_STATISTIC_SUM:
    case GW_STATISTIC_NET:
        return 0;
    case GW_STATISTIC_QUANTILE: // their ranges are made by privacy/derive
    case GW_STATISTIC_POVERTY:
    case GW_STATISTIC_GINI:
    case GW_STATISTIC_QUINTILE_RATIO:
    case GW_STATISTIC_SERIES:
        return 0;
    case GW_STATISTIC_SHARE:
        return cell_count - 1;
    case GW_STATISTIC_RATE:
    case GW_STATISTIC_MEAN:
    case GW_STATISTIC_VARIANCE:
    case GW_STATISTIC_SD:
    case GW_STATISTIC_RATIO:
    case GW_STATISTIC_GAP:
    case GW_STATISTIC_HISTOGRAM:
    case GW_STATISTIC_KEYS:
        return 1;
    }
    GW_ASSERT(false);
    return 0;
}

static gw_int128 power_of_ten(unsigned exponent) {
    gw_int128 power = 1;
    for (unsigned i = 0; i < exponent; i++)
        power *= 10;
    return power;
}

// Steps to the last place shown. The largest amount of a person is below 2^62 in 10^-step_scale (query/plan_measure.c),
// there are at most 2^34 persons, and 20 bits of decimals may be added: far from 128 bits.
static void encoder_init_amounts(encoder *e) {
    const gw_release_shape *shape = e->shape;
    bool is_finer = shape->decimals >= shape->step_scale;
    e->step = shape->step_scaled * power_of_ten(is_finer ? shape->decimals - shape->step_scale : 0);
    e->divisor = power_of_ten(is_finer ? 0 : shape->step_scale - shape->decimals);
    e->half_width = (gw_int128)gw_interval_half_width(e->law);
    double step = (double)e->step / (double)e->divisor / (double)power_of_ten(shape->decimals);
    bool is_plain = shape->statistic == GW_STATISTIC_COUNT && shape->step_scale == 0;
    gw_cell_number(e->se, gw_interval_noise_sd(e->law) * step, is_plain ? 1 : shape->decimals + 1);
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
    gw_bins_free(e->bins);
}

static void encode_own_cells(const encoder *e, gw_buffer *out) {
    gw_cell_figures figures = {0};
    for (size_t cell = 0; cell < e->cell_count; cell++) {
        figures_of(e, cell, &figures);
        encode_cell(e, cell, &figures, out);
    }
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
    gw_status status = GW_OK;
    gw_json_write_name(out, "cells");
    gw_buffer_text(out, "[");
    if (e->bins)
        status = encode_group_cells(e, out);
    else
        encode_own_cells(e, out);
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

gw_status gw_release_encode(const gw_release_shape *shape, const gw_interval_law *law, const gw_released_table *table,
                            gw_hash salt, gw_buffer *ret_answer) {
    encoder e = {.shape = shape, .law = law, .table = table};
    e.cell_count = shape->bins ? shape->bins->group_count * gw_bins_cells(shape) : gw_released_cell_count(table);
    for (size_t cell = 0; shape->statistic == GW_STATISTIC_SHARE && cell < e.cell_count; cell++)
        GW_ASSERT(gw_add_i128(e.total, gw_released_value(table, cell, 0), &e.total));
    if (is_amount(shape->statistic))
        encoder_init_amounts(&e);
    gw_status status = encoder_init_keys(&e);
    if (status == GW_OK && shape->bins)
        status = gw_bins_new(shape, table, &e.bins);
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
