// SPDX-License-Identifier: Apache-2.0
// Null hypothesis: samples are independent with P(Z=k) = (1-q)/(1+q) q^|k|. Each check returns a p-value and alarms
// below ALPHA, so each raises a false alarm with probability 1e-6; the program makes some 240 of them: below 3e-4 for a
// fresh seed, and none for the fixed one. The same checks are run on broken samplers and must alarm.
#include "privacy/sampling/discrete_laplace.h"
#include "tests/support/rejection_laplace.h"
#include "tests/support/seeded_random.h"
#include "tests/support/statistics.h"
#include "tests/support/unit.h"

#define SAMPLES 300000u
#define ALPHA 1e-6
#define BIN_EXPECTED_MIN 50.0

static const gw_noise LAWS[] = {{{2000000}, 1}, {{1000000}, 1}, {{500000}, 1}, {{100000}, 1},
                                {{50000}, 1},   {{10000}, 1},   {{333333}, 7}};
#define LAW_COUNT (sizeof(LAWS) / sizeof(LAWS[0]))

typedef gw_status (*fill_function)(const gw_discrete_laplace *, gw_random_source, int64_t *, size_t);
static const fill_function FILLS[2] = {gw_discrete_laplace_fill, gw_discrete_laplace_fill_plain};

static uint64_t seed(void) {
    const char *text = getenv("GW_TEST_SEED");
    return text == NULL ? 20 : strtoull(text, NULL, 10);
}

static double rate_of(gw_noise noise) {
    return (double)noise.epsilon.micro / 1e6 / (double)noise.sensitivity;
}

static int64_t *samples_of(gw_noise noise, fill_function fill, uint64_t salt) {
    int64_t *samples = malloc(SAMPLES * sizeof(*samples));
    gw_discrete_laplace *law = NULL;
    seeded_random random = {.state = seed() * 1000003 + salt};
    assert_int_equal(gw_discrete_laplace_new(noise, &law), GW_OK);
    assert_int_equal(fill(law, seeded_source(&random), samples, SAMPLES), GW_OK);
    gw_discrete_laplace_free(law);
    return samples;
}

