// SPDX-License-Identifier: Apache-2.0
// The error a question would have, before it is asked, and what else could be asked for. From public figures alone:
// privacy/cost.h, the policy's planning sizes, the asker's own group size.
#include "service/query/facts.h"
#include "service/query/plan_tables.h"

#include "privacy/derive/keys.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_SIZE_MAX 100000000000u // as a question may state it
#define FIGURE_TEXT 64

// ---- figures

// Three significant digits: a promise of error is not more precise than that.
static int figure_decimals(double value) {
    return value >= 100 || value == 0 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
}

// null where there is no such figure: of a group that the noise may hide, no ratio has a range.
static void write_figure(gw_buffer *out, const char *name, double value) {
    char text[FIGURE_TEXT];
    snprintf(text, sizeof text, "%.*f", figure_decimals(value), value);
    gw_json_write_member(out, name, isfinite(value) ? text : NULL);
}

// Rounded up, so that who states the figure gets it.
static void figure_format_up(double value, char text[FIGURE_TEXT]) {
    int decimals = figure_decimals(value);
    double power = pow(10, decimals);
    snprintf(text, FIGURE_TEXT, "%.*f", decimals, ceil(value * power) / power);
    if (!strchr(text, '.'))
        return;
    size_t size = strlen(text);
    while (text[size - 1] == '0')
        text[--size] = '\0';
    if (text[size - 1] == '.')
        text[size - 1] = '\0';
}

static bool is_fraction(const gw_plan *plan) {
    return strcmp(gw_plan_error_unit(plan), "points") == 0;
}

// Counts, sums and nets have the same error whatever the group; what is divided by its size has not.
static bool depends_on_group(const gw_plan *plan) {
    return plan->statistic != GW_STATISTIC_COUNT && plan->statistic != GW_STATISTIC_SUM &&
           plan->statistic != GW_STATISTIC_NET && plan->statistic != GW_STATISTIC_HISTOGRAM &&
           plan->statistic != GW_STATISTIC_QUANTILE && plan->statistic != GW_STATISTIC_SERIES &&
           plan->statistic != GW_STATISTIC_KEYS;
}

static double half_width(const gw_plan *plan, uint64_t group_size, gw_epsilon epsilon, uint32_t level) {
    gw_cost_shape shape = plan->shape;
    shape.group_size = group_size;
    if (plan->table_count > 0)
        return gw_plan_tables_error(plan, epsilon, level);
    return (is_fraction(plan) ? 100 : 1) * gw_cost_half_width(&shape, epsilon, level);
}

// ---- error

static void write_group(const gw_plan *plan, uint64_t group_size, gw_buffer *out) {
    gw_json_write_integer(out, "group_size", (int64_t)group_size);
    write_figure(out, "half_width_95", half_width(plan, group_size, plan->epsilon, GW_LEVEL_95));
    write_figure(out, "half_width_50", half_width(plan, group_size, plan->epsilon, GW_LEVEL_50));
}

// The group that was meant, and groups a tenth and ten times as large: no table has cells of one size.
static void write_groups(const gw_plan *plan, gw_buffer *out) {
    uint64_t typical = plan->shape.group_size;
    const uint64_t sizes[] = {typical / 10, typical, typical > GROUP_SIZE_MAX / 10 ? GROUP_SIZE_MAX : typical * 10};
    const char *comma = "";
    gw_json_write_name(out, "groups");
    gw_buffer_text(out, "[");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (sizes[i] == 0 || (plan->table_count > 0 && i != 1))
            continue; // counts have one error
        gw_buffer_text(out, comma);
        gw_buffer_text(out, "{");
        write_group(plan, sizes[i], out);
        gw_buffer_text(out, "}");
        comma = ",";
    }
    gw_buffer_text(out, "]");
}

// Every weight is protected as if it were the largest: what that is, in the weight's own unit.
static void write_weight(const gw_plan *plan, gw_buffer *out) {
    if (!plan->weight)
        return;
    char largest[32];
    gw_column_step_format(plan->weight, plan->weight->steps, largest);
    gw_json_write_member(out, "weight_max", largest);
}

// Which keys will be shown at all.
static void write_selection(const gw_plan *plan, gw_buffer *out) {
    const gw_selection_price price = {plan->epsilon, plan->sensitivity, {plan->delta}};
    char delta[GW_DELTA_TEXT];
    gw_delta_format((gw_delta){plan->delta}, delta);
    gw_json_write_name(out, "selection");
    gw_buffer_text(out, "{");
    gw_json_write_member(out, "delta", delta);
    gw_json_write_integer(out, "keys_max", (int64_t)plan->cell_count);
    gw_json_write_integer(out, "keys_per_person", (int64_t)plan->sensitivity);
    gw_json_write_integer(out, "shown_half", (int64_t)gw_keys_price_persons(price, 0.5));
    gw_json_write_integer(out, "shown_99", (int64_t)gw_keys_price_persons(price, 0.99));
    gw_buffer_text(out, "}");
}

