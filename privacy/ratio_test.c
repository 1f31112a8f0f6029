// SPDX-License-Identifier: Apache-2.0
// The grid of lambda and the search for its outermost accepted cells. Within a cell the noise is bounded by one number,
// so what is accepted there is cut out by straight lines.
#include "privacy/ratio_test.h"
#include "privacy/laplace_sum.h"
#include <float.h>
#include <math.h>

#define CELLS 256 // a bound at most 1 % above that of the ratio itself, but near its ends

static const gw_ratio_span NOTHING = {1.0, -1.0};

double gw_part_amount(const gw_combine_part *part) {
    return (double)part->value * part->step;
}

gw_noise_term gw_part_noise(const gw_combine_part *part, double factor) {
    return (gw_noise_term){.noise = part->noise, .weight = fabs(factor) * part->step, .count = part->count};
}

double gw_part_slack(const gw_combine_part *part) {
    return 4.0 * DBL_EPSILON * fabs(gw_part_amount(part));
}

static double side_factor(const gw_ratio_side *side, double lambda) {
    return side->fixed + lambda * side->slope;
}

static double test_distance(const gw_ratio_test *test, double lambda) {
    double distance = 0.0;
    for (size_t i = 0; i < test->side_count; i++)
        distance += side_factor(&test->sides[i], lambda) * gw_part_amount(test->sides[i].part);
    return distance;
}

static double test_slack(const gw_ratio_test *test) {
    double slack = 0.0;
    for (size_t i = 0; i < test->side_count; i++)
        slack += 2.0 * gw_part_slack(test->sides[i].part);
    return slack;
}

// The law of the noise in one cell of the grid, each factor at its largest: good for every lambda in it. In closed form
// where it is of few noise values.
typedef struct {
    gw_laplace_sum few;
    gw_noise_sum *many; // NULL: `few`
} block_law;

static gw_status cell_law(const gw_ratio_test *test, double from, double to, block_law *ret) {
    gw_noise_term terms[3];
    for (size_t i = 0; i < test->side_count; i++) {
        const gw_ratio_side *side = &test->sides[i];
        double factor = fmax(fabs(side_factor(side, from)), fabs(side_factor(side, to)));
        terms[i] = gw_part_noise(side->part, factor);
    }
    ret->many = NULL;
    if (test->is_quick && gw_laplace_sum_init(terms, test->side_count, &ret->few))
        return GW_OK;
    return gw_noise_sum_new(terms, test->side_count, test->chance, true, &ret->many);
}

static double law_chance(const block_law *law, double x) {
    return law->many == NULL ? gw_laplace_sum_chance(&law->few, x) : gw_noise_sum_chance(law->many, x);
}

static double law_quantile(const block_law *law, double chance) {
    return law->many == NULL ? gw_laplace_sum_quantile(&law->few, chance) : gw_noise_sum_quantile(law->many, chance);
}

// Solves |distance| <= room on the cell; the distance is a straight line between its values at the ends.
static gw_ratio_span cell_solve(gw_ratio_span cell, double at_low, double at_high, double room) {
    gw_ratio_span part = {0.0, 1.0}; // of the cell's width
    double rise = at_high - at_low;
    const double limits[2][2] = {{rise, room - at_low}, {-rise, room + at_low}}; // factor * x <= limit
    for (int i = 0; i < 2; i++) {
        double factor = limits[i][0], limit = limits[i][1];
        if (factor > 0.0)
            part.high = fmin(part.high, limit / factor);
        else if (factor < 0.0)
            part.low = fmax(part.low, limit / factor);
        else if (limit < 0.0)
            part.high = -1.0;
    }
    double width = cell.high - cell.low;
    return (gw_ratio_span){cell.low + part.low * width, cell.low + part.high * width};
}

// The accepted part of the cells [first, first + count), at most: all of them judged by one law. Nothing, or the whole
// of them, where they are more than one.
static gw_status block_test(const gw_ratio_test *test, size_t first, size_t count, gw_ratio_span *ret) {
    double width = (test->high - test->low) / CELLS;
    gw_ratio_span block = {test->low + (double)first * width, test->low + (double)(first + count) * width};
    double at_low = test_distance(test, block.low), at_high = test_distance(test, block.high);
    double slack = test_slack(test);
    bool crosses = (at_low <= 0.0) != (at_high <= 0.0);
    double nearest = crosses ? 0.0 : fmin(fabs(at_low), fabs(at_high));
    block_law law;
    gw_status status = cell_law(test, block.low, block.high, &law);
    if (status != GW_OK)
        return status;
    *ret = NOTHING;
    if (law_chance(&law, fmax(0.0, nearest - slack)) > test->chance) {
        *ret = block;
        if (count == 1)
            *ret = cell_solve(block, at_low, at_high, law_quantile(&law, test->chance) + slack);
    }
    gw_noise_sum_free(law.many);
    return GW_OK;
}

// The outermost accepted cell among [first, first + count), seen from below or from above: halves that one law rejects
// are not looked into. Depth: the logarithm of CELLS.
static gw_status search_end(const gw_ratio_test *test, size_t first, size_t count, bool from_above,
                            gw_ratio_span *ret) {
    gw_status status = block_test(test, first, count, ret);
    if (status != GW_OK || count == 1 || ret->low > ret->high)
        return status;
    size_t half = count / 2;
    for (int i = 0; i < 2; i++) {
        bool is_upper = (i == 0) == from_above;
        status = search_end(test, is_upper ? first + half : first, is_upper ? count - half : half, from_above, ret);
        if (status != GW_OK || ret->low <= ret->high)
            return status;
    }
    return GW_OK;
}

gw_status gw_ratio_test_span(const gw_ratio_test *test, gw_ratio_span *ret) {
    gw_ratio_span first, last;
    gw_status status = search_end(test, 0, CELLS, false, &first);
    if (status == GW_OK)
        status = search_end(test, 0, CELLS, true, &last);
    if (status != GW_OK)
        return status;
    *ret = first.low <= first.high ? (gw_ratio_span){first.low, last.high} : (gw_ratio_span){test->low, test->high};
    return GW_OK;
}
