// SPDX-License-Identifier: Apache-2.0
// What can be asked here: datasets and indicators; of one dataset its concepts with all their codes. A word or a
// concept narrows it.
#include "client/cli/catalogue_say.h"
#include "client/cli/commands.h"
#include "client/cli/doc.h"
#include "client/cli/say_grid.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <string.h>

GW_DEFINE_FREEP(gw_names, gw_names_free)
GW_DEFINE_FREEP(gw_grid, gw_grid_free)

static const gw_option options_of_catalogue[] = {
    {"search", 's', GW_OPTION_TEXT, offsetof(gw_find, search), "WORD",
     "only what has this word in its name, definition or codes"},
    {"concept", 0, GW_OPTION_TEXT, offsetof(gw_find, concept), "C", "only what knows this concept"},
};
static const gw_grid_column dataset_columns[] = {{"dataset", "DATASET", GW_ALIGN_LEFT, true},
                                                 {"title", "TITLE", GW_ALIGN_LEFT, true},
                                                 {"policy", "POLICY", GW_ALIGN_RIGHT, false},
                                                 {"data_time", "DATA OF", GW_ALIGN_LEFT, false},
                                                 {"notice", "NOTICE", GW_ALIGN_LEFT, true}};

#define COLUMNS_TABLE 4u // people read notices below, whole
#define COLUMNS_CSV 5u

static void notices_say(gw_cli *cli, const gw_names *names, const gw_find *find) {
    for (const gw_json_node *node = gw_doc_first(gw_names_root(names), "datasets"); node != NULL;
         node = gw_json_next(node)) {
        const char *notice = gw_doc_text(node, "notice", NULL);
        if (notice != NULL && gw_find_dataset(find, names, node))
            gw_say_lines(cli, "%s: %s", gw_dataset_short(gw_doc_text(node, "dataset", "?")), notice);
    }
}

static gw_exit_code datasets_say(gw_cli *cli, const gw_names *names, const gw_find *find, size_t *ret_rows) {
    bool is_csv = cli->output == GW_OUTPUT_CSV;
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(dataset_columns, is_csv ? COLUMNS_CSV : COLUMNS_TABLE);
    GW_ASSERT(grid != NULL);
    size_t count = 0;
    for (const gw_json_node *node = gw_doc_first(gw_names_root(names), "datasets"); node != NULL;
         node = gw_json_next(node), count++) {
        if (!gw_find_dataset(find, names, node))
            continue;
        char policy[24], time[GW_TIME_TEXT];
        gw_ignore(snprintf(policy, sizeof(policy), "%lld", (long long)gw_doc_integer(node, "policy", 0))); // it fits
        gw_time_format(gw_doc_integer(node, "data_time", 0), time);
        time[10] = '\0'; // the day is enough
        const char *row[] = {gw_doc_text(node, "dataset", ""),
                             is_csv ? gw_doc_text(node, "title", "") : gw_dataset_title(node), policy, time,
                             gw_doc_text(node, "notice", NULL)};
        gw_grid_add(grid, row);
    }
    *ret_rows = gw_grid_rows(grid);
    if (count == 0)
        gw_note(cli, "No dataset is in force here yet.\n");
    gw_exit_code code = *ret_rows == 0 && count > 0 ? GW_EXIT_DONE : gw_say_grid(cli, grid);
    if (!is_csv && code == GW_EXIT_DONE)
        notices_say(cli, names, find);
    return code;
}

static void nothing_say(gw_cli *cli, const gw_find *find) {
    gw_note(cli, "Nothing here has \"%s\". godwit catalogue shows all there is.\n",
            find->search != NULL ? find->search : find->concept);
}

