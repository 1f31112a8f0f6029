// SPDX-License-Identifier: Apache-2.0
// The table for people. What was asked and the notice first, then the cells, then what "likely between" and the flags
// in it mean.
#include "service/format/table.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/format/grid.h"
#include "service/format/text.h"
#include "service/wire/question.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define CELL_TEXT 256u
#define COLUMN_MAX (GW_BY_MAX + 3u)

GW_DEFINE_FREEP(gw_grid, gw_grid_free)

// Flags decided on protected values, so no word here says anything about the data's size.
static const struct {
    const char *flag;
    const char *word;
    const char *meaning;
} flags[] = {{"u", "too uncertain", "u  too uncertain after protection: ask for bigger groups, or pay more"},
             {"c", "withheld", "c  withheld by policy"},
             {"z", "cannot exist", "z  cannot exist"},
             {"x", "not collected", "x  not collected"}};

static const char *flag_word(const char *flag) {
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (strcmp(flags[i].flag, flag) == 0)
            return flags[i].word;
    return NULL;
}

static const char *concept_label(const gw_labels *labels, const char *concept) {
    const char *label = labels == NULL || labels->concept == NULL ? NULL : labels->concept(labels->state, concept);
    return label == NULL ? concept : label;
}

static const char *code_label(const gw_labels *labels, const char *concept, const char *code) {
    const char *label = labels == NULL || labels->code == NULL ? NULL : labels->code(labels->state, concept, code);
    return label == NULL ? code : label;
}

