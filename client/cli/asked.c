// SPDX-License-Identifier: Apache-2.0
// The asked question in words and in options.
#include "client/cli/asked.h"
#include "client/cli/doc.h"
#include "service/base/check.h"
#include "service/wire/decimal.h"
#include <stdlib.h>
#include <string.h>

#define WHERE_BYTES_MAX 1048576u

static int text_compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void bound_say(const char *decimal, gw_buffer *text) {
    gw_decimal value;
    char shortest[GW_DECIMAL_TEXT];
    if (!gw_decimal_parse(decimal, &value)) {
        gw_buffer_text(text, decimal);
        return;
    }
    gw_decimal_format(value, shortest);
    gw_buffer_text(text, shortest);
}

static void filter_say(const gw_filter *filter, gw_buffer *text) {
    const char *codes[GW_FILTER_CODES_MAX];
    gw_buffer_format(text, "%s=", filter->concept);
    if (filter->kind == GW_FILTER_BETWEEN) {
        bound_say(filter->low, text);
        gw_buffer_text(text, "..");
        bound_say(filter->high, text);
        return;
    }
    GW_ASSERT(filter->code_count <= GW_FILTER_CODES_MAX);
    for (size_t i = 0; i < filter->code_count; i++)
        codes[i] = filter->codes[i];
    qsort(codes, filter->code_count, sizeof(codes[0]), text_compare);
    for (size_t i = 0; i < filter->code_count; i++)
        gw_buffer_format(text, "%s%s", i == 0 ? "" : ",", codes[i]);
}

// The filters of one list, each at its shortest, in the order of their texts.
static void filters_say(const gw_filter *filters, size_t count, gw_buffer *text) {
    gw_buffer each[GW_WHERE_MAX];
    const char *texts[GW_WHERE_MAX];
    GW_ASSERT(count <= GW_WHERE_MAX);
    for (size_t i = 0; i < count; i++) {
        gw_buffer_init(&each[i], WHERE_BYTES_MAX);
        filter_say(&filters[i], &each[i]);
        texts[i] = gw_buffer_string(&each[i]);
    }
    qsort(texts, count, sizeof(texts[0]), text_compare);
    for (size_t i = 0; i < count; i++)
        gw_buffer_format(text, "%s%s", i == 0 ? "" : " and ", texts[i]);
    for (size_t i = 0; i < count; i++)
        gw_buffer_done(&each[i]);
}

static bool is_net(const gw_question *question) {
    return question->indicator == NULL && question->statistic == GW_STATISTIC_NET;
}

void gw_asked_where(const gw_question *question, gw_buffer *text) {
    filters_say(question->where, question->where_count, text);
    if (!is_net(question))
        return;
    gw_buffer_text(text, question->where_count > 0 ? " plus " : "plus ");
    filters_say(question->plus, question->plus_count, text);
    gw_buffer_text(text, " minus ");
    filters_say(question->minus, question->minus_count, text);
}

static const char *concept_word(gw_labels *labels, const char *concept) {
    const char *label = labels->concept(labels->state, concept);
    return label == NULL ? concept : label;
}

static void measure_say(const gw_question *question, const gw_answer *answer, const gw_names *names, gw_labels *labels,
                        gw_buffer *text) {
    if (question->indicator != NULL) {
        gw_buffer_text(text, gw_doc_text(gw_names_indicator(names, question->indicator), "label", question->indicator));
        return;
    }
    const gw_json_node *table = gw_names_table(names, answer->dataset, question);
    bool is_of_rows = gw_doc_integer(table, "rows_per_person_max", 1) > 1 && !question->is_per_person;
    switch (question->statistic) {
    case GW_STATISTIC_COUNT:
    case GW_STATISTIC_SHARE:
    case GW_STATISTIC_RATE:
        gw_buffer_format(text, "%s of %s", question->statistic == GW_STATISTIC_COUNT ? "Number" : "Share",
                         is_of_rows ? gw_doc_text(table, "table", "rows") : "persons");
        return;
    case GW_STATISTIC_MEAN:
        gw_buffer_format(text, "Mean of %s%s", concept_word(labels, question->of),
                         question->is_per_person ? " per person" : "");
        return;
    case GW_STATISTIC_SUM:
        gw_buffer_format(text, "Sum of %s", concept_word(labels, question->of));
        return;
    case GW_STATISTIC_NET:
        gw_buffer_text(text, "Net: ");
        filters_say(question->plus, question->plus_count, text);
        gw_buffer_text(text, " less ");
        filters_say(question->minus, question->minus_count, text);
        return;
    case GW_STATISTIC_VARIANCE:
    case GW_STATISTIC_SD:
        gw_buffer_format(text, "%s of %s", question->statistic == GW_STATISTIC_SD ? "Standard deviation" : "Variance",
                         concept_word(labels, question->of));
        return;
    case GW_STATISTIC_RATIO:
        gw_buffer_format(text, "Sum of %s over sum of ", concept_word(labels, question->of));
        gw_buffer_text(text, concept_word(labels, question->over));
        return;
    case GW_STATISTIC_GAP: // named by what it is a gap of
        return;
    case GW_STATISTIC_HISTOGRAM:
        gw_buffer_format(text, "Histogram of %s", concept_word(labels, question->of));
        return;
    case GW_STATISTIC_QUANTILE:
        if (question->level_count == 1 && strcmp(question->levels[0], "0.5") == 0)
            gw_buffer_format(text, "Median of %s", concept_word(labels, question->of));
        else
            gw_buffer_format(text, "Quantiles of %s", concept_word(labels, question->of));
        return;
    case GW_STATISTIC_POVERTY:
        gw_buffer_format(text, "At risk of poverty by %s", concept_word(labels, question->of));
        return;
    case GW_STATISTIC_GINI:
        gw_buffer_format(text, "Gini coefficient of %s", concept_word(labels, question->of));
        return;
    case GW_STATISTIC_QUINTILE_RATIO:
        gw_buffer_format(text, "Quintile share ratio of %s", concept_word(labels, question->of));
        return;
    case GW_STATISTIC_SERIES:
        gw_buffer_format(text, "Number of %s in each %s", is_of_rows ? gw_doc_text(table, "table", "rows") : "persons",
                         concept_word(labels, question->of));
        return;
    case GW_STATISTIC_KEYS:
        gw_buffer_text(text, "Number of persons"); // by the concept, which is the breakdown
        return;
    }
}

