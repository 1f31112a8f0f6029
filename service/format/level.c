// SPDX-License-Identifier: Apache-2.0
// From an answer's document back to the shape that its figures were made by.
#include "service/format/level.h"

#include "service/base/check.h"
#include "service/wire/decimal.h"

#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 8u
#define FACTOR_MAX 1e24 // of figures to steps: no policy's units are further apart

static gw_statistic statistic_of(const gw_answer *answer, bool *ret_is_known) {
    gw_statistic statistic = GW_STATISTIC_COUNT;
    const char *name = answer->gap_of ? answer->gap_of : answer->statistic;
    *ret_is_known = name && gw_statistic_parse(name, &statistic) == GW_OK;
    return statistic;
}

bool gw_answer_has_levels(const gw_answer *answer) {
    bool is_known;
    gw_statistic statistic = statistic_of(answer, &is_known);
    size_t parts = is_known ? gw_figures_part_count(statistic, answer->gap_of != NULL) : 0;
    return parts > 0 && parts == answer->part_count && answer->block_count == 0 && !answer->measured.kind &&
           strcmp(answer->law, "discrete-laplace") == 0;
}

// A decimal as an integer of its last place: 0.25 is 25 of 10^-2.
static bool step_of(const char *text, gw_figures_shape *shape) {
    gw_decimal value;
    if (!gw_decimal_parse(text, &value) || value.trillionths <= 0)
        return false;
    gw_int128 scaled = value.trillionths;
    for (shape->step_scale = 12; shape->step_scale > 0 && scaled % 10 == 0; shape->step_scale--)
        scaled /= 10;
    shape->step_scaled = (int64_t)scaled;
    return scaled <= INT64_MAX;
}

static gw_int128 part_at(const gw_answer *answer, size_t cell, size_t part) {
    gw_int128 value = 0;
    GW_ASSERT(gw_int128_parse(answer->cells[cell].parts[part], &value)); // the decoder saw to it
    return value;
}

static bool totals_add(const gw_answer *answer, gw_figures_shape *shape) {
    for (size_t i = 0; i < answer->cell_count; i++)
        for (size_t side = 0; side < answer->part_count; side++)
            if (!gw_add_i128(shape->totals[side], part_at(answer, i, side), &shape->totals[side]))
                return false;
    return true;
}

static bool is_factor(double value) {
    return value >= 1 / FACTOR_MAX && value <= FACTOR_MAX;
}

// Whether figures that lie in a range have one.
static bool is_range(const gw_figures_shape *shape) {
    bool has_range = shape->statistic == GW_STATISTIC_MEAN || shape->statistic == GW_STATISTIC_VARIANCE ||
                     shape->statistic == GW_STATISTIC_SD;
    return !has_range || (is_factor(shape->range) && shape->minimum >= -FACTOR_MAX && shape->minimum <= FACTOR_MAX);
}

static bool shape_of(const gw_answer *answer, gw_figures_shape *ret) {
    bool is_known;
    gw_figures_shape shape = {.statistic = statistic_of(answer, &is_known),
                              .is_gap = answer->gap_of != NULL,
                              .noise = answer->noise,
                              .decimals = (unsigned)answer->decimals,
                              .width = answer->width,
                              .cell_count = answer->cell_count};
    if (!step_of(answer->grid, &shape) || (shape.statistic == GW_STATISTIC_SHARE && answer->cell_count < 2))
        return false;
    shape.minimum = strtod(answer->offset, NULL);
    shape.range = strtod(answer->grid, NULL) * (double)answer->width;
    shape.quotient = answer->over_grid ? strtod(answer->grid, NULL) / strtod(answer->over_grid, NULL) : 1.0;
    *ret = shape;
    if (!is_factor(shape.quotient) || !is_range(&shape))
        return false;
    return shape.statistic != GW_STATISTIC_SHARE || totals_add(answer, ret);
}

static const char *text_or_null(gw_arena *arena, bool is_there, const char *text, bool *ret_is_short) {
    const char *copy = is_there ? gw_arena_string(arena, text) : NULL;
    *ret_is_short |= is_there && !copy;
    return copy;
}

static gw_status cell_at_level(const gw_answer *answer, size_t cell, const gw_figures_law *law, gw_arena *arena,
                               gw_answer_cell *ret, gw_verdict *ret_verdict) {
    gw_int128 parts[PARTS_MAX];
    gw_cell_figures figures;
    bool is_short = false;
    for (size_t i = 0; i < answer->part_count; i++)
        parts[i] = part_at(answer, cell, i);
    gw_status status = gw_figures_of(law, parts, &figures);
    if (status != GW_OK)
        return status;
    *ret = answer->cells[cell];
    ret->lower = text_or_null(arena, true, figures.lower, &is_short);
    ret->upper = text_or_null(arena, !figures.is_open, figures.upper, &is_short);
    *ret_verdict = figures.verdict;
    return is_short ? GW_NO_MEMORY : GW_OK;
}

// 900000 -> "0.9"
static const char *level_text(uint32_t level_ppm, gw_arena *arena) {
    int places = 6;
    for (; places > 1 && level_ppm % 10 == 0; places--)
        level_ppm /= 10;
    return gw_arena_format(arena, "0.%0*u", places, level_ppm);
}

gw_status gw_answer_at_level(const gw_answer *answer, uint32_t level_ppm, gw_arena *arena, gw_answer *ret,
                             const gw_verdict **ret_verdicts) {
    gw_figures_shape shape;
    gw_figures_law *law = NULL;
    if (!gw_answer_has_levels(answer) || !shape_of(answer, &shape))
        return GW_INVALID;
    gw_status status = gw_figures_law_new(&shape, level_ppm, NULL, &law);
    gw_answer_cell *cells = gw_arena_array(arena, answer->cell_count + 1, sizeof *cells);
    gw_verdict *verdicts = gw_arena_array(arena, answer->cell_count + 1, sizeof *verdicts);
    if (status == GW_OK && (!cells || !verdicts))
        status = GW_NO_MEMORY;
    for (size_t i = 0; status == GW_OK && i < answer->cell_count; i++)
        status = cell_at_level(answer, i, law, arena, &cells[i], &verdicts[i]);
    gw_figures_law_free(law);
    if (status != GW_OK)
        return status;
    *ret = *answer;
    ret->cells = cells;
    ret->level = level_text(level_ppm, arena);
    if (ret_verdicts)
        *ret_verdicts = verdicts;
    return ret->level ? GW_OK : GW_NO_MEMORY;
}
