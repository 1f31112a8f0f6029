// SPDX-License-Identifier: Apache-2.0
// Words, ranges and notes. A note is said only where it concerns a figure that is shown.
#include "service/format/figures_inner.h"
#include "service/base/check.h"
#include "service/wire/decimal.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_REAL "NOT REAL" // how the service's own notice of dummies begins
#define CELL_TEXT 256u
#define FIGURE_COLUMNS                                                                                                 \
    4u // a histogram and a series have bars, several tables whole numbers, a gap says which way it goes
#define BAR_WIDTH 24.0
#define UNIT_SHOWN_MAX 16
#define PLACES_RANGE_MAX 20.0

enum end { NO_END, END_LOWER, END_UPPER };
typedef struct {
    const gw_answer *answer;
    const gw_labels *labels;
    bool is_whole; // decimals are not shown
} figure_look;

// Flags decided on protected values, so no word here says anything about the data's size.
static const struct {
    const char *flag;
    const char *word; // in place of the figure; NULL: the figure stands
} flags[] = {{"u", "too uncertain"}, {"c", "withheld"}, {"z", "cannot exist"}, {"x", "not collected"}};
#define FLAG_COUNT (sizeof(flags) / sizeof(flags[0]))

static const char *flag_word(const char *flag) {
    for (size_t i = 0; i < FLAG_COUNT; i++)
        if (strcmp(flags[i].flag, flag) == 0)
            return flags[i].word;
    return NULL;
}

// Words for the breakdowns that statistics have of their own: no catalogue has them.
static const struct {
    const char *concept, *code, *label; // code NULL: the concept's own
} own_labels[] = {{GW_BY_QUANTILE, NULL, "Quantile"},
                  {GW_BY_QUANTILE, "0.5", "Median"},
                  {GW_BY_SPAN, NULL, "Span"},
                  {GW_BY_SPAN, "period", "In the period"},
                  {GW_BY_SPAN, "cumulative", "Up to it"}};

static const char *own_label(const char *concept, const char *code) {
    for (size_t i = 0; i < sizeof(own_labels) / sizeof(own_labels[0]); i++) {
        bool is_code = own_labels[i].code != NULL && code != NULL && strcmp(own_labels[i].code, code) == 0;
        if (strcmp(own_labels[i].concept, concept) == 0 && (is_code || (own_labels[i].code == NULL && code == NULL)))
            return own_labels[i].label;
    }
    return code == NULL ? concept : code;
}

const char *gw_label_of_concept(const gw_labels *labels, const char *concept) {
    const char *label = labels == NULL || labels->concept == NULL ? NULL : labels->concept(labels->state, concept);
    return label == NULL ? own_label(concept, NULL) : label;
}

const char *gw_label_of_code(const gw_labels *labels, const char *concept, const char *code) {
    const char *label = labels == NULL || labels->code == NULL ? NULL : labels->code(labels->state, concept, code);
    if (label == NULL && strcmp(code, "_T") == 0)
        return "Total"; // of several tables
    return label == NULL ? own_label(concept, code) : label;
}

bool gw_axis_is_own(const gw_answer *answer, size_t axis) {
    const char *statistic = answer->statistic == NULL ? "" : answer->statistic;
    bool has_one = strcmp(statistic, "quantile") == 0 || strcmp(statistic, "histogram") == 0;
    size_t own = has_one ? 1 : strcmp(statistic, "series") == 0 ? 2 : 0;
    return axis + own >= answer->by_count;
}

static bool is_said(const char *text) {
    return text != NULL && text[0] != '\0';
}

bool gw_notice_says_not_real(const gw_answer *answer) {
    return is_said(answer->notice) && strncmp(answer->notice, NOT_REAL, sizeof(NOT_REAL) - 1) == 0;
}

void gw_notice_append(const gw_answer *answer, gw_buffer *buffer) {
    if (answer->is_dummy && !gw_notice_says_not_real(answer))
        gw_buffer_format(buffer, "%s%s", GW_NOT_REAL, is_said(answer->notice) ? " " : "");
    if (is_said(answer->notice))
        gw_buffer_text(buffer, answer->notice);
}

