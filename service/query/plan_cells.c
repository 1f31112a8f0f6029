// SPDX-License-Identifier: Apache-2.0
// Names into columns, filters into conditions and breakdowns into declared cells, each in canonical order. A wrong name
// is refused with the nearest right one.
#include "service/query/plan_build.h"

#include "privacy/exact_table.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

gw_status gw_plan_too_large(const gw_plan_builder *b) {
    return gw_problem_set(b->problem, GW_LIMIT, "too_many", "This question is too large.",
                          "It needs more memory than one question may use.", "Ask in several smaller questions.");
}

// ---- names

static const char *concept_nearest(const gw_policy *policy, const char *concept) {
    const char *names[512];
    size_t count = 0;
    for (size_t t = 0; t < policy->table_count; t++) {
        const gw_table *table = &policy->tables[t];
        for (size_t c = 0; c < gw_table_concept_count(table) && count < 512; c++)
            names[count++] = gw_table_concept_at(table, c)->concept;
    }
    return gw_nearest(concept, names, count);
}

// Some other table may have it: then the question was put to the wrong one.
static const gw_table *table_with(const gw_policy *policy, const char *concept) {
    for (size_t t = 0; t < policy->table_count; t++)
        if (gw_table_concept(&policy->tables[t], concept))
            return &policy->tables[t];
    return NULL;
}

gw_status gw_plan_unknown_concept(const gw_plan_builder *b, const char *concept) {
    const gw_table *other = table_with(b->policy, concept);
    if (other) {
        gw_problem_set(b->problem, GW_INVALID, "unknown_concept", "This table has no such concept.", "", "");
        gw_problem_why(b->problem, "\"%s\" is a concept of the table %s, and this question is about the table %s.",
                       concept, other->name, b->plan->table->name);
        if (b->plan->indicator)
            gw_problem_mend(b->problem, "Leave it out, or ask for a measure of the table %s.", other->name);
        else
            gw_problem_mend(b->problem, "Leave it out, or ask about the table %s.", other->name);
        return GW_INVALID;
    }
    const char *nearest = concept_nearest(b->policy, concept);
    gw_status status =
        gw_problem_set(b->problem, GW_INVALID, "unknown_concept", "This dataset has no such concept.", "", "");
    gw_problem_why(b->problem, "\"%s\" is not a concept of %s.", concept, b->policy->dataset);
    if (nearest)
        gw_problem_mend(b->problem, "Did you mean \"%s\"? godwit catalogue %s", nearest, b->policy->dataset);
    else
        gw_problem_mend(b->problem, "godwit catalogue %s", b->policy->dataset);
    return status;
}

// People type what they read: "Female" is meant for F.
static const char *code_by_label(const gw_plan_axis *axis, const char *label) {
    for (size_t i = 0; !axis->banding && i < axis->code_count; i++) {
        const gw_code *code = &axis->column->codelist.codes[axis->positions[i]];
        if (code->label && strcasecmp(code->label, label) == 0)
            return code->id;
    }
    return NULL;
}

gw_status gw_plan_unknown_code(const gw_plan_builder *b, const gw_plan_axis *axis, const char *code) {
    const char *nearest = code_by_label(axis, code);
    if (!nearest)
        nearest = gw_nearest(code, axis->codes, axis->code_count);
    gw_status status = gw_problem_set(b->problem, GW_INVALID, "unknown_code", "This concept has no such code.", "", "");
    gw_problem_why(b->problem, "\"%s\" is not a code of %s in %s.", code, axis->concept, b->policy->dataset);
    if (nearest)
        gw_problem_mend(b->problem, "Did you mean \"%s\"? godwit catalogue %s", nearest, b->policy->dataset);
    else
        gw_problem_mend(b->problem, "godwit catalogue %s", b->policy->dataset);
    return status;
}

