// SPDX-License-Identifier: Apache-2.0
// The mean is held to its own range first; the variance is what makes a second combination of the parts noise alone,
// for some mean of that range. A box of both is made smaller as long as that helps, then searched from its ends.
#include "privacy/derive/moments.h"
#include "privacy/laplace_sum.h"
#include "privacy/ratio_test.h"
#include "privacy/tail.h"
#include <float.h>
#include <math.h>

#define LEVEL_PPM_MIN 500000u
#define LEVEL_PPM_MAX 999999u
#define MEAN_PART 0.04 // part of the chance that the mean is outside its range
#define ROUNDS 4
#define CELLS 64 // of what is left of the box

typedef struct {
    double low, high;
} span;
static const span NOTHING = {1.0, -1.0};

// Values on 0 .. 1 and parts in steps.
typedef struct {
    const gw_moments *of;
    double n, mean, variance; // of the released parts
    double slack;             // of a combination of the parts: what rounding to doubles can cost
    double chance;            // for the second combination
    span mean_range;
    double near, far; // squared distances of the mean from its estimate, least and most
} moment_test;

// The largest weight of each part over the box: factors are (m^2 - V), m (1 - m) + V, (1 - m)^2 - V.
static gw_status box_law(const moment_test *test, span box, gw_laplace_sum *ret_law, gw_noise_sum **ret_sum) {
    double low = test->mean_range.low, high = test->mean_range.high;
    double top = low <= 0.5 && high >= 0.5 ? 0.5 : high < 0.5 ? high : low; // where m (1 - m) is largest
    const double weights[3] = {
        fmax(high * high - box.low, box.high - low * low),
        top * (1.0 - top) + fmax(box.high, -box.low), // rounded squares can put it a hair below 0
        fmax((1.0 - low) * (1.0 - low) - box.low, box.high - (1.0 - high) * (1.0 - high)),
    };
    gw_noise_term terms[3];
    for (size_t i = 0; i < 3; i++)
        terms[i] = gw_part_noise(&test->of->parts[i], weights[i]);
    *ret_sum = NULL;
    if (gw_laplace_sum_init(terms, 3, ret_law))
        return GW_OK;
    return gw_noise_sum_new(terms, 3, test->chance, true, ret_sum); // many cells added up
}

// What the box leaves of itself: variance + (m - mean)^2 - V is at most the noise over n.
static gw_status box_solve(const moment_test *test, span box, span *ret) {
    gw_laplace_sum law;
    gw_noise_sum *sum;
    gw_status status = box_law(test, box, &law, &sum);
    if (status != GW_OK)
        return status;
    double room =
        (sum == NULL ? gw_laplace_sum_quantile(&law, test->chance) : gw_noise_sum_quantile(sum, test->chance));
    room = (room + test->slack) / test->n;
    ret->low = fmax(box.low, test->variance + test->near - room);
    ret->high = fmin(box.high, test->variance + test->far + room);
    gw_noise_sum_free(sum);
    return GW_OK;
}

static gw_status box_is_rejected(const moment_test *test, span box, bool *ret) {
    double above = test->variance + test->near - box.high, below = box.low - (test->variance + test->far);
    double nearest = fmax(0.0, fmax(above, below) * test->n - test->slack);
    gw_laplace_sum law;
    gw_noise_sum *sum;
    gw_status status = box_law(test, box, &law, &sum);
    if (status != GW_OK)
        return status;
    double chance = sum == NULL ? gw_laplace_sum_chance(&law, nearest) : gw_noise_sum_chance(sum, nearest);
    *ret = chance <= test->chance;
    gw_noise_sum_free(sum);
    return GW_OK;
}

// The outermost cell of [first, first + count) that is not rejected, solved.
static gw_status search_end(const moment_test *test, span box, size_t first, size_t count, bool from_above, span *ret) {
    double width = (box.high - box.low) / CELLS;
    span block = {box.low + (double)first * width, box.low + (double)(first + count) * width};
    bool is_rejected;
    *ret = NOTHING;
    gw_status status = box_is_rejected(test, block, &is_rejected);
    if (status != GW_OK || is_rejected)
        return status;
    if (count == 1)
        return box_solve(test, block, ret);
    size_t half = count / 2;
    for (int i = 0; i < 2; i++) {
        bool is_upper = (i == 0) == from_above;
        status =
            search_end(test, box, is_upper ? first + half : first, is_upper ? count - half : half, from_above, ret);
        if (status != GW_OK || ret->low <= ret->high)
            return status;
    }
    return GW_OK;
}

