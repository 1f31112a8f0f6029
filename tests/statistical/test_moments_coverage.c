// SPDX-License-Identifier: Apache-2.0
// Ranges of variances, standard deviations, ratios of sums and gaps cover the exact figure as often as they say, over
// draws of real noise, at 90, 95 and 99 %. H0 of each case and level: coverage >= level. With N draws the alarm is
// below level - 5 sqrt(level (1 - level) / N): a false alarm has a chance below 3e-7, of all 45 below 2e-5. The same
// rule catches a range of one standard error and a range that takes the estimated mean for the true one: planted below.
#include "privacy/derive/moments.h"
#include "privacy/mechanism/moments.h"
#include "privacy/sampling/discrete_laplace.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"
#include <math.h>

#define DRAWS 2000
#define WIDTH INT64_C(1048576)

static const uint32_t LEVELS[] = {900000, 950000, 990000};
static seeded_random randomness = {.state = 20261122};

static int seed_read(void **state) {
    const char *text = getenv("GW_TEST_SEED");
    (void)state;
    if (text != NULL)
        randomness.state = strtoull(text, NULL, 10);
    return 0;
}

static void noise_add(gw_combine_part *parts, size_t count) {
    static gw_discrete_laplace *law = NULL;
    static gw_noise of;
    int64_t values[8];
    if (law == NULL || of.epsilon.micro != parts->noise.epsilon.micro || of.sensitivity != parts->noise.sensitivity) {
        gw_discrete_laplace_free(law);
        of = parts->noise;
        assert_int_equal(gw_discrete_laplace_new(of, &law), GW_OK);
    }
    assert_int_equal(gw_discrete_laplace_fill(law, seeded_source(&randomness), values, count), GW_OK);
    for (size_t i = 0; i < count; i++)
        parts[i].value += values[i];
}

static bool covers(const char *what, uint32_t level_ppm, int covered, int draws) {
    double level = level_ppm / 1e6, part = (double)covered / draws;
    print_message("%s at %g %%: %.4f of %d draws\n", what, level * 100, part, draws);
    return part >= level - 5 * sqrt(level * (1 - level) / draws);
}

// ---- variance, standard deviation

typedef struct {
    const char *what;
    double values[3]; // on 0 .. 1
    int counts[3];
    uint64_t micro;
} group;

static const group GROUPS[] = {{"a wide spread", {0.1, 0.3, 0.9}, {700, 900, 400}, 100000},
                               {"a narrow spread", {0.30, 0.31, 0.32}, {500, 500, 500}, 100000},
                               {"no spread at an end", {0, 0, 0}, {2000, 0, 0}, 100000},
                               {"both ends", {0, 1, 0}, {300, 300, 0}, 100000},
                               {"a group as small as the noise", {0.2, 0.5, 0.8}, {10, 10, 10}, 100000},
                               {"a group smaller than it", {0.2, 0.5, 0.8}, {1, 2, 1}, 200000}};

static gw_moments exact_of(const group *g, double *ret_variance) {
    gw_moments moments = {.range = 1, .width = (uint64_t)WIDTH};
    double n = 0, sum = 0, squares = 0;
    for (size_t k = 0; k < 3; k++)
        moments.parts[k] = (gw_combine_part){.noise = {{g->micro}, (uint64_t)WIDTH}, .count = 1, .step = 1};
    for (size_t i = 0; i < 3; i++) {
        int64_t x = (int64_t)llround(g->values[i] * (double)WIDTH), b[3];
        gw_moments_split(x, WIDTH, b);
        for (size_t k = 0; k < 3; k++)
            moments.parts[k].value += (gw_int128)b[k] * g->counts[i];
        double value = (double)x / (double)WIDTH;
        n += g->counts[i];
        sum += g->counts[i] * value;
        squares += g->counts[i] * value * value;
    }
    *ret_variance = squares / n - sum / n * (sum / n);
    return moments;
}

