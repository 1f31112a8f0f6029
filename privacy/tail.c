// SPDX-License-Identifier: Apache-2.0
// Three ways to the tail of |u Z - v S|, chosen by size; interval.md proves each.
// Lattice: sums the exact law, or (wide noise, several others) that of a coarser lattice which dominates it.
// Laplace: wide noise and one other, as two continuous Laplace variables and half a step.
// Chernoff: very many others, by the moment bound.
#include "privacy/tail.h"
#include "privacy/sampling/thresholds.h"
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define LATTICE_SCALE 32.0 // widest noise (sensitivity / epsilon) summed exactly, and the scale of the coarse lattice
#define LATTICE_SCALE_ROUGH 8.0  // of a still coarser one, for sums that are wide themselves
#define SUM_REACH_MAX 6000.0     // widest sum tabulated: some 250 others at scale 32, 2000 at scale 8; beyond, Chernoff
#define FILTER_STEPS_MAX 6e6     // convolutions times reach: about 50 ms
#define ROUNDING_UP (1.0 + 1e-9) // covers the rounding of 10^5 positive terms
#define ROUNDING_MORE 1e-14      // and of a sum that should be 1
#define SPREAD 1e-3              // part of a chance given up to the smoothing of a lattice
#define LOST_PART 0.05           // part of the smallest chance that the table of S may miss; the misses are counted in
#define PRECISION 1e-3           // of a quantile, in standard deviations
#define RATE_MAX 700.0           // far beyond what thresholds.h certifies; hyperbolic sines overflow at twice that
#define DOUBLINGS_MAX 64
#define GOLDEN_STEPS 80

typedef enum { TAIL_LATTICE, TAIL_LAPLACE, TAIL_CHERNOFF } tail_kind;

struct gw_tail {
    tail_kind kind;
    gw_noise noise;
    size_t others;
    double rate;      // lattice: epsilon / sensitivity per lattice step; laplace, chernoff: per unit
    double step;      // width of a lattice step; 1 unless coarse
    bool is_smoothed; // coarse: the half steps lost by smoothing are added to quantiles
    double *sum;      // lattice: P(S = s), s = 0 .. sum_count - 1, each at most the true value
    size_t sum_count;
    double sum_lost; // what is missing from the whole of S
    double *powers;  // exp(-rate k), k = 0 .. power_count
    size_t power_count;
};

// epsilon / sensitivity.
static double noise_rate(gw_noise noise) {
    return (double)noise.epsilon.micro / 1e6 / (double)noise.sensitivity;
}

bool gw_tail_noise_is_sound(gw_noise noise) {
    return noise.epsilon.micro > 0 && noise.sensitivity > 0 && noise.sensitivity <= GW_SENSITIVITY_MAX &&
           noise_rate(noise) <= RATE_MAX;
}

uint64_t gw_tail_half_width(gw_noise noise, double chance) {
    // 2 q^(t+1) / (1 + q) <= chance, solved for t; the 1e-12 keeps rounding on the wide side.
    double rate = noise_rate(noise);
    double steps = (log(2.0 / (chance * (1.0 + exp(-rate)))) + 1e-12) / rate;
    return steps <= 1.0 ? 0 : (uint64_t)(ceil(steps) - 1.0);
}

double gw_tail_sd(gw_noise noise) {
    return 1.0 / (M_SQRT2 * sinh(noise_rate(noise) / 2.0));
}

// Logarithm of E exp(s u Z) for noise of `rate`; infinite from s u = rate on.
static double log_moment(double rate, double argument) {
    double ratio = sinh(argument / 2.0) / sinh(rate / 2.0);
    return ratio >= 1.0 ? INFINITY : -log1p(-ratio * ratio);
}

typedef struct {
    double rate;
    double others;
    gw_tail_weights weights;
    double log_chance; // ln(2 / chance)
} moment_bound;

// Chernoff: P(|X| > c) <= 2 exp(K(s) - s c), so this c is valid whatever s is.
static double moment_bound_at(const moment_bound *bound, double s) {
    double of_one = log_moment(bound->rate, s * bound->weights.of_one);
    double of_others = bound->others * log_moment(bound->rate, s * bound->weights.of_others);
    return (of_one + of_others + bound->log_chance) / s;
}

// The smallest over s by golden section. (K(s) + L) / s is quasiconvex; were it not, the result would only be wider.
static double moment_bound_minimum(const moment_bound *bound) {
    double weight_max = fmax(bound->weights.of_one, bound->weights.of_others);
    double low = 0.0;
    double high = bound->rate / weight_max;
    double ratio = (sqrt(5.0) - 1.0) / 2.0;
    double left = high - ratio * (high - low);
    double right = low + ratio * (high - low);
    double at_left = moment_bound_at(bound, left);
    double at_right = moment_bound_at(bound, right);
    for (int i = 0; i < GOLDEN_STEPS; i++) {
        if (at_left <= at_right) {
            high = right;
            right = left;
            at_right = at_left;
            left = high - ratio * (high - low);
            at_left = moment_bound_at(bound, left);
        } else {
            low = left;
            left = right;
            at_left = at_right;
            right = low + ratio * (high - low);
            at_right = moment_bound_at(bound, right);
        }
    }
    return fmin(at_left, at_right) * ROUNDING_UP;
}

