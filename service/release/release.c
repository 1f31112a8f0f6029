// SPDX-License-Identifier: Apache-2.0
// Encodes answers. Estimates and ranges are post-processing of the measured integers, which are printed beside them, so
// a reader can recompute everything here. Numbers that round are rounded outwards in ranges.
#include "service/release/release.h"

#include "service/base/check.h"
#include "service/wire/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_TEXT 64
// One cell without its numbers and key: {"key":[],"parts":[],"estimate":"","lower":"","upper":"","se":"","flag":"u"},
#define CELL_FIXED_BYTES 96u
#define VALUE_DIGITS_MAX 40u // of any 128-bit integer

typedef struct {
    bool is_estimable;
    double estimate, lower, upper, se;
    bool is_uncertain;
} cell_figures;

static void number_format(char text[NUMBER_TEXT], double value, unsigned decimals) {
    snprintf(text, NUMBER_TEXT, "%.*f", (int)decimals, value);
    // No negative zero: it would be a different text for the same figure.
    bool is_zero = true;
    for (const char *c = text; *c; c++)
        is_zero &= *c == '-' || *c == '0' || *c == '.';
    if (is_zero && text[0] == '-')
        memmove(text, text + 1, strlen(text));
}

static double round_towards(double value, unsigned decimals, bool is_up) {
    double power = pow(10, decimals), scaled = value * power;
    // A hair of slack, so that 64.9 computed as 64.90000000000001 is not widened by a whole step.
    scaled = is_up ? ceil(scaled - 1e-9) : floor(scaled + 1e-9);
    return scaled / power;
}

static cell_figures figures_count(const gw_interval_law *law, gw_int128 value) {
    double half = (double)gw_interval_half_width(law), estimate = (double)value;
    cell_figures figures = {.is_estimable = true, .estimate = estimate, .se = gw_interval_noise_sd(law)};
    figures.lower = estimate - half; // may be below 0, like the estimate: whoever adds cells up needs both as they are
    figures.upper = estimate + half;
    figures.is_uncertain = half > GW_FLAG_COUNT_RELATIVE * estimate;
    return figures;
}

// Ratios in [0, 1] shown on [minimum, minimum + range]: 0 .. 100 for shares and rates.
static cell_figures figures_ratio(const gw_interval_law *law, gw_int128 a, gw_int128 b, double minimum, double range) {
    gw_ratio_range ratio = gw_interval_ratio(law, a, b);
    cell_figures figures = {.is_estimable = ratio.is_estimable,
                            .estimate = minimum + range * ratio.estimate,
                            .lower = minimum + range * ratio.lower,
                            .upper = minimum + range * ratio.upper,
                            .se = range * ratio.se};
    figures.is_uncertain = !ratio.is_estimable || ratio.upper - ratio.lower > 2 * GW_FLAG_RATIO_HALF_WIDTH;
    return figures;
}

static cell_figures figures_of(const gw_release_shape *shape, const gw_interval_law *law,
                               const gw_released_table *table, size_t cell, gw_int128 total) {
    gw_int128 a = gw_released_value(table, cell, 0);
    switch (shape->statistic) {
    case GW_STATISTIC_COUNT:
    case GW_STATISTIC_SUM:
    case GW_STATISTIC_NET:
        return figures_count(law, a);
    case GW_STATISTIC_SHARE:
        return figures_ratio(law, a, total - a, 0, 100);
    case GW_STATISTIC_RATE:
        return figures_ratio(law, a, gw_released_value(table, cell, 1), 0, 100);
    case GW_STATISTIC_MEAN:
        return figures_ratio(law, a, gw_released_value(table, cell, 1), shape->minimum, shape->range);
    }
    GW_ASSERT(false);
    return (cell_figures){0};
}

static void encode_figures(const gw_release_shape *shape, const cell_figures *figures, gw_buffer *out) {
    char text[NUMBER_TEXT];
    unsigned decimals = shape->decimals;
    number_format(text, figures->estimate, decimals);
    gw_json_write_member(out, "estimate", figures->is_estimable ? text : NULL);
    number_format(text, round_towards(figures->lower, decimals, false), decimals);
    gw_json_write_member(out, "lower", text);
    number_format(text, round_towards(figures->upper, decimals, true), decimals);
    gw_json_write_member(out, "upper", text);
    number_format(text, figures->se, shape->statistic == GW_STATISTIC_COUNT ? 1 : decimals + 1);
    gw_json_write_member(out, "se", figures->is_estimable ? text : NULL);
    gw_json_write_member(out, "flag", figures->is_uncertain ? "u" : "");
}

static const char *cell_code(const gw_release_shape *shape, size_t cell, size_t axis) {
    size_t stride = 1;
    for (size_t i = shape->axis_count - 1; i > axis; i--)
        stride *= shape->axis_sizes[i];
    return shape->axis_codes[axis][cell / stride % shape->axis_sizes[axis]];
}

