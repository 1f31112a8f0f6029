// SPDX-License-Identifier: Apache-2.0
// Prices in words.
#include "client/cli/price.h"
#include "client/cli/doc.h"
#include "client/cli/say_grid.h"
#include "client/cli/wording.h"
#include "privacy/accounting/delta.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/format/figures.h"
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES_MAX 8192u
#define EPSILON_USUAL 50000u // 0.05

GW_DEFINE_FREEP(gw_grid, gw_grid_free)

const char *gw_price_budget_word(const char *budget) {
    return strcmp(budget, "principal") == 0 ? "yours" : budget;
}

bool gw_price_usual(const gw_json_node *dataset, gw_question *question) {
    const gw_json_node *budget = gw_doc_at(dataset, "budget");
    gw_epsilon least = gw_doc_epsilon(budget, "question_min"), most = gw_doc_epsilon(budget, "question_max");
    if (question->has_epsilon || question->target_error != NULL)
        return false;
    question->has_epsilon = true;
    question->epsilon.micro = EPSILON_USUAL;
    if (most.micro > 0 && question->epsilon.micro > most.micro)
        question->epsilon = most;
    if (question->epsilon.micro < least.micro)
        question->epsilon = least;
    return true;
}

// What is taken from this budget: its own part of a basket, or the price of the one question.
static gw_epsilon taken_from(const gw_json_node *balance, gw_epsilon price) {
    return gw_doc_at(balance, "price") != NULL ? gw_doc_epsilon(balance, "price") : price;
}

// "enough" is the service's word: accounted with a delta, several prices may fit whose sum would not as one.
static bool is_short(const gw_json_node *balance, gw_epsilon price) {
    if (gw_doc_at(balance, "enough") != NULL)
        return !gw_doc_bool(balance, "enough");
    return gw_doc_epsilon(balance, "remaining").micro < taken_from(balance, price).micro;
}

const gw_json_node *gw_price_short(const gw_json_node *cost) {
    gw_epsilon price = gw_doc_epsilon(cost, "price");
    for (const gw_json_node *node = gw_doc_first(cost, "balances"); node != NULL; node = gw_json_next(node))
        if (is_short(node, price))
            return node;
    return NULL;
}

// ---- price and balances

static void balance_say(const gw_json_node *balance, gw_epsilon price, gw_buffer *text) {
    char remaining[GW_AMOUNT_TEXT], after[GW_AMOUNT_TEXT], total[GW_AMOUNT_TEXT];
    const char *budget = gw_doc_text(balance, "budget", "?");
    gw_amount_text(gw_doc_text(balance, "remaining", "0"), remaining);
    gw_amount_text(gw_doc_text(balance, "total", "0"), total);
    gw_buffer_format(text, "%s%s: %s", text->size == 0 ? "" : " · ", gw_price_budget_word(budget), remaining);
    if (is_short(balance, price)) { // "after" stops at 0
        gw_buffer_text(text, " left, not enough");
        return;
    }
    gw_amount_text(gw_doc_text(balance, "after", "?"), after);
    gw_buffer_format(text, " -> %s", after);
    if (strcmp(budget, "principal") != 0)
        gw_buffer_format(text, " of %s", total);
    const char *delta = gw_doc_text(balance, "delta", NULL);
    if (delta != NULL)
        gw_buffer_format(text, " with delta %s", delta);
    // What is free has no price that a room could be counted in.
    if (delta != NULL && gw_doc_integer(balance, "fits", 0) > 0)
        gw_buffer_format(text, ", room for %lld at this price", (long long)gw_doc_integer(balance, "fits", 0));
}

static void price_say(gw_cli *cli, const gw_json_node *cost) {
    char price[GW_AMOUNT_TEXT];
    gw_buffer balances;
    gw_buffer_init(&balances, LINE_BYTES_MAX);
    // The asker's own first: it is the one that runs out.
    for (int own = 1; own >= 0; own--)
        for (const gw_json_node *node = gw_doc_first(cost, "balances"); node != NULL; node = gw_json_next(node))
            if ((strcmp(gw_doc_text(node, "budget", ""), "principal") == 0) == (own == 1))
                balance_say(node, gw_doc_epsilon(cost, "price"), &balances);
    gw_amount_text(gw_doc_text(cost, "price", "?"), price);
    if (gw_doc_bool(cost, "free"))
        gw_say_field(cli, "Price", "0   (asked before: the stored answer costs nothing)");
    else
        gw_say_field(cli, "Price", "%s   (%s)", price, gw_buffer_string(&balances));
    gw_buffer_done(&balances);
}