// Each table's own error: the largest of those asked for is the question's.
static void write_tables(const gw_plan *plan, gw_buffer *out) {
    double likely[GW_TABLES_MAX], half[GW_TABLES_MAX];
    if (plan->table_count == 0)
        return;
    gw_plan_tables_errors(plan, plan->epsilon, GW_LEVEL_95, likely);
    gw_plan_tables_errors(plan, plan->epsilon, GW_LEVEL_50, half);
    gw_json_write_name(out, "tables");
    gw_buffer_text(out, "[");
    for (size_t i = 0; i < plan->table_count; i++) {
        const char *comma = "";
        gw_buffer_text(out, i ? ",{\"by\":[" : "{\"by\":[");
        for (size_t axis = 0; axis < plan->axis_count; axis++) {
            if ((plan->tables[i].axes >> axis & 1) == 0)
                continue;
            gw_buffer_text(out, comma);
            gw_json_write_string(out, plan->axes[axis].concept);
            comma = ",";
        }
        gw_buffer_text(out, "]");
        gw_json_write_integer(out, "cells", (int64_t)plan->tables[i].cell_count);
        gw_buffer_text(out, plan->tables[i].is_asked ? ",\"asked\":true" : ",\"asked\":false");
        write_figure(out, "half_width_95", likely[i]);
        write_figure(out, "half_width_50", half[i]);
        gw_buffer_text(out, "}");
    }
    gw_buffer_text(out, "]");
}

static void write_error(const gw_plan *plan, gw_buffer *out) {
    gw_json_write_name(out, "error");
    gw_buffer_text(out, "{");
    gw_json_write_member(out, "unit", gw_plan_error_unit(plan));
    gw_json_write_name(out, "depends_on_group");
    gw_buffer_text(out, depends_on_group(plan) ? "true" : "false");
    write_group(plan, plan->shape.group_size, out);
    write_groups(plan, out);
    write_tables(plan, out);
    write_weight(plan, out);
    if (plan->mechanism == GW_MECHANISM_SELECTION)
        write_selection(plan, out);
    gw_buffer_text(out, "}");
}

// ---- instead

typedef struct {
    const gw_plan *plan;
    bool has_target;
    gw_buffer *out;
    const char *comma;
} alternatives;

static bool may_cost(const gw_plan *plan, gw_epsilon epsilon) {
    return epsilon.micro >= plan->policy->question_min.micro && epsilon.micro <= plan->policy->question_max.micro;
}

static void alternative_begin(alternatives *to, const char *change, gw_epsilon epsilon, uint64_t group_size) {
    gw_buffer_text(to->out, to->comma);
    gw_buffer_text(to->out, "{");
    gw_json_write_member(to->out, "change", change);
    gw_json_write_epsilon(to->out, "epsilon", epsilon);
    gw_json_write_integer(to->out, "group_size", (int64_t)group_size);
    write_figure(to->out, "half_width_95", half_width(to->plan, group_size, epsilon, GW_LEVEL_95));
    to->comma = ",";
}

static void write_other_price(alternatives *to, const char *change, gw_epsilon epsilon) {
    if (!may_cost(to->plan, epsilon))
        return;
    alternative_begin(to, change, epsilon, to->plan->shape.group_size);
    gw_buffer_text(to->out, "}");
}

// Where the price followed from an error, larger groups make it smaller; otherwise they make the error smaller.
static gw_epsilon price_for_group(const alternatives *to, uint64_t group_size) {
    const gw_plan *plan = to->plan;
    gw_cost_shape shape = plan->shape;
    gw_epsilon epsilon;
    double target = gw_cost_half_width(&shape, plan->epsilon, GW_LEVEL_95);
    shape.group_size = group_size;
    if (!to->has_target || gw_cost_epsilon_up(&shape, target, &epsilon) != GW_OK)
        return plan->epsilon;
    return epsilon.micro < plan->policy->question_min.micro ? plan->policy->question_min : epsilon;
}

static uint64_t group_times(const gw_plan *plan, size_t times) {
    uint64_t size = plan->shape.group_size;
    return size > GROUP_SIZE_MAX / times ? GROUP_SIZE_MAX : size * times;
}

// Without its finest breakdown, the table's groups hold as many times the people as that breakdown has codes.
static void write_fewer_breakdowns(alternatives *to) {
    const gw_plan *plan = to->plan;
    size_t finest = 0;
    if (plan->axis_count == 0 || (plan->statistic == GW_STATISTIC_SHARE && plan->axis_count == 1))
        return; // a share needs groups
    for (size_t i = 1; i < plan->axis_count; i++)
        if (plan->axes[i].code_count > plan->axes[finest].code_count)
            finest = i;
    uint64_t size = group_times(plan, plan->axes[finest].code_count);
    if (size == plan->shape.group_size)
        return;
    alternative_begin(to, "fewer_breakdowns", price_for_group(to, size), size);
    gw_json_write_member(to->out, "without", plan->axes[finest].concept);
    gw_buffer_text(to->out, "}");
}

