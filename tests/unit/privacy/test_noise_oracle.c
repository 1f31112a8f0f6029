// SPDX-License-Identifier: Apache-2.0
// The sampler's own probabilities, rebuilt from its certified thresholds, against the figures of an independent
// derivation, to the digits printed: mass at 0, 1, 2, 5, 10, moments, and the half widths of 90, 95, 99 and 99.9 %,
// which the ranges must give as well.
#include "privacy/sampling/thresholds.h"
#include "privacy/tail.h"
#include "tests/support/unit.h"
#include <math.h>

typedef struct {
    uint64_t micro;
    double mass[5]; // P(0), P(1), P(2), P(5), P(10)
    double variance, deviation, distance, kurtosis;
    uint64_t half_widths[4];
} oracle_row;

static const oracle_row ROWS[] = {
    {2000000,
     {.761594155956, .103070560808, .013949083540, 3.457632118791e-5, 1.569762553376e-9},
     .36203083,
     .601690,
     .27572056,
     8.762196,
     {1, 1, 2, 3}},
    {1000000,
     {.462117157260, .170003401569, .062540756366, 3.113720912986e-3, 2.098008648164e-5},
     1.84134719,
     1.356962,
     .85091813,
     6.543081,
     {2, 3, 4, 7}},
    {500000,
     {.244918662404, .148550677884, .090100540658, 2.010414806638e-2, 1.650248966363e-3},
     7.83539618,
     2.799178,
     1.91903475,
     6.127626,
     {5, 6, 9, 14}},
    {100000,
     {.049958374958, .045204207006, .040902457952, 3.030128612137e-2, 1.837865906134e-2},
     199.83341663,
     14.136245,
     9.98335276,
     6.005004,
     {23, 30, 46, 69}},
    {50000,
     {.024994792968, .023775782531, .022616223934, 1.946596433651e-2, 1.516010826852e-2},
     799.83335416,
     28.281325,
     19.99166910,
     6.001250,
     {46, 60, 92, 138}},
    {10000,
     {.004999958334, .004950207917, .004900952525, 4.756107488341e-3, 4.524149388998e-3},
     19999.83333417,
     141.420767,
     99.99833335,
     6.000050,
     {230, 300, 461, 691}},
};
#define ROW_COUNT (sizeof(ROWS) / sizeof(ROWS[0]))
#define VALUES 8192

static double value_of(const gw_threshold *a) {
    return ldexp((double)a->limbs[0], -64) + ldexp((double)a->limbs[1], -128);
}

// P(Z = k) for k >= 0, by the binary digits of k - 1, or by those in base 16.
static double mass_binary(const gw_thresholds *t, uint64_t k) {
    double mass = value_of(&t->zero);
    if (k == 0)
        return mass;
    if ((k - 1) >> t->binary_count != 0)
        return 0;
    mass = (1 - mass) / 2;
    for (unsigned i = 0; i < t->binary_count; i++)
        mass *= (k - 1) >> i & 1 ? value_of(&t->binary[i]) : 1 - value_of(&t->binary[i]);
    return mass;
}

static double mass_radix(const gw_thresholds *t, uint64_t k) {
    double mass = value_of(&t->zero);
    if (k == 0)
        return mass;
    if ((k - 1) >> t->binary_count != 0)
        return 0;
    mass = (1 - mass) / 2;
    for (unsigned j = 0; j < t->radix_count; j++) {
        unsigned d = (k - 1) >> (4 * j) & 15;
        double from = d == 0 ? 1 : value_of(&t->radix[j][d - 1]);
        mass *= from - (d == 15 ? 0 : value_of(&t->radix[j][d]));
    }
    return mass;
}

static void assert_printed(double got, double wanted, double last_digit) {
    if (!(fabs(got - wanted) <= 0.501 * last_digit))
        fail_msg("%.15g instead of %.15g", got, wanted);
}

