// SPDX-License-Identifier: Apache-2.0
// Hypothesis: a party's shares are independent with the law of X - Y, both negative binomial of shape 1/n, and n of
// them sum to discrete Laplace noise. 300,000 samples a case; every check of tests/support/noise_checks.h alarms below
// 1e-6. 25 cases, at most 45 checks each: a false alarm in about one of 1,000 fresh seeds, none for the fixed one.
#include "privacy/sampling/negative_binomial.h"
#include "tests/support/noise_checks.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"

typedef struct {
    gw_noise noise;
    uint32_t shares;
} share_case;

static double rate_of(gw_noise noise) {
    return (double)noise.epsilon.micro / 1e6 / (double)noise.sensitivity;
}

static void share_sample(const void *context, uint64_t seed, int64_t *ret, size_t count) {
    const share_case *one = context;
    gw_noise_share *law = NULL;
    seeded_random random = {.state = seed * 1000003};
    assert_int_equal(gw_noise_share_new(one->noise, one->shares, &law), GW_OK);
    assert_int_equal(gw_noise_share_fill(law, seeded_source(&random), ret, count), GW_OK);
    gw_noise_share_free(law);
}

// What the parties' total has, each with a source of its own.
static void sum_sample(const void *context, uint64_t seed, int64_t *ret, size_t count) {
    const share_case *one = context;
    int64_t *share = malloc(count * sizeof(*share));
    memset(ret, 0, count * sizeof(*ret));
    for (uint32_t party = 0; party < one->shares; party++) {
        share_sample(one, seed + 7919 * party, share, count);
        for (size_t i = 0; i < count; i++)
            ret[i] += share[i];
    }
    free(share);
}

static void assert_quiet(const noise_law *law, noise_sampler sampler, const share_case *one, uint64_t seed) {
    noise_report report;
    noise_checks_run(law, sampler, one, noise_seed(seed), &report);
    const noise_check *alarm = noise_report_alarm(&report);
    if (alarm != NULL)
        fail_msg("rate %g, %u shares: %s %u, p = %.3g", rate_of(one->noise), one->shares, alarm->name, alarm->detail,
                 alarm->p);
}

static void a_share_has_the_exact_law(void **state) {
    (void)state;
    const share_case cases[] = {{{{2000000}, 1}, 2},     {{{1000000}, 1}, 2}, {{{500000}, 1}, 3},   {{{100000}, 1}, 3},
                                {{{50000}, 1}, 4},       {{{10000}, 1}, 2},   {{{1000000}, 1}, 10}, {{{100000}, 1}, 10},
                                {{{355000000}, 113}, 3}, {{{1000000}, 7}, 3}, {{{100000}, 1}, 1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        noise_law law = noise_law_share(rate_of(cases[i].noise), 1.0 / cases[i].shares);
        assert_quiet(&law, share_sample, &cases[i], 3020 + 10 * i);
        noise_law_free(&law);
    }
}

static void shares_sum_to_discrete_laplace(void **state) {
    (void)state;
    const share_case cases[] = {{{{2000000}, 1}, 3}, {{{1000000}, 1}, 2}, {{{500000}, 1}, 5},      {{{100000}, 1}, 3},
                                {{{50000}, 1}, 3},   {{{10000}, 1}, 2},   {{{355000000}, 113}, 4}, {{{333333}, 7}, 3}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        noise_law law = noise_law_laplace(rate_of(cases[i].noise));
        assert_quiet(&law, sum_sample, &cases[i], 4020 + 10 * i);
    }
}

// Five parties, shapes of 1/3: whichever three are looked at make the whole noise; all five together 5/3 of its
// variance.
static void whoever_is_left_makes_the_whole_noise(void **state) {
    (void)state;
    const share_case one = {{{100000}, 1}, 3}, whole = {{{100000}, 1}, 5};
    noise_law law = noise_law_share(0.1, 5.0 / 3), laplace = noise_law_laplace(0.1);
    assert_true(law.variance / laplace.variance > 1.6666 && law.variance / laplace.variance < 1.6667);
    int64_t *total = calloc(NOISE_SAMPLES, sizeof(*total)), *share = malloc(NOISE_SAMPLES * sizeof(*share));
    for (uint64_t party = 0; party < whole.shares; party++) {
        share_sample(&one, noise_seed(5020) + party, share, NOISE_SAMPLES);
        for (size_t i = 0; i < NOISE_SAMPLES; i++)
            total[i] += share[i];
    }
    noise_report report = {.count = 0};
    noise_checks_samples(&law, total, NOISE_SAMPLES, &report);
    const noise_check *alarm = noise_report_alarm(&report);
    if (alarm != NULL)
        fail_msg("total of five: %s %u, p = %.3g", alarm->name, alarm->detail, alarm->p);
    free(total);
    free(share);
    noise_law_free(&law);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_has_the_exact_law),
        cmocka_unit_test(shares_sum_to_discrete_laplace),
        cmocka_unit_test(whoever_is_left_makes_the_whole_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