static gw_status mean_hold(moment_test *test, double chance) {
    const gw_combine_part *parts = test->of->parts;
    const gw_ratio_test ratio = {.sides = {{&parts[0], 0.0, -1.0}, {&parts[1], 0.5, -1.0}, {&parts[2], 1.0, -1.0}},
                                 .side_count = 3,
                                 .low = 0.0,
                                 .high = 1.0,
                                 .chance = chance,
                                 .is_quick = true};
    gw_ratio_span range;
    gw_status status = gw_ratio_test_span(&ratio, &range);
    if (status != GW_OK)
        return status;
    test->mean_range = (span){fmax(0.0, range.low - DBL_EPSILON), fmin(1.0, range.high + DBL_EPSILON)};
    double below = test->mean - test->mean_range.low, above = test->mean_range.high - test->mean;
    test->near = below < 0.0 ? below * below : above < 0.0 ? above * above : 0.0;
    test->far = fmax(below * below, above * above);
    return GW_OK;
}

// The range of the variance on 0 .. 1; nothing where no variance fits.
static gw_status variance_search(const moment_test *test, double rounding, span *ret) {
    double low = test->mean_range.low, high = test->mean_range.high;
    double top = low <= 0.5 && high >= 0.5 ? 0.5 : high < 0.5 ? high : low;
    span box = {-rounding, top * (1.0 - top)}; // no spread is larger around such a mean (Bhatia and Davis)
    for (int i = 0; i < ROUNDS && box.low <= box.high; i++) {
        gw_status status = box_solve(test, box, &box);
        if (status != GW_OK)
            return status;
    }
    *ret = NOTHING;
    if (box.low > box.high)
        return GW_OK;
    span first, last;
    gw_status status = search_end(test, box, 0, CELLS, false, &first);
    if (status == GW_OK)
        status = search_end(test, box, 0, CELLS, true, &last);
    if (status == GW_OK && first.low <= first.high && last.low <= last.high)
        *ret = (span){first.low, last.high};
    return status;
}

static bool moments_are_sound(const gw_moments *moments) {
    const gw_combine_part *first = &moments->parts[0];
    for (size_t i = 0; i < 3; i++) {
        const gw_combine_part *part = &moments->parts[i];
        if (part->count == 0 || part->count != first->count || part->step != 1.0 ||
            !gw_tail_noise_is_sound(part->noise) || part->noise.epsilon.micro != first->noise.epsilon.micro ||
            part->noise.sensitivity != first->noise.sensitivity)
            return false;
    }
    return moments->range > 0.0 && isfinite(moments->range) && moments->width > 0;
}

static void estimate(moment_test *test, gw_combined *ret) {
    const gw_combine_part *parts = test->of->parts;
    double b0 = (double)parts[0].value, b1 = (double)parts[1].value, b2 = (double)parts[2].value;
    test->n = b0 + b1 + b2;
    test->slack = 32.0 * DBL_EPSILON * (fabs(b0) + fabs(b1) + fabs(b2));
    ret->is_estimable = test->n > 0.0;
    if (!ret->is_estimable)
        return;
    double mean = (b1 / 2.0 + b2) / test->n, variance = b2 / test->n - mean * mean;
    test->mean = mean;
    test->variance = variance;
    test->slack += 8.0 * DBL_EPSILON * test->n * mean * mean; // the mean of next to nobody can be far out of 0 .. 1
    double squares = pow(mean * mean - variance, 2) + pow(mean * (1.0 - mean) + variance, 2) +
                     pow((1.0 - mean) * (1.0 - mean) - variance, 2);
    double square = test->of->range * test->of->range;
    ret->estimate = square * variance;
    ret->se = square * sqrt((double)parts[0].count * squares) * gw_tail_sd(parts[0].noise) / test->n;
}

// `chance`: that the range misses, at most. `ret_is_empty`: nothing fits, because the noise went where it goes that
// often; then the range is everything.
static gw_status variance_within(const gw_moments *moments, double chance, gw_combined *ret, bool *ret_is_empty) {
    if (!moments_are_sound(moments))
        return GW_INVALID;
    double square = moments->range * moments->range;
    double rounding = 0.5 / (double)moments->width;
    moment_test test = {.of = moments, .chance = chance * (1.0 - MEAN_PART)};
    gw_combined result = {.lower = 0.0, .upper = square / 4.0};
    estimate(&test, &result);
    *ret_is_empty = false;
    if (result.is_estimable) {
        span range;
        gw_status status = mean_hold(&test, chance * MEAN_PART);
        if (status == GW_OK)
            status = variance_search(&test, rounding, &range);
        if (status != GW_OK)
            return status;
        *ret_is_empty = range.low > range.high;
        if (!*ret_is_empty) {
            rounding += 4.0 * DBL_EPSILON;
            result.lower = square * fmin(0.25, fmax(0.0, range.low - rounding));
            result.upper = square * fmax(0.0, fmin(0.25, range.high + rounding));
        }
    }
    *ret = result;
    return GW_OK;
}