static void the_sampler_has_the_masses_of_the_oracle(void **state) {
    (void)state;
    const uint64_t at[5] = {0, 1, 2, 5, 10};
    for (size_t i = 0; i < ROW_COUNT; i++) {
        gw_thresholds t;
        assert_int_equal(gw_thresholds_compute((gw_noise){{ROWS[i].micro}, 1}, &t), GW_OK);
        for (size_t j = 0; j < 5; j++) {
            // The first three are printed to 12 places, the others to 13 digits.
            double last = j < 3 ? 1e-12 : pow(10, floor(log10(ROWS[i].mass[j])) - 12);
            assert_printed(mass_binary(&t, at[j]), ROWS[i].mass[j], last);
            assert_printed(mass_radix(&t, at[j]), ROWS[i].mass[j], last);
        }
    }
}

static void the_sampler_has_the_moments_of_the_oracle(void **state) {
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        gw_thresholds t;
        gw_noise noise = {{ROWS[i].micro}, 1};
        assert_int_equal(gw_thresholds_compute(noise, &t), GW_OK);
        double total = 0, distance = 0, second = 0, fourth = 0;
        for (uint64_t k = VALUES; k-- > 0;) { // what is beyond is below e^-80
            double mass = k == 0 ? mass_radix(&t, 0) : 2 * mass_radix(&t, k), square = (double)k * (double)k;
            total += mass;
            distance += mass * (double)k;
            second += mass * square;
            fourth += mass * square * square;
        }
        assert_true(fabs(total - 1) < 1e-12);
        assert_printed(second, ROWS[i].variance, 1e-8);
        assert_printed(sqrt(second), ROWS[i].deviation, 1e-6);
        assert_printed(distance, ROWS[i].distance, 1e-8);
        assert_printed(fourth / second / second, ROWS[i].kurtosis, 1e-6);
        assert_printed(gw_tail_sd(noise), ROWS[i].deviation, 1e-6);
    }
}

static void half_widths_are_those_of_the_oracle(void **state) {
    (void)state;
    const double chances[4] = {0.1, 0.05, 0.01, 0.001};
    for (size_t i = 0; i < ROW_COUNT; i++) {
        gw_thresholds t;
        gw_noise noise = {{ROWS[i].micro}, 1};
        assert_int_equal(gw_thresholds_compute(noise, &t), GW_OK);
        for (size_t j = 0; j < 4; j++) {
            double beyond = 1 - mass_radix(&t, 0);
            uint64_t width = 0;
            while (beyond > chances[j])
                beyond -= 2 * mass_radix(&t, ++width);
            assert_int_equal(width, ROWS[i].half_widths[j]);
            assert_int_equal(gw_tail_half_width(noise, chances[j]), ROWS[i].half_widths[j]);
        }
    }
}

// P(|Z| > t) = 2 q^(t+1) / (1 + q) < 2^-128, by the masses that are left.
static void what_is_beyond_these_values_is_below_two_to_the_minus_128(void **state) {
    (void)state;
    const struct { uint64_t micro, value; } rows[] = {{1000000, 89}, {100000, 888}, {10000, 8873}};
    for (size_t i = 0; i < 3; i++) {
        gw_thresholds t;
        assert_int_equal(gw_thresholds_compute((gw_noise){{rows[i].micro}, 1}, &t), GW_OK);
        double beyond = 0;
        for (uint64_t k = 32 * VALUES; k > rows[i].value; k--)
            beyond += 2 * mass_binary(&t, k);
        assert_true(beyond > 0 && beyond < 0x1p-128 && beyond > 0x1p-130);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sampler_has_the_masses_of_the_oracle),
        cmocka_unit_test(the_sampler_has_the_moments_of_the_oracle),
        cmocka_unit_test(half_widths_are_those_of_the_oracle),
        cmocka_unit_test(what_is_beyond_these_values_is_below_two_to_the_minus_128),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
