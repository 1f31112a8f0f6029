// SPDX-License-Identifier: Apache-2.0
// In which steps values of variances and ratios of sums are counted, and the bins of histograms. All by the policy's
// figures alone, so that equal questions make equal statements.
#include "service/query/plan_build.h"

#include "privacy/sampling/thresholds.h"

#include <math.h>

#define FINE_STEPS (INT64_C(1) << 20) // of a variance's range at least: squares are then rounded by no more than 2^-21
#define PLACES_MAX 12u
#define BINS_USUAL 20

// ---- variance, standard deviation

// What one row or person may at most be multiplied by, from weights and rows: the sensitivity has its own end.
static int64_t times_max(const gw_plan *plan, bool is_unweighted) {
    const gw_column *weight = is_unweighted ? NULL : plan->table->weight;
    int64_t rows = (int64_t)plan->table->rows_per_person_max, most = rows;
    if (weight) {
        int64_t step = gw_plan_common_divisor(weight->min_scaled, weight->grid_scaled);
        if (__builtin_mul_overflow(most, weight->max_scaled / (step > 0 ? step : 1), &most))
            return INT64_MAX;
    }
    return most > 0 ? most : 1;
}

// The policy's steps, each cut into a power of ten where they are few.
gw_status gw_plan_spread(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    int64_t room = (int64_t)GW_SENSITIVITY_MAX / times_max(plan, b->question->is_unweighted), fine = 1;
    while (plan->unit_width * fine < FINE_STEPS && plan->unit_width * fine <= room / 10 &&
           plan->step_scale < PLACES_MAX) {
        fine *= 10;
        plan->step_scale++;
    }
    plan->of_line.first *= fine;
    plan->of_line.factor *= fine;
    plan->unit_width *= fine;
    plan->offset_scaled = 0; // no variance depends on where the range starts
    if (plan->statistic == GW_STATISTIC_SD || !plan->of->unit)
        return GW_OK;
    plan->unit = gw_arena_format(b->arena, "%s^2", plan->of->unit);
    return plan->unit ? GW_OK : gw_plan_too_large(b);
}

// ---- ratio of sums

typedef struct {
    int64_t scaled; // a step of the values, 10^-scale
    unsigned scale;
    int64_t most; // values are 0 .. most steps
    int64_t times;
} ratio_steps;

// A step cut into 1, 2, 4, 5 or 8 times a power of ten parts stays a decimal: each of these is 10^places / rest.
static const struct {
    int64_t times, rest;
    unsigned places;
} cuts[] = {{1, 1, 0}, {2, 5, 1}, {4, 25, 2}, {5, 2, 1}, {8, 125, 3}};

static ratio_steps steps_of(const gw_column *column) {
    int64_t step = gw_plan_common_divisor(column->min_scaled, column->grid_scaled);
    return (ratio_steps){.scaled = step, .scale = column->scale, .most = column->max_scaled / step, .times = 1};
}

// Cuts the coarser of two so that it has about as many steps as the other.
static void steps_balance(ratio_steps *coarse, const ratio_steps *fine) {
    double wanted = (double)fine->most / (double)coarse->most, best = log(wanted);
    ratio_steps chosen = *coarse;
    for (unsigned power = 0; power <= PLACES_MAX; power++)
        for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
            ratio_steps cut = *coarse;
            unsigned places = power + cuts[i].places;
            int64_t times = cuts[i].times;
            for (unsigned k = 0; k < power; k++)
                times *= 10;
            bool fits = !__builtin_mul_overflow(cut.most, times, &cut.most) &&
                        !__builtin_mul_overflow(cut.scaled, cuts[i].rest, &cut.scaled);
            double off = fabs(log(wanted / (double)times));
            if (!fits || cut.scale + places > PLACES_MAX || off >= best)
                continue;
            cut.scale += places;
            cut.times = times;
            best = off;
            chosen = cut;
        }
    *coarse = chosen;
}

