// SPDX-License-Identifier: Apache-2.0
// The price and the expected error, before anything is spent. Answered from policy, ledger and released figures alone.
#include "client/cli/commands.h"
#include "client/cli/doc.h"
#include "client/cli/names.h"
#include "client/cli/say_grid.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <stdlib.h>
#include <string.h>

#define QUESTION_BYTES_MAX 1048576u

GW_DEFINE_FREEP(gw_json, gw_json_free)
GW_DEFINE_FREEP(gw_names, gw_names_free)
GW_DEFINE_FREEP(gw_arena, gw_arena_free)
GW_DEFINE_FREEP(gw_grid, gw_grid_free)

typedef struct {
    gw_question_options question;
} cost_options;
static const gw_option options_of_cost[] = {GW_QUESTION_OPTIONS(cost_options, question)};

static const char *budget_word(const char *budget) {
    return strcmp(budget, "principal") == 0 ? "yours" : budget;
}

static void balance_say(const gw_json_node *balance, gw_epsilon price, gw_buffer *text) {
    char remaining[GW_AMOUNT_TEXT], after[GW_AMOUNT_TEXT], total[GW_AMOUNT_TEXT];
    const char *budget = gw_doc_text(balance, "budget", "?");
    gw_amount_text(gw_doc_text(balance, "remaining", "0"), remaining);
    gw_amount_text(gw_doc_text(balance, "total", "0"), total);
    gw_buffer_format(text, "%s%s: %s", text->size == 0 ? "" : " · ", budget_word(budget), remaining);
    if (gw_doc_epsilon(balance, "remaining").micro < price.micro) { // "after" stops at 0
        gw_buffer_text(text, " left, not enough");
        return;
    }
    gw_amount_text(gw_doc_text(balance, "after", "?"), after);
    gw_buffer_format(text, " -> %s", after);
    if (strcmp(budget, "principal") != 0)
        gw_buffer_format(text, " of %s", total);
}

