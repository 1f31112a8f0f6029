// SPDX-License-Identifier: Apache-2.0
// Hypothesis: coins are independent, heads with probability exp(-m c). 100,000 coins for each (c, m), exact binomial
// count and lagged correlations, alarm below 1e-6: 8 rates, up to 14 m's, 7 checks each, a false alarm in fewer than
// one of 1,000 fresh seeds. The c are epsilon / sensitivity of the other samplers' tests.
#include "privacy/sampling/bernoulli_exp.h"
#include "tests/support/noise_checks.h"
#include "tests/support/seeded_random.h"
#include "tests/support/statistics.h"
#include "tests/support/unit.h"

#define COINS 100000u

static const struct {
    uint64_t numerator, denominator;
} RATES[] = {{2, 1}, {1, 1}, {1, 2}, {1, 10}, {1, 20}, {1, 100}, {355, 113}, {1, 7000021}};
static const uint64_t EXPONENTS[] = {1, 2, 3, 5, 7, 10, 21, 64, 100, 255, 1000003, 4194304, 13000000, 70000000};
#define EXPONENT_COUNT (sizeof(EXPONENTS) / sizeof(EXPONENTS[0]))

static double correlation_p(const uint8_t *coins, size_t lag, double p) {
    double sum = 0;
    for (size_t i = lag; i < COINS; i++)
        sum += ((double)coins[i] - p) * ((double)coins[i - lag] - p);
    return erfc(fabs(sum / (p * (1 - p)) / sqrt((double)(COINS - lag))) / M_SQRT2);
}

static void coins_fall_as_often_as_they_should(void **state) {
    (void)state;
    const size_t lags[] = {1, 2, 3, 4, 63, 64};
    uint64_t *m = malloc(COINS * sizeof(*m));
    uint8_t *coins = malloc(COINS);
    seeded_random random = {.state = noise_seed(60)};
    size_t tried = 0;
    for (size_t i = 0; i < sizeof(RATES) / sizeof(RATES[0]); i++) {
        gw_bernoulli_exp *law = NULL;
        assert_int_equal(gw_bernoulli_exp_new(RATES[i].numerator, RATES[i].denominator, &law), GW_OK);
        for (size_t j = 0; j < EXPONENT_COUNT; j++) {
            double p = exp(-(double)EXPONENTS[j] * (double)RATES[i].numerator / (double)RATES[i].denominator);
            if (p < 1e-4 || p > 1 - 1e-4)
                continue;
            size_t heads = 0;
            for (size_t k = 0; k < COINS; k++)
                m[k] = EXPONENTS[j];
            assert_int_equal(gw_bernoulli_exp_fill(law, seeded_source(&random), m, coins, COINS), GW_OK);
            for (size_t k = 0; k < COINS; k++)
                heads += coins[k];
            double count_p = statistics_binomial_both(heads, COINS, p);
            if (count_p < NOISE_ALPHA)
                fail_msg("rate %zu, m %llu: %zu heads, p = %.3g", i, (unsigned long long)EXPONENTS[j], heads, count_p);
            for (size_t k = 0; k < 6 && p > 0.01 && p < 0.99; k++)
                assert_true(correlation_p(coins, lags[k], p) >= NOISE_ALPHA);
            tried++;
        }
        gw_bernoulli_exp_free(law);
    }
    print_message("%zu pairs of a rate and m\n", tried);
    assert_true(tried > 40);
    free(m);
    free(coins);
}

// Many different m in one call: each bit's coin counts for the lane that has it and for no other. By m, heads are
// binomial; 32 values of m, 3 checks each of neighbours with the same and another m would be no more.
static void neighbours_with_other_exponents_do_not_matter(void **state) {
    (void)state;
    gw_bernoulli_exp *law = NULL;
    assert_int_equal(gw_bernoulli_exp_new(1, 10, &law), GW_OK);
    static uint64_t m[COINS];
    static uint8_t coins[COINS];
    seeded_random random = {.state = noise_seed(61)}, choice = {.state = noise_seed(62)};
    size_t count[32] = {0}, heads[32] = {0}, beside[32][2] = {{0}};
    for (size_t k = 0; k < COINS; k++)
        m[k] = seeded_next(&choice) % 32;
    assert_int_equal(gw_bernoulli_exp_fill(law, seeded_source(&random), m, coins, COINS), GW_OK);
    for (size_t k = 0; k + 1 < COINS; k++) {
        count[m[k]]++;
        heads[m[k]] += coins[k];
        beside[m[k]][coins[k + 1]] += coins[k];
    }
    for (unsigned i = 0; i < 32; i++) {
        double p = exp(-0.1 * i);
        if (i > 0)
            assert_true(statistics_binomial_both(heads[i], count[i], p) >= NOISE_ALPHA);
        else
            assert_int_equal(heads[i], count[i]);
        // Of the coins whose right neighbour fell on heads: as many heads as of the others.
        size_t right = 0;
        for (size_t k = 0; k + 1 < COINS; k++)
            right += m[k] == i && coins[k + 1] == 1;
        if (i > 0)
            assert_true(statistics_binomial_both(beside[i][1], right, p) >= NOISE_ALPHA);
    }
    gw_bernoulli_exp_free(law);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coins_fall_as_often_as_they_should),
        cmocka_unit_test(neighbours_with_other_exponents_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