static int compare_samples(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

// P(Z <= k).
static double law_below(double rate, int64_t k) {
    double q = exp(-rate);
    return k >= 0 ? 1 - exp(-rate * (double)(k + 1)) / (1 + q) : exp(rate * (double)k) / (1 + q);
}

// Chi-square on the exact law: one bin per value, neighbours joined until 50 are expected.
static double fit(const int64_t *samples, double rate) {
    int64_t *sorted = malloc(SAMPLES * sizeof(*sorted));
    memcpy(sorted, samples, SAMPLES * sizeof(*sorted));
    qsort(sorted, SAMPLES, sizeof(*sorted), compare_samples);
    double chi = 0, last = 0;
    size_t done = 0, bins = 0;
    int64_t reach = (int64_t)(log(2.0 * SAMPLES) / rate) + 2;
    for (int64_t k = -reach; k <= reach; k++) {
        double here = k == reach ? 1 : law_below(rate, k);
        double expected = (here - last) * SAMPLES;
        if (expected < BIN_EXPECTED_MIN || (k != reach && (1 - here) * SAMPLES < BIN_EXPECTED_MIN))
            continue; // too few yet, or too few would be left for the last bin
        size_t at = done;
        while (at < SAMPLES && (k == reach || sorted[at] <= k))
            at++;
        double observed = (double)(at - done);
        chi += (observed - expected) * (observed - expected) / expected;
        bins++;
        done = at;
        last = here;
    }
    free(sorted);
    assert_int_equal(done, SAMPLES);
    return statistics_chi_square_above(chi, (double)bins - 1);
}

static double normal_p(double z) {
    return erfc(fabs(z) / M_SQRT2);
}

static double variance_of(double rate) {
    return 1 / (2 * sinh(rate / 2) * sinh(rate / 2));
}

static double mean_p(const int64_t *samples, double rate) {
    double sum = 0;
    for (size_t i = 0; i < SAMPLES; i++)
        sum += (double)samples[i];
    return normal_p(sum / sqrt(SAMPLES * variance_of(rate)));
}

// The mean square, with its sd from the kurtosis (q^2 + 10 q + 1) / (2 q).
static double variance_p(const int64_t *samples, double rate) {
    double sum = 0, q = exp(-rate), kurtosis = (q * q + 10 * q + 1) / (2 * q);
    for (size_t i = 0; i < SAMPLES; i++)
        sum += (double)samples[i] * (double)samples[i];
    return normal_p((sum / SAMPLES / variance_of(rate) - 1) * sqrt(SAMPLES / (kurtosis - 1)));
}

static double correlation_p(const int64_t *samples, size_t lag, double rate) {
    double sum = 0;
    for (size_t i = lag; i < SAMPLES; i++)
        sum += (double)samples[i] * (double)samples[i - lag];
    return normal_p(sum / variance_of(rate) / sqrt((double)(SAMPLES - lag)));
}

// Two yes/no facts about a sample are independent: 2 x 2 chi-square.
typedef bool (*fact)(int64_t sample, unsigned index);
static double independence_p(const int64_t *samples, fact one, unsigned i, fact other, unsigned j) {
    double counts[2][2] = {{0}};
    for (size_t k = 0; k < SAMPLES; k++)
        if (samples[k] != 0)
            counts[one(samples[k], i)][other(samples[k], j)]++;
    double rows[2] = {counts[0][0] + counts[0][1], counts[1][0] + counts[1][1]};
    double columns[2] = {counts[0][0] + counts[1][0], counts[0][1] + counts[1][1]};
    double total = rows[0] + rows[1], chi = 0;
    for (int r = 0; r < 2; r++)
        for (int c = 0; c < 2; c++) {
            double expected = rows[r] * columns[c] / total;
            if (expected < BIN_EXPECTED_MIN)
                return 1; // too rare to say
            chi += (counts[r][c] - expected) * (counts[r][c] - expected) / expected;
        }
    return statistics_chi_square_above(chi, 1);
}

static bool fact_sign(int64_t sample, unsigned index) {
    (void)index;
    return sample < 0;
}
static bool fact_bit(int64_t sample, unsigned index) {
    return (uint64_t)(llabs(sample) - 1) >> index & 1;
}

static void assert_quiet(double p, const char *what, size_t law, size_t fill) {
    if (!(p >= ALPHA))
        fail_msg("%s: p = %.3g for law %zu, sampler %zu", what, p, law, fill);
}

static void samples_fit_the_exact_law(void **state) {
    (void)state;
    for (size_t i = 0; i < LAW_COUNT; i++)
        for (size_t j = 0; j < 2; j++) {
            int64_t *samples = samples_of(LAWS[i], FILLS[j], 2 * i + j);
            assert_quiet(fit(samples, rate_of(LAWS[i])), "fit", i, j);
            assert_quiet(mean_p(samples, rate_of(LAWS[i])), "mean", i, j);
            assert_quiet(variance_p(samples, rate_of(LAWS[i])), "variance", i, j);
            free(samples);
        }
}

// Cells of one table: neighbours in the draw, across lanes and blocks.
static void cells_are_independent(void **state) {
    (void)state;
    const size_t lags[] = {1, 2, 3, 4, 5, 16, 60, 64, 128, 256};
    for (size_t i = 1; i < LAW_COUNT; i += 2)
        for (size_t j = 0; j < 2; j++) {
            int64_t *samples = samples_of(LAWS[i], FILLS[j], 100 + 2 * i + j);
            for (size_t k = 0; k < sizeof(lags) / sizeof(lags[0]); k++)
                assert_quiet(correlation_p(samples, lags[k], rate_of(LAWS[i])), "correlation", i, j);
            free(samples);
        }
}

static void digits_and_sign_are_independent(void **state) {
    (void)state;
    for (size_t j = 0; j < 2; j++) {
        int64_t *samples = samples_of(LAWS[3], FILLS[j], 200 + j);
        for (unsigned bit = 0; bit < 6; bit++) {
            assert_quiet(independence_p(samples, fact_sign, 0, fact_bit, bit), "sign and digit", 3, j);
            for (unsigned other = 0; other < bit; other++)
                assert_quiet(independence_p(samples, fact_bit, bit, fact_bit, other), "two digits", 3, j);
        }
        free(samples);
    }
}

// Another exact sampler passes the same test: the test isn't tuned to ours.
static void rejection_fits_too(void **state) {
    (void)state;
    int64_t *samples = malloc(SAMPLES * sizeof(*samples));
    seeded_random random = {.state = seed()};
    rejection_laplace rejection;
    rejection_init(&rejection, seeded_source(&random));
    for (size_t i = 0; i < SAMPLES; i++)
        samples[i] = rejection_sample(&rejection, 1, 10);
    assert_quiet(fit(samples, 0.1), "rejection", 3, 9);
    free(samples);
}

static void assert_alarm(double p, const char *what) {
    if (!(p < ALPHA))
        fail_msg("not caught: %s, p = %.3g", what, p);
}

static void a_scale_wrong_by_a_tenth_is_caught(void **state) {
    (void)state;
    const gw_noise wide[2] = {{{1000000}, 1}, {{100000}, 1}}, narrow[2] = {{{1100000}, 1}, {{110000}, 1}};
    for (size_t i = 0; i < 2; i++) {
        int64_t *samples = samples_of(narrow[i], gw_discrete_laplace_fill, 300 + i);
        assert_alarm(fit(samples, rate_of(wide[i])), "scale, by fit");
        assert_alarm(variance_p(samples, rate_of(wide[i])), "scale, by variance");
        free(samples);
    }
}

// What a sampler gives that draws sign and magnitude and forgets that -0 is 0: P(0) = 1 - q.
static void a_doubled_zero_is_caught(void **state) {
    (void)state;
    for (size_t i = 1; i < 6; i++) {
        int64_t *samples = samples_of(LAWS[i], gw_discrete_laplace_fill, 400 + i);
        double extra = tanh(rate_of(LAWS[i]) / 2) * exp(-rate_of(LAWS[i])); // (1-q) - (1-q)/(1+q), over 1 - P(0)
        double share = extra / (1 - tanh(rate_of(LAWS[i]) / 2));
        seeded_random random = {.state = i};
        for (size_t k = 0; k < SAMPLES; k++)
            if (samples[k] != 0 && (double)(seeded_next(&random) >> 11) * 0x1p-53 < share)
                samples[k] = 0;
        assert_alarm(fit(samples, rate_of(LAWS[i])), "doubled zero");
        free(samples);
    }
}

static void a_missing_sign_is_caught(void **state) {
    (void)state;
    int64_t *samples = samples_of(LAWS[3], gw_discrete_laplace_fill, 500);
    for (size_t k = 0; k < SAMPLES; k++)
        samples[k] = llabs(samples[k]);
    assert_alarm(fit(samples, 0.1), "missing sign, by fit");
    assert_alarm(mean_p(samples, 0.1), "missing sign, by mean");
    free(samples);
}

static void two_cells_sharing_noise_are_caught(void **state) {
    (void)state;
    int64_t *samples = samples_of(LAWS[3], gw_discrete_laplace_fill, 600);
    for (size_t k = 1; k < SAMPLES; k += 50) // one cell in fifty repeats its neighbour: z near 11
        samples[k] = samples[k - 1];
    assert_alarm(correlation_p(samples, 1, 0.1), "shared noise");
    free(samples);
}

static void a_sign_that_follows_the_magnitude_is_caught(void **state) {
    (void)state;
    int64_t *samples = samples_of(LAWS[3], gw_discrete_laplace_fill, 700);
    for (size_t k = 0; k < SAMPLES; k += 20)
        samples[k] = llabs(samples[k]) % 2 == 0 ? llabs(samples[k]) : -llabs(samples[k]);
    assert_alarm(independence_p(samples, fact_sign, 0, fact_bit, 0), "sign that follows the magnitude");
    free(samples);
}

static void the_statistics_are_right(void **state) {
    (void)state;
    // Critical values at 1e-6 for 20, 60 and 200 degrees of freedom.
    assert_true(fabs(log(statistics_chi_square_above(65.42, 20) / 1e-6)) < 0.01);
    assert_true(fabs(log(statistics_chi_square_above(127.1, 60) / 1e-6)) < 0.02);
    assert_true(fabs(log(statistics_chi_square_above(309.84, 200) / 1e-6)) < 0.01);
    assert_true(fabs(statistics_chi_square_above(1, 2) - exp(-0.5)) < 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_statistics_are_right),
        cmocka_unit_test(samples_fit_the_exact_law),
        cmocka_unit_test(cells_are_independent),
        cmocka_unit_test(digits_and_sign_are_independent),
        cmocka_unit_test(rejection_fits_too),
        cmocka_unit_test(a_scale_wrong_by_a_tenth_is_caught),
        cmocka_unit_test(a_doubled_zero_is_caught),
        cmocka_unit_test(a_missing_sign_is_caught),
        cmocka_unit_test(two_cells_sharing_noise_are_caught),
        cmocka_unit_test(a_sign_that_follows_the_magnitude_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
