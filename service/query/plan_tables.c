// SPDX-License-Identifier: Apache-2.0
// Tables in canonical order, their common axes as one base table, and the split of a nominal price that every other
// price is split like.
#include "service/query/plan_build.h"
#include "service/query/plan_tables.h"

#include "privacy/derive/marginals_estimate.h"
#include "privacy/exact_table.h"
#include "privacy/sampling/thresholds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Shares are of this price; noise that a sampler draws needs a sensitivity that is as large.
#define NOMINAL_MICRO 1000000000000ull
#define NOMINAL_SENSITIVITY GW_SENSITIVITY_MAX
#define HELPERS_WORTH 0.9 // of the sum of variances: so much smaller it must become by tables nobody asked for
#define PRICE_TRIES 8
#define TABLES_DECIMALS_MAX 12u

static gw_marginals_base base_of(const gw_plan *plan) {
    gw_marginals_base base = {.attribute_count = plan->axis_count};
    for (size_t i = 0; i < plan->axis_count; i++)
        base.sizes[i] = (uint32_t)plan->axes[i].code_count; // within GW_CELLS_MAX
    return base;
}

// ---- the law

gw_status gw_plan_tables_law(const gw_plan *plan, gw_epsilon epsilon, gw_marginals_law *ret_law) {
    gw_marginals_law nominal = {.base = base_of(plan)};
    for (size_t i = 0; i < plan->table_count; i++) {
        if (plan->tables[i].share == 0)
            continue;
        nominal.masks[nominal.count] = plan->tables[i].axes;
        nominal.noises[nominal.count++] = (gw_noise){{plan->tables[i].share}, NOMINAL_SENSITIVITY};
    }
    return gw_marginals_scale(&nominal, epsilon, plan->sensitivity, ret_law);
}

void gw_plan_tables_errors(const gw_plan *plan, gw_epsilon epsilon, uint32_t level_ppm, double *ret_half_widths) {
    gw_marginals_law law;
    gw_status status = gw_plan_tables_law(plan, epsilon, &law);
    for (size_t i = 0; i < plan->table_count; i++) {
        double half_width = INFINITY;
        if (status == GW_OK && gw_marginals_half_width(&law, plan->tables[i].axes, level_ppm, &half_width) != GW_OK)
            half_width = INFINITY;
        ret_half_widths[i] = half_width * plan->shape.unit;
    }
}

double gw_plan_tables_error(const gw_plan *plan, gw_epsilon epsilon, uint32_t level_ppm) {
    double half_widths[GW_TABLES_MAX], largest = 0.0;
    gw_plan_tables_errors(plan, epsilon, level_ppm, half_widths);
    for (size_t i = 0; i < plan->table_count; i++)
        if (plan->tables[i].is_asked)
            largest = fmax(largest, half_widths[i]);
    return largest;
}

static uint64_t price_up(uint64_t micro) {
    uint64_t step = 1;
    while (micro / step >= 1000)
        step *= 10;
    return (micro + step - 1) / step * step;
}

// Errors are nearly in proportion to 1 / epsilon: a step from any price lands close, and a few make sure.
gw_status gw_plan_tables_epsilon_up(const gw_plan *plan, double half_width, gw_epsilon *ret_epsilon) {
    gw_epsilon epsilon = {1000000};
    if (!(half_width > 0.0))
        return GW_INVALID;
    for (int i = 0; i < PRICE_TRIES; i++) {
        const double error = gw_plan_tables_error(plan, epsilon, GW_LEVEL_95);
        if (i > 0 && error <= half_width) {
            *ret_epsilon = epsilon;
            return GW_OK;
        }
        const double wanted = isinf(error) ? (double)epsilon.micro * 10.0 : (double)epsilon.micro * error / half_width;
        if (!(wanted < 1e12))
            return GW_INVALID;
        epsilon.micro = price_up((uint64_t)wanted + (i > 0 ? 1 + (uint64_t)wanted / 500 : 1));
    }
    return GW_INVALID;
}

// ---- building

static int table_compare(const void *left, const void *right) {
    const gw_plan_table *a = left, *b = right;
    if (a->is_asked != b->is_asked)
        return a->is_asked ? -1 : 1; // helpers last
    const int more = __builtin_popcount(a->axes) - __builtin_popcount(b->axes);
    if (more != 0 || a->axes == b->axes)
        return more;
    const uint32_t other = a->axes ^ b->axes, first = other & -other; // the first axis that only one of them has
    return (a->axes & first) != 0 ? -1 : 1;
}

static gw_status too_many_cells(const gw_plan_builder *b, const char *what, size_t most) {
    gw_problem_set(b->problem, GW_LIMIT, "too_many_cells", "These tables have too many cells.", "",
                   "Use fewer or coarser breakdowns.");
    gw_problem_why(b->problem, "%s may have at most %zu cells.", what, most);
    return GW_LIMIT;
}

static uint32_t axes_of(const gw_plan *plan, const gw_question_table *table) {
    uint32_t axes = 0;
    for (size_t k = 0; k < table->by_count; k++)
        for (size_t i = 0; i < plan->axis_count; i++)
            if (strcmp(plan->axes[i].concept, table->by[k]) == 0)
                axes |= 1u << i;
    return axes;
}

static gw_marginals_set asked_set(const gw_plan_builder *b) {
    gw_marginals_set asked = 0;
    for (size_t i = 0; i < b->question->table_count; i++)
        asked |= 1ull << axes_of(b->plan, &b->question->tables[i]);
    return asked;
}