// ---- error

static void size_text(const gw_cli *cli, const gw_json_node *group, char text[GW_AMOUNT_TEXT]) {
    char number[24];
    gw_ignore(snprintf(number, sizeof(number), "%lld", (long long)gw_doc_integer(group, "group_size", 0))); // it fits
    gw_figure_text(number, &cli->numbers, text);
}

static bool is_same_for_all(const gw_json_node *error) {
    return gw_doc_at(error, "depends_on_group") != NULL && !gw_doc_bool(error, "depends_on_group");
}

// Smaller and larger groups than the one that was meant: no table has cells of one size.
static void groups_say(const gw_cli *cli, const gw_json_node *error, const char *unit, gw_buffer *text) {
    for (const gw_json_node *group = gw_doc_first(error, "groups"); group != NULL; group = gw_json_next(group)) {
        char size[GW_AMOUNT_TEXT], likely[GW_AMOUNT_TEXT];
        if (gw_doc_integer(group, "group_size", 0) == gw_doc_integer(error, "group_size", 0))
            continue;
        size_text(cli, group, size);
        gw_figure_text(gw_doc_text(group, "half_width_95", "?"), &cli->numbers, likely);
        gw_buffer_format(text, "; %s people: ±%s %s", size, likely, unit);
    }
}

// Of unknown keys: which will be seen at all.
static void selection_say(gw_cli *cli, const gw_json_node *selection) {
    static const char *const members[] = {"shown_half", "shown_99"};
    char sizes[2][GW_AMOUNT_TEXT];
    if (selection == NULL)
        return;
    for (size_t i = 0; i < 2; i++) {
        char number[24];
        gw_ignore(snprintf(number, sizeof(number), "%lld", (long long)gw_doc_integer(selection, members[i], 0)));
        gw_figure_text(number, &cli->numbers, sizes[i]);
    }
    gw_say_field(
        cli, "Shown",
        "a key that %s people share half the time, one that %s share 99 times in 100; one that a single person "
        "has with probability %s",
        sizes[0], sizes[1], gw_doc_text(selection, "delta", "?"));
}

// Said before the question is put: a price that can't be paid for want of a delta is no price.
static void selection_short_say(gw_cli *cli, const gw_json_node *cost) {
    gw_delta needed;
    const gw_json_node *selection = gw_doc_at(gw_doc_at(cost, "error"), "selection");
    if (selection == NULL || gw_doc_bool(cost, "free") ||
        gw_delta_parse(gw_doc_text(selection, "delta", ""), &needed) != GW_OK)
        return;
    for (const gw_json_node *node = gw_doc_first(cost, "balances"); node != NULL; node = gw_json_next(node)) {
        gw_delta total = {0}, spent = {0}; // absent: nothing is granted
        const char *budget = gw_doc_text(node, "budget", "");
        bool has_one = strcmp(budget, "dataset") == 0 || strcmp(budget, "population") == 0;
        if (gw_delta_parse(gw_doc_text(node, "selection_delta", ""), &total) != GW_OK)
            total.atto = 0;
        if (gw_delta_parse(gw_doc_text(node, "selection_spent", ""), &spent) != GW_OK)
            spent.atto = 0;
        if (has_one && total.atto - spent.atto < needed.atto)
            gw_say_field(cli, "But",
                         "%s has too little delta left for unknown keys: this would be refused (godwit budget)",
                         gw_doc_text(node, "id", budget));
    }
}

// Several tables: the error of each, those that were asked for.
static void tables_say(gw_cli *cli, const gw_json_node *error, const char *unit) {
    for (const gw_json_node *table = gw_doc_first(error, "tables"); table != NULL; table = gw_json_next(table)) {
        char likely[GW_AMOUNT_TEXT], half[GW_AMOUNT_TEXT];
        gw_buffer by;
        if (!gw_doc_bool(table, "asked"))
            continue;
        gw_buffer_init(&by, LINE_BYTES_MAX);
        for (const gw_json_node *one = gw_doc_first(table, "by"); one != NULL; one = gw_json_next(one))
            if (gw_json_type_of(one) == GW_JSON_STRING)
                gw_buffer_format(&by, "%s%s", by.size == 0 ? "" : ",", gw_json_string(one));
        gw_figure_text(gw_doc_text(table, "half_width_95", "?"), &cli->numbers, likely);
        gw_figure_text(gw_doc_text(table, "half_width_50", "?"), &cli->numbers, half);
        gw_say_field(cli, "", "%s (%lld): ±%s %s, half the time ±%s", by.size == 0 ? "_T" : gw_buffer_string(&by),
                     (long long)gw_doc_integer(table, "cells", 1), likely, unit, half);
        gw_buffer_done(&by);
    }
}

