// SPDX-License-Identifier: Apache-2.0
// Null hypothesis: a release at epsilon loses at most epsilon between neighbours. From N outputs on each of two
// neighbouring tables and the best event there is for a count ("at most the smaller value"), a lower bound on the loss
// that is wrong with probability at most ALPHA = 1e-6 (two Clopper-Pearson bounds at half of it each); an alarm is a
// bound above the claim. N = 100,000 cells a side proves a loss of 1.1 against a claim of 1 with a power above 99 %
// (16,726 are enough).
#include "privacy/mechanism/parts.h"
#include "tests/support/seeded_random.h"
#include "tests/support/statistics.h"
#include "tests/support/unit.h"

#define CELLS 100000u
#define ALPHA 1e-6

// How many of CELLS noisy copies of `value` are at most `threshold`.
static uint64_t count_at_most(gw_noise noise, int64_t value, int64_t threshold, uint64_t seed) {
    gw_exact_table *exact = NULL;
    gw_released_table *released = NULL;
    seeded_random random = {.state = seed};
    assert_int_equal(gw_exact_table_new(CELLS, 1, &exact), GW_OK);
    for (size_t i = 0; i < CELLS; i++)
        exact->values[i] = value;
    assert_int_equal(gw_parts_release(exact, noise, seeded_source(&random), &released), GW_OK);
    uint64_t count = 0;
    for (size_t i = 0; i < CELLS; i++)
        count += gw_released_value(released, i, 0) <= threshold;
    gw_exact_table_free(exact);
    gw_released_free(released);
    return count;
}

// A lower bound of the loss between a value and the value with one person's contribution more.
static double loss_lower_bound(gw_noise noise, int64_t contribution, uint64_t seed) {
    const int64_t value = 1000;
    uint64_t without = count_at_most(noise, value, value, seed);
    uint64_t with = count_at_most(noise, value + contribution, value, seed + 1);
    return log(statistics_binomial_lower(without, CELLS, ALPHA / 2) /
               statistics_binomial_upper(with, CELLS, ALPHA / 2));
}

static void a_release_loses_no_more_than_it_says(void **state) {
    (void)state;
    const uint64_t micros[] = {100000, 500000, 1000000, 2000000, 4000000};
    for (size_t i = 0; i < sizeof(micros) / sizeof(micros[0]); i++) {
        gw_noise noise = {.epsilon = {micros[i]}, .sensitivity = 1};
        double bound = loss_lower_bound(noise, 1, 10 * i);
        assert_true(bound <= (double)micros[i] / 1e6);
    }
    // A person who contributes all of a sensitivity of 1000 grid steps.
    assert_true(loss_lower_bound((gw_noise){.epsilon = {1000000}, .sensitivity = 1000}, 1000, 77) <= 1);
}

// The test sees most of the loss there is: it isn't quiet because it is blind.
static void the_bound_is_close_to_the_truth(void **state) {
    (void)state;
    assert_true(loss_lower_bound((gw_noise){.epsilon = {1000000}, .sensitivity = 1}, 1, 5) > 0.95);
}

static void noise_too_small_by_a_tenth_is_caught(void **state) {
    (void)state;
    assert_true(loss_lower_bound((gw_noise){.epsilon = {1100000}, .sensitivity = 1}, 1, 5) > 1);
}

// Noise for replacing one person where one is added or removed, or a sensitivity of 1 where a person has two rows.
static void an_understated_sensitivity_is_caught(void **state) {
    (void)state;
    assert_true(loss_lower_bound((gw_noise){.epsilon = {1000000}, .sensitivity = 1}, 2, 5) > 1);
}

static void the_binomial_bounds_are_right(void **state) {
    (void)state;
    // 0 and n of n have closed forms: 1 - (1 - upper)^n = alpha, lower^n = alpha.
    assert_true(fabs(statistics_binomial_upper(0, 100, 0.05) - (1 - pow(0.05, 0.01))) < 1e-12);
    assert_true(fabs(statistics_binomial_lower(100, 100, 0.05) - pow(0.05, 0.01)) < 1e-12);
    assert_true(statistics_binomial_lower(0, 100, 0.05) == 0);
    assert_true(fabs(statistics_binomial_from(3, 5, 0.5) - 0.5) < 1e-12);
    assert_true(fabs(statistics_binomial_from(1, 5, 0.1) - (1 - pow(0.9, 5))) < 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_binomial_bounds_are_right),        cmocka_unit_test(a_release_loses_no_more_than_it_says),
        cmocka_unit_test(the_bound_is_close_to_the_truth),      cmocka_unit_test(noise_too_small_by_a_tenth_is_caught),
        cmocka_unit_test(an_understated_sensitivity_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