static double tail_moment_quantile(double rate, size_t others, gw_tail_weights weights, double chance) {
    moment_bound bound = {.rate = rate, .others = (double)others, .weights = weights, .log_chance = log(2.0 / chance)};
    return moment_bound_minimum(&bound);
}

// One convolution with discrete Laplace noise, in place: (1-q)/(1+q) q^|k| is a filter run forwards plus the same
// filter run backwards, minus the middle counted twice. All terms are positive, so rounding stays relative.
static void filter_apply(double *values, double *scratch, size_t count, double rate) {
    double q = exp(-rate);
    double middle = tanh(rate / 2.0); // (1-q)/(1+q)
    double before = 0.0;
    for (size_t i = 0; i < count; i++) {
        scratch[i] = q * before; // what lies strictly to the left
        before = values[i] + q * before;
    }
    double after = 0.0;
    for (size_t i = count; i-- > 0;) {
        double here = values[i] + q * after;
        values[i] = middle * (here + scratch[i]);
        after = here;
    }
}

// The law of S on -(sum_count - 1) .. sum_count - 1 by `others` convolutions; keeps the non-negative half.
static gw_status tail_sum(gw_tail *tail) {
    size_t middle = tail->sum_count - 1;
    size_t count = 2 * middle + 1;
    double *values = calloc(count, sizeof(*values));
    double *scratch = calloc(count, sizeof(*scratch));
    tail->sum = malloc(tail->sum_count * sizeof(*tail->sum));
    bool is_ready = values != NULL && scratch != NULL && tail->sum != NULL;
    if (is_ready) {
        values[middle] = 1.0;
        for (size_t i = 0; i < tail->others; i++)
            filter_apply(values, scratch, count, tail->rate);
        double total = values[middle];
        for (size_t s = 1; s <= middle; s++)
            total += 2.0 * values[middle + s];
        for (size_t s = 0; s <= middle; s++)
            tail->sum[s] = values[middle + s];
        tail->sum_lost = fmax(0.0, 1.0 - total) + ROUNDING_MORE;
    }
    free(values);
    free(scratch);
    return is_ready ? GW_OK : GW_NO_MEMORY;
}

static gw_status tail_powers(gw_tail *tail) {
    tail->powers = malloc((tail->power_count + 1) * sizeof(*tail->powers));
    if (tail->powers == NULL)
        return GW_NO_MEMORY;
    for (size_t k = 0; k <= tail->power_count; k++)
        tail->powers[k] = exp(-tail->rate * (double)k);
    return GW_OK;
}

// Tries a lattice of this scale: the true one where the noise is narrower, else one whose smoothed law dominates the
// noise. False where the sum of the others is too wide to tabulate.
static bool tail_fit_lattice(gw_tail *tail, double scale, double lost) {
    double rate = noise_rate(tail->noise);
    double coarse = 1.0 / scale;
    tail->kind = TAIL_LATTICE;
    tail->is_smoothed = rate < coarse;
    tail->step = tail->is_smoothed ? coarse / (2.0 * tanh(rate / 2.0)) : 1.0;
    tail->rate = tail->is_smoothed ? coarse - coarse * coarse / 4.0 : rate;
    double reach = tail_moment_quantile(tail->rate, tail->others, (gw_tail_weights){0.0, 1.0}, lost);
    if (reach > SUM_REACH_MAX || reach * (double)tail->others > FILTER_STEPS_MAX)
        return false;
    tail->sum_count = (size_t)reach + 2;
    tail->power_count = (size_t)(log(2.0 / lost) / tail->rate) + 2;
    return true;
}

static gw_status tail_build(gw_tail *tail, double chance_min) {
    double rate = noise_rate(tail->noise);
    if (tail->others == 1 && rate * LATTICE_SCALE < 1.0) {
        tail->kind = TAIL_LAPLACE;
        tail->rate = 2.0 * tanh(rate / 2.0);
        return GW_OK;
    }
    double lost = chance_min * LOST_PART;
    if (tail_fit_lattice(tail, LATTICE_SCALE, lost) || tail_fit_lattice(tail, LATTICE_SCALE_ROUGH, lost)) {
        gw_status status = tail_sum(tail);
        return status == GW_OK ? tail_powers(tail) : status;
    }
    tail->kind = TAIL_CHERNOFF;
    tail->rate = rate;
    return GW_OK;
}

gw_status gw_tail_new(gw_noise noise, size_t others, double chance_min, gw_tail **ret) {
    if (!gw_tail_noise_is_sound(noise) || others == 0)
        return GW_INVALID;
    gw_tail *tail = calloc(1, sizeof(*tail));
    if (tail == NULL)
        return GW_NO_MEMORY;
    tail->noise = noise;
    tail->others = others;
    gw_status status = tail_build(tail, chance_min);
    if (status != GW_OK) {
        gw_tail_free(tail);
        return status;
    }
    *ret = tail;
    return GW_OK;
}

void gw_tail_free(gw_tail *tail) {
    if (tail == NULL)
        return;
    free(tail->sum);
    free(tail->powers);
    free(tail);
}