void gw_bounds_format(const gw_answer *answer, char text[GW_BOUNDS_TEXT]) {
    const char *amount = answer->bounds_total != NULL ? answer->bounds_total : answer->bounds_units;
    if (answer->bounds_kind == NULL)
        text[0] = '\0';
    else
        gw_ignore(snprintf(text, GW_BOUNDS_TEXT, "%s%s%s", answer->bounds_kind, amount == NULL ? "" : " ",
                           amount == NULL ? "" : amount)); // a kind and a number fit
}

// Capitals of ASCII letters; others stay, so that no locale changes a table.
static void header_of(const char *label, char text[CELL_TEXT]) {
    gw_ignore(snprintf(text, CELL_TEXT, "%s", label)); // a longer label is cut
    for (char *c = text; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
}

static bool is_statistic(const gw_answer *answer, const char *name) {
    return strcmp(answer->statistic, name) == 0;
}

// Means, sums and net flows may well be negative.
static bool has_lower_bound(const gw_answer *answer) {
    return is_statistic(answer, "count") || is_statistic(answer, "histogram") || is_statistic(answer, "variance") ||
           is_statistic(answer, "ratio") || is_statistic(answer, "rate") || is_statistic(answer, "share") ||
           is_statistic(answer, "series");
}

static bool is_percent(const gw_answer *answer) {
    return strcmp(answer->unit, "PC") == 0;
}

// Places behind the point that say something: where every range is wider than 20 whole units, none does. Rates and
// shares keep theirs, so that a column of percentages has one width.
static bool has_places(const gw_answer *answer) {
    bool is_seen = false;
    if (is_percent(answer))
        return true;
    for (size_t i = 0; i < answer->cell_count; i++) {
        const gw_answer_cell *cell = &answer->cells[i];
        if (cell->estimate == NULL || cell->lower == NULL || cell->upper == NULL)
            continue;
        if (strtod(cell->upper, NULL) - strtod(cell->lower, NULL) < PLACES_RANGE_MAX)
            return true;
        is_seen = true;
    }
    return !is_seen;
}

// To whole units: an end of a range away from the middle, so that it never becomes narrower. False where the text is no
// plain decimal.
static bool whole_write(const char *decimal, enum end end, char text[GW_DECIMAL_TEXT]) {
    gw_decimal value;
    if (!gw_decimal_parse(decimal, &value))
        return false;
    gw_int128 rest = value.trillionths % GW_DECIMAL_ONE; // of the value's sign
    value.trillionths -= rest;
    if ((end == END_LOWER && rest < 0) || (end == NO_END && -rest * 2 >= GW_DECIMAL_ONE))
        value.trillionths -= GW_DECIMAL_ONE;
    if ((end == END_UPPER && rest > 0) || (end == NO_END && rest * 2 >= GW_DECIMAL_ONE))
        value.trillionths += GW_DECIMAL_ONE;
    gw_decimal_format(value, text);
    return true;
}

// The figure within what is possible, as its reader writes it. `ret_clipped` is raised when it was moved. An upper end
// of no people would say that a group is empty, which no noisy figure can: it is one at least.
static void figure(const figure_look *look, const char *decimal, enum end end, gw_buffer *text, bool *ret_clipped) {
    const gw_answer *answer = look->answer;
    const gw_labels *labels = look->labels;
    double value = strtod(decimal, NULL);
    char whole[GW_DECIMAL_TEXT];
    if (look->is_whole && whole_write(decimal, end, whole))
        decimal = whole;
    const char *bound = NULL;
    char clipped[CELL_TEXT];
    bool is_count =
        is_statistic(answer, "count") || is_statistic(answer, "series") || is_statistic(answer, "histogram");
    if (end == END_UPPER && is_count && value < 1)
        bound = "1";
    else if (has_lower_bound(answer) && value < 0)
        bound = "0";
    else if (is_percent(answer) && has_lower_bound(answer) && value > 100)
        bound = "100";
    if (bound != NULL) { // as many places as the figure had
        const char *point = strchr(decimal, '.');
        int places = point == NULL ? 0 : (int)strlen(point + 1);
        gw_ignore(snprintf(clipped, sizeof(clipped), "%s%s%.*s", bound, places > 0 ? "." : "", places,
                           "000000000000000000000000")); // it fits
        *ret_clipped = true;
    }
    gw_text_number(text, bound == NULL ? decimal : clipped, labels == NULL ? NULL : labels->numbers);
}

const char *gw_unit_word(const char *unit) {
    static const char *const words[][2] = {{"PC", "%"},    {"PS", "people"}, {"persons", "people"},
                                           {"H", "hours"}, {"MO", "months"}, {"MIN", "minutes"},
                                           {"NR", ""},     {"IX", ""},       {"RT", ""}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(unit, words[i][0]) == 0)
            return words[i][1];
    return unit;
}

// Persons and plain numbers need no unit behind them; codes of SDMX units are put into words, other units stand as they
// are ("EUR").
void gw_figure_unit(const gw_answer *answer, gw_buffer *text) {
    static const struct {
        const char *unit, *shown;
    } units[] = {{"PC", "%"}, {"H", "h"}, {"H^2", "h^2"}, {"MO", "months"}, {"MIN", "min"},
                 {"PS", ""},  {"NR", ""}, {"IX", ""},     {"RT", ""},       {"", ""}};
    const char *shown = answer->unit;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(answer->unit, units[i].unit) == 0)
            shown = units[i].shown;
    if (shown[0] != '\0')
        gw_buffer_format(text, " %.*s", UNIT_SHOWN_MAX, shown);
}

