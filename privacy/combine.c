// SPDX-License-Identifier: Apache-2.0
// Sums and differences take the law of the summed noise; ratios invert a test, cell by cell of a grid; differences of
// ratios hold a few unlikely events aside (combine.md). Nothing here looks at what is true, only at what was released.
#include "privacy/combine.h"
#include "privacy/laplace_sum.h"
#include "privacy/ratio_test.h"
#include "privacy/tail.h"
#include <math.h>

#define LEVEL_PPM_MIN 500000u
#define LEVEL_PPM_MAX 999999u
#define CONFIDENCE_CHANCE_MIN 1e-4 // confidences are worked out well down to this chance
#define VERDICT_CHANCE 0.05
#define ASIDE_PART 0.04    // part of a chance set aside for the events that a difference of ratios leaves out
#define ASIDE_CHANCE 0.002 // and of a confidence: the largest is 0.998
#define HALVINGS 60
#define PARTS_MAX 8u // of one sum

// ---- shared

static bool level_is_sound(uint32_t level_ppm) {
    return level_ppm >= LEVEL_PPM_MIN && level_ppm <= LEVEL_PPM_MAX;
}

static double level_chance(uint32_t level_ppm) {
    return (1e6 - (double)level_ppm) / 1e6;
}

static bool part_is_sound(const gw_combine_part *part) {
    return part->count > 0 && gw_tail_noise_is_sound(part->noise) && part->step > 0.0 && isfinite(part->step);
}

// `chance`: that noise alone goes this far in this direction.
static void decide(gw_combined *result, double chance) {
    result->confidence = 1.0 - fmin(chance, 0.5);
    result->verdict = GW_VERDICT_UNDECIDED;
    if (result->is_estimable && chance < VERDICT_CHANCE)
        result->verdict = result->estimate > 0.0 ? GW_VERDICT_YES : GW_VERDICT_NO;
}

// ---- sums and differences

typedef struct {
    const gw_combine_part *parts;
    size_t count;
    double amount; // with its signs
} signed_sum;

static gw_status sum_parts(const signed_sum *in, uint32_t level_ppm, gw_combined *ret) {
    gw_noise_term terms[PARTS_MAX];
    double slack = 0.0;
    if (in->count == 0 || in->count > PARTS_MAX || !level_is_sound(level_ppm))
        return GW_INVALID;
    for (size_t i = 0; i < in->count; i++) {
        if (!part_is_sound(&in->parts[i]))
            return GW_INVALID;
        terms[i] = gw_part_noise(&in->parts[i], 1.0);
        slack += gw_part_slack(&in->parts[i]);
    }
    double chance = level_chance(level_ppm);
    gw_noise_sum *sum = NULL;
    gw_status status = gw_noise_sum_new(terms, in->count, fmin(chance, CONFIDENCE_CHANCE_MIN), false, &sum);
    if (status != GW_OK)
        return status;
    double half_width = gw_noise_sum_quantile(sum, chance) + slack;
    *ret = (gw_combined){.is_estimable = true, .estimate = in->amount, .se = gw_noise_sum_sd(sum)};
    ret->lower = in->amount - half_width;
    ret->upper = in->amount + half_width;
    decide(ret, gw_noise_sum_chance(sum, fmax(0.0, fabs(in->amount) - slack)) / 2.0);
    gw_noise_sum_free(sum);
    return GW_OK;
}

gw_status gw_combine_sum(const gw_combine_part *parts, size_t count, uint32_t level_ppm, gw_combined *ret) {
    signed_sum in = {.parts = parts, .count = count};
    for (size_t i = 0; i < count; i++)
        in.amount += gw_part_amount(&parts[i]);
    return sum_parts(&in, level_ppm, ret);
}

gw_status gw_combine_difference(const gw_combine_part *a, const gw_combine_part *b, uint32_t level_ppm,
                                gw_combined *ret) {
    const gw_combine_part parts[] = {*a, *b};
    gw_int128 steps;
    signed_sum in = {.parts = parts, .count = 2, .amount = gw_part_amount(a) - gw_part_amount(b)};
    // Exact where both count in the same steps: large figures that are nearly equal lose nothing to rounding.
    if (a->step == b->step && !__builtin_sub_overflow(a->value, b->value, &steps))
        in.amount = (double)steps * a->step;
    return sum_parts(&in, level_ppm, ret);
}

// ---- ratios

// Standard deviation of a part's noise, in the unit of the result.
static double part_sd(const gw_combine_part *part) {
    return part->count == 0 ? 0.0 : part->step * sqrt((double)part->count) * gw_tail_sd(part->noise);
}

