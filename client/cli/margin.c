// SPDX-License-Identifier: Apache-2.0
// Cells of one answer added up over some of its breakdown, each sum with its own range.
#include "client/cli/margin.h"
#include "client/cli/apart.h"
#include "client/cli/figure.h"
#include "client/cli/line.h"
#include "client/cli/say_grid.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <math.h>
#include <string.h>

GW_DEFINE_FREEP(gw_grid, gw_grid_free)

typedef struct {
    gw_saved saved;
    gw_saved_proof proof;
    bool is_summed[64]; // by axis
    size_t kept[64];    // axes that stay
    size_t kept_count;
    uint32_t level_ppm;
} margin;

static gw_status margin_axes(margin *m, const char *list, gw_arena *arena, gw_problem *ret_problem) {
    const gw_answer *answer = &m->saved.answer;
    size_t count = 0;
    const char *const *names = strcmp(list, "all") == 0 ? NULL : gw_line_list(list, 64, arena, &count);
    GW_ASSERT(answer->by_count <= 64); // the decoder takes fewer
    if (names == NULL && strcmp(list, "all") != 0)
        return gw_figure_refuse("bad_by", "--sum takes concepts of the breakdown.", "", "--sum sex, or --sum all",
                                ret_problem);
    for (size_t i = 0; i < answer->by_count; i++)
        m->is_summed[i] = names == NULL;
    for (size_t n = 0; names != NULL && n < count; n++) {
        size_t axis;
        gw_status status = gw_saved_axis(&m->saved, names[n], &axis, ret_problem);
        if (status != GW_OK)
            return status;
        m->is_summed[axis] = true;
    }
    for (size_t i = 0; i < answer->by_count; i++)
        if (!m->is_summed[i])
            m->kept[m->kept_count++] = i;
    return GW_OK;
}

static bool margin_joins(const margin *m, const gw_answer_cell *a, const gw_answer_cell *b) {
    for (size_t k = 0; k < m->kept_count; k++)
        if (strcmp(a->key[m->kept[k]], b->key[m->kept[k]]) != 0)
            return false;
    return true;
}

static const char *const FIGURE_NAMES[][2] = {
    {"estimate", "ESTIMATE"}, {"lower", "FROM"}, {"upper", "TO"}, {"se", "SE"}, {"cells", "CELLS"}};
#define FIGURE_COUNT 5u
static const char *const TAIL_NAMES[] = {"unit", "statistic", "release", "receipt", "notice"};
#define TAIL_COUNT 5u // for programs

static gw_grid *margin_grid(const margin *m, bool is_table, gw_arena *arena) {
    size_t count = m->kept_count + FIGURE_COUNT + (is_table ? 0 : TAIL_COUNT);
    gw_grid_column *columns = gw_arena_array(arena, count, sizeof(*columns));
    if (columns == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t f = i - m->kept_count;
        columns[i] = (gw_grid_column){"", "", GW_ALIGN_RIGHT, false};
        if (i < m->kept_count)
            columns[i] =
                (gw_grid_column){m->saved.answer.by[m->kept[i]], m->saved.answer.by[m->kept[i]], GW_ALIGN_LEFT, true};
        else if (f < FIGURE_COUNT)
            columns[i].name = FIGURE_NAMES[f][0], columns[i].header = FIGURE_NAMES[f][1];
        else
            columns[i].name = TAIL_NAMES[f - FIGURE_COUNT];
    }
    return gw_grid_new(columns, count);
}

