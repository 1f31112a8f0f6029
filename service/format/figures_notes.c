// SPDX-License-Identifier: Apache-2.0
// The lines below an answer's figures. A note is said only where it concerns a figure that is shown.
#include "service/base/check.h"
#include "service/format/figures_inner.h"
#include "service/wire/decimal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_BYTES_MAX 65536u
#define LINE_TEXT 256u
#define ADJUSTED_WORDS                                                                                                 \
    "Adjusted: whole numbers, none below zero, that add up to the digit in all tables; not unbiased near zero, as "    \
    "the estimates are."

static bool is_said(const char *text) {
    return text != NULL && text[0] != '\0';
}

static void flags_say(const gw_answer *answer, gw_figures_line line, void *state) {
    static const char *const meanings[] = {
        "u  too uncertain after protection: ask for bigger groups, or double epsilon",
        "c  withheld by policy",
        "z  cannot exist",
        "x  not collected",
        "b  break in the series",
        "p  provisional",
        "r  revised"};
    for (size_t f = 0; f < sizeof(meanings) / sizeof(meanings[0]); f++)
        for (size_t i = 0; i < answer->cell_count; i++) {
            const char *flag = answer->cells[i].flag;
            if (flag[0] != meanings[f][0] || flag[1] != '\0')
                continue;
            line(state, meanings[f], 3);
            break;
        }
}

// What of one person counts, as the policy's figures have it. The service's own sentence says that and what it can do
// to the figures; only where there is none it is put together here.
static void bounds_say(const gw_answer *answer, const gw_labels *labels, gw_figures_line line, void *state) {
    const char *kind = answer->bounds_kind, *units = answer->bounds_units, *total = answer->bounds_total;
    const char *s = units != NULL && strcmp(units, "1") == 0 ? "" : "s";
    gw_buffer text;
    if (is_said(answer->bounds_note)) {
        line(state, answer->bounds_note, 2);
        return;
    }
    gw_buffer_init(&text, NOTE_BYTES_MAX);
    if (kind != NULL && strcmp(kind, "keep-rows") == 0 && units != NULL)
        gw_buffer_format(&text, "Bounded: of one person at most %s row%s count%s.", units, s, s[0] == '\0' ? "s" : "");
    else if (kind != NULL && strcmp(kind, "keep-cells") == 0 && units != NULL)
        gw_buffer_format(&text, "Bounded: one person counts in at most %s cell%s.", units, s);
    else if (kind != NULL && strcmp(kind, "clamp-total") == 0 && total != NULL) {
        gw_buffer_text(&text, "Bounded: one person's values count up to ");
        gw_text_number(&text, total, labels == NULL ? NULL : labels->numbers);
        gw_figure_unit(answer, &text);
        gw_buffer_text(&text, " in all.");
    }
    if (answer->is_weighted)
        gw_buffer_format(&text, "%sWeighted: each row stands for as many as its survey weight says.",
                         text.size > 0 ? " " : "");
    if (text.size > 0)
        line(state, gw_buffer_string(&text), 2);
    gw_buffer_done(&text);
}

// Where a person is one row anyway, there is nothing to tell apart.
static bool counts_persons_of_many_rows(const gw_answer *answer) {
    bool is_one_row = answer->bounds_kind != NULL && strcmp(answer->bounds_kind, "none") == 0 &&
                      answer->bounds_units != NULL && strcmp(answer->bounds_units, "1") == 0;
    return answer->is_per_person && !is_one_row;
}

static void number_say(const gw_labels *labels, const char *decimal, gw_buffer *text) {
    gw_text_number(text, decimal, labels == NULL ? NULL : labels->numbers);
}

// The line of poverty: what it lies at, and of which median.
static void line_say(const gw_answer *answer, const gw_labels *labels, gw_figures_line line, void *state) {
    const gw_answer_line *of = &answer->line;
    gw_buffer text;
    if (of->unit == NULL)
        return;
    gw_buffer_init(&text, NOTE_BYTES_MAX);
    gw_buffer_text(&text, "Poor is who has less than ");
    number_say(labels, of->threshold == NULL ? of->threshold_lower : of->threshold, &text);
    gw_buffer_format(&text, "%s %s (likely between ", of->threshold == NULL ? " at least, in" : "", of->unit);
    number_say(labels, of->threshold_lower, &text);
    gw_buffer_text(&text, " and ");
    number_say(labels, of->threshold_upper, &text);
    gw_decimal fraction;
    char percent[GW_DECIMAL_TEXT];
    bool is_known = answer->fraction != NULL && gw_decimal_parse(answer->fraction, &fraction) &&
                    fraction.trillionths < 10 * (gw_int128)GW_DECIMAL_ONE;
    if (is_known) {
        fraction.trillionths *= 100;
        gw_decimal_format(fraction, percent);
    }
    gw_buffer_format(&text, "): %s%s of everybody's median", is_known ? percent : "a part", is_known ? " %" : "");
    if (of->median != NULL) {
        gw_buffer_text(&text, ", ");
        number_say(labels, of->median, &text);
    }
    gw_buffer_text(&text, " (between ");
    number_say(labels, of->median_lower, &text);
    gw_buffer_text(&text, " and ");
    number_say(labels, of->median_upper, &text);
    gw_buffer_text(&text, "). Everybody in the question counts for the median, inside the groups or not.");
    line(state, gw_buffer_string(&text), 2);
    gw_buffer_done(&text);
}

