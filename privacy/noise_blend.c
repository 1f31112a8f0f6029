// SPDX-License-Identifier: Apache-2.0
// A sum of lattice laws that share no lattice, made smooth by a narrow normal variable, whose law is then summed from
// its characteristic function; what the smoothing can hide is added (noise_blend.md).
#include "privacy/noise_blend.h"
#include "privacy/tail.h"
#include <math.h>
#include <stdlib.h>

#define SMOOTHNESS 160.0  // standard deviations of the sum in one of the normal variable
#define SHIFT 3.5         // of those of the normal variable, that an excess may be hidden by
#define HIDDEN 0.9997673  // less than P(normal >= -SHIFT) = 0.99976737
#define LOST_PART 1e-4    // part of the chance that may lie beyond the period
#define NEGLIGIBLE 1e-17  // a factor of the characteristic function that adds nothing
#define ROUNDING 1e-11    // of all sums, beside a chance of 1e-9 at least
#define WAVES_MAX 16384.0 // noise that is nearly always 0 needs more, without end: then the moment bound stands
#define BISECTIONS 40
#define MOMENT_STEPS 200

typedef struct {
    double weight;
    double narrowness; // 1 / sinh(rate / 2)
    double rate;       // epsilon / sensitivity
    double count;
} blend_term;

typedef struct {
    blend_term *terms; // widest first
    size_t count;
    double sd;
    double smooth_sd;
    double period;
    double *waves; // phi(2 pi j / period), j = 1 ..
    size_t wave_count;
    double lost; // at most the chance that the smoothed sum passes the period's reach
} blend_law;

static bool terms_are_sound(const gw_noise_term *terms, size_t count) {
    if (count == 0 || count > GW_NOISE_BLEND_TERMS_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!gw_tail_noise_is_sound(terms[i].noise) || !(terms[i].weight >= 0.0 && terms[i].weight <= 1e15))
            return false;
    return true;
}

double gw_noise_blend_sd(const gw_noise_term *terms, size_t count) {
    double variance = 0.0;
    for (size_t i = 0; i < count; i++) {
        const double sd = terms[i].weight * gw_tail_sd(terms[i].noise);
        variance += sd * sd * (double)terms[i].count;
    }
    return sqrt(variance);
}

static int compare_spread(const void *left, const void *right) {
    const blend_term *a = left, *b = right;
    const double spread_a = a->weight * a->narrowness, spread_b = b->weight * b->narrowness;
    return (spread_a < spread_b) - (spread_a > spread_b);
}

// Wide terms first: their product is soon negligible, and the rest need not be multiplied.
static gw_status law_init(blend_law *law, const gw_noise_term *terms, size_t count) {
    *law = (blend_law){.terms = calloc(count, sizeof(*law->terms)), .sd = gw_noise_blend_sd(terms, count)};
    if (law->terms == NULL)
        return GW_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (!(terms[i].weight > 0.0) || terms[i].count == 0)
            continue;
        const double rate = (double)terms[i].noise.epsilon.micro / 1e6 / (double)terms[i].noise.sensitivity;
        law->terms[law->count++] = (blend_term){.weight = terms[i].weight,
                                                .narrowness = 1.0 / sinh(rate / 2.0),
                                                .rate = rate,
                                                .count = (double)terms[i].count};
    }
    qsort(law->terms, law->count, sizeof(*law->terms), compare_spread);
    law->smooth_sd = law->sd / SMOOTHNESS;
    return GW_OK;
}

static void law_done(blend_law *law) {
    free(law->terms);
    free(law->waves);
}

// Of the sum with the normal variable: positive, and at most 1.
static double law_phi(const blend_law *law, double frequency) {
    const double normal = frequency * law->smooth_sd;
    double product = exp(-normal * normal / 2.0);
    for (size_t i = 0; i < law->count && product > NEGLIGIBLE; i++) {
        const blend_term *term = &law->terms[i];
        const double wide = sin(frequency * term->weight / 2.0) * term->narrowness;
        if (term->count == 1.0)
            product /= 1.0 + wide * wide;
        else
            product *= exp(-term->count * log1p(wide * wide));
    }
    return product;
}

// ln E exp(s Y) of the same sum.
static double law_log_moment(const blend_law *law, double s) {
    double sum = s * s * law->smooth_sd * law->smooth_sd / 2.0;
    for (size_t i = 0; i < law->count; i++) {
        const double ratio = sinh(s * law->terms[i].weight / 2.0) * law->terms[i].narrowness;
        if (!(ratio < 1.0))
            return INFINITY;
        sum -= law->terms[i].count * log1p(-ratio * ratio);
    }
    return sum;
}

