// SPDX-License-Identifier: Apache-2.0
// Datasets as a reader meets them: which there are; and of one its tables, what a row stands for, what of a person
// counts, and every measure that may be asked, with an example that runs.
#include "client/cli/catalogue_say.h"
#include "client/cli/commands.h"
#include "client/cli/doc.h"
#include "client/cli/say_grid.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <stdarg.h>
#include <string.h>

GW_DEFINE_FREEP(gw_names, gw_names_free)
GW_DEFINE_FREEP(gw_grid, gw_grid_free)

static const gw_grid_column list_columns[] = {
    {"dataset", "DATASET", GW_ALIGN_LEFT, true},    {"title", "TITLE", GW_ALIGN_LEFT, true},
    {"population", "PEOPLE", GW_ALIGN_LEFT, true},  {"policy", "POLICY", GW_ALIGN_RIGHT, false},
    {"data_version", "DATA", GW_ALIGN_LEFT, false}, {"data_time", "DATA OF", GW_ALIGN_LEFT, false},
    {"budget", "BUDGET", GW_ALIGN_RIGHT, false},    {"notice", "", GW_ALIGN_LEFT, true}};
#define LIST_COLUMNS_TABLE 7u // the notice is for programs, and for `dataset show`
#define LIST_COLUMNS_CSV 8u
static const gw_grid_column measure_columns[] = {{"measure", "MEASURE", GW_ALIGN_LEFT, false},
                                                 {"what", "WHAT IT IS", GW_ALIGN_LEFT, true},
                                                 {"options", "ASK WITH", GW_ALIGN_LEFT, true}};

static gw_status names_open(gw_cli *cli, gw_session *session, gw_names **ret, gw_problem *ret_problem) {
    gw_status status = gw_session_open(cli, session, ret_problem);
    return status == GW_OK ? gw_names_load(cli, session, ret, ret_problem) : status;
}

// ---- ls

static gw_exit_code ls_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options, (void)words;
    GW_CLEANUP(gw_session_close) gw_session session = {0};
    GW_CLEANUP(gw_names_freep) gw_names *names = NULL;
    gw_problem problem;
    if (names_open(cli, &session, &names, &problem) != GW_OK)
        return gw_fail(cli, &problem);
    bool is_table = cli->output == GW_OUTPUT_TABLE;
    GW_CLEANUP(gw_grid_freep)
    gw_grid *grid = gw_grid_new(list_columns, is_table ? LIST_COLUMNS_TABLE : LIST_COLUMNS_CSV);
    GW_ASSERT(grid != NULL);
    for (const gw_json_node *node = gw_doc_first(gw_names_root(names), "datasets"); node != NULL;
         node = gw_json_next(node)) {
        char policy[24], time[GW_TIME_TEXT], version[GW_ID_HEX];
        gw_ignore(snprintf(policy, sizeof(policy), "%lld", (long long)gw_doc_integer(node, "policy", 0))); // it fits
        gw_time_format(gw_doc_integer(node, "data_time", 0), time);
        time[is_table ? 10 : 16] = '\0';
        gw_id_format(gw_doc_text(node, "data_version", ""), is_table, version);
        gw_grid_add(grid, (const char *[]){gw_doc_text(node, "dataset", ""),
                                           is_table ? gw_dataset_title(node) : gw_doc_text(node, "title", ""),
                                           gw_doc_text(node, "population", ""), policy,
                                           version[0] == '\0' && is_table ? "none yet" : version, time,
                                           gw_doc_text(gw_doc_at(node, "budget"), "lifetime", ""),
                                           gw_doc_text(node, "notice", NULL)});
    }
    if (gw_grid_rows(grid) == 0)
        gw_note(cli, "No dataset is in force here yet: godwit policy activate FILE puts one there.\n");
    return gw_say_grid(cli, grid);
}

// ---- show

