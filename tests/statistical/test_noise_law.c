// SPDX-License-Identifier: Apache-2.0
// Hypothesis: discrete Laplace samples, in base 16 and in plain binary digits, are independent with
// P(Z=k) = (1-q)/(1+q) q^|k|. 300,000 samples a law and form; every check of tests/support/noise_checks.h alarms below
// 1e-6. 11 laws, 2 forms, at most 45 checks each: a fresh seed raises a false alarm in fewer than one run of a
// thousand, the fixed one never. The same checks run on broken samplers in test_plants.c.
#include "privacy/sampling/discrete_laplace.h"
#include "service/base/crypto.h"
#include "service/base/random.h"
#include "tests/support/noise_checks.h"
#include "tests/support/rejection_laplace.h"
#include "tests/support/seeded_random.h"
#include "tests/support/statistics.h"
#include "tests/support/unit.h"
#include <pthread.h>

#define THREADS 4

typedef gw_status (*fill_function)(const gw_discrete_laplace *, gw_random_source, int64_t *, size_t);

typedef struct {
    gw_noise noise;
    fill_function fill;
} laplace_case;

static const gw_noise NOISES[] = {{{2000000}, 1}, {{1000000}, 1},     {{500000}, 1},       {{100000}, 1},
                                  {{50000}, 1},   {{10000}, 1},       {{355000000}, 113},  {{1000000}, 7},
                                  {{333333}, 7},  {{10000}, 1000003}, {{2000000}, 1000003}};
#define NOISE_COUNT (sizeof(NOISES) / sizeof(NOISES[0]))

static double rate_of(gw_noise noise) {
    return (double)noise.epsilon.micro / 1e6 / (double)noise.sensitivity;
}

static void laplace_sample(const void *context, uint64_t seed, int64_t *ret, size_t count) {
    const laplace_case *one = context;
    gw_discrete_laplace *law = NULL;
    seeded_random random = {.state = seed * 1000003};
    assert_int_equal(gw_discrete_laplace_new(one->noise, &law), GW_OK);
    assert_int_equal(one->fill(law, seeded_source(&random), ret, count), GW_OK);
    gw_discrete_laplace_free(law);
}

static void assert_quiet(const noise_report *report, const char *what, double rate) {
    const noise_check *alarm = noise_report_alarm(report);
    assert_true(report->count > 0);
    if (alarm != NULL)
        fail_msg("%s, rate %g: %s %u, p = %.3g", what, rate, alarm->name, alarm->detail, alarm->p);
}

static void run_all(fill_function fill, const char *what, uint64_t seed) {
    for (size_t i = 0; i < NOISE_COUNT; i++) {
        noise_law law = noise_law_laplace(rate_of(NOISES[i]));
        laplace_case one = {NOISES[i], fill};
        noise_report report;
        noise_checks_run(&law, laplace_sample, &one, noise_seed(seed) + 10 * i, &report);
        assert_quiet(&report, what, rate_of(NOISES[i]));
    }
}

static void digits_in_base_sixteen_have_the_exact_law(void **state) {
    (void)state;
    run_all(gw_discrete_laplace_fill, "base 16", 20);
}

static void plain_digits_have_the_exact_law(void **state) {
    (void)state;
    run_all(gw_discrete_laplace_fill_plain, "plain", 1020);
}

static void rejection_sample_all(const void *context, uint64_t seed, int64_t *ret, size_t count) {
    seeded_random random = {.state = seed};
    rejection_laplace rejection;
    rejection_init(&rejection, seeded_source(&random));
    for (size_t i = 0; i < count; i++)
        ret[i] = rejection_sample(&rejection, 1, *(const uint64_t *)context);
}

