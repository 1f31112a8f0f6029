// SPDX-License-Identifier: Apache-2.0
// Resolves names against policy and catalogue, brings filters and breakdowns into canonical order, and works out what
// the statement will return. A wrong name is refused with the nearest right one.
#include "service/query/plan.h"

#include "service/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const gw_question *question;
    const gw_policy *policy;
    const gw_catalogue *catalogue;
    gw_arena *arena;
    gw_problem *problem;
    gw_plan *plan;
} builder;

static gw_status out_of_memory(const builder *b) {
    return gw_problem_set(b->problem, GW_LIMIT, "too_many", "This question is too large.",
                          "It needs more memory than one question may use.", "Ask in several smaller questions.");
}

// ---- names

static const char *const_concepts_nearest(const gw_policy *policy, const char *concept) {
    const char *names[512];
    size_t count = 0;
    for (size_t t = 0; t < policy->table_count; t++)
        for (size_t c = 0; c < policy->tables[t].column_count && count < 512; c++)
            if (policy->tables[t].columns[c].concept)
    names[count++] = policy->tables[t].columns[c].concept;
    return gw_nearest(concept, names, count);
}

static gw_status unknown_concept(const builder *b, const char *concept) {
    const char *nearest = const_concepts_nearest(b->policy, concept);
    gw_status status =
        gw_problem_set(b->problem, GW_INVALID, "unknown_concept", "This dataset has no such concept.", "", "");
    gw_problem_why(b->problem, "\"%s\" is not a concept of %s.", concept, b->policy->dataset);
    if (nearest)
        gw_problem_mend(b->problem, "Did you mean \"%s\"? godwit catalogue %s", nearest, b->policy->dataset);
    else
        gw_problem_mend(b->problem, "godwit catalogue %s", b->policy->dataset);
    return status;
}

static gw_status unknown_code(const builder *b, const gw_plan_axis *axis, const char *code) {
    const char *nearest = gw_nearest(code, axis->codes, axis->code_count);
    gw_status status = gw_problem_set(b->problem, GW_INVALID, "unknown_code", "This concept has no such code.", "", "");
    gw_problem_why(b->problem, "\"%s\" is not a code of %s in %s.", code, axis->concept, b->policy->dataset);
    if (nearest)
        gw_problem_mend(b->problem, "Did you mean \"%s\"? godwit catalogue %s", nearest, b->policy->dataset);
    else
        gw_problem_mend(b->problem, "godwit catalogue %s", b->policy->dataset);
    return status;
}

// The concept with every code it has, in the order of its list; "_U" last. Numeric concepts need a banding.
static gw_status axis_resolve(const builder *b, const char *concept, gw_plan_axis *ret) {
    gw_plan_axis axis = {.concept = concept, .column = gw_table_concept(b->plan->table, concept)};
    if (!axis.column)
        return unknown_concept(b, concept);
    const char *colon = strchr(concept, ':');
    if (axis.column->type == GW_COLUMN_CODE && colon) {
        gw_problem_set(b->problem, GW_INVALID, "unknown_banding", "Only numeric concepts have bandings.", "", "");
        gw_problem_why(b->problem, "%s is a code list; ask for it without \"%s\".", axis.column->concept, colon);
        return GW_INVALID;
    }
    if (axis.column->type != GW_COLUMN_CODE) {
        axis.banding = colon ? gw_column_banding(axis.column, colon + 1) : NULL;
        if (!axis.banding) {
            gw_problem_set(b->problem, GW_INVALID, "unknown_banding",
                           "A numeric concept is grouped by one of its bandings.", "", "");
            gw_problem_why(b->problem, "\"%s\" names no banding of %s.", concept, axis.column->concept);
            if (axis.column->banding_count > 0)
                gw_problem_mend(b->problem, "Write %s:%s.", axis.column->concept, axis.column->bandings[0].name);
            else
                gw_problem_mend(b->problem, "This concept has none: use it in a filter (between).");
            return GW_INVALID;
        }
    }
    size_t count = axis.banding ? axis.banding->band_count + (axis.column->missing == GW_MISSING_UNKNOWN)
                                : axis.column->codelist.code_count;
    const char **codes = gw_arena_array(b->arena, count, sizeof *codes);
    size_t *positions = gw_arena_array(b->arena, count, sizeof *positions);
    if (!codes || !positions)
        return out_of_memory(b);
    for (size_t i = 0; i < count; i++) {
        positions[i] = i;
        if (!axis.banding)
            codes[i] = axis.column->codelist.codes[i].id;
        else
            codes[i] = i < axis.banding->band_count ? axis.banding->bands[i].id : GW_CODE_UNKNOWN;
    }
    axis.codes = codes;
    axis.positions = positions;
    axis.code_count = count;
    *ret = axis;
    return GW_OK;
}

