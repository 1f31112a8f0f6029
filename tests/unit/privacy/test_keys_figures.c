// SPDX-License-Identifier: Apache-2.0
// Figures of unknown keys against exact probabilities: ranges for every count, means, chances.
#include "privacy/derive/keys.h"
#include "tests/support/unit.h"
#include <math.h>

typedef struct {
    gw_selection_law *law;
    gw_keys_figures *figures;
} made;

static made make(uint64_t micro, uint64_t keys, uint64_t delta) {
    made m = {0};
    gw_selection_price price = {.epsilon = {micro}, .keys_per_person = keys, .delta = {delta}};
    assert_int_equal(gw_selection_law_new(price, &m.law), GW_OK);
    assert_int_equal(gw_keys_figures_new(m.law, &m.figures), GW_OK);
    return m;
}

static void done(made m) {
    gw_keys_figures_free(m.figures);
    gw_selection_law_free(m.law);
}

// P(the range holds n | a key of n persons is shown), summed over every value it may show.
static double coverage(const made *m, uint64_t n, uint32_t level) {
    uint64_t centre = gw_selection_law_centre(m->law), steps = gw_selection_law_steps(m->law);
    double held = 0;
    for (uint64_t t = 1; t <= steps && t <= n; t++) {
        gw_keys_range range = gw_keys_range_of(m->figures, n - t + centre, level);
        assert_true(range.lower <= range.upper);
        if (n >= range.lower && n <= range.upper)
            held += gw_keys_shown(m->figures, t) - gw_keys_shown(m->figures, t - 1);
    }
    return held / gw_keys_shown(m->figures, n);
}

// Exact, for every count from 1 until nothing changes any more: being shown is no excuse for a wrong range.
static void ranges_hold_the_count_given_that_it_is_shown(void **state) {
    (void)state;
    static const uint32_t levels[] = {500000, 900000, 950000, 990000};
    static const uint64_t prices[][3] = {
        {1000000, 1, 10000000000000}, {100000, 1, 1000000000}, {500000, 3, 1000000000000}, {3000000, 1, 1000000000}};
    for (size_t i = 0; i < 4; i++) {
        made m = make(prices[i][0], prices[i][1], prices[i][2]);
        for (size_t l = 0; l < 4; l++)
            for (uint64_t n = 1; n <= 2 * gw_selection_law_steps(m.law) + 2; n++)
                assert_true(coverage(&m, n, levels[l]) > levels[l] / 1e6 - 1e-9);
        done(m);
    }
}

static void large_counts_have_one_width_and_nearly_no_bias(void **state) {
    (void)state;
    made m = make(1000000, 1, 1000000000);
    uint64_t centre = gw_selection_law_centre(m.law), steps = gw_selection_law_steps(m.law);
    gw_keys_range at = gw_keys_range_of(m.figures, centre + steps, 950000),
                  far = gw_keys_range_of(m.figures, 1000000, 950000);
    assert_int_equal(at.upper - at.lower, far.upper - far.lower);
    assert_true(far.lower < 1000000 && far.upper > 1000000);
    assert_true(gw_keys_half_width(m.figures, 950000) == (double)(far.upper - far.lower) / 2);
    assert_true(fabs(gw_keys_bias(m.figures)) <= 0.5);
    double mean = 0, square = 0;
    for (uint64_t t = 1; t <= steps; t++) {
        double mass = gw_keys_shown(m.figures, t) - gw_keys_shown(m.figures, t - 1);
        mean += mass * (double)t;
        square += mass * (double)(t * t);
    }
    assert_true(fabs((double)centre - mean - gw_keys_bias(m.figures)) < 1e-9);
    assert_true(fabs(sqrt(square - mean * mean) / gw_keys_sd(m.figures) - 1) < 1e-9);
    assert_true(fabs(gw_keys_sd(m.figures) - 1.3673) < 1e-4); // discrete Laplace at epsilon 1: 1.3570
    done(m);
}

static void persons_for_a_chance_are_the_least(void **state) {
    (void)state;
    made m = make(100000, 1, 1000000000);
    assert_int_equal(gw_keys_persons(m.figures, 0.5), 178);
    assert_int_equal(gw_keys_persons(m.figures, 0.99), 217);
    assert_int_equal(gw_keys_persons(m.figures, 1), gw_selection_law_steps(m.law));
    assert_true(gw_keys_shown(m.figures, 177) < 0.5);
    assert_true(gw_keys_shown(m.figures, gw_selection_law_steps(m.law) - 1) < 1);
    done(m);
}

// The closed form says before what the table says after.
static void prices_say_before_what_laws_say_after(void **state) {
    (void)state;
    static const uint64_t prices[][3] = {{1000000, 1, 10000000000000}, {1000000, 1, 1000000000},
                                         {100000, 1, 1000000000},      {500000, 3, 1000000000000},
                                         {10000, 1, 1000000000},       {3000000, 7, 123456789}};
    static const uint32_t levels[] = {500000, 900000, 950000, 990000};
    for (size_t i = 0; i < sizeof(prices) / sizeof(prices[0]); i++) {
        made m = make(prices[i][0], prices[i][1], prices[i][2]);
        gw_selection_price price = gw_selection_law_price(m.law);
        for (size_t l = 0; l < 4; l++)
            assert_true(gw_keys_price_half_width(price, levels[l]) == gw_keys_half_width(m.figures, levels[l]));
        assert_int_equal(gw_keys_price_persons(price, 0.5), gw_keys_persons(m.figures, 0.5));
        assert_int_equal(gw_keys_price_persons(price, 0.99), gw_keys_persons(m.figures, 0.99));
        done(m);
    }
    gw_selection_price none = {.epsilon = {1}, .keys_per_person = 1, .delta = {1000}};
    assert_true(isinf(gw_keys_price_half_width(none, 950000)));
    assert_int_equal(gw_keys_price_persons(none, 0.5), 0);
}

static void a_value_that_none_has_is_taken_for_the_least(void **state) {
    (void)state;
    made m = make(1000000, 1, 1000000000);
    gw_keys_range least = gw_keys_range_of(m.figures, gw_selection_law_centre(m.law), 950000),
                  none = gw_keys_range_of(m.figures, 0, 950000);
    assert_int_equal(least.lower, 1);
    assert_int_equal(none.lower, least.lower);
    assert_int_equal(none.upper, least.upper);
    done(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_hold_the_count_given_that_it_is_shown),
        cmocka_unit_test(large_counts_have_one_width_and_nearly_no_bias),
        cmocka_unit_test(persons_for_a_chance_are_the_least),
        cmocka_unit_test(prices_say_before_what_laws_say_after),
        cmocka_unit_test(a_value_that_none_has_is_taken_for_the_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