static void error_say(gw_cli *cli, const gw_json_node *cost) {
    const gw_json_node *error = gw_doc_at(cost, "error");
    char likely[GW_AMOUNT_TEXT], half[GW_AMOUNT_TEXT], size[GW_AMOUNT_TEXT], largest[GW_AMOUNT_TEXT];
    const char *unit = gw_unit_word(gw_doc_text(error, "unit", ""));
    const char *weight = gw_doc_text(error, "weight_max", NULL);
    if (!is_same_for_all(error) && gw_doc_integer(error, "group_size", 0) == 0) {
        gw_say_field(cli, "Error",
                     "not known: it depends on how many people a group has, and the policy states no planning size; "
                     "say it with --group-size N");
        return;
    }
    gw_buffer text;
    gw_buffer_init(&text, LINE_BYTES_MAX);
    gw_figure_text(gw_doc_text(error, "half_width_95", "?"), &cli->numbers, likely);
    gw_figure_text(gw_doc_text(error, "half_width_50", "?"), &cli->numbers, half);
    size_text(cli, error, size);
    if (gw_doc_first(error, "tables") != NULL)
        gw_buffer_text(&text, "of the least exact table: ");
    else if (is_same_for_all(error))
        gw_buffer_text(&text, "for a group of any size: ");
    else
        gw_buffer_format(&text, "for a group of %s people: ", size);
    gw_buffer_format(&text, "19 times in 20 within ±%s %s, half the time within ±%s", likely, unit, half);
    if (!is_same_for_all(error))
        groups_say(cli, error, unit, &text);
    if (weight != NULL) {
        gw_figure_text(weight, &cli->numbers, largest);
        gw_buffer_format(&text, "; every weight is protected as if it were the largest, %s", largest);
    }
    gw_say_field(cli, "Error", "%s", gw_buffer_string(&text));
    selection_say(cli, gw_doc_at(error, "selection"));
    selection_short_say(cli, cost);
    tables_say(cli, error, unit);
    gw_buffer_done(&text);
}

// ---- instead

static const char *concept_label(const gw_json_node *dataset, const char *concept) {
    gw_names_labels state;
    gw_labels labels = gw_names_labels_of(&state, dataset);
    const char *label = dataset == NULL ? NULL : labels.concept(labels.state, concept);
    return label == NULL ? concept : label;
}

static void alternative_say(const gw_cli *cli, const gw_json_node *node, const char *unit, const gw_json_node *dataset,
                            gw_buffer *text) {
    char price[GW_AMOUNT_TEXT], error[GW_AMOUNT_TEXT], size[GW_AMOUNT_TEXT];
    const char *change = gw_doc_text(node, "change", "");
    gw_amount_text(gw_doc_text(node, "epsilon", "?"), price);
    gw_figure_text(gw_doc_text(node, "half_width_95", "?"), &cli->numbers, error);
    size_text(cli, node, size);
    gw_buffer_text(text, text->size == 0 ? "" : " · ");
    if (strcmp(change, "fewer_breakdowns") == 0)
        gw_buffer_format(
            text, "without %s, groups of %s people: ", concept_label(dataset, gw_doc_text(node, "without", "?")), size);
    else if (strcmp(change, "larger_group") == 0)
        gw_buffer_format(text, "groups of %s people: ", size);
    gw_buffer_format(text, "±%s %s for %s", error, unit, price);
}

static void instead_say(gw_cli *cli, const gw_json_node *cost, const gw_json_node *dataset) {
    const gw_json_node *error = gw_doc_at(cost, "error");
    const char *unit = gw_unit_word(gw_doc_text(error, "unit", ""));
    bool is_known = is_same_for_all(error) || gw_doc_integer(error, "group_size", 0) > 0;
    gw_buffer text;
    gw_buffer_init(&text, LINE_BYTES_MAX);
    for (const gw_json_node *node = gw_doc_first(cost, "instead"); is_known && node != NULL; node = gw_json_next(node))
        alternative_say(cli, node, unit, dataset, &text);
    if (text.size > 0)
        gw_say_field(cli, "Instead", "%s", gw_buffer_string(&text));
    gw_buffer_done(&text);
}

