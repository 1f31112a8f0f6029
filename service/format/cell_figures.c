// SPDX-License-Identifier: Apache-2.0
// Figures of cells. Counts, sums and nets are whole numbers of steps and so exact up to one rounding; everything else
// is a double, rounded outwards in ranges.
#include "service/format/cell_figures.h"

#include "privacy/derive/moments.h"
#include "service/base/check.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIGURE_END 1e40 // longer ones have no place in a text; no release holds such

struct gw_figures_law {
    gw_figures_shape shape;
    uint32_t level_ppm;
    const gw_interval_law *interval;
    gw_interval_law *own;                // where nobody had it
    gw_int128 half_width, step, divisor; // value * step / divisor is in the last place shown
    char se[GW_CELL_NUMBER_TEXT];        // counts, sums, nets
};

static bool is_amount(gw_statistic statistic) {
    return statistic == GW_STATISTIC_COUNT || statistic == GW_STATISTIC_SUM || statistic == GW_STATISTIC_NET ||
           statistic == GW_STATISTIC_HISTOGRAM;
}

// ---- numbers as texts

void gw_cell_number(char text[GW_CELL_NUMBER_TEXT], double value, unsigned decimals) {
    snprintf(text, GW_CELL_NUMBER_TEXT, "%.*f", (int)decimals, value);
    // No negative zero: it would be a different text for the same figure.
    bool is_zero = true;
    for (const char *c = text; *c; c++)
        is_zero &= *c == '-' || *c == '0' || *c == '.';
    if (is_zero && text[0] == '-')
        memmove(text, text + 1, strlen(text));
}

double gw_cell_round(double value, unsigned decimals, bool is_up) {
    double power = pow(10, decimals), scaled = value * power;
    // A hair of slack, so that 64.9 computed as 64.90000000000001 is not widened by a whole step.
    scaled = is_up ? ceil(scaled - 1e-9) : floor(scaled + 1e-9);
    return scaled / power;
}

// ---- counts, sums, nets

static gw_int128 power_of_ten(unsigned exponent) {
    gw_int128 power = 1;
    for (unsigned i = 0; i < exponent; i++)
        power *= 10;
    return power;
}

static gw_int128 divide_down(gw_int128 value, gw_int128 by) {
    return value / by - (value % by < 0);
}

// An integer in the last place, with its point: -1234 with two decimals is -12.34.
static void places_format(char text[GW_CELL_NUMBER_TEXT], gw_int128 value, unsigned decimals) {
    char digits[GW_INT128_TEXT];
    gw_int128_format(value < 0 ? -value : value, digits);
    size_t count = strlen(digits), at = 0;
    if (value < 0)
        text[at++] = '-';
    size_t zeros = count > decimals ? 0 : decimals + 1 - count; // a digit before the point
    size_t whole = count + zeros - decimals;
    for (size_t i = 0; i < count + zeros; i++) {
        if (i == whole)
            text[at++] = '.';
        text[at++] = i < zeros ? '0' : digits[i - zeros];
    }
    text[at] = '\0';
}

// Steps to the last place shown. The largest amount of a person is below 2^62 in 10^-step_scale (query/plan_measure.c),
// there are at most 2^34 persons, and 20 bits of decimals may be added: far from 128 bits.
static void law_init_amounts(gw_figures_law *law) {
    const gw_figures_shape *shape = &law->shape;
    bool is_finer = shape->decimals >= shape->step_scale;
    law->step = shape->step_scaled * power_of_ten(is_finer ? shape->decimals - shape->step_scale : 0);
    law->divisor = power_of_ten(is_finer ? 0 : shape->step_scale - shape->decimals);
    law->half_width = (gw_int128)gw_interval_half_width(law->interval);
    double step = (double)law->step / (double)law->divisor / (double)power_of_ten(shape->decimals);
    bool is_signed = shape->statistic == GW_STATISTIC_SUM || shape->statistic == GW_STATISTIC_NET;
    bool is_plain = !is_signed && shape->step_scale == 0;
    gw_cell_number(law->se, gw_interval_noise_sd(law->interval) * step, is_plain ? 1 : shape->decimals + 1);
}

// No measured integer is so large; a file may hold any, and what is worked out from them may not leave 128 bits.
static bool is_measurable(gw_int128 value) {
    const gw_int128 limit = (gw_int128)1 << 120;
    return value < limit && value > -limit;
}

static bool parts_fit(const gw_figures_law *law, const gw_int128 *parts) {
    const gw_figures_shape *shape = &law->shape;
    bool fit = is_measurable(shape->totals[0]) && is_measurable(shape->totals[1]);
    for (size_t i = 0; i < gw_figures_part_count(shape->statistic, shape->is_gap); i++)
        fit &= is_measurable(parts[i]);
    return fit;
}