// ---- filters

static int position_compare(const void *a, const void *b) {
    size_t left = *(const size_t *)a, right = *(const size_t *)b;
    return (left > right) - (left < right);
}

// Positions of the filter's codes along the axis, ascending and without repeats.
static gw_status filter_positions(const builder *b, const gw_filter *filter, const gw_plan_axis *axis, size_t **ret,
                                  size_t *ret_count) {
    size_t *positions = gw_arena_array(b->arena, filter->code_count, sizeof *positions);
    if (!positions)
        return out_of_memory(b);
    for (size_t i = 0; i < filter->code_count; i++) {
        size_t at = 0;
        while (at < axis->code_count && strcmp(axis->codes[at], filter->codes[i]) != 0)
            at++;
        if (at == axis->code_count)
            return unknown_code(b, axis, filter->codes[i]);
        positions[i] = at;
    }
    qsort(positions, filter->code_count, sizeof *positions, position_compare);
    size_t count = 0;
    for (size_t i = 0; i < filter->code_count; i++)
        if (count == 0 || positions[count - 1] != positions[i])
            positions[count++] = positions[i];
    *ret = positions;
    *ret_count = count;
    return GW_OK;
}

static gw_status condition_text(const builder *b, gw_plan_condition *condition, const char *concept,
                                const gw_plan_axis *axis, const size_t *positions, size_t count) {
    gw_buffer text;
    gw_buffer_init(&text, 262144);
    gw_buffer_text(&text, "{");
    gw_json_write_member(&text, "concept", concept);
    if (axis) {
        gw_json_write_name(&text, "in");
        gw_buffer_text(&text, "[");
        for (size_t i = 0; i < count; i++) {
            gw_buffer_text(&text, i ? "," : "");
            gw_json_write_string(&text, axis->codes[positions[i]]);
        }
        gw_buffer_text(&text, "]}");
    } else {
        gw_json_write_name(&text, "between");
        gw_buffer_text(&text, "[");
        for (size_t i = 0; i < 2; i++) {
            char number[32];
            gw_column_step_format(condition->column, condition->ranges[0][i], number);
            gw_buffer_text(&text, i ? "," : "");
            gw_json_write_string(&text, number);
        }
        gw_buffer_text(&text, "]}");
    }
    condition->text = text.status == GW_OK ? gw_arena_copy(b->arena, gw_buffer_string(&text), text.size) : NULL;
    gw_buffer_done(&text);
    return condition->text ? GW_OK : out_of_memory(b);
}

static gw_status bad_filter(const builder *b, const gw_filter *filter, const char *why, const char *mend) {
    gw_status status = gw_problem_set(b->problem, GW_INVALID, "bad_filter", "This filter cannot be applied.", "", mend);
    gw_problem_why(b->problem, "On %s: %s", filter->concept, why);
    return status;
}