// A quotient may have a lower end alone.
static bool is_open_above(const gw_answer *answer) {
    return is_statistic(answer, "ratio") || is_statistic(answer, "quintile_ratio");
}

static void cell_figures(const figure_look *look, const gw_answer_cell *cell, char estimate[CELL_TEXT],
                         char between[CELL_TEXT], bool *ret_clipped) {
    const char *word = flag_word(cell->flag);
    gw_buffer text;
    gw_buffer_init(&text, CELL_TEXT - 1);
    if (cell->estimate == NULL || word != NULL)
        gw_buffer_text(&text, word == NULL ? "not given" : word);
    else {
        figure(look, cell->estimate, NO_END, &text, ret_clipped);
        gw_figure_unit(look->answer, &text);
    }
    gw_ignore(snprintf(estimate, CELL_TEXT, "%s", gw_buffer_string(&text)));
    gw_buffer_done(&text);
    // Without an estimate the range is everything that is possible: no figure is better than that one.
    if (cell->estimate == NULL || cell->lower == NULL || (cell->upper == NULL && !is_open_above(look->answer)))
        gw_buffer_text(&text, "-");
    else if (cell->upper == NULL) {
        gw_buffer_text(&text, "at least ");
        figure(look, cell->lower, END_LOWER, &text, ret_clipped);
    } else {
        figure(look, cell->lower, END_LOWER, &text, ret_clipped);
        gw_buffer_text(&text, " and ");
        figure(look, cell->upper, END_UPPER, &text, ret_clipped);
    }
    gw_ignore(snprintf(between, CELL_TEXT, "%s", gw_buffer_string(&text)));
    gw_buffer_done(&text);
}

static bool has_bars(const gw_answer *answer) {
    return is_statistic(answer, "histogram") || is_statistic(answer, "series");
}

// Of a series the periods alone: the counts up to them would dwarf them.
static bool has_bar(const gw_answer *answer, const gw_answer_cell *cell) {
    bool is_total = is_statistic(answer, "series") && answer->by_count > 0 &&
                    strcmp(cell->key[answer->by_count - 1], "period") != 0;
    return !is_total && cell->estimate != NULL && flag_word(cell->flag) == NULL;
}

static double largest_of(const gw_answer *answer) {
    double largest = 0;
    for (size_t i = 0; i < answer->cell_count; i++)
        if (has_bar(answer, &answer->cells[i]) && strtod(answer->cells[i].estimate, NULL) > largest)
            largest = strtod(answer->cells[i].estimate, NULL);
    return largest;
}

// Nothing for a figure that is not shown.
static void bar_draw(const gw_answer *answer, const gw_answer_cell *cell, double largest, char text[CELL_TEXT]) {
    double value = has_bar(answer, cell) ? strtod(cell->estimate, NULL) : 0;
    size_t count = value > 0 && largest > 0 ? (size_t)(BAR_WIDTH * value / largest + 0.5) : 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        strcat(text, "\u2588"); // three bytes each, far from the end
}

