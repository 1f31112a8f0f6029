// SPDX-License-Identifier: Apache-2.0
// Statistics of where people lie on a public grid: quantiles, poverty, inequality, series. One statement counts people
// by group and bin; a tree over the bins, or one choice of a bin for each group, is released of it. Everything about
// the grid follows from the policy and the question.
#include "service/query/plan_build.h"

#include "privacy/derive/quantile.h"
#include "privacy/derive/series.h"
#include "service/base/check.h"
#include "service/wire/decimal.h"

#include <string.h>

// The usual number of bins: one bin of 200,000 euro is then about 50 wide. An answer holds every measured node, so many
// groups have coarser bins: 16,384 of all groups together are about 200 kB.
#define BINS_USUAL 4096u
#define BINS_USUAL_OF_ALL 16384u
#define BINS_USUAL_PICKED 262144u // a choice leaves one number of each group
#define BINS_USUAL_LEAST 256u
#define BINS_LEAST 8u                 // of concepts that have as many values
#define SCORE_MAX (UINT64_C(1) << 42) // a unit's weight times a level's denominator: beyond, no coin is certified
#define SPANS 2u                      // series: of a period, and up to it

bool gw_plan_is_by_grid(gw_statistic statistic) {
    return statistic == GW_STATISTIC_QUANTILE || statistic == GW_STATISTIC_POVERTY || statistic == GW_STATISTIC_GINI ||
           statistic == GW_STATISTIC_QUINTILE_RATIO || statistic == GW_STATISTIC_SERIES;
}

static gw_status too_many_cells(const gw_plan_builder *b, const char *why) {
    return gw_problem_set(b->problem, GW_LIMIT, "too_many_cells", "This table has too many cells.", why,
                          "Use fewer or coarser breakdowns, or fewer --bins.");
}

// ---- levels and fractions

