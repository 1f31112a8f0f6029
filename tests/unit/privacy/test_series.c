// SPDX-License-Identifier: Apache-2.0
// The errors of series under plain release and under trees, against published figures and least squares itself; which
// tree is chosen; points and their ranges.
#include "privacy/derive/series.h"
#include "privacy/tail.h"
#include "tests/support/trees.h"

// A series measured plainly however long it is: one level.
static gw_tree_shape plain_shape(size_t periods) {
    return (gw_tree_shape){.group_count = 1, .bin_count = periods, .fan = 2, .level_count = 1};
}

// A tree with its root measured too, as the figures were made.
static gw_tree_shape rooted_shape(size_t periods, size_t fan) {
    gw_tree_shape shape = trees_shape(1, periods, fan);
    shape.level_count++;
    return shape;
}

static void assert_prints(double figure, const char *printed) {
    char text[32];
    snprintf(text, sizeof(text), "%.1f", figure);
    assert_string_equal(text, printed);
}

// Prefix sums at epsilon 1, continuous noise: mean (root mean square) and largest error.
static void published_errors_are_reproduced(void **state) {
    (void)state;
    const struct {
        size_t periods, fan;
        const char *plain, *plain_largest, *tree, *tree_largest;
    } rows[] = {{12, 16, "3.6", "4.9", "4.3", NULL},      {24, 8, "5.0", "6.9", "5.8", NULL},
                {36, 8, "6.1", "8.5", "6.1", "7.4"},      {60, 8, "7.8", "11.0", "6.9", "8.3"},
                {120, 16, "11.0", "15.5", "8.5", "10.3"}, {600, 4, "24.5", NULL, "12.5", NULL},
                {1200, 16, "34.7", NULL, "13.6", NULL}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        gw_tree_shape plain = plain_shape(rows[i].periods), rooted = rooted_shape(rows[i].periods, rows[i].fan);
        gw_tree_shape chosen;
        assert_int_equal(gw_series_shape(1, rows[i].periods, &chosen), GW_OK);
        gw_series_error flat = gw_series_error_of(&plain), tree = gw_series_error_of(&rooted);
        gw_series_error ours = gw_series_error_of(&chosen);
        print_message("%4zu periods: plain %.2f (%.2f); fan %zu and root %.2f (%.2f); ours: fan %zu, %.2f (%.2f)\n",
                      rows[i].periods, flat.root_mean_square, flat.largest, rows[i].fan, tree.root_mean_square,
                      tree.largest, chosen.fan, ours.root_mean_square, ours.largest);
        assert_prints(flat.root_mean_square, rows[i].plain);
        if (rows[i].plain_largest != NULL)
            assert_prints(flat.largest, rows[i].plain_largest);
        assert_prints(tree.root_mean_square, rows[i].tree);
        if (rows[i].tree_largest != NULL)
            assert_prints(tree.largest, rows[i].tree_largest);
        assert_true(ours.root_mean_square <= fmin(flat.root_mean_square, tree.root_mean_square) + 1e-9);
    }
}

// The closed form per level is the variance that least squares has, at every prefix of ragged trees.
static void closed_form_is_least_squares(void **state) {
    (void)state;
    int64_t counts[400] = {0};
    seeded_random random = {.state = 4};
    for (size_t periods = 1; periods < 400; periods += 1 + periods / 5)
        for (size_t fan = 2; fan <= 64; fan += 1 + fan / 2) {
            gw_tree_shape shape = trees_shape(1, periods, fan);
            gw_tree *tree = trees_measure(&shape, counts, (gw_noise){{1000}, 1}, &random);
            double sd = gw_tail_sd((gw_noise){{1000}, shape.level_count}), sum = 0, largest = 0;
            for (size_t i = 1; i <= periods; i++) {
                double variance = gw_tree_prefix_variance(tree, i) / (sd * sd);
                sum += variance;
                largest = fmax(largest, variance);
            }
            gw_series_error error = gw_series_error_of(&shape);
            double scale = M_SQRT2 * (double)shape.level_count;
            assert_true(fabs(error.root_mean_square / (scale * sqrt(sum / (double)periods)) - 1) < 1e-9);
            assert_true(fabs(error.largest / (scale * sqrt(largest)) - 1) < 1e-9);
            gw_tree_free(tree);
        }
}