static bool has_statistic(const gw_json_node *dataset, const char *table, const char *statistic) {
    for (const gw_json_node *grant = gw_doc_first(dataset, "grants"); grant != NULL; grant = gw_json_next(grant)) {
        bool is_table = false, is_granted = false;
        for (const gw_json_node *node = gw_doc_first(grant, "tables"); node != NULL; node = gw_json_next(node))
            is_table |= gw_json_type_of(node) == GW_JSON_STRING && strcmp(gw_json_string(node), table) == 0;
        for (const gw_json_node *node = gw_doc_first(grant, "statistics"); node != NULL; node = gw_json_next(node))
            is_granted |= gw_json_type_of(node) == GW_JSON_STRING && strcmp(gw_json_string(node), statistic) == 0;
        if (is_table && is_granted)
            return true;
    }
    return false;
}

static const gw_json_node *concept_of(const gw_json_node *dataset, const char *id) {
    for (const gw_json_node *node = gw_doc_first(dataset, "concepts"); node != NULL; node = gw_json_next(node))
        if (strcmp(gw_doc_text(node, "concept", ""), id) == 0)
            return node;
    return NULL;
}

// A concept of the table for an example: the first that has codes; or a number, one with a unit before others. NULL
// where there is none.
static const gw_json_node *concept_first(const gw_json_node *dataset, const gw_json_node *table, bool has_codes) {
    const gw_json_node *found = NULL;
    for (const gw_json_node *node = gw_doc_first(table, "concepts"); node != NULL; node = gw_json_next(node)) {
        const gw_json_node *concept =
            gw_json_type_of(node) == GW_JSON_STRING ? concept_of(dataset, gw_json_string(node)) : NULL;
        const char *type = gw_doc_text(concept, "type", "");
        bool is_code = strcmp(type, "code") == 0;
        if (concept == NULL || is_code != has_codes || strcmp(type, "text") == 0)
            continue;
        if (has_codes || gw_doc_text(concept, "unit", NULL) != NULL)
            return concept;
        found = found == NULL ? concept : found;
    }
    return found;
}

// The table's first concept whose values no list names; NULL where it has none.
static const char *concept_of_texts(const gw_json_node *dataset, const gw_json_node *table) {
    for (const gw_json_node *node = gw_doc_first(table, "concepts"); node != NULL; node = gw_json_next(node)) {
        const char *id = gw_json_type_of(node) == GW_JSON_STRING ? gw_json_string(node) : "";
        if (strcmp(gw_doc_text(concept_of(dataset, id), "type", ""), "text") == 0)
            return id;
    }
    return NULL;
}

// The table's first concept of dates; NULL where it has none.
static const char *concept_of_dates(const gw_json_node *dataset, const gw_json_node *table) {
    for (const gw_json_node *node = gw_doc_first(table, "concepts"); node != NULL; node = gw_json_next(node)) {
        const char *id = gw_json_type_of(node) == GW_JSON_STRING ? gw_json_string(node) : "";
        if (gw_doc_text(concept_of(dataset, id), "period", NULL) != NULL)
            return id;
    }
    return NULL;
}

typedef struct {
    const gw_json_node *dataset, *table;
    const char *name; // the table's
    bool has_many;    // rows of a person
    bool is_first;    // asked without --table
    gw_grid *grid;
} measures;

