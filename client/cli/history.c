// SPDX-License-Identifier: Apache-2.0
// What was asked: by me, or (owners and auditors) by everybody.
#include "client/cli/ask.h"
#include "client/cli/commands.h"
#include "client/cli/doc.h"
#include "client/cli/say_grid.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/format/grid.h"
#include <string.h>

GW_DEFINE_FREEP(gw_json, gw_json_free)
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
    {"principal", "BY", GW_ALIGN_LEFT, true}};
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

static void release_add(gw_grid *grid, const gw_json_node *release, bool is_table) {
    char time[GW_TIME_TEXT], by[GW_ID_HEX];
    gw_buffer question;
    gw_buffer_init(&question, 65536);
    gw_time_format(gw_doc_integer(release, "time", 0), time);
    gw_question_say(gw_doc_at(release, "question"), &question);
    const char *dataset = gw_doc_text(release, "dataset", "");
    const char *slash = strrchr(dataset, '/');
    // Eight digits tell principals apart for a reader; programs get the whole id.
    gw_ignore(snprintf(by, sizeof(by), "%.*s", is_table ? 8 : GW_ID_HEX - 1,
                       gw_doc_text(release, "principal", ""))); // it fits
    const char *row[COLUMN_COUNT] = {gw_doc_text(release, "release", is_table ? "-" : NULL),
                                     time,
                                     gw_doc_text(release, "cost", ""),
                                     gw_doc_text(release, "state", ""),
                                     is_table && slash != NULL ? slash + 1 : dataset,
                                     gw_buffer_string(&question),
                                     by};
    gw_grid_add(grid, row);
    gw_buffer_done(&question);
}

static gw_exit_code run(gw_cli *cli, const void *state, const gw_words *words) {
    (void)words;
    const history_options *options = state;
    GW_CLEANUP(gw_session_close) gw_session session = {0};
    GW_CLEANUP(gw_json_freep) gw_json *document = NULL;
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, COLUMN_COUNT);
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
    const gw_json_node *first = gw_doc_first(gw_json_root(document), "releases");
    if (first == NULL)
        gw_note(cli, "Nothing was asked yet.\n");
    for (const gw_json_node *node = first; node != NULL; node = gw_json_next(node))
        release_add(grid, node, cli->output == GW_OUTPUT_TABLE);
    return first == NULL && cli->output == GW_OUTPUT_TABLE ? GW_EXIT_DONE : gw_say_grid(cli, grid);
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
