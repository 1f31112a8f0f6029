// SPDX-License-Identifier: Apache-2.0
// Sums and searches over the law's own table.
#include "privacy/derive/keys.h"
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

struct gw_keys_figures {
    size_t count; // T is 1 .. count + 1
    uint64_t centre;
    double mean, sd;
    double shown[]; // pi_0 .. pi_count
};

static double double_of(const gw_threshold *threshold) {
    double value = 0;
    for (int i = GW_THRESHOLD_LIMBS - 1; i >= 0; i--)
        value += ldexp((double)threshold->limbs[i], -64 * (i + 1));
    return value;
}

// Mean and variance of T from its survival function: E T = sum P(T > t), E T^2 = sum (2 t + 1) P(T > t).
static void figures_moments(gw_keys_figures *figures) {
    double square = 0;
    for (size_t t = 0; t <= figures->count; t++)
        figures->mean += 1 - figures->shown[t];
    for (size_t t = 0; t <= figures->count; t++) // around the mean: differences of large squares would lose digits
        square += (2 * ((double)t - figures->mean) + 1) * (1 - figures->shown[t]);
    figures->sd = sqrt(square + figures->mean * figures->mean);
}

gw_status gw_keys_figures_new(const gw_selection_law *law, gw_keys_figures **ret) {
    size_t count;
    const gw_threshold *table = gw_selection_law_table(law, &count);
    gw_keys_figures *figures = calloc(1, sizeof(*figures) + (count + 1) * sizeof(figures->shown[0]));
    if (figures == NULL)
        return GW_NO_MEMORY;
    figures->count = count;
    figures->centre = gw_selection_law_centre(law);
    for (size_t t = 0; t < count; t++)
        figures->shown[t + 1] = double_of(&table[t]);
    figures_moments(figures);
    *ret = figures;
    return GW_OK;
}

void gw_keys_figures_free(gw_keys_figures *figures) {
    free(figures);
}

double gw_keys_shown(const gw_keys_figures *figures, uint64_t persons) {
    return persons <= figures->count ? figures->shown[persons] : 1;
}

uint64_t gw_keys_persons(const gw_keys_figures *figures, double chance) {
    uint64_t low = 0, high = figures->count + 1; // high does it, low does not
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (gw_keys_shown(figures, middle) >= chance)
            high = middle;
        else
            low = middle;
    }
    return high;
}

double gw_keys_sd(const gw_keys_figures *figures) {
    return figures->sd;
}

double gw_keys_bias(const gw_keys_figures *figures) {
    return (double)figures->centre - figures->mean;
}

// P(T <= t | T <= count): of the count's chances of being shown, the part with n - T as large as here or larger.
static double portion(const gw_keys_figures *figures, uint64_t t, uint64_t count) {
    return gw_keys_shown(figures, t) / gw_keys_shown(figures, count);
}

// With over = n - T known, n = over + t for each possible t. Both conditions are monotone in t, because T has a
// log-concave law.
gw_keys_range gw_keys_range_of(const gw_keys_figures *figures, uint64_t value, uint32_t level_ppm) {
    uint64_t over = value > figures->centre ? value - figures->centre : 0, steps = figures->count + 1;
    double side = (1e6 - (double)level_ppm) / 2e6;
    uint64_t low = 0, high = steps; // the smallest t that is likely enough to have come out so high
    while (high - low > 1) {
        uint64_t t = low + (high - low) / 2;
        if (portion(figures, t, over + t) > side)
            high = t;
        else
            low = t;
    }
    uint64_t lower = over + high;
    low = 1; // the largest t that is likely enough to have come out so low
    high = steps + 1;
    while (high - low > 1) {
        uint64_t t = low + (high - low) / 2;
        if (1 - portion(figures, t - 1, over + t) > side)
            low = t;
        else
            high = t;
    }
    return (gw_keys_range){lower, over + low};
}

double gw_keys_half_width(const gw_keys_figures *figures, uint32_t level_ppm) {
    gw_keys_range range = gw_keys_range_of(figures, figures->centre + figures->count + 1, level_ppm);
    return (double)(range.upper - range.lower) / 2;
}

// ---- before asking

// pi by its closed form (Theorem 1), for one key of the price.
typedef struct {
    double epsilon, delta;
    double rise;           // n1: until then the first term of the recursion is the smaller one
    double at_rise, count; // pi_n1, n2
} closed_form;

static double rising(const closed_form *f, double n) {
    return expm1(n * f->epsilon) / expm1(f->epsilon) * f->delta;
}

// False where gw_selection_law_new would refuse.
static bool closed_form_of(gw_selection_price price, closed_form *ret) {
    double keys = (double)price.keys_per_person;
    closed_form f = {.epsilon = (double)price.epsilon.micro / 1e6 / keys,
                     .delta = -expm1(log1p(-(double)price.delta.atto / (double)GW_DELTA_ONE_ATTO) / keys)};
    if (!(f.epsilon > 0) || !(f.delta > 0) || !(f.delta < 1) || f.epsilon > GW_SELECTION_EPSILON_MAX)
        return false;
    double over = expm1(f.epsilon);
    f.rise = 1 + floor(log((over + 2 * f.delta) / ((over + 2) * f.delta)) / f.epsilon);
    f.at_rise = rising(&f, f.rise);
    f.count = f.rise + floor(log1p(over / f.delta * (1 - f.at_rise)) / f.epsilon);
    *ret = f;
    return f.count < GW_SELECTION_STEPS_MAX;
}

static double closed_form_at(const closed_form *f, double n) {
    if (n <= f->rise)
        return rising(f, n);
    double left = exp(-(n - f->rise) * f->epsilon);
    return n > f->count ? 1 : (1 - left) * (1 + f->delta / expm1(f->epsilon)) + left * f->at_rise;
}

// The smallest n from 0 to count + 1 whose pi is at least, or above, the chance.
static double closed_form_from(const closed_form *f, double chance, bool is_above) {
    double low = -1, high = f->count + 1;
    while (high - low > 1) {
        double middle = floor((low + high) / 2), shown = closed_form_at(f, middle);
        if (is_above ? shown > chance : shown >= chance)
            high = middle;
        else
            low = middle;
    }
    return high;
}

uint64_t gw_keys_price_persons(gw_selection_price price, double chance) {
    closed_form f;
    return closed_form_of(price, &f) ? (uint64_t)closed_form_from(&f, chance, false) : 0;
}

double gw_keys_price_half_width(gw_selection_price price, uint32_t level_ppm) {
    closed_form f;
    double side = (1e6 - (double)level_ppm) / 2e6;
    if (!closed_form_of(price, &f))
        return INFINITY;
    return (closed_form_from(&f, 1 - side, false) - closed_form_from(&f, side, true)) / 2;
}
