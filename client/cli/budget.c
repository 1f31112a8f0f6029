// SPDX-License-Identifier: Apache-2.0
// What may still be spent, budget by budget, and how far that goes.
#include "client/cli/commands.h"
#include "client/cli/doc.h"
#include "client/cli/names.h"
#include "client/cli/say_grid.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <string.h>

#define BAR_WIDTH 20u
#define BAR_LINE_WIDTH 56u // a narrower terminal has no room for bars
#define BALANCE_COLUMN 14u
#define LINE_BYTES_MAX 4096u

GW_DEFINE_FREEP(gw_json, gw_json_free)
GW_DEFINE_FREEP(gw_names, gw_names_free)
GW_DEFINE_FREEP(gw_grid, gw_grid_free)

static const gw_grid_column columns[] = {{"dataset", "DATASET", GW_ALIGN_LEFT, true},
                                         {"budget", "BUDGET", GW_ALIGN_LEFT, false},
                                         {"total", "TOTAL", GW_ALIGN_RIGHT, false},
                                         {"spent", "SPENT", GW_ALIGN_RIGHT, false},
                                         {"remaining", "LEFT", GW_ALIGN_RIGHT, false},
                                         {"renews", "RENEWS", GW_ALIGN_LEFT, false},
                                         {"id", "OF", GW_ALIGN_LEFT, true},
                                         {"notice", "NOTICE", GW_ALIGN_LEFT, true}};
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

// Rounded down: a bar that shows something means that something is left.
static void bar_format(gw_epsilon remaining, gw_epsilon total, char text[3 * BAR_WIDTH + 1]) {
    unsigned full = total.micro == 0 ? 0 : (unsigned)((double)remaining.micro / (double)total.micro * BAR_WIDTH);
    text[0] = '\0';
    for (unsigned i = 0; i < BAR_WIDTH; i++)
        strcat(text, i < full ? "█" : "░");
}

static void balances_say(gw_cli *cli, const gw_json_node *budget) {
    gw_say(cli, "%s\n", gw_doc_text(budget, "dataset", "?"));
    const char *notice = gw_doc_text(budget, "notice", NULL);
    if (notice != NULL)
        gw_say_wrapped(cli, notice);
    for (const gw_json_node *node = gw_doc_first(budget, "balances"); node != NULL; node = gw_json_next(node)) {
        char bar[3 * BAR_WIDTH + 1], total[GW_AMOUNT_TEXT], spent[GW_AMOUNT_TEXT], left[GW_AMOUNT_TEXT],
            renews[GW_TIME_TEXT];
        const char *kind = gw_doc_text(node, "budget", "?");
        int64_t renewal = gw_doc_integer(node, "renews", 0);
        bar_format(gw_doc_epsilon(node, "remaining"), gw_doc_epsilon(node, "total"), bar);
        gw_amount_text(gw_doc_text(node, "total", "?"), total);
        gw_amount_text(gw_doc_text(node, "spent", "?"), spent);
        gw_amount_text(gw_doc_text(node, "remaining", "?"), left);
        gw_time_format(renewal, renews);
        renews[10] = '\0'; // the day is enough
        bool has_bar = cli->width >= BAR_LINE_WIDTH;
        gw_buffer rest, line;
        gw_buffer_init(&rest, LINE_BYTES_MAX);
        gw_buffer_init(&line, LINE_BYTES_MAX);
        gw_buffer_format(&rest, "%s%s%s left of %s%s%s", has_bar ? bar : "", has_bar ? "  " : "", left, total,
                         renewal == 0 ? "" : ", renews ", renewal == 0 ? "" : renews);
        gw_buffer_format(&line, "  %-11s ", strcmp(kind, "principal") == 0 ? "yours" : kind);
        gw_text_wrap(&line, gw_buffer_string(&rest), cli->width, BALANCE_COLUMN, BALANCE_COLUMN);
        gw_say_text(cli, gw_buffer_string(&line));
        gw_buffer_done(&rest);
        gw_buffer_done(&line);
    }
}

static void balances_add(gw_grid *grid, const gw_json_node *budget) {
    for (const gw_json_node *node = gw_doc_first(budget, "balances"); node != NULL; node = gw_json_next(node)) {
        char renews[GW_TIME_TEXT];
        int64_t renewal = gw_doc_integer(node, "renews", 0);
        gw_time_format(renewal, renews);
        const char *row[COLUMN_COUNT] = {gw_doc_text(budget, "dataset", ""), gw_doc_text(node, "budget", ""),
                                         gw_doc_text(node, "total", ""),     gw_doc_text(node, "spent", ""),
                                         gw_doc_text(node, "remaining", ""), renewal == 0 ? NULL : renews,
                                         gw_doc_text(node, "id", ""),        gw_doc_text(budget, "notice", NULL)};
        gw_grid_add(grid, row);
    }
}