// Capitals of ASCII letters; others stay, so that no locale changes a table.
static void header_of(const char *label, char text[CELL_TEXT]) {
    gw_ignore(snprintf(text, CELL_TEXT, "%s", label)); // a longer label is cut
    for (char *c = text; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
}

static bool has_lower_bound(const gw_answer *answer) {
    return strcmp(answer->statistic, "mean") != 0;
}

static bool is_count(const gw_answer *answer) {
    return strcmp(answer->statistic, "count") == 0;
}

static bool is_percent(const gw_answer *answer) {
    return strcmp(answer->unit, "PC") == 0;
}

// The figure within what is possible, with thousands. `ret_clipped` is raised when it was moved. An upper end of no
// people would say that a group is empty, which no noisy figure can: it is one at least.
static void figure(const gw_answer *answer, const char *decimal, bool is_upper, gw_buffer *text, bool *ret_clipped) {
    double value = strtod(decimal, NULL);
    const char *bound = NULL;
    if (is_upper && is_count(answer) && value < 1)
        bound = "1";
    else if (has_lower_bound(answer) && value < 0)
        bound = "0";
    else if (is_percent(answer) && has_lower_bound(answer) && value > 100)
        bound = "100";
    if (bound == NULL) {
        gw_text_thousands(text, decimal);
        return;
    }
    const char *point = strchr(decimal, '.');
    *ret_clipped = true;
    gw_buffer_text(text, bound);
    for (; point != NULL && *point != '\0'; point++) // as many places as the figure had
        gw_buffer_text(text, *point == '.' ? "." : "0");
}

static const char *unit_suffix(const gw_answer *answer) {
    if (is_percent(answer))
        return " %";
    if (strcmp(answer->unit, "H") == 0)
        return " h";
    return strcmp(answer->unit, "EUR") == 0 ? " EUR" : "";
}

static void cell_figures(const gw_answer *answer, const gw_answer_cell *cell, char estimate[CELL_TEXT],
                         char between[CELL_TEXT], bool *ret_clipped) {
    const char *word = flag_word(cell->flag);
    gw_buffer text;
    gw_buffer_init(&text, CELL_TEXT - 1);
    if (cell->estimate == NULL || word != NULL)
        gw_buffer_text(&text, word == NULL ? "not given" : word);
    else {
        figure(answer, cell->estimate, false, &text, ret_clipped);
        gw_buffer_text(&text, unit_suffix(answer));
    }
    gw_ignore(snprintf(estimate, CELL_TEXT, "%s", gw_buffer_string(&text)));
    gw_buffer_done(&text);
    // Without an estimate the range is everything that is possible: no figure is better than that one.
    if (cell->estimate == NULL || cell->lower == NULL || cell->upper == NULL)
        gw_buffer_text(&text, "-");
    else {
        figure(answer, cell->lower, false, &text, ret_clipped);
        gw_buffer_text(&text, " and ");
        figure(answer, cell->upper, true, &text, ret_clipped);
    }
    gw_ignore(snprintf(between, CELL_TEXT, "%s", gw_buffer_string(&text)));
    gw_buffer_done(&text);
}

static void cells_add(const gw_answer *answer, const gw_labels *labels, gw_grid *grid, bool *ret_clipped) {
    for (size_t i = 0; i < answer->cell_count; i++) {
        const gw_answer_cell *cell = &answer->cells[i];
        const char *row[COLUMN_MAX];
        char estimate[CELL_TEXT], between[CELL_TEXT];
        for (size_t k = 0; k < answer->by_count; k++)
            row[k] = code_label(labels, answer->by[k], cell->key[k]);
        cell_figures(answer, cell, estimate, between, ret_clipped);
        row[answer->by_count] = estimate;
        row[answer->by_count + 1] = between;
        row[answer->by_count + 2] = cell->flag;
        gw_grid_add(grid, row);
    }
}

static void legend(const gw_answer *answer, bool is_clipped, unsigned width, gw_buffer *buffer) {
    bool is_95 = answer->level == NULL || strcmp(answer->level, "0.95") == 0;
    char text[CELL_TEXT];
    gw_ignore(snprintf(text, sizeof(text), "Likely between: the noise range, right %s%s; other errors come on top.",
                       is_95 ? "19 times in 20" : "at level ",
                       is_95 ? "" : answer->level)); // cut where a level is absurd
    gw_text_wrap(buffer, text, width, 0, 2);
    for (size_t f = 0; f < sizeof(flags) / sizeof(flags[0]); f++) {
        for (size_t i = 0; i < answer->cell_count; i++) {
            if (strcmp(answer->cells[i].flag, flags[f].flag) != 0)
                continue;
            gw_text_wrap(buffer, flags[f].meaning, width, 0, 3);
            break;
        }
    }
    if (is_clipped)
        gw_text_wrap(buffer, "Shown within what is possible; -o csv and -o json keep the unbiased figures.", width, 0,
                     2);
}

void gw_format_table(const gw_answer *answer, const gw_asked *asked, const gw_labels *labels, unsigned width,
                     gw_buffer *buffer) {
    GW_ASSERT(answer->by_count <= GW_BY_MAX);
    gw_grid_column columns[COLUMN_MAX];
    char headers[GW_BY_MAX][CELL_TEXT];
    for (size_t k = 0; k < answer->by_count; k++) {
        header_of(concept_label(labels, answer->by[k]), headers[k]);
        columns[k] = (gw_grid_column){.name = answer->by[k], .header = headers[k], .is_label = true};
    }
    gw_grid_column *figures = columns + answer->by_count;
    figures[0] = (gw_grid_column){.name = "estimate", .header = "ESTIMATE", .align = GW_ALIGN_RIGHT};
    figures[1] = (gw_grid_column){.name = "between", .header = "LIKELY BETWEEN", .align = GW_ALIGN_RIGHT};
    figures[2] = (gw_grid_column){.name = "flag", .header = "FLAG"};
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, answer->by_count + 3);
    if (grid == NULL) {
        buffer->status = GW_NO_MEMORY;
        return;
    }
    bool is_clipped = false;
    cells_add(answer, labels, grid, &is_clipped);
    gw_text_wrap(buffer, asked->title, width, 0, 2);
    if (answer->notice != NULL && answer->notice[0] != '\0')
        gw_text_wrap(buffer, answer->notice, width, 0, 2);
    gw_grid_text(grid, width, buffer);
    legend(answer, is_clipped, width, buffer);
}
