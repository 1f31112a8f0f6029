// SPDX-License-Identifier: Apache-2.0
// The laws that samplers are held against, computed in floating point by formulas of their own: nothing of privacy/ is
// used. All are symmetric about 0.
// Thread safety: a law is immutable after it was made.   Depends on: libm.
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct noise_law noise_law;
struct noise_law {
    double variance;
    double kurtosis;   // E Z^4 / variance^2
    double spread;     // about where the law thins out by a factor e, or a standard deviation
    bool is_geometric; // the digits of |Z| - 1 are independent
    // P(Z > k), k >= 0.
    double (*above)(const noise_law *law, int64_t k);
    double parameter; // of `above`
    double *tails;    // of `above`: tails[k] = P(Z > k), k < tail_count
    int64_t tail_count;
};

// P(Z=k) = (1-q)/(1+q) q^|k|, q = exp(-rate).
noise_law noise_law_laplace(double rate);
// P(Z=k) proportional to exp(-k^2 / (2 variance)).
noise_law noise_law_gaussian(double variance);
// X - Y, both negative binomial of this shape (which may be any positive number), q = exp(-rate).
noise_law noise_law_share(double rate, double shape);
void noise_law_free(noise_law *law);

// P(Z <= k).
double noise_law_below(const noise_law *law, int64_t k);
// P(Z = k).
double noise_law_at(const noise_law *law, int64_t k);