static void price_say(gw_cli *cli, const gw_json_node *cost) {
    char price[GW_AMOUNT_TEXT];
    gw_buffer balances;
    gw_buffer_init(&balances, 4096);
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

static const char *unit_word(const char *unit) {
    return strcmp(unit, "persons") == 0 ? "people" : strcmp(unit, "H") == 0 ? "hours" : unit;
}

static void error_say(gw_cli *cli, const gw_json_node *cost) {
    const gw_json_node *error = gw_doc_at(cost, "error");
    char likely[GW_AMOUNT_TEXT], half[GW_AMOUNT_TEXT], size[GW_AMOUNT_TEXT], number[24];
    const char *unit = unit_word(gw_doc_text(error, "unit", ""));
    gw_figure_text(gw_doc_text(error, "half_width_95", "?"), likely);
    gw_figure_text(gw_doc_text(error, "half_width_50", "?"), half);
    gw_ignore(snprintf(number, sizeof(number), "%lld", (long long)gw_doc_integer(error, "group_size", 0))); // it fits
    gw_figure_text(number, size);
    if (strcmp(unit, "people") != 0 && gw_doc_integer(error, "group_size", 0) == 0)
        gw_say_field(cli, "Error",
                     "not known: it depends on how many people a group has, and the policy states no planning size; "
                     "say it with --group-size N");
    else if (strcmp(unit, "people") == 0)
        gw_say_field(cli, "Error",
                     "for a group of any size: 19 times in 20 within ±%s people, half the time within ±%s", likely,
                     half);
    else
        gw_say_field(cli, "Error",
                     "for a group of %s people: 19 times in 20 within ±%s %s, half the time within ±%s; "
                     "ten times the people, a tenth of the error",
                     size, likely, unit, half);
}

static void instead_say(gw_cli *cli, const gw_json_node *cost) {
    const gw_json_node *error_now = gw_doc_at(cost, "error");
    const char *unit = unit_word(gw_doc_text(error_now, "unit", ""));
    bool is_known = strcmp(unit, "people") == 0 || gw_doc_integer(error_now, "group_size", 0) > 0;
    gw_buffer text;
    gw_buffer_init(&text, 4096);
    for (const gw_json_node *node = gw_doc_first(cost, "instead"); is_known && node != NULL;
         node = gw_json_next(node)) {
        char price[GW_AMOUNT_TEXT], error[GW_AMOUNT_TEXT];
        gw_amount_text(gw_doc_text(node, "epsilon", "?"), price);
        gw_figure_text(gw_doc_text(node, "half_width_95", "?"), error);
        gw_buffer_format(&text, "±%s %s for %s · ", error, unit, price);
    }
    gw_buffer_text(&text, "fewer breakdowns: same price, bigger groups");
    gw_say_field(cli, "Instead", "%s", gw_buffer_string(&text));
    gw_buffer_done(&text);
}

// What can be spent at most: the smallest of all budgets that the question would be charged to.
static const char *remaining_least(const gw_json_node *cost) {
    const char *least = "";
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

static gw_exit_code say_csv(gw_cli *cli, const gw_json_node *cost) {
    static const gw_grid_column columns[] = {
        {"dataset", "", GW_ALIGN_LEFT, false},       {"question", "", GW_ALIGN_LEFT, false},
        {"statistic", "", GW_ALIGN_LEFT, false},     {"cells", "", GW_ALIGN_LEFT, false},
        {"epsilon", "", GW_ALIGN_LEFT, false},       {"cost", "", GW_ALIGN_LEFT, false},
        {"remaining", "", GW_ALIGN_LEFT, false},     {"unit", "", GW_ALIGN_LEFT, false},
        {"group_size", "", GW_ALIGN_LEFT, false},    {"half_width_95", "", GW_ALIGN_LEFT, false},
        {"half_width_50", "", GW_ALIGN_LEFT, false}, {"notice", "", GW_ALIGN_LEFT, false}};
    const gw_json_node *error = gw_doc_at(cost, "error");
    char cells[24], size[24];
    gw_ignore(snprintf(cells, sizeof(cells), "%lld", (long long)gw_doc_integer(cost, "cells", 0)));     // it fits
    gw_ignore(snprintf(size, sizeof(size), "%lld", (long long)gw_doc_integer(error, "group_size", 0))); // it fits
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, sizeof(columns) / sizeof(columns[0]));
    if (grid == NULL)
        return GW_EXIT_FAILED;
    const char *row[] = {gw_doc_text(cost, "dataset", ""),
                         gw_doc_text(cost, "question", ""),
                         gw_doc_text(cost, "statistic", ""),
                         cells,
                         gw_doc_text(cost, "epsilon", ""),
                         gw_doc_bool(cost, "free") ? "0" : gw_doc_text(cost, "price", ""),
                         remaining_least(cost),
                         gw_doc_text(error, "unit", ""),
                         size,
                         gw_doc_text(error, "half_width_95", ""),
                         gw_doc_text(error, "half_width_50", ""),
                         gw_doc_text(cost, "notice", NULL)};
    gw_grid_add(grid, row);
    return gw_say_grid(cli, grid);
}

static void say_table(gw_cli *cli, const gw_json_node *cost) {
    const char *notice = gw_doc_text(cost, "notice", NULL);
    if (notice != NULL)
        gw_say_field(cli, "Notice", "%s", notice);
    gw_say_field(cli, "Question", "%s · %s", gw_doc_text(cost, "title", "?"),
                 gw_dataset_short(gw_doc_text(cost, "dataset", "?")));
    price_say(cli, cost);
    error_say(cli, cost);
    instead_say(cli, cost);
}

static gw_status cost_ask(gw_cli *cli, const gw_question_options *options, const gw_words *words, gw_session *session,
                          gw_arena *arena, gw_client_reply *ret_reply, gw_json **ret_document,
                          gw_problem *ret_problem) {
    GW_CLEANUP(gw_names_freep) gw_names *names = NULL;
    const gw_json_node *dataset;
    gw_question question;
    gw_status status = gw_question_read(options, words, words->items[0], arena, &question, ret_problem);
    if (status == GW_OK)
        status = gw_session_open(cli, session, ret_problem);
    if (status == GW_OK)
        status = gw_names_load(cli, session, &names, ret_problem);
    if (status == GW_OK)
        status = gw_names_dataset(names, words->items[0], &dataset, ret_problem);
    if (status != GW_OK)
        return status;
    question.dataset = gw_doc_text(dataset, "dataset", words->items[0]);
    question.kind = GW_KIND_COST;
    gw_buffer body;
    gw_buffer_init(&body, QUESTION_BYTES_MAX);
    gw_question_encode(&question, &body);
    status = body.status == GW_OK
                 ? gw_ask_document(cli, session, gw_buffer_bytes(&body), ret_reply, ret_document, ret_problem)
                 : gw_problem_set(ret_problem, body.status, "question_too_big", "The question is too long.", "", "");
    gw_buffer_done(&body);
    return status;
}

static gw_exit_code run(gw_cli *cli, const void *state, const gw_words *words) {
    const cost_options *options = state;
    GW_CLEANUP(gw_session_close) gw_session session = {0};
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(QUESTION_BYTES_MAX);
    GW_CLEANUP(gw_json_freep) gw_json *document = NULL;
    gw_client_reply reply;
    gw_problem problem;
    GW_ASSERT(arena != NULL);
    if (cost_ask(cli, &options->question, words, &session, arena, &reply, &document, &problem) != GW_OK)
        return gw_fail(cli, &problem);
    if (cli->output == GW_OUTPUT_CSV)
        return say_csv(cli, gw_json_root(document));
    if (cli->output == GW_OUTPUT_JSON)
        gw_say_answer(cli, reply.answer);
    else
        say_table(cli, gw_json_root(document));
    return GW_EXIT_DONE;
}

const gw_command gw_command_cost = {
    .name = "cost",
    .group = "Researcher",
    .arguments = "DATASET [INDICATOR] [--by A,B] [--where C=V]... [--epsilon E | --target-error X]",
    .summary = "the price and the expected error of a question, before anything is spent",
    .examples = "godwit cost register employment_rate --by c_birth,sex --target-error 3 --group-size 1500\n"
                "godwit cost register --measure mean:income --by sex --epsilon 0.1\n"
                "godwit cost register population_count --by none --where age=20..64 --where sex=F\n",
    GW_OPTIONS(options_of_cost),
    .options_size = sizeof(cost_options),
    .words_min = 1,
    .words_max = 2,
    .run = run,
};
