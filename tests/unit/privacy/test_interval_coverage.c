// SPDX-License-Identifier: Apache-2.0
// Exact coverage of ratio ranges, by summation of the exact law, for every way the bound is computed: the probability
// that the true ratio is accepted is never below the level, and not needlessly above it. The law of the sum comes from
// its characteristic function, not from the convolution that the ranges themselves use.
#include "privacy/interval.h"
#include "tests/support/unit.h"
#include <math.h>

#define ORACLE_ERROR 1e-9 // mass left out of the tables below
#define RATIOS 150

typedef struct {
    double rate;
    double *sum;    // P(S = s), s = 0 .. reach
    double *powers; // exp(-rate k), k = 0 .. reach
    size_t reach;
} exact_law;

static void law_of_one(exact_law *law) {
    for (size_t s = 0; s <= law->reach; s++)
        law->sum[s] = tanh(law->rate / 2) * law->powers[s];
}

// P(S = s) = 1/N sum_j phi(2 pi j / N)^m cos(2 pi j s / N), exact but for mass beyond N - reach; phi falls on [0, pi].
static void law_of_several(exact_law *law, size_t others) {
    size_t points = 4 * law->reach;
    double *cosines = malloc(points * sizeof(*cosines));
    for (size_t i = 0; i < points; i++)
        cosines[i] = cos(2 * M_PI * (double)i / (double)points);
    double s2 = sinh(law->rate / 2) * sinh(law->rate / 2);
    for (size_t j = 0; j <= points / 2; j++) {
        double sine = sin(M_PI * (double)j / (double)points);
        double weight = pow(s2 / (s2 + sine * sine), (double)others);
        if (weight < 1e-17) // what is left out sums below 1e-12
            break;
        weight *= (j == 0 || 2 * j == points ? 1 : 2) / (double)points;
        for (size_t s = 0, at = 0; s <= law->reach; s++, at = at + j < points ? at + j : at + j - points)
            law->sum[s] += weight * cosines[at];
    }
    free(cosines);
}

static exact_law law_of_sum(double rate, size_t others) {
    double sd = sqrt((double)others) / (sqrt(2.0) * sinh(rate / 2));
    exact_law law = {.rate = rate, .reach = (size_t)((others > 1 ? 7 : 0) * sd + 25 / rate) + 2};
    law.sum = calloc(law.reach + 1, sizeof(*law.sum));
    law.powers = calloc(law.reach + 1, sizeof(*law.powers));
    for (size_t k = 0; k <= law.reach; k++)
        law.powers[k] = exp(-rate * (double)k);
    if (others == 1)
        law_of_one(&law);
    else
        law_of_several(&law, others);
    return law;
}

static void law_free(exact_law *law) {
    free(law->sum);
    free(law->powers);
}

static double power(const exact_law *law, double k) {
    return k > (double)law->reach ? 0 : law->powers[(size_t)k];
}

// P(Z <= x) for discrete Laplace noise.
static double below(const exact_law *law, double x) {
    double k = floor(x);
    double q = law->powers[1];
    return k >= 0 ? 1 - power(law, k + 1) / (1 + q) : power(law, -k) / (1 + q);
}

// P(|(1 - theta) Z - theta S| <= c). A point on the edge counts as covered; `nudge` keeps rounding from deciding it.
static double coverage(const exact_law *law, double theta, double c) {
    double u = 1 - theta;
    double nudge = c * 1e-12;
    double total = 0;
    for (size_t s = 0; s <= law->reach; s++) {
        double shift = theta * (double)s;
        double inside;
        if (u == 0)
            inside = shift <= c + nudge;
        else
            inside = below(law, (c + nudge + shift) / u) - below(law, ceil((shift - c - nudge) / u) - 1);
        total += (s == 0 ? 1 : 2) * law->sum[s] * inside;
    }
    return total;
}

typedef struct {
    uint64_t micro;
    uint64_t sensitivity;
    size_t others;
    uint32_t level;
    double excess_max; // how much of 1 - level may go unused, at ratios inside (0.02, 0.98)
} coverage_case;

