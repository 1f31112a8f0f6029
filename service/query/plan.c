// SPDX-License-Identifier: Apache-2.0
// A plan from a question: which statistic and which table, then the steps of plan_cells.c and plan_measure.c, then the
// price.
#include "service/query/plan_build.h"
#include "service/query/plan_tables.h"

#include "service/base/check.h"

#include <stdlib.h>
#include <string.h>

const char *gw_plan_mechanism_name(gw_plan_mechanism mechanism) {
    static const char *const names[] = {
        [GW_MECHANISM_PARTS] = "parts/1",         [GW_MECHANISM_TREE] = "tree/1",
        [GW_MECHANISM_PICK] = "pick/1",           [GW_MECHANISM_MARGINALS] = "marginals/1",
        [GW_MECHANISM_SELECTION] = "selection/1",
    };
    return names[mechanism];
}

gw_statistic gw_plan_asked(const gw_plan *plan) {
    return plan->gap.column ? GW_STATISTIC_GAP : plan->statistic;
}

// ---- statistic and table

static gw_status unknown_indicator(const gw_plan_builder *b) {
    const char *nearest = gw_catalogue_nearest(b->catalogue, b->question->indicator);
    gw_problem_set(b->problem, GW_NOT_FOUND, "unknown_indicator", "There is no such indicator.", "", "");
    gw_problem_why(b->problem, "\"%s\" is not in the catalogue.", b->question->indicator);
    gw_statistic meant;
    if (gw_statistic_parse(b->question->indicator, &meant) == GW_OK)
        gw_problem_mend(b->problem, "It is a measure: --measure %s%s", b->question->indicator,
                        gw_statistic_has_of(meant) ? ":CONCEPT" : "");
    else if (nearest)
        gw_problem_mend(b->problem, "Did you mean \"%s\"? godwit catalogue", nearest);
    else
        gw_problem_mend(b->problem, "godwit catalogue");
    return GW_NOT_FOUND;
}

static gw_status indicator_resolve(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    plan->indicator = gw_catalogue_find(b->catalogue, b->question->indicator);
    if (!plan->indicator)
        return unknown_indicator(b);
    plan->statistic = plan->indicator->statistic;
    const char *missing = NULL;
    plan->table = gw_indicator_table(plan->indicator, b->policy, &missing);
    if (plan->table)
        return GW_OK;
    gw_problem_set(b->problem, GW_INVALID, "concept_missing", "This indicator cannot be computed on this dataset.", "",
                   "");
    gw_problem_why(b->problem, "%s needs the concept \"%s\", which %s does not have.", plan->indicator->id,
                   missing ? missing : "?", b->policy->dataset);
    gw_problem_mend(b->problem, "godwit catalogue %s", b->policy->dataset);
    return GW_INVALID;
}

static bool table_has_filters(const gw_table *table, const gw_filter *filters, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!gw_table_concept(table, filters[i].concept))
            return false;
    return true;
}

static bool table_has_question(const gw_table *table, const gw_question *question) {
    for (size_t i = 0; i < question->by_count; i++)
        if (!gw_table_concept(table, question->by[i]))
            return false;
    if (question->gap && !gw_table_concept(table, question->gap->concept))
        return false;
    if (question->over && !gw_table_concept(table, question->over))
        return false;
    for (size_t t = 0; t < question->table_count; t++)
        for (size_t i = 0; i < question->tables[t].by_count; i++)
            if (!gw_table_concept(table, question->tables[t].by[i]))
                return false;
    return (!question->of || gw_table_concept(table, question->of)) &&
           table_has_filters(table, question->where, question->where_count) &&
           table_has_filters(table, question->plus, question->plus_count) &&
           table_has_filters(table, question->minus, question->minus_count);
}

static gw_status unknown_table(const gw_plan_builder *b) {
    const char *names[64];
    size_t count = 0;
    for (size_t t = 0; t < b->policy->table_count && count < 64; t++)
        names[count++] = b->policy->tables[t].name;
    const char *nearest = gw_nearest(b->question->table, names, count);
    gw_problem_set(b->problem, GW_NOT_FOUND, "unknown_table", "This dataset has no such table.", "", "");
    gw_problem_why(b->problem, "\"%s\" is not a table of %s.", b->question->table, b->policy->dataset);
    if (nearest)
        gw_problem_mend(b->problem, "Did you mean \"%s\"? godwit catalogue %s", nearest, b->policy->dataset);
    else
        gw_problem_mend(b->problem, "godwit catalogue %s", b->policy->dataset);
    return GW_NOT_FOUND;
}