// Some c with P(|Y| > c) <= chance, by the best of a ladder of moments: wide, but always right.
static double law_reach(const blend_law *law, double chance) {
    double s_max = INFINITY, best = INFINITY;
    for (size_t i = 0; i < law->count; i++)
        s_max = fmin(s_max, law->terms[i].rate / law->terms[i].weight);
    const double low = 0.01 / law->sd;
    for (int i = 0; i < MOMENT_STEPS; i++) {
        const double s = fmin(low, s_max / 2.0) * pow(s_max / fmin(low, s_max / 2.0), (double)i / MOMENT_STEPS);
        best = fmin(best, (law_log_moment(law, s) + log(2.0 / chance)) / s);
    }
    return best * (1.0 + 1e-9);
}

// How many waves the law is summed from: in proportion to the period in standard deviations.
static double law_plan(blend_law *law, double chance) {
    law->lost = chance * LOST_PART;
    law->period = 2.0 * law_reach(law, law->lost) + 2.0 * law->sd;
    // Beyond this frequency the normal factor alone is negligible.
    const double frequency_max = sqrt(-2.0 * log(NEGLIGIBLE)) / law->smooth_sd;
    return frequency_max * law->period / (2.0 * M_PI) + 1.0;
}

static gw_status law_tabulate(blend_law *law, double waves) {
    law->wave_count = (size_t)waves;
    law->waves = malloc(law->wave_count * sizeof(*law->waves));
    if (law->waves == NULL)
        return GW_NO_MEMORY;
    for (size_t j = 1; j <= law->wave_count; j++)
        law->waves[j - 1] = law_phi(law, 2.0 * M_PI * (double)j / law->period);
    while (law->wave_count > 0 && law->waves[law->wave_count - 1] <= NEGLIGIBLE)
        law->wave_count--;
    return GW_OK;
}

// At least P(|Y| > x), for x below half the period.
static double law_chance(const blend_law *law, double x) {
    // The angle turns by the same step each time: the error of a turn grows with j, and is divided by it.
    const double angle = 2.0 * M_PI * x / law->period, turn_cosine = cos(angle), turn_sine = sin(angle);
    double inside = 0.0, cosine = 1.0, sine = 0.0;
    for (size_t j = 1; j <= law->wave_count; j++) {
        const double turned = cosine * turn_cosine - sine * turn_sine;
        sine = sine * turn_cosine + cosine * turn_sine;
        cosine = turned;
        inside += law->waves[j - 1] * sine / (double)j;
    }
    const double outside = 1.0 - 2.0 * x / law->period - 2.0 * inside / M_PI;
    return fmax(0.0, outside) + law->lost + ROUNDING;
}

// P(|X| > c) <= P(|Y| > c - shift) / HIDDEN.
static double law_quantile(const blend_law *law, double chance) {
    double low = 0.0, high = law->period / 2.0 - law->sd;
    for (int i = 0; i < BISECTIONS; i++) {
        const double middle = (low + high) / 2.0;
        if (law_chance(law, middle) <= chance * HIDDEN)
            high = middle;
        else
            low = middle;
    }
    return high + SHIFT * law->smooth_sd;
}

gw_status gw_noise_blend_quantile(const gw_noise_term *terms, size_t count, double chance, double *ret_quantile) {
    if (!terms_are_sound(terms, count) || !(chance >= 1e-9 && chance <= 0.5))
        return GW_INVALID;
    blend_law law;
    gw_status status = law_init(&law, terms, count);
    if (status == GW_OK && law.count == 0)
        status = GW_INVALID;
    if (status == GW_OK && law.count == 1 && law.terms[0].count == 1.0) { // its tail has a closed form
        for (size_t i = 0; i < count; i++)
            if (terms[i].weight > 0.0 && terms[i].count == 1)
                *ret_quantile = terms[i].weight * (double)gw_tail_half_width(terms[i].noise, chance) * (1.0 + 1e-12);
    } else if (status == GW_OK) {
        const double waves = law_plan(&law, chance);
        status = waves <= WAVES_MAX ? law_tabulate(&law, waves) : GW_OK;
        if (status == GW_OK)
            *ret_quantile = law.waves != NULL ? law_quantile(&law, chance) : law_reach(&law, chance);
    }
    law_done(&law);
    return status;
}