static void variances_cover(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof(GROUPS) / sizeof(GROUPS[0]); k++)
        for (size_t l = 0; l < 3; l++) {
            int covered = 0, planted = 0;
            double variance;
            const gw_moments exact = exact_of(&GROUPS[k], &variance);
            for (int i = 0; i < DRAWS; i++) {
                gw_moments noisy = exact;
                gw_combined range, root;
                noise_add(noisy.parts, 3);
                assert_int_equal(gw_moments_variance(&noisy, LEVELS[l], &range), GW_OK);
                assert_int_equal(gw_moments_sd(&noisy, LEVELS[l], &root), GW_OK);
                bool is_in = range.lower <= variance && variance <= range.upper;
                bool root_is_in = root.lower <= sqrt(variance) && sqrt(variance) <= root.upper;
                assert_true(is_in || !root_is_in || fabs(variance - range.lower) < 1e-12 ||
                            fabs(variance - range.upper) < 1e-12); // one range, twice
                covered += is_in;
                planted += range.is_estimable && fabs(range.estimate - variance) <= range.se;
            }
            assert_true(covers(GROUPS[k].what, LEVELS[l], covered, DRAWS));
            if (k == 0)
                assert_false(covers("planted, one standard error", LEVELS[l], planted, DRAWS));
        }
}

// ---- ratio of sums

static void ratios_of_sums_cover(void **state) {
    (void)state;
    static const struct {
        const char *what;
        gw_int128 a, b;
    } cases[] = {{"a ratio", (gw_int128)900 * WIDTH, (gw_int128)400 * WIDTH},
                 {"a small ratio", (gw_int128)5 * WIDTH, (gw_int128)800 * WIDTH},
                 {"a ratio by little", (gw_int128)300 * WIDTH, (gw_int128)30 * WIDTH}};
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
        for (size_t l = 0; l < 3; l++) {
            int covered = 0;
            double exact = (double)cases[k].a / (double)cases[k].b;
            for (int i = 0; i < DRAWS / 2; i++) {
                gw_combine_part parts[2] = {{.value = cases[k].a}, {.value = cases[k].b}};
                gw_combined range;
                for (size_t p = 0; p < 2; p++) {
                    parts[p].noise = (gw_noise){{100000}, 2 * (uint64_t)WIDTH};
                    parts[p].count = 1;
                    parts[p].step = 1;
                }
                noise_add(parts, 2);
                assert_int_equal(gw_combine_quotient(&parts[0], &parts[1], LEVELS[l], &range), GW_OK);
                covered += range.lower <= exact && exact <= range.upper;
            }
            assert_true(covers(cases[k].what, LEVELS[l], covered, DRAWS / 2));
        }
}

// ---- gap

static void gaps_cover(void **state) {
    (void)state;
    static const struct {
        const char *what;
        int parts[4];
        uint64_t micro, step;
    } cases[] = {{"a gap of rates", {600, 400, 2200, 800}, 100000, 1},
                 {"a gap of none", {50, 50, 500, 500}, 200000, 1},
                 {"a gap of ends", {0, 300, 300, 0}, 500000, 1},
                 {"a gap of a tiny group", {3, 4, 500, 600}, 300000, 1},
                 {"a gap of means", {600, 400, 2200, 800}, 100000, 1048576}};
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
        for (size_t l = 0; l < 3; l++) {
            const int *p = cases[k].parts;
            double exact = 100.0 * p[0] / (p[0] + p[1]) - 100.0 * p[2] / (p[2] + p[3]);
            int covered = 0, draws = DRAWS / 2, planted = 0;
            for (int i = 0; i < draws; i++) {
                gw_combine_part parts[4];
                for (size_t j = 0; j < 4; j++)
                    parts[j] = (gw_combine_part){.value = (gw_int128)p[j] * (gw_int128)cases[k].step,
                                                 .noise = {{cases[k].micro}, cases[k].step},
                                                 .count = 1,
                                                 .step = 1};
                noise_add(parts, 4);
                const gw_combine_ratio a = {parts[0], parts[1], 0, 100}, b = {parts[2], parts[3], 0, 100};
                gw_combined range, one;
                assert_int_equal(gw_combine_ratio_difference(&a, &b, LEVELS[l], &range), GW_OK);
                covered += range.lower <= exact && exact <= range.upper;
                assert_int_equal(gw_combine_pooled(&b, LEVELS[l], &one), GW_OK);
                planted += fabs(range.estimate - exact) <= (one.upper - one.lower) / 2;
            }
            assert_true(covers(cases[k].what, LEVELS[l], covered, draws));
            if (k == 0)
                assert_false(covers("planted, the reference's bar", LEVELS[l], planted, draws));
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variances_cover),
        cmocka_unit_test(ratios_of_sums_cover),
        cmocka_unit_test(gaps_cover),
    };
    return cmocka_run_group_tests(tests, seed_read, NULL);
}