static uint64_t common_divisor(uint64_t a, uint64_t b) {
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

// "0.25" -> 1/4. Questions and indicators hold them between 0 and 1, with at most six places.
static gw_plan_level level_of(const char *text) {
    gw_decimal value;
    bool is_decimal = gw_decimal_parse(text, &value);
    GW_ASSERT(is_decimal);
    uint64_t millionths = (uint64_t)(value.trillionths / (GW_DECIMAL_ONE / 1000000));
    uint64_t divisor = common_divisor(millionths, 1000000);
    return (gw_plan_level){(uint32_t)(millionths / divisor), (uint32_t)(1000000 / divisor), text};
}

static gw_status levels_resolve(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    const char *const *texts = plan->indicator ? plan->indicator->levels : b->question->levels;
    size_t count = plan->indicator ? plan->indicator->level_count : b->question->level_count;
    gw_plan_level *levels = gw_arena_array(b->arena, count + 1, sizeof *levels);
    gw_quantile_level *of_cost = gw_arena_array(b->arena, count + 1, sizeof *of_cost);
    if (!levels || !of_cost)
        return gw_plan_too_large(b);
    GW_ASSERT(count > 0 && count <= GW_LEVELS_MAX);
    for (size_t i = 0; i < count; i++) {
        levels[i] = level_of(texts[i]);
        of_cost[i] = (gw_quantile_level){levels[i].numerator, levels[i].denominator};
        GW_ASSERT(gw_quantile_level_is_sound(of_cost[i]));
    }
    plan->levels = levels;
    plan->level_count = count;
    plan->shape.levels = of_cost;
    plan->shape.level_count = count;
    return GW_OK;
}

static gw_status fraction_resolve(const gw_plan_builder *b) {
    const char *text = b->plan->indicator ? b->plan->indicator->fraction : b->question->fraction;
    b->plan->fraction = level_of(text ? text : "0.6");
    return GW_OK;
}

// ---- the grid

// One level is chosen, several are read off a tree.
static bool is_pick(const gw_plan_builder *b) {
    const gw_plan *plan = b->plan;
    bool is_tree = !plan->indicator && b->question->method && strcmp(b->question->method, "tree") == 0;
    return plan->statistic == GW_STATISTIC_QUANTILE && plan->level_count == 1 && !is_tree;
}

static size_t bins_usual(const gw_plan_builder *b) {
    size_t groups = b->plan->group_count + b->plan->has_rest, bins = BINS_USUAL;
    size_t of_all = is_pick(b) ? BINS_USUAL_PICKED : BINS_USUAL_OF_ALL;
    while (bins > BINS_USUAL_LEAST && bins * groups > of_all)
        bins /= 2;
    return bins;
}

// At most `bins` bins of a round width (1, 2 or 5 times a power of ten steps), so that their ends can be read. The
// number of bins that comes out leads to the same width again: a canonical question needs to name no other figure.
static gw_plan_grid grid_of_values(const gw_column *column, size_t bins) {
    static const int64_t digits[] = {1, 2, 5};
    int64_t values = column->steps + 1, width = 1, power = 1;
    for (size_t i = 0; (values + width - 1) / width > (int64_t)bins; i++) {
        if (i % 3 == 2)
            power *= 10;
        width = digits[(i + 1) % 3] * power;
    }
    return (gw_plan_grid){column, 0, width, (size_t)((values + width - 1) / width), NULL};
}

static gw_status values_resolve(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    unsigned asked = plan->indicator ? plan->indicator->bins : b->question->bins;
    plan->grid = grid_of_values(plan->of, asked ? asked : bins_usual(b));
    int64_t values = plan->of->steps + 1;
    if (plan->grid.count >= BINS_LEAST || (int64_t)plan->grid.count == values)
        return GW_OK;
    return gw_problem_set(b->problem, GW_INVALID, "bad_measure", "These are too few bins.",
                          "Bins have a round width, and fewer than eight of them say nothing about where people lie.",
                          "Leave --bins out, or ask for 20 at least.");
}

// The periods that a filter on the concept leaves: from the first it names to the last.
static void periods_narrow(const gw_plan *plan, const gw_plan_condition *conditions, size_t count, size_t *first,
                           size_t *end) {
    for (size_t i = 0; i < count; i++) {
        const gw_plan_condition *condition = &conditions[i];
        if (condition->column != plan->of || condition->position_count == 0)
            continue;
        size_t low = condition->positions[0], high = condition->positions[condition->position_count - 1];
        *first = low > *first ? low : *first;
        *end = high + 1 < *end ? high + 1 : *end;
    }
}

static gw_status periods_resolve(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    size_t first = 0, end = plan->of->codelist.code_count - (plan->of->missing == GW_MISSING_UNKNOWN);
    periods_narrow(plan, plan->where, plan->where_count, &first, &end);
    periods_narrow(plan, plan->population, plan->population_count, &first, &end);
    if (first >= end)
        return gw_problem_set(b->problem, GW_INVALID, "bad_filter", "No period is left.",
                              "The filters on dates leave none that has a place in time.", "Drop one of them.");
    for (size_t i = 0; i < plan->axis_count; i++)
        if (plan->axes[i].column == plan->of)
            return gw_problem_set(b->problem, GW_INVALID, "bad_measure", "A series is broken down by its periods.",
                                  "The concept of the series stands among the breakdowns too.",
                                  "Leave it out of --by.");
    plan->grid = (gw_plan_grid){plan->of, (int64_t)first, 1, end - first, NULL};
    return GW_OK;
}

// ---- poverty: everybody counts for the median

static bool has_rest(const gw_plan *plan) {
    for (size_t i = 0; i < plan->axis_count; i++)
        if (plan->axes[i].column->missing == GW_MISSING_DROP)
            return true;
    return plan->population_count > 0;
}

// ---- what is measured, and the answer

static gw_status tree_make(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    size_t groups = plan->group_count + plan->has_rest;
    bool is_series = plan->statistic == GW_STATISTIC_SERIES;
    gw_status status = is_series ? gw_series_shape(groups, plan->grid.count, &plan->tree)
                                 : gw_tree_shape_make(groups, plan->grid.count, GW_TREE_FAN_DISTRIBUTION, &plan->tree);
    plan->mechanism = GW_MECHANISM_TREE;
    plan->measured_cells = groups * plan->grid.count;
    plan->measured_parts = 1;
    plan->part_count = 0;
    return status == GW_OK ? GW_OK
                           : too_many_cells(b, "One statement counts a million groups times bins or periods at most.");
}

static gw_status pick_make(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    plan->mechanism = GW_MECHANISM_PICK;
    plan->shape.bin_count = plan->grid.count;
    if (__builtin_mul_overflow(plan->group_count, plan->grid.count, &plan->measured_cells) ||
        plan->measured_cells > GW_CELLS_MAX)
        return too_many_cells(b, "One statement counts a million groups times bins at most.");
    plan->measured_parts = 1;
    plan->part_count = 1;
    return GW_OK;
}

bool gw_plan_choice_fits(const gw_plan *plan) {
    if (plan->mechanism != GW_MECHANISM_PICK)
        return true;
    uint64_t a = plan->levels[0].numerator, b = plan->levels[0].denominator;
    return plan->bound.sensitivity <= SCORE_MAX / (a > b - a ? a : b - a);
}

static gw_status answer_cells(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    size_t times = 1, keys = 0;
    if (plan->statistic == GW_STATISTIC_QUANTILE)
        times = plan->level_count, keys = 1;
    if (plan->statistic == GW_STATISTIC_SERIES)
        times = plan->grid.count * SPANS, keys = 2;
    if (plan->axis_count + keys > GW_BY_MAX)
        return too_many_cells(b, "This statistic has breakdowns of its own, and there are six at most in all.");
    if (__builtin_mul_overflow(plan->group_count, times, &plan->cell_count) || plan->cell_count > GW_PLAN_CELLS_MAX)
        return too_many_cells(b, "One answer may have 200,000 cells at most.");
    return GW_OK;
}

gw_status gw_plan_grid_make(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    if (!gw_plan_is_by_grid(plan->statistic))
        return GW_OK;
    plan->group_count = plan->cell_count;
    plan->has_rest = plan->statistic == GW_STATISTIC_POVERTY && has_rest(plan);
    gw_status status = GW_OK;
    if (plan->statistic == GW_STATISTIC_QUANTILE)
        status = levels_resolve(b);
    if (plan->statistic == GW_STATISTIC_POVERTY)
        status = fraction_resolve(b);
    if (status == GW_OK)
        status = plan->statistic == GW_STATISTIC_SERIES ? periods_resolve(b) : values_resolve(b);
    if (status == GW_OK)
        status = is_pick(b) ? pick_make(b) : tree_make(b);
    return status == GW_OK ? answer_cells(b) : status;
}
