// SPDX-License-Identifier: Apache-2.0
// What may still be spent, budget by budget, and how far that goes.
#include "client/cli/commands.h"
#include "client/cli/doc.h"
#include "client/cli/names.h"
#include "client/cli/price.h"
#include "client/cli/say_grid.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <string.h>

GW_DEFINE_FREEP(gw_json, gw_json_free)
GW_DEFINE_FREEP(gw_names, gw_names_free)
GW_DEFINE_FREEP(gw_grid, gw_grid_free)

static const gw_grid_column columns_table[] = {
    {"dataset", "DATASET", GW_ALIGN_LEFT, true},  {"budget", "BUDGET", GW_ALIGN_LEFT, false},
    {"total", "TOTAL", GW_ALIGN_RIGHT, false},    {"spent", "SPENT", GW_ALIGN_RIGHT, false},
    {"remaining", "LEFT", GW_ALIGN_RIGHT, false}, {"renews", "RENEWS", GW_ALIGN_LEFT, false}};
static const gw_grid_column columns_rows[] = {
    {"dataset", "", GW_ALIGN_LEFT, false},   {"budget", "", GW_ALIGN_LEFT, false},
    {"total", "", GW_ALIGN_LEFT, false},     {"spent", "", GW_ALIGN_LEFT, false},
    {"remaining", "", GW_ALIGN_LEFT, false}, {"renews", "", GW_ALIGN_LEFT, false},
    {"id", "", GW_ALIGN_LEFT, false},        {"last_cost", "", GW_ALIGN_LEFT, false},
    {"more", "", GW_ALIGN_LEFT, false},      {"notice", "", GW_ALIGN_LEFT, false},
    {"delta", "", GW_ALIGN_LEFT, false}};
#define TABLE_COLUMNS (sizeof(columns_table) / sizeof(columns_table[0]))
#define ROWS_COLUMNS (sizeof(columns_rows) / sizeof(columns_rows[0]))

// How many more questions like the asker's last one the smallest of the budgets has room for. False: none was asked.
static bool more_count(const gw_json_node *budget, uint64_t *ret_count) {
    gw_epsilon cost = gw_doc_epsilon(budget, "last_cost");
    uint64_t least = UINT64_MAX;
    for (const gw_json_node *node = gw_doc_first(budget, "balances"); node != NULL && cost.micro > 0;
         node = gw_json_next(node)) {
        uint64_t fits = gw_doc_at(node, "fits") != NULL ? (uint64_t)gw_doc_integer(node, "fits", 0)
                                                        : gw_doc_epsilon(node, "remaining").micro / cost.micro;
        least = fits < least ? fits : least;
    }
    *ret_count = least;
    return least != UINT64_MAX;
}

static void table_add(gw_grid *grid, const gw_json_node *budget) {
    const char *dataset = gw_dataset_short(gw_doc_text(budget, "dataset", "?"));
    for (const gw_json_node *node = gw_doc_first(budget, "balances"); node != NULL; node = gw_json_next(node)) {
        char total[GW_AMOUNT_TEXT], spent[GW_AMOUNT_TEXT], left[GW_AMOUNT_TEXT], renews[GW_DAY_TEXT];
        gw_amount_text(gw_doc_text(node, "total", "?"), total);
        gw_amount_text(gw_doc_text(node, "spent", "?"), spent);
        gw_amount_text(gw_doc_text(node, "remaining", "?"), left);
        gw_day_format(gw_doc_integer(node, "renews", 0), gw_doc_integer(budget, "time", 0), renews);
        const char *row[TABLE_COLUMNS] = {dataset, gw_price_budget_word(gw_doc_text(node, "budget", "?")),
                                          total,   spent,
                                          left,    gw_doc_integer(node, "renews", 0) == 0 ? "never" : renews};
        gw_grid_add(grid, row);
    }
}

