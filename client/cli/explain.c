// SPDX-License-Identifier: Apache-2.0
// A question in plain words before it is put: what is measured, of whom, what of a person counts, how the figure is
// protected and how far, what it costs, and what is not protected. From policy and catalogue alone; nothing is spent.
#include "client/cli/asked.h"
#include "client/cli/commands.h"
#include "client/cli/doc.h"
#include "client/cli/names.h"
#include "client/cli/say_grid.h"
#include "client/cli/price.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/format/figures.h"
#include <math.h>
#include <stdarg.h>
#include <string.h>

#define QUESTION_BYTES_MAX 1048576u
#define PARTS_MAX 24u

GW_DEFINE_FREEP(gw_json, gw_json_free)
GW_DEFINE_FREEP(gw_arena, gw_arena_free)
GW_DEFINE_FREEP(gw_grid, gw_grid_free)

typedef struct {
    gw_question_options question;
} explain_options;
static const gw_option options_of_explain[] = {GW_QUESTION_OPTIONS(explain_options, question)};

typedef struct {
    gw_cli *cli;
    gw_names *names;
    const gw_json_node *dataset, *indicator; // indicator: NULL for a measure
    gw_question question;
    const gw_json_node *cost, *protection;
    const char *labels[PARTS_MAX];
    gw_buffer parts[PARTS_MAX];
    size_t count;
} explanation;

static void explanation_done(explanation *e) {
    for (size_t i = 0; i < e->count; i++)
        gw_buffer_done(&e->parts[i]);
    gw_names_free(e->names);
}

// A new part under `label`.
static gw_buffer *part(explanation *e, const char *label) {
    GW_ASSERT(e->count < PARTS_MAX);
    e->labels[e->count] = label;
    gw_buffer_init(&e->parts[e->count], QUESTION_BYTES_MAX);
    return &e->parts[e->count++];
}

static const char *label_of(const explanation *e, const char *concept) {
    gw_names_labels state;
    gw_labels labels = gw_names_labels_of(&state, e->dataset);
    const char *label = labels.concept(labels.state, concept);
    return label == NULL ? concept : label;
}

static const char *text_at(const explanation *e, const char *name, const char *otherwise) {
    return gw_doc_text(e->protection, name, otherwise);
}

static bool counts_rows(const explanation *e) {
    return gw_doc_integer(e->protection, "rows_per_person_max", 1) > 1 &&
           strcmp(text_at(e, "per", "row"), "person") != 0;
}

// ---- what is measured

// What is said of a gap goes behind what it is a gap of.
static void gap_say(explanation *e) {
    const gw_question_gap *gap = e->question.gap;
    if (gap == NULL)
        return;
    gw_names_labels state;
    gw_labels labels = gw_names_labels_of(&state, e->dataset);
    gw_buffer *text = part(e, "Gap");
    gw_buffer_format(text, "%s: how far the figure of %s", label_of(e, gap->concept),
                     gw_label_of_code(&labels, gap->concept, gap->group));
    gw_buffer_format(text, " is above that of %s (below: negative). Both groups are measured at once, at one price.",
                     gw_label_of_code(&labels, gap->concept, gap->reference));
}