// ": born outside the EU less native-born"
static void gap_say(const gw_question *question, gw_labels *labels, gw_buffer *text) {
    const gw_question_gap *gap = question->gap;
    if (gap == NULL)
        return;
    gw_buffer_format(text, ": %s less ", gw_label_of_code(labels, gap->concept, gap->group));
    gw_buffer_text(text, gw_label_of_code(labels, gap->concept, gap->reference));
}

void gw_asked_title(const gw_question *question, const gw_answer *answer, const gw_names *names, gw_labels *labels,
                    gw_buffer *text) {
    char epsilon[GW_EPSILON_TEXT];
    measure_say(question, answer, names, labels, text);
    gap_say(question, labels, text);
    const char *join = ", by ";
    size_t tables = 0;
    for (size_t i = 0; i < answer->block_count; i++)
        tables += answer->blocks[i].is_asked;
    if (tables > 0) {
        gw_buffer_format(text, ", %zu table%s", tables, tables == 1 ? "" : "s");
        join = " of ";
    }
    for (size_t i = 0; i < answer->by_count; i++) {
        if (gw_axis_is_own(answer, i))
            continue;
        gw_buffer_format(text, "%s%s", join, concept_word(labels, answer->by[i]));
        join = " x ";
    }
    if (question->where_count > 0) {
        gw_buffer_text(text, " · only ");
        filters_say(question->where, question->where_count, text);
    }
    if (question->is_unweighted)
        gw_buffer_text(text, " · unweighted");
    gw_epsilon_format(answer->noise.epsilon, epsilon);
    gw_buffer_format(text, " · %s · epsilon %s", gw_dataset_short(answer->dataset), epsilon);
    if (answer->selection_delta != NULL)
        gw_buffer_format(text, ", delta %s", answer->selection_delta);
}

static void option_add(const char *name, const char *value, gw_buffer *line) {
    char *argv[] = {(char *)name, (char *)value}; // gw_command_words changes none
    if (value != NULL)
        gw_command_words(2, argv, line);
}

static void options_add(const char *name, const gw_words *values, gw_buffer *line) {
    for (size_t i = 0; i < values->count; i++)
        option_add(name, values->items[i], line);
}

void gw_asked_options(const gw_cli *cli, const gw_question_options *options, gw_buffer *line) {
    option_add("--measure", options->measure, line);
    option_add("--at", options->at, line);
    option_add("--method", options->method, line);
    option_add("--fraction", options->fraction, line);
    option_add("--bins", options->bins, line);
    option_add("--delta", options->delta, line);
    option_add("--table", options->table, line);
    option_add("--per", options->per, line);
    option_add("--gap", options->gap, line);
    options_add("--plus", &options->plus, line);
    options_add("--minus", &options->minus, line);
    if (options->unweighted)
        gw_buffer_text(line, " --unweighted");
    option_add("--by", options->by, line);
    option_add("--tables", options->tables, line);
    option_add("--up-to", options->up_to, line);
    options_add("--where", &options->where, line);
    option_add("--as", cli->globals.as, line);
    option_add("--config", cli->globals.config, line);
}

void gw_asked_mend(const gw_cli *cli, const gw_question_options *options, gw_problem *problem) {
    static const char recommended[] = "godwit cost ";
    gw_buffer line;
    if (strncmp(problem->mend, recommended, sizeof(recommended) - 1) != 0 || strstr(problem->mend, "…") != NULL)
        return;
    gw_buffer_init(&line, WHERE_BYTES_MAX);
    gw_buffer_text(&line, problem->mend);
    gw_asked_options(cli, options, &line);
    // Half a command would ask another question: of one that doesn't fit, only what is new is said.
    const char *price = strstr(problem->mend, "--epsilon ");
    if (line.status == GW_OK && line.size < sizeof(problem->mend)) {
        gw_problem_mend(problem, "%s", gw_buffer_string(&line));
    } else if (price != NULL) {
        char text[sizeof(problem->mend)];
        gw_ignore(snprintf(text, sizeof(text), "%s", price)); // cut as it came
        gw_problem_mend(problem, "The same question with %.200s", text);
    }
    gw_buffer_done(&line);
}