// The table asked for; or the first with every concept the question names. Where none has them all, the first that has
// what is measured stands for the others: the refusal then says which concept is elsewhere.
static gw_status table_resolve(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    if (b->question->table) {
        plan->table = gw_policy_table(b->policy, b->question->table);
        return plan->table ? GW_OK : unknown_table(b);
    }
    for (size_t t = b->policy->table_count; t > 0; t--) {
        const gw_table *table = &b->policy->tables[t - 1];
        if (b->question->of && gw_table_concept(table, b->question->of))
            plan->table = table;
    }
    if (!plan->table)
        plan->table = &b->policy->tables[0];
    for (size_t t = b->policy->table_count; t > 0; t--)
        if (table_has_question(&b->policy->tables[t - 1], b->question))
            plan->table = &b->policy->tables[t - 1];
    return GW_OK;
}

static gw_status statistic_resolve(const gw_plan_builder *b) {
    if (b->question->indicator)
        return indicator_resolve(b);
    b->plan->statistic = b->question->statistic;
    if (b->plan->statistic == GW_STATISTIC_RATE || b->plan->statistic == GW_STATISTIC_GAP)
        return gw_problem_set(b->problem, GW_INVALID, "of_needed", "A rate is asked by an indicator.",
                              "A bare measure does not say which persons count as having the property.",
                              "godwit catalogue lists the indicators.");
    return table_resolve(b);
}

// ---- price

static gw_status epsilon_resolve(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    plan->shape.sensitivity = plan->sensitivity;
    plan->shape.tree = plan->tree;
    plan->shape.unit_sensitivity = plan->bound.sensitivity;
    plan->shape.cell_count = plan->cell_count;
    plan->shape.group_size = b->question->group_size ? b->question->group_size : b->policy->planning_cell_persons;
    plan->shape.is_gap = plan->gap.column != NULL;
    if (b->question->has_delta && plan->mechanism != GW_MECHANISM_SELECTION)
        return gw_problem_set(b->problem, GW_INVALID, "bad_delta", "This question costs no delta.",
                              "Only unknown keys do.", "Leave --delta out.");
    if (plan->statistic == GW_STATISTIC_SHARE && plan->cell_count < 2)
        return gw_problem_set(b->problem, GW_INVALID, "by_needed", "A share needs groups to be a share of.",
                              "Without a breakdown there is one group, whose share is 100 %.",
                              "Add a breakdown: --by c_birth");
    if (b->question->has_epsilon) {
        plan->epsilon = b->question->epsilon;
        return GW_OK;
    }
    if (!b->question->target_error)
        return GW_OK;
    double target = strtod(b->question->target_error, NULL);
    if (strcmp(gw_plan_error_unit(plan), "points") == 0)
        target /= 100; // stated in points
    gw_status status = plan->table_count > 0 ? gw_plan_tables_epsilon_up(plan, target, &plan->epsilon)
                                             : gw_cost_epsilon_up(&plan->shape, target, &plan->epsilon);
    if (status == GW_OK) {
        if (plan->epsilon.micro < b->policy->question_min.micro)
            plan->epsilon = b->policy->question_min; // the least there is; the error is smaller than asked for
        return GW_OK;
    }
    return gw_problem_set(b->problem, GW_INVALID, "target_error", "This error cannot be promised.",
                          "No amount of epsilon makes a group of this size that precise.",
                          "State a larger --target-error or a larger --group-size.");
}

gw_status gw_plan_build(const gw_question *question, const gw_policy *policy, const gw_catalogue *catalogue,
                        gw_arena *arena, gw_plan *ret_plan, gw_problem *ret_problem) {
    static gw_status (*const steps[])(const gw_plan_builder *) = {
        statistic_resolve,   gw_plan_measure,   gw_plan_conditions, gw_plan_axes,   gw_plan_tables,
        gw_plan_gap_resolve, gw_plan_grid_make, gw_plan_bounds,     epsilon_resolve};
    gw_plan plan = {.policy = policy};
    gw_plan_builder b = {question, policy, catalogue, arena, ret_problem, &plan};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        gw_status status = steps[i](&b);
        if (status != GW_OK)
            return status;
    }
    if (!plan.measured_cells)
        plan.measured_cells = plan.gap.column ? 2 * plan.cell_count : plan.cell_count;
    plan.measured_parts = plan.measured_parts ? plan.measured_parts : plan.part_count;
    GW_ASSERT(plan.statistic != GW_STATISTIC_RATE || plan.numerator_count > 0);
    GW_ASSERT(plan.statistic != GW_STATISTIC_NET || (plan.plus_count > 0 && plan.minus_count > 0));
    *ret_plan = plan;
    return GW_OK;
}