static void whole_draw(const gw_answer_cell *cell, const gw_labels *labels, char text[CELL_TEXT]) {
    gw_buffer number;
    gw_buffer_init(&number, CELL_TEXT - 1);
    if (cell->adjusted != NULL)
        gw_text_number(&number, cell->adjusted, labels == NULL ? NULL : labels->numbers);
    gw_ignore(snprintf(text, CELL_TEXT, "%s", gw_buffer_string(&number)));
    gw_buffer_done(&number);
}

// Which way a gap goes: as far as its range tells.
static void gap_draw(const gw_answer_cell *cell, char text[CELL_TEXT]) {
    bool is_told =
        cell->estimate != NULL && cell->lower != NULL && cell->upper != NULL && flag_word(cell->flag) == NULL;
    const char *word = "unclear";
    if (is_told && strtod(cell->lower, NULL) > 0)
        word = "above";
    else if (is_told && strtod(cell->upper, NULL) < 0)
        word = "below";
    gw_ignore(snprintf(text, CELL_TEXT, "%s", word)); // it fits
}

static void cells_add(const gw_answer *answer, const gw_labels *labels, gw_grid *grid, bool *ret_clipped) {
    const figure_look look = {answer, labels, !has_places(answer)};
    double largest = has_bars(answer) ? largest_of(answer) : 0;
    char codes[GW_BY_MAX][CELL_TEXT]; // a label may live only until the next one is asked for
    for (size_t i = 0; i < answer->cell_count; i++) {
        const gw_answer_cell *cell = &answer->cells[i];
        const char *row[GW_BY_MAX + FIGURE_COLUMNS];
        char estimate[CELL_TEXT], between[CELL_TEXT], last[CELL_TEXT];
        for (size_t k = 0; k < answer->by_count; k++) {
            const char *label = gw_label_of_code(labels, answer->by[k], cell->key[k]);
            gw_ignore(snprintf(codes[k], CELL_TEXT, "%s", label)); // a longer label is cut
            row[k] = codes[k];
        }
        cell_figures(&look, cell, estimate, between, ret_clipped);
        row[answer->by_count] = estimate;
        row[answer->by_count + 1] = between;
        row[answer->by_count + 2] = cell->flag;
        row[answer->by_count + 3] = last;
        if (has_bars(answer))
            bar_draw(answer, cell, largest, last);
        else if (answer->gap_of != NULL)
            gap_draw(cell, last);
        else
            whole_draw(cell, labels, last);
        gw_grid_add(grid, row);
    }
}

gw_grid *gw_figures_grid(const gw_answer *answer, const gw_labels *labels, bool *ret_is_clipped) {
    GW_ASSERT(answer->by_count <= GW_BY_MAX);
    gw_grid_column columns[GW_BY_MAX + FIGURE_COLUMNS];
    char headers[GW_BY_MAX][CELL_TEXT];
    for (size_t k = 0; k < answer->by_count; k++) {
        header_of(gw_label_of_concept(labels, answer->by[k]), headers[k]);
        columns[k] = (gw_grid_column){.name = answer->by[k], .header = headers[k], .is_label = true};
    }
    gw_grid_column *figures = columns + answer->by_count;
    figures[0] = (gw_grid_column){.name = "estimate", .header = "ESTIMATE", .align = GW_ALIGN_RIGHT};
    figures[1] = (gw_grid_column){.name = "between", .header = "LIKELY BETWEEN", .align = GW_ALIGN_RIGHT};
    figures[2] = (gw_grid_column){.name = "flag", .header = "FLAG"};
    bool has_whole = answer->block_count > 0;
    figures[3] = (gw_grid_column){.name = "BAR", .header = "", .align = GW_ALIGN_BAR};
    if (answer->gap_of != NULL)
        figures[3] = (gw_grid_column){.name = "group_is", .header = "GROUP IS"};
    if (has_whole)
        figures[3] = (gw_grid_column){.name = "adjusted", .header = "ADJUSTED", .align = GW_ALIGN_RIGHT};
    gw_grid *grid = gw_grid_new(columns, answer->by_count + FIGURE_COLUMNS -
                                             !(has_bars(answer) || has_whole || answer->gap_of != NULL));
    *ret_is_clipped = false;
    if (grid != NULL)
        cells_add(answer, labels, grid, ret_is_clipped);
    return grid;
}
