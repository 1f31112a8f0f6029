// SPDX-License-Identifier: Apache-2.0
// A simulation as a page for people and as JSON. Sentences first, figures in one table per kind.
#include "service/admin/policy_simulate.h"
#include "service/format/figures.h"
#include "service/format/text.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WIDTH 80u

static void figure(double value, char text[32]) {
    char plain[32];
    double size = fabs(value);
    snprintf(plain, sizeof plain, "%.*f", size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3, value);
    gw_buffer grouped;
    gw_buffer_init(&grouped, 64);
    gw_text_thousands(&grouped, plain);
    snprintf(text, 32, "%.31s", gw_buffer_string(&grouped)); // it fits
    gw_buffer_done(&grouped);
}

static void paragraph(gw_buffer *out, const char *text) {
    gw_text_wrap(out, text, WIDTH, 0, 2);
}

static void prices_text(const gw_simulation *simulation, gw_buffer *out) {
    gw_buffer_format(out, "%44s", "at a price of");
    for (size_t i = 0; i < GW_SIMULATION_PRICES; i++) {
        char text[GW_EPSILON_TEXT];
        gw_epsilon_format(simulation->prices[i], text);
        gw_buffer_format(out, "%12s", text);
    }
    gw_buffer_text(out, "\n");
}

static void questions_text(const gw_simulation *simulation, gw_buffer *out) {
    gw_buffer_text(out, "\nERROR TO EXPECT: 19 times in 20 the answer is off by no more than this. Beside\nit: the "
                        "cells, and how far one person can move what is counted in all of them.\n");
    prices_text(simulation, out);
    uint64_t group_size = 0;
    for (size_t i = 0; i < simulation->question_count; i++) {
        const gw_simulated_question *question = &simulation->questions[i];
        gw_text_wrap(out, question->title, WIDTH, 0, 4);
        if (question->refused[0] != '\0') {
            gw_buffer_text(out, "    cannot be asked: ");
            gw_text_wrap(out, question->refused, WIDTH, 21, 4);
            continue;
        }
        char left[96], moves[32];
        figure(question->moves, moves);
        moves[strcspn(moves, ".")] = question->moves >= 1 && question->moves == floor(question->moves) ? '\0' : '.';
        snprintf(left, sizeof left, "%zu cell%s, one person: %s", question->cell_count,
                 question->cell_count == 1 ? "" : "s", moves);
        gw_buffer_format(out, "  %-34s%8.8s", left, gw_unit_word(question->error_unit));
        for (size_t p = 0; p < GW_SIMULATION_PRICES; p++) {
            char text[32];
            figure(question->half_width[p], text);
            gw_buffer_format(out, "%12s", text);
        }
        gw_buffer_text(out, "\n");
        group_size = question->group_size;
    }
    if (group_size > 0) {
        char line[160];
        snprintf(line, sizeof line,
                 "For shares, rates and means in a group of %" PRIu64
                 " people (\"planning\"); counts do not depend on it.",
                 group_size);
        paragraph(out, line);
    }
}

static void budgets_text(const gw_simulation *simulation, gw_buffer *out) {
    gw_buffer_text(out, "\nTABLES UNTIL A BUDGET IS USED UP\n");
    prices_text(simulation, out);
    for (size_t b = 0; b < 3; b++) {
        const gw_simulated_budget *budget = &simulation->budgets[b];
        char total[GW_EPSILON_TEXT], left[112], days[32] = "", delta[GW_DELTA_TEXT];
        if (budget->total.micro == 0) {
            gw_buffer_format(out, "  %s: no budget of its own\n", budget->name);
            continue;
        }
        gw_epsilon_format(budget->total, total);
        if (budget->days > 0)
            snprintf(days, sizeof days, " (%" PRIu32 " days)", budget->days);
        gw_delta_format(budget->delta, delta);
        snprintf(left, sizeof left, "%s%s: %s%s%s", budget->name, days, total, budget->delta.atto ? ", delta " : "",
                 budget->delta.atto ? delta : "");
        gw_buffer_format(out, "  %-42.42s", left);
        for (size_t p = 0; p < GW_SIMULATION_PRICES; p++)
            gw_buffer_format(out, "%12" PRIu64, budget->tables[p]);
        gw_buffer_text(out, "\n");
    }
    char line[320];
    snprintf(line, sizeof line,
             "The people themselves (%.128s) have a total too, over all their datasets: godwit population add.",
             simulation->policy->population);
    paragraph(out, line);
}

static void odds_line(gw_buffer *out, const char *what, gw_epsilon epsilon) {
    char amount[GW_EPSILON_TEXT], line[320];
    unsigned odds = gw_simulation_odds_up(epsilon);
    if (epsilon.micro == 0)
        return;
    gw_epsilon_format(epsilon, amount);
    snprintf(line, sizeof line, "  %s (%s): from 50 in 100 to at most %u.%u in 100.", what, amount, odds / 10,
             odds % 10);
    paragraph(out, line);
}