// Which group the gap's sign is about.
static void gap_say(const gw_answer *answer, const gw_labels *labels, gw_figures_line line, void *state) {
    gw_buffer text;
    if (answer->gap_of == NULL)
        return;
    gw_buffer_init(&text, NOTE_BYTES_MAX);
    gw_buffer_format(&text, "Group is: how %s lies to ",
                     gw_label_of_code(labels, answer->gap_concept, answer->gap_group));
    gw_buffer_format(&text, "%s, where the range leaves zero out; else unclear.",
                     gw_label_of_code(labels, answer->gap_concept, answer->gap_reference));
    line(state, gw_buffer_string(&text), 2);
    gw_buffer_done(&text);
}

// A value that was chosen by its rank has no range of values.
static void rank_say(const gw_answer *answer, const gw_labels *labels, gw_figures_line line, void *state) {
    gw_buffer text;
    gw_buffer_init(&text, NOTE_BYTES_MAX);
    gw_buffer_text(&text, "Each value was chosen by its rank: ");
    if (strcmp(answer->level, "0.95") == 0)
        gw_buffer_text(&text, "19 times in 20 ");
    else
        gw_buffer_format(&text, "at level %s ", answer->level);
    gw_buffer_text(&text, "no more than ");
    number_say(labels, answer->rank_error, &text);
    gw_buffer_text(&text, " people away from the one meant. How far that is in values is not told; "
                          "--method tree asks for a range.");
    line(state, gw_buffer_string(&text), 2);
    gw_buffer_done(&text);
}

// What follows from sums takes each value as the middle of its bin; ranges are of the figure of those.
static void middles_say(const gw_answer *answer, const gw_labels *labels, gw_figures_line line, void *state) {
    static const char *const statistics[] = {"poverty", "gini", "quintile_ratio"};
    const gw_answer_measured *measured = &answer->measured;
    bool is_one = false;
    for (size_t i = 0; i < sizeof(statistics) / sizeof(statistics[0]); i++)
        is_one |= strcmp(answer->statistic, statistics[i]) == 0;
    if (!is_one || measured->first == NULL || measured->width == NULL)
        return;
    gw_buffer text;
    gw_buffer_init(&text, NOTE_BYTES_MAX);
    gw_buffer_format(&text, "Each value counts as the middle of its bin: %zu bin%s", measured->bin_count,
                     measured->bin_count == 1 ? "" : "s");
    gw_buffer_text(&text, ", each ");
    number_say(labels, measured->width, &text);
    gw_buffer_text(&text, " wide, from ");
    number_say(labels, measured->first, &text);
    if (measured->last != NULL) {
        gw_buffer_text(&text, " to ");
        number_say(labels, measured->last, &text);
    }
    gw_buffer_text(&text, ". Figures and ranges are those of such values.");
    line(state, gw_buffer_string(&text), 2);
    gw_buffer_done(&text);
}

static void range_say(const gw_answer *answer, gw_figures_line line, void *state) {
    bool is_95 = answer->level == NULL || strcmp(answer->level, "0.95") == 0;
    char text[LINE_TEXT];
    gw_ignore(snprintf(text, sizeof(text), "Likely between: the noise range, right %s%.4g%s; other errors come on top.",
                       is_95 ? "" : "in ", is_95 ? 19.0 : 100 * strtod(answer->level, NULL),
                       is_95 ? " times in 20" : " % of releases")); // it fits
    line(state, text, 2);
}

void gw_figures_notes(const gw_answer *answer, const gw_labels *labels, bool is_clipped, gw_figures_line line,
                      void *state) {
    if (answer->rank_error != NULL)
        rank_say(answer, labels, line, state);
    else
        range_say(answer, line, state);
    line_say(answer, labels, line, state);
    middles_say(answer, labels, line, state);
    gap_say(answer, labels, line, state);
    if (answer->block_count > 0)
        line(state, ADJUSTED_WORDS, 2);
    flags_say(answer, line, state);
    if (is_clipped)
        line(state, "Shown within what is possible; -o csv and -o json keep the unbiased figures.", 2);
    if (counts_persons_of_many_rows(answer))
        line(state, "Per person: persons and what they have in all are measured, not rows.", 2);
    bounds_say(answer, labels, line, state);
}