// Nor so large that what is shown of it would (20 bits below the end of 128).
static bool amount_fits(const gw_figures_law *law, gw_int128 value) {
    gw_int128 limit = ((gw_int128)1 << 120) / (law->step + law->divisor);
    return value < limit && value > -limit && law->half_width < limit;
}

static gw_status figures_amount(const gw_figures_law *law, gw_int128 value, gw_cell_figures *ret) {
    unsigned decimals = law->shape.decimals;
    if (!amount_fits(law, value))
        return GW_INVALID;
    gw_int128 lower = (value - law->half_width) * law->step, upper = (value + law->half_width) * law->step;
    // The nearest, halves upwards: twice the value keeps the half whole.
    places_format(ret->estimate, divide_down(2 * value * law->step + law->divisor, 2 * law->divisor), decimals);
    // May be below 0, like the estimate: whoever adds cells up needs both as they are.
    places_format(ret->lower, divide_down(lower, law->divisor), decimals);
    places_format(ret->upper, -divide_down(-upper, law->divisor), decimals);
    memcpy(ret->se, law->se, sizeof ret->se);
    ret->is_estimable = true;
    bool is_signed = law->shape.statistic == GW_STATISTIC_SUM || law->shape.statistic == GW_STATISTIC_NET;
    double size = is_signed && value < 0 ? -(double)value : (double)value;
    ret->is_uncertain = (double)law->half_width > GW_FLAG_COUNT_RELATIVE * size;
    return GW_OK;
}

// Estimates are not clipped. A range that is narrow because it ends where such figures end says nothing good of an
// estimate far outside of it. `whole`: all that the figure can be.
static bool is_beyond(double estimate, double lower, double upper, double whole) {
    double room = GW_FLAG_RATIO_HALF_WIDTH * whole;
    return estimate < lower - room || estimate > upper + room;
}

// ---- shares, rates, means

static double shown_minimum(const gw_figures_shape *shape) {
    return shape->statistic == GW_STATISTIC_MEAN ? shape->minimum : 0;
}

// Ratios in [0, 1] are shown on [minimum, minimum + range]: 0 .. 100 for shares and rates.
static double shown_range(const gw_figures_shape *shape) {
    return shape->statistic == GW_STATISTIC_MEAN ? shape->range : 100;
}

static gw_status figures_ratio(const gw_figures_law *law, gw_int128 a, gw_int128 b, gw_cell_figures *ret) {
    gw_ratio_range ratio = gw_interval_ratio(law->interval, a, b);
    unsigned decimals = law->shape.decimals;
    double minimum = shown_minimum(&law->shape), range = shown_range(&law->shape);
    gw_cell_number(ret->estimate, minimum + range * ratio.estimate, decimals);
    gw_cell_number(ret->lower, gw_cell_round(minimum + range * ratio.lower, decimals, false), decimals);
    gw_cell_number(ret->upper, gw_cell_round(minimum + range * ratio.upper, decimals, true), decimals);
    gw_cell_number(ret->se, range * ratio.se, decimals + 1);
    ret->is_estimable = ratio.is_estimable;
    ret->is_uncertain = !ratio.is_estimable || ratio.upper - ratio.lower > 2 * GW_FLAG_RATIO_HALF_WIDTH ||
                        is_beyond(ratio.estimate, ratio.lower, ratio.upper, 1);
    return GW_OK;
}

// ---- gaps, spread, ratios of sums

// `scale`: times what the range was worked out in.
static void combined_format(const gw_figures_law *law, const gw_combined *figure, double scale, gw_cell_figures *ret) {
    unsigned decimals = law->shape.decimals;
    gw_cell_number(ret->estimate, scale * figure->estimate, decimals);
    gw_cell_number(ret->lower, gw_cell_round(scale * figure->lower, decimals, false), decimals);
    if (isfinite(figure->upper))
        gw_cell_number(ret->upper, gw_cell_round(scale * figure->upper, decimals, true), decimals);
    gw_cell_number(ret->se, scale * figure->se, decimals + 1);
    ret->is_open = !isfinite(figure->upper);
    ret->is_estimable = figure->is_estimable;
    ret->verdict = figure->verdict;
}

static gw_combine_part part_of(const gw_figures_law *law, gw_int128 value, size_t count) {
    return (gw_combine_part){.value = value, .noise = law->shape.noise, .count = count, .step = 1.0};
}

