// SPDX-License-Identifier: Apache-2.0
// The few special functions that hypothesis tests need: chi-square tail, binomial confidence bounds.
// Thread safety: pure.   Depends on: libm.
#pragma once
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

// P(X > x) for X chi-square with `freedom` degrees: the regularised upper incomplete gamma function, by series or by
// continued fraction (Abramowitz and Stegun 6.5.29, 6.5.31; Lentz's method).
static inline double statistics_chi_square_above(double x, double freedom) {
    double a = freedom / 2, z = x / 2;
    if (z <= 0)
        return 1;
    double front = exp(a * log(z) - z - lgamma(a));
    if (z < a + 1) {
        double term = 1 / a, sum = term;
        for (double n = a + 1; term > sum * DBL_EPSILON; n++) {
            term *= z / n;
            sum += term;
        }
        return 1 - front * sum;
    }
    double b = z + 1 - a, c = 1 / DBL_MIN, d = 1 / b, h = d;
    for (int i = 1; i < 10000; i++) {
        double step = -i * (i - a);
        b += 2;
        d = step * d + b;
        d = 1 / (fabs(d) < DBL_MIN ? DBL_MIN : d);
        c = b + step / c;
        c = fabs(c) < DBL_MIN ? DBL_MIN : c;
        h *= d * c;
        if (fabs(d * c - 1) < 4 * DBL_EPSILON)
            break;
    }
    return front * h;
}

// P(X >= k) for X binomial, summed from the largest term outwards.
static inline double statistics_binomial_from(uint64_t k, uint64_t n, double p) {
    double mode = fmax((double)k, floor(p * (double)n));
    double log_term = lgamma((double)n + 1) - lgamma(mode + 1) - lgamma((double)n - mode + 1) + mode * log(p) +
                      ((double)n - mode) * log1p(-p);
    double top = exp(log_term), sum = top, term = top;
    for (double i = mode; i < (double)n && term > sum * 1e-17; i++) {
        term *= ((double)n - i) / (i + 1) * p / (1 - p);
        sum += term;
    }
    term = top;
    for (double i = mode; i > (double)k && term > sum * 1e-17; i--) {
        term *= i / ((double)n - i + 1) * (1 - p) / p;
        sum += term;
    }
    return fmin(1, sum);
}

// Clopper-Pearson: the largest p that still makes k or more of n successes less likely than `alpha`.
static inline double statistics_binomial_lower(uint64_t k, uint64_t n, double alpha) {
    double low = 0, high = (double)k / (double)n;
    for (int i = 0; i < 60 && k != 0; i++) {
        double middle = (low + high) / 2;
        if (statistics_binomial_from(k, n, middle) < alpha)
            low = middle;
        else
            high = middle;
    }
    return low;
}
static inline double statistics_binomial_upper(uint64_t k, uint64_t n, double alpha) {
    return 1 - statistics_binomial_lower(n - k, n, alpha);
}

// P of a binomial count at least as far out on its side, doubled.
static inline double statistics_binomial_both(uint64_t k, uint64_t n, double p) {
    double above = k == 0 ? 1 : statistics_binomial_from(k, n, p);
    double below = k == n ? 1 : statistics_binomial_from(n - k, n, 1 - p);
    return fmin(1, 2 * fmin(above, below));
}
