// SPDX-License-Identifier: Apache-2.0
// A date column of a policy file: the periods from "first" to "last" become its codes, so that every month of the range
// is a cell, with rows or without.
#include "service/policy/policy_load.h"
#include <string.h>

#define PERIODS_MAX 1200 // a hundred years of months

static const char *period_example(gw_period period) {
    return period == GW_PERIOD_YEAR ? "2021" : period == GW_PERIOD_QUARTER ? "2021-Q1" : "2021-01";
}

static gw_period read_period(gw_policy_loader *l, const gw_json_node *node) {
    static const char *const names[] = {"year", "quarter", "month"};
    gw_period period = GW_PERIOD_NONE;
    char shown[GW_SHOWN_MAX];
    const char *name = gw_json_read_string(&l->load.reader, node, "period");
    if (name == NULL || gw_period_find(name, &period))
        return period;
    GW_POLICY_FAIL(l, gw_json_member(node, "period"), "policy_period", "Write \"year\", \"quarter\" or \"month\".",
                   "\"%s\" is no period that dates are put into.", gw_json_shown(name, shown));
    const char *nearest = gw_nearest(name, names, sizeof(names) / sizeof(names[0]));
    if (nearest != NULL)
        gw_problem_mend(&l->load.reader.problem, "Did you mean \"%s\"?", nearest);
    return period;
}

static int64_t read_end(gw_policy_loader *l, const gw_json_node *node, const char *field, gw_period period) {
    char shown[GW_SHOWN_MAX];
    int64_t index = 0;
    const char *text = gw_json_read_string(&l->load.reader, node, field);
    if (text == NULL || gw_period_parse(period, text, &index))
        return index;
    GW_POLICY_FAIL(l, gw_json_member(node, field), "policy_period", "", "\"%s\" is not a %s of the calendar.",
                   gw_json_shown(text, shown), gw_period_name(period));
    gw_problem_mend(&l->load.reader.problem, "Write \"%s\":\"%s\".", field, period_example(period));
    return 0;
}

static void make_codes(gw_policy_loader *l, gw_column *column, int64_t first, size_t count) {
    static const char *const ids[] = {"", "CL_YEAR", "CL_QUARTER", "CL_MONTH"};
    gw_code *codes = gw_load_array(&l->load, count, sizeof(*codes));
    for (size_t i = 0; i < count && gw_policy_is_well(l); i++) {
        char text[GW_PERIOD_TEXT];
        gw_period_format(column->period, first + (int64_t)i, text);
        codes[i].id = gw_load_copy(&l->load, text);
        gw_period_label(column->period, first + (int64_t)i, text);
        codes[i].label = gw_load_copy(&l->load, text);
    }
    column->codelist = (gw_codelist){.id = ids[column->period], .codes = codes, .code_count = count};
}

void gw_policy_read_periods(gw_policy_loader *l, const gw_json_node *node, gw_column *column) {
    column->period = read_period(l, node);
    if (!gw_policy_is_well(l))
        return;
    int64_t first = read_end(l, node, "first", column->period);
    int64_t last = gw_policy_is_well(l) ? read_end(l, node, "last", column->period) : 0;
    if (!gw_policy_is_well(l))
        return;
    if (last < first) {
        GW_POLICY_FAIL(l, gw_json_member(node, "last"), "policy_period", "Put the earlier one first.",
                       "\"last\" lies before \"first\".");
    } else if (last - first >= PERIODS_MAX) {
        GW_POLICY_FAIL(l, gw_json_member(node, "last"), "policy_period", "Use longer periods, or fewer of them.",
                       "From \"first\" to \"last\" there are %lld periods; a column has at most %d.",
                       (long long)(last - first + 1), PERIODS_MAX);
    } else {
        make_codes(l, column, first, (size_t)(last - first + 1));
        gw_policy_add_unknown(l, column);
    }
}
