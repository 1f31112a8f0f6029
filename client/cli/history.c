// SPDX-License-Identifier: Apache-2.0
// What was asked: by me, or (owners and auditors) by everybody.
#include "client/cli/ask.h"
#include "client/cli/commands.h"
#include "client/cli/doc.h"
#include "client/cli/names.h"
#include "client/cli/say_grid.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/format/grid.h"
#include <string.h>

GW_DEFINE_FREEP(gw_json, gw_json_free)
GW_DEFINE_FREEP(gw_names, gw_names_free)
GW_DEFINE_FREEP(gw_grid, gw_grid_free)

typedef struct {
    bool all;
} history_options;
static const gw_option options_of_history[] = {
    {"all", 0, GW_OPTION_FLAG, offsetof(history_options, all), NULL, "everybody's questions (owners and auditors)"},
};
static const gw_grid_column columns_csv[] = {
    {"release", "", GW_ALIGN_LEFT, false},   {"time", "", GW_ALIGN_LEFT, false},
    {"cost", "", GW_ALIGN_LEFT, false},      {"state", "", GW_ALIGN_LEFT, false},
    {"dataset", "", GW_ALIGN_LEFT, false},   {"question", "", GW_ALIGN_LEFT, false},
    {"principal", "", GW_ALIGN_LEFT, false}, {"notice", "", GW_ALIGN_LEFT, false}};
#define COUNT_CSV (sizeof(columns_csv) / sizeof(columns_csv[0]))
// A release stands for its state, and a state for the release that is not there; who asked is said only where it is not
// always the reader.
static const gw_grid_column columns_table[] = {
    {"release", "RELEASE", GW_ALIGN_LEFT, false},  {"time", "ASKED (UTC)", GW_ALIGN_LEFT, false},
    {"cost", "COST", GW_ALIGN_RIGHT, false},       {"dataset", "DATASET", GW_ALIGN_LEFT, false},
    {"question", "QUESTION", GW_ALIGN_LEFT, true}, {"principal", "BY", GW_ALIGN_LEFT, false}};
#define COUNT_TABLE (sizeof(columns_table) / sizeof(columns_table[0]))

// What the policy in force says of a dataset; NULL where it says nothing.
static const char *notice_of(const gw_names *names, const char *dataset) {
    for (const gw_json_node *node = gw_doc_first(gw_names_root(names), "datasets"); node != NULL;
         node = gw_json_next(node))
        if (strcmp(gw_doc_text(node, "dataset", ""), dataset) == 0)
            return gw_doc_text(node, "notice", NULL);
    return NULL;
}

static void release_add(gw_grid *grid, const gw_json_node *release, const gw_names *names, bool is_table) {
    char time[GW_TIME_TEXT], by[GW_ID_HEX], cost[GW_AMOUNT_TEXT];
    gw_buffer question;
    gw_buffer_init(&question, 65536);
    gw_time_format(gw_doc_integer(release, "time", 0), time);
    gw_question_say(gw_doc_at(release, "question"), &question);
    gw_id_format(gw_doc_text(release, "principal", ""), is_table, by);
    gw_amount_text(gw_doc_text(release, "cost", ""), cost);
    const char *dataset = gw_doc_text(release, "dataset", ""), *state = gw_doc_text(release, "state", "");
    const char *text = gw_buffer_string(&question), *id = gw_doc_text(release, "release", NULL);
    if (is_table) // a release that is withdrawn has an id, and stands for nothing any more
        gw_grid_add(grid, (const char *[COUNT_TABLE]){id == NULL || strcmp(state, "withdrawn") == 0 ? state : id, time,
                                                      cost, gw_dataset_short(dataset), text, by});
    else
        gw_grid_add(grid, (const char *[COUNT_CSV]){id, time, gw_doc_text(release, "cost", ""), state, dataset, text,
                                                    by, notice_of(names, dataset)});
    gw_buffer_done(&question);
}

// Once for each dataset that was asked and has one.
static void notices_say(gw_cli *cli, const gw_json_node *first, const gw_names *names) {
    for (const gw_json_node *data = gw_doc_first(gw_names_root(names), "datasets"); data != NULL;
         data = gw_json_next(data)) {
        const char *dataset = gw_doc_text(data, "dataset", ""), *notice = gw_doc_text(data, "notice", NULL);
        const gw_json_node *node = first;
        while (node != NULL && strcmp(gw_doc_text(node, "dataset", ""), dataset) != 0)
            node = gw_json_next(node);
        if (node != NULL && notice != NULL)
            gw_say_field(cli, gw_dataset_short(dataset), "%s", notice);
    }
}

static gw_exit_code run(gw_cli *cli, const void *state, const gw_words *words) {
    (void)words;
    const history_options *options = state;
    GW_CLEANUP(gw_session_close) gw_session session = {0};
    GW_CLEANUP(gw_json_freep) gw_json *document = NULL;
    GW_CLEANUP(gw_names_freep) gw_names *names = NULL;
    bool is_table = cli->output == GW_OUTPUT_TABLE;
    GW_CLEANUP(gw_grid_freep)
    gw_grid *grid = is_table ? gw_grid_new(columns_table, options->all ? COUNT_TABLE : COUNT_TABLE - 1)
                             : gw_grid_new(columns_csv, COUNT_CSV);
    gw_client_reply reply;
    gw_problem problem;
    GW_ASSERT(grid != NULL);
    const char *body = options->all ? "{\"v\":1,\"kind\":\"history\",\"all\":true}" : "{\"v\":1,\"kind\":\"history\"}";
    if (gw_session_open(cli, &session, &problem) != GW_OK ||
        gw_ask_document(cli, &session, gw_bytes_of(body), &reply, &document, &problem) != GW_OK)
        return gw_fail(cli, &problem);
    if (cli->output == GW_OUTPUT_JSON) {
        gw_say_answer(cli, reply.answer);
        return GW_EXIT_DONE;
    }
    if (gw_names_load(cli, &session, &names, &problem) != GW_OK)
        return gw_fail(cli, &problem);
    const gw_json_node *first = gw_doc_first(gw_json_root(document), "releases");
    if (first == NULL)
        gw_note(cli, options->all ? "Nothing was asked yet.\n"
                                  : "You have asked nothing yet (owners and auditors: --all shows everybody).\n");
    for (const gw_json_node *node = first; node != NULL; node = gw_json_next(node))
        release_add(grid, node, names, is_table);
    if (is_table)
        notices_say(cli, first, names);
    return first == NULL && is_table ? GW_EXIT_DONE : gw_say_grid(cli, grid);
}

const gw_command gw_command_history = {
    .name = "history",
    .group = "Researcher",
    .arguments = "[--all]",
    .summary = "what was asked, when, and what it cost",
    .examples = "godwit history\ngodwit history --all --as auditor\n",
    GW_OPTIONS(options_of_history),
    .options_size = sizeof(history_options),
    .is_paged = true,
    .run = run,
};
