// SPDX-License-Identifier: Apache-2.0
// Noise ranges. The acceptance bound of the ratio test is tabulated on a grid of theta and held between nodes by its
// Lipschitz constant, so that a table of 100,000 cells costs a few divisions a cell (interval.md).
#include "privacy/interval.h"
#include "privacy/sampling/thresholds.h"
#include "privacy/tail.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

#define LEVEL_PPM_MIN 500000u
#define LEVEL_PPM_MAX 999999u
#define CELLS 256      // of the grid of theta: between nodes the bound is at most 1 % above the one at a node
#define LIFT_PART 1e-3 // part of 1 - level given up for a bound that holds between nodes

struct gw_interval_law {
    gw_noise noise;
    size_t others;
    uint64_t half_width;
    double sd;
    double slope;            // |Z + S| stays below it, but for the part given up
    double nodes[CELLS + 1]; // bound at theta = k / CELLS
};

static gw_tail_weights weights_at(size_t node) {
    double theta = (double)node / CELLS;
    return (gw_tail_weights){.of_one = 1.0 - theta, .of_others = theta};
}

// Bounds at the nodes, each searched for near its neighbour.
static void law_tabulate(gw_interval_law *law, const gw_tail *tail, double chance) {
    double step = law->slope / CELLS;
    double guess = (double)law->half_width;
    law->nodes[0] = gw_tail_quantile(tail, weights_at(0), chance, guess * 0.5, guess);
    for (size_t k = 1; k <= CELLS; k++) {
        double last = law->nodes[k - 1];
        bool is_mirrored = law->others == 1 && k > CELLS / 2; // Z and S alike: theta and 1 - theta have one bound
        law->nodes[k] = is_mirrored ? law->nodes[CELLS - k]
                                    : gw_tail_quantile(tail, weights_at(k), chance, last - step, last + step);
    }
}

// Makes the table Lipschitz with constant `slope`. Sound, since each node's bound holds at every theta once lifted by
// the slope times the distance; after it the accepted set of a large denominator is one interval.
static void law_smooth(gw_interval_law *law) {
    double step = law->slope / CELLS;
    for (size_t k = 1; k <= CELLS; k++)
        law->nodes[k] = fmin(law->nodes[k], law->nodes[k - 1] + step);
    for (size_t k = CELLS; k-- > 0;)
        law->nodes[k] = fmin(law->nodes[k], law->nodes[k + 1] + step);
}

// No ratio is asked of it, so nothing is tabulated.
static gw_status law_of_one(gw_noise noise, double chance, gw_interval_law **ret) {
    if (noise.epsilon.micro == 0 || noise.sensitivity == 0 || noise.sensitivity > GW_SENSITIVITY_MAX)
        return GW_INVALID; // no noise is that wide, and its range would not fit 64 bits
    gw_interval_law *law = calloc(1, sizeof(*law));
    if (law == NULL)
        return GW_NO_MEMORY;
    law->noise = noise;
    law->half_width = gw_tail_half_width(noise, chance);
    law->sd = gw_tail_sd(noise);
    *ret = law;
    return GW_OK;
}

gw_status gw_interval_law_new(gw_noise noise, uint32_t level_ppm, size_t others, gw_interval_law **ret) {
    if (level_ppm < LEVEL_PPM_MIN || level_ppm > LEVEL_PPM_MAX)
        return GW_INVALID;
    double chance = (1e6 - (double)level_ppm) / 1e6;
    if (others == 0)
        return law_of_one(noise, chance, ret);
    double chance_lift = chance * LIFT_PART;
    gw_tail *tail = NULL;
    gw_status status = gw_tail_new(noise, others, chance_lift, &tail);
    if (status != GW_OK)
        return status;
    gw_interval_law *law = calloc(1, sizeof(*law));
    if (law == NULL) {
        gw_tail_free(tail);
        return GW_NO_MEMORY;
    }
    law->noise = noise;
    law->others = others;
    law->half_width = gw_tail_half_width(noise, chance);
    law->sd = gw_tail_sd(noise);
    double reach = law->sd * sqrt(1.0 + (double)others);
    law->slope = gw_tail_quantile(tail, (gw_tail_weights){1.0, 1.0}, chance_lift, reach * 2.0, reach * 8.0);
    law_tabulate(law, tail, chance - chance_lift);
    law_smooth(law);
    gw_tail_free(tail);
    *ret = law;
    return GW_OK;
}

void gw_interval_law_free(gw_interval_law *law) {
    free(law);
}

uint64_t gw_interval_half_width(const gw_interval_law *law) {
    return law->half_width;
}

double gw_interval_noise_sd(const gw_interval_law *law) {
    return law->sd;
}

double gw_interval_acceptance(const gw_interval_law *law, double theta) {
    double place = fmin(fmax(theta, 0.0), 1.0) * CELLS;
    size_t cell = place >= CELLS ? CELLS - 1 : (size_t)place;
    double from_left = law->nodes[cell] + law->slope * (place - (double)cell) / CELLS;
    double from_right = law->nodes[cell + 1] + law->slope * ((double)(cell + 1) - place) / CELLS;
    return fmin(from_left, from_right);
}

