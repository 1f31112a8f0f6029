// SPDX-License-Identifier: Apache-2.0
// --measure and the options that only a measure takes.
#include "client/cli/measure.h"
#include "client/cli/line.h"
#include "client/cli/measure_grid.h"
#include <string.h>

static const char mend_all[] = "--measure count, share, net, mean:income, sum:income, variance:income, sd:income, "
                               "ratio:income/hours, histogram:income, median:income, quantile:income, poverty:income, "
                               "gini:income, s80s20:income, series:month or keys:workplace";

static gw_status measure_bad(const char *measure, const char *why, const char *mend, gw_problem *ret_problem) {
    return gw_line_bad("--measure", measure, "a measure", "option_value", why, mend, ret_problem);
}

static bool is_of_concept(const char *name) {
    gw_statistic statistic;
    return gw_measure_alias(name, &statistic) ||
           (gw_statistic_parse(name, &statistic) == GW_OK && gw_statistic_has_of(statistic));
}

bool gw_measure_is_meant(const char *word, gw_arena *arena) {
    gw_statistic statistic;
    const char *colon = strchr(word, ':');
    const char *name = colon == NULL ? NULL : gw_arena_copy(arena, word, (size_t)(colon - word));
    return name != NULL && (gw_measure_alias(name, &statistic) || gw_statistic_parse(name, &statistic) == GW_OK);
}

static gw_status statistic_unknown(const char *measure, const char *name, gw_problem *ret_problem) {
    static const char *const names[] = {"count",    "share",   "mean",           "sum",    "net",   "median",
                                        "quantile", "poverty", "variance",       "sd",     "ratio", "histogram",
                                        "gini",     "s80s20",  "quintile_ratio", "series", "keys"};
    gw_status status = measure_bad(measure, "There is no such measure.", mend_all, ret_problem);
    const char *nearest = gw_nearest(name, names, sizeof(names) / sizeof(names[0]));
    if (nearest == NULL)
        return status;
    const char *of = is_of_concept(nearest) ? ":CONCEPT" : "";
    bool is_ratio = strcmp(nearest, "ratio") == 0;
    gw_problem_mend(ret_problem, "Did you mean --measure %s%s?", nearest, is_ratio ? ":CONCEPT/CONCEPT" : of);
    return status;
}

// "income/hours": what is added up above, and what below.
static gw_status ratio_read(const char *measure, gw_arena *arena, gw_question *question, gw_problem *ret_problem) {
    const char *slash = question->of == NULL ? NULL : strchr(question->of, '/');
    if (slash == NULL || !gw_name_is_valid(slash + 1))
        return measure_bad(measure, "A ratio names two concepts.", "--measure ratio:income/hours", ret_problem);
    question->over = slash + 1;
    question->of = gw_arena_copy(arena, question->of, (size_t)(slash - question->of));
    return question->of == NULL ? GW_NO_MEMORY : GW_OK;
}

static gw_status statistic_read(const gw_question_options *options, gw_arena *arena, gw_question *question,
                                gw_problem *ret_problem) {
    const char *measure = options->measure;
    const char *colon = strchr(measure, ':');
    const char *name = colon == NULL ? measure : gw_arena_copy(arena, measure, (size_t)(colon - measure));
    if (name == NULL)
        return GW_NO_MEMORY;
    bool is_known =
        gw_measure_alias(name, &question->statistic) || gw_statistic_parse(name, &question->statistic) == GW_OK;
    if (!is_known)
        return statistic_unknown(measure, name, ret_problem);
    if (question->statistic == GW_STATISTIC_RATE)
        return measure_bad(measure, "What a rate counts is defined by an indicator.", "godwit catalogue", ret_problem);
    question->of = colon == NULL ? NULL : colon + 1;
    bool needs_of = gw_statistic_has_of(question->statistic);
    if (question->statistic == GW_STATISTIC_GAP)
        return measure_bad(measure, "A gap is of a rate, a share or a mean, which --gap stands beside.",
                           "--measure mean:income --gap sex=F:M", ret_problem);
    if (needs_of && question->of == NULL)
        return measure_bad(measure, "This measure is of a concept.",
                           question->statistic == GW_STATISTIC_RATIO ? "--measure ratio:income/hours"
                                                                     : "--measure mean:income",
                           ret_problem);
    if (!needs_of && question->of != NULL)
        return measure_bad(measure, "This measure is of no concept; it takes --where.", mend_all, ret_problem);
    if (question->statistic == GW_STATISTIC_RATIO) {
        gw_status status = ratio_read(measure, arena, question, ret_problem);
        if (status != GW_OK)
            return status;
    }
    if (question->of != NULL && !gw_name_is_valid(question->of))
        return measure_bad(measure, gw_line_names_rule, mend_all, ret_problem);
    return gw_measure_grid_read(options, name, arena, question, ret_problem);
}

