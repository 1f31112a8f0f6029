// SPDX-License-Identifier: Apache-2.0
// Prices before spending: error from epsilon, and the smallest epsilon for an error.
#include "privacy/cost.h"
#include "tests/support/unit.h"
#include <math.h>

static void assert_near(double got, double wanted, double tolerance) {
    if (!(fabs(got - wanted) <= tolerance))
        fail_msg("%.12g is not %.12g", got, wanted);
}

static const gw_cost_shape COUNT = {
    .statistic = GW_STATISTIC_COUNT, .sensitivity = 1, .cell_count = 10, .range = 1, .unit = 1};
static const gw_cost_shape RATE = {
    .statistic = GW_STATISTIC_RATE, .sensitivity = 1, .cell_count = 10, .group_size = 1000, .range = 1, .unit_mean = 1};

static void counts_and_rates_have_the_exact_half_width(void **state) {
    (void)state;
    assert_near(gw_cost_half_width(&COUNT, (gw_epsilon){1000000}, GW_LEVEL_95), 3, 0);
    assert_near(gw_cost_half_width(&COUNT, (gw_epsilon){100000}, GW_LEVEL_95), 30, 0);
    assert_near(gw_cost_half_width(&RATE, (gw_epsilon){100000}, GW_LEVEL_95), 0.03, 1e-15);
    assert_near(gw_cost_half_width(&RATE, (gw_epsilon){10}, GW_LEVEL_95), 1, 0); // never worse than knowing nothing
}

static void a_mean_is_in_its_own_unit(void **state) {
    (void)state;
    gw_cost_shape mean = {
        .statistic = GW_STATISTIC_MEAN, .sensitivity = 1ull << 30, .cell_count = 1, .group_size = 1000, .range = 50000};
    // One noise value at scale 2^30 / 0.1 beside a sum of 1000 * 2^30: 29.957 / 1000 of the range.
    assert_near(gw_cost_half_width(&mean, (gw_epsilon){100000}, GW_LEVEL_95), 50000 * 0.0299573, 0.01);
}

static void a_share_pays_for_the_noise_of_the_others(void **state) {
    (void)state;
    gw_cost_shape share = RATE;
    share.statistic = GW_STATISTIC_SHARE;
    share.cell_count = 2;
    double two = gw_cost_half_width(&share, (gw_epsilon){100000}, GW_LEVEL_95);
    assert_near(two, 30.0 / 2000.0, 1e-15);
    share.cell_count = 101; // a hundred others, in a denominator of 101 groups
    assert_near(gw_cost_half_width(&share, (gw_epsilon){100000}, GW_LEVEL_95), 10 * 30.0 / 101000.0, 1e-15);
}

static void epsilon_for_an_error_is_the_smallest(void **state) {
    (void)state;
    const double wanted[] = {0.5, 0.1, 0.03, 0.01, 0.001, 0.0002};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        gw_epsilon epsilon = {0};
        assert_int_equal(gw_cost_epsilon_up(&RATE, wanted[i], &epsilon), GW_OK);
        assert_true(gw_cost_half_width(&RATE, epsilon, GW_LEVEL_95) <= wanted[i]);
        assert_true(gw_cost_half_width(&RATE, (gw_epsilon){epsilon.micro - 1}, GW_LEVEL_95) > wanted[i]);
    }
    gw_epsilon epsilon = {0};
    assert_int_equal(gw_cost_epsilon_up(&COUNT, 30, &epsilon), GW_OK);
    assert_true(epsilon.micro <= 100000 && epsilon.micro > 90000);
}

static void impossible_wishes_are_refused(void **state) {
    (void)state;
    gw_epsilon epsilon = {77};
    assert_int_equal(gw_cost_epsilon_up(&RATE, 0, &epsilon), GW_INVALID);
    assert_int_equal(gw_cost_epsilon_up(&RATE, -1, &epsilon), GW_INVALID);
    assert_int_equal(gw_cost_epsilon_up(&RATE, NAN, &epsilon), GW_INVALID);
    gw_cost_shape mean = {
        .statistic = GW_STATISTIC_MEAN, .sensitivity = 1ull << 40, .cell_count = 1, .group_size = 0, .range = 5};
    assert_int_equal(gw_cost_epsilon_up(&mean, 1, &epsilon), GW_INVALID); // nobody there
    assert_int_equal(epsilon.micro, 77);
    gw_cost_shape nothing = RATE;
    nothing.sensitivity = 0;
    assert_int_equal(gw_cost_epsilon_up(&nothing, 1, &epsilon), GW_INVALID);
}

static void names_go_there_and_back(void **state) {
    (void)state;
    for (int i = GW_STATISTIC_COUNT; i <= GW_STATISTIC_MEAN; i++) {
        gw_statistic back = GW_STATISTIC_COUNT;
        assert_int_equal(gw_statistic_parse(gw_statistic_name((gw_statistic)i), &back), GW_OK);
        assert_int_equal(back, i);
    }
    gw_statistic kept = GW_STATISTIC_RATE;
    assert_int_equal(gw_statistic_parse("median", &kept), GW_INVALID);
    assert_int_equal(gw_statistic_parse("Count", &kept), GW_INVALID);
    assert_int_equal(kept, GW_STATISTIC_RATE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_and_rates_have_the_exact_half_width),
        cmocka_unit_test(a_mean_is_in_its_own_unit),
        cmocka_unit_test(a_share_pays_for_the_noise_of_the_others),
        cmocka_unit_test(epsilon_for_an_error_is_the_smallest),
        cmocka_unit_test(impossible_wishes_are_refused),
        cmocka_unit_test(names_go_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