// The concept with every code it has, in the order of its list; "_U" last. Numeric concepts need a banding.
gw_status gw_plan_axis_resolve(const gw_plan_builder *b, const char *concept, gw_plan_axis *ret) {
    gw_plan_axis axis = {.concept = concept, .column = gw_table_concept(b->plan->table, concept)};
    if (!axis.column)
        return gw_plan_unknown_concept(b, concept);
    if (axis.column->type == GW_COLUMN_TEXT)
        return gw_plan_refuse_text(b, axis.column);
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
        return gw_plan_too_large(b);
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
static gw_status filter_positions(const gw_plan_builder *b, const gw_filter *filter, const gw_plan_axis *axis,
                                  size_t **ret, size_t *ret_count) {
    size_t *positions = gw_arena_array(b->arena, filter->code_count, sizeof *positions);
    if (!positions)
        return gw_plan_too_large(b);
    for (size_t i = 0; i < filter->code_count; i++) {
        size_t at = 0;
        while (at < axis->code_count && strcmp(axis->codes[at], filter->codes[i]) != 0)
            at++;
        if (at == axis->code_count)
            return gw_plan_unknown_code(b, axis, filter->codes[i]);
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

static gw_status condition_text(const gw_plan_builder *b, gw_plan_condition *condition, const char *concept,
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
    return condition->text ? GW_OK : gw_plan_too_large(b);
}

static gw_status bad_filter(const gw_plan_builder *b, const gw_filter *filter, const char *why, const char *mend) {
    gw_status status = gw_problem_set(b->problem, GW_INVALID, "bad_filter", "This filter cannot be applied.", "", mend);
    gw_problem_why(b->problem, "On %s: %s", filter->concept, why);
    return status;
}

// between, or equals on a number: one range of steps, rounded inwards to the grid.
static gw_status condition_numeric(const gw_plan_builder *b, const gw_filter *filter, const gw_column *column,
                                   gw_plan_condition *ret) {
    const char *low = filter->kind == GW_FILTER_BETWEEN ? filter->low : filter->codes[0];
    const char *high = filter->kind == GW_FILTER_BETWEEN ? filter->high : filter->codes[0];
    if (strchr(filter->concept, ':') || column->type == GW_COLUMN_CODE)
        return bad_filter(b, filter, "\"between\" needs a numeric concept without a banding.",
                          "Use \"in\" with codes.");
    int64_t(*range)[2] = gw_arena_alloc(b->arena, sizeof *range);
    if (!range)
        return gw_plan_too_large(b);
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

static gw_status condition_resolve(const gw_plan_builder *b, const gw_filter *filter, gw_plan_condition *ret) {
    const gw_column *column = gw_table_concept(b->plan->table, filter->concept);
    if (!column)
        return gw_plan_unknown_concept(b, filter->concept);
    if (column->type == GW_COLUMN_TEXT)
        return gw_plan_refuse_text(b, column);
    bool is_number = column->type != GW_COLUMN_CODE && !strchr(filter->concept, ':');
    if (filter->kind == GW_FILTER_BETWEEN || (is_number && filter->kind == GW_FILTER_EQUALS))
        return condition_numeric(b, filter, column, ret);
    if (is_number)
        return bad_filter(b, filter, "a numeric concept is filtered by \"between\", \"equals\" or a banding's codes.",
                          "Use {\"between\":[low,high]}.");
    gw_plan_axis axis;
    size_t *positions = NULL, count = 0;
    gw_status status = gw_plan_axis_resolve(b, filter->concept, &axis);
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
        return gw_plan_too_large(b);
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
static gw_status conditions_resolve(const gw_plan_builder *b, const gw_filter *filters, size_t count,
                                    const gw_plan_condition **ret, size_t *ret_count) {
    gw_plan_condition *conditions = gw_arena_array(b->arena, count ? count : 1, sizeof *conditions);
    if (!conditions)
        return gw_plan_too_large(b);
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
static gw_status conditions_check(const gw_plan_builder *b) {
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

static gw_status indicator_conditions(const gw_plan_builder *b, const gw_indicator *indicator) {
    gw_plan *plan = b->plan;
    gw_status status = conditions_resolve(b, indicator->population, indicator->population_count, &plan->population,
                                          &plan->population_count);
    if (status != GW_OK)
        return status;
    return conditions_resolve(b, indicator->numerator, indicator->numerator_count, &plan->numerator,
                              &plan->numerator_count);
}

gw_status gw_plan_conditions(const gw_plan_builder *b) {
    const gw_question *question = b->question;
    gw_plan *plan = b->plan;
    const gw_indicator *indicator = plan->indicator;
    const gw_filter *plus = indicator ? indicator->plus : question->plus;
    const gw_filter *minus = indicator ? indicator->minus : question->minus;
    gw_status status = conditions_resolve(b, question->where, question->where_count, &plan->where, &plan->where_count);
    if (status == GW_OK && indicator)
        status = indicator_conditions(b, indicator);
    if (status == GW_OK)
        status = conditions_resolve(b, plus, indicator ? indicator->plus_count : question->plus_count, &plan->plus,
                                    &plan->plus_count);
    if (status == GW_OK)
        status = conditions_resolve(b, minus, indicator ? indicator->minus_count : question->minus_count, &plan->minus,
                                    &plan->minus_count);
    return status == GW_OK ? conditions_check(b) : status;
}

// ---- breakdowns

// A filter on the very concept of the breakdown leaves only its codes as cells: the others are empty by the question.
static gw_status axis_narrow(const gw_plan_builder *b, gw_plan_axis *axis, const gw_filter *filters, size_t count) {
    for (size_t f = 0; f < count; f++) {
        if (strcmp(filters[f].concept, axis->concept) != 0 || filters[f].kind == GW_FILTER_BETWEEN)
            continue;
        const char **codes = gw_arena_array(b->arena, axis->code_count, sizeof *codes);
        size_t *positions = gw_arena_array(b->arena, axis->code_count, sizeof *positions);
        if (!codes || !positions)
            return gw_plan_too_large(b);
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

// "0..9999": the smallest and the largest value of a bin.
static gw_status histogram_keys(const gw_plan_builder *b) {
    gw_plan_grid *grid = &b->plan->grid;
    const char **keys = gw_arena_array(b->arena, grid->count, sizeof *keys);
    for (size_t i = 0; keys && i < grid->count; i++) {
        char low[32], high[32];
        int64_t first = grid->first + (int64_t)i * grid->width;
        gw_column_step_format(grid->column, first, low);
        gw_column_step_format(grid->column, i + 1 < grid->count ? first + grid->width - 1 : grid->column->steps, high);
        keys[i] = gw_arena_format(b->arena, "%s..%s", low, high);
        if (!keys[i])
            return gw_plan_too_large(b);
    }
    grid->keys = keys;
    return keys ? GW_OK : gw_plan_too_large(b);
}

// The bins of a histogram are a breakdown too, behind the others.
static gw_status histogram_resolve(const gw_plan_builder *b, size_t axis_count, size_t *cells) {
    gw_plan *plan = b->plan;
    if (plan->statistic != GW_STATISTIC_HISTOGRAM)
        return GW_OK;
    if (axis_count == GW_BY_MAX)
        return gw_problem_set(b->problem, GW_LIMIT, "too_many", "This histogram has too many breakdowns.",
                              "Its bins are one, and a question may have six.", "Use fewer breakdowns.");
    plan->grid = gw_plan_histogram_grid(plan->of, plan->indicator ? plan->indicator->bins : b->question->bins);
    if (__builtin_mul_overflow(*cells, plan->grid.count, cells) || *cells > GW_PLAN_CELLS_MAX)
        return gw_problem_set(b->problem, GW_LIMIT, "too_many_cells", "This histogram has too many cells.",
                              "Each bin is a cell of each group.", "Use fewer bins, or fewer or coarser breakdowns.");
    return histogram_keys(b);
}

static int axis_compare(const void *a, const void *b) {
    return strcmp(((const gw_plan_axis *)a)->concept, ((const gw_plan_axis *)b)->concept);
}

// Every concept of several tables, once.
static gw_status concepts_of_tables(const gw_plan_builder *b, const char *const **ret, size_t *ret_count) {
    const gw_question *question = b->question;
    const char **by = gw_arena_array(b->arena, GW_BY_MAX, sizeof *by);
    size_t count = 0;
    for (size_t t = 0; by && t < question->table_count; t++)
        for (size_t k = 0; k < question->tables[t].by_count; k++) {
            size_t at = 0;
            while (at < count && strcmp(by[at], question->tables[t].by[k]) != 0)
                at++;
            if (at < count)
                continue;
            if (count == GW_BY_MAX)
                return gw_problem_set(b->problem, GW_INVALID, "bad_tables", "These tables have too many breakdowns.",
                                      "All tables of one question together may have 6.", "Ask in two questions.");
            by[count++] = question->tables[t].by[k];
        }
    *ret = by;
    *ret_count = count;
    return by ? GW_OK : gw_plan_too_large(b);
}

gw_status gw_plan_axes(const gw_plan_builder *b) {
    const gw_question *question = b->question;
    const gw_indicator *indicator = b->plan->indicator;
    const char *const *by = question->by;
    size_t count = question->by_count;
    bool is_of_tables = question->table_count > 0;
    bool is_default = !question->has_by && indicator && !is_of_tables;
    size_t cells_max = is_of_tables ? GW_CELLS_MAX : GW_PLAN_CELLS_MAX;
    if (is_of_tables) {
        gw_status status = concepts_of_tables(b, &by, &count);
        if (status != GW_OK)
            return status;
    }
    if (is_default) {
        by = indicator->by_default;
        count = indicator->by_default_count;
    }
    gw_plan_axis *axes = gw_arena_array(b->arena, count ? count : 1, sizeof *axes);
    if (!axes)
        return gw_plan_too_large(b);
    size_t kept = 0, cells = 1;
    for (size_t i = 0; i < count; i++) {
        if (is_default && !gw_table_concept(b->plan->table, by[i]))
            continue; // the indicator's habit, not the asker's wish
        gw_status status = gw_plan_axis_resolve(b, by[i], &axes[kept]);
        if (status == GW_OK)
            status = axis_narrow(b, &axes[kept], question->where, question->where_count);
        if (status == GW_OK && indicator)
            status = axis_narrow(b, &axes[kept], indicator->population, indicator->population_count);
        if (status != GW_OK)
            return status;
        if (__builtin_mul_overflow(cells, axes[kept].code_count, &cells) || cells > cells_max) {
            gw_status refused = gw_problem_set(b->problem, GW_LIMIT, "too_many_cells", "This table has too many cells.",
                                               "", "Use fewer or coarser breakdowns.");
            gw_problem_why(b->problem, "%s may have at most %zu cells.",
                           is_of_tables ? "All breakdowns of several tables together" : "One question", cells_max);
            return refused;
        }
        kept++;
    }
    gw_status status = histogram_resolve(b, kept, &cells);
    if (status != GW_OK)
        return status;
    qsort(axes, kept, sizeof *axes, axis_compare);
    b->plan->axes = axes;
    b->plan->axis_count = kept;
    b->plan->cell_count = cells;
    return GW_OK;
}
