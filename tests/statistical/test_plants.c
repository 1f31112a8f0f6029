// SPDX-License-Identifier: Apache-2.0
// The test of the tests: samplers broken in the ways that samplers are broken, each run through the same battery
// (tests/support/noise_checks.h) as the ones that are used, and each must be caught. Every plant starts from honest
// samples of the sampler that releases use, so that it is wrong in one way only. An honest sampler, wrapped in the same
// way, must pass: else the harness would be what alarms. README.md has the table.
#include "privacy/sampling/discrete_gaussian.h"
#include "privacy/sampling/discrete_laplace.h"
#include "privacy/sampling/negative_binomial.h"
#include "tests/support/noise_checks.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"
#include <math.h>

typedef struct {
    gw_noise claimed; // what the law of the noise is said to be
    gw_noise drawn;   // what an honest sampler is asked for, before the plant does its harm
} plant;

static double rate_of(gw_noise noise) {
    return (double)noise.epsilon.micro / 1e6 / (double)noise.sensitivity;
}

static void honest(const void *context, uint64_t seed, int64_t *ret, size_t count) {
    const plant *one = context;
    gw_discrete_laplace *law = NULL;
    seeded_random random = {.state = seed * 1000003};
    assert_int_equal(gw_discrete_laplace_new(one->drawn, &law), GW_OK);
    assert_int_equal(gw_discrete_laplace_fill(law, seeded_source(&random), ret, count), GW_OK);
    gw_discrete_laplace_free(law);
}

// Uniform in (0, 1), for plants that decide something.
static double uniform(seeded_random *random) {
    return ((double)(seeded_next(random) >> 11) + 0.5) * 0x1p-53;
}

static void truncated_at_six_deviations(const void *context, uint64_t seed, int64_t *ret, size_t count) {
    const plant *one = context;
    double limit = 6 * sqrt(noise_law_laplace(rate_of(one->claimed)).variance);
    honest(context, seed, ret, count);
    for (size_t i = 0; i < count; i++)
        for (uint64_t again = 1; (double)llabs(ret[i]) > limit; again++)
            honest(context, seed + 1000000 * again + i, &ret[i], 1);
}

// The generator that the C standard gives as an example of rand(), seeded with the second: two answers of one second
// get the same noise. What it lacks in bits is not the point here, so three calls make one word of 45.
static uint32_t example_rand(uint32_t *state) {
    *state = *state * 1103515245u + 12345u;
    return *state / 65536u % 32768u;
}
static void rand_seeded_by_the_second(const void *context, uint64_t seed, int64_t *ret, size_t count) {
    const plant *one = context;
    const double rate = rate_of(one->claimed);
    uint32_t state = 1700000000u;
    (void)seed; // the second is the same
    for (size_t i = 0; i < count; i++) {
        double words[2];
        for (int k = 0; k < 2; k++) {
            uint64_t word = (uint64_t)example_rand(&state) << 30 | (uint64_t)example_rand(&state) << 15;
            words[k] = floor(-log(((double)(word | example_rand(&state)) + 0.5) * 0x1p-45) / rate);
        }
        ret[i] = (int64_t)words[0] - (int64_t)words[1]; // two geometric variables: the right law, but for its bits
    }
}

static void two_cells_share_noise(const void *context, uint64_t seed, int64_t *ret, size_t count) {
    honest(context, seed, ret, count);
    for (size_t i = 1; i < count; i += 50) // one cell in fifty has its neighbour's
        ret[i] = ret[i - 1];
}

static void continuous_laplace_rounded(const void *context, uint64_t seed, int64_t *ret, size_t count) {
    const plant *one = context;
    seeded_random random = {.state = seed};
    for (size_t i = 0; i < count; i++) {
        double size = -log(uniform(&random)) / rate_of(one->claimed);
        ret[i] = (int64_t)round(seeded_next(&random) & 1 ? size : -size);
    }
}

