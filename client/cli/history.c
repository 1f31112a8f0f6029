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
static const gw_grid_column columns[] = {
    {"release", "RELEASE", GW_ALIGN_LEFT, false}, {"time", "ASKED (UTC)", GW_ALIGN_LEFT, false},
    {"cost", "COST", GW_ALIGN_RIGHT, false},      {"state", "STATE", GW_ALIGN_LEFT, false},
    {"dataset", "DATASET", GW_ALIGN_LEFT, true},  {"question", "QUESTION", GW_ALIGN_LEFT, true},
    {"principal", "BY", GW_ALIGN_LEFT, false},    {"notice", "NOTICE", GW_ALIGN_LEFT, true}};
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

// People read a notice once, above, and who asked only where it is not always themselves.
static size_t column_count(bool is_table, bool is_all) {
    return !is_table ? COLUMN_COUNT : is_all ? COLUMN_COUNT - 1 : COLUMN_COUNT - 2;
}

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
    const char *dataset = gw_doc_text(release, "dataset", "");
    const char *row[COLUMN_COUNT] = {gw_doc_text(release, "release", is_table ? "-" : NULL),
                                     time,
                                     is_table ? cost : gw_doc_text(release, "cost", ""),
                                     gw_doc_text(release, "state", ""),
                                     is_table ? gw_dataset_short(dataset) : dataset,
                                     gw_buffer_string(&question),
                                     by,
                                     notice_of(names, dataset)};
    gw_grid_add(grid, row);
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
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, column_count(is_table, options->all));
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
    .run = run,
};
