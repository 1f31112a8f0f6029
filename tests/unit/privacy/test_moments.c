// SPDX-License-Identifier: Apache-2.0
// Bernstein parts by brute force; variances and standard deviations from parts against sums of squares; their ranges.
#include "privacy/derive/moments.h"
#include "privacy/mechanism/moments.h"
#include "privacy/tail.h"
#include "tests/support/unit.h"
#include <math.h>

static void split_is_sound(int64_t x, int64_t width) {
    int64_t b[GW_MOMENT_PARTS];
    gw_moments_split(x, width, b);
    assert_true(b[0] >= 0 && b[1] >= 0 && b[2] >= 0);
    assert_true(b[0] + b[1] + b[2] == width);
    assert_true(b[1] % 2 == 0 && b[1] / 2 + b[2] == x);
    gw_int128 error = (gw_int128)2 * b[2] * width - (gw_int128)2 * x * x;
    assert_true((error < 0 ? -error : error) <= width); // the nearest
}

static void parts_sum_to_the_width_and_none_is_negative(void **state) {
    (void)state;
    for (int64_t width = 1; width <= 300; width++)
        for (int64_t x = 0; x <= width; x++)
            split_is_sound(x, width);
    const int64_t wide = INT64_C(1) << 40,
                  places[] = {0, 1, 2, wide / 2 - 1, wide / 2, wide / 3, wide - 2, wide - 1, wide};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        split_is_sound(places[i], wide);
    for (int64_t x = 1; x < wide; x = x * 3 + 1)
        split_is_sound(x, wide);
}

// Parts of so many values each of 0 .. width, without noise but under its law.
static gw_moments moments_of(const int64_t *values, size_t count, int64_t width, double range, uint64_t micro) {
    gw_moments moments = {.range = range, .width = (uint64_t)width};
    for (size_t k = 0; k < 3; k++)
        moments.parts[k] = (gw_combine_part){.noise = {{micro}, (uint64_t)width}, .count = 1, .step = 1};
    for (size_t i = 0; i < count; i++) {
        int64_t b[3];
        gw_moments_split(values[i], width, b);
        for (size_t k = 0; k < 3; k++)
            moments.parts[k].value += b[k];
    }
    return moments;
}

#define VALUES 20000
static const int64_t WIDTH = 1 << 22;

static void spread_values(int64_t values[VALUES]) {
    for (size_t i = 0; i < VALUES; i++) // a skewed law, without chance
        values[i] = (int64_t)((double)WIDTH * pow(((double)i + 0.5) / VALUES, 3));
}

static void estimates_are_the_spread_of_the_values(void **state) {
    (void)state;
    static int64_t values[VALUES];
    spread_values(values);
    gw_moments moments = moments_of(values, VALUES, WIDTH, 200, 1000000);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < VALUES; i++) {
        double x = 200.0 * (double)values[i] / (double)WIDTH;
        sum += x / VALUES;
        squares += x * x / VALUES;
    }
    gw_combined variance, sd;
    assert_int_equal(gw_moments_variance(&moments, GW_LEVEL_95, &variance), GW_OK);
    assert_int_equal(gw_moments_sd(&moments, GW_LEVEL_95, &sd), GW_OK);
    assert_true(fabs(variance.estimate - (squares - sum * sum)) < 200.0 * 200.0 / (double)WIDTH);
    assert_true(fabs(sd.estimate - sqrt(variance.estimate)) < 1e-9 && sd.lower > 0);
    assert_true(variance.lower < variance.estimate && variance.estimate < variance.upper);
    // Near the best that a symmetric range could be: 2.1 to 2.3 standard errors each way.
    double half = (variance.upper - variance.lower) / 2 / variance.se;
    print_message("half-width %.3f standard errors\n", half);
    assert_true(half > 1.9 && half < 2.4);
}

static void a_higher_level_is_a_wider_range(void **state) {
    (void)state;
    static int64_t values[VALUES];
    const uint32_t levels[] = {500000, 900000, 950000, 990000, 999000, 999999};
    spread_values(values);
    for (size_t count = 10; count <= VALUES; count *= 10) {
        gw_moments moments = moments_of(values, count, WIDTH, 1, 300000);
        gw_combined last = {.lower = 1, .upper = 0}, now;
        for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
            assert_int_equal(gw_moments_variance(&moments, levels[i], &now), GW_OK);
            assert_true(now.lower <= last.lower && now.upper >= last.upper);
            assert_true(now.lower >= 0 && now.upper <= 0.25 && now.lower <= now.upper);
            last = now;
        }
    }
}