// theta = a / (a + b): (1 - theta) a - theta b is zero in the exact values.
static gw_ratio_test theta_test(const gw_combine_part *a, const gw_combine_part *b, double chance) {
    return (gw_ratio_test){.sides = {{a, 1.0, -1.0}, {b, 0.0, -1.0}},
                           .side_count = 2,
                           .low = 0.0,
                           .high = 1.0,
                           .chance = chance,
                           .is_quick = true};
}

gw_status gw_combine_quotient(const gw_combine_part *a, const gw_combine_part *b, uint32_t level_ppm,
                              gw_combined *ret) {
    if (!part_is_sound(a) || !part_is_sound(b) || !level_is_sound(level_ppm))
        return GW_INVALID;
    gw_ratio_test test = theta_test(a, b, level_chance(level_ppm));
    gw_ratio_span span;
    gw_status status = gw_ratio_test_span(&test, &span);
    if (status != GW_OK)
        return status;
    *ret = (gw_combined){.lower = span.low < 1.0 ? span.low / (1.0 - span.low) : 0.0,
                         .upper = span.high < 1.0 ? span.high / (1.0 - span.high) : INFINITY};
    double bottom = gw_part_amount(b);
    ret->is_estimable = bottom > 0.0;
    if (ret->is_estimable) {
        ret->estimate = gw_part_amount(a) / bottom;
        ret->se = hypot(part_sd(a), ret->estimate * part_sd(b)) / bottom;
    }
    return GW_OK;
}

static bool ratio_is_sound(const gw_combine_ratio *ratio) {
    const gw_combine_part *a = &ratio->with, *b = &ratio->without;
    return part_is_sound(a) && part_is_sound(b) && a->step == b->step &&
           a->noise.epsilon.micro == b->noise.epsilon.micro && a->noise.sensitivity == b->noise.sensitivity &&
           ratio->range > 0.0;
}

// One value against a sum of others is what interval.h tabulates most closely; else the grid.
static gw_status pooled_span(const gw_combine_ratio *ratio, uint32_t level_ppm, gw_ratio_span *ret) {
    if (ratio->with.count != 1) {
        gw_ratio_test test = theta_test(&ratio->with, &ratio->without, level_chance(level_ppm));
        return gw_ratio_test_span(&test, ret);
    }
    gw_interval_law *law = NULL;
    gw_status status = gw_interval_law_new(ratio->with.noise, level_ppm, ratio->without.count, &law);
    if (status != GW_OK)
        return status;
    gw_ratio_range range = gw_interval_ratio(law, ratio->with.value, ratio->without.value);
    *ret = (gw_ratio_span){range.lower, range.upper};
    gw_interval_law_free(law);
    return GW_OK;
}

// The estimate and its noise; not estimable where the noisy denominator is not positive.
static void ratio_estimate(const gw_combine_ratio *ratio, gw_combined *ret) {
    double a = gw_part_amount(&ratio->with), n = a + gw_part_amount(&ratio->without);
    ret->is_estimable = n > 0.0;
    if (!ret->is_estimable)
        return;
    double theta = a / n;
    ret->estimate = ratio->minimum + ratio->range * theta;
    ret->se = ratio->range * hypot((1.0 - theta) * part_sd(&ratio->with), theta * part_sd(&ratio->without)) / n;
}

gw_status gw_combine_pooled(const gw_combine_ratio *ratio, uint32_t level_ppm, gw_combined *ret) {
    gw_ratio_span span;
    if (!ratio_is_sound(ratio) || !level_is_sound(level_ppm))
        return GW_INVALID;
    gw_status status = pooled_span(ratio, level_ppm, &span);
    if (status != GW_OK)
        return status;
    *ret = (gw_combined){.lower = ratio->minimum + ratio->range * span.low,
                         .upper = ratio->minimum + ratio->range * span.high};
    ratio_estimate(ratio, ret);
    return GW_OK;
}

gw_status gw_combine_share_difference(const gw_combine_shares *shares, uint32_t level_ppm, gw_combined *ret) {
    const gw_combine_part *a = &shares->a, *b = &shares->b, *rest = &shares->rest;
    gw_combined counts;
    gw_ratio_span span;
    if (!(shares->range > 0.0) || (rest->count > 0 && !part_is_sound(rest)))
        return GW_INVALID;
    // a - b - delta (a + b + rest) is zero in the exact values, for delta the difference of the shares.
    gw_ratio_test test = {.sides = {{a, 1.0, -1.0}, {b, -1.0, -1.0}, {rest, 0.0, -1.0}},
                          .side_count = rest->count > 0 ? 3 : 2,
                          .low = -1.0,
                          .high = 1.0};
    gw_status status = gw_combine_difference(a, b, level_ppm, &counts); // refuses what is not sound
    test.chance = level_chance(level_ppm);
    if (status == GW_OK)
        status = gw_ratio_test_span(&test, &span);
    if (status != GW_OK)
        return status;
    *ret = (gw_combined){.lower = shares->range * span.low, .upper = shares->range * span.high};
    double n = gw_part_amount(a) + gw_part_amount(b) + (rest->count > 0 ? gw_part_amount(rest) : 0.0);
    ret->is_estimable = n > 0.0;
    ret->confidence = counts.confidence; // of one whole, the larger share is the larger count
    ret->verdict = ret->is_estimable ? counts.verdict : GW_VERDICT_UNDECIDED;
    if (!ret->is_estimable)
        return GW_OK;
    double delta = counts.estimate / n;
    ret->estimate = shares->range * delta;
    ret->se =
        shares->range * hypot(hypot((1.0 - delta) * part_sd(a), (1.0 + delta) * part_sd(b)), delta * part_sd(rest)) / n;
    return GW_OK;
}