static void rows_add(gw_grid *grid, const gw_json_node *budget) {
    char more[24];
    uint64_t count = 0;
    bool has_more = more_count(budget, &count);
    gw_ignore(snprintf(more, sizeof(more), "%llu", (unsigned long long)count)); // it fits
    for (const gw_json_node *node = gw_doc_first(budget, "balances"); node != NULL; node = gw_json_next(node)) {
        char renews[GW_TIME_TEXT];
        int64_t renewal = gw_doc_integer(node, "renews", 0);
        gw_time_format(renewal, renews);
        const char *row[ROWS_COLUMNS] = {
            gw_doc_text(budget, "dataset", ""),  gw_doc_text(node, "budget", ""),        gw_doc_text(node, "total", ""),
            gw_doc_text(node, "spent", ""),      gw_doc_text(node, "remaining", ""),     renewal == 0 ? NULL : renews,
            gw_doc_text(node, "id", ""),         gw_doc_text(budget, "last_cost", NULL), has_more ? more : NULL,
            gw_doc_text(budget, "notice", NULL), gw_doc_text(node, "delta", NULL)};
        gw_grid_add(grid, row);
    }
}

// Accounted with a delta, what is left is no difference of two amounts: many small questions may add up to more.
static void delta_say(gw_cli *cli, const gw_json_node *budget) {
    const char *dataset = gw_dataset_short(gw_doc_text(budget, "dataset", "?"));
    for (const gw_json_node *node = gw_doc_first(budget, "balances"); node != NULL; node = gw_json_next(node)) {
        const char *word = gw_price_budget_word(gw_doc_text(node, "budget", "?"));
        const char *delta = gw_doc_text(node, "delta", NULL), *selection = gw_doc_text(node, "selection_delta", NULL);
        char left[GW_AMOUNT_TEXT], total[GW_AMOUNT_TEXT];
        gw_amount_text(gw_doc_text(node, "remaining", "0"), left);
        gw_amount_text(gw_doc_text(node, "total", "0"), total);
        if (delta != NULL)
            gw_say_lines(cli,
                         "%s (%s): %s holds but for a chance of %s; one question may cost %s now, many small ones "
                         "more together",
                         dataset, word, total, delta, left);
        if (selection != NULL)
            gw_say_lines(cli, "%s (%s): of a delta of %s for unknown keys, %s is spent", dataset, word, selection,
                         gw_doc_text(node, "selection_spent", "0"));
    }
}

static void more_say(gw_cli *cli, const gw_json_node *budget) {
    const char *dataset = gw_dataset_short(gw_doc_text(budget, "dataset", "?"));
    char price[GW_AMOUNT_TEXT];
    uint64_t count;
    gw_amount_text(gw_doc_text(budget, "last_cost", "0"), price);
    if (!more_count(budget, &count))
        gw_say_lines(cli, "%s: you have asked nothing yet; godwit cost says what a table costs", dataset);
    else if (count == 0)
        gw_say_lines(cli, "%s: not enough for another table like your last one (%s)", dataset, price);
    else
        gw_say_lines(cli, "%s: about %llu more table%s like your last one (%s each)", dataset,
                     (unsigned long long)count, count == 1 ? "" : "s", price);
}

// The replies of all datasets, kept until the table is whole.
#define DATASETS_MAX 512u
typedef struct {
    gw_json *documents[DATASETS_MAX];
    size_t count;
} budget_replies;

static void budget_replies_done(budget_replies *replies) {
    for (size_t i = 0; i < replies->count; i++)
        gw_json_free(replies->documents[i]);
}

