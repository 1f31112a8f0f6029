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

void gw_asked_where(const gw_question *question, gw_buffer *text) {
    gw_buffer filters[GW_WHERE_MAX];
    const char *texts[GW_WHERE_MAX];
    GW_ASSERT(question->where_count <= GW_WHERE_MAX);
    for (size_t i = 0; i < question->where_count; i++) {
        gw_buffer_init(&filters[i], WHERE_BYTES_MAX);
        filter_say(&question->where[i], &filters[i]);
        texts[i] = gw_buffer_string(&filters[i]);
    }
    qsort(texts, question->where_count, sizeof(texts[0]), text_compare);
    for (size_t i = 0; i < question->where_count; i++)
        gw_buffer_format(text, "%s%s", i == 0 ? "" : " and ", texts[i]);
    for (size_t i = 0; i < question->where_count; i++)
        gw_buffer_done(&filters[i]);
}

static void measure_say(const gw_question *question, const gw_names *names, gw_labels *labels, gw_buffer *text) {
    if (question->indicator != NULL) {
        gw_buffer_text(text, gw_doc_text(gw_names_indicator(names, question->indicator), "label", question->indicator));
    } else if (question->of != NULL) {
        const char *label = labels->concept(labels->state, question->of);
        gw_buffer_format(text, "Mean of %s", label == NULL ? question->of : label);
    } else {
        gw_buffer_text(text, question->statistic == GW_STATISTIC_SHARE ? "Share of persons" : "Number of persons");
    }
}

void gw_asked_title(const gw_question *question, const gw_answer *answer, const gw_names *names, gw_labels *labels,
                    gw_buffer *text) {
    char epsilon[GW_EPSILON_TEXT];
    measure_say(question, names, labels, text);
    for (size_t i = 0; i < answer->by_count; i++) {
        const char *label = labels->concept(labels->state, answer->by[i]);
        gw_buffer_format(text, "%s%s", i == 0 ? ", by " : " x ", label == NULL ? answer->by[i] : label);
    }
    if (question->where_count > 0) {
        gw_buffer_text(text, " · only ");
        gw_asked_where(question, text);
    }
    gw_epsilon_format(answer->noise.epsilon, epsilon);
    gw_buffer_format(text, " · %s · epsilon %s", gw_dataset_short(answer->dataset), epsilon);
}

static void option_add(const char *name, const char *value, gw_buffer *line) {
    char *argv[] = {(char *)name, (char *)value}; // gw_command_words changes none
    if (value != NULL)
        gw_command_words(2, argv, line);
}

void gw_asked_mend(const gw_cli *cli, const gw_question_options *options, gw_problem *problem) {
    static const char recommended[] = "godwit cost ";
    gw_buffer line;
    if (strncmp(problem->mend, recommended, sizeof(recommended) - 1) != 0 || strstr(problem->mend, "…") != NULL)
        return;
    gw_buffer_init(&line, WHERE_BYTES_MAX);
    gw_buffer_text(&line, problem->mend);
    option_add("--measure", options->measure, &line);
    option_add("--by", options->by, &line);
    for (size_t i = 0; i < options->where.count; i++)
        option_add("--where", options->where.items[i], &line);
    option_add("--as", cli->globals.as, &line);
    option_add("--config", cli->globals.config, &line);
    // Half a command would ask another question: one that doesn't fit stays as it came.
    if (line.status == GW_OK && line.size < sizeof(problem->mend))
        gw_problem_mend(problem, "%s", gw_buffer_string(&line));
    gw_buffer_done(&line);
}