// ---- differences of ratios

// In closed form where it is of few noise values: four for two cells, and then a gap is a matter of microseconds.
typedef struct {
    gw_laplace_sum few;
    gw_noise_sum *many; // NULL: `few`
} any_law;

static gw_status any_law_init(const gw_noise_term *terms, size_t count, double chance_min, any_law *ret) {
    ret->many = NULL;
    if (gw_laplace_sum_init(terms, count, &ret->few))
        return GW_OK;
    return gw_noise_sum_new(terms, count, chance_min, true, &ret->many);
}

static double any_law_chance(const any_law *law, double x) {
    return law->many == NULL ? gw_laplace_sum_chance(&law->few, x) : gw_noise_sum_chance(law->many, x);
}

static double any_law_quantile(const any_law *law, double chance) {
    return law->many == NULL ? gw_laplace_sum_quantile(&law->few, chance) : gw_noise_sum_quantile(law->many, chance);
}

// One side, with the unlikely events held aside: theta is in low .. high and the noise of the denominator within noise.
typedef struct {
    const gw_combine_ratio *ratio;
    double n;            // noisy denominator
    double low, high;    // of theta
    double above, below; // how far the answer's error can go each way: estimate - truth at most, truth - estimate
    double n_noise;
} gap_side;

typedef struct {
    gap_side a, b;
    double times_a, times_b; // how much larger one's true denominator can be, against the other's, than it looks
    any_law laws[2];
} ratio_gap;

static gw_status gap_side_hold(const gw_combine_ratio *ratio, double chance, gap_side *ret) {
    const gw_combine_part *with = &ratio->with, *without = &ratio->without;
    any_law sum;
    gw_ratio_span span;
    gw_ratio_test test = theta_test(with, without, chance);
    gw_status status = gw_ratio_test_span(&test, &span);
    const gw_noise_term terms[] = {gw_part_noise(with, 1.0), gw_part_noise(without, 1.0)};
    if (status == GW_OK)
        status = any_law_init(terms, 2, chance, &sum);
    if (status != GW_OK)
        return status;
    double a = gw_part_amount(with);
    *ret = (gap_side){.ratio = ratio, .n = a + gw_part_amount(without), .low = span.low, .high = span.high};
    ret->n_noise = any_law_quantile(&sum, chance) + gw_part_slack(with) + gw_part_slack(without);
    ret->above = fmax(0.0, ratio->range * (a / ret->n - span.low)); // means nothing where n is not positive
    ret->below = fmax(0.0, ratio->range * (span.high - a / ret->n));
    gw_noise_sum_free(sum.many);
    return GW_OK;
}

// The law of (error of a) / times_b' - (error of b), both at the largest their thetas allow, with `more` on one side.
static gw_status gap_law(const ratio_gap *gap, double more_a, double more_b, double chance_min, any_law *ret) {
    double a = more_a * gap->a.ratio->range / gap->a.n, b = more_b * gap->b.ratio->range / gap->b.n;
    const gw_noise_term terms[] = {gw_part_noise(&gap->a.ratio->with, a * (1.0 - gap->a.low)),
                                   gw_part_noise(&gap->a.ratio->without, a * gap->a.high),
                                   gw_part_noise(&gap->b.ratio->with, b * (1.0 - gap->b.low)),
                                   gw_part_noise(&gap->b.ratio->without, b * gap->b.high)};
    return any_law_init(terms, 4, chance_min, ret);
}

static void gap_done(ratio_gap *gap) {
    gw_noise_sum_free(gap->laws[0].many);
    gw_noise_sum_free(gap->laws[1].many);
}

static bool gap_has_denominators(const ratio_gap *gap) {
    return gap->a.n > gap->a.n_noise && gap->b.n > gap->b.n_noise;
}

