// SPDX-License-Identifier: Apache-2.0
// From the nodes that an answer publishes back to the tree and its grid. The file may claim anything: what does not fit
// together is refused before anything is worked out.
#include "service/format/level_inner.h"
#include "service/format/tree_figures.h"
#include "service/wire/decimal.h"
#include "service/wire/question.h"

#include <stdlib.h>
#include <string.h>

// In trillionths, which every decimal of an answer is a whole number of, shortened to the fewest places.
static bool grid_of(const gw_answer_measured *measured, gw_bin_grid *ret) {
    const char *const texts[] = {measured->first, measured->width, measured->step, measured->last};
    gw_int128 values[4];
    unsigned scale = 12;
    for (size_t i = 0; i < 4; i++) {
        gw_decimal value;
        if (!texts[i] || !gw_decimal_parse(texts[i], &value))
            return false;
        values[i] = value.trillionths;
    }
    while (scale > 0 && values[0] % 10 == 0 && values[1] % 10 == 0 && values[2] % 10 == 0 && values[3] % 10 == 0) {
        for (size_t i = 0; i < 4; i++)
            values[i] /= 10;
        scale--;
    }
    for (size_t i = 0; i < 4; i++)
        if (values[i] > INT64_MAX || values[i] < -INT64_MAX)
            return false;
    *ret = (gw_bin_grid){(int64_t)values[0], (int64_t)values[1], (int64_t)values[2], (int64_t)values[3], scale};
    return true;
}

static void nodes_read(const char *const *texts, size_t count, gw_int128 *ret) {
    for (size_t i = 0; i < count; i++)
        if (!gw_int128_parse(texts[i], &ret[i]))
            ret[i] = 0; // the decoder saw to it that there is none
}

static gw_int128 *nodes_of(const gw_answer_measured *measured, gw_arena *arena) {
    size_t count = measured->node_count, groups = measured->group_count;
    gw_int128 *nodes = gw_arena_array(arena, (groups + 1) * count, sizeof *nodes);
    for (size_t i = 0; nodes && i < groups; i++)
        nodes_read(measured->groups[i].nodes, count, nodes + i * count);
    if (nodes && measured->rest)
        nodes_read(measured->rest, count, nodes + groups * count);
    return nodes;
}

// As many nodes as such a tree has, and cells in the order of the groups.
static bool measured_fits(const gw_answer *answer, const gw_tree_shape *shape, size_t cells) {
    const gw_answer_measured *measured = &answer->measured;
    gw_tree_levels levels;
    if (!gw_tree_levels_of(shape, &levels) || levels.node_count != measured->node_count || cells == 0 ||
        measured->by_count > answer->by_count || answer->cell_count != cells * measured->group_count)
        return false;
    for (size_t i = 0; i < answer->cell_count; i++)
        for (size_t k = 0; k < measured->by_count; k++)
            if (strcmp(answer->cells[i].key[k], measured->groups[i / cells].key[k]) != 0)
                return false;
    return true;
}

static gw_status levels_of(const gw_answer *answer, gw_quantile_level levels[GW_LEVELS_MAX]) {
    gw_status status = answer->level_count <= GW_LEVELS_MAX ? GW_OK : GW_INVALID;
    for (size_t i = 0; status == GW_OK && i < answer->level_count; i++)
        status = gw_level_fraction(answer->levels[i], &levels[i].a, &levels[i].b);
    return status;
}

static gw_status shape_of(const gw_level_work *work, gw_quantile_level levels[GW_LEVELS_MAX],
                          gw_tree_figures_shape *ret) {
    const gw_answer *answer = work->answer;
    const gw_answer_measured *measured = &answer->measured;
    gw_tree_figures_shape shape = {.decimals = (unsigned)answer->decimals,
                                   .levels = levels,
                                   .level_count = answer->level_count,
                                   .step = strtod(answer->grid, NULL)};
    gw_status status = gw_statistic_parse(answer->statistic, &shape.statistic);
    if (status == GW_OK)
        status = levels_of(answer, levels);
    if (status == GW_OK && shape.statistic == GW_STATISTIC_POVERTY)
        status =
            answer->fraction ? gw_level_fraction(answer->fraction, &shape.fraction.a, &shape.fraction.b) : GW_INVALID;
    if (status != GW_OK || (shape.statistic != GW_STATISTIC_SERIES && !grid_of(measured, &shape.grid)))
        return GW_INVALID;
    size_t groups = measured->group_count + (measured->rest != NULL);
    size_t cells = gw_tree_figures_cells(shape.statistic, shape.level_count, measured->bin_count);
    if (gw_tree_shape_make(groups, measured->bin_count, measured->fan, &shape.tree.shape) != GW_OK ||
        !measured_fits(answer, &shape.tree.shape, cells))
        return GW_INVALID;
    shape.tree.noise = answer->noise;
    shape.tree.nodes = nodes_of(measured, work->arena);
    *ret = shape;
    return shape.tree.nodes ? GW_OK : GW_NO_MEMORY;
}