static void definition_say(explanation *e) {
    const gw_question *q = &e->question;
    gw_buffer *text = part(e, "Definition");
    const char *things = counts_rows(e) ? text_at(e, "table", "rows") : "persons";
    if (e->indicator != NULL) {
        gw_buffer_text(text, gw_doc_text(e->indicator, "definition", gw_doc_text(e->indicator, "label", "?")));
        return;
    }
    switch (q->statistic) {
    case GW_STATISTIC_COUNT:
        gw_buffer_format(text, "The number of %s in each group.", things);
        return;
    case GW_STATISTIC_SHARE:
        gw_buffer_format(text, "Each group's part of all %s in the table, in percent.", things);
        return;
    case GW_STATISTIC_MEAN:
        gw_buffer_format(text, "The mean of %s over %s%s.", label_of(e, q->of), counts_rows(e) ? "rows of " : "persons",
                         counts_rows(e) ? things : "");
        if (q->is_per_person)
            gw_buffer_text(text, " A person's rows are added up first.");
        return;
    case GW_STATISTIC_SUM:
        gw_buffer_format(text, "The sum of %s in each group.", label_of(e, q->of));
        return;
    case GW_STATISTIC_NET:
        gw_buffer_text(text, "Rows that --plus names, less rows that --minus names; it may be negative.");
        return;
    case GW_STATISTIC_RATE:
    case GW_STATISTIC_GAP: // said by what it is a gap of
        return;
    case GW_STATISTIC_VARIANCE:
    case GW_STATISTIC_SD:
        gw_buffer_format(text, "How much %s differs between %s: its %s.", label_of(e, q->of), things,
                         q->statistic == GW_STATISTIC_SD ? "standard deviation" : "variance");
        gw_buffer_text(text, " Squared distances from the mean are divided by the number, not by one less: it is of "
                             "those in the data, not an estimate for others.");
        return;
    case GW_STATISTIC_RATIO:
        gw_buffer_format(text, "The sum of %s over the sum of ", label_of(e, q->of));
        gw_buffer_format(text, "%s in each group.", label_of(e, q->over));
        return;
    case GW_STATISTIC_HISTOGRAM:
        gw_buffer_format(text, "How many %s lie in each bin of %s.", things, label_of(e, q->of));
        return;
    case GW_STATISTIC_QUANTILE:
        gw_buffer_format(text, "The values of %s that the stated parts of %s do not pass.", label_of(e, q->of), things);
        return;
    case GW_STATISTIC_POVERTY:
        gw_buffer_format(text, "The part of %s whose %s is below a fraction of everybody's median.", things,
                         label_of(e, q->of));
        return;
    case GW_STATISTIC_GINI:
        gw_buffer_format(text, "How unequal %s is: 0 where all have the same, 100 where one has all.",
                         label_of(e, q->of));
        return;
    case GW_STATISTIC_QUINTILE_RATIO:
        gw_buffer_format(text, "What the fifth with the most %s has over what the fifth with the least has.",
                         label_of(e, q->of));
        return;
    case GW_STATISTIC_SERIES:
        gw_buffer_format(text, "How many %s fall into each period, and up to its end.", things);
        return;
    case GW_STATISTIC_KEYS:
        gw_buffer_format(text, "How many %s have each value of %s that enough of them share.", things,
                         label_of(e, q->of));
        return;
    }
}

static void people_say(explanation *e) {
    gw_buffer *text = part(e, "Of whom");
    long long max = (long long)gw_doc_integer(e->protection, "rows_per_person_max", 1);
    gw_buffer_format(text, "The people behind %s. ", gw_doc_text(e->dataset, "population", "?"));
    if (max <= 1)
        gw_buffer_format(text, "A row of %s is a person.", text_at(e, "table", "the table"));
    else
        gw_buffer_format(text, "A row of %s is an event or a spell; a person may have up to %lld. %s.",
                         text_at(e, "table", "the table"), max,
                         counts_rows(e) ? "Rows are counted" : "Persons are counted, each once in a group");
    if (gw_doc_bool(e->protection, "weighted"))
        gw_buffer_text(text, " Each row counts with its weight (--unweighted: without).");
}

static void codes_say(const gw_json_node *concept, gw_buffer *text) {
    const char *comma = " (";
    for (const gw_json_node *code = gw_doc_first(concept, "codes"); code != NULL; code = gw_json_next(code)) {
        gw_buffer_format(text, "%s%s", comma, gw_doc_text(code, "label", gw_doc_text(code, "code", "?")));
        comma = ", ";
    }
    if (comma[0] == ',')
        gw_buffer_text(text, ")");
}

static const gw_json_node *concept_find(const explanation *e, const char *id) {
    size_t size = strcspn(id, ":");
    for (const gw_json_node *node = gw_doc_first(e->dataset, "concepts"); node != NULL; node = gw_json_next(node)) {
        const char *concept = gw_doc_text(node, "concept", "");
        if (strlen(concept) == size && memcmp(concept, id, size) == 0)
            return node;
    }
    return NULL;
}