static void quote_say(gw_cli *cli, const gw_json_node *cost) {
    const gw_json_node *quote = gw_doc_at(cost, "quote");
    const char *id = gw_doc_text(quote, "id", NULL);
    char until[GW_TIME_TEXT];
    if (id == NULL)
        return;
    gw_time_format(gw_doc_integer(quote, "expires", 0), until);
    gw_say_field(cli, "Quote", "godwit query --quote %s   (until %s UTC)", id, until);
}

void gw_price_say(gw_cli *cli, const gw_json_node *cost, const gw_json_node *dataset) {
    const char *notice = gw_doc_text(cost, "notice", NULL);
    if (notice != NULL)
        gw_say_field(cli, "Notice", "%s", notice);
    gw_say_field(cli, "Question", "%s · %s", gw_doc_text(cost, "title", "?"),
                 gw_dataset_short(gw_doc_text(cost, "dataset", "?")));
    price_say(cli, cost);
    error_say(cli, cost);
    instead_say(cli, cost, dataset);
    quote_say(cli, cost);
}

// ---- rows for programs

// What can be spent at most: the smallest of all budgets that the question would be charged to.
static const char *remaining_least(const gw_json_node *cost) {
    const char *least = NULL;
    uint64_t least_micro = UINT64_MAX;
    for (const gw_json_node *node = gw_doc_first(cost, "balances"); node != NULL; node = gw_json_next(node)) {
        gw_epsilon remaining = gw_doc_epsilon(node, "remaining");
        if (remaining.micro >= least_micro)
            continue;
        least_micro = remaining.micro;
        least = gw_doc_text(node, "remaining", "");
    }
    return least;
}

static const gw_grid_column columns_of_rows[] = {
    {"dataset", "", GW_ALIGN_LEFT, false},       {"question", "", GW_ALIGN_LEFT, false},
    {"statistic", "", GW_ALIGN_LEFT, false},     {"cells", "", GW_ALIGN_LEFT, false},
    {"epsilon", "", GW_ALIGN_LEFT, false},       {"cost", "", GW_ALIGN_LEFT, false},
    {"remaining", "", GW_ALIGN_LEFT, false},     {"unit", "", GW_ALIGN_LEFT, false},
    {"group_size", "", GW_ALIGN_LEFT, false},    {"half_width_95", "", GW_ALIGN_LEFT, false},
    {"half_width_50", "", GW_ALIGN_LEFT, false}, {"notice", "", GW_ALIGN_LEFT, false},
    {"quote", "", GW_ALIGN_LEFT, false},         {"refused", "", GW_ALIGN_LEFT, false}};
#define ROW_COLUMNS (sizeof(columns_of_rows) / sizeof(columns_of_rows[0]))

static void row_add(gw_grid *grid, const gw_json_node *cost) {
    const gw_json_node *error = gw_doc_at(cost, "error"), *problem = gw_doc_at(cost, "problem");
    char cells[24], size[24];
    gw_ignore(snprintf(cells, sizeof(cells), "%lld", (long long)gw_doc_integer(cost, "cells", 0)));     // it fits
    gw_ignore(snprintf(size, sizeof(size), "%lld", (long long)gw_doc_integer(error, "group_size", 0))); // it fits
    bool is_free = gw_doc_bool(cost, "free") || gw_doc_at(cost, "same_as") != NULL;
    const char *row[ROW_COLUMNS] = {gw_doc_text(cost, "dataset", NULL),
                                    gw_doc_text(cost, "question", NULL),
                                    gw_doc_text(cost, "statistic", NULL),
                                    problem == NULL ? cells : NULL,
                                    gw_doc_text(cost, "epsilon", NULL),
                                    is_free ? "0" : gw_doc_text(cost, "price", NULL),
                                    remaining_least(cost),
                                    gw_doc_text(error, "unit", NULL),
                                    problem == NULL ? size : NULL,
                                    gw_doc_text(error, "half_width_95", NULL),
                                    gw_doc_text(error, "half_width_50", NULL),
                                    gw_doc_text(cost, "notice", NULL),
                                    gw_doc_text(gw_doc_at(cost, "quote"), "id", NULL),
                                    gw_doc_text(problem, "code", NULL)};
    gw_grid_add(grid, row);
}

gw_exit_code gw_price_row_say(gw_cli *cli, const gw_json_node *cost) {
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns_of_rows, ROW_COLUMNS);
    if (grid == NULL)
        return GW_EXIT_FAILED;
    row_add(grid, cost);
    return gw_say_grid(cli, grid);
}

// ---- a basket

