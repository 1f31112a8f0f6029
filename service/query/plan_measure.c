// SPDX-License-Identifier: Apache-2.0
// What one row or person adds, counted in whole steps, and how much one person may add: the sensitivity. Steps are the
// largest amount that divides the smallest value and the grid, so that every value is a whole number of them. All
// figures are the policy's.
#include "service/query/plan_build.h"

#include "privacy/sampling/thresholds.h"

#include <string.h>

#define AMOUNT_MAX (INT64_C(1) << 62) // what one person adds, in steps and in the last place of the unit
#define PLACES_MAX 12u                // decimal places that an answer can write

double gw_plan_number(int64_t scaled, unsigned scale) {
    double value = (double)scaled;
    for (unsigned i = 0; i < scale; i++)
        value /= 10;
    return value;
}

int64_t gw_plan_common_divisor(int64_t a, int64_t b) {
    a = a < 0 ? -a : a;
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

// Whole numbers of steps, in the unit of the answer.
static bool is_amount(const gw_plan *plan) {
    return plan->statistic == GW_STATISTIC_COUNT || plan->statistic == GW_STATISTIC_SUM ||
           plan->statistic == GW_STATISTIC_NET || plan->statistic == GW_STATISTIC_HISTOGRAM;
}

gw_status gw_plan_too_wide(const gw_plan_builder *b, const char *why) {
    return gw_problem_set(b->problem, GW_INVALID, "bounds_too_wide", "This statistic is beyond what can be counted.",
                          why, "Ask the owner for narrower bounds or a coarser grid; or leave the weights out.");
}

// ---- of what

static gw_status of_needed(const gw_plan_builder *b) {
    if (gw_plan_is_by_grid(b->plan->statistic))
        return gw_problem_set(b->problem, GW_INVALID, "of_needed", "This statistic is of a numeric concept.",
                              "Only concepts with a smallest and a largest value in the policy have it.",
                              "godwit catalogue shows which concepts are numbers.");
    if (b->plan->statistic != GW_STATISTIC_MEAN && b->plan->statistic != GW_STATISTIC_SUM) {
        gw_problem_set(b->problem, GW_INVALID, "of_needed", "This statistic needs a numeric concept.", "", "");
        gw_problem_why(b->problem, "A %s is of a concept with a smallest and a largest value in the policy.",
                       gw_statistic_name(b->plan->statistic));
        gw_problem_mend(b->problem, "Write \"measure\":{\"statistic\":\"%s\",\"of\":\"income\"}.",
                        gw_statistic_name(b->plan->statistic));
        return GW_INVALID;
    }
    if (b->plan->statistic == GW_STATISTIC_SUM)
        return gw_problem_set(b->problem, GW_INVALID, "of_needed", "A sum needs a numeric concept.",
                              "Only concepts with a smallest and a largest value in the policy have sums.",
                              "Write \"measure\":{\"statistic\":\"sum\",\"of\":\"income\"}.");
    return gw_problem_set(b->problem, GW_INVALID, "of_needed", "A mean needs a numeric concept.",
                          "Only concepts with a smallest and a largest value in the policy have means.",
                          "Write \"measure\":{\"statistic\":\"mean\",\"of\":\"income\"}.");
}

static gw_status of_resolve(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    const char *of = plan->indicator ? plan->indicator->of : b->question->of;
    const gw_column *column = of ? gw_table_concept(plan->table, of) : NULL;
    if (of && !column)
        return gw_plan_unknown_concept(b, of);
    if (column && column->type == GW_COLUMN_TEXT)
        return gw_plan_refuse_text(b, column);
    if (!column || !gw_column_is_number(column) || strchr(of, ':'))
        return of_needed(b);
    plan->of = column;
    plan->unit = column->unit ? column->unit : "NR";
    plan->step_scale = column->scale;
    return GW_OK;
}

// x and W - x: a row's two parts add up to W.
static void mean_of_rows(gw_plan *plan) {
    plan->of_line = (gw_plan_line){.first = 0, .factor = 1};
    plan->unit_width = plan->of->steps;
    plan->step_scaled = plan->of->grid_scaled;
    plan->offset_scaled = plan->of->min_scaled;
    plan->shape.range = gw_plan_number(plan->of->max_scaled - plan->of->min_scaled, plan->of->scale);
}

// A person's values in a cell are added up first, so zero must mean nothing and the total needs a bound of its own.
static gw_status mean_of_persons(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    const gw_column *of = plan->of;
    int64_t step = gw_plan_common_divisor(of->min_scaled, of->grid_scaled);
    if (of->min_scaled < 0 || of->person_total_scaled < step) {
        gw_problem_set(b->problem, GW_INVALID, "of_needed", "This concept has no mean per person.", "",
                       "Ask for the mean of rows (not per person), or ask the owner for \"person_total_max\".");
        gw_problem_why(b->problem,
                       "A person's total of %s needs values of at least 0 and a \"person_total_max\" in the policy.",
                       of->concept);
        return GW_INVALID;
    }
    plan->of_line = (gw_plan_line){of->min_scaled / step, of->grid_scaled / step};
    plan->unit_width = of->person_total_scaled / step;
    plan->step_scaled = step;
    plan->offset_scaled = 0;
    plan->shape.range = gw_plan_number(plan->unit_width * step, of->scale);
    return GW_OK;
}

static void sum_of_rows(gw_plan *plan) {
    const gw_column *of = plan->of;
    int64_t step = gw_plan_common_divisor(of->min_scaled, of->grid_scaled);
    plan->of_line = (gw_plan_line){of->min_scaled / step, of->grid_scaled / step};
    plan->step_scaled = step;
}

// Everybody is counted in the bin of their value: the steps are those of counts.
static gw_status of_bins(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    gw_status status = of_resolve(b);
    if (status != GW_OK)
        return status;
    plan->step_scale = 0;
    bool is_unequal = plan->statistic == GW_STATISTIC_GINI || plan->statistic == GW_STATISTIC_QUINTILE_RATIO;
    if (plan->is_per_person)
        return gw_problem_set(b->problem, GW_INVALID, "bad_measure", "This statistic is of rows here.",
                              "A person may have many rows in this table, and no one value of them all.",
                              "Leave --per person out, or ask about a table with one row per person.");
    if (is_unequal && plan->of->min_scaled < 0) {
        gw_problem_set(b->problem, GW_INVALID, "of_needed", "This statistic is of values of at least 0.", "",
                       "Ask for quantiles instead.");
        gw_problem_why(b->problem, "%s may be below zero, and then shares of its total mean nothing.",
                       plan->of->concept);
        return GW_INVALID;
    }
    plan->unit = plan->statistic == GW_STATISTIC_POVERTY          ? "PC"
                 : plan->statistic == GW_STATISTIC_GINI           ? "IX"
                 : plan->statistic == GW_STATISTIC_QUINTILE_RATIO ? "RT"
                                                                  : plan->unit;
    return GW_OK;
}

static gw_status of_periods(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    const char *of = plan->indicator ? plan->indicator->of : b->question->of;
    plan->of = of ? gw_table_concept(plan->table, of) : NULL;
    if (of && !plan->of)
        return gw_plan_unknown_concept(b, of);
    if (plan->of && plan->of->period != GW_PERIOD_NONE)
        return GW_OK;
    gw_problem_set(b->problem, GW_INVALID, "of_needed", "A series is by a concept of dates.", "",
                   "godwit catalogue shows which concepts are periods; or count by this one: --measure count --by …");
    gw_problem_why(b->problem, "\"%s\" has no periods in this table.", of ? of : "");
    return GW_INVALID;
}

// A variance is of what a mean is of: of rows, or of persons' totals.
static gw_status spread_of(const gw_plan_builder *b) {
    gw_status status = of_resolve(b);
    if (status == GW_OK && b->plan->is_per_person)
        status = mean_of_persons(b);
    else if (status == GW_OK)
        mean_of_rows(b->plan);
    return status == GW_OK ? gw_plan_spread(b) : status;
}

// ---- weights

static gw_status weight_resolve(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    const gw_column *weight = b->question->is_unweighted ? NULL : plan->table->weight;
    if (!weight)
        return GW_OK;
    int64_t step = gw_plan_common_divisor(weight->min_scaled, weight->grid_scaled);
    if (weight->min_scaled < 0)
        return gw_plan_too_wide(b, "The weights of this table may be below zero.");
    plan->weight = weight;
    plan->weight_line = (gw_plan_line){weight->min_scaled / step, weight->grid_scaled / step};
    plan->shape.unit_mean *= (double)weight->weight_mean_scaled / (double)step;
    if (!is_amount(plan) && !gw_plan_is_by_grid(plan->statistic))
        return GW_OK; // ratios: the weight's step cancels
    if (__builtin_mul_overflow(plan->step_scaled, step, &plan->step_scaled))
        return gw_plan_too_wide(b, "The largest value times the largest weight has too many digits.");
    plan->step_scale += weight->scale;
    return GW_OK;
}

// ---- the measure

// A step in its shortest form: 0.10 is 0.1.
static gw_status step_shorten(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    while (plan->step_scale > 0 && plan->step_scaled % 10 == 0 && plan->offset_scaled % 10 == 0) {
        plan->step_scaled /= 10;
        plan->offset_scaled /= 10;
        plan->step_scale--;
    }
    return plan->step_scale <= PLACES_MAX ? GW_OK
                                          : gw_plan_too_wide(b, "Value times weight has more than 12 decimal places.");
}

static gw_status statistic_steps(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    gw_status status;
    bool is_many = plan->table->rows_per_person_max > 1;
    switch (plan->statistic) {
    case GW_STATISTIC_COUNT:
        plan->unit = is_many && !plan->is_per_person ? "NR" : "PS";
        return GW_OK;
    case GW_STATISTIC_NET:
        plan->unit = "NR";
        return GW_OK;
    case GW_STATISTIC_SHARE:
        plan->unit = "PC";
        return GW_OK;
    case GW_STATISTIC_RATE:
        plan->unit = "PC";
        plan->part_count = 2;
        return GW_OK;
    case GW_STATISTIC_MEAN:
        plan->part_count = 2;
        status = of_resolve(b);
        if (status == GW_OK && plan->is_per_person)
            status = mean_of_persons(b);
        else if (status == GW_OK)
            mean_of_rows(plan);
        plan->shape.unit_mean = (double)plan->unit_width;
        return status;
    case GW_STATISTIC_SUM:
        status = of_resolve(b);
        if (status == GW_OK)
            sum_of_rows(plan);
        return status;
    case GW_STATISTIC_VARIANCE:
    case GW_STATISTIC_SD:
        plan->part_count = 3;
        status = spread_of(b);
        plan->shape.unit_mean = (double)plan->unit_width;
        return status;
    case GW_STATISTIC_RATIO:
        plan->part_count = 2;
        status = of_resolve(b);
        return status == GW_OK ? gw_plan_ratio(b) : status;
    case GW_STATISTIC_HISTOGRAM:
        status = of_resolve(b);
        plan->step_scale = 0; // persons or rows are counted
        plan->unit = is_many && !plan->is_per_person ? "NR" : "PS";
        return status;
    case GW_STATISTIC_GAP:
    case GW_STATISTIC_QUANTILE:
    case GW_STATISTIC_POVERTY:
    case GW_STATISTIC_GINI:
    case GW_STATISTIC_QUINTILE_RATIO:
        return of_bins(b);
    case GW_STATISTIC_SERIES:
        plan->unit = is_many && !plan->is_per_person ? "NR" : "PS";
        return of_periods(b);
    case GW_STATISTIC_KEYS:
        return gw_plan_keys(b);
    }
    return GW_INTERNAL;
}

static void decimals_choose(gw_plan *plan) {
    bool is_quantile = plan->statistic == GW_STATISTIC_QUANTILE;
    plan->decimals = is_quantile                                                 ? plan->of->scale
                     : plan->statistic == GW_STATISTIC_SERIES || is_amount(plan) ? plan->step_scale
                     : plan->statistic == GW_STATISTIC_RATIO                     ? 3
                                                                                 : 1;
    if (!plan->indicator)
        return;
    plan->decimals = plan->indicator->decimals;
    if (plan->indicator->unit)
        plan->unit = plan->indicator->unit;
}

gw_status gw_plan_measure(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    bool is_wished = plan->indicator ? plan->indicator->is_per_person : b->question->is_per_person;
    plan->is_per_person = is_wished && plan->table->rows_per_person_max > 1; // otherwise a row is a person
    plan->part_count = 1;
    plan->step_scaled = 1;
    plan->shape = (gw_cost_shape){.statistic = plan->statistic, .range = 1, .unit = 1, .unit_mean = 1};
    gw_status status = statistic_steps(b);
    if (status == GW_OK)
        status = weight_resolve(b);
    if (status == GW_OK)
        status = step_shorten(b);
    if (status != GW_OK)
        return status;
    decimals_choose(plan);
    if (is_amount(plan) || gw_plan_is_by_grid(plan->statistic))
        plan->shape.unit = gw_plan_number(plan->step_scaled, plan->step_scale);
    return GW_OK;
}

const char *gw_plan_error_unit(const gw_plan *plan) {
    bool is_of_persons = plan->is_per_person || plan->table->rows_per_person_max <= 1;
    switch (plan->statistic) {
    case GW_STATISTIC_COUNT:
    case GW_STATISTIC_NET:
    case GW_STATISTIC_SERIES:
    case GW_STATISTIC_HISTOGRAM:
        return is_of_persons ? "persons" : "rows";
    case GW_STATISTIC_QUANTILE:
        return "ranks";
    case GW_STATISTIC_SHARE:
    case GW_STATISTIC_RATE:
    case GW_STATISTIC_POVERTY:
    case GW_STATISTIC_GINI:
        return "points";
    case GW_STATISTIC_MEAN:
    case GW_STATISTIC_SUM:
    case GW_STATISTIC_VARIANCE:
    case GW_STATISTIC_SD:
    case GW_STATISTIC_RATIO:
    case GW_STATISTIC_GAP:
        return plan->unit;
    case GW_STATISTIC_QUINTILE_RATIO:
        return "times";
    case GW_STATISTIC_KEYS:
        return "persons";
    }
    return "";
}

// ---- bounds

static uint64_t amount_max(const gw_plan *plan) {
    if (plan->unit_width > 0)
        return (uint64_t)plan->unit_width;
    if (plan->statistic == GW_STATISTIC_RATIO)
        return plan->unit_max;
    if (plan->statistic != GW_STATISTIC_SUM)
        return 1;
    int64_t low = plan->of_line.first, high = low + plan->of_line.factor * plan->of->steps;
    low = low < 0 ? -low : low;
    high = high < 0 ? -high : high;
    return (uint64_t)(low > high ? low : high);
}

// Cells that one person can be in at most: only breakdowns by facts of rows spread a person over several.
static uint64_t person_cells_max(const gw_plan *plan) {
    uint64_t cells = 1;
    if (plan->mechanism == GW_MECHANISM_SELECTION) // as many keys as rows
        return gw_table_is_of_person(plan->table, plan->of) ? 1 : plan->table->rows_per_person_max;
    for (size_t i = 0; i < plan->axis_count; i++)
        if (!gw_table_is_of_person(plan->table, plan->axes[i].column))
            cells *= plan->axes[i].code_count; // at most GW_PLAN_CELLS_MAX
    if (plan->grid.column && !gw_table_is_of_person(plan->table, plan->grid.column))
        cells *= plan->grid.count;
    if (plan->gap.column && !gw_table_is_of_person(plan->table, plan->gap.column))
        cells *= 2;
    return cells;
}

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t total_max(const gw_plan *plan) {
    if (plan->statistic != GW_STATISTIC_SUM)
        return 0;
    int64_t step = gw_plan_common_divisor(plan->of->min_scaled, plan->of->grid_scaled);
    return (uint64_t)(plan->of->person_total_scaled / step);
}

// The amounts, in the last place of the unit: what estimates and ranges are computed in. Answers write at most 18
// digits before the point, for the people of the public size ten times over and for the noise.
static bool amounts_fit(const gw_plan *plan) {
    if (!is_amount(plan) && !gw_plan_is_by_grid(plan->statistic))
        return true;
    int64_t amount;
    double people = 10.0 * (double)plan->policy->planning_size_bucket;
    return !__builtin_mul_overflow((int64_t)plan->sensitivity, plan->step_scaled, &amount) && amount <= AMOUNT_MAX &&
           gw_plan_number(amount, plan->step_scale) * (people > 1e6 ? people : 1e6) < 1e18;
}

gw_status gw_plan_bounds(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    const gw_table *table = plan->table;
    plan->unit_max = amount_max(plan);
    if (plan->mechanism == GW_MECHANISM_SELECTION)
        plan->cell_count = plan->of->keys_max; // as many keys as there may be
    gw_bound_shape shape = {.rows_max = table->rows_per_person_max,
                            .unit_max = plan->unit_max,
                            .total_max = total_max(plan),
                            .weight_max = 1,
                            .is_per_person = plan->is_per_person};
    if (plan->weight)
        shape.weight_max =
            (uint64_t)(plan->weight_line.first + plan->weight_line.factor * plan->weight->steps); // in its steps
    uint64_t cells = person_cells_max(plan);
    shape.is_one_cell = plan->is_per_person && cells == 1;
    if (plan->is_per_person)
        shape.rows_max = smaller(shape.rows_max, cells);
    shape.rows_kept =
        smaller(table->rows_per_person_kept ? table->rows_per_person_kept : shape.rows_max, shape.rows_max);
    if (plan->indicator && plan->indicator->rows_per_person)
        shape.rows_kept = smaller(shape.rows_kept, plan->indicator->rows_per_person); // never more than the policy lets
    gw_status status = gw_bound_choose(&shape, &plan->bound);
    // A unit is in one node of every level of a tree.
    uint64_t times = plan->mechanism == GW_MECHANISM_TREE ? plan->tree.level_count : 1;
    bool is_certified =
        status == GW_OK && plan->bound.sensitivity <= GW_SENSITIVITY_MAX / times && gw_plan_choice_fits(plan);
    plan->sensitivity = is_certified ? plan->bound.sensitivity * times : 0;
    if (!is_certified || !amounts_fit(plan)) // no noise is certified beyond
        return gw_plan_too_wide(b, "What one person may add has too many digits.");
    return GW_OK;
}