static bool is_of_keys(const explanation *e) {
    return strcmp(gw_doc_text(e->cost, "statistic", ""), "keys") == 0;
}

static void axis_say(const explanation *e, const char *concept, gw_buffer *text) {
    gw_buffer_format(text, "%s%s", text->size == 0 ? "" : " x ", label_of(e, concept));
    if (strchr(concept, ':') == NULL)
        codes_say(concept_find(e, concept), text);
}

// People are counted in bins of values; a tree's levels are measured each.
static void bins_say(explanation *e) {
    long long bins = (long long)gw_doc_integer(e->protection, "bins", 0);
    long long levels = (long long)gw_doc_integer(e->protection, "levels", 0);
    const char *width = text_at(e, "bin_width", NULL);
    if (bins == 0)
        return;
    gw_buffer *text = part(e, "Bins");
    if (width == NULL)
        gw_buffer_format(text, "%lld periods, each of them counted.", bins);
    else
        gw_buffer_format(text, "People are counted in %lld bins of values, each %s wide.", bins, width);
    if (levels > 1)
        gw_buffer_format(text,
                         " The bins and sums of them are measured, on %lld levels of a tree, so that long spans carry "
                         "little noise; the figures follow from these alone, and the answer holds them.",
                         levels);
}

static void tables_say(const explanation *e, gw_buffer *text) {
    const gw_question *q = &e->question;
    for (size_t t = 0; t < q->table_count; t++) {
        gw_buffer_text(text, t == 0 ? "" : "; ");
        for (size_t i = 0; i < q->tables[t].by_count; i++)
            gw_buffer_format(text, "%s%s", i == 0 ? "" : " x ", label_of(e, q->tables[t].by[i]));
        if (q->tables[t].by_count == 0)
            gw_buffer_text(text, "the total");
    }
    gw_buffer_format(text,
                     ": %zu tables, %lld groups, fixed before the data are read. One price is split over the tables "
                     "so that all come out as exact as it allows, and what each says of the others is used: their "
                     "estimates agree. Beside them stand whole numbers, none below zero, that add up to the digit.",
                     q->table_count, (long long)gw_doc_integer(e->cost, "cells", 1));
}

static void groups_say(explanation *e) {
    const gw_question *q = &e->question;
    gw_buffer *text = part(e, "Groups");
    if (q->table_count > 0) {
        tables_say(e, text);
        return;
    }
    for (size_t i = 0; q->has_by && i < q->by_count; i++)
        axis_say(e, q->by[i], text);
    if (!q->has_by)
        for (const gw_json_node *by = gw_doc_first(e->indicator, "by_default"); by != NULL; by = gw_json_next(by))
            if (gw_json_type_of(by) == GW_JSON_STRING)
                axis_say(e, gw_json_string(by), text);
    long long cells = (long long)gw_doc_integer(e->cost, "cells", 1);
    if (is_of_keys(e))
        gw_buffer_format(text, "The values themselves, of which there are at most %lld; not all of them will be shown.",
                         cells);
    else if (cells > 1)
        gw_buffer_format(text,
                         "%s%lld groups, fixed before the data are read: an empty one is answered like any other.",
                         text->size == 0 ? "" : ": ", cells);
    else
        gw_buffer_text(text, "One figure for all together.");
}

// ---- how it is protected

