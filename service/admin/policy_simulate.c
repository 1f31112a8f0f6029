// SPDX-License-Identifier: Apache-2.0
// Typical questions are made from what the policy grants, and every figure from the same plan a real question gets.
#include "service/admin/policy_simulate.h"
#include "privacy/accounting/zcdp.h"
#include "service/policy/policy_decide.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const gw_policy *policy;
    const gw_catalogue *catalogue;
    gw_arena *arena;
    gw_simulation *simulation;
} simulator;

unsigned gw_simulation_odds_up(gw_epsilon epsilon) {
    double odds = 1000 / (1 + exp(-(double)epsilon.micro / 1e6));
    return odds > 999 ? 999 : (unsigned)ceil(odds - 1e-9);
}

// Between the two, by factor: 0.01 and 0.5 -> 0.07; one figure is precise enough.
static gw_epsilon price_between(gw_epsilon low, gw_epsilon high) {
    double middle = sqrt((double)low.micro * (double)high.micro);
    double unit = pow(10, floor(log10(middle)));
    gw_epsilon price = {(uint64_t)(round(middle / unit) * unit)};
    return price.micro < low.micro ? low : price.micro > high.micro ? high : price;
}

// ---- one question

static bool any_role_may(const gw_policy *policy, const gw_table *table, gw_statistic statistic) {
    for (size_t g = 0; g < policy->grant_count; g++) {
        const gw_grant *grant = &policy->grants[g];
        bool has_table = false, has_statistic = false;
        for (size_t i = 0; i < grant->table_count; i++)
            has_table |= strcmp(grant->tables[i], table->name) == 0;
        for (size_t i = 0; i < grant->statistic_count; i++)
            has_statistic |= grant->statistics[i] == statistic;
        if (has_table && has_statistic)
            return true;
    }
    return false;
}

// Sums and counts have their steps in the unit, the weight's among them. Ratios have the value's alone, because the
// weight's cancels in the figure; in what one person moves it does not.
static double moved_by_one(const gw_plan *plan) {
    double moves = (double)plan->sensitivity * gw_plan_number(plan->step_scaled, plan->step_scale);
    bool is_amount = plan->statistic == GW_STATISTIC_COUNT || plan->statistic == GW_STATISTIC_SUM ||
                     plan->statistic == GW_STATISTIC_NET || plan->statistic == GW_STATISTIC_HISTOGRAM;
    if (plan->weight != NULL && !is_amount)
        moves *= gw_plan_number(plan->weight->grid_scaled / plan->weight_line.factor, plan->weight->scale);
    return moves;
}

static void title_write(const gw_question *question, const gw_plan *plan, char title[256]) {
    gw_buffer text;
    gw_buffer_init(&text, 4096);
    if (plan != NULL)
        gw_plan_title(plan, &text);
    else if (question->indicator != NULL)
        gw_buffer_text(&text, question->indicator);
    else
        gw_buffer_format(&text, "%s%s%s", gw_statistic_name(question->statistic), question->of == NULL ? "" : " of ",
                         question->of == NULL ? "" : question->of);
    snprintf(title, 256, "%s", gw_buffer_string(&text)); // cut, it is only shown
    gw_buffer_done(&text);
}

static void question_add(simulator *s, const gw_question *question) {
    gw_simulation *simulation = s->simulation;
    if (simulation->question_count == GW_SIMULATION_QUESTIONS_MAX)
        return;
    gw_simulated_question *ret = &simulation->questions[simulation->question_count++];
    gw_plan plan;
    gw_problem problem = {0};
    *ret = (gw_simulated_question){.bound = ""};
    gw_status status = gw_plan_build(question, s->policy, s->catalogue, s->arena, &plan, &problem);
    bool is_planned = status == GW_OK;
    if (is_planned && !any_role_may(s->policy, plan.table, plan.statistic)) {
        status = GW_DENIED;
        gw_problem_why(&problem, "No grant lets anybody ask for a %s on %s.", gw_statistic_name(plan.statistic),
                       plan.table->name);
    }
    title_write(question, is_planned ? &plan : NULL, ret->title);
    if (status != GW_OK) {
        snprintf(ret->refused, sizeof ret->refused, "%.630s", problem.why[0] != '\0' ? problem.why : problem.what);
        return;
    }
    bool is_part = plan.statistic == GW_STATISTIC_RATE || plan.statistic == GW_STATISTIC_SHARE;
    snprintf(ret->error_unit, sizeof ret->error_unit, "%.31s", gw_plan_error_unit(&plan));
    ret->bound = gw_bound_kind_name(plan.bound.kind);
    ret->sensitivity = plan.sensitivity;
    ret->moves = moved_by_one(&plan);
    ret->cell_count = plan.cell_count;
    ret->group_size = plan.shape.group_size;
    for (size_t i = 0; i < GW_SIMULATION_PRICES; i++)
        ret->half_width[i] = (is_part ? 100 : 1) * gw_cost_half_width(&plan.shape, simulation->prices[i], GW_LEVEL_95);
}

// ---- typical questions

// The first concept that cells can be made of: a code column, or a banding.
static const char *breakdown_of(simulator *s, const gw_table *table) {
    for (size_t i = 0; i < gw_table_concept_count(table); i++) {
        const gw_column *column = gw_table_concept_at(table, i);
        if (column->type == GW_COLUMN_CODE)
            return column->concept;
        if (column->banding_count > 0)
            return gw_arena_format(s->arena, "%s:%s", column->concept, column->bandings[0].name);
    }
    return NULL;
}