// between, or equals on a number: one range of steps, rounded inwards to the grid.
static gw_status condition_numeric(const builder *b, const gw_filter *filter, const gw_column *column,
                                   gw_plan_condition *ret) {
    const char *low = filter->kind == GW_FILTER_BETWEEN ? filter->low : filter->codes[0];
    const char *high = filter->kind == GW_FILTER_BETWEEN ? filter->high : filter->codes[0];
    if (strchr(filter->concept, ':') || column->type == GW_COLUMN_CODE)
        return bad_filter(b, filter, "\"between\" needs a numeric concept without a banding.",
                          "Use \"in\" with codes.");
    int64_t(*range)[2] = gw_arena_alloc(b->arena, sizeof *range);
    if (!range)
        return out_of_memory(b);
    if (!gw_column_step_up(column, low, &(*range)[0]) || !gw_column_step_down(column, high, &(*range)[1]))
        return bad_filter(b, filter, "a bound is not a plain decimal number.", "Write numbers like 20 or \"0.5\".");
    if ((*range)[0] < 0)
        (*range)[0] = 0;
    if ((*range)[1] > column->steps)
        (*range)[1] = column->steps;
    if ((*range)[0] > (*range)[1])
        return bad_filter(b, filter, "no value of the concept lies between the bounds.",
                          "godwit catalogue shows the concept's smallest and largest value.");
    *ret = (gw_plan_condition){.column = column, .ranges = (const int64_t(*)[2])range, .range_count = 1};
    return condition_text(b, ret, column->concept, NULL, NULL, 0);
}

static gw_status condition_resolve(const builder *b, const gw_filter *filter, gw_plan_condition *ret) {
    const gw_column *column = gw_table_concept(b->plan->table, filter->concept);
    if (!column)
        return unknown_concept(b, filter->concept);
    bool is_number = column->type != GW_COLUMN_CODE && !strchr(filter->concept, ':');
    if (filter->kind == GW_FILTER_BETWEEN || (is_number && filter->kind == GW_FILTER_EQUALS))
        return condition_numeric(b, filter, column, ret);
    if (is_number)
        return bad_filter(b, filter, "a numeric concept is filtered by \"between\", \"equals\" or a banding's codes.",
                          "Use {\"between\":[low,high]}.");
    gw_plan_axis axis;
    size_t *positions, count;
    gw_status status = axis_resolve(b, filter->concept, &axis);
    if (status == GW_OK)
        status = filter_positions(b, filter, &axis, &positions, &count);
    if (status != GW_OK)
        return status;
    *ret = (gw_plan_condition){.column = column};
    if (!axis.banding) {
        ret->positions = positions;
        ret->position_count = count;
        return condition_text(b, ret, filter->concept, &axis, positions, count);
    }
    int64_t(*ranges)[2] = gw_arena_array(b->arena, count, sizeof *ranges);
    if (!ranges)
        return out_of_memory(b);
    for (size_t i = 0; i < count; i++) {
        if (positions[i] == axis.banding->band_count) {
            ret->with_missing = true;
            continue;
        }
        ranges[ret->range_count][0] = axis.banding->bands[positions[i]].low;
        ranges[ret->range_count++][1] = axis.banding->bands[positions[i]].high;
    }
    ret->ranges = (const int64_t(*)[2])ranges;
    return condition_text(b, ret, filter->concept, &axis, positions, count);
}

static int condition_compare(const void *a, const void *b) {
    return strcmp(((const gw_plan_condition *)a)->text, ((const gw_plan_condition *)b)->text);
}

// In canonical order, without repeats.
static gw_status conditions_resolve(const builder *b, const gw_filter *filters, size_t count,
                                    const gw_plan_condition **ret, size_t *ret_count) {
    gw_plan_condition *conditions = gw_arena_array(b->arena, count ? count : 1, sizeof *conditions);
    if (!conditions)
        return out_of_memory(b);
    for (size_t i = 0; i < count; i++) {
        gw_status status = condition_resolve(b, &filters[i], &conditions[i]);
        if (status != GW_OK)
            return status;
    }
    qsort(conditions, count, sizeof *conditions, condition_compare);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || strcmp(conditions[kept - 1].text, conditions[i].text) != 0)
            conditions[kept++] = conditions[i];
    *ret = conditions;
    *ret_count = kept;
    return GW_OK;
}