static void measure_add(const measures *m, const char *statistic, const char *what, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void measure_add(const measures *m, const char *statistic, const char *what, const char *format, ...) {
    char options[512];
    va_list arguments;
    if (!has_statistic(m->dataset, m->name, statistic))
        return;
    va_start(arguments, format);
    int used = vsnprintf(options, sizeof(options), format, arguments);
    va_end(arguments);
    if (used < 0 || (unsigned)used >= sizeof(options))
        return;
    gw_buffer line;
    gw_buffer_init(&line, 1024);
    gw_buffer_text(&line, options);
    if (!m->is_first)
        gw_buffer_format(&line, " --table %s", m->name);
    gw_grid_add(m->grid, (const char *[]){statistic, what, gw_buffer_string(&line)});
    gw_buffer_done(&line);
}

static void table_measures_add(const measures *m) {
    const gw_json_node *axis = concept_first(m->dataset, m->table, true);
    const gw_json_node *number = concept_first(m->dataset, m->table, false);
    const char *by = gw_doc_text(axis, "concept", "none");
    const char *of = gw_doc_text(number, "concept", NULL);
    char rows[2 * GW_NAME_MAX], persons[2 * GW_NAME_MAX];
    gw_ignore(snprintf(rows, sizeof(rows), "%s", m->has_many ? m->name : "persons"));              // names are short
    gw_ignore(snprintf(persons, sizeof(persons), "persons with at least one row in %s", m->name)); // as above
    measure_add(m, "count", rows, "--measure count --by %s", by);
    if (m->has_many)
        measure_add(m, "count", persons, "--measure count --per person --by %s", by);
    measure_add(m, "share", "of all, in percent", "--measure share --by %s", by);
    if (of != NULL) {
        measure_add(m, "mean", m->has_many ? "over rows; --per person: of persons' totals" : "over persons",
                    "--measure mean:%s --by %s", of, by);
        measure_add(m, "sum", "over all rows", "--measure sum:%s --by %s", of, by);
        measure_add(m, "quantile", "and medians, with --measure median:", "--measure quantile:%s --at 0.1,0.5,0.9", of);
        measure_add(m, "poverty", "below 0.6 of everybody's median", "--measure poverty:%s --by %s", of, by);
        measure_add(m, "gini", "inequality", "--measure gini:%s", of);
        measure_add(m, "quintile_ratio", "richest fifth over poorest fifth", "--measure s80s20:%s", of);
    }
    const char *text = concept_of_texts(m->dataset, m->table);
    if (text != NULL)
        measure_add(m, "keys", "persons by each value that enough of them share", "--measure keys:%s", text);
    const char *period = concept_of_dates(m->dataset, m->table);
    if (period != NULL)
        measure_add(m, "series", "of each period, and up to it", "--measure series:%s", period);
    const gw_json_node *code = gw_doc_first(axis, "codes"), *other = code == NULL ? NULL : gw_json_next(code);
    if (other != NULL)
        measure_add(m, "net", "rows of one kind less rows of another", "--measure net --plus %s=%s --minus %s=%s", by,
                    gw_doc_text(code, "code", ""), by, gw_doc_text(other, "code", ""));
}

static gw_exit_code measures_say(gw_cli *cli, const gw_json_node *dataset) {
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(measure_columns, 3);
    GW_ASSERT(grid != NULL);
    measures m = {.dataset = dataset, .grid = grid, .is_first = true};
    for (const gw_json_node *table = gw_doc_first(dataset, "tables"); table != NULL; table = gw_json_next(table)) {
        m.table = table;
        m.name = gw_doc_text(table, "table", "");
        m.has_many = gw_doc_integer(table, "rows_per_person_max", 1) > 1;
        table_measures_add(&m);
        m.is_first = false;
    }
    if (gw_grid_rows(grid) == 0)
        return GW_EXIT_DONE;
    gw_say_text(cli, "\n");
    gw_say_lines(cli, "Measures that are granted; the price: godwit cost %s and these options",
                 gw_dataset_short(gw_doc_text(dataset, "dataset", "?")));
    return gw_say_grid(cli, grid);
}

static void head_say(gw_cli *cli, const gw_json_node *dataset) {
    char time[GW_TIME_TEXT];
    const char *version = gw_doc_text(dataset, "data_version", NULL);
    gw_time_format(gw_doc_integer(dataset, "data_time", 0), time);
    gw_say_field(cli, "Dataset", "%s%s%s", gw_doc_text(dataset, "dataset", "?"),
                 gw_dataset_title(dataset)[0] == '\0' ? "" : " · ", gw_dataset_title(dataset));
    if (gw_doc_text(dataset, "notice", NULL) != NULL)
        gw_say_field(cli, "Notice", "%s", gw_doc_text(dataset, "notice", ""));
    gw_say_field(cli, "People", "%s, protected one by one", gw_doc_text(dataset, "population", "?"));
    gw_say_field(cli, "Policy", "version %lld", (long long)gw_doc_integer(dataset, "policy", 0));
    if (version == NULL)
        gw_say_field(cli, "Data", "none loaded yet");
    else
        gw_say_field(cli, "Data", "version %.8s…, loaded %s UTC", version, time);
    gw_say_terms(cli, dataset);
}

static void grants_say(gw_cli *cli, const gw_json_node *dataset) {
    for (const gw_json_node *grant = gw_doc_first(dataset, "grants"); grant != NULL; grant = gw_json_next(grant)) {
        gw_buffer text;
        gw_buffer_init(&text, 4096);
        const char *join = " may ask for ";
        gw_buffer_text(&text, gw_doc_text(grant, "role", "?"));
        for (const gw_json_node *node = gw_doc_first(grant, "statistics"); node != NULL; node = gw_json_next(node)) {
            gw_buffer_format(&text, "%s%s", join, gw_json_type_of(node) == GW_JSON_STRING ? gw_json_string(node) : "?");
            join = ", ";
        }
        join = " of ";
        for (const gw_json_node *node = gw_doc_first(grant, "tables"); node != NULL; node = gw_json_next(node)) {
            gw_buffer_format(&text, "%s%s", join, gw_json_type_of(node) == GW_JSON_STRING ? gw_json_string(node) : "?");
            join = ", ";
        }
        gw_say_field(cli, "Who", "%s", gw_buffer_string(&text));
        gw_buffer_done(&text);
    }
}

static gw_exit_code show_say(gw_cli *cli, const gw_names *names, const gw_json_node *dataset) {
    const gw_find all = {0};
    size_t rows;
    head_say(cli, dataset);
    grants_say(cli, dataset);
    gw_say_text(cli, "\n");
    gw_exit_code code = gw_say_tables(cli, dataset);
    gw_say_text(cli, "\n");
    if (code == GW_EXIT_DONE)
        code = gw_say_concepts(cli, dataset, &all, &rows);
    gw_say_text(cli, "\n");
    if (code == GW_EXIT_DONE)
        code = gw_say_indicators(cli, names, dataset, &all, &rows);
    return code == GW_EXIT_DONE ? measures_say(cli, dataset) : code;
}

static gw_status describe_ask(gw_cli *cli, gw_session *session, const char *dataset, gw_client_reply *ret_reply,
                              gw_problem *ret_problem) {
    gw_buffer body;
    gw_buffer_init(&body, 4096);
    gw_buffer_text(&body, "{\"v\":1");
    gw_json_write_member(&body, "kind", "describe");
    gw_json_write_member(&body, "dataset", dataset);
    gw_buffer_text(&body, "}");
    gw_status status = gw_ask(cli, session, gw_buffer_bytes(&body), NULL, ret_reply, ret_problem);
    gw_buffer_done(&body);
    return status;
}

static gw_exit_code show_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options;
    GW_CLEANUP(gw_session_close) gw_session session = {0};
    GW_CLEANUP(gw_names_freep) gw_names *names = NULL;
    const gw_json_node *dataset = NULL;
    const gw_find all = {0};
    gw_client_reply reply;
    gw_problem problem;
    size_t rows;
    gw_status status = names_open(cli, &session, &names, &problem);
    if (status == GW_OK)
        status = gw_names_dataset(names, words->items[0], &dataset, &problem);
    if (status == GW_OK && cli->output == GW_OUTPUT_JSON)
        status = describe_ask(cli, &session, gw_doc_text(dataset, "dataset", ""), &reply, &problem);
    if (status != GW_OK)
        return gw_fail(cli, &problem);
    if (cli->output == GW_OUTPUT_TABLE)
        return show_say(cli, names, dataset);
    if (cli->output != GW_OUTPUT_JSON)
        return gw_say_concepts(cli, dataset, &all, &rows);
    gw_say_answer(cli, reply.answer);
    return GW_EXIT_DONE;
}

const gw_command gw_command_dataset_ls = {
    .name = "dataset ls",
    .group = "Data owner",
    .arguments = "",
    .summary = "the datasets of this service: policy, data version, budget",
    .examples = "godwit dataset ls\ngodwit dataset ls -o csv\n",
    .is_paged = true,
    .run = ls_run,
};
const gw_command gw_command_dataset_show = {
    .name = "dataset show",
    .group = "Data owner",
    .arguments = "DATASET",
    .summary = "one dataset whole: tables, what of a person counts, concepts and codes, what may be asked",
    .examples = "godwit dataset show register\ngodwit dataset show register -o json\n",
    .words_min = 1,
    .words_max = 1,
    .is_paged = true,
    .run = show_run,
};