static void delta_text(const gw_policy *policy, gw_buffer *out) {
    char delta[GW_DELTA_TEXT], line[320];
    gw_delta all = {policy->delta.atto + policy->selection_delta.atto};
    if (all.atto == 0)
        return;
    gw_delta_format(all, delta);
    snprintf(
        line, sizeof line,
        "The last line holds but for a chance of %s for each person (\"accounting\"). By pure epsilon it would hold "
        "always, and fewer tables would fit.",
        delta);
    paragraph(out, policy->delta.atto != 0 ? line
                                           : "Questions about unknown keys may show one that a single person has, with "
                                             "the chance that \"selection_delta\" states.");
}

static void odds_text(const gw_simulation *simulation, gw_buffer *out) {
    gw_buffer_text(out, "\nWHAT THE ANSWERS CAN TEACH ABOUT ONE PERSON, IN THE WORST CASE\n");
    paragraph(out,
              "Somebody who thought it as likely as not that a person is in the data, or has a trait, and who knows "
              "everybody else's rows, may become this sure:");
    odds_line(out, "one table at the lowest price", simulation->prices[0]);
    odds_line(out, "one table at the highest price", simulation->prices[2]);
    odds_line(out, "all that one asker may ask", simulation->policy->per_principal);
    odds_line(out, "all that is asked in one time window", simulation->policy->window_total);
    odds_line(out, "all that is ever asked, put together", simulation->policy->lifetime);
    delta_text(simulation->policy, out);
}

static void indicators_text(const gw_simulation *simulation, gw_buffer *out) {
    gw_buffer_text(out, "\nINDICATORS OF THE CATALOGUE\n");
    gw_buffer works;
    gw_buffer_init(&works, 65536);
    for (size_t i = 0; i < simulation->indicator_count; i++)
        if (simulation->indicators[i].missing == NULL && simulation->indicators[i].is_granted)
            gw_buffer_format(&works, "%s%s", works.size == 0 ? "" : ", ", simulation->indicators[i].id);
    gw_buffer_text(out, "  work: ");
    gw_text_wrap(out, works.size == 0 ? "none" : gw_buffer_string(&works), WIDTH, 8, 8);
    gw_buffer_done(&works);
    for (size_t i = 0; i < simulation->indicator_count; i++) {
        const gw_simulated_indicator *indicator = &simulation->indicators[i];
        if (indicator->missing != NULL)
            gw_buffer_format(out, "  %s lacks %s\n", indicator->id, indicator->missing);
        else if (!indicator->is_granted)
            gw_buffer_format(out, "  %s would work, but no grant has its %s\n", indicator->id, indicator->statistic);
    }
}

static bool is_asked_for(const gw_policy *policy, const gw_table *table, gw_statistic statistic) {
    bool is_asked = false;
    for (size_t g = 0; g < policy->grant_count; g++)
        for (size_t i = 0; i < policy->grants[g].table_count; i++)
            for (size_t s = 0; s < policy->grants[g].statistic_count; s++)
                is_asked |= strcmp(policy->grants[g].tables[i], table->name) == 0 &&
                            policy->grants[g].statistics[s] == statistic;
    return is_asked;
}

// A number without bands in a table whose means and sums nobody may ask: it can only narrow other questions.
static void unused_columns(const gw_policy *policy, const gw_table *table, bool *is_first, gw_buffer *out) {
    if (is_asked_for(policy, table, GW_STATISTIC_MEAN) || is_asked_for(policy, table, GW_STATISTIC_SUM))
        return;
    for (size_t c = 0; c < table->column_count; c++) {
        const gw_column *column = &table->columns[c];
        if (!gw_column_is_number(column) || column->concept == NULL || column->banding_count > 0)
            continue;
        gw_buffer_format(out, "%s  %s.%s can only narrow questions: no bands, and nobody may ask for its mean or sum\n",
                         *is_first ? "\nUNUSED\n" : "", table->name, column->concept);
        *is_first = false;
    }
}

// Columns that nothing uses are personal data held for no purpose.
static void unused_text(const gw_simulation *simulation, gw_buffer *out) {
    const gw_policy *policy = simulation->policy;
    bool is_first = true;
    for (size_t t = 0; t < policy->table_count; t++) {
        bool is_granted = false;
        for (size_t g = 0; g < policy->grant_count; g++)
            for (size_t i = 0; i < policy->grants[g].table_count; i++)
                is_granted |= policy->grants[g].statistic_count > 0 &&
                              strcmp(policy->grants[g].tables[i], policy->tables[t].name) == 0;
        if (is_granted) {
            unused_columns(policy, &policy->tables[t], &is_first, out);
            continue;
        }
        gw_buffer_format(out, "%s  %s: nobody may ask about this table; leave it out, or grant it\n",
                         is_first ? "\nUNUSED\n" : "", policy->tables[t].name);
        is_first = false;
    }
}