static void missing_sign(const void *context, uint64_t seed, int64_t *ret, size_t count) {
    honest(context, seed, ret, count);
    for (size_t i = 0; i < count; i++)
        ret[i] = llabs(ret[i]);
}

// Sign and magnitude, and -0 is not redrawn: P(0) = 1 - q instead of (1 - q) / (1 + q).
static void double_zero(const void *context, uint64_t seed, int64_t *ret, size_t count) {
    const plant *one = context;
    double rate = rate_of(one->claimed), zero = tanh(rate / 2);
    double share = (1 - exp(-rate) - zero) / (1 - zero);
    seeded_random random = {.state = seed};
    honest(context, seed, ret, count);
    for (size_t i = 0; i < count; i++)
        if (uniform(&random) < share)
            ret[i] = 0;
}

static void sign_that_follows_the_magnitude(const void *context, uint64_t seed, int64_t *ret, size_t count) {
    honest(context, seed, ret, count);
    for (size_t i = 0; i < count; i += 20)
        ret[i] = llabs(ret[i]) % 2 == 0 ? llabs(ret[i]) : -llabs(ret[i]);
}

// One random word serves two digits of one value.
static void digits_that_share_a_word(const void *context, uint64_t seed, int64_t *ret, size_t count) {
    seeded_random random = {.state = seed};
    honest(context, seed, ret, count);
    for (size_t i = 0; i < count; i++) {
        int64_t magnitude = llabs(ret[i]) - 1;
        if (ret[i] == 0 || seeded_next(&random) % 10 != 0)
            continue;
        magnitude = (magnitude & ~(int64_t)2) | (magnitude & 1) << 1;
        ret[i] = ret[i] < 0 ? -magnitude - 1 : magnitude + 1;
    }
}

static void bias_of_a_hundredth(const void *context, uint64_t seed, int64_t *ret, size_t count) {
    honest(context, seed, ret, count);
    for (size_t i = 0; i < count; i += 10)
        ret[i] += 2; // a fifth on average, of a standard deviation of 14
}

static void one_block_given_twice(const void *context, uint64_t seed, int64_t *ret, size_t count) {
    honest(context, seed, ret, count);
    for (size_t i = 64; i + 64 <= count; i += 3200)
        memcpy(ret + i, ret + i - 64, 64 * sizeof(*ret));
}

static void run(const plant *one, noise_sampler sampler, noise_report *ret) {
    noise_law law = noise_law_laplace(rate_of(one->claimed));
    noise_checks_run(&law, sampler, one, noise_seed(7020), ret);
}

static void print_alarms(const char *what, double rate, const noise_report *report) {
    const char *last = "";
    print_message("%s, rate %g: caught by", what, rate);
    for (size_t i = 0; i < report->count; i++)
        if (!(report->checks[i].p >= NOISE_ALPHA) && strcmp(report->checks[i].name, last) != 0) {
            last = report->checks[i].name;
            print_message(" %s", last);
        }
    print_message("\n");
}

static void assert_caught(const char *what, gw_noise claimed, gw_noise drawn, noise_sampler sampler,
                          const char *by_check) {
    plant one = {claimed, drawn};
    noise_report report;
    run(&one, sampler, &report);
    print_alarms(what, rate_of(claimed), &report);
    if (!noise_report_has(&report, by_check))
        fail_msg("%s, rate %g: not caught by %s", what, rate_of(claimed), by_check);
}

static const gw_noise ONE = {{1000000}, 1}, TENTH = {{100000}, 1};

static void an_honest_sampler_passes(void **state) {
    (void)state;
    const gw_noise noises[] = {ONE, TENTH, {{2000000}, 1}, {{500000}, 1}};
    for (size_t i = 0; i < 4; i++) {
        plant one = {noises[i], noises[i]};
        noise_report report;
        run(&one, honest, &report);
        assert_null(noise_report_alarm(&report));
        assert_true(report.count >= 40);
    }
}