// Median and threshold stay; their ranges are those of the level.
static gw_status line_put(gw_level_work *work, const gw_tree_figures *figures) {
    gw_line_figures line = gw_tree_figures_line(figures);
    gw_answer_line *of = &work->line;
    of->median_lower = gw_arena_string(work->arena, line.median_lower);
    of->median_upper = gw_arena_string(work->arena, line.median_upper);
    of->threshold_lower = gw_arena_string(work->arena, line.threshold_lower);
    of->threshold_upper = gw_arena_string(work->arena, line.threshold_upper);
    bool is_whole = of->median_lower && of->median_upper && of->threshold_lower && of->threshold_upper;
    return is_whole ? GW_OK : GW_NO_MEMORY;
}

// Whichever of the two texts is further out.
static const char *reach(const char *end, const char *estimate, bool is_up) {
    gw_decimal a, b;
    if (!estimate || !gw_decimal_parse(end, &a) || !gw_decimal_parse(estimate, &b))
        return end;
    bool is_within = is_up ? a.trillionths >= b.trillionths : a.trillionths <= b.trillionths;
    return is_within ? end : estimate;
}

// An estimate was moved into the range it was sealed with, so it may lie outside of a narrower one; then that reaches
// to it, which makes it no less sure.
static void range_widen(gw_answer_cell *cell) {
    cell->lower = reach(cell->lower, cell->estimate, false);
    if (cell->upper)
        cell->upper = reach(cell->upper, cell->estimate, true);
}

static gw_status cell_put(gw_level_work *work, size_t cell, const gw_cell_figures *figures) {
    gw_status status = gw_level_put(work, cell, figures);
    if (status == GW_OK)
        range_widen(&work->cells[cell]);
    return status;
}

static gw_status cells_put(gw_level_work *work, const gw_tree_figures *figures, size_t count) {
    gw_cell_figures *of_group = calloc(count, sizeof *of_group);
    gw_status status = of_group ? GW_OK : GW_NO_MEMORY;
    for (size_t group = 0; status == GW_OK && group < work->answer->measured.group_count; group++) {
        if (work->only != SIZE_MAX && work->only / count != group)
            continue;
        status = gw_tree_figures_of(figures, group, of_group);
        for (size_t i = 0; status == GW_OK && i < count; i++)
            status = cell_put(work, group * count + i, &of_group[i]);
    }
    free(of_group);
    return status;
}

gw_status gw_level_tree(gw_level_work *work) {
    gw_quantile_level levels[GW_LEVELS_MAX];
    gw_tree_figures_shape shape;
    gw_tree_figures *figures = NULL;
    gw_status status = shape_of(work, levels, &shape);
    if (status == GW_OK)
        status = gw_tree_figures_new(&shape, work->level_ppm, &figures);
    if (status == GW_OK)
        status = cells_put(work, figures,
                           gw_tree_figures_cells(shape.statistic, shape.level_count, shape.tree.shape.bin_count));
    if (status == GW_OK && shape.statistic == GW_STATISTIC_POVERTY)
        status = line_put(work, figures);
    gw_tree_figures_free(figures);
    return status;
}

// The error of the rank follows from the price and the number of bins alone.
gw_status gw_level_choice(gw_level_work *work) {
    const gw_answer *answer = work->answer;
    gw_quantile_choice choice = {.bin_count = answer->choice_bins, .unit_sensitivity = answer->noise.sensitivity};
    if (choice.bin_count == 0 || answer->level_count != 1)
        return GW_INVALID;
    gw_status status = gw_level_fraction(answer->levels[0], &choice.level.a, &choice.level.b);
    if (status != GW_OK || !gw_quantile_level_is_sound(choice.level))
        return GW_INVALID;
    char text[GW_CELL_NUMBER_TEXT];
    double half_width = gw_quantile_choice_half_width(&choice, answer->noise.epsilon, work->level_ppm);
    if (!gw_rank_error_text(half_width * strtod(answer->grid, NULL), text))
        return GW_INVALID;
    work->rank_error = gw_arena_string(work->arena, text);
    return work->rank_error ? GW_OK : GW_NO_MEMORY;
}
