// SPDX-License-Identifier: Apache-2.0
// Whole, non-negative, consistent: one non-negative table is fitted to the estimates by proportions, each marginal as
// far as its noise lets it be believed, and its cells are rounded so that the marginals stay near
// (marginals_estimate.md).
#include "privacy/derive/marginals_adjust.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TOTAL_MAX 0x1p50 // doubles count whole numbers up to 2^53
#define PASSES 120u      // over the base table in all, while it is fitted: some tenths of a second at 10^6 cells
#define CYCLES_MAX 6u
#define RATIO_MIN 0.05  // of one step: nothing is taken out of the table for good because noise was below 0 once
#define ROUND_PASSES 2u // after the first

// One marginal to come near. Where cell c = o * inner + i of the base table falls in it: outer_at[o] + inner_at[i].
typedef struct {
    unsigned mask;
    size_t cell_count;
    const double *wanted; // the estimate; borrowed
    double variance;      // of its cells
    double *now;          // what the fitted table has; then what to multiply it by; at last what rounding has added
    uint32_t *outer_at;
    uint32_t *inner_at;
} fit_target;

typedef struct {
    gw_marginals_base base;
    size_t outer, inner; // of the base table
    double total;
    double *fitted;
    int64_t *rounded;
    fit_target targets[GW_MARGINALS_MASKS];
    size_t target_count;
} fit_table;

struct gw_marginals_adjusted {
    gw_marginals_set wanted;
    int64_t *cells[GW_MARGINALS_MASKS];
};

void gw_marginals_adjusted_free(gw_marginals_adjusted *adjusted) {
    if (adjusted == NULL)
        return;
    for (unsigned mask = 0; mask < GW_MARGINALS_MASKS; mask++)
        free(adjusted->cells[mask]);
    free(adjusted);
}

const int64_t *gw_marginals_adjusted_cells(const gw_marginals_adjusted *adjusted, unsigned mask) {
    return gw_marginals_has(adjusted->wanted, mask) ? adjusted->cells[mask] : NULL;
}

static void fit_done(fit_table *fit) {
    for (size_t i = 0; i < fit->target_count; i++) {
        free(fit->targets[i].now);
        free(fit->targets[i].outer_at);
        free(fit->targets[i].inner_at);
    }
    free(fit->fitted);
    free(fit->rounded);
}

// Where the cells of attributes `from` .. `to` - 1 fall in the marginal, the last attribute fastest.
static void offsets(const gw_marginals_base *base, unsigned mask, size_t from, size_t to, uint32_t *ret) {
    size_t count = 1;
    ret[0] = 0;
    for (size_t i = to; i-- > from;) {
        const unsigned after = ~((2u << i) - 1);
        const size_t stride = (mask >> i & 1) != 0 ? gw_marginals_cell_count(base, mask & after) : 0;
        for (size_t k = 1; k < base->sizes[i]; k++)
            for (size_t c = 0; c < count; c++)
                ret[k * count + c] = ret[c] + (uint32_t)(k * stride);
        count *= base->sizes[i];
    }
}

static gw_status add_target(fit_table *fit, unsigned mask, size_t split) {
    fit_target *target = &fit->targets[fit->target_count++];
    target->mask = mask;
    target->cell_count = gw_marginals_cell_count(&fit->base, mask);
    target->now = malloc(target->cell_count * sizeof(double));
    target->outer_at = malloc(fit->outer * sizeof(uint32_t));
    target->inner_at = malloc(fit->inner * sizeof(uint32_t));
    if (target->now == NULL || target->outer_at == NULL || target->inner_at == NULL)
        return GW_NO_MEMORY;
    offsets(&fit->base, mask, 0, split, target->outer_at);
    offsets(&fit->base, mask, split, fit->base.attribute_count, target->inner_at);
    return GW_OK;
}

static int compare_size(const void *left, const void *right) {
    const fit_target *a = left, *b = right;
    if (a->cell_count != b->cell_count)
        return a->cell_count < b->cell_count ? 1 : -1;
    return (a->mask < b->mask) - (a->mask > b->mask);
}

