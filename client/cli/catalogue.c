// SPDX-License-Identifier: Apache-2.0
// What can be asked here: datasets and indicators; of one dataset its concepts with all their codes.
#include "client/cli/commands.h"
#include "client/cli/doc.h"
#include "client/cli/names.h"
#include "client/cli/say_grid.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/format/text.h"
#include <string.h>

GW_DEFINE_FREEP(gw_names, gw_names_free)
GW_DEFINE_FREEP(gw_grid, gw_grid_free)

static const gw_grid_column dataset_columns[] = {{"dataset", "DATASET", GW_ALIGN_LEFT, true},
                                                 {"title", "TITLE", GW_ALIGN_LEFT, true},
                                                 {"policy", "POLICY", GW_ALIGN_RIGHT, false},
                                                 {"data_time", "DATA OF", GW_ALIGN_LEFT, false},
                                                 {"notice", "NOTICE", GW_ALIGN_LEFT, true}};
static const gw_grid_column indicator_columns[] = {{"indicator", "INDICATOR", GW_ALIGN_LEFT, false},
                                                   {"statistic", "STATISTIC", GW_ALIGN_LEFT, false},
                                                   {"unit", "UNIT", GW_ALIGN_LEFT, false},
                                                   {"definition", "WHAT IT IS", GW_ALIGN_LEFT, true}};
static const gw_grid_column code_columns[] = {{"concept", "CONCEPT", GW_ALIGN_LEFT, false},
                                              {"label", "LABEL", GW_ALIGN_LEFT, true},
                                              {"code", "CODES", GW_ALIGN_LEFT, true}};
static const gw_grid_column code_columns_csv[] = {{"concept", "", GW_ALIGN_LEFT, false},
                                                  {"concept_label", "", GW_ALIGN_LEFT, false},
                                                  {"code", "", GW_ALIGN_LEFT, false},
                                                  {"code_label", "", GW_ALIGN_LEFT, false}};

static gw_exit_code datasets_say(gw_cli *cli, const gw_names *names) {
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(dataset_columns, 5);
    GW_ASSERT(grid != NULL);
    for (const gw_json_node *node = gw_doc_first(gw_names_root(names), "datasets"); node != NULL;
         node = gw_json_next(node)) {
        char policy[24], time[GW_TIME_TEXT];
        gw_ignore(snprintf(policy, sizeof(policy), "%lld", (long long)gw_doc_integer(node, "policy", 0))); // it fits
        gw_time_format(gw_doc_integer(node, "data_time", 0), time);
        time[10] = '\0'; // the day is enough
        const char *row[] = {gw_doc_text(node, "dataset", ""), gw_doc_text(node, "title", ""), policy, time,
                             gw_doc_text(node, "notice", NULL)};
        gw_grid_add(grid, row);
    }
    if (gw_grid_rows(grid) == 0)
        gw_note(cli, "No dataset is in force here yet.\n");
    return gw_say_grid(cli, grid);
}

static void indicator_add(gw_grid *grid, const gw_json_node *node) {
    const char *unit = gw_doc_text(node, "unit", "");
    const char *row[] = {gw_doc_text(node, "indicator", ""), gw_doc_text(node, "statistic", ""),
                         strcmp(unit, "PC") == 0 ? "%" : unit,
                         gw_doc_text(node, "definition", gw_doc_text(node, "label", ""))};
    gw_grid_add(grid, row);
}

static gw_exit_code indicators_say(gw_cli *cli, const gw_names *names, const gw_json_node *dataset) {
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(indicator_columns, 4);
    GW_ASSERT(grid != NULL);
    if (dataset == NULL)
        for (const gw_json_node *node = gw_doc_first(gw_names_root(names), "indicators"); node != NULL;
             node = gw_json_next(node))
            indicator_add(grid, node);
    else
        for (const gw_json_node *id = gw_doc_first(dataset, "indicators"); id != NULL; id = gw_json_next(id)) {
            const gw_json_node *node =
                gw_json_type_of(id) == GW_JSON_STRING ? gw_names_indicator(names, gw_json_string(id)) : NULL;
            if (node != NULL)
                indicator_add(grid, node);
        }
    return gw_say_grid(cli, grid);
}

// "F Female, M Male": the codes a question uses, each with what it means.
static void codes_list(const gw_json_node *concept, gw_buffer *text) {
    for (const gw_json_node *code = gw_doc_first(concept, "codes"); code != NULL; code = gw_json_next(code))
        gw_buffer_format(text, "%s%s %s", text->size == 0 ? "" : ", ", gw_doc_text(code, "code", ""),
                         gw_doc_text(code, "label", ""));
    const char *min = gw_doc_text(concept, "min", NULL), *max = gw_doc_text(concept, "max", NULL);
    const char *unit = gw_doc_text(concept, "unit", NULL);
    if (min != NULL && max != NULL)
        gw_buffer_format(text, "%s to %s%s%s", min, max, unit == NULL ? "" : " ", unit == NULL ? "" : unit);
    for (const gw_json_node *band = gw_doc_first(concept, "bandings"); band != NULL; band = gw_json_next(band)) {
        gw_buffer_format(text, "; --by %s:", gw_doc_text(band, "banding", ""));
        for (const gw_json_node *code = gw_doc_first(band, "codes"); code != NULL; code = gw_json_next(code))
            if (gw_json_type_of(code) == GW_JSON_STRING)
                gw_buffer_format(text, " %s", gw_json_string(code));
    }
}