// At least P(Z > x): exact for x below the reach of the table, its last entry beyond.
static inline double lattice_above(const gw_tail *tail, double x, double scale) {
    // An x that rounding lifted just over an integer would skip an atom: take it back below.
    double last = (double)(tail->power_count - 1);
    double safe = fmax(-last, fmin(x - 1e-9 * (1.0 + fabs(x)), last));
    int64_t whole = (int64_t)safe;
    whole -= safe < (double)whole; // floor, without a call
    if (whole >= 0)
        return tail->powers[whole + 1] * scale;
    return 1.0 - tail->powers[-whole] * scale; // P(Z >= k) = 1 - P(Z >= 1 - k), k = whole + 1
}

// At least P(|u Z - v S| > c) on the lattice; the law is symmetric in the pair, so s and -s are alike.
static double lattice_chance(const gw_tail *tail, gw_tail_weights weights, double c) {
    double u = weights.of_one;
    double v = weights.of_others;
    double chance = 0.0;
    if (u == 0.0) {
        for (size_t s = 0; s < tail->sum_count; s++)
            chance += v * (double)s > c * (1.0 - 1e-12) ? 2.0 * tail->sum[s] : 0.0;
        return chance * ROUNDING_UP + tail->sum_lost;
    }
    double scale = 1.0 / (1.0 + exp(-tail->rate));
    double edge = c / u;
    double shift = v / u;
    chance = tail->sum[0] * lattice_above(tail, edge, scale);
    for (size_t s = 1; s < tail->sum_count; s++)
        chance += tail->sum[s] * (lattice_above(tail, edge + shift * (double)s, scale) +
                                  lattice_above(tail, edge - shift * (double)s, scale));
    return 2.0 * chance * ROUNDING_UP + tail->sum_lost;
}

// P(|u L1 - v L2| > c) for continuous Laplace variables of scale 1 / rate, in the form that stays precise for u near v.
static double laplace_chance(const gw_tail *tail, gw_tail_weights weights, double c) {
    double big = fmax(weights.of_one, weights.of_others) / tail->rate;
    double small = fmin(weights.of_one, weights.of_others) / tail->rate;
    double decay = exp(-c / big);
    double r = small / big;
    if (r == 0.0)
        return decay * ROUNDING_UP;
    double gap = 1.0 - r;
    double extra = gap == 0.0 ? c / big / 2.0 : r * r * -expm1(-c / big * gap / r) / (gap * (1.0 + r));
    return decay * (1.0 + extra) * ROUNDING_UP;
}

static double tail_chance(const gw_tail *tail, gw_tail_weights weights, double c) {
    return tail->kind == TAIL_LAPLACE ? laplace_chance(tail, weights, c)
                                      : lattice_chance(tail, weights, c / tail->step);
}

// What smoothing adds: u U - v (U + ... + U), each U uniform on half a step either side, on both lattices. Bounded by
// its reach, or (with `chance`) by its sub-Gaussian tail, whichever is less.
static double smoothing_margin(const gw_tail *tail, gw_tail_weights weights, double chance) {
    double u = weights.of_one;
    double v = weights.of_others;
    double reach = (u + (double)tail->others * v) / 2.0;
    double likely = sqrt((u * u + (double)tail->others * v * v) * log(2.0 / chance) / 6.0);
    return (1.0 + tail->step) * fmin(reach, likely);
}

static double tail_bisect(const gw_tail *tail, gw_tail_weights weights, double chance, double low, double high) {
    double spread = hypot(weights.of_one, sqrt((double)tail->others) * weights.of_others) * gw_tail_sd(tail->noise);
    low = fmax(low, 0.0);
    high = fmax(high, low);
    for (int i = 0; i < DOUBLINGS_MAX && tail_chance(tail, weights, high) > chance; i++) {
        low = high;
        high = 2.0 * fmax(high, spread * PRECISION);
    }
    while (high - low > spread * PRECISION && high - low > high * DBL_EPSILON * 4.0) {
        double middle = low + (high - low) / 2.0;
        if (tail_chance(tail, weights, middle) <= chance)
            high = middle;
        else
            low = middle;
    }
    return high;
}

double gw_tail_quantile(const gw_tail *tail, gw_tail_weights weights, double chance, double low, double high) {
    if (weights.of_others == 0.0) // one noise value alone: exact, whatever the kind
        return weights.of_one * (double)gw_tail_half_width(tail->noise, chance);
    if (tail->kind == TAIL_CHERNOFF)
        return tail_moment_quantile(tail->rate, tail->others, weights, chance);
    if (tail->kind == TAIL_LAPLACE) {
        double half_step = (weights.of_one + weights.of_others) / 2.0;
        return tail_bisect(tail, weights, chance, low - half_step, high - half_step) + half_step;
    }
    if (!tail->is_smoothed)
        return tail_bisect(tail, weights, chance, low, high);
    double margin = smoothing_margin(tail, weights, chance * SPREAD);
    return tail_bisect(tail, weights, chance * (1.0 - 2.0 * SPREAD), low - margin, high - margin) + margin;
}