static void margin_row(gw_cli *cli, const margin *m, size_t cell, const gw_saved_group *group,
                       const gw_combined *figure, gw_grid *grid, gw_arena *arena) {
    const gw_answer *answer = &m->saved.answer;
    bool is_table = cli->output == GW_OUTPUT_TABLE;
    gw_combined shown = *figure;
    if (is_table && m->saved.statistic == GW_STATISTIC_COUNT) { // people see no negative number of people
        shown.estimate = fmax(0, shown.estimate);
        shown.lower = fmax(0, shown.lower);
        shown.upper = fmax(0, shown.upper);
    }
    gw_figure_texts texts = gw_figure_texts_of(&shown, (unsigned)answer->decimals);
    char cells[24];
    gw_ignore(snprintf(cells, sizeof(cells), "%zu", group->cell_count)); // it fits
    const char *row[64 + FIGURE_COUNT + TAIL_COUNT];
    size_t at = 0;
    for (; at < m->kept_count; at++)
        row[at] = answer->cells[cell].key[m->kept[at]];
    const char *figures[] = {texts.estimate, texts.lower, texts.upper, texts.se};
    for (size_t i = 0; i < 4; i++)
        row[at++] = figures[i][0] == '\0' ? NULL : is_table ? gw_figure_said(cli, figures[i], arena) : figures[i];
    row[at++] = cells;
    row[at++] = answer->unit;
    row[at++] = answer->statistic;
    row[at++] = answer->release;
    row[at++] = gw_proof_word(m->proof);
    row[at++] = answer->is_dummy ? GW_FIGURE_DUMMY : answer->notice;
    gw_grid_add(grid, row);
}

static gw_status margin_fill(gw_cli *cli, const margin *m, gw_grid *grid, gw_arena *arena, gw_problem *ret_problem) {
    const gw_answer *answer = &m->saved.answer;
    bool *is_done = gw_arena_array(arena, answer->cell_count, sizeof(*is_done));
    gw_saved_group group = {.saved = &m->saved, .key = ""};
    group.is_in = gw_arena_array(arena, answer->cell_count, sizeof(*group.is_in));
    if (is_done == NULL || group.is_in == NULL)
        return gw_problem_set(ret_problem, GW_LIMIT, "too_many", "This answer is too big to add up.", "", "");
    for (size_t first = 0; first < answer->cell_count; first++) {
        if (is_done[first])
            continue;
        group.cell_count = 0;
        for (size_t i = 0; i < answer->cell_count; i++) {
            group.is_in[i] = margin_joins(m, &answer->cells[first], &answer->cells[i]);
            is_done[i] |= group.is_in[i];
            group.cell_count += group.is_in[i];
        }
        gw_combined figure;
        gw_status status = gw_figure_of(&group, m->level_ppm, &figure, ret_problem);
        if (status != GW_OK)
            return status;
        margin_row(cli, m, first, &group, &figure, grid, arena);
    }
    return GW_OK;
}

gw_exit_code gw_margin_say(gw_cli *cli, const char *file, const char *list, uint32_t level_ppm, gw_arena *arena) {
    margin m = {.level_ppm = level_ppm};
    gw_problem problem;
    gw_status status = gw_saved_read(cli, file, arena, &m.saved, &m.proof, &problem);
    if (status == GW_OK && gw_apart_is(&m.saved))
        status = gw_apart_no_sum(&m.saved, &problem);
    if (status == GW_OK)
        status = margin_axes(&m, list, arena, &problem);
    if (status != GW_OK)
        return gw_fail(cli, &problem);
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = margin_grid(&m, cli->output == GW_OUTPUT_TABLE, arena);
    if (grid == NULL)
        return GW_EXIT_FAILED;
    status = margin_fill(cli, &m, grid, arena, &problem);
    if (status != GW_OK)
        return gw_fail(cli, &problem);
    if (cli->output == GW_OUTPUT_TABLE) {
        if (m.saved.answer.is_dummy || m.saved.answer.notice != NULL)
            gw_say_field(cli, "Notice", "%s", m.saved.answer.is_dummy ? GW_FIGURE_DUMMY : m.saved.answer.notice);
        gw_proof_say(cli, &m.saved, m.proof);
    }
    gw_exit_code code = gw_say_grid(cli, grid);
    gw_pooled_note(cli, &m.saved, m.saved.answer.cell_count);
    return code;
}
