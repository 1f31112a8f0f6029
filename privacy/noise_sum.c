// SPDX-License-Identifier: Apache-2.0
// Sums of lattice laws by their characteristic function: the closed form of each noise value, multiplied, and summed
// over enough frequencies that nothing but a bounded remainder is left. Where weights differ or noise is wide, each
// value is replaced by one on a common lattice whose smoothed law dominates it. Proofs: combine.md, interval.md.
#include "privacy/noise_sum.h"
#include "privacy/tail.h"
#include <math.h>
#include <stdlib.h>

#define WAVES_MAX 32768u  // frequencies summed, where the lattice is given: some milliseconds
#define REACH_MAX 1e15    // of a lattice: its points are counted exactly
#define SCALE_POINTS 64.0 // lattice points in the widest noise's scale, where the lattice is ours to choose
#define LOST_PART 1e-4    // part of the smallest chance that may lie beyond the lattice; it is counted in
#define SMOOTH_PART 1e-3  // part of the smallest chance given up to the smoothing of a lattice, each way
#define ROUNDING 1e-12    // covers the rounding of 10^5 terms that sum to at most ten
#define NEGLIGIBLE 1e-20  // a term of a characteristic function that is left out
#define MOMENT_STEPS 64
#define COUNT_MULTIPLIED 64.0 // equal values up to so many are multiplied; more by their logarithms

typedef enum { SUM_ONE, SUM_EXACT, SUM_DOMINATED } sum_kind;

struct gw_noise_sum {
    sum_kind kind;
    gw_noise noise; // ONE: the law of the only value
    double step;    // width of a lattice step, in the unit of the sum
    double sd;
    double margin; // DOMINATED: the half steps of smoothing
    double extra;  // added to every chance: mass beyond the lattice, smoothing, rounding
    size_t points; // odd; the lattice wraps around after so many
    double *waves; // phi(2 pi j / points) / sin(pi j / points), j = 1 .. wave_count
    size_t wave_count;
};

// A lattice law in lattice steps.
typedef struct {
    double rate;
    double count;
    double narrowness; // 1 / sinh(rate / 2)
} lattice_term;

static double noise_rate(gw_noise noise) {
    return (double)noise.epsilon.micro / 1e6 / (double)noise.sensitivity;
}

static lattice_term lattice_term_of(double rate, size_t count) {
    return (lattice_term){.rate = rate, .count = (double)count, .narrowness = 1.0 / sinh(rate / 2.0)};
}

static bool term_counts(const gw_noise_term *term) {
    return term->count > 0 && term->weight > 0.0;
}

static bool terms_are_sound(const gw_noise_term *terms, size_t count) {
    bool has_noise = false;
    for (size_t i = 0; i < count; i++) {
        bool is_sound = gw_tail_noise_is_sound(terms[i].noise) && terms[i].weight >= 0.0 && isfinite(terms[i].weight);
        if (!is_sound)
            return false;
        has_noise |= term_counts(&terms[i]);
    }
    return has_noise && count <= GW_NOISE_TERMS_MAX;
}

static double terms_sd(const gw_noise_term *terms, size_t count) {
    double variance = 0.0;
    for (size_t i = 0; i < count; i++) {
        double one = terms[i].weight * gw_tail_sd(terms[i].noise);
        variance += (double)terms[i].count * one * one;
    }
    return sqrt(variance);
}

// Some r, in lattice steps, with P(|sum| > r) <= chance: 2 E exp(s X) exp(-s r), the best of some s, all of them valid.
static double lattice_reach(const lattice_term *terms, size_t count, double chance) {
    double rate = INFINITY;
    for (size_t i = 0; i < count; i++)
        rate = fmin(rate, terms[i].rate);
    double best = INFINITY;
    for (int k = 1; k < MOMENT_STEPS; k++) {
        double s = rate * k / MOMENT_STEPS;
        double bound = log(2.0 / chance);
        for (size_t i = 0; i < count; i++) {
            double ratio = sinh(s / 2.0) / sinh(terms[i].rate / 2.0);
            bound -= terms[i].count * log1p(-ratio * ratio);
        }
        best = fmin(best, bound / s);
    }
    return best;
}

// base^count for a count of a few dozen at most.
static double power_of(double base, double count) {
    double power = 1.0;
    for (unsigned left = (unsigned)count; left != 0; left >>= 1) {
        power *= left & 1 ? base : 1.0;
        base *= base;
    }
    return power;
}