static gw_status sd_within(const gw_moments *moments, double chance, gw_combined *ret, bool *ret_is_empty) {
    gw_combined variance;
    gw_status status = variance_within(moments, chance, &variance, ret_is_empty);
    if (status != GW_OK)
        return status;
    *ret = (gw_combined){.lower = sqrt(variance.lower), .upper = sqrt(variance.upper)};
    ret->is_estimable = variance.is_estimable && variance.estimate > 0.0;
    if (ret->is_estimable) {
        ret->estimate = sqrt(variance.estimate);
        ret->se = variance.se / (2.0 * ret->estimate);
    }
    return GW_OK;
}

static bool level_is_sound(uint32_t level_ppm) {
    return level_ppm >= LEVEL_PPM_MIN && level_ppm <= LEVEL_PPM_MAX;
}

gw_status gw_moments_variance(const gw_moments *moments, uint32_t level_ppm, gw_combined *ret) {
    bool is_empty;
    return level_is_sound(level_ppm) ? variance_within(moments, (1e6 - (double)level_ppm) / 1e6, ret, &is_empty)
                                     : GW_INVALID;
}

gw_status gw_moments_sd(const gw_moments *moments, uint32_t level_ppm, gw_combined *ret) {
    bool is_empty;
    return level_is_sound(level_ppm) ? sd_within(moments, (1e6 - (double)level_ppm) / 1e6, ret, &is_empty) : GW_INVALID;
}

// ---- differences

typedef struct {
    gw_combined ranges[2];
    bool is_empty; // one of them
} two_sides;

// Both sides at half of a chance, in millionths.
static gw_status both_at(const gw_moments *const sides[2], bool is_sd, uint32_t chance_ppm, two_sides *ret) {
    gw_status status = GW_OK;
    ret->is_empty = false;
    for (size_t i = 0; i < 2 && status == GW_OK; i++) {
        double chance = (double)chance_ppm / 2e6;
        bool is_empty = false;
        status = is_sd ? sd_within(sides[i], chance, &ret->ranges[i], &is_empty)
                       : variance_within(sides[i], chance, &ret->ranges[i], &is_empty);
        ret->is_empty |= is_empty;
    }
    return status;
}

// Which side lies above the other, whatever either is: 1 the first, -1 the second, 0 neither for certain.
static int apart(const two_sides *at) {
    return (at->ranges[0].lower > at->ranges[1].upper) - (at->ranges[1].lower > at->ranges[0].upper);
}

// The least chance, in millionths, at which the two ranges lie apart: what noise alone shows no more often. And which
// of them lies above there; 0 where they do at no chance. Ranges are nested: they lie apart, or are empty, at larger
// chances too, and never overlap again.
static gw_status apart_chance(const gw_moments *const sides[2], bool is_sd, uint32_t *ret_ppm, int *ret_above) {
    uint32_t low = 200, high = 1000000;
    *ret_above = 0;
    while (high - low > low / 100 + 1) {
        uint32_t middle = low + (high - low) / 2;
        two_sides at;
        gw_status status = both_at(sides, is_sd, middle, &at);
        if (status != GW_OK)
            return status;
        int above = apart(&at);
        *ret_above = above != 0 ? above : *ret_above;
        if (above != 0 || at.is_empty)
            high = middle;
        else
            low = middle;
    }
    *ret_ppm = high;
    return GW_OK;
}

gw_status gw_moments_difference(const gw_moments *a, const gw_moments *b, bool is_sd, uint32_t level_ppm,
                                gw_combined *ret) {
    const gw_moments *const sides[2] = {a, b};
    two_sides at;
    uint32_t chance_ppm = 1000000;
    int above = 0;
    if (!level_is_sound(level_ppm))
        return GW_INVALID;
    gw_status status = both_at(sides, is_sd, 1000000u - level_ppm, &at);
    if (status == GW_OK)
        status = apart_chance(sides, is_sd, &chance_ppm, &above);
    if (status != GW_OK)
        return status;
    const gw_combined *one = &at.ranges[0], *other = &at.ranges[1];
    *ret = (gw_combined){.is_estimable = one->is_estimable && other->is_estimable,
                         .lower = one->lower - other->upper,
                         .upper = one->upper - other->lower};
    ret->estimate = ret->is_estimable ? one->estimate - other->estimate : 0.0;
    ret->se = hypot(one->se, other->se);
    // An estimate is not clipped: beyond what is possible it can point away from what the ranges say, and then neither
    // is told.
    bool is_agreed = ret->is_estimable && above * ret->estimate > 0.0;
    ret->confidence = is_agreed ? 1.0 - fmin(0.5, (double)chance_ppm / 1e6) : 0.5;
    if (is_agreed && chance_ppm <= 50000)
        ret->verdict = above > 0 ? GW_VERDICT_YES : GW_VERDICT_NO;
    return GW_OK;
}