static void encode_key(const gw_release_shape *shape, size_t cell, gw_buffer *out) {
    gw_json_write_name(out, "key");
    gw_buffer_text(out, "[");
    for (size_t axis = 0; axis < shape->axis_count; axis++) {
        gw_buffer_text(out, axis ? "," : "");
        gw_json_write_string(out, cell_code(shape, cell, axis));
    }
    gw_buffer_text(out, "]");
}

static void encode_cell(const gw_release_shape *shape, const gw_interval_law *law, const gw_released_table *table,
                        size_t cell, gw_int128 total, gw_buffer *out) {
    gw_buffer_text(out, cell ? ",{" : "{");
    encode_key(shape, cell, out);
    gw_json_write_name(out, "parts");
    gw_buffer_text(out, "[");
    for (size_t part = 0; part < shape->part_count; part++) {
        char text[GW_INT128_TEXT];
        gw_int128_format(gw_released_value(table, cell, part), text);
        gw_buffer_text(out, part ? "," : "");
        gw_json_write_string(out, text);
    }
    gw_buffer_text(out, "]");
    cell_figures figures = figures_of(shape, law, table, cell, total);
    encode_figures(shape, &figures, out);
    gw_buffer_text(out, "}");
}

static void encode_hash(gw_buffer *out, const char *name, gw_hash hash) {
    char hex[GW_HASH_HEX];
    gw_hex((gw_bytes){hash.bytes, sizeof hash.bytes}, hex);
    gw_json_write_member(out, name, hex);
}

static void encode_head(const gw_release_shape *shape, gw_hash salt, gw_buffer *out) {
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
    gw_json_write_name(out, "noise");
    gw_buffer_text(out, "{\"law\":\"discrete-laplace\"");
    gw_json_write_epsilon(out, "epsilon", shape->noise.epsilon);
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)shape->noise.sensitivity);
    gw_json_write_member(out, "sensitivity", text);
    gw_json_write_member(out, "grid", shape->grid);
    gw_json_write_member(out, "offset", shape->offset);
    gw_buffer_text(out, "}");
    gw_json_write_name(out, "by");
    gw_buffer_text(out, "[");
    for (size_t i = 0; i < shape->axis_count; i++) {
        gw_buffer_text(out, i ? "," : "");
        gw_json_write_string(out, shape->by[i]);
    }
    gw_buffer_text(out, "]");
}

// Length of the widest cells this shape could have with integers of `digits` digits: keys as they are, every number at
// its widest (sign, quotes and comma; decimals, point and two digits of percent for the four figures).
static size_t cells_bytes_max(const gw_release_shape *shape, size_t cell_count, unsigned digits) {
    size_t bytes =
        cell_count * (CELL_FIXED_BYTES + shape->part_count * (digits + 4) + 4 * (digits + shape->decimals + 6));
    for (size_t axis = 0; axis < shape->axis_count; axis++) {
        size_t codes = 0;
        for (size_t i = 0; i < shape->axis_sizes[axis]; i++)
            codes += strlen(shape->axis_codes[axis][i]) + 3;
        GW_ASSERT(shape->axis_sizes[axis] > 0); // a concept has at least one code
        bytes += codes * (cell_count / shape->axis_sizes[axis]);
    }
    return bytes;
}

size_t gw_release_others(gw_statistic statistic, size_t cell_count) {
    switch (statistic) {
    case GW_STATISTIC_COUNT:
    case GW_STATISTIC_SUM:
    case GW_STATISTIC_NET:
        return 0;
    case GW_STATISTIC_SHARE:
        return cell_count - 1;
    case GW_STATISTIC_RATE:
    case GW_STATISTIC_MEAN:
        return 1;
    }
    GW_ASSERT(false);
    return 0;
}

gw_status gw_release_encode(const gw_release_shape *shape, const gw_interval_law *law, const gw_released_table *table,
                            gw_hash salt, gw_buffer *ret_answer) {
    size_t cell_count = gw_released_cell_count(table);
    gw_int128 total = 0;
    for (size_t cell = 0; shape->statistic == GW_STATISTIC_SHARE && cell < cell_count; cell++)
        GW_ASSERT(gw_add_i128(total, gw_released_value(table, cell, 0), &total));
    encode_head(shape, salt, ret_answer);
    size_t start = ret_answer->size;
    gw_json_write_name(ret_answer, "cells");
    gw_buffer_text(ret_answer, "[");
    for (size_t cell = 0; cell < cell_count; cell++)
        encode_cell(shape, law, table, cell, total, ret_answer);
    gw_buffer_text(ret_answer, "]}");
    size_t length = start + cells_bytes_max(shape, cell_count, shape->value_digits) + 16;
    if (ret_answer->size > length)
        length = start + cells_bytes_max(shape, cell_count, VALUE_DIGITS_MAX) + 16;
    static const char spaces[64] = "                                                               ";
    while (ret_answer->status == GW_OK && ret_answer->size < length) {
        size_t left = length - ret_answer->size;
        gw_buffer_append(ret_answer, spaces, left < 63 ? left : 63);
    }
    return ret_answer->status;
}