static void bounds_say(explanation *e) {
    const char *bounds = text_at(e, "bounds", "none"), *note = text_at(e, "note", NULL);
    long long units = (long long)gw_doc_integer(e->protection, "units", 1);
    char steps[GW_AMOUNT_TEXT];
    gw_buffer *text = part(e, "One person");
    // The note says what counts, and what that can do to the figures.
    if (note != NULL && note[0] != '\0')
        gw_buffer_text(text, note);
    else if (strcmp(bounds, "clamp-total") == 0)
        gw_buffer_format(text, "A person's values count until they add up to %s.", text_at(e, "total", "?"));
    else if (strcmp(bounds, "keep-rows") == 0)
        gw_buffer_format(text, "Of a person's rows %lld count, taken in a random order.", units);
    else if (strcmp(bounds, "keep-cells") == 0)
        gw_buffer_format(text, "A person counts in %lld groups at most, taken in a random order.", units);
    else if (units > 1)
        gw_buffer_format(text, "All of a person's rows count: there are never more than %lld.", units);
    else
        gw_buffer_text(text, "A person counts once.");
    gw_figure_text(text_at(e, "sensitivity", "?"), &e->cli->numbers, steps);
    gw_buffer_format(text, " With or without one person, what is counted differs by at most %s in all groups together",
                     steps);
    if (strcmp(text_at(e, "step", "1"), "1") != 0)
        gw_buffer_format(text, ", in steps of %s", text_at(e, "step", "1"));
    gw_buffer_text(text, ".");
    bool is_of_periods = strcmp(gw_doc_text(e->cost, "statistic", ""), "series") == 0; // no date counts as another
    if (!is_of_keys(e) && !is_of_periods && (e->question.of != NULL || gw_doc_text(e->indicator, "of", NULL) != NULL))
        gw_buffer_text(text, " Values below or above the bounds of the concept count as the bound.");
}

// The chance that a guess of 50 in 100 can grow to, rounded up: e^epsilon / (1 + e^epsilon).
static void odds_text(gw_epsilon epsilon, char text[32]) {
    double chance = 100.0 / (1.0 + exp(-(double)epsilon.micro / 1e6));
    double shown = ceil(chance * 10.0) / 10.0;
    if (shown >= 99.9)
        gw_ignore(snprintf(text, 32, "nearly 100 in 100")); // it fits
    else
        gw_ignore(snprintf(text, 32, "%.1f in 100", shown)); // it fits
}

// The error of a ratio depends on the group's size; that of a count, a net or a sum does not.
static bool is_ratio(const explanation *e) {
    const char *statistic = gw_doc_text(e->cost, "statistic", "");
    static const char *const amounts[] = {"count", "sum", "net", "histogram", "quantile", "series", "keys"};
    for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++)
        if (strcmp(statistic, amounts[i]) == 0)
            return false;
    return true;
}

static void noise_say(explanation *e) {
    const gw_json_node *error = gw_doc_at(e->cost, "error");
    const char *unit = gw_unit_word(gw_doc_text(error, "unit", ""));
    char likely[GW_AMOUNT_TEXT], half[GW_AMOUNT_TEXT];
    gw_buffer *text = part(e, "Noise");
    gw_figure_text(gw_doc_text(error, "half_width_95", "?"), &e->cli->numbers, likely);
    gw_figure_text(gw_doc_text(error, "half_width_50", "?"), &e->cli->numbers, half);
    if (strcmp(text_at(e, "law", ""), "permute-and-flip") == 0)
        gw_buffer_format(text,
                         "Of %lld values one is chosen for each group: the nearer to the rank that was asked for, the "
                         "likelier, by chances drawn for this question alone (permute-and-flip, epsilon %s). No count "
                         "is shown.",
                         (long long)gw_doc_integer(e->protection, "bins", 0), gw_doc_text(e->cost, "epsilon", "?"));
    else if (strcmp(text_at(e, "law", ""), "random-threshold") == 0)
        gw_buffer_format(text,
                         "For each key a threshold is drawn at random for this question alone (epsilon %s). A key that "
                         "fewer people share is not shown; of one that is shown, its count is told less the threshold, "
                         "and put right by the threshold's public mean.",
                         gw_doc_text(e->cost, "epsilon", "?"));
    else
        gw_buffer_format(
            text,
            "To each count a whole number is added, drawn at random for this question alone (%s, epsilon %s): "
            "no rounding, no swapping, no group left out.",
            strcmp(text_at(e, "law", ""), "discrete-laplace") == 0 ? "discrete Laplace" : text_at(e, "law", "?"),
            gw_doc_text(e->cost, "epsilon", "?"));
    text = part(e, "Error");
    gw_buffer_format(text, "19 times in 20 within ±%s%s%s, half the time within ±%s", likely,
                     unit[0] == '\0' ? "" : " ", unit, half);
    if (gw_doc_integer(error, "group_size", 0) > 0 && is_ratio(e))
        gw_buffer_format(text, ", for a group of %lld people", (long long)gw_doc_integer(error, "group_size", 0));
    gw_buffer_text(text, ". Errors of the register come on top.");
}