static void assert_covered(const coverage_case *one) {
    gw_interval_law *law = NULL;
    gw_noise noise = {.epsilon = {one->micro}, .sensitivity = one->sensitivity};
    assert_int_equal(gw_interval_law_new(noise, one->level, one->others, &law), GW_OK);
    exact_law exact = law_of_sum((double)one->micro / 1e6 / (double)one->sensitivity, one->others);
    double level = one->level / 1e6;
    double excess = 0;
    int inside_count = 0;
    // True ratios A / (A + B) of small and large groups, and points between the nodes of the table.
    for (int i = 0; i <= RATIOS; i++) {
        double theta = i <= 60 ? i / 60.0 : i <= 90 ? (double)(i - 60) / 997 : fmod(i * 0.6180339887498949, 1.0);
        double covered = coverage(&exact, theta, gw_interval_acceptance(law, theta));
        if (covered < level - ORACLE_ERROR)
            fail_msg("epsilon %g others %zu theta %.9g: covered %.9g", exact.rate, one->others, theta, covered);
        if (theta > 0.02 && theta < 0.98) {
            excess += (covered - level) / (1 - level);
            inside_count++;
        }
    }
    if (excess / inside_count > one->excess_max)
        fail_msg("epsilon %g others %zu: ranges too wide, %.3f of the chance unused", exact.rate, one->others,
                 excess / inside_count);
    law_free(&exact);
    gw_interval_law_free(law);
}

static void assert_all_covered(const coverage_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++)
        assert_covered(&cases[i]);
}

static void summed_laws_cover(void **state) {
    (void)state;
    const coverage_case cases[] = {
        {4000000, 1, 1, GW_LEVEL_95, 1.0}, {2000000, 1, 1, GW_LEVEL_95, 0.7},  {1000000, 1, 1, GW_LEVEL_95, 0.4},
        {1000000, 1, 1, GW_LEVEL_50, 0.4}, {1000000, 1, 1, 999999, 0.4},       {500000, 1, 1, GW_LEVEL_95, 0.2},
        {100000, 1, 1, GW_LEVEL_95, 0.05}, {100000, 1, 1, 990000, 0.06},       {333333, 7, 1, GW_LEVEL_95, 0.05},
        {1000000, 1, 2, GW_LEVEL_95, 0.3}, {1000000, 1, 16, GW_LEVEL_95, 0.1}, {100000, 1, 9, GW_LEVEL_95, 0.1},
    };
    assert_all_covered(cases, sizeof(cases) / sizeof(cases[0]));
}

static void continuous_bounds_cover(void **state) {
    (void)state;
    const coverage_case cases[] = {
        {31000, 1, 1, GW_LEVEL_95, 0.08}, {20000, 1, 1, GW_LEVEL_95, 0.05}, {10000, 1, 1, GW_LEVEL_95, 0.04},
        {10000, 1, 1, GW_LEVEL_50, 0.04}, {10000, 1, 1, 999000, 0.08},      {1000000, 333, 1, GW_LEVEL_95, 0.03},
    };
    assert_all_covered(cases, sizeof(cases) / sizeof(cases[0]));
}

static void coarse_lattices_cover(void **state) {
    (void)state;
    const coverage_case cases[] = {
        {31000, 1, 2, GW_LEVEL_95, 0.2}, {30000, 1, 9, GW_LEVEL_95, 0.2},   {5000, 1, 4, GW_LEVEL_95, 0.2},
        {5000, 1, 4, 999000, 0.3},       {30000, 1, 300, GW_LEVEL_95, 0.5}, // the rough lattice
    };
    assert_all_covered(cases, sizeof(cases) / sizeof(cases[0]));
}

static void moment_bounds_cover(void **state) {
    (void)state;
    const coverage_case cases[] = {{1000000, 1, 20000, GW_LEVEL_95, 0.95}};
    assert_all_covered(cases, sizeof(cases) / sizeof(cases[0]));
}

// The oracle itself: variance and a known tail.
static void the_oracle_is_right(void **state) {
    (void)state;
    exact_law law = law_of_sum(0.5, 3);
    double total = 0, variance = 0;
    for (size_t s = 0; s <= law.reach; s++) {
        total += (s == 0 ? 1 : 2) * law.sum[s];
        variance += (s == 0 ? 0 : 2) * law.sum[s] * (double)s * (double)s;
    }
    assert_true(fabs(total - 1) < 1e-9);
    assert_true(fabs(variance - 3 * 7.83539618) < 1e-6);
    assert_true(fabs(coverage(&law, 0, 6) - (1 - 2 * exp(-3.5) / (1 + exp(-0.5)))) < 1e-9);
    law_free(&law);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oracle_is_right),     cmocka_unit_test(summed_laws_cover),
        cmocka_unit_test(continuous_bounds_cover), cmocka_unit_test(coarse_lattices_cover),
        cmocka_unit_test(moment_bounds_cover),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