static gw_exit_code concepts_say(gw_cli *cli, const gw_json_node *dataset) {
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(code_columns, 3);
    GW_ASSERT(grid != NULL);
    for (const gw_json_node *concept = gw_doc_first(dataset, "concepts"); concept != NULL;
         concept = gw_json_next(concept)) {
        gw_buffer codes;
        gw_buffer_init(&codes, 65536);
        codes_list(concept, &codes);
        const char *row[] = {gw_doc_text(concept, "concept", ""), gw_doc_text(concept, "label", ""),
                             gw_buffer_string(&codes)};
        gw_grid_add(grid, row);
        gw_buffer_done(&codes);
    }
    return gw_say_grid(cli, grid);
}

static gw_exit_code concepts_csv(gw_cli *cli, const gw_json_node *dataset) {
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(code_columns_csv, 4);
    GW_ASSERT(grid != NULL);
    for (const gw_json_node *concept = gw_doc_first(dataset, "concepts"); concept != NULL;
         concept = gw_json_next(concept)) {
        const char *id = gw_doc_text(concept, "concept", ""), *label = gw_doc_text(concept, "label", "");
        for (const gw_json_node *code = gw_doc_first(concept, "codes"); code != NULL; code = gw_json_next(code))
            gw_grid_add(grid,
                        (const char *[]){id, label, gw_doc_text(code, "code", ""), gw_doc_text(code, "label", "")});
        for (const gw_json_node *band = gw_doc_first(concept, "bandings"); band != NULL; band = gw_json_next(band))
            for (const gw_json_node *code = gw_doc_first(band, "codes"); code != NULL; code = gw_json_next(code))
                if (gw_json_type_of(code) == GW_JSON_STRING)
                    gw_grid_add(grid,
                                (const char *[]){gw_doc_text(band, "banding", ""), label, gw_json_string(code), NULL});
    }
    return gw_say_grid(cli, grid);
}

static void budget_say(gw_cli *cli, const gw_json_node *budget) {
    const char *window = gw_doc_text(budget, "window", NULL), *own = gw_doc_text(budget, "per_principal", NULL);
    gw_buffer text;
    gw_buffer_init(&text, 1024);
    gw_buffer_format(&text, "%s in all", gw_doc_text(budget, "lifetime", "?"));
    if (own != NULL)
        gw_buffer_format(&text, " · %s for each asker", own);
    if (window != NULL)
        gw_buffer_format(&text, " · %s in %lld days", window, (long long)gw_doc_integer(budget, "window_days", 0));
    gw_buffer_format(&text, " · a question from %s to %s", gw_doc_text(budget, "question_min", "?"),
                     gw_doc_text(budget, "question_max", "?"));
    gw_say_field(cli, "Budget", "%s", gw_buffer_string(&text));
    gw_buffer_done(&text);
}

static gw_exit_code dataset_say(gw_cli *cli, const gw_names *names, const gw_json_node *dataset) {
    if (cli->output == GW_OUTPUT_CSV)
        return concepts_csv(cli, dataset);
    char time[GW_TIME_TEXT];
    gw_time_format(gw_doc_integer(dataset, "data_time", 0), time);
    gw_say_field(cli, "Dataset", "%s · %s", gw_doc_text(dataset, "dataset", "?"), gw_doc_text(dataset, "title", ""));
    if (gw_doc_text(dataset, "notice", NULL) != NULL)
        gw_say_field(cli, "Notice", "%s", gw_doc_text(dataset, "notice", ""));
    gw_say_field(cli, "People", "%s, protected one by one", gw_doc_text(dataset, "population", "?"));
    gw_say_field(cli, "Data of", "%s%s", time,
                 gw_doc_text(dataset, "data_version", NULL) == NULL ? " (none loaded yet)" : " UTC");
    budget_say(cli, gw_doc_at(dataset, "budget"));
    gw_say_text(cli, "\n");
    gw_exit_code code = concepts_say(cli, dataset);
    gw_say_text(cli, "\n");
    return code == GW_EXIT_DONE ? indicators_say(cli, names, dataset) : code;
}

static gw_exit_code run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options;
    GW_CLEANUP(gw_session_close) gw_session session = {0};
    GW_CLEANUP(gw_names_freep) gw_names *names = NULL;
    const gw_json_node *dataset = NULL;
    gw_problem problem;
    gw_status status = gw_session_open(cli, &session, &problem);
    if (status == GW_OK)
        status = gw_names_load(cli, &session, &names, &problem);
    if (status == GW_OK && words->count > 0)
        status = gw_names_dataset(names, words->items[0], &dataset, &problem);
    if (status != GW_OK)
        return gw_fail(cli, &problem);
    if (cli->output == GW_OUTPUT_JSON) {
        gw_say_answer(cli, gw_names_text(names));
        return GW_EXIT_DONE;
    }
    if (dataset != NULL)
        return dataset_say(cli, names, dataset);
    gw_exit_code code = datasets_say(cli, names);
    if (code != GW_EXIT_DONE || cli->output == GW_OUTPUT_CSV)
        return code;
    gw_say_text(cli, "\n");
    code = indicators_say(cli, names, NULL);
    gw_say_text(cli, "\ngodwit catalogue DATASET shows its concepts and codes.\n");
    return code;
}

const gw_command gw_command_catalogue = {
    .name = "catalogue",
    .group = "Researcher",
    .arguments = "[DATASET]",
    .summary = "what can be asked here: datasets, indicators, concepts and codes",
    .examples = "godwit catalogue\ngodwit catalogue register\ngodwit catalogue register -o csv > codes.csv\n",
    .words_max = 1,
    .is_paged = true,
    .run = run,
};