// Beta(2, 5), mean 2/7 and variance 5/196: 41.1 times less noise variance than three sums at a third of epsilon each.
static void parts_have_a_41st_of_the_noise_variance_of_three_sums(void **state) {
    (void)state;
    const double m = 2.0 / 7, v = 5.0 / 196;
    double three = 9 * (1 + 4 * m * m + pow(m * m - v, 2)); // over n^2, times the variance of one noise value
    static int64_t values[VALUES];
    size_t count = 0;
    for (size_t i = 0; i < VALUES && count < VALUES; i++) { // quantiles of Beta(2, 5) by its distribution function
        double low = 0, high = 1, rank = ((double)i + 0.5) / VALUES;
        for (int k = 0; k < 50; k++) {
            double x = (low + high) / 2, y = 1 - x, below = 1 - pow(y, 6) - 6 * x * pow(y, 5);
            *(below < rank ? &low : &high) = x;
        }
        values[count++] = (int64_t)llround(low * (double)WIDTH);
    }
    gw_moments moments = moments_of(values, count, WIDTH, 1, 1000000);
    gw_combined variance;
    assert_int_equal(gw_moments_variance(&moments, GW_LEVEL_95, &variance), GW_OK);
    assert_true(fabs(variance.estimate - v) < 1e-4);
    double one = gw_tail_sd(moments.parts[0].noise) / ((double)WIDTH * VALUES); // of a sum on 0 .. 1, over n
    double factor = three * one * one / (variance.se * variance.se);
    print_message("%.2f times\n", factor);
    assert_true(factor > 40.9 && factor < 41.4);
}

static void where_the_group_is_noise_everything_is_possible(void **state) {
    (void)state;
    gw_moments moments = moments_of(NULL, 0, WIDTH, 10, 100000);
    gw_combined result;
    moments.parts[0].value = -5 * WIDTH; // a noisy number below zero
    assert_int_equal(gw_moments_variance(&moments, GW_LEVEL_95, &result), GW_OK);
    assert_false(result.is_estimable);
    assert_true(result.lower == 0 && result.upper == 25);
    moments.parts[0].value = 3 * WIDTH; // about three persons, noise of about fourteen
    assert_int_equal(gw_moments_sd(&moments, GW_LEVEL_95, &result), GW_OK);
    assert_true(result.lower == 0 && result.upper > 4.9 && result.upper <= 5);
    moments.parts[2].value = -2 * WIDTH; // a variance below zero has no root
    assert_int_equal(gw_moments_sd(&moments, GW_LEVEL_95, &result), GW_OK);
    assert_false(result.is_estimable);
}

static void cells_add_up_before_their_spread_is_taken(void **state) {
    (void)state;
    static int64_t values[VALUES];
    spread_values(values);
    gw_moments all = moments_of(values, VALUES, WIDTH, 1, 1000000), pooled = all;
    gw_combined one, many;
    for (size_t k = 0; k < 3; k++)
        pooled.parts[k].count = 9;
    assert_int_equal(gw_moments_variance(&all, GW_LEVEL_95, &one), GW_OK);
    assert_int_equal(gw_moments_variance(&pooled, GW_LEVEL_95, &many), GW_OK);
    assert_true(one.estimate == many.estimate && fabs(many.se - 3 * one.se) < 1e-9 * one.se);
    double wider = (many.upper - many.lower) / (one.upper - one.lower);
    assert_true(wider > 2.5 && wider < 3.1);
}

static void what_has_no_noise_or_unequal_parts_is_refused(void **state) {
    (void)state;
    gw_combined result;
    gw_moments moments = moments_of(NULL, 0, WIDTH, 1, 100000);
    assert_int_equal(gw_moments_variance(&moments, 499999, &result), GW_INVALID);
    assert_int_equal(gw_moments_variance(&moments, 1000000, &result), GW_INVALID);
    moments.parts[1].noise.epsilon.micro = 1;
    assert_int_equal(gw_moments_variance(&moments, GW_LEVEL_95, &result), GW_INVALID);
    moments.parts[1] = moments.parts[0];
    moments.parts[1].count = 2;
    assert_int_equal(gw_moments_variance(&moments, GW_LEVEL_95, &result), GW_INVALID);
    moments = moments_of(NULL, 0, WIDTH, 0, 100000);
    assert_int_equal(gw_moments_sd(&moments, GW_LEVEL_95, &result), GW_INVALID);
}

// ---- differences

static gw_moments parts_of(int64_t b0, int64_t b1, int64_t b2) {
    gw_moments moments = {.range = 1, .width = 1000};
    const int64_t values[] = {b0, b1, b2};
    for (size_t k = 0; k < 3; k++)
        moments.parts[k] = (gw_combine_part){.value = values[k], .noise = {{1000000}, 1000}, .count = 1, .step = 1};
    return moments;
}