// phi(2 pi j / points) of the sum: each value's is 1 / (1 + sin^2(pi j / points) / sinh^2(rate / 2)).
static double lattice_phi(const lattice_term *terms, size_t count, double sine) {
    double product = 1.0;
    double logarithm = 0.0;
    for (size_t i = 0; i < count; i++) {
        double wide = sine * terms[i].narrowness;
        if (terms[i].count <= COUNT_MULTIPLIED)
            product *= power_of(1.0 + wide * wide, terms[i].count); // infinite where phi is nothing
        else
            logarithm += terms[i].count * log1p(wide * wide);
    }
    return (logarithm == 0.0 ? 1.0 : exp(-logarithm)) / product;
}

// How many frequencies matter: phi only falls, and all that is left out sums below `ROUNDING`.
static size_t lattice_waves(const lattice_term *terms, size_t count, size_t points) {
    size_t low = 0, high = points / 2 + 1; // the last that matters, the first that does not
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (lattice_phi(terms, count, sin(M_PI * (double)middle / (double)points)) < NEGLIGIBLE)
            high = middle;
        else
            low = middle;
    }
    return low;
}

// At least P(|sum| > k): what the wrapped law leaves outside -k .. k. Angles are reduced as integers.
static double lattice_chance(const gw_noise_sum *sum, double k) {
    if (k < 0.0)
        return 1.0;
    if (2.0 * k + 1.0 >= (double)sum->points)
        return sum->extra;
    size_t width = 2 * (size_t)k + 1;
    size_t turn = 2 * sum->points;
    double inside = (double)width;
    for (size_t j = 1, at = width; j <= sum->wave_count; j++, at = at + width >= turn ? at + width - turn : at + width)
        inside += 2.0 * sum->waves[j - 1] * sin(M_PI * (double)at / (double)sum->points);
    double outside = 1.0 - inside / (double)sum->points;
    return fmin(1.0, fmax(0.0, outside) + sum->extra);
}

// GW_LIMIT: it takes more than `wave_max` frequencies.
static gw_status lattice_build(gw_noise_sum *sum, const lattice_term *terms, size_t count, double lost,
                               size_t wave_max) {
    double reach = lattice_reach(terms, count, lost);
    if (!(reach < REACH_MAX))
        return GW_LIMIT;
    sum->points = 2 * (size_t)reach + 3;
    sum->wave_count = lattice_waves(terms, count, sum->points);
    if (sum->wave_count > wave_max)
        return GW_LIMIT;
    sum->extra += lost + ROUNDING;
    sum->waves = malloc((sum->wave_count + 1) * sizeof(*sum->waves));
    if (sum->waves == NULL)
        return GW_NO_MEMORY;
    for (size_t j = 1; j <= sum->wave_count; j++) {
        double sine = sin(M_PI * (double)j / (double)sum->points);
        sum->waves[j - 1] = lattice_phi(terms, count, sine) / sine;
    }
    return GW_OK;
}

// All weights alike: the sum lives on the noise's own lattice. GW_LIMIT: too wide to tabulate.
static gw_status build_exact(gw_noise_sum *sum, const gw_noise_term *terms, size_t count, double chance_min) {
    lattice_term lattice[GW_NOISE_TERMS_MAX];
    size_t used = 0;
    sum->step = 0.0;
    for (size_t i = 0; i < count; i++) {
        if (!term_counts(&terms[i]))
            continue;
        if (sum->step != 0.0 && terms[i].weight != sum->step)
            return GW_LIMIT;
        sum->step = terms[i].weight;
        lattice[used++] = lattice_term_of(noise_rate(terms[i].noise), terms[i].count);
    }
    sum->kind = SUM_EXACT;
    return lattice_build(sum, lattice, used, chance_min * LOST_PART, WAVES_MAX);
}

// The largest e with e + 2 ln cosh(e / 2) <= rate: smoothed noise of rate e dominates a Laplace variable of `rate`. The
// left side is 2 ln((exp(e) + 1) / 2), so e = ln(2 exp(rate / 2) - 1); less what rounding may add.
static double rate_dominating(double rate) {
    return log1p(2.0 * expm1(rate / 2.0)) * (1.0 - 1e-14);
}

// What smoothing adds at most, or but for `chance`: a sum of uniforms of these widths.
static double smoothing(double width_sum, double square_sum, double chance, double *extra) {
    double reach = width_sum / 2.0;
    double likely = sqrt(square_sum * log(2.0 / chance) / 6.0);
    if (likely >= reach)
        return reach;
    *extra += chance;
    return likely;
}