// Where to cut the attributes so that the two lists of offsets are short.
static size_t best_cut(const gw_marginals_base *base) {
    size_t best = 0, best_length = SIZE_MAX;
    for (size_t cut = 0; cut <= base->attribute_count; cut++) {
        const size_t outer = gw_marginals_cell_count(base, (1u << cut) - 1);
        const size_t length = outer + gw_marginals_cell_count(base, ~0u) / outer;
        if (length < best_length) {
            best = cut;
            best_length = length;
        }
    }
    return best;
}

static gw_status fit_init(fit_table *fit, const gw_marginals_law *law, const gw_marginals_estimate *estimate,
                          gw_marginals_set wanted) {
    const size_t split = best_cut(&law->base), cell_count = gw_marginals_cell_count(&law->base, ~0u);
    gw_marginals_set set = wanted | 1; // the total last
    for (size_t i = 0; i < law->count; i++)
        set |= 1ull << law->masks[i];
    *fit = (fit_table){.base = law->base, .outer = gw_marginals_cell_count(&law->base, (1u << split) - 1)};
    fit->inner = cell_count / fit->outer;
    const double *total = gw_marginals_estimate_cells(estimate, 0);
    if (total == NULL)
        return GW_INVALID;
    fit->total = fmax(0.0, round(total[0]));
    if (!(fit->total <= TOTAL_MAX))
        return GW_LIMIT;
    fit->fitted = malloc(cell_count * sizeof(double));
    fit->rounded = malloc(cell_count * sizeof(int64_t));
    if (fit->fitted == NULL || fit->rounded == NULL)
        return GW_NO_MEMORY;
    for (unsigned mask = 0; mask < GW_MARGINALS_MASKS; mask++) {
        if (!gw_marginals_has(set, mask))
            continue;
        gw_status status = add_target(fit, mask, split);
        fit_target *target = &fit->targets[fit->target_count - 1];
        target->wanted = gw_marginals_estimate_cells(estimate, mask);
        target->variance = gw_marginals_variance(law, mask);
        if (status == GW_OK && target->wanted == NULL)
            status = GW_INVALID;
        if (status != GW_OK)
            return status;
    }
    qsort(fit->targets, fit->target_count, sizeof(fit->targets[0]), compare_size);
    return GW_OK;
}

// What to multiply the fitted cells of a marginal by: towards the estimate, as far as that is more than noise beside
// what was fitted so far.
static void make_ratios(fit_target *target) {
    for (size_t i = 0; i < target->cell_count; i++) {
        const double fitted = target->now[i];
        double ratio = 1.0;
        if (fitted > 0.0) {
            const double belief = fitted * fitted / (fitted * fitted + target->variance);
            ratio = fmax(RATIO_MIN, 1.0 + belief * (target->wanted[i] / fitted - 1.0));
        }
        target->now[i] = ratio;
    }
}

// Multiplies the table by the ratios of `before` (none at first) and sums it into `next` (none at last), in one pass.
static void scale_and_sum(fit_table *fit, const fit_target *before, fit_target *next) {
    if (next != NULL)
        memset(next->now, 0, next->cell_count * sizeof(double));
    for (size_t o = 0; o < fit->outer; o++) {
        double *cells = fit->fitted + o * fit->inner;
        if (before != NULL) {
            const double *ratios = before->now + before->outer_at[o];
            for (size_t i = 0; i < fit->inner; i++)
                cells[i] *= ratios[before->inner_at[i]];
        }
        if (next != NULL) {
            double *sums = next->now + next->outer_at[o];
            for (size_t i = 0; i < fit->inner; i++)
                sums[next->inner_at[i]] += cells[i];
        }
    }
    if (next != NULL)
        make_ratios(next);
}

static const fit_target *fit_next(fit_table *fit, const fit_target *before, fit_target *next) {
    if (before == next) // a total alone, or the turn from upwards to downwards: its ratios are still to be applied
        return before;
    scale_and_sum(fit, before, next);
    return next;
}

// Belief leaves the total a little off; the whole numbers have exactly the rounded one.
static void meet_real_total(fit_table *fit) {
    const size_t cell_count = fit->outer * fit->inner;
    double sum = 0.0;
    for (size_t i = 0; i < cell_count; i++)
        sum += fit->fitted[i];
    for (size_t i = 0; i < cell_count && sum > 0.0; i++)
        fit->fitted[i] *= fit->total / sum;
}