// `aside`: the chance of all events held aside together.
static gw_status gap_init(const gw_combine_ratio *a, const gw_combine_ratio *b, double chance, double aside,
                          ratio_gap *gap) {
    *gap = (ratio_gap){0};
    gw_status status = gap_side_hold(a, aside / 4.0, &gap->a);
    if (status == GW_OK)
        status = gap_side_hold(b, aside / 4.0, &gap->b);
    if (status != GW_OK || !gap_has_denominators(gap))
        return status;
    double a_most = gap->a.n / (gap->a.n - gap->a.n_noise), a_least = gap->a.n / (gap->a.n + gap->a.n_noise);
    double b_most = gap->b.n / (gap->b.n - gap->b.n_noise), b_least = gap->b.n / (gap->b.n + gap->b.n_noise);
    gap->times_a = a_most / b_least;
    gap->times_b = b_most / a_least;
    status = gap_law(gap, gap->times_a, 1.0, chance, &gap->laws[0]);
    if (status == GW_OK)
        status = gap_law(gap, 1.0, gap->times_b, chance, &gap->laws[1]);
    return status;
}

// How far the difference of `one` and `other` can be overestimated when the weighted noise is at most `room`: opposite
// errors (room itself), or two errors of one sign that the denominators weigh unequally.
static double gap_reach(const gap_side *one, const gap_side *other, double times_one, double times_other, double room) {
    double both_above = fmin(other->above, fmax(0.0, one->above - room) / times_other);
    double both_below = fmin(one->below, fmax(0.0, other->below - room) / times_one);
    double reach = room + fmax((times_other - 1.0) * both_above, (times_one - 1.0) * both_below);
    return fmin(reach, one->above + other->below);
}

static double gap_reach_down(const ratio_gap *gap, double room) {
    return gap_reach(&gap->a, &gap->b, gap->times_a, gap->times_b, room);
}

static double gap_reach_up(const ratio_gap *gap, double room) {
    return gap_reach(&gap->b, &gap->a, gap->times_b, gap->times_a, room);
}

// At least the chance that noise alone shows a difference this large in its direction, but for the events aside.
static double gap_chance(const ratio_gap *gap, double difference) {
    double size = fabs(difference);
    double (*reach)(const ratio_gap *, double) = difference > 0.0 ? gap_reach_down : gap_reach_up;
    double low = 0.0, high = size; // the reach is never below the room, unless the sides' own ranges end it
    if (reach(gap, high) < size)
        return 0.0;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2.0;
        if (reach(gap, middle) < size)
            low = middle;
        else
            high = middle;
    }
    return fmax(any_law_chance(&gap->laws[0], low), any_law_chance(&gap->laws[1], low)) / 2.0;
}

static gw_status gap_range(const gw_combine_ratio *a, const gw_combine_ratio *b, double chance, gw_combined *ret) {
    ratio_gap gap;
    double aside = chance * ASIDE_PART, left = chance - aside;
    gw_status status = gap_init(a, b, left, aside, &gap);
    if (status == GW_OK && gap_has_denominators(&gap)) {
        double room = fmax(any_law_quantile(&gap.laws[0], left), any_law_quantile(&gap.laws[1], left));
        ret->lower = ret->estimate - gap_reach_down(&gap, room);
        ret->upper = ret->estimate + gap_reach_up(&gap, room);
    } else if (status == GW_OK) { // the sides' own ranges are all there is
        ret->lower = a->minimum + a->range * gap.a.low - (b->minimum + b->range * gap.b.high);
        ret->upper = a->minimum + a->range * gap.a.high - (b->minimum + b->range * gap.b.low);
    }
    gap_done(&gap);
    return status;
}

static gw_status gap_decide(const gw_combine_ratio *a, const gw_combine_ratio *b, gw_combined *ret) {
    ratio_gap gap;
    gw_status status = gap_init(a, b, CONFIDENCE_CHANCE_MIN, ASIDE_CHANCE, &gap);
    if (status == GW_OK)
        decide(ret, gap_has_denominators(&gap) ? ASIDE_CHANCE + gap_chance(&gap, ret->estimate) : 0.5);
    gap_done(&gap);
    return status;
}

gw_status gw_combine_ratio_difference(const gw_combine_ratio *a, const gw_combine_ratio *b, uint32_t level_ppm,
                                      gw_combined *ret) {
    if (!ratio_is_sound(a) || !ratio_is_sound(b) || !level_is_sound(level_ppm))
        return GW_INVALID;
    gw_combined one = {0}, other = {0}, result = {0};
    ratio_estimate(a, &one);
    ratio_estimate(b, &other);
    result.is_estimable = one.is_estimable && other.is_estimable;
    result.estimate = result.is_estimable ? one.estimate - other.estimate : 0.0;
    result.se = hypot(one.se, other.se);
    gw_status status = gap_range(a, b, level_chance(level_ppm), &result);
    if (status == GW_OK)
        status = gap_decide(a, b, &result);
    if (status == GW_OK)
        *ret = result;
    return status;
}
