// SPDX-License-Identifier: Apache-2.0
// From an answer's document back to the shape that its figures were made by.
#include "service/format/level.h"

#include "service/base/check.h"
#include "service/format/level_inner.h"
#include "service/wire/decimal.h"

#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 8u
#define FACTOR_MAX 1e24 // of figures to steps: no policy's units are further apart
#define LEVEL_PPM_MIN 500000u
#define LEVEL_PPM_MAX 999999u

static gw_statistic statistic_of(const gw_answer *answer, bool *ret_is_known) {
    gw_statistic statistic = GW_STATISTIC_COUNT;
    const char *name = answer->gap_of ? answer->gap_of : answer->statistic;
    *ret_is_known = name && gw_statistic_parse(name, &statistic) == GW_OK;
    return statistic;
}

static bool is_by_parts(const gw_answer *answer) {
    bool is_known;
    gw_statistic statistic = statistic_of(answer, &is_known);
    size_t parts = is_known ? gw_figures_part_count(statistic, answer->gap_of != NULL) : 0;
    return parts > 0 && parts == answer->part_count;
}

typedef gw_status (*at_level)(gw_level_work *work);
static gw_status level_parts(gw_level_work *work);

// NULL: this document does not hold what its figures follow from.
static at_level way_of(const gw_answer *answer) {
    bool is_laplace = strcmp(answer->law, "discrete-laplace") == 0;
    if (strcmp(answer->law, "permute-and-flip") == 0)
        return answer->choice_bins > 0 ? gw_level_choice : NULL;
    if (strcmp(answer->law, "random-threshold") == 0)
        return gw_level_keys;
    if (!is_laplace)
        return NULL;
    if (answer->block_count > 0)
        return gw_level_tables;
    if (answer->measured.kind)
        return gw_level_tree;
    return is_by_parts(answer) ? level_parts : NULL;
}

bool gw_answer_has_levels(const gw_answer *answer) {
    return way_of(answer) != NULL;
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

gw_status gw_level_put(gw_level_work *work, size_t cell, const gw_cell_figures *figures) {
    gw_answer_cell *to = &work->cells[cell];
    to->lower = gw_arena_string(work->arena, figures->lower);
    to->upper = figures->is_open ? NULL : gw_arena_string(work->arena, figures->upper);
    return to->lower && (to->upper || figures->is_open) ? GW_OK : GW_NO_MEMORY;
}

gw_status gw_level_fraction(const char *text, uint64_t *ret_a, uint64_t *ret_b) {
    gw_decimal value;
    if (!gw_decimal_parse(text, &value) || value.trillionths <= 0 || value.trillionths >= 1000 * GW_DECIMAL_ONE)
        return GW_INVALID;
    uint64_t a = (uint64_t)value.trillionths, b = (uint64_t)GW_DECIMAL_ONE, x = a, y = b;
    while (y > 0) {
        uint64_t rest = x % y;
        x = y;
        y = rest;
    }
    *ret_a = a / x;
    *ret_b = b / x;
    return GW_OK;
}

// ---- parts

static gw_status cell_at_level(gw_level_work *work, size_t cell, const gw_figures_law *law, gw_verdict *ret_verdict) {
    gw_int128 parts[PARTS_MAX];
    gw_cell_figures figures;
    for (size_t i = 0; i < work->answer->part_count; i++)
        parts[i] = part_at(work->answer, cell, i);
    gw_status status = gw_figures_of(law, parts, &figures);
    if (status != GW_OK)
        return status;
    *ret_verdict = figures.verdict;
    return gw_level_put(work, cell, &figures);
}

static gw_status level_parts(gw_level_work *work) {
    gw_figures_shape shape;
    gw_figures_law *law = NULL;
    if (!shape_of(work->answer, &shape))
        return GW_INVALID;
    gw_status status = gw_figures_law_new(&shape, work->level_ppm, NULL, &law);
    for (size_t i = 0; status == GW_OK && i < work->answer->cell_count; i++)
        status = cell_at_level(work, i, law, &work->verdicts[i]);
    gw_figures_law_free(law);
    return status;
}

// 900000 -> "0.9"
static const char *level_text(uint32_t level_ppm, gw_arena *arena) {
    int places = 6;
    for (; places > 1 && level_ppm % 10 == 0; places--)
        level_ppm /= 10;
    return gw_arena_format(arena, "0.%0*u", places, level_ppm);
}

static gw_status work_init(gw_level_work *work) {
    const gw_answer *answer = work->answer;
    work->cells = gw_arena_array(work->arena, answer->cell_count + 1, sizeof *work->cells);
    work->verdicts = gw_arena_array(work->arena, answer->cell_count + 1, sizeof *work->verdicts);
    if (!work->cells || !work->verdicts)
        return GW_NO_MEMORY;
    if (answer->cell_count > 0)
        memcpy(work->cells, answer->cells, answer->cell_count * sizeof *work->cells);
    return GW_OK;
}

static gw_status work_do(const gw_answer *answer, size_t only, uint32_t level_ppm, gw_arena *arena,
                         gw_level_work *ret) {
    at_level way = way_of(answer);
    *ret = (gw_level_work){.answer = answer,
                           .level_ppm = level_ppm,
                           .arena = arena,
                           .only = only,
                           .line = answer->line,
                           .rank_error = answer->rank_error};
    if (!way || level_ppm < LEVEL_PPM_MIN || level_ppm > LEVEL_PPM_MAX)
        return GW_INVALID;
    gw_status status = work_init(ret);
    return status == GW_OK ? way(ret) : status;
}

gw_status gw_answer_cell_at_level(const gw_answer *answer, size_t cell, uint32_t level_ppm, gw_arena *arena,
                                  gw_answer_cell *ret) {
    gw_level_work work;
    gw_status status = cell < answer->cell_count ? work_do(answer, cell, level_ppm, arena, &work) : GW_INVALID;
    if (status == GW_OK)
        *ret = work.cells[cell];
    return status;
}

gw_status gw_answer_at_level(const gw_answer *answer, uint32_t level_ppm, gw_arena *arena, gw_answer *ret,
                             const gw_verdict **ret_verdicts) {
    gw_level_work work;
    gw_status status = work_do(answer, SIZE_MAX, level_ppm, arena, &work);
    if (status != GW_OK)
        return status;
    *ret = *answer;
    ret->cells = work.cells;
    ret->line = work.line;
    ret->rank_error = work.rank_error;
    ret->level = level_text(level_ppm, arena);
    if (ret_verdicts)
        *ret_verdicts = work.verdicts;
    return ret->level ? GW_OK : GW_NO_MEMORY;
}