static gw_exit_code dataset_say(gw_cli *cli, const gw_names *names, const gw_json_node *dataset, const gw_find *find) {
    size_t concepts = 0, indicators = 0;
    if (cli->output == GW_OUTPUT_CSV) {
        gw_exit_code code = gw_say_concepts(cli, dataset, find, &concepts);
        if (concepts == 0)
            nothing_say(cli, find);
        return code;
    }
    char time[GW_TIME_TEXT];
    gw_time_format(gw_doc_integer(dataset, "data_time", 0), time);
    gw_say_field(cli, "Dataset", "%s%s%s", gw_doc_text(dataset, "dataset", "?"),
                 gw_dataset_title(dataset)[0] == '\0' ? "" : " · ", gw_dataset_title(dataset));
    if (gw_doc_text(dataset, "notice", NULL) != NULL)
        gw_say_field(cli, "Notice", "%s", gw_doc_text(dataset, "notice", ""));
    gw_say_field(cli, "People", "%s, protected one by one", gw_doc_text(dataset, "population", "?"));
    gw_say_field(cli, "Data of", "%s%s", time,
                 gw_doc_text(dataset, "data_version", NULL) == NULL ? " (none loaded yet)" : " UTC");
    gw_say_terms(cli, dataset);
    gw_say_text(cli, "\n");
    gw_exit_code code = gw_say_concepts(cli, dataset, find, &concepts);
    if (concepts > 0)
        gw_say_text(cli, "\n");
    if (code == GW_EXIT_DONE)
        code = gw_say_indicators(cli, names, dataset, find, &indicators);
    if (concepts + indicators == 0)
        nothing_say(cli, find);
    return code;
}

static gw_exit_code all_say(gw_cli *cli, const gw_names *names, const gw_find *find) {
    size_t datasets = 0, indicators = 0;
    gw_exit_code code = datasets_say(cli, names, find, &datasets);
    if (code != GW_EXIT_DONE || cli->output == GW_OUTPUT_CSV)
        return code;
    if (datasets > 0)
        gw_say_text(cli, "\n");
    code = gw_say_indicators(cli, names, NULL, find, &indicators);
    if (datasets + indicators == 0 && (find->search != NULL || find->concept != NULL)) {
        nothing_say(cli, find);
        return code;
    }
    gw_say_text(cli, "\n");
    gw_say_wrapped(cli, "godwit catalogue DATASET shows its concepts and codes, godwit dataset show DATASET all that "
                        "may be measured.");
    return code;
}

static gw_exit_code run(gw_cli *cli, const void *options, const gw_words *words) {
    const gw_find *find = options;
    GW_CLEANUP(gw_session_close) gw_session session = {0};
    GW_CLEANUP(gw_names_freep) gw_names *names = NULL;
    const gw_json_node *dataset = NULL;
    gw_problem problem;
    gw_status status = gw_session_open(cli, &session, &problem);
    if (status == GW_OK)
        status = gw_names_load(cli, &session, &names, &problem);
    if (status == GW_OK && words->count > 0)
        status = gw_names_dataset(names, words->items[0], &dataset, &problem);
    if (status == GW_OK)
        status = gw_find_check(find, names, dataset, &problem);
    if (status != GW_OK)
        return gw_fail(cli, &problem);
    if (cli->output == GW_OUTPUT_JSON) {
        gw_say_answer(cli, gw_names_text(names));
        return GW_EXIT_DONE;
    }
    return dataset != NULL ? dataset_say(cli, names, dataset, find) : all_say(cli, names, find);
}

const gw_command gw_command_catalogue = {
    .name = "catalogue",
    .group = "Researcher",
    .arguments = "[DATASET] [--search WORD] [--concept C]",
    .summary = "what can be asked here: datasets, indicators, concepts and codes",
    .examples = "godwit catalogue\ngodwit catalogue --search employ\ngodwit catalogue register --concept c_birth\n"
                "godwit catalogue register -o csv > codes.csv\n",
    GW_OPTIONS(options_of_catalogue),
    .options_size = sizeof(gw_find),
    .words_max = 1,
    .is_paged = true,
    .run = run,
};
