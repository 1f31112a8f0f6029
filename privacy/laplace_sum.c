// SPDX-License-Identifier: Apache-2.0
// Partial fractions of a product of Laplace transforms. Scales that lie too near each other are moved apart, the larger
// one upwards, which only widens the law (laplace_sum.md).
#include "privacy/laplace_sum.h"
#include "privacy/tail.h"
#include <math.h>

#define APART 1.01         // ratio of neighbouring scales at least: the factors then stay below 7e4
#define ROUNDING 1e-10     // of the tail, and
#define ROUNDING_PART 1e-9 // of each part of it: what rounding of such factors can cost
#define HALVINGS 48

static void scales_sort(gw_laplace_sum *sum) {
    for (size_t i = 1; i < sum->count; i++)
        for (size_t k = i; k > 0 && sum->scales[k - 1] < sum->scales[k]; k--) {
            double scale = sum->scales[k];
            sum->scales[k] = sum->scales[k - 1];
            sum->scales[k - 1] = scale;
        }
}

// From the smallest up: each at least APART above the next.
static void scales_part(gw_laplace_sum *sum) {
    for (size_t i = sum->count; i-- > 1;)
        sum->scales[i - 1] = fmax(sum->scales[i - 1], sum->scales[i] * APART);
}

static void factors_set(gw_laplace_sum *sum) {
    for (size_t i = 0; i < sum->count; i++) {
        sum->factors[i] = 1.0;
        for (size_t k = 0; k < sum->count; k++) {
            double ratio = sum->scales[k] / sum->scales[i];
            if (k != i)
                sum->factors[i] /= 1.0 - ratio * ratio;
        }
    }
}

bool gw_laplace_sum_init(const gw_noise_term *terms, size_t term_count, gw_laplace_sum *ret) {
    gw_laplace_sum sum = {0};
    for (size_t i = 0; i < term_count; i++) {
        const gw_noise_term *term = &terms[i];
        if (!gw_tail_noise_is_sound(term->noise) || !isfinite(term->weight) || term->weight < 0.0)
            return false;
        if (term->count > GW_LAPLACE_TERMS_MAX - sum.count)
            return false;
        double rate = (double)term->noise.epsilon.micro / 1e6 / (double)term->noise.sensitivity;
        double scale = term->weight / (2.0 * tanh(rate / 2.0));
        for (size_t k = 0; k < term->count && scale > 0.0; k++)
            sum.scales[sum.count++] = scale;
        sum.smoothing += (double)term->count * term->weight / 2.0;
    }
    scales_sort(&sum);
    // A scale that is next to nothing beside the largest is raised: the ratio of two stays a number.
    for (size_t i = 1; i < sum.count; i++)
        sum.scales[i] = fmax(sum.scales[i], sum.scales[0] * 1e-100);
    scales_part(&sum);
    factors_set(&sum);
    *ret = sum;
    return true;
}

// P(|sum of Laplace variables| > x), a little more.
static double tail(const gw_laplace_sum *sum, double x) {
    double chance = 0.0;
    for (size_t i = 0; i < sum->count; i++)
        chance += sum->factors[i] * exp(-x / sum->scales[i]);
    return fmin(1.0, fmax(0.0, chance) * (1.0 + ROUNDING_PART) + ROUNDING);
}

double gw_laplace_sum_chance(const gw_laplace_sum *sum, double x) {
    double left = x - sum->smoothing;
    if (sum->count == 0)
        return left >= 0.0 ? 0.0 : 1.0;
    return left <= 0.0 ? 1.0 : tail(sum, left);
}

double gw_laplace_sum_quantile(const gw_laplace_sum *sum, double chance) {
    if (sum->count == 0)
        return sum->smoothing;
    if (!(chance > 2.0 * ROUNDING))
        return INFINITY;
    double low = 0.0, high = sum->scales[0] * (1.0 - log(chance));
    while (tail(sum, high) > chance)
        high *= 2.0;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2.0;
        if (tail(sum, middle) > chance)
            low = middle;
        else
            high = middle;
    }
    return high + sum->smoothing;
}
