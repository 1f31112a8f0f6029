// SPDX-License-Identifier: Apache-2.0
// Laplace in closed form; Gaussian and shares by summing their mass, with the far end first.
#include "tests/support/noise_laws.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GAUSSIAN_TABLE_MAX 1000 // of the standard deviation; beyond, the integral is the sum to 14 digits

static double laplace_above(const noise_law *law, int64_t k) {
    return exp(-law->parameter * (double)(k + 1)) / (1 + exp(-law->parameter));
}

noise_law noise_law_laplace(double rate) {
    double q = exp(-rate), half_sinh = sinh(rate / 2);
    return (noise_law){.variance = 1 / (2 * half_sinh * half_sinh),
                       .kurtosis = (q * q + 10 * q + 1) / (2 * q),
                       .spread = 1 / rate,
                       .is_geometric = true,
                       .above = laplace_above,
                       .parameter = rate};
}

static double table_above(const noise_law *law, int64_t k) {
    return k < law->tail_count ? law->tails[k] : 0;
}

// From mass[k] proportional to P(Z = k), k < count; takes `mass` and makes its memory the tails.
static noise_law table_law(double *mass, int64_t count, double spread) {
    double total = 0, second = 0, fourth = 0;
    for (int64_t k = count - 1; k >= 0; k--) {
        double square = (double)k * (double)k, both = k == 0 ? mass[k] : 2 * mass[k];
        total += both;
        second += both * square;
        fourth += both * square * square;
    }
    double above = 0;
    for (int64_t k = count - 1; k >= 0; k--) {
        double here = mass[k] / total;
        mass[k] = above;
        above += here;
    }
    return (noise_law){.variance = second / total,
                       .kurtosis = fourth / total / (second / total) / (second / total),
                       .spread = spread,
                       .above = table_above,
                       .tails = mass,
                       .tail_count = count};
}

static double normal_above(const noise_law *law, int64_t k) {
    return erfc(((double)k + 0.5) / law->parameter / M_SQRT2) / 2;
}

noise_law noise_law_gaussian(double variance) {
    double deviation = sqrt(variance);
    if (deviation > GAUSSIAN_TABLE_MAX)
        return (noise_law){
            .variance = variance, .kurtosis = 3, .spread = deviation, .above = normal_above, .parameter = deviation};
    int64_t count = (int64_t)(40 * deviation) + 10;
    double *mass = calloc((size_t)count, sizeof(*mass));
    if (mass == NULL)
        abort();
    for (int64_t k = 0; k < count; k++)
        mass[k] = exp(-(double)k * (double)k / (2 * variance));
    return table_law(mass, count, deviation);
}

noise_law noise_law_share(double rate, double shape) {
    int64_t count = (int64_t)(50 / rate) + 10;
    double q = exp(-rate), *one = calloc((size_t)count, sizeof(*one)), *mass = calloc((size_t)count, sizeof(*mass));
    if (one == NULL || mass == NULL)
        abort();
    one[0] = pow(1 - q, shape);
    for (int64_t j = 0; j + 1 < count; j++)
        one[j + 1] = one[j] * q * ((double)j + shape) / (double)(j + 1);
    for (int64_t k = 0; k < count; k++)
        for (int64_t j = count - 1 - k; j >= 0; j--)
            mass[k] += one[j] * one[j + k];
    free(one);
    return table_law(mass, count, 1 / rate);
}

void noise_law_free(noise_law *law) {
    free(law->tails);
    law->tails = NULL;
}

double noise_law_below(const noise_law *law, int64_t k) {
    return k >= 0 ? 1 - law->above(law, k) : law->above(law, -k - 1);
}

double noise_law_at(const noise_law *law, int64_t k) {
    int64_t distance = llabs(k);
    return distance == 0 ? 1 - 2 * law->above(law, 0) : law->above(law, distance - 1) - law->above(law, distance);
}
