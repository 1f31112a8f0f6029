// SPDX-License-Identifier: Apache-2.0
// Answers of several tables. Figures are made by privacy/derive from the measured integers and printed; what is
// rounded in a range is rounded outwards.
#include "service/release/tables.h"

#include "privacy/derive/marginals_adjust.h"
#include "privacy/interval.h"
#include "service/base/check.h"
#include "service/format/cell_figures.h"
#include "service/release/release_inner.h"
#include "service/wire/json.h"

#include <math.h>
#include <string.h>

#define TOTAL_CODE "_T"
// {"key":[],"parts":[""],"estimate":"","lower":"","upper":"","se":"","flag":"u","adjusted":""},
#define CELL_FIXED_BYTES 104u
#define BLOCK_FIXED_BYTES 96u // {"by":[],"cells":200000,"epsilon":"0.000001","asked":false},
#define VALUE_DIGITS_MAX 40u

// What is the same for all cells of a table.
typedef struct {
    const double *estimates;
    const int64_t *adjusted;
    const gw_released_block_facts *block; // NULL where it is not measured
    double half_width;
    char se[GW_CELL_NUMBER_TEXT];
} table_figures;

typedef struct {
    const gw_release_shape *shape;
    const gw_release_tables *tables;
    const gw_released_table *released;
    gw_marginals_estimate *estimate;
    gw_marginals_adjusted *adjusted;
    gw_released_block_facts blocks[GW_MARGINALS_MASKS]; // of the law
    double step;                                        // in the unit of the answer
} encoder;

// ---- figures

static void encoder_done(encoder *e) {
    gw_marginals_estimate_free(e->estimate);
    gw_marginals_adjusted_free(e->adjusted);
}

static gw_status encoder_init(encoder *e) {
    const gw_marginals_law *law = e->tables->law;
    gw_marginals_set wanted = 0, all = 1; // whole numbers start from the total and everything measured
    for (size_t i = 0; i < e->tables->count; i++)
        wanted |= 1ull << e->tables->tables[i].axes;
    all |= wanted;
    for (size_t i = 0; i < law->count; i++) {
        all |= 1ull << law->masks[i];
        e->blocks[i] = gw_released_block(e->released, i);
    }
    e->step = (double)e->shape->step_scaled / pow(10, e->shape->step_scale);
    gw_status status = gw_marginals_estimate_new(law, e->released, all, &e->estimate);
    return status == GW_OK ? gw_marginals_adjust(law, e->estimate, wanted, &e->adjusted) : status;
}

static gw_status figures_of(const encoder *e, unsigned axes, table_figures *ret) {
    const gw_marginals_law *law = e->tables->law;
    *ret = (table_figures){.estimates = gw_marginals_estimate_cells(e->estimate, axes),
                           .adjusted = gw_marginals_adjusted_cells(e->adjusted, axes)};
    for (size_t i = 0; i < law->count; i++)
        if (law->masks[i] == axes)
            ret->block = &e->blocks[i];
    gw_cell_number(ret->se, sqrt(gw_marginals_variance(law, axes)) * e->step, e->shape->decimals + 1);
    return gw_marginals_half_width(law, axes, GW_LEVEL_95, &ret->half_width);
}

// ---- writing

static void write_text(gw_buffer *out, const char *name, const char *text) {
    gw_buffer_text(out, name);
    gw_buffer_text(out, "\"");
    gw_buffer_text(out, text);
    gw_buffer_text(out, "\"");
}

static void write_number(gw_buffer *out, const char *name, double value, unsigned decimals) {
    char text[GW_CELL_NUMBER_TEXT];
    gw_cell_number(text, value, decimals);
    write_text(out, name, text);
}

static void write_key(const encoder *e, unsigned axes, size_t cell, gw_buffer *out) {
    const gw_release_shape *shape = e->shape;
    size_t stride = gw_marginals_cell_count(&e->tables->law->base, axes);
    gw_buffer_text(out, "\"key\":[");
    for (size_t axis = 0; axis < shape->axis_count; axis++) {
        const char *code = TOTAL_CODE;
        if ((axes >> axis & 1) != 0) {
            stride /= shape->axis_sizes[axis];
            code = shape->axis_codes[axis][cell / stride % shape->axis_sizes[axis]];
        }
        gw_buffer_text(out, axis ? "," : "");
        gw_json_write_string(out, code);
    }
    gw_buffer_text(out, "]");
}

static gw_status write_cell(const encoder *e, const table_figures *figures, size_t cell, gw_buffer *out) {
    char text[GW_INT128_TEXT];
    gw_cell_figures shown;
    gw_status status =
        gw_figures_around(figures->estimates[cell], figures->half_width, e->step, e->shape->decimals, &shown);
    if (status != GW_OK)
        return GW_LIMIT;
    gw_buffer_text(out, ",\"parts\":[");
    if (figures->block) {
        gw_int128_format(gw_released_value(e->released, figures->block->first_cell + cell, 0), text);
        write_text(out, "", text);
    }
    gw_buffer_text(out, "]");
    write_text(out, ",\"estimate\":", shown.estimate);
    write_text(out, ",\"lower\":", shown.lower);
    write_text(out, ",\"upper\":", shown.upper);
    write_text(out, ",\"se\":", figures->se);
    write_text(out, ",\"flag\":", shown.is_uncertain ? "u" : "");
    write_number(out, ",\"adjusted\":", (double)figures->adjusted[cell] * e->step, e->shape->step_scale);
    return GW_OK;
}