static void a_scale_wrong_by_a_tenth_is_caught(void **state) {
    (void)state;
    assert_caught("scale 1.1, too narrow", ONE, (gw_noise){{1100000}, 1}, honest, "fit");
    assert_caught("scale 1.1, too narrow", TENTH, (gw_noise){{110000}, 1}, honest, "variance");
    assert_caught("scale 1.1, too wide", TENTH, (gw_noise){{90909}, 1}, honest, "distance");
}

static void epsilon_meant_for_replacing_is_caught(void **state) {
    (void)state;
    assert_caught("replace-one: twice the epsilon", ONE, (gw_noise){{2000000}, 1}, honest, "fit");
    assert_caught("replace-one: half of it", TENTH, (gw_noise){{100000}, 2}, honest, "fit");
}

static void truncation_at_six_deviations_is_caught(void **state) {
    (void)state;
    assert_caught("truncated at 6 sd", ONE, ONE, truncated_at_six_deviations, "tails");
    assert_caught("truncated at 6 sd", TENTH, TENTH, truncated_at_six_deviations, "tails");
}

static void rand_seeded_by_time_is_caught(void **state) {
    (void)state;
    assert_caught("rand() seeded by time", ONE, ONE, rand_seeded_by_the_second, "fresh");
    assert_caught("rand() seeded by time", TENTH, TENTH, rand_seeded_by_the_second, "fresh");
}

static void two_cells_sharing_noise_are_caught(void **state) {
    (void)state;
    assert_caught("two cells share noise", ONE, ONE, two_cells_share_noise, "neighbours");
    assert_caught("two cells share noise", TENTH, TENTH, two_cells_share_noise, "neighbours");
    assert_caught("a block given twice", TENTH, TENTH, one_block_given_twice, "neighbours");
}

static void laplace_in_double_is_caught(void **state) {
    (void)state;
    assert_caught("Laplace in double, rounded", ONE, ONE, continuous_laplace_rounded, "fit");
    assert_caught("Laplace in double, rounded", (gw_noise){{500000}, 1}, ONE, continuous_laplace_rounded, "fit");
}

static void a_missing_sign_is_caught(void **state) {
    (void)state;
    assert_caught("missing sign", ONE, ONE, missing_sign, "mean");
    assert_caught("missing sign", TENTH, TENTH, missing_sign, "fit");
}

static void a_doubled_zero_is_caught(void **state) {
    (void)state;
    const gw_noise noises[] = {{{2000000}, 1}, ONE, {{500000}, 1}, TENTH, {{50000}, 1}, {{10000}, 1}};
    for (size_t i = 0; i < 6; i++)
        assert_caught("double zero", noises[i], noises[i], double_zero, "fit");
}

static void a_rounded_epsilon_is_caught(void **state) {
    (void)state;
    assert_caught("epsilon 1.04 for 1", ONE, (gw_noise){{1040000}, 1}, honest, "variance");
    assert_caught("epsilon 0.1 for 0.104", (gw_noise){{104000}, 1}, TENTH, honest, "variance");
    assert_caught("epsilon 0.3 for 1/3", (gw_noise){{333333}, 1}, (gw_noise){{300000}, 1}, honest, "fit");
}

static void dependence_inside_a_value_is_caught(void **state) {
    (void)state;
    assert_caught("sign follows magnitude", TENTH, TENTH, sign_that_follows_the_magnitude, "sign");
    assert_caught("digits share a word", TENTH, TENTH, digits_that_share_a_word, "digits");
    assert_caught("a small bias", TENTH, TENTH, bias_of_a_hundredth, "mean");
}

static void gaussian_rounded(const void *context, uint64_t seed, int64_t *ret, size_t count) {
    seeded_random random = {.state = seed};
    for (size_t i = 0; i < count; i++)
        ret[i] = (int64_t)round(*(const double *)context * sqrt(-2 * log(uniform(&random))) *
                                cos(2 * M_PI * uniform(&random)));
}