static gw_status below_zero(const gw_plan_builder *b, const gw_column *column) {
    gw_problem_set(b->problem, GW_INVALID, "below_zero", "These sums have no ratio with a range.", "",
                   "Ask for both sums: --measure sum:CONCEPT");
    gw_problem_why(b->problem, "Values of %s may be below zero, and so a sum of them may be zero or below.",
                   column->concept);
    return GW_INVALID;
}

static gw_status over_resolve(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    const char *over = plan->indicator ? plan->indicator->over : b->question->over;
    const gw_column *column = over ? gw_table_concept(plan->table, over) : NULL;
    if (over && !column)
        return gw_plan_unknown_concept(b, over);
    if (!column || !gw_column_is_number(column) || column == plan->of)
        return gw_problem_set(b->problem, GW_INVALID, "of_needed", "A ratio needs two numeric concepts.",
                              "One is added up above, another one below.",
                              "Write \"measure\":{\"statistic\":\"ratio\",\"of\":\"income\",\"over\":\"hours\"}.");
    plan->over = column;
    return plan->of->min_scaled < 0 ? below_zero(b, plan->of) : column->min_scaled < 0 ? below_zero(b, column) : GW_OK;
}

static gw_plan_line line_of(const gw_column *column, const ratio_steps *steps) {
    int64_t step = gw_plan_common_divisor(column->min_scaled, column->grid_scaled);
    return (gw_plan_line){column->min_scaled / step * steps->times, column->grid_scaled / step * steps->times};
}

gw_status gw_plan_ratio(const gw_plan_builder *b) {
    gw_plan *plan = b->plan;
    gw_status status = over_resolve(b);
    if (status != GW_OK)
        return status;
    ratio_steps of = steps_of(plan->of), over = steps_of(plan->over);
    if (of.most < over.most)
        steps_balance(&of, &over);
    else
        steps_balance(&over, &of);
    plan->of_line = line_of(plan->of, &of);
    plan->over_line = line_of(plan->over, &over);
    plan->step_scaled = of.scaled;
    plan->step_scale = of.scale;
    plan->over_step_scaled = over.scaled;
    plan->over_step_scale = over.scale;
    plan->unit_max = (uint64_t)of.most + (uint64_t)over.most;
    // Prices take the divisor to be half of its largest value on average, and the ratio that of half its terms.
    plan->shape.unit_mean = (double)over.most / 2.0;
    plan->shape.unit = gw_plan_number(of.scaled, of.scale) / gw_plan_number(over.scaled, over.scale);
    const char *unit = plan->of->unit, *per = plan->over->unit;
    plan->unit = unit && per ? gw_arena_format(b->arena, "%s/%s", unit, per) : unit ? unit : "NR";
    return plan->unit ? GW_OK : gw_plan_too_large(b);
}

// ---- histogram

// 1, 2 or 5 times a power of ten of the unit: the first that makes no more bins than usual.
static int64_t width_round(const gw_column *column) {
    double least = (double)column->steps / BINS_USUAL * (double)column->grid_scaled;
    double power = 1;
    for (int place = 0; place < 19; place++) {
        for (int i = 0; i < 3; i++) {
            double width = power * (i == 0 ? 1 : i == 1 ? 2 : 5);
            if (width >= least)
                return ((int64_t)width + column->grid_scaled - 1) / column->grid_scaled; // whole steps
        }
        power *= 10;
    }
    return column->steps;
}

gw_plan_grid gw_plan_histogram_grid(const gw_column *column, unsigned bins) {
    int64_t width = bins == 0                   ? width_round(column)
                    : column->steps % bins == 0 ? column->steps / bins
                                                : column->steps / bins + 1;
    width = width < 1 ? 1 : width > column->steps ? column->steps : width;
    bool is_whole = column->steps % width == 0; // the last bin then takes the largest value too
    return (gw_plan_grid){.column = column,
                          .width = width,
                          .count = (size_t)(column->steps / width) + (is_whole && column->steps > width ? 0 : 1)};
}