static gw_combine_ratio side_of(const gw_figures_law *law, const gw_int128 *parts, size_t side) {
    const gw_figures_shape *shape = &law->shape;
    bool is_share = shape->statistic == GW_STATISTIC_SHARE;
    gw_combine_ratio ratio = {.minimum = shown_minimum(shape), .range = shown_range(shape)};
    ratio.with = part_of(law, parts[is_share ? side : 2 * side], 1);
    ratio.without = is_share ? part_of(law, shape->totals[side] - parts[side], shape->cell_count - 1)
                             : part_of(law, parts[2 * side + 1], 1);
    return ratio;
}

static gw_status figures_gap(const gw_figures_law *law, const gw_int128 *parts, gw_cell_figures *ret) {
    gw_combine_ratio group = side_of(law, parts, 0), reference = side_of(law, parts, 1);
    gw_combined gap;
    gw_status status = gw_combine_ratio_difference(&group, &reference, law->level_ppm, &gap);
    if (status != GW_OK)
        return status;
    combined_format(law, &gap, 1.0, ret);
    double range = shown_range(&law->shape), widest = 2 * GW_FLAG_RATIO_HALF_WIDTH * range;
    ret->is_uncertain =
        !gap.is_estimable || gap.upper - gap.lower > widest || is_beyond(gap.estimate, gap.lower, gap.upper, range);
    return GW_OK;
}

static gw_status figures_spread(const gw_figures_law *law, const gw_int128 *parts, gw_cell_figures *ret) {
    const gw_figures_shape *shape = &law->shape;
    bool is_sd = shape->statistic == GW_STATISTIC_SD;
    gw_moments moments = {.range = shape->range, .width = shape->width};
    gw_combined figure;
    for (size_t i = 0; i < 3; i++)
        moments.parts[i] = part_of(law, parts[i], 1);
    gw_status status = is_sd ? gw_moments_sd(&moments, law->level_ppm, &figure)
                             : gw_moments_variance(&moments, law->level_ppm, &figure);
    if (status != GW_OK)
        return status;
    combined_format(law, &figure, 1.0, ret);
    double whole = is_sd ? shape->range / 2 : shape->range * shape->range / 4;
    ret->is_uncertain = !figure.is_estimable || figure.upper - figure.lower > 2 * GW_FLAG_RATIO_HALF_WIDTH * whole ||
                        is_beyond(figure.estimate, figure.lower, figure.upper, whole);
    return GW_OK;
}

static gw_status figures_quotient(const gw_figures_law *law, const gw_int128 *parts, gw_cell_figures *ret) {
    gw_combine_part of = part_of(law, parts[0], 1), over = part_of(law, parts[1], 1);
    gw_combined figure;
    gw_status status = gw_combine_quotient(&of, &over, law->level_ppm, &figure);
    if (status != GW_OK)
        return status;
    combined_format(law, &figure, law->shape.quotient, ret);
    bool is_wide = figure.upper - figure.lower > 2 * GW_FLAG_COUNT_RELATIVE * figure.estimate;
    ret->is_uncertain = !figure.is_estimable || is_wide;
    return GW_OK;
}

gw_status gw_figures_of(const gw_figures_law *law, const gw_int128 *parts, gw_cell_figures *ret) {
    *ret = (gw_cell_figures){.verdict = GW_VERDICT_UNDECIDED};
    if (!parts_fit(law, parts))
        return GW_INVALID;
    if (law->shape.is_gap)
        return figures_gap(law, parts, ret);
    switch (law->shape.statistic) {
    case GW_STATISTIC_COUNT:
    case GW_STATISTIC_SUM:
    case GW_STATISTIC_NET:
    case GW_STATISTIC_HISTOGRAM:
        return figures_amount(law, parts[0], ret);
    case GW_STATISTIC_SHARE:
        return figures_ratio(law, parts[0], law->shape.totals[0] - parts[0], ret);
    case GW_STATISTIC_RATE:
    case GW_STATISTIC_MEAN:
        return figures_ratio(law, parts[0], parts[1], ret);
    case GW_STATISTIC_VARIANCE:
    case GW_STATISTIC_SD:
        return figures_spread(law, parts, ret);
    case GW_STATISTIC_RATIO:
        return figures_quotient(law, parts, ret);
    case GW_STATISTIC_GAP:
    case GW_STATISTIC_QUANTILE:
    case GW_STATISTIC_POVERTY:
    case GW_STATISTIC_GINI:
    case GW_STATISTIC_QUINTILE_RATIO:
    case GW_STATISTIC_SERIES:
    case GW_STATISTIC_KEYS:
        break;
    }
    return GW_INVALID;
}

// ---- figures of several tables, of keys, of choices