static void a_difference_is_that_of_the_figures_and_its_range_holds_both(void **state) {
    (void)state;
    const uint32_t levels[] = {500000, 900000, 950000, 999000, 999999};
    const gw_moments wide = parts_of(400000, 200000, 400000), narrow = parts_of(300000, 400000, 300000);
    for (int is_sd = 0; is_sd < 2; is_sd++) {
        gw_combined one, other, forth, back;
        double last = 0;
        for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
            gw_status (*figure)(const gw_moments *, uint32_t, gw_combined *) =
                is_sd ? gw_moments_sd : gw_moments_variance;
            assert_int_equal(figure(&wide, levels[i], &one), GW_OK);
            assert_int_equal(figure(&narrow, levels[i], &other), GW_OK);
            assert_int_equal(gw_moments_difference(&wide, &narrow, is_sd, levels[i], &forth), GW_OK);
            assert_int_equal(gw_moments_difference(&narrow, &wide, is_sd, levels[i], &back), GW_OK);
            assert_true(forth.is_estimable && fabs(forth.estimate - (one.estimate - other.estimate)) < 1e-12);
            assert_true(fabs(forth.se - hypot(one.se, other.se)) < 1e-15);
            // Half the chance each: wider than the two ranges at the level itself.
            assert_true(forth.lower < one.lower - other.upper && forth.upper > one.upper - other.lower);
            assert_true(forth.lower == -back.upper && forth.upper == -back.lower && forth.estimate == -back.estimate);
            assert_true(forth.upper - forth.lower >= last);
            last = forth.upper - forth.lower;
            assert_int_equal(forth.verdict, GW_VERDICT_YES);
            assert_int_equal(back.verdict, GW_VERDICT_NO);
            assert_true(forth.confidence > 0.9997 && forth.confidence == back.confidence);
        }
    }
}

static void a_difference_that_noise_can_make_is_not_decided(void **state) {
    (void)state;
    gw_combined result;
    const gw_moments a = parts_of(30000, 40000, 30000), b = parts_of(30500, 39000, 30500), none = parts_of(-9, 3, 5);
    assert_int_equal(gw_moments_difference(&a, &b, false, GW_LEVEL_95, &result), GW_OK);
    assert_int_equal(result.verdict, GW_VERDICT_UNDECIDED);
    assert_true(result.confidence < 0.95 && result.lower < 0 && result.upper > 0);
    assert_int_equal(gw_moments_difference(&a, &none, false, GW_LEVEL_95, &result), GW_OK);
    assert_int_equal(result.verdict, GW_VERDICT_UNDECIDED);
    assert_true(!result.is_estimable && result.estimate == 0 && result.confidence == 0.5);
    assert_true(result.lower >= -0.25 && result.upper <= 0.25);
    assert_int_equal(gw_moments_difference(&a, &b, false, 499999, &result), GW_INVALID);
    assert_int_equal(gw_moments_difference(&a, &b, false, 1000000, &result), GW_INVALID);
}

// The first group's estimate is beyond what a variance around its mean can be, and above the second's; its range lies
// below.
static void an_estimate_beyond_what_is_possible_decides_nothing(void **state) {
    (void)state;
    const gw_moments beyond = parts_of(21695, -8299, 51958), within = parts_of(821389, 2331, 1326083);
    gw_combined one, other, result;
    assert_int_equal(gw_moments_variance(&beyond, 990000, &one), GW_OK);
    assert_int_equal(gw_moments_variance(&within, 990000, &other), GW_OK);
    assert_true(one.estimate > other.estimate && one.upper < other.lower);
    assert_int_equal(gw_moments_difference(&beyond, &within, false, GW_LEVEL_95, &result), GW_OK);
    assert_int_equal(result.verdict, GW_VERDICT_UNDECIDED);
    assert_true(result.estimate > 0 && result.confidence == 0.5);
}

// At level 0.5 nothing fits the first group any more and its range is everything; at 0.98 the ranges lie apart.
static void a_range_with_nothing_in_it_does_not_hide_a_difference(void **state) {
    (void)state;
    const gw_moments odd = parts_of(21695, -8299, 51958), narrow = parts_of(300000, 400000, 300000);
    gw_combined one, result;
    assert_int_equal(gw_moments_variance(&odd, 500000, &one), GW_OK);
    assert_true(one.lower == 0 && one.upper == 0.25);
    assert_int_equal(gw_moments_difference(&odd, &narrow, false, GW_LEVEL_95, &result), GW_OK);
    assert_true(result.lower > 0.1);
    assert_int_equal(result.verdict, GW_VERDICT_YES);
    assert_true(result.confidence > 0.99);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_sum_to_the_width_and_none_is_negative),
        cmocka_unit_test(estimates_are_the_spread_of_the_values),
        cmocka_unit_test(a_higher_level_is_a_wider_range),
        cmocka_unit_test(parts_have_a_41st_of_the_noise_variance_of_three_sums),
        cmocka_unit_test(where_the_group_is_noise_everything_is_possible),
        cmocka_unit_test(cells_add_up_before_their_spread_is_taken),
        cmocka_unit_test(what_has_no_noise_or_unequal_parts_is_refused),
        cmocka_unit_test(a_difference_is_that_of_the_figures_and_its_range_holds_both),
        cmocka_unit_test(a_difference_that_noise_can_make_is_not_decided),
        cmocka_unit_test(an_estimate_beyond_what_is_possible_decides_nothing),
        cmocka_unit_test(a_range_with_nothing_in_it_does_not_hide_a_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