static gw_status one_ask(gw_cli *cli, gw_session *session, const char *dataset, budget_replies *replies,
                         gw_problem *ret_problem) {
    gw_client_reply reply;
    gw_buffer body;
    if (replies->count == DATASETS_MAX)
        return GW_OK; // more are asked for by name
    gw_buffer_init(&body, 4096);
    gw_buffer_text(&body, "{\"v\":1");
    gw_json_write_member(&body, "kind", "budget");
    gw_json_write_member(&body, "dataset", dataset);
    gw_buffer_text(&body, "}");
    gw_status status =
        gw_ask_document(cli, session, gw_buffer_bytes(&body), &reply, &replies->documents[replies->count], ret_problem);
    gw_buffer_done(&body);
    if (status != GW_OK)
        return status;
    replies->count++;
    if (cli->output == GW_OUTPUT_JSON)
        gw_say_answer(cli, reply.answer);
    return GW_OK;
}

// "SYNTHETIC: …" stands wherever the dataset is shown; said once where all of them say the same.
static void notices_say(gw_cli *cli, const budget_replies *replies) {
    const char *before = NULL;
    for (size_t i = 0; i < replies->count; i++) {
        const char *notice = gw_doc_text(gw_json_root(replies->documents[i]), "notice", NULL);
        if (notice != NULL && (before == NULL || strcmp(before, notice) != 0))
            gw_say_wrapped(cli, notice);
        before = notice == NULL ? before : notice;
    }
}

static gw_exit_code replies_say(gw_cli *cli, const budget_replies *replies) {
    bool is_table = cli->output == GW_OUTPUT_TABLE;
    GW_CLEANUP(gw_grid_freep)
    gw_grid *grid = is_table ? gw_grid_new(columns_table, TABLE_COLUMNS) : gw_grid_new(columns_rows, ROWS_COLUMNS);
    GW_ASSERT(grid != NULL);
    for (size_t i = 0; i < replies->count; i++) {
        if (is_table)
            table_add(grid, gw_json_root(replies->documents[i]));
        else
            rows_add(grid, gw_json_root(replies->documents[i]));
    }
    if (is_table)
        notices_say(cli, replies);
    gw_exit_code code = gw_say_grid(cli, grid);
    for (size_t i = 0; is_table && code == GW_EXIT_DONE && i < replies->count; i++) {
        delta_say(cli, gw_json_root(replies->documents[i]));
        more_say(cli, gw_json_root(replies->documents[i]));
    }
    return code;
}

static gw_status all_ask(gw_cli *cli, gw_session *session, const gw_names *names, budget_replies *replies,
                         gw_problem *ret_problem) {
    gw_status status = GW_OK;
    for (const gw_json_node *node = gw_doc_first(gw_names_root(names), "datasets"); node != NULL && status == GW_OK;
         node = gw_json_next(node))
        status = one_ask(cli, session, gw_doc_text(node, "dataset", ""), replies, ret_problem);
    return status;
}

static gw_exit_code run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options;
    GW_CLEANUP(gw_session_close) gw_session session = {0};
    GW_CLEANUP(gw_names_freep) gw_names *names = NULL;
    GW_CLEANUP(budget_replies_done) budget_replies replies = {.count = 0};
    const gw_json_node *dataset = NULL;
    gw_problem problem;
    gw_status status = gw_session_open(cli, &session, &problem);
    if (status == GW_OK)
        status = gw_names_load(cli, &session, &names, &problem);
    if (status == GW_OK && words->count > 0)
        status = gw_names_dataset(names, words->items[0], &dataset, &problem);
    if (status == GW_OK && dataset != NULL)
        status = one_ask(cli, &session, gw_doc_text(dataset, "dataset", ""), &replies, &problem);
    else if (status == GW_OK)
        status = all_ask(cli, &session, names, &replies, &problem);
    if (status != GW_OK)
        return gw_fail(cli, &problem);
    return cli->output == GW_OUTPUT_JSON ? GW_EXIT_DONE : replies_say(cli, &replies);
}

const gw_command gw_command_budget = {
    .name = "budget",
    .group = "Researcher",
    .arguments = "[DATASET]",
    .summary = "what may still be spent, and how far that goes",
    .examples = "godwit budget register\ngodwit budget\n",
    .words_max = 1,
    .is_paged = true,
    .run = run,
};