static void typical_add(simulator *s, const gw_table *table, gw_statistic statistic, const char *of, const char *by) {
    const char **axis = gw_arena_array(s->arena, 1, sizeof *axis);
    if (axis == NULL)
        return;
    axis[0] = by;
    gw_question question = {.kind = GW_KIND_COST,
                            .dataset = s->policy->dataset,
                            .statistic = statistic,
                            .of = of,
                            .table = table->name,
                            .by = axis,
                            .by_count = by != NULL,
                            .has_by = true};
    question_add(s, &question);
}

static void typical_of_table(simulator *s, const gw_table *table) {
    const char *by = breakdown_of(s, table);
    if (any_role_may(s->policy, table, GW_STATISTIC_COUNT)) {
        typical_add(s, table, GW_STATISTIC_COUNT, NULL, NULL);
        if (by != NULL)
            typical_add(s, table, GW_STATISTIC_COUNT, NULL, by);
    }
    if (by != NULL && any_role_may(s->policy, table, GW_STATISTIC_SHARE))
        typical_add(s, table, GW_STATISTIC_SHARE, NULL, by);
    static const gw_statistic of_numbers[] = {GW_STATISTIC_MEAN, GW_STATISTIC_SUM};
    for (size_t k = 0; k < sizeof of_numbers / sizeof of_numbers[0]; k++)
        for (size_t c = 0; c < table->column_count && any_role_may(s->policy, table, of_numbers[k]); c++)
            if (gw_column_is_number(&table->columns[c]) && table->columns[c].concept != NULL)
                typical_add(s, table, of_numbers[k], table->columns[c].concept, by);
}

static void typical_of_indicators(simulator *s) {
    for (size_t i = 0; i < gw_catalogue_count(s->catalogue); i++) {
        const gw_indicator *indicator = gw_catalogue_at(s->catalogue, i);
        const gw_table *table = gw_indicator_table(indicator, s->policy, NULL);
        if (table == NULL || !any_role_may(s->policy, table, indicator->statistic))
            continue;
        // By what the table has of the usual breakdowns.
        const char **axes = gw_arena_array(s->arena, GW_BY_MAX, sizeof *axes);
        size_t count = 0;
        for (size_t b = 0; axes != NULL && b < indicator->by_default_count && b < GW_BY_MAX; b++)
            if (gw_table_concept(table, indicator->by_default[b]) != NULL)
                axes[count++] = indicator->by_default[b];
        const char *by = breakdown_of(s, table);
        if (axes != NULL && count == 0 && indicator->statistic == GW_STATISTIC_SHARE && by != NULL)
            axes[count++] = by; // a share is one among groups
        gw_question question = {.kind = GW_KIND_COST,
                                .dataset = s->policy->dataset,
                                .indicator = indicator->id,
                                .by = axes,
                                .by_count = count,
                                .has_by = true};
        question_add(s, &question);
    }
}

// ---- the whole

static void budgets_fill(gw_simulation *simulation) {
    const gw_policy *policy = simulation->policy;
    simulation->budgets[0] = (gw_simulated_budget){.name = "each asker", .total = policy->per_principal};
    simulation->budgets[1] =
        (gw_simulated_budget){.name = "time window", .total = policy->window_total, .days = policy->window_days};
    simulation->budgets[2] =
        (gw_simulated_budget){.name = "lifetime", .total = policy->lifetime, .delta = policy->delta};
    for (size_t b = 0; b < 3; b++) {
        const gw_simulated_budget *budget = &simulation->budgets[b];
        gw_loss total = {.micro = budget->total.micro, .rho = gw_rho_total(budget->total, budget->delta)};
        for (size_t p = 0; p < GW_SIMULATION_PRICES; p++)
            simulation->budgets[b].tables[p] = gw_zcdp_fits(total, (gw_loss){0}, simulation->prices[p]);
    }
}

static gw_status indicators_fill(simulator *s) {
    size_t count = gw_catalogue_count(s->catalogue);
    s->simulation->indicators = gw_arena_array(s->arena, count + 1, sizeof *s->simulation->indicators);
    if (s->simulation->indicators == NULL)
        return GW_LIMIT;
    for (size_t i = 0; i < count; i++) {
        const gw_indicator *indicator = gw_catalogue_at(s->catalogue, i);
        const char *missing = NULL;
        const gw_table *table = gw_indicator_table(indicator, s->policy, &missing);
        s->simulation->indicators[i] = (gw_simulated_indicator){
            .id = indicator->id,
            .label = indicator->label,
            .missing = table != NULL     ? NULL
                       : missing == NULL ? "its codes"
                                         : missing,
            .statistic = gw_statistic_name(indicator->statistic),
            .is_granted = table != NULL && any_role_may(s->policy, table, indicator->statistic)};
    }
    s->simulation->indicator_count = count;
    return GW_OK;
}

gw_status gw_policy_simulate(const gw_policy *policy, const gw_catalogue *catalogue, const gw_question *questions,
                             size_t question_count, gw_arena *arena, gw_simulation *ret_simulation) {
    gw_simulation simulation = {.policy = policy};
    simulator s = {policy, catalogue, arena, &simulation};
    simulation.prices[0] = policy->question_min;
    simulation.prices[1] = price_between(policy->question_min, policy->question_max);
    simulation.prices[2] = policy->question_max;
    simulation.questions = gw_arena_array(arena, GW_SIMULATION_QUESTIONS_MAX, sizeof *simulation.questions);
    if (simulation.questions == NULL)
        return GW_LIMIT;
    budgets_fill(&simulation);
    gw_status status = indicators_fill(&s);
    if (status != GW_OK)
        return status;
    for (size_t i = 0; questions != NULL && i < question_count; i++)
        question_add(&s, &questions[i]);
    for (size_t t = 0; questions == NULL && t < policy->table_count; t++)
        typical_of_table(&s, &policy->tables[t]);
    if (questions == NULL)
        typical_of_indicators(&s);
    *ret_simulation = simulation;
    return GW_OK;
}