// Proportional fitting (Deming and Stephan 1940), with a belief: upwards from the total, so that a noisy cell meets
// something better than evenness; then downwards to the total some times, so that what has the least noise is met best.
static void fit_proportions(fit_table *fit) {
    const size_t cell_count = fit->outer * fit->inner;
    for (size_t i = 0; i < cell_count; i++)
        fit->fitted[i] = fit->total / (double)cell_count;
    size_t cycles = PASSES / fit->target_count;
    cycles = cycles < 2 ? 1 : cycles > CYCLES_MAX ? CYCLES_MAX : cycles - 1;
    const fit_target *before = NULL;
    for (size_t i = fit->target_count; i-- > 0;)
        before = fit_next(fit, before, &fit->targets[i]);
    for (size_t cycle = 0; cycle < cycles; cycle++)
        for (size_t i = 0; i < fit->target_count; i++)
            before = fit_next(fit, before, &fit->targets[i]);
    scale_and_sum(fit, before, NULL);
    meet_real_total(fit);
}

// The targets' residuals as the cells of one outer position see them: rows[k][at[i * target_count + k]].
typedef struct {
    double *rows[GW_MARGINALS_MASKS];
    const uint32_t *at;
    size_t target_count;
} residual_view;

static residual_view view_of(const fit_table *fit, const uint32_t *at, size_t o) {
    residual_view view = {.at = at, .target_count = fit->target_count};
    for (size_t k = 0; k < fit->target_count; k++)
        view.rows[k] = fit->targets[k].now + fit->targets[k].outer_at[o];
    return view;
}

// How far the marginals of a cell are above what is wanted, all together: half of what the sum of squared residuals
// grows by when the cell does, less a constant.
static double pressure(const residual_view *view, size_t i) {
    const uint32_t *at = view->at + i * view->target_count;
    double sum = 0.0;
    for (size_t k = 0; k < view->target_count; k++)
        sum += view->rows[k][at[k]];
    return sum;
}

static void add_residual(const residual_view *view, size_t i, double residual) {
    const uint32_t *at = view->at + i * view->target_count;
    for (size_t k = 0; k < view->target_count; k++)
        view->rows[k][at[k]] += residual;
}

// Each cell goes up or down, whichever leaves the squared residuals of all its marginals smaller so far.
static void round_greedily(fit_table *fit, const uint32_t *at) {
    const double count = (double)fit->target_count;
    for (size_t o = 0; o < fit->outer; o++) {
        const residual_view view = view_of(fit, at, o);
        for (size_t i = 0; i < fit->inner; i++) {
            const size_t cell = o * fit->inner + i;
            const double whole = floor(fit->fitted[cell]), rest = fit->fitted[cell] - whole;
            fit->rounded[cell] = (int64_t)whole;
            if (!(rest > 0.0))
                continue;
            const bool is_up = 2.0 * pressure(&view, i) + (1.0 - 2.0 * rest) * count < 0.0;
            fit->rounded[cell] += is_up;
            add_residual(&view, i, is_up ? 1.0 - rest : -rest);
        }
    }
}

// One more or one less where that leaves the squared residuals smaller.
static void round_again(fit_table *fit, const uint32_t *at) {
    const double count = (double)fit->target_count;
    for (size_t o = 0; o < fit->outer; o++) {
        const residual_view view = view_of(fit, at, o);
        for (size_t i = 0; i < fit->inner; i++) {
            const size_t cell = o * fit->inner + i;
            if (!(fit->fitted[cell] > 0.0))
                continue;
            const double high = 2.0 * pressure(&view, i);
            int step = high + count < 0.0 ? 1 : 0;
            if (high - count > 0.0 && fit->rounded[cell] > 0)
                step = -1;
            if (step == 0)
                continue;
            fit->rounded[cell] += step;
            add_residual(&view, i, step);
        }
    }
}

// Which outer line a cell is in; a table has at least one cell in each.
static size_t line_of(const fit_table *fit, size_t cell) {
    return fit->inner > 0 ? cell / fit->inner : 0;
}