static bool ranges_meet(const gw_plan_condition *a, const gw_plan_condition *b) {
    for (size_t i = 0; i < a->range_count; i++)
        for (size_t j = 0; j < b->range_count; j++)
            if (a->ranges[i][0] <= b->ranges[j][1] && b->ranges[j][0] <= a->ranges[i][1])
                return true;
    return a->with_missing && b->with_missing;
}

static bool positions_meet(const gw_plan_condition *a, const gw_plan_condition *b) {
    for (size_t i = 0; i < a->position_count; i++)
        for (size_t j = 0; j < b->position_count; j++)
            if (a->positions[i] == b->positions[j])
                return true;
    return false;
}

static bool conditions_meet(const gw_plan_condition *a, const gw_plan_condition *b) {
    if (a->column != b->column)
        return true;
    return a->column->type == GW_COLUMN_CODE ? positions_meet(a, b) : ranges_meet(a, b);
}

// Two conditions that nobody can satisfy together: the answer is public, and nobody should pay for it.
static gw_status conditions_check(const builder *b) {
    const gw_plan *plan = b->plan;
    size_t count = plan->where_count + plan->population_count;
    for (size_t i = 0; i < plan->where_count; i++)
        for (size_t j = i + 1; j < count; j++) {
            const gw_plan_condition *other =
                j < plan->where_count ? &plan->where[j] : &plan->population[j - plan->where_count];
            if (conditions_meet(&plan->where[i], other))
                continue;
            gw_problem_set(b->problem, GW_INVALID, "bad_filter", "Nobody can be in this group.", "", "");
            gw_problem_why(b->problem, "Two conditions on %s exclude each other%s.", plan->where[i].column->concept,
                           j < plan->where_count ? "" : "; one of them is the indicator's own");
            gw_problem_mend(b->problem, "Change the filter on %s; godwit catalogue shows what the indicator covers.",
                            plan->where[i].column->concept);
            return GW_INVALID;
        }
    return GW_OK;
}

// ---- breakdowns

// A filter on the very concept of the breakdown leaves only its codes as cells: the others are empty by the question.
static gw_status axis_narrow(const builder *b, gw_plan_axis *axis, const gw_filter *filters, size_t count) {
    for (size_t f = 0; f < count; f++) {
        if (strcmp(filters[f].concept, axis->concept) != 0 || filters[f].kind == GW_FILTER_BETWEEN)
            continue;
        const char **codes = gw_arena_array(b->arena, axis->code_count, sizeof *codes);
        size_t *positions = gw_arena_array(b->arena, axis->code_count, sizeof *positions);
        if (!codes || !positions)
            return out_of_memory(b);
        size_t kept = 0;
        for (size_t i = 0; i < axis->code_count; i++) {
            bool is_named = false;
            for (size_t c = 0; c < filters[f].code_count; c++)
                is_named |= strcmp(filters[f].codes[c], axis->codes[i]) == 0;
            if (is_named) {
                codes[kept] = axis->codes[i];
                positions[kept++] = axis->positions[i];
            }
        }
        if (kept == 0)
            return bad_filter(b, &filters[f], "together with the other filters no code is left.", "Drop one of them.");
        axis->codes = codes;
        axis->positions = positions;
        axis->code_count = kept;
    }
    return GW_OK;
}

static int axis_compare(const void *a, const void *b) {
    return strcmp(((const gw_plan_axis *)a)->concept, ((const gw_plan_axis *)b)->concept);
}