void gw_simulation_text(const gw_simulation *simulation, gw_buffer *out) {
    const gw_policy *policy = simulation->policy;
    char line[512];
    snprintf(line, sizeof line, "%.128s, policy version %" PRIu64 ": what it would mean. Nothing is in force yet.",
             policy->dataset, policy->version);
    paragraph(out, line);
    questions_text(simulation, out);
    budgets_text(simulation, out);
    odds_text(simulation, out);
    indicators_text(simulation, out);
    unused_text(simulation, out);
}

// ---- JSON

static void json_questions(const gw_simulation *simulation, gw_buffer *out) {
    gw_json_write_name(out, "questions");
    gw_buffer_text(out, "[");
    for (size_t i = 0; i < simulation->question_count; i++) {
        const gw_simulated_question *question = &simulation->questions[i];
        gw_buffer_text(out, i ? ",{" : "{");
        gw_json_write_member(out, "title", question->title);
        if (question->refused[0] != '\0') {
            gw_json_write_member(out, "refused", question->refused);
            gw_buffer_text(out, "}");
            continue;
        }
        gw_json_write_member(out, "bound", question->bound);
        gw_json_write_integer(out, "sensitivity", (int64_t)question->sensitivity);
        gw_json_write_integer(out, "cells", (int64_t)question->cell_count);
        gw_json_write_integer(out, "group_size", (int64_t)question->group_size);
        gw_json_write_member(out, "unit", question->error_unit);
        gw_json_write_name(out, "half_width_95");
        gw_buffer_text(out, "[");
        for (size_t p = 0; p < GW_SIMULATION_PRICES; p++)
            gw_buffer_format(out, "%s\"%.6g\"", p ? "," : "", question->half_width[p]);
        gw_buffer_text(out, "]}");
    }
    gw_buffer_text(out, "]");
}

static void json_budgets(const gw_simulation *simulation, gw_buffer *out) {
    gw_json_write_name(out, "budgets");
    gw_buffer_text(out, "[");
    for (size_t b = 0; b < 3; b++) {
        const gw_simulated_budget *budget = &simulation->budgets[b];
        char odds[16], delta[GW_DELTA_TEXT];
        gw_buffer_text(out, b ? ",{" : "{");
        gw_json_write_member(out, "budget", budget->name);
        if (budget->total.micro == 0) {
            gw_json_write_member(out, "total", NULL);
            gw_buffer_text(out, "}");
            continue;
        }
        snprintf(odds, sizeof odds, "%u.%u", gw_simulation_odds_up(budget->total) / 10,
                 gw_simulation_odds_up(budget->total) % 10);
        gw_json_write_epsilon(out, "total", budget->total);
        gw_json_write_member(out, "odds_in_100", odds);
        gw_delta_format(budget->delta, delta);
        gw_json_write_member(out, "delta", budget->delta.atto ? delta : NULL);
        gw_json_write_name(out, "tables");
        gw_buffer_text(out, "[");
        for (size_t p = 0; p < GW_SIMULATION_PRICES; p++)
            gw_buffer_format(out, "%s%" PRIu64, p ? "," : "", budget->tables[p]);
        gw_buffer_text(out, "]}");
    }
    gw_buffer_text(out, "]");
}

void gw_simulation_json(const gw_simulation *simulation, gw_buffer *out) {
    gw_buffer_text(out, "{\"v\":1");
    gw_json_write_member(out, "dataset", simulation->policy->dataset);
    gw_json_write_integer(out, "version", (int64_t)simulation->policy->version);
    gw_json_write_name(out, "prices");
    gw_buffer_text(out, "[");
    for (size_t p = 0; p < GW_SIMULATION_PRICES; p++) {
        char text[GW_EPSILON_TEXT];
        gw_epsilon_format(simulation->prices[p], text);
        gw_buffer_format(out, "%s\"%s\"", p ? "," : "", text);
    }
    gw_buffer_text(out, "]");
    json_questions(simulation, out);
    json_budgets(simulation, out);
    gw_json_write_name(out, "indicators");
    gw_buffer_text(out, "[");
    for (size_t i = 0; i < simulation->indicator_count; i++) {
        const gw_simulated_indicator *indicator = &simulation->indicators[i];
        gw_buffer_text(out, i ? ",{" : "{");
        gw_json_write_member(out, "indicator", indicator->id);
        gw_json_write_member(out, "lacks", indicator->missing);
        gw_json_write_name(out, "granted");
        gw_buffer_text(out, indicator->is_granted ? "true}" : "false}");
    }
    gw_buffer_text(out, "]}\n");
}