static void months_are_plain_and_days_a_tree(void **state) {
    (void)state;
    gw_tree_shape shape;
    assert_int_equal(gw_series_shape(3, 36, &shape), GW_OK);
    assert_int_equal(shape.level_count, 1);
    assert_int_equal(gw_series_shape(3, 1, &shape), GW_OK);
    assert_int_equal(shape.level_count, 1);
    assert_int_equal(gw_series_shape(3, 37, &shape), GW_OK);
    assert_int_equal(shape.level_count, 2);
    assert_int_equal(gw_series_shape(3, 1200, &shape), GW_OK);
    assert_int_equal(shape.level_count, 3);
    assert_int_equal(shape.group_count, 3);
    // No other fan does better.
    double best = gw_series_error_of(&shape).root_mean_square;
    for (size_t fan = 2; fan <= 64; fan++) {
        gw_tree_shape other = trees_shape(3, 1200, fan);
        assert_true(gw_series_error_of(&other).root_mean_square >= best);
    }
    assert_int_equal(gw_series_shape(0, 1200, &shape), GW_INVALID);
    assert_int_equal(gw_series_shape(1, 0, &shape), GW_INVALID);
    assert_int_equal(gw_series_shape(1, 2000000, &shape), GW_LIMIT);
}

static void points_are_periods_and_their_sums(void **state) {
    (void)state;
    int64_t counts[60];
    gw_series_point points[60];
    for (size_t i = 0; i < 60; i++)
        counts[i] = (int64_t)(i % 7 * 10);
    for (size_t periods = 24; periods <= 60; periods += 36) {
        gw_tree_shape shape;
        seeded_random random = {.state = 4};
        assert_int_equal(gw_series_shape(1, periods, &shape), GW_OK);
        gw_tree *tree = trees_measure(&shape, counts, trees_silent(&shape), &random);
        assert_int_equal(gw_series_points(tree, GW_LEVEL_95, points), GW_OK);
        double sum = 0;
        for (size_t i = 0; i < periods; i++) {
            sum += (double)counts[i];
            assert_true(points[i].period.lower == (double)counts[i] && points[i].period.upper == (double)counts[i]);
            assert_true(points[i].total.lower == sum && points[i].total.upper == sum);
        }
        gw_tree_free(tree);
        tree = trees_measure(&shape, counts, (gw_noise){{200000}, 1}, &random);
        assert_int_equal(gw_series_points(tree, GW_LEVEL_95, points), GW_OK);
        gw_tree_cost cost = {shape, 1, 1000};
        double widest = 0, price = gw_series_half_width(&cost, true, (gw_epsilon){200000}, GW_LEVEL_95);
        for (size_t i = 0; i < periods; i++) {
            double period = (points[i].period.upper - points[i].period.lower) / 2;
            assert_true(period <= gw_series_half_width(&cost, false, (gw_epsilon){200000}, GW_LEVEL_95));
            widest = fmax(widest, (points[i].total.upper - points[i].total.lower) / 2);
            assert_true(points[i].total.se > 0 && points[i].period.se > 0);
        }
        assert_true(price > 0.85 * widest && price < 1.15 * widest);
        assert_int_equal(gw_series_points(tree, 1, points), GW_INVALID);
        gw_tree_free(tree);
    }
    gw_tree_cost cost = {plain_shape(12), 1, 1000};
    assert_true(isinf(gw_series_half_width(&cost, false, (gw_epsilon){0}, GW_LEVEL_95)));
    assert_true(isinf(gw_series_half_width(&cost, true, (gw_epsilon){0}, GW_LEVEL_95)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_errors_are_reproduced),
        cmocka_unit_test(closed_form_is_least_squares),
        cmocka_unit_test(months_are_plain_and_days_a_tree),
        cmocka_unit_test(points_are_periods_and_their_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