static gw_status per_read(const gw_question_options *options, gw_question *question, gw_problem *ret_problem) {
    if (options->per == NULL)
        return GW_OK;
    question->is_per_person = strcmp(options->per, "person") == 0;
    if (!question->is_per_person && strcmp(options->per, "row") != 0)
        return gw_line_bad("--per", options->per, "what is counted", "option_value",
                           "Rows are counted, or the persons they belong to.", "--per person or --per row",
                           ret_problem);
    bool is_of_rows = question->statistic == GW_STATISTIC_SUM || question->statistic == GW_STATISTIC_NET ||
                      question->statistic == GW_STATISTIC_RATIO;
    if (question->is_per_person && is_of_rows)
        return gw_problem_set(ret_problem, GW_INVALID, "option_value",
                              "Sums, ratios of them and nets take no --per person.",
                              "They are the same whether they are taken by rows or by persons.",
                              "Leave --per out, or: --measure mean:CONCEPT --per person");
    return GW_OK;
}

gw_status gw_gap_read(const char *text, gw_arena *arena, gw_question *question, gw_problem *ret_problem) {
    const char *equals = strchr(text, '='), *colon = equals == NULL ? NULL : strchr(equals, ':');
    gw_question_gap *gap = gw_arena_array(arena, 1, sizeof(*gap));
    if (gap == NULL)
        return GW_NO_MEMORY;
    if (colon == NULL || equals == text || colon == equals + 1 || colon[1] == '\0')
        return gw_line_bad("--gap", text, "a gap", "option_value",
                           "It names a concept, a group and the group it is held against.", "--gap c_birth=NEU_FOR:NAT",
                           ret_problem);
    gap->concept = gw_arena_copy(arena, text, (size_t)(equals - text));
    gap->group = gw_arena_copy(arena, equals + 1, (size_t)(colon - equals - 1));
    gap->reference = colon + 1;
    if (gap->concept == NULL || gap->group == NULL)
        return GW_NO_MEMORY;
    const char *const names[] = {gap->concept, gap->group, gap->reference};
    for (size_t i = 0; i < 3; i++)
        if (!gw_name_is_valid(names[i]))
            return gw_line_bad("--gap", text, "a gap", "bad_name", gw_line_names_rule, "--gap c_birth=NEU_FOR:NAT",
                               ret_problem);
    if (strcmp(gap->group, gap->reference) == 0)
        return gw_line_bad("--gap", text, "a gap", "option_value", "A group has no gap to itself.",
                           "--gap c_birth=NEU_FOR:NAT", ret_problem);
    question->gap = gap;
    return GW_OK;
}

static gw_status net_read(const gw_question_options *options, gw_arena *arena, gw_question *question,
                          gw_problem *ret_problem) {
    bool is_net = question->statistic == GW_STATISTIC_NET;
    bool has_any = options->plus.count + options->minus.count > 0;
    if (!is_net && has_any)
        return gw_problem_set(ret_problem, GW_INVALID, "option_value", "Only a net has --plus and --minus.",
                              "Rows that --plus names add one, rows that --minus names take one away.",
                              "--measure net --plus direction=ARR --minus direction=DEP, or --where");
    if (!is_net)
        return GW_OK;
    if (options->plus.count == 0 || options->minus.count == 0)
        return gw_problem_set(ret_problem, GW_INVALID, "option_missing", "A net needs --plus and --minus.",
                              "Rows that --plus names add one, rows that --minus names take one away.",
                              "--measure net --plus direction=ARR --minus direction=DEP");
    gw_status status =
        gw_line_filters("--plus", &options->plus, arena, &question->plus, &question->plus_count, ret_problem);
    return status != GW_OK ? status
                           : gw_line_filters("--minus", &options->minus, arena, &question->minus,
                                             &question->minus_count, ret_problem);
}

// An indicator's file says whose rows it counts and how; an option beside it would be lost without a word.
static gw_status indicator_check(const gw_question_options *options, gw_problem *ret_problem) {
    const char *option = options->table != NULL     ? "--table"
                         : options->per != NULL     ? "--per"
                         : options->plus.count > 0  ? "--plus"
                         : options->minus.count > 0 ? "--minus"
                                                    : gw_measure_grid_option(options);
    if (option == NULL)
        return GW_OK;
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, "option_value", "",
                                      "An indicator says itself whose rows it counts and how.",
                                      "--measure count instead of the indicator, or godwit catalogue");
    gw_problem_what(ret_problem, "%s belongs to a measure, not to an indicator.", option);
    return status;
}

gw_status gw_measure_read(const gw_question_options *options, gw_arena *arena, gw_question *question,
                          gw_problem *ret_problem) {
    question->is_unweighted = options->unweighted;
    if (options->measure == NULL)
        return indicator_check(options, ret_problem);
    question->table = options->table;
    gw_status status = statistic_read(options, arena, question, ret_problem);
    if (status == GW_OK && options->table != NULL)
        status = gw_line_name("a table", options->table, ret_problem);
    if (status == GW_OK)
        status = per_read(options, question, ret_problem);
    return status == GW_OK ? net_read(options, arena, question, ret_problem) : status;
}
