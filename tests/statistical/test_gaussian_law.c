// SPDX-License-Identifier: Apache-2.0
// Hypothesis: discrete Gaussian samples are independent with P(Z=k) proportional to exp(-k^2 / (2 variance)). 300,000
// samples a law; every check of tests/support/noise_checks.h alarms below 1e-6. 12 laws, at most 30 checks each: a
// false alarm in fewer than 4 of 10,000 fresh seeds, none for the fixed one. Variances are those of epsilon^2 / 2
// zero-concentrated privacy at epsilon 2, 1, 0.5, 0.1, 0.05, 0.01 and sensitivities 1, 7, 1000003, and odd rationals.
#include "privacy/sampling/discrete_gaussian.h"
#include "tests/support/noise_checks.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"
#include <math.h>

static const gw_gaussian_variance VARIANCES[] = {{1, 4},     {1, 1},      {4, 1},  {100, 1},  {400, 1},
                                                 {10000, 1}, {355, 113},  {49, 4}, {4900, 1}, {1000006000009, 1},
                                                 {1, 113},   {1000003, 7}};
#define VARIANCE_COUNT (sizeof(VARIANCES) / sizeof(VARIANCES[0]))

static void gaussian_sample(const void *context, uint64_t seed, int64_t *ret, size_t count) {
    gw_discrete_gaussian *law = NULL;
    seeded_random random = {.state = seed * 1000003};
    assert_int_equal(gw_discrete_gaussian_new(*(const gw_gaussian_variance *)context, &law), GW_OK);
    assert_int_equal(gw_discrete_gaussian_fill(law, seeded_source(&random), ret, count), GW_OK);
    gw_discrete_gaussian_free(law);
}

static void samples_have_the_exact_law(void **state) {
    (void)state;
    for (size_t i = 0; i < VARIANCE_COUNT; i++) {
        double variance = (double)VARIANCES[i].numerator / (double)VARIANCES[i].denominator;
        noise_law law = noise_law_gaussian(variance);
        noise_report report;
        noise_checks_run(&law, gaussian_sample, &VARIANCES[i], noise_seed(2020) + 10 * i, &report);
        const noise_check *alarm = noise_report_alarm(&report);
        if (alarm != NULL)
            fail_msg("variance %g: %s %u, p = %.3g", variance, alarm->name, alarm->detail, alarm->p);
        noise_law_free(&law);
    }
}

// The law itself, by formulas: the noise's variance is just below its parameter, and its tails are below the continuous
// ones.
static void the_exact_law_is_narrower_than_the_continuous_one(void **state) {
    (void)state;
    double variance = 0.05;
    for (int i = 0; i < 38; i++, variance *= 1.3) { // up to 1,000
        noise_law law = noise_law_gaussian(variance);
        assert_true(law.variance <= variance * (1 + 1e-9));
        assert_true(variance < 1 || law.variance > variance * (1 - 1e-6));
        for (int64_t k = 0; (double)k < 6 * sqrt(variance); k++)
            assert_true(law.above(&law, k) <= erfc((double)k / sqrt(variance) / M_SQRT2) / 2 * (1 + 1e-9));
        noise_law_free(&law);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_have_the_exact_law),
        cmocka_unit_test(the_exact_law_is_narrower_than_the_continuous_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