static size_t set_cells(const gw_marginals_base *base, gw_marginals_set set) {
    size_t cells = 0;
    for (unsigned mask = 0; mask < GW_MARGINALS_MASKS; mask++)
        if (gw_marginals_has(set, mask))
            cells += gw_marginals_cell_count(base, mask);
    return cells;
}

static double objective_of(const gw_marginals_law *law, gw_marginals_set asked) {
    double sum = 0.0;
    for (unsigned mask = 0; mask < GW_MARGINALS_MASKS; mask++)
        if (gw_marginals_has(asked, mask))
            sum += gw_marginals_variance(law, mask);
    return sum;
}

// A table that nobody asked for may make all of those that were asked more exact. It is measured where that is worth
// its cells: no more of them than were asked for.
static gw_status split(const gw_marginals_base *base, gw_marginals_set asked, size_t asked_cells,
                       gw_marginals_law *ret) {
    gw_marginals_wish wish = {.base = *base, .asked = asked, .measurable = asked};
    const gw_epsilon nominal = {NOMINAL_MICRO};
    gw_marginals_law with_helpers;
    gw_status status = gw_marginals_split(&wish, nominal, NOMINAL_SENSITIVITY, ret);
    if (status != GW_OK)
        return status;
    for (unsigned mask = 0; mask < 1u << base->attribute_count; mask++)
        if (gw_marginals_cell_count(base, mask) <= asked_cells)
            wish.measurable |= 1ull << mask;
    if (wish.measurable == asked || gw_marginals_split(&wish, nominal, NOMINAL_SENSITIVITY, &with_helpers) != GW_OK)
        return GW_OK;
    gw_marginals_set helpers = 0;
    for (size_t i = 0; i < with_helpers.count; i++)
        helpers |= 1ull << with_helpers.masks[i];
    helpers &= ~asked;
    if (set_cells(base, helpers) <= asked_cells && asked_cells + set_cells(base, helpers) <= GW_PLAN_CELLS_MAX &&
        __builtin_popcountll(asked | helpers) <= GW_TABLES_MAX &&
        objective_of(&with_helpers, asked) < HELPERS_WORTH * objective_of(ret, asked))
        *ret = with_helpers;
    return GW_OK;
}

static void tables_fill(gw_plan *plan, gw_marginals_set asked, const gw_marginals_law *law) {
    gw_marginals_set all = asked;
    for (size_t i = 0; i < law->count; i++)
        all |= 1ull << law->masks[i];
    for (unsigned mask = 0; mask < GW_MARGINALS_MASKS; mask++) {
        if (!gw_marginals_has(all, mask))
            continue;
        gw_plan_table *table = &plan->tables[plan->table_count++];
        *table = (gw_plan_table){.axes = mask,
                                 .cell_count = gw_marginals_cell_count(&law->base, mask),
                                 .is_asked = gw_marginals_has(asked, mask)};
        for (size_t i = 0; i < law->count; i++)
            if (law->masks[i] == mask)
                table->share = law->noises[i].epsilon.micro;
        plan->cell_count += table->cell_count;
    }
    qsort(plan->tables, plan->table_count, sizeof *plan->tables, table_compare);
}

// Cells of one table are added up into cells of another. A person counted in two of them would be two.
static bool persons_add_up(const gw_plan *plan) {
    for (size_t i = 0; i < plan->axis_count; i++)
        if (plan->is_per_person && !gw_table_is_of_person(plan->table, plan->axes[i].column))
            return false;
    return true;
}

gw_status gw_plan_tables(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    if (b->question->table_count == 0)
        return GW_OK;
    if (plan->statistic != GW_STATISTIC_COUNT)
        return gw_problem_set(b->problem, GW_INVALID, "bad_tables", "Several tables at one price are of counts.",
                              "Other statistics are asked one table at a time.", "Ask for one table at a time: --by");
    if (!persons_add_up(plan))
        return gw_problem_set(b->problem, GW_INVALID, "bad_tables", "These tables are of rows here.",
                              "A person may be in several cells of one of their breakdowns, and would count in each.",
                              "Leave --per person out, or ask for one table at a time: --by");
    const gw_marginals_base base = base_of(plan);
    const gw_marginals_set asked = asked_set(b);
    if (plan->axis_count == 0)
        return gw_problem_set(b->problem, GW_INVALID, "bad_tables", "There is no table among these.",
                              "The total alone needs no split.", "Ask with \"by\":[] instead of \"tables\".");
    const size_t cells = set_cells(&base, asked);
    if (cells > GW_PLAN_CELLS_MAX)
        return too_many_cells(b, "All tables of one question together", GW_PLAN_CELLS_MAX);
    gw_marginals_law law;
    gw_status status = split(&base, asked, cells, &law);
    if (status != GW_OK)
        return status;
    plan->tables = gw_arena_array(b->arena, GW_TABLES_MAX, sizeof *plan->tables);
    if (!plan->tables)
        return gw_plan_too_large(b);
    plan->mechanism = GW_MECHANISM_MARGINALS;
    plan->decimals += plan->decimals < TABLES_DECIMALS_MAX; // estimates are no whole numbers
    plan->measured_cells = gw_marginals_cell_count(&base, ~0u);
    plan->measured_parts = 1;
    plan->cell_count = 0;
    tables_fill(plan, asked, &law);
    return GW_OK;
}