// One ratio as the search sees it: accepted iff |a - theta n| <= bound(theta) + slack.
typedef struct {
    const gw_interval_law *law;
    double a;
    double n;
    double slack; // what rounding of 128-bit integers to doubles can cost
} ratio_test;

typedef struct {
    double low;
    double high; // below low: nothing accepted
} ratio_span;

// Keeps the x with factor * x <= room.
static void span_limit(ratio_span *span, double factor, double room) {
    if (factor > 0.0)
        span->high = fmin(span->high, room / factor);
    else if (factor < 0.0)
        span->low = fmax(span->low, room / factor);
    else if (room < 0.0)
        span->high = -INFINITY;
}

// The accepted part of one cell of the grid: there the bound is the lower of two straight lines, so it is one interval.
static ratio_span test_cell(const ratio_test *test, size_t cell) {
    double width = 1.0 / CELLS;
    double start = (double)cell / CELLS;
    double slope = test->law->slope;
    double distance = test->a - start * test->n; // at the left end; falls by n
    double left = test->law->nodes[cell] + test->slack;
    double right = test->law->nodes[cell + 1] + slope * width + test->slack;
    ratio_span span = {0.0, width};
    span_limit(&span, -test->n - slope, left - distance);
    span_limit(&span, test->n - slope, left + distance);
    span_limit(&span, slope - test->n, right - distance);
    span_limit(&span, slope + test->n, right + distance);
    return (ratio_span){start + span.low, start + span.high};
}

static bool test_node(const ratio_test *test, size_t node) {
    double distance = test->a - (double)node / CELLS * test->n;
    return fabs(distance) <= test->law->nodes[node] + test->slack;
}

// Any denominator: the hull of the accepted parts, by looking at every cell from both ends.
static ratio_span search_everywhere(const ratio_test *test) {
    ratio_span hull = {0.0, -1.0};
    for (size_t cell = 0; cell < CELLS; cell++) {
        hull = test_cell(test, cell);
        if (hull.low <= hull.high)
            break;
    }
    if (hull.low > hull.high)
        return hull;
    for (size_t cell = CELLS; cell-- > 0;) {
        ratio_span span = test_cell(test, cell);
        if (span.low > span.high)
            continue;
        hull.high = span.high;
        break;
    }
    return hull;
}

// The outermost accepted node between `inside` (accepted) and `outside`, going outwards.
static size_t search_node(const ratio_test *test, size_t inside, size_t outside) {
    if (test_node(test, outside))
        return outside;
    while (inside + 1 < outside || outside + 1 < inside) {
        size_t middle = inside + (outside - inside) / 2;
        if (inside > outside)
            middle = outside + (inside - outside) / 2;
        if (test_node(test, middle))
            inside = middle;
        else
            outside = middle;
    }
    return inside;
}

// A denominator above the slope: |a - theta n| changes faster than the bound can, so the accepted set is one interval
// around the estimate and its ends are found by halving.
static ratio_span search_around(const ratio_test *test) {
    double place = test->a / test->n * CELLS;
    size_t cell = place >= CELLS ? CELLS - 1 : (size_t)place;
    ratio_span span = test_cell(test, cell);
    if (test_node(test, cell)) {
        size_t node = search_node(test, cell, 0);
        span.low = node == 0 ? 0.0 : fmin(test_cell(test, node - 1).low, (double)node / CELLS);
    }
    if (test_node(test, cell + 1)) {
        size_t node = search_node(test, cell + 1, CELLS);
        span.high = node == CELLS ? 1.0 : fmax(test_cell(test, node).high, (double)node / CELLS);
    }
    return span;
}

gw_ratio_range gw_interval_ratio(const gw_interval_law *law, gw_int128 a, gw_int128 b) {
    gw_ratio_range range = {.is_estimable = false, .lower = 0.0, .upper = 1.0};
    gw_int128 total;
    if (law->others == 0) // a law of single values knows nothing of ratios
        return range;
    if (!gw_add_i128(a, b, &total)) // only near the ends of 128 bits, where no measured value is
        return range;
    ratio_test test = {.law = law, .a = (double)a, .n = (double)total};
    test.slack = 8.0 * DBL_EPSILON * (fabs(test.a) + fabs(test.n) + law->nodes[0] + law->nodes[CELLS]);
    if (total <= 0) // the true denominator is a count: nothing to divide by, nothing to claim
        return range;
    range.is_estimable = true;
    range.estimate = test.a / test.n;
    range.se = law->sd * hypot(1.0 - range.estimate, sqrt((double)law->others) * range.estimate) / test.n;
    bool is_inside = a >= 0 && a <= total;
    ratio_span span = is_inside && test.n > law->slope ? search_around(&test) : search_everywhere(&test);
    if (span.low > span.high) // no ratio fits: the noise went where it goes once in a while, so nothing can be said
        return range;
    range.lower = fmax(0.0, span.low - DBL_EPSILON);
    range.upper = fmin(1.0, span.high + DBL_EPSILON);
    return range;
}