gw_status gw_figures_around(double estimate, double half_width, double step, unsigned decimals, gw_cell_figures *ret) {
    double lower = (estimate - half_width) * step, upper = (estimate + half_width) * step;
    *ret = (gw_cell_figures){.is_estimable = true, .has_no_se = true};
    if (!(fabs(lower) < FIGURE_END) || !(fabs(upper) < FIGURE_END))
        return GW_INVALID;
    gw_cell_number(ret->estimate, estimate * step, decimals);
    gw_cell_number(ret->lower, gw_cell_round(lower, decimals, false), decimals);
    gw_cell_number(ret->upper, gw_cell_round(upper, decimals, true), decimals);
    ret->is_uncertain = half_width > GW_FLAG_COUNT_RELATIVE * estimate;
    return GW_OK;
}

void gw_figures_of_key(const gw_keys_figures *keys, uint64_t value, uint32_t level_ppm, gw_cell_figures *ret) {
    gw_keys_range range = gw_keys_range_of(keys, value, level_ppm);
    *ret = (gw_cell_figures){.is_estimable = true};
    snprintf(ret->estimate, sizeof ret->estimate, "%" PRIu64, value);
    snprintf(ret->lower, sizeof ret->lower, "%" PRIu64, range.lower);
    snprintf(ret->upper, sizeof ret->upper, "%" PRIu64, range.upper);
    snprintf(ret->se, sizeof ret->se, "%.1f", gw_keys_sd(keys));
    ret->is_uncertain = (double)(range.upper - range.lower) / 2 > GW_FLAG_COUNT_RELATIVE * (double)value;
}

bool gw_rank_error_text(double rank_error, char text[GW_CELL_NUMBER_TEXT]) {
    bool is_number = rank_error >= 0 && rank_error < FIGURE_END;
    snprintf(text, GW_CELL_NUMBER_TEXT, "%.0f", is_number ? ceil(rank_error - 1e-9) : 0);
    return is_number;
}

// ---- what is the same for every cell

size_t gw_figures_others(gw_statistic statistic, size_t cell_count) {
    switch (statistic) {
    case GW_STATISTIC_SHARE:
        return cell_count - 1;
    case GW_STATISTIC_RATE:
    case GW_STATISTIC_MEAN:
        return 1;
    case GW_STATISTIC_COUNT:
    case GW_STATISTIC_SUM:
    case GW_STATISTIC_NET:
    case GW_STATISTIC_VARIANCE:
    case GW_STATISTIC_SD:
    case GW_STATISTIC_RATIO:
    case GW_STATISTIC_GAP:
    case GW_STATISTIC_HISTOGRAM:
    case GW_STATISTIC_QUANTILE:
    case GW_STATISTIC_POVERTY:
    case GW_STATISTIC_GINI:
    case GW_STATISTIC_QUINTILE_RATIO:
    case GW_STATISTIC_SERIES:
    case GW_STATISTIC_KEYS:
        return 0;
    }
    GW_ASSERT(false);
    return 0;
}

size_t gw_figures_part_count(gw_statistic statistic, bool is_gap) {
    size_t sides = is_gap ? 2 : 1;
    switch (statistic) {
    case GW_STATISTIC_COUNT:
    case GW_STATISTIC_SHARE:
    case GW_STATISTIC_SUM:
    case GW_STATISTIC_NET:
    case GW_STATISTIC_HISTOGRAM:
        return sides;
    case GW_STATISTIC_RATE:
    case GW_STATISTIC_MEAN:
    case GW_STATISTIC_RATIO:
        return 2 * sides;
    case GW_STATISTIC_VARIANCE:
    case GW_STATISTIC_SD:
        return 3 * sides;
    case GW_STATISTIC_GAP:
    case GW_STATISTIC_QUANTILE:
    case GW_STATISTIC_POVERTY:
    case GW_STATISTIC_GINI:
    case GW_STATISTIC_QUINTILE_RATIO:
    case GW_STATISTIC_SERIES:
    case GW_STATISTIC_KEYS:
        break;
    }
    return 0;
}

gw_status gw_figures_law_new(const gw_figures_shape *shape, uint32_t level_ppm, const gw_interval_law *known,
                             gw_figures_law **ret) {
    gw_figures_law *law = calloc(1, sizeof *law);
    if (!law)
        return GW_NO_MEMORY;
    *law = (gw_figures_law){.shape = *shape, .level_ppm = level_ppm, .interval = known};
    size_t others = gw_figures_others(shape->statistic, shape->cell_count);
    gw_status status = GW_OK;
    if (!known)
        status = gw_interval_law_new(shape->noise, level_ppm, shape->is_gap ? 0 : others, &law->own);
    if (status != GW_OK) {
        free(law);
        return status;
    }
    if (!known)
        law->interval = law->own;
    if (is_amount(shape->statistic))
        law_init_amounts(law);
    *ret = law;
    return GW_OK;
}

void gw_figures_law_free(gw_figures_law *law) {
    if (!law)
        return;
    gw_interval_law_free(law->own);
    free(law);
}