static const gw_grid_column columns_of_basket[] = {{"place", "", GW_ALIGN_RIGHT, false},
                                                   {"question", "QUESTION", GW_ALIGN_LEFT, true},
                                                   {"price", "PRICE", GW_ALIGN_RIGHT, false},
                                                   {"error", "ERROR PER CELL", GW_ALIGN_LEFT, false},
                                                   {"free", "FREE?", GW_ALIGN_LEFT, false}};
#define BASKET_COLUMNS (sizeof(columns_of_basket) / sizeof(columns_of_basket[0]))

static void basket_row_add(const gw_cli *cli, gw_grid *grid, const gw_json_node *cost) {
    const gw_json_node *error = gw_doc_at(cost, "error"), *problem = gw_doc_at(cost, "problem");
    char place[24], price[GW_AMOUNT_TEXT], likely[GW_AMOUNT_TEXT], error_text[96], same[48] = "";
    gw_buffer title;
    gw_buffer_init(&title, LINE_BYTES_MAX);
    gw_ignore(snprintf(place, sizeof(place), "%lld", (long long)gw_doc_integer(cost, "place", 0))); // it fits
    int64_t same_as = gw_doc_integer(cost, "same_as", 0);
    if (problem != NULL) {
        gw_buffer_format(&title, "refused: %s %s", gw_doc_text(problem, "what", "?"), gw_doc_text(problem, "why", ""));
        const char *row[BASKET_COLUMNS] = {place, gw_buffer_string(&title), NULL, NULL, NULL};
        gw_grid_add(grid, row);
        gw_buffer_done(&title);
        return;
    }
    gw_buffer_format(&title, "%s · %s", gw_doc_text(cost, "title", "?"),
                     gw_dataset_short(gw_doc_text(cost, "dataset", "?")));
    gw_amount_text(same_as > 0 ? "0" : gw_doc_text(cost, "price", "?"), price);
    gw_figure_text(gw_doc_text(error, "half_width_95", "?"), &cli->numbers, likely);
    gw_ignore(snprintf(error_text, sizeof(error_text), "±%s %s", likely,
                       gw_unit_word(gw_doc_text(error, "unit", "")))); // bounded, it is only shown
    if (same_as > 0)
        gw_ignore(snprintf(same, sizeof(same), "same as %lld", (long long)same_as)); // it fits
    else if (gw_doc_bool(cost, "free"))
        gw_ignore(snprintf(same, sizeof(same), "asked before")); // it fits
    const char *row[BASKET_COLUMNS] = {place, gw_buffer_string(&title), price, error_text, same};
    gw_grid_add(grid, row);
    gw_buffer_done(&title);
}

static void basket_balance_say(gw_cli *cli, const gw_json_node *balance) {
    gw_buffer text;
    gw_buffer_init(&text, LINE_BYTES_MAX);
    balance_say(balance, taken_from(balance, (gw_epsilon){0}), &text);
    gw_say_lines(cli, "  %-12s %s", gw_dataset_short(gw_doc_text(balance, "dataset", "")), gw_buffer_string(&text));
    gw_buffer_done(&text);
}

static void basket_total_say(gw_cli *cli, const gw_json_node *basket) {
    char price[GW_AMOUNT_TEXT];
    int64_t refused = gw_doc_integer(basket, "refused", 0);
    gw_amount_text(gw_doc_text(basket, "price", "?"), price);
    gw_say(cli, "\nTotal %s", price);
    if (refused > 0)
        gw_say(cli, " · %lld refused", (long long)refused);
    gw_say(cli, "\n");
    for (const gw_json_node *node = gw_doc_first(basket, "balances"); node != NULL; node = gw_json_next(node))
        basket_balance_say(cli, node);
}

gw_exit_code gw_price_basket_say(gw_cli *cli, const gw_json_node *basket) {
    bool is_table = cli->output == GW_OUTPUT_TABLE;
    GW_CLEANUP(gw_grid_freep)
    gw_grid *grid =
        is_table ? gw_grid_new(columns_of_basket, BASKET_COLUMNS) : gw_grid_new(columns_of_rows, ROW_COLUMNS);
    if (grid == NULL)
        return GW_EXIT_FAILED;
    for (const gw_json_node *node = gw_doc_first(basket, "quotes"); node != NULL; node = gw_json_next(node)) {
        if (is_table)
            basket_row_add(cli, grid, node);
        else
            row_add(grid, node);
    }
    gw_exit_code code = gw_say_grid(cli, grid);
    if (is_table && code == GW_EXIT_DONE)
        basket_total_say(cli, basket);
    return code;
}