static void write_larger_group(alternatives *to) {
    uint64_t size = group_times(to->plan, 10);
    if (size == to->plan->shape.group_size)
        return;
    alternative_begin(to, "larger_group", price_for_group(to, size), size);
    gw_buffer_text(to->out, "}");
}

static void write_instead(const gw_plan *plan, bool has_target, gw_buffer *out) {
    alternatives to = {.plan = plan, .has_target = has_target, .out = out, .comma = ""};
    gw_json_write_name(out, "instead");
    gw_buffer_text(out, "[");
    write_other_price(&to, "double_error", (gw_epsilon){plan->epsilon.micro / 2});
    write_other_price(&to, "half_error", (gw_epsilon){plan->epsilon.micro * 2});
    if (depends_on_group(plan) && plan->shape.group_size > 0) {
        write_fewer_breakdowns(&to);
        write_larger_group(&to);
    }
    gw_buffer_text(out, "]");
}

void gw_facts_write_error(const gw_plan *plan, bool has_target, gw_buffer *out) {
    write_error(plan, out);
    write_instead(plan, has_target, out);
}

// ---- out of reach

// The smallest group whose error at this price is within `target`; 0 where none is.
static uint64_t group_size_for(const gw_plan *plan, double target) {
    uint64_t low = 0, high = GROUP_SIZE_MAX;
    if (!depends_on_group(plan) || !(half_width(plan, high, plan->epsilon, GW_LEVEL_95) <= target))
        return 0;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (half_width(plan, middle, plan->epsilon, GW_LEVEL_95) <= target)
            high = middle;
        else
            low = middle;
    }
    return high;
}

// Two significant digits, rounded up: 2,137 -> 2,200.
static uint64_t size_round_up(uint64_t size) {
    uint64_t power = 1;
    while (size / power >= 100)
        power *= 10;
    return (size + power - 1) / power * power;
}

bool gw_facts_target_out_of_reach(const gw_question *question, const gw_policy *policy, const gw_catalogue *catalogue,
                                  gw_arena *arena, gw_problem *ret_problem) {
    if (!question->target_error || question->has_epsilon)
        return false;
    gw_question dearest = *question;
    gw_plan plan;
    gw_problem ignored = {0};
    dearest.target_error = NULL;
    dearest.has_epsilon = true;
    dearest.epsilon = policy->question_max;
    if (gw_plan_build(&dearest, policy, catalogue, arena, &plan, &ignored) != GW_OK)
        return false; // something else is wrong, and was said
    double target = strtod(question->target_error, NULL);
    double smallest = half_width(&plan, plan.shape.group_size, plan.epsilon, GW_LEVEL_95);
    if (smallest <= target)
        return false;
    char most[GW_EPSILON_TEXT], smallest_text[FIGURE_TEXT] = "";
    bool is_none = !isfinite(smallest); // no error at all can be stated
    gw_epsilon_format(policy->question_max, most);
    if (!is_none)
        figure_format_up(smallest, smallest_text);
    uint64_t size = size_round_up(group_size_for(&plan, target));
    char group_text[64] = "", size_text[80] = "", stated_text[48] = "";
    if (depends_on_group(&plan))
        snprintf(group_text, sizeof group_text, " for a group of %llu people",
                 (unsigned long long)plan.shape.group_size);
    if (size > 0)
        snprintf(size_text, sizeof size_text, " Groups of %llu people would reach it.", (unsigned long long)size);
    if (question->group_size > 0)
        snprintf(stated_text, sizeof stated_text, " --group-size %llu", (unsigned long long)question->group_size);
    gw_problem_set(ret_problem, GW_INVALID, "target_error", "No price reaches this error.", "", "");
    if (is_none) {
        gw_problem_why(ret_problem,
                       "One question may cost at most %s, and that bounds no error%s; you asked for ±%s.%s", most,
                       group_text, question->target_error, size_text);
        gw_problem_mend(ret_problem, "State a larger --group-size, or ask about larger groups.");
        return true;
    }
    gw_problem_why(ret_problem, "One question may cost at most %s, and that makes ±%s %s%s; you asked for ±%s.%s", most,
                   smallest_text, gw_plan_error_unit(&plan), group_text, question->target_error, size_text);
    gw_problem_mend(ret_problem, "godwit cost %s%s%s --target-error %s%s", policy->dataset,
                    question->indicator ? " " : "", question->indicator ? question->indicator : "", smallest_text,
                    stated_text);
    return true;
}