static gw_status axes_build(const builder *b) {
    const gw_question *question = b->question;
    const gw_indicator *indicator = b->plan->indicator;
    const char *const *by = question->by;
    size_t count = question->by_count;
    bool is_default = !question->has_by && indicator;
    if (is_default) {
        by = indicator->by_default;
        count = indicator->by_default_count;
    }
    gw_plan_axis *axes = gw_arena_array(b->arena, count ? count : 1, sizeof *axes);
    if (!axes)
        return out_of_memory(b);
    size_t kept = 0, cells = 1;
    for (size_t i = 0; i < count; i++) {
        if (is_default && !gw_table_concept(b->plan->table, by[i]))
            continue; // the indicator's habit, not the asker's wish
        gw_status status = axis_resolve(b, by[i], &axes[kept]);
        if (status == GW_OK)
            status = axis_narrow(b, &axes[kept], question->where, question->where_count);
        if (status == GW_OK && indicator)
            status = axis_narrow(b, &axes[kept], indicator->population, indicator->population_count);
        if (status != GW_OK)
            return status;
        if (__builtin_mul_overflow(cells, axes[kept].code_count, &cells) || cells > GW_PLAN_CELLS_MAX) {
            gw_status refused = gw_problem_set(b->problem, GW_LIMIT, "too_many_cells", "This table has too many cells.",
                                               "", "Use fewer or coarser breakdowns.");
            gw_problem_why(b->problem, "One question may have at most %u cells.", GW_PLAN_CELLS_MAX);
            return refused;
        }
        kept++;
    }
    qsort(axes, kept, sizeof *axes, axis_compare);
    b->plan->axes = axes;
    b->plan->axis_count = kept;
    b->plan->cell_count = cells;
    return GW_OK;
}

// ---- statistic and table

static gw_status statistic_resolve(const builder *b) {
    gw_plan *plan = b->plan;
    if (b->question->indicator) {
        plan->indicator = gw_catalogue_find(b->catalogue, b->question->indicator);
        if (!plan->indicator) {
            const char *nearest = gw_catalogue_nearest(b->catalogue, b->question->indicator);
            gw_problem_set(b->problem, GW_NOT_FOUND, "unknown_indicator", "There is no such indicator.", "", "");
            gw_problem_why(b->problem, "\"%s\" is not in the catalogue.", b->question->indicator);
            if (nearest)
                gw_problem_mend(b->problem, "Did you mean \"%s\"? godwit catalogue", nearest);
            else
                gw_problem_mend(b->problem, "godwit catalogue");
            return GW_NOT_FOUND;
        }
        plan->statistic = plan->indicator->statistic;
        const char *missing = NULL;
        plan->table = gw_indicator_table(plan->indicator, b->policy, &missing);
        if (!plan->table) {
            gw_problem_set(b->problem, GW_INVALID, "concept_missing",
                           "This indicator cannot be computed on this dataset.", "", "");
            gw_problem_why(b->problem, "%s needs the concept \"%s\", which %s does not have.", plan->indicator->id,
                           missing ? missing : "?", b->policy->dataset);
            gw_problem_mend(b->problem, "godwit catalogue %s", b->policy->dataset);
            return GW_INVALID;
        }
        return GW_OK;
    }
    plan->statistic = b->question->statistic;
    plan->table = &b->policy->tables[0];
    for (size_t t = 0; b->question->of && t < b->policy->table_count; t++)
        if (gw_table_concept(&b->policy->tables[t], b->question->of)) {
            plan->table = &b->policy->tables[t];
            break;
        }
    if (plan->statistic == GW_STATISTIC_RATE)
        return gw_problem_set(b->problem, GW_INVALID, "of_needed", "A rate is asked by an indicator.",
                              "A bare measure does not say which persons count as having the property.",
                              "godwit catalogue lists the indicators.");
    return GW_OK;
}