static void gaussian_honest(const void *context, uint64_t seed, int64_t *ret, size_t count) {
    gw_discrete_gaussian *law = NULL;
    seeded_random random = {.state = seed * 1000003};
    double deviation = *(const double *)context;
    gw_gaussian_variance variance = {(gw_uint128)(1000 * deviation * deviation + 0.5), 1000};
    assert_int_equal(gw_discrete_gaussian_new(variance, &law), GW_OK);
    assert_int_equal(gw_discrete_gaussian_fill(law, seeded_source(&random), ret, count), GW_OK);
    gw_discrete_gaussian_free(law);
}

static void gaussians_that_are_not_are_caught(void **state) {
    (void)state;
    const double one = 1, tenth_less = 9;
    noise_law narrow = noise_law_gaussian(1), wide = noise_law_gaussian(100);
    noise_report report;
    noise_checks_run(&narrow, gaussian_honest, &one, noise_seed(8020), &report);
    assert_null(noise_report_alarm(&report));
    noise_checks_run(&narrow, gaussian_rounded, &one, noise_seed(8020), &report);
    print_alarms("Gaussian in double, rounded", 1, &report);
    assert_true(noise_report_has(&report, "fit"));
    noise_checks_run(&wide, gaussian_honest, &tenth_less, noise_seed(8030), &report);
    print_alarms("Gaussian of 0.9 its deviation", 10, &report);
    assert_true(noise_report_has(&report, "variance"));
    noise_law_free(&narrow);
    noise_law_free(&wide);
}

static void share_sum(const void *context, uint64_t seed, int64_t *ret, size_t count) {
    const uint32_t shape = *(const uint32_t *)context; // what each of three parties takes for 1/r
    int64_t *share = malloc(count * sizeof(*share));
    gw_noise_share *law = NULL;
    assert_int_equal(gw_noise_share_new(TENTH, shape, &law), GW_OK);
    memset(ret, 0, count * sizeof(*ret));
    for (uint64_t party = 0; party < 3; party++) {
        seeded_random random = {.state = (seed + 7919 * party) * 1000003};
        assert_int_equal(gw_noise_share_fill(law, seeded_source(&random), share, count), GW_OK);
        for (size_t i = 0; i < count; i++)
            ret[i] += share[i];
    }
    gw_noise_share_free(law);
    free(share);
}

// One party of three leaves out its noise, or all take one party too many for granted.
static void missing_shares_are_caught(void **state) {
    (void)state;
    const uint32_t right = 3, wrong = 4;
    noise_law law = noise_law_laplace(0.1);
    noise_report report;
    noise_checks_run(&law, share_sum, &right, noise_seed(9020), &report);
    assert_null(noise_report_alarm(&report));
    noise_checks_run(&law, share_sum, &wrong, noise_seed(9020), &report);
    print_alarms("shares of a fourth among three", 0.1, &report);
    assert_true(noise_report_has(&report, "fit"));
    assert_true(noise_report_has(&report, "variance"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_sampler_passes),
        cmocka_unit_test(a_scale_wrong_by_a_tenth_is_caught),
        cmocka_unit_test(epsilon_meant_for_replacing_is_caught),
        cmocka_unit_test(truncation_at_six_deviations_is_caught),
        cmocka_unit_test(rand_seeded_by_time_is_caught),
        cmocka_unit_test(two_cells_sharing_noise_are_caught),
        cmocka_unit_test(laplace_in_double_is_caught),
        cmocka_unit_test(a_missing_sign_is_caught),
        cmocka_unit_test(a_doubled_zero_is_caught),
        cmocka_unit_test(a_rounded_epsilon_is_caught),
        cmocka_unit_test(dependence_inside_a_value_is_caught),
        cmocka_unit_test(gaussians_that_are_not_are_caught),
        cmocka_unit_test(missing_shares_are_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