static void price_say(explanation *e) {
    const char *own = gw_doc_text(gw_doc_at(e->dataset, "budget"), "per_principal", NULL);
    char price[GW_AMOUNT_TEXT];
    gw_buffer *text = part(e, "Price");
    gw_amount_text(gw_doc_text(e->cost, "epsilon", "?"), price);
    if (gw_doc_bool(e->cost, "free"))
        gw_buffer_text(text, "0: it was asked before, and the stored answer costs nothing.");
    else
        gw_buffer_format(text, "%s, whatever the number of groups%s%s%s.", price,
                         own == NULL ? "" : "; each asker may spend ", own == NULL ? "" : own,
                         own == NULL ? "" : " here");
}

static void promise_say(explanation *e) {
    char once[32], own[32], all[32];
    const gw_json_node *budget = gw_doc_at(e->dataset, "budget");
    gw_buffer *text = part(e, "Promise");
    odds_text(gw_doc_epsilon(e->cost, "epsilon"), once);
    odds_text(gw_doc_epsilon(budget, "per_principal"), own);
    odds_text(gw_doc_epsilon(budget, "lifetime"), all);
    gw_buffer_format(text,
                     "Somebody who would give even odds that you are in the data, and knows everything about everybody "
                     "else, goes by this answer from 50 in 100 to at most %s, in the worst case",
                     once);
    if (gw_doc_text(budget, "per_principal", NULL) != NULL)
        gw_buffer_format(text, "; by all that one asker may ever ask, to %s", own);
    gw_buffer_format(text, "; by all answers there will ever be, to %s", all);
    const char *delta = gw_doc_text(gw_doc_at(e->dataset, "accounting"), "delta", NULL);
    if (delta != NULL)
        gw_buffer_format(text, ", but for a chance of %s (the policy's accounting)", delta);
    delta = gw_doc_text(gw_doc_at(gw_doc_at(e->cost, "error"), "selection"), "delta", NULL);
    if (delta != NULL)
        gw_buffer_format(text, "; but for a chance of %s that a value you alone have is shown", delta);
    gw_buffer_text(text, ".");
}

static void household_say(const explanation *e, gw_buffer *text) {
    if (!gw_doc_bool(e->protection, "household"))
        return;
    gw_buffer_text(text, " Household effects: a value used here moves with other people's records, and is treated as "
                         "if it were the person's own.");
}

static void limits_say(explanation *e) {
    gw_buffer *text = part(e, "Not so");
    gw_buffer_text(text,
                   "Not protected: what is true of a whole group (a household, a village), whoever is in it; what "
                   "the policy says; that the data exist.");
    household_say(e, text);
}

static void explain(explanation *e) {
    const char *notice = gw_doc_text(e->dataset, "notice", NULL);
    gw_buffer_format(part(e, "Question"), "%s · %s", gw_doc_text(e->cost, "title", "?"),
                     gw_dataset_short(gw_doc_text(e->dataset, "dataset", "?")));
    if (notice != NULL)
        gw_buffer_text(part(e, "Notice"), notice);
    definition_say(e);
    gap_say(e);
    people_say(e);
    groups_say(e);
    bins_say(e);
    bounds_say(e);
    noise_say(e);
    price_say(e);
    promise_say(e);
    limits_say(e);
}

// ---- asking and saying