static gw_status build_dominated(gw_noise_sum *sum, const gw_noise_term *terms, size_t count, double chance_min) {
    double widest = 0.0, values = 0.0, width_sum = 0.0, square_sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        double n = (double)terms[i].count, w = terms[i].weight;
        if (!term_counts(&terms[i]))
            continue;
        widest = fmax(widest, w / (2.0 * tanh(noise_rate(terms[i].noise) / 2.0)));
        values += n;
        width_sum += n * w;
        square_sum += n * w * w;
    }
    sum->kind = SUM_DOMINATED;
    sum->step = widest / SCALE_POINTS;
    lattice_term lattice[GW_NOISE_TERMS_MAX];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (!term_counts(&terms[i]))
            continue;
        double rate = sum->step * 2.0 * tanh(noise_rate(terms[i].noise) / 2.0) / terms[i].weight;
        lattice[used++] = lattice_term_of(rate_dominating(rate), terms[i].count);
    }
    double given_up = chance_min * SMOOTH_PART, h = sum->step;
    sum->margin = smoothing(width_sum, square_sum, given_up, &sum->extra) +
                  smoothing(values * h, values * h * h, given_up, &sum->extra);
    return lattice_build(sum, lattice, used, chance_min * LOST_PART, SIZE_MAX);
}

// Whether there is but one noise value, whose tail has a closed form.
static bool find_one(const gw_noise_term *terms, size_t count, gw_noise_sum *sum) {
    size_t values = 0;
    for (size_t i = 0; i < count; i++) {
        if (!term_counts(&terms[i]))
            continue;
        values += terms[i].count;
        sum->noise = terms[i].noise;
        sum->step = terms[i].weight;
    }
    return values == 1;
}

static gw_status sum_build(gw_noise_sum *sum, const gw_noise_term *terms, size_t count, double chance_min,
                           bool is_monotone) {
    sum->sd = terms_sd(terms, count);
    if (find_one(terms, count, sum)) // scaling one value is monotone
        return GW_OK;
    gw_status status = is_monotone ? GW_LIMIT : build_exact(sum, terms, count, chance_min);
    return status == GW_LIMIT ? build_dominated(sum, terms, count, chance_min) : status;
}

gw_status gw_noise_sum_new(const gw_noise_term *terms, size_t term_count, double chance_min, bool is_monotone,
                           gw_noise_sum **ret) {
    if (!terms_are_sound(terms, term_count) || !(chance_min > 0.0 && chance_min < 1.0))
        return GW_INVALID;
    gw_noise_sum *sum = calloc(1, sizeof(*sum));
    if (sum == NULL)
        return GW_NO_MEMORY;
    gw_status status = sum_build(sum, terms, term_count, chance_min, is_monotone);
    if (status != GW_OK) {
        gw_noise_sum_free(sum);
        return status;
    }
    *ret = sum;
    return GW_OK;
}

void gw_noise_sum_free(gw_noise_sum *sum) {
    if (sum == NULL)
        return;
    free(sum->waves);
    free(sum);
}

double gw_noise_sum_sd(const gw_noise_sum *sum) {
    return sum->sd;
}

// P(|Z| >= t) = 2 q^t / (1 + q), t = 1, 2, ...
static double one_chance(const gw_noise_sum *sum, double steps) {
    if (steps < 1.0)
        return 1.0;
    double rate = noise_rate(sum->noise);
    return fmin(1.0, 2.0 * exp(-rate * steps) / (1.0 + exp(-rate)) * (1.0 + 1e-9));
}

double gw_noise_sum_chance(const gw_noise_sum *sum, double x) {
    double steps = (x - sum->margin) / sum->step;
    steps = ceil(steps - 1e-9 * (1.0 + fabs(steps))); // an x that rounding lifted over a point must not skip it
    return sum->kind == SUM_ONE ? one_chance(sum, steps) : lattice_chance(sum, steps - 1.0);
}

double gw_noise_sum_quantile(const gw_noise_sum *sum, double chance) {
    if (sum->kind == SUM_ONE)
        return sum->step * (double)gw_tail_half_width(sum->noise, chance);
    double low = -1.0; // never enough
    size_t half = sum->points / 2;
    double high = (double)half;
    while (high - low > 1.0) {
        double middle = floor((low + high) / 2.0);
        if (lattice_chance(sum, middle) <= chance)
            high = middle;
        else
            low = middle;
    }
    return high * sum->step + sum->margin;
}
