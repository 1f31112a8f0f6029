// SPDX-License-Identifier: Apache-2.0
// --at, --method, --fraction and --bins.
#include "client/cli/measure_grid.h"
#include "client/cli/line.h"
#include "service/wire/decimal.h"
#include <stdlib.h>
#include <string.h>

static const char mend_levels[] = "--at 0.1,0.5,0.9";

bool gw_measure_alias(const char *name, gw_statistic *ret) {
    static const struct {
        const char *name;
        gw_statistic statistic;
    } aliases[] = {{"median", GW_STATISTIC_QUANTILE}, {"s80s20", GW_STATISTIC_QUINTILE_RATIO}};
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        if (strcmp(aliases[i].name, name) == 0) {
            *ret = aliases[i].statistic;
            return true;
        }
    return false;
}

const char *gw_measure_grid_option(const gw_question_options *options) {
    return options->at != NULL         ? "--at"
           : options->method != NULL   ? "--method"
           : options->fraction != NULL ? "--fraction"
           : options->bins != NULL     ? "--bins"
                                       : NULL;
}

// Between 0 and 1 with six places at most, in its shortest text; NULL where it is none.
static const char *portion_of(const char *text, gw_arena *arena, gw_decimal *ret) {
    char shortest[GW_DECIMAL_TEXT];
    if (!gw_decimal_parse(text, ret) || ret->trillionths <= 0 || ret->trillionths >= GW_DECIMAL_ONE ||
        ret->trillionths % (GW_DECIMAL_ONE / 1000000) != 0)
        return NULL;
    gw_decimal_format(*ret, shortest);
    return gw_arena_string(arena, shortest);
}

static gw_status levels_bad(const char *at, gw_problem *ret_problem) {
    return gw_line_bad("--at", at, "a list of levels", "option_value",
                       "A level is the part of people below it, between 0 and 1: 0.5 is the median, 0.9 the ninth "
                       "decile. Up to 32, each once.",
                       mend_levels, ret_problem);
}

static int level_compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b); // shortest texts below 1 sort as their numbers do
}

static gw_status levels_read(const char *at, gw_arena *arena, gw_question *question, gw_problem *ret_problem) {
    size_t count = 0;
    const char *const *texts = gw_line_list(at, GW_LEVELS_MAX, arena, &count);
    const char **levels = gw_arena_array(arena, GW_LEVELS_MAX, sizeof(*levels));
    gw_decimal value;
    if (texts == NULL || levels == NULL)
        return levels_bad(at, ret_problem);
    for (size_t i = 0; i < count; i++)
        if ((levels[i] = portion_of(texts[i], arena, &value)) == NULL)
            return levels_bad(at, ret_problem);
    qsort(levels, count, sizeof(levels[0]), level_compare);
    for (size_t i = 1; i < count; i++)
        if (strcmp(levels[i - 1], levels[i]) == 0)
            return levels_bad(at, ret_problem);
    question->levels = levels;
    question->level_count = count;
    return GW_OK;
}

static gw_status quantile_read(const gw_question_options *options, const char *name, gw_arena *arena,
                               gw_question *question, gw_problem *ret_problem) {
    bool is_median = strcmp(name, "median") == 0;
    if (is_median && options->at != NULL)
        return gw_problem_set(ret_problem, GW_INVALID, "option_value", "A median takes no --at.",
                              "It is the quantile at 0.5.", "--measure quantile:CONCEPT --at 0.1,0.5,0.9");
    if (!is_median && options->at == NULL)
        return gw_problem_set(ret_problem, GW_INVALID, "option_missing", "A quantile needs --at.",
                              "It says what part of people lie below: 0.5 is the median.", mend_levels);
    gw_status status = levels_read(is_median ? "0.5" : options->at, arena, question, ret_problem);
    question->method = options->method;
    if (status != GW_OK || options->method == NULL)
        return status;
    bool is_pick = strcmp(options->method, "pick") == 0;
    if ((!is_pick && strcmp(options->method, "tree") != 0) || (is_pick && question->level_count != 1))
        return gw_line_bad("--method", options->method, "how a quantile is taken", "option_value",
                           "One level can be chosen (pick) or read off a tree; several are read off a tree.",
                           "--method tree", ret_problem);
    return GW_OK;
}

static bool takes_bins(gw_statistic statistic) {
    return statistic == GW_STATISTIC_QUANTILE || statistic == GW_STATISTIC_POVERTY || statistic == GW_STATISTIC_GINI ||
           statistic == GW_STATISTIC_QUINTILE_RATIO || statistic == GW_STATISTIC_HISTOGRAM;
}

static gw_status bins_read(const char *text, gw_question *question, gw_problem *ret_problem) {
    char *end = NULL;
    unsigned long bins = strspn(text, "0123456789") == strlen(text) ? strtoul(text, &end, 10) : 0;
    question->bins = bins >= 2 && bins <= GW_BINS_MAX ? (unsigned)bins : 0;
    if (question->bins == 0)
        return gw_line_bad("--bins", text, "a number of bins", "option_value",
                           "More bins are finer, and make the answer longer: 2 to 65,536.", "--bins 1000", ret_problem);
    return GW_OK;
}

static gw_status belongs_elsewhere(const char *option, const char *whose, gw_problem *ret_problem) {
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, "option_value", "", "", "Leave it out.");
    gw_problem_what(ret_problem, "%s belongs to another measure.", option);
    gw_problem_why(ret_problem, "Only %s.", whose);
    return status;
}

gw_status gw_measure_grid_read(const gw_question_options *options, const char *name, gw_arena *arena,
                               gw_question *question, gw_problem *ret_problem) {
    bool is_quantile = question->statistic == GW_STATISTIC_QUANTILE;
    gw_decimal value;
    if (!is_quantile && (options->at != NULL || options->method != NULL))
        return belongs_elsewhere(options->at != NULL ? "--at" : "--method", "quantiles have levels", ret_problem);
    if (question->statistic != GW_STATISTIC_POVERTY && options->fraction != NULL)
        return belongs_elsewhere("--fraction", "poverty has a fraction of the median", ret_problem);
    if (!takes_bins(question->statistic) && options->bins != NULL)
        return belongs_elsewhere("--bins", "measures of where people lie have bins", ret_problem);
    gw_status status = is_quantile ? quantile_read(options, name, arena, question, ret_problem) : GW_OK;
    if (status == GW_OK && options->bins != NULL)
        status = bins_read(options->bins, question, ret_problem);
    if (status != GW_OK || options->fraction == NULL)
        return status;
    question->fraction = portion_of(options->fraction, arena, &value);
    return question->fraction != NULL
               ? GW_OK
               : gw_line_bad("--fraction", options->fraction, "a fraction", "option_value",
                             "The line lies at a part of the median, between 0 and 1.", "--fraction 0.6", ret_problem);
}