static gw_epsilon remaining_least(const gw_json_node *budget) {
    gw_epsilon least = {UINT64_MAX};
    for (const gw_json_node *node = gw_doc_first(budget, "balances"); node != NULL; node = gw_json_next(node)) {
        gw_epsilon remaining = gw_doc_epsilon(node, "remaining");
        least = remaining.micro < least.micro ? remaining : least;
    }
    return least;
}

// What the asker paid last on this dataset; 0 where nothing was asked yet.
static gw_epsilon cost_last(const gw_json_node *history, const char *dataset) {
    gw_epsilon cost = {0};
    int64_t latest = INT64_MIN;
    for (const gw_json_node *node = gw_doc_first(history, "releases"); node != NULL; node = gw_json_next(node)) {
        int64_t time = gw_doc_integer(node, "time", 0);
        if (strcmp(gw_doc_text(node, "dataset", ""), dataset) != 0 || time < latest)
            continue;
        latest = time;
        cost = gw_doc_epsilon(node, "cost");
    }
    return cost;
}

static void questions_say(gw_cli *cli, gw_session *session, const gw_json_node *budget) {
    GW_CLEANUP(gw_json_freep) gw_json *history = NULL;
    gw_client_reply reply;
    gw_problem problem;
    if (gw_ask_document(cli, session, gw_bytes_of("{\"v\":1,\"kind\":\"history\"}"), &reply, &history, &problem) !=
        GW_OK)
        return; // a visitor has no history, and the balances are said
    gw_epsilon cost = cost_last(gw_json_root(history), gw_doc_text(budget, "dataset", ""));
    gw_epsilon least = remaining_least(budget);
    if (cost.micro == 0 || least.micro == UINT64_MAX)
        return;
    char price[GW_AMOUNT_TEXT];
    gw_amount_format(cost, price);
    if (least.micro < cost.micro) {
        gw_say_lines(cli, "  not enough for another question like your last one (%s)", price);
        return;
    }
    gw_say_lines(cli, "  about %llu more questions like your last one (%s each)",
                 (unsigned long long)(least.micro / cost.micro), price);
}

static gw_status one_say(gw_cli *cli, gw_session *session, const char *dataset, gw_grid *grid,
                         gw_problem *ret_problem) {
    GW_CLEANUP(gw_json_freep) gw_json *document = NULL;
    gw_client_reply reply;
    gw_buffer body;
    gw_buffer_init(&body, 4096);
    gw_buffer_text(&body, "{\"v\":1");
    gw_json_write_member(&body, "kind", "budget");
    gw_json_write_member(&body, "dataset", dataset);
    gw_buffer_text(&body, "}");
    gw_status status = gw_ask_document(cli, session, gw_buffer_bytes(&body), &reply, &document, ret_problem);
    gw_buffer_done(&body);
    if (status != GW_OK)
        return status;
    if (cli->output == GW_OUTPUT_JSON) {
        gw_say_answer(cli, reply.answer);
    } else if (cli->output == GW_OUTPUT_CSV) {
        balances_add(grid, gw_json_root(document));
    } else {
        balances_say(cli, gw_json_root(document));
        questions_say(cli, session, gw_json_root(document));
    }
    return GW_OK;
}

static gw_exit_code run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options;
    GW_CLEANUP(gw_session_close) gw_session session = {0};
    GW_CLEANUP(gw_names_freep) gw_names *names = NULL;
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, COLUMN_COUNT);
    const gw_json_node *dataset = NULL;
    gw_problem problem;
    GW_ASSERT(grid != NULL);
    gw_status status = gw_session_open(cli, &session, &problem);
    if (status == GW_OK)
        status = gw_names_load(cli, &session, &names, &problem);
    if (status == GW_OK && words->count > 0)
        status = gw_names_dataset(names, words->items[0], &dataset, &problem);
    if (status == GW_OK && dataset != NULL)
        status = one_say(cli, &session, gw_doc_text(dataset, "dataset", ""), grid, &problem);
    if (dataset == NULL && status == GW_OK)
        for (const gw_json_node *node = gw_doc_first(gw_names_root(names), "datasets"); node != NULL && status == GW_OK;
             node = gw_json_next(node))
            status = one_say(cli, &session, gw_doc_text(node, "dataset", ""), grid, &problem);
    if (status != GW_OK)
        return gw_fail(cli, &problem);
    return cli->output == GW_OUTPUT_CSV ? gw_say_grid(cli, grid) : GW_EXIT_DONE;
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