static gw_status cost_ask(explanation *e, gw_session *session, gw_client_reply *ret_reply, gw_json **ret_document,
                          gw_problem *ret_problem) {
    gw_buffer body;
    gw_buffer_init(&body, QUESTION_BYTES_MAX);
    e->question.kind = GW_KIND_COST;
    gw_question_encode(&e->question, &body);
    gw_status status =
        body.status == GW_OK
            ? gw_ask_document(e->cli, session, gw_buffer_bytes(&body), ret_reply, ret_document, ret_problem)
            : gw_problem_set(ret_problem, body.status, "question_too_big", "The question is too long.", "", "");
    gw_buffer_done(&body);
    return status;
}

static gw_status question_find(explanation *e, const gw_question_options *options, const gw_words *words,
                               gw_session *session, gw_arena *arena, gw_problem *ret_problem) {
    gw_status status = gw_question_read(options, words, words->items[0], arena, &e->question, ret_problem);
    if (status == GW_OK)
        status = gw_session_open(e->cli, session, ret_problem);
    if (status == GW_OK)
        status = gw_names_load(e->cli, session, &e->names, ret_problem);
    if (status == GW_OK)
        status = gw_names_dataset(e->names, words->items[0], &e->dataset, ret_problem);
    if (status != GW_OK)
        return status;
    e->question.dataset = gw_doc_text(e->dataset, "dataset", words->items[0]);
    if (e->question.indicator != NULL)
        e->indicator = gw_names_indicator(e->names, e->question.indicator);
    gw_ignore(gw_price_usual(e->dataset, &e->question));
    return GW_OK;
}

static gw_exit_code parts_say(explanation *e) {
    static const gw_grid_column columns[] = {{"part", "", GW_ALIGN_LEFT, false}, {"text", "", GW_ALIGN_LEFT, true}};
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, 2);
    GW_ASSERT(grid != NULL);
    for (size_t i = 0; i < e->count; i++) {
        const char *text = gw_buffer_string(&e->parts[i]);
        if (e->cli->output == GW_OUTPUT_TABLE)
            gw_say_field(e->cli, e->labels[i], "%s", text);
        else
            gw_grid_add(grid, (const char *[]){e->labels[i], text});
    }
    if (e->cli->output != GW_OUTPUT_TABLE)
        return gw_say_grid(e->cli, grid);
    gw_note(e->cli, "Nothing was asked, nothing was spent.\n");
    return GW_EXIT_DONE;
}

static gw_exit_code run(gw_cli *cli, const void *state, const gw_words *words) {
    const explain_options *options = state;
    GW_CLEANUP(explanation_done) explanation e = {.cli = cli};
    GW_CLEANUP(gw_session_close) gw_session session = {0};
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(QUESTION_BYTES_MAX);
    GW_CLEANUP(gw_json_freep) gw_json *document = NULL;
    gw_client_reply reply;
    gw_problem problem;
    GW_ASSERT(arena != NULL);
    gw_status status = question_find(&e, &options->question, words, &session, arena, &problem);
    if (status == GW_OK)
        status = cost_ask(&e, &session, &reply, &document, &problem);
    if (status != GW_OK) {
        gw_asked_mend(cli, &options->question, &problem);
        return gw_fail(cli, &problem);
    }
    if (cli->output == GW_OUTPUT_JSON) {
        gw_say_answer(cli, reply.answer);
        return GW_EXIT_DONE;
    }
    e.cost = gw_json_root(document);
    e.protection = gw_doc_at(e.cost, "protection");
    explain(&e);
    return parts_say(&e);
}

const gw_command gw_command_explain = {
    .name = "explain",
    .group = "Researcher",
    .arguments = "DATASET [INDICATOR] [--measure STAT[:OF]] [--by A,B] [--where C=V]... [--epsilon E]",
    .summary = "a question in plain words: what is measured, of whom, how it is protected, and what is not",
    .examples = "godwit explain register employment_rate --by c_birth,sex\n"
                "godwit explain register --measure mean:income --by sex --epsilon 0.1\n",
    GW_OPTIONS(options_of_explain),
    .options_size = sizeof(explain_options),
    .words_min = 1,
    .words_max = 2,
    .run = run,
};