static gw_status measure_resolve(const builder *b) {
    gw_plan *plan = b->plan;
    plan->sensitivity = 1;
    plan->part_count = plan->statistic == GW_STATISTIC_RATE || plan->statistic == GW_STATISTIC_MEAN ? 2 : 1;
    plan->shape = (gw_cost_shape){.statistic = plan->statistic, .range = 1};
    plan->shape.unit = plan->shape.unit_mean = 1;
    if (plan->statistic == GW_STATISTIC_COUNT)
        plan->unit = "PS";
    if (plan->statistic == GW_STATISTIC_SHARE || plan->statistic == GW_STATISTIC_RATE) {
        plan->unit = "PC";
        plan->decimals = 1;
    }
    if (plan->statistic == GW_STATISTIC_MEAN) {
        const char *of = plan->indicator ? plan->indicator->of : b->question->of;
        const gw_column *column = of ? gw_table_concept(plan->table, of) : NULL;
        if (of && !column)
            return unknown_concept(b, of);
        if (!column || column->type == GW_COLUMN_CODE || strchr(of, ':'))
            return gw_problem_set(b->problem, GW_INVALID, "of_needed", "A mean needs a numeric concept.",
                                  "Only concepts with a smallest and a largest value in the policy have means.",
                                  "Write \"measure\":{\"statistic\":\"mean\",\"of\":\"income\"}.");
        plan->of = column;
        plan->sensitivity = (uint64_t)column->steps;
        plan->unit = column->unit ? column->unit : "NR";
        plan->decimals = 1;
        double power = 1;
        for (unsigned i = 0; i < column->scale; i++)
            power *= 10;
        plan->shape.range = (double)(column->max_scaled - column->min_scaled) / power;
    }
    if (plan->indicator) {
        plan->decimals = plan->indicator->decimals;
        if (plan->indicator->unit)
            plan->unit = plan->indicator->unit;
    }
    if (plan->table->rows_per_person_max > 1) {
        gw_problem_set(b->problem, GW_INVALID, "many_rows", "This table may hold several rows of one person.", "",
                       "Ask about a table with one row per person: godwit catalogue");
        gw_problem_why(b->problem, "Statistics on table \"%s\" need each person's rows bounded; they are not offered.",
                       plan->table->name);
        return GW_INVALID;
    }
    return GW_OK;
}

// ---- price

static gw_status epsilon_resolve(const builder *b) {
    gw_plan *plan = b->plan;
    plan->shape.sensitivity = plan->sensitivity;
    plan->shape.cell_count = plan->cell_count;
    plan->shape.group_size = b->question->group_size ? b->question->group_size : b->policy->planning_cell_persons;
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
    if (plan->statistic == GW_STATISTIC_RATE || plan->statistic == GW_STATISTIC_SHARE)
        target /= 100; // stated in points
    if (gw_cost_epsilon_up(&plan->shape, target, &plan->epsilon) == GW_OK)
        return GW_OK;
    return gw_problem_set(b->problem, GW_INVALID, "target_error", "This error cannot be promised.",
                          "No amount of epsilon makes a group of this size that precise.",
                          "State a larger --target-error or a larger --group-size.");
}

gw_status gw_plan_build(const gw_question *question, const gw_policy *policy, const gw_catalogue *catalogue,
                        gw_arena *arena, gw_plan *ret_plan, gw_problem *ret_problem) {
    gw_plan plan = {.policy = policy};
    builder b = {question, policy, catalogue, arena, ret_problem, &plan};
    gw_status status = statistic_resolve(&b);
    if (status == GW_OK)
        status = measure_resolve(&b);
    if (status == GW_OK)
        status = conditions_resolve(&b, question->where, question->where_count, &plan.where, &plan.where_count);
    if (status == GW_OK && plan.indicator)
        status = conditions_resolve(&b, plan.indicator->population, plan.indicator->population_count, &plan.population,
                                    &plan.population_count);
    if (status == GW_OK && plan.indicator)
        status = conditions_resolve(&b, plan.indicator->numerator, plan.indicator->numerator_count, &plan.numerator,
                                    &plan.numerator_count);
    if (status == GW_OK)
        status = conditions_check(&b);
    if (status == GW_OK)
        status = axes_build(&b);
    if (status == GW_OK)
        status = epsilon_resolve(&b);
    if (status != GW_OK)
        return status;
    GW_ASSERT(plan.statistic != GW_STATISTIC_RATE || plan.numerator_count > 0);
    *ret_plan = plan;
    return GW_OK;
}