static gw_status write_cells(const encoder *e, gw_buffer *out) {
    gw_json_write_name(out, "cells");
    gw_buffer_text(out, "[");
    const char *comma = "{";
    for (size_t i = 0; i < e->tables->count; i++) {
        const unsigned axes = e->tables->tables[i].axes;
        table_figures figures;
        gw_status status = figures_of(e, axes, &figures);
        if (status != GW_OK)
            return status;
        const size_t count = gw_marginals_cell_count(&e->tables->law->base, axes);
        for (size_t cell = 0; status == GW_OK && cell < count; cell++) {
            gw_buffer_text(out, comma);
            write_key(e, axes, cell, out);
            status = write_cell(e, &figures, cell, out);
            gw_buffer_text(out, "}");
            comma = ",{";
        }
        if (status != GW_OK)
            return status;
    }
    gw_buffer_text(out, "]}");
    return GW_OK;
}

static gw_epsilon epsilon_of(const gw_marginals_law *law, unsigned axes) {
    for (size_t i = 0; i < law->count; i++)
        if (law->masks[i] == axes)
            return law->noises[i].epsilon;
    return (gw_epsilon){0};
}

static void write_blocks(const encoder *e, gw_buffer *out) {
    gw_json_write_name(out, "blocks");
    gw_buffer_text(out, "[");
    for (size_t i = 0; i < e->tables->count; i++) {
        const gw_release_table *table = &e->tables->tables[i];
        const char *comma = "";
        gw_buffer_text(out, i ? ",{\"by\":[" : "{\"by\":[");
        for (size_t axis = 0; axis < e->shape->axis_count; axis++) {
            if ((table->axes >> axis & 1) == 0)
                continue;
            gw_buffer_text(out, comma);
            gw_json_write_string(out, e->shape->by[axis]);
            comma = ",";
        }
        gw_buffer_text(out, "]");
        gw_json_write_integer(out, "cells", (int64_t)gw_marginals_cell_count(&e->tables->law->base, table->axes));
        gw_json_write_epsilon(out, "epsilon", epsilon_of(e->tables->law, table->axes));
        if (!table->is_asked)
            gw_buffer_text(out, ",\"asked\":false");
        gw_buffer_text(out, "}");
    }
    gw_buffer_text(out, "]");
}

// ---- length

// Of the cells of one table: a code in each place of the key, five figures, and an integer.
static size_t table_bytes_max(const gw_release_shape *shape, const gw_marginals_base *base, unsigned axes,
                              unsigned digits) {
    const size_t cells = gw_marginals_cell_count(base, axes);
    unsigned figure_digits = digits;
    for (int64_t step = shape->step_scaled; step > 1; step /= 10)
        figure_digits++;
    size_t bytes = cells * (CELL_FIXED_BYTES + digits + 4 + 5 * (figure_digits + shape->decimals + 6));
    for (size_t axis = 0; axis < shape->axis_count; axis++) {
        size_t codes = 0;
        if ((axes >> axis & 1) == 0) {
            bytes += cells * (sizeof TOTAL_CODE + 3);
            continue;
        }
        for (size_t i = 0; i < shape->axis_sizes[axis]; i++)
            codes += strlen(shape->axis_codes[axis][i]) + 3;
        bytes += codes * (cells / shape->axis_sizes[axis]);
    }
    return bytes;
}

static size_t body_bytes_max(const gw_release_shape *shape, const gw_release_tables *tables, unsigned digits) {
    size_t bytes = 64;
    for (size_t i = 0; i < tables->count; i++) {
        bytes += BLOCK_FIXED_BYTES + table_bytes_max(shape, &tables->law->base, tables->tables[i].axes, digits);
        for (size_t axis = 0; axis < shape->axis_count; axis++)
            bytes += shape->by[axis] ? strlen(shape->by[axis]) + 3 : 0;
    }
    return bytes;
}

size_t gw_release_tables_bytes_max(const gw_release_shape *shape, const gw_release_tables *tables) {
    return GW_RELEASE_HEAD_BYTES_MAX + body_bytes_max(shape, tables, shape->value_digits);
}

static void write_padding(const encoder *e, size_t start, gw_buffer *out) {
    size_t length = start + body_bytes_max(e->shape, e->tables, e->shape->value_digits);
    if (out->size > length)
        length = start + body_bytes_max(e->shape, e->tables, VALUE_DIGITS_MAX);
    gw_release_pad(out, length);
}

gw_status gw_release_tables_encode(const gw_release_shape *shape, const gw_release_tables *tables,
                                   const gw_released_table *table, gw_hash salt, gw_buffer *ret_answer) {
    encoder e = {.shape = shape, .tables = tables, .released = table};
    GW_ASSERT(shape->axis_count == tables->law->base.attribute_count);
    gw_status status = encoder_init(&e);
    if (status == GW_OK) {
        gw_release_write_head(shape, salt, ret_answer);
        size_t start = ret_answer->size;
        write_blocks(&e, ret_answer);
        status = write_cells(&e, ret_answer);
        write_padding(&e, start, ret_answer);
    }
    encoder_done(&e);
    return status == GW_OK ? ret_answer->status : status;
}