// The cell of first .. end - 1 that can best go by `step`; SIZE_MAX where none can. Cells that were fitted with
// nothing are filled only where `is_anywhere`.
static size_t best_cell(const fit_table *fit, const uint32_t *at, size_t first, size_t end, int step,
                        bool is_anywhere) {
    size_t best = SIZE_MAX;
    double lowest = INFINITY;
    residual_view view = view_of(fit, at, line_of(fit, first));
    for (size_t cell = first; cell < end; cell++) {
        if (cell == line_of(fit, cell) * fit->inner)
            view = view_of(fit, at, line_of(fit, cell));
        if (step > 0 ? !is_anywhere && !(fit->fitted[cell] > 0.0) : fit->rounded[cell] == 0)
            continue;
        const double high = step * pressure(&view, cell - line_of(fit, cell) * fit->inner);
        if (high < lowest) {
            lowest = high;
            best = cell;
        }
    }
    return best;
}

// The few units that rounding left the total above or below, one in each of as many stretches of the table.
static void meet_total(fit_table *fit, const uint32_t *at) {
    const size_t cell_count = fit->outer * fit->inner;
    int64_t missing = (int64_t)fit->total;
    for (size_t cell = 0; cell < cell_count; cell++)
        missing -= fit->rounded[cell];
    bool is_anywhere = false;
    while (missing != 0) {
        const int step = missing > 0 ? 1 : -1;
        const size_t units = (size_t)(missing > 0 ? missing : -missing);
        const size_t stretches = units < cell_count ? units : cell_count;
        bool is_moved = false;
        for (size_t k = 0; k < stretches; k++) {
            const size_t cell =
                best_cell(fit, at, cell_count * k / stretches, cell_count * (k + 1) / stretches, step, is_anywhere);
            if (cell == SIZE_MAX)
                continue;
            const residual_view view = view_of(fit, at, line_of(fit, cell));
            fit->rounded[cell] += step;
            add_residual(&view, cell - line_of(fit, cell) * fit->inner, step);
            missing -= step;
            is_moved = true;
        }
        is_anywhere |= !is_moved; // nothing was fitted anywhere: the total stands all the same
    }
}

static gw_status round_fitted(fit_table *fit) {
    uint32_t *at = calloc(fit->inner * fit->target_count, sizeof(*at));
    if (at == NULL)
        return GW_NO_MEMORY;
    for (size_t k = 0; k < fit->target_count; k++) {
        memset(fit->targets[k].now, 0, fit->targets[k].cell_count * sizeof(double));
        for (size_t i = 0; i < fit->inner; i++)
            at[i * fit->target_count + k] = fit->targets[k].inner_at[i];
    }
    round_greedily(fit, at);
    for (unsigned pass = 0; pass < ROUND_PASSES; pass++)
        round_again(fit, at);
    meet_total(fit, at);
    free(at);
    return GW_OK;
}

static gw_status sum_wanted(const fit_table *fit, gw_marginals_set wanted, gw_marginals_adjusted *adjusted) {
    adjusted->wanted = wanted;
    for (size_t k = 0; k < fit->target_count; k++) {
        const fit_target *target = &fit->targets[k];
        if (!gw_marginals_has(wanted, target->mask))
            continue;
        int64_t *cells = adjusted->cells[target->mask] = calloc(target->cell_count, sizeof(*cells));
        if (cells == NULL)
            return GW_NO_MEMORY;
        for (size_t o = 0; o < fit->outer; o++)
            for (size_t i = 0; i < fit->inner; i++)
                cells[target->outer_at[o] + target->inner_at[i]] += fit->rounded[o * fit->inner + i];
    }
    return GW_OK;
}

gw_status gw_marginals_adjust(const gw_marginals_law *law, const gw_marginals_estimate *estimate,
                              gw_marginals_set wanted, gw_marginals_adjusted **ret) {
    if (!gw_marginals_law_is_sound(law))
        return GW_INVALID;
    gw_marginals_adjusted *adjusted = calloc(1, sizeof(*adjusted));
    if (adjusted == NULL)
        return GW_NO_MEMORY;
    fit_table fit;
    gw_status status = fit_init(&fit, law, estimate, wanted);
    if (status == GW_OK) {
        fit_proportions(&fit);
        status = round_fitted(&fit);
    }
    if (status == GW_OK)
        status = sum_wanted(&fit, wanted, adjusted);
    fit_done(&fit);
    if (status != GW_OK) {
        gw_marginals_adjusted_free(adjusted);
        return status;
    }
    *ret = adjusted;
    return GW_OK;
}