// Another exact sampler passes the same checks: they aren't tuned to ours.
static void rejection_has_the_law_too(void **state) {
    (void)state;
    const uint64_t denominators[] = {1, 10, 100};
    for (size_t i = 0; i < 3; i++) {
        noise_law law = noise_law_laplace(1.0 / (double)denominators[i]);
        noise_report report;
        noise_checks_run(&law, rejection_sample_all, &denominators[i], noise_seed(40), &report);
        assert_quiet(&report, "rejection", law.parameter);
    }
}

typedef struct {
    const gw_discrete_laplace *law;
    pthread_barrier_t *start;
    int64_t *samples;
    gw_status status;
} thread_job;

static void *thread_run(void *argument) {
    thread_job *job = argument;
    gw_random *random = NULL;
    pthread_barrier_wait(job->start);
    job->status = gw_random_new(&random);
    if (job->status == GW_OK)
        job->status = gw_discrete_laplace_fill(job->law, gw_random_as_source(random), job->samples, NOISE_SAMPLES);
    gw_random_free(random);
    return NULL;
}

// With the source that releases use, so with no fixed seed: 4 threads, 4 x 45 + 6 x 2 checks at 1e-6, a false alarm in
// one run of 5,000.
static void threads_that_share_a_law_share_no_noise(void **state) {
    (void)state;
    const double rate = 0.1;
    gw_discrete_laplace *law = NULL;
    noise_law exact = noise_law_laplace(rate);
    pthread_barrier_t start;
    pthread_t threads[THREADS];
    thread_job jobs[THREADS];
    noise_report report = {.count = 0};
    assert_int_equal(gw_crypto_init(), GW_OK);
    assert_int_equal(gw_discrete_laplace_new((gw_noise){{100000}, 1}, &law), GW_OK);
    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (thread_job){law, &start, malloc(NOISE_SAMPLES * sizeof(int64_t)), GW_INTERNAL};
        assert_int_equal(pthread_create(&threads[i], NULL, thread_run, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(jobs[i].status, GW_OK);
        report.count = 0;
        noise_checks_samples(&exact, jobs[i].samples, NOISE_SAMPLES, &report);
        for (int j = 0; j < i; j++)
            noise_checks_pair(&exact, jobs[i].samples, jobs[j].samples, NOISE_SAMPLES, &report);
        assert_quiet(&report, "threads", rate);
    }
    for (int i = 0; i < THREADS; i++)
        free(jobs[i].samples);
    pthread_barrier_destroy(&start);
    gw_discrete_laplace_free(law);
}

static void the_statistics_are_right(void **state) {
    (void)state;
    // Critical values at 1e-6 for 20, 60 and 200 degrees of freedom.
    assert_true(fabs(log(statistics_chi_square_above(65.42, 20) / 1e-6)) < 0.01);
    assert_true(fabs(log(statistics_chi_square_above(127.1, 60) / 1e-6)) < 0.02);
    assert_true(fabs(log(statistics_chi_square_above(309.84, 200) / 1e-6)) < 0.01);
    assert_true(fabs(statistics_chi_square_above(1, 2) - exp(-0.5)) < 1e-12);
    // The distance that alarms at 1e-6: .00852, .00269, .000852 for 1e5, 1e6, 1e7 samples.
    assert_true(fabs(sqrt(log(2 / 1e-6) / 2e5) - 0.00852) < 5e-6);
    assert_true(fabs(sqrt(log(2 / 1e-6) / 2e6) - 0.00269) < 5e-6);
    // Binomial(10, 1/2): 0 or 10 heads, twice 2^-10.
    assert_true(fabs(statistics_binomial_both(10, 10, 0.5) - 0x1p-9) < 1e-15);
    assert_true(fabs(statistics_binomial_both(0, 10, 0.5) - 0x1p-9) < 1e-15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_statistics_are_right),
        cmocka_unit_test(digits_in_base_sixteen_have_the_exact_law),
        cmocka_unit_test(plain_digits_have_the_exact_law),
        cmocka_unit_test(rejection_has_the_law_too),
        cmocka_unit_test(threads_that_share_a_law_share_no_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
