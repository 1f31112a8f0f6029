// SPDX-License-Identifier: Apache-2.0
// Noise ranges: half-widths of counts against published figures, and ratio ranges against the acceptance rule they
// invert.
#include "privacy/interval.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"
#include <math.h>

static gw_interval_law *law_new(uint64_t micro, uint64_t sensitivity, uint32_t level, size_t others) {
    gw_interval_law *law = NULL;
    gw_noise noise = {.epsilon = {micro}, .sensitivity = sensitivity};
    assert_int_equal(gw_interval_law_new(noise, level, others, &law), GW_OK);
    return law;
}

static void assert_near(double got, double wanted, double tolerance) {
    if (!(fabs(got - wanted) <= tolerance))
        fail_msg("%.12g is not %.12g", got, wanted);
}

// Half-widths at 90, 95, 99 and 99.9 %, and the variance, from the closed form.
static void counts_match_the_published_table(void **state) {
    (void)state;
    const uint32_t levels[4] = {900000, 950000, 990000, 999000};
    const struct {
        uint64_t micro;
        double variance;
        uint64_t half_widths[4];
    } cases[] = {
        {2000000, .36203083, {1, 1, 2, 3}},       {1000000, 1.84134719, {2, 3, 4, 7}},
        {500000, 7.83539618, {5, 6, 9, 14}},      {100000, 199.83341663, {23, 30, 46, 69}},
        {50000, 799.83335416, {46, 60, 92, 138}}, {10000, 19999.83333417, {230, 300, 461, 691}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t j = 0; j < 4; j++) {
            gw_interval_law *law = law_new(cases[i].micro, 1, levels[j], 1);
            assert_int_equal(gw_interval_half_width(law), cases[i].half_widths[j]);
            double sd = gw_interval_noise_sd(law);
            assert_near(sd * sd, cases[i].variance, cases[i].variance * 1e-7);
            gw_interval_law_free(law);
        }
}

// The smallest t: one less would miss the level. In long double, for laws of every size.
static void half_widths_are_the_smallest(void **state) {
    (void)state;
    const uint32_t levels[] = {500000, 950000, 999999};
    for (uint64_t micro = 7; micro < 20000000; micro = micro * 5 / 3 + 1)
        for (size_t j = 0; j < 3; j++) {
            gw_interval_law *law = law_new(micro, 3, levels[j], 1);
            long double rate = (long double)micro / 3e6L;
            long double chance = (1000000 - levels[j]) / 1e6L;
            uint64_t t = gw_interval_half_width(law);
            long double tail = 2 * expl(-rate * (long double)(t + 1)) / (1 + expl(-rate));
            assert_true(tail <= chance);
            assert_true(t == 0 || tail * expl(rate) > chance * (1 - 1e-9L));
            gw_interval_law_free(law);
        }
}

static void bad_laws_are_refused(void **state) {
    (void)state;
    gw_interval_law *law = NULL;
    assert_int_equal(gw_interval_law_new((gw_noise){{0}, 1}, GW_LEVEL_95, 1, &law), GW_INVALID);
    assert_int_equal(gw_interval_law_new((gw_noise){{1}, 0}, GW_LEVEL_95, 1, &law), GW_INVALID);
    assert_int_equal(gw_interval_law_new((gw_noise){{1}, INT64_MAX}, GW_LEVEL_95, 0, &law), GW_INVALID); // past 64 bits
    assert_int_equal(gw_interval_law_new((gw_noise){{1}, 1}, 499999, 1, &law), GW_INVALID);
    assert_int_equal(gw_interval_law_new((gw_noise){{1}, 1}, 1000000, 1, &law), GW_INVALID);
    assert_null(law);
    gw_interval_law_free(NULL);
}

static void a_law_of_single_values_claims_nothing_of_ratios(void **state) {
    (void)state;
    gw_interval_law *one = NULL, *two = NULL;
    assert_int_equal(gw_interval_law_new((gw_noise){{100000}, 1}, GW_LEVEL_95, 0, &one), GW_OK);
    assert_int_equal(gw_interval_law_new((gw_noise){{100000}, 1}, GW_LEVEL_95, 1, &two), GW_OK);
    assert_int_equal(gw_interval_half_width(one), gw_interval_half_width(two));
    gw_ratio_range range = gw_interval_ratio(one, 1000, 2000);
    assert_false(range.is_estimable);
    assert_true(range.lower == 0.0 && range.upper == 1.0);
    gw_interval_law_free(one);
    gw_interval_law_free(two);
}

static void assert_range_is_the_accepted_set(const gw_interval_law *law, int64_t a, int64_t b) {
    gw_ratio_range range = gw_interval_ratio(law, a, b);
    assert_int_equal(range.is_estimable, a + b > 0);
    assert_true(range.lower >= 0 && range.upper <= 1 && range.lower <= range.upper);
    double n = (double)a + (double)b;
    bool is_any = false;
    for (int i = 0; i <= 2000; i++) {
        double theta = i / 2000.0;
        bool is_accepted = fabs((double)a - theta * n) <= gw_interval_acceptance(law, theta);
        is_any |= is_accepted;
        if (is_accepted && (theta < range.lower || theta > range.upper))
            fail_msg("a %lld b %lld: %g accepted outside [%g, %g]", (long long)a, (long long)b, theta, range.lower,
                     range.upper);
    }
    if (!is_any || !range.is_estimable) {
        assert_true(range.is_estimable || (range.lower == 0 && range.upper == 1));
        return;
    }
    // And no wider than it must be: an end inside (0, 1) is itself at the edge.
    const double ends[2] = {range.lower, range.upper};
    for (int i = 0; i < 2; i++) {
        if (ends[i] <= 0 || ends[i] >= 1)
            continue;
        double distance = fabs((double)a - ends[i] * n);
        double bound = gw_interval_acceptance(law, ends[i]);
        assert_near(distance, bound, 1e-6 * bound + 1e-13 * fabs(n) + 1e-9);
    }
}

static void ranges_are_the_hull_of_what_is_accepted(void **state) {
    (void)state;
    seeded_random random = {.state = 3};
    const struct {
        uint64_t micro;
        size_t others;
    } laws[] = {{6000000, 1}, {2000000, 1}, {1000000, 1}, {100000, 1}, {3000, 1}, {1000000, 7}, {20000, 7}};
    for (size_t i = 0; i < sizeof(laws) / sizeof(laws[0]); i++) {
        gw_interval_law *law = law_new(laws[i].micro, 1, GW_LEVEL_95, laws[i].others);
        int64_t scale = 1 + (int64_t)(30 * gw_interval_noise_sd(law));
        for (int j = 0; j < 60; j++) {
            int64_t a = (int64_t)(seeded_next(&random) % (uint64_t)scale) - scale / 8;
            int64_t b = (int64_t)(seeded_next(&random) % (uint64_t)(scale << j % 6)) - scale / 8;
            assert_range_is_the_accepted_set(law, a, b);
        }
        assert_range_is_the_accepted_set(law, 0, 0);
        assert_range_is_the_accepted_set(law, 0, 1000000);
        assert_range_is_the_accepted_set(law, 1000000, 0);
        gw_interval_law_free(law);
    }
}

// A jump would let the accepted set of a big group fall into pieces. The laws are ones whose raw table does jump.
static void the_bound_is_continuous(void **state) {
    (void)state;
    gw_interval_law *laws[] = {law_new(2500000, 1, GW_LEVEL_95, 5), law_new(30000, 1, 999000, 2)};
    for (size_t i = 0; i < 2; i++) {
        for (int node = 1; node < 4096; node++) {
            double theta = node / 4096.0;
            assert_near(gw_interval_acceptance(laws[i], theta - 1e-12), gw_interval_acceptance(laws[i], theta), 1e-6);
        }
        gw_interval_law_free(laws[i]);
    }
}

static void a_rate_of_a_big_group_is_narrow(void **state) {
    (void)state;
    gw_interval_law *law = law_new(1000000, 1, GW_LEVEL_95, 1);
    gw_ratio_range range = gw_interval_ratio(law, 300000, 700000);
    assert_true(range.is_estimable);
    assert_near(range.estimate, 0.3, 1e-15);
    assert_near(range.se, gw_interval_noise_sd(law) * sqrt(0.3 * 0.3 + 0.7 * 0.7) / 1e6, 1e-15);
    assert_true(range.lower < 0.3 && range.lower > 0.299997);
    assert_true(range.upper > 0.3 && range.upper < 0.300003);
    gw_interval_law_free(law);
}

static void nothing_known_is_told_as_the_whole_range(void **state) {
    (void)state;
    gw_interval_law *law = law_new(1000000, 1, GW_LEVEL_95, 1);
    gw_ratio_range range = gw_interval_ratio(law, -2, 1);
    assert_false(range.is_estimable);
    assert_true(range.lower == 0 && range.upper == 1);
    range = gw_interval_ratio(law, -1000, -1000); // no ratio fits: still no error and no claim
    assert_false(range.is_estimable);
    assert_true(range.lower == 0 && range.upper == 1);
    range = gw_interval_ratio(law, -1000, 1100);
    assert_true(range.lower == 0 && range.upper == 1);
    gw_int128 huge = (gw_int128)(~(gw_uint128)0 >> 1);
    range = gw_interval_ratio(law, -huge - 1, -1); // would wrap to a positive denominator
    assert_false(range.is_estimable);
    assert_true(range.lower == 0 && range.upper == 1);
    gw_interval_law_free(law);
}

// A mean on a fine grid: parts near 2^70, noise of scale 2^40.
static void big_sums_keep_their_ranges(void **state) {
    (void)state;
    gw_interval_law *law = law_new(1000000, 1ull << 40, GW_LEVEL_95, 1);
    gw_int128 a = (gw_int128)1 << 70;
    gw_ratio_range range = gw_interval_ratio(law, a, 3 * a);
    assert_near(range.estimate, 0.25, 1e-15);
    double half = gw_interval_acceptance(law, 0.25) / (double)(4 * a);
    assert_near(range.upper - 0.25, half, half * 0.01);
    assert_near(0.25 - range.lower, half, half * 0.01);
    gw_interval_law_free(law);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_match_the_published_table),
        cmocka_unit_test(half_widths_are_the_smallest),
        cmocka_unit_test(bad_laws_are_refused),
        cmocka_unit_test(a_law_of_single_values_claims_nothing_of_ratios),
        cmocka_unit_test(ranges_are_the_hull_of_what_is_accepted),
        cmocka_unit_test(the_bound_is_continuous),
        cmocka_unit_test(a_rate_of_a_big_group_is_narrow),
        cmocka_unit_test(nothing_known_is_told_as_the_whole_range),
        cmocka_unit_test(big_sums_keep_their_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
