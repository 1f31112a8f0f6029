// SPDX-License-Identifier: Apache-2.0
// Poverty, Gini and S80/S20 against direct computation from the people themselves; extremes over a band against search;
// what cannot be said is said.
#include "privacy/derive/distribution.h"
#include "tests/support/trees.h"

#define BINS 256
#define GROUPS 3

typedef struct {
    int64_t values[BINS];
    int64_t counts[GROUPS * BINS];
    gw_tree_shape shape;
} population;

static const gw_poverty_rule RULE = {.quantile = {1, 2}, .numerator = 60, .denominator = 100};

static void population_make(population *in, size_t people, seeded_random *random) {
    for (size_t i = 0; i < BINS; i++)
        in->values[i] = (int64_t)(100 * i);
    for (size_t group = 0; group < GROUPS; group++)
        trees_incomes(people, BINS, 50 + 12 * (double)group, 0.5, random, in->counts + group * BINS);
    in->shape = trees_shape(GROUPS, BINS, 16);
}

static gw_poverty_rule rule_of(const population *in) {
    gw_poverty_rule rule = RULE;
    rule.values = in->values;
    return rule;
}

// ---- the people themselves

static size_t exact_median(const population *in) {
    int64_t total = 0, below = 0;
    for (size_t i = 0; i < GROUPS * BINS; i++)
        total += in->counts[i];
    for (size_t bin = 0; bin < BINS; bin++) {
        for (size_t group = 0; group < GROUPS; group++)
            below += in->counts[group * BINS + bin];
        if (2 * below >= total)
            return bin;
    }
    return BINS - 1;
}

static double exact_rate(const population *in, size_t group, size_t median) {
    double poor = 0, total = 0;
    for (size_t bin = 0; bin < BINS; bin++) {
        total += (double)in->counts[group * BINS + bin];
        poor += 100 * in->values[bin] < 60 * in->values[median] ? (double)in->counts[group * BINS + bin] : 0;
    }
    return poor / total;
}

// Mean absolute difference over twice the mean.
static double exact_gini(const int64_t *counts, const int64_t *values) {
    double difference = 0, total = 0, sum = 0;
    for (size_t i = 0; i < BINS; i++) {
        total += (double)counts[i];
        sum += (double)counts[i] * (double)values[i];
        for (size_t j = 0; j < BINS; j++)
            difference += (double)counts[i] * (double)counts[j] * fabs((double)(values[i] - values[j]));
    }
    return difference / (2 * total * sum);
}

// What the people of ranks from .. to hold together, people on a border in part.
static double exact_held(const int64_t *counts, const int64_t *values, double from, double to) {
    double below = 0, held = 0;
    for (size_t i = 0; i < BINS; i++) {
        double above = below + (double)counts[i];
        held += (double)values[i] * fmax(0, fmin(above, to) - fmax(below, from));
        below = above;
    }
    return held;
}

static double exact_ratio(const int64_t *counts, const int64_t *values, double people) {
    return exact_held(counts, values, 0.8 * people, people) / exact_held(counts, values, 0, 0.2 * people);
}

// ---- poverty

static void without_noise_rates_are_exact(void **state) {
    (void)state;
    static population in;
    seeded_random random = {.state = 7};
    gw_poverty_line line;
    gw_derived rates[GROUPS];
    population_make(&in, 20000, &random);
    gw_released_table *table = trees_release(&in.shape, in.counts, trees_silent(&in.shape), &random);
    gw_poverty_rule rule = rule_of(&in);
    assert_int_equal(gw_poverty_rates(table, &in.shape, &rule, GW_LEVEL_95, &line, rates), GW_OK);
    size_t median = exact_median(&in);
    assert_int_equal(line.median.bin, median);
    assert_true(line.line == 0.6 * (double)in.values[median]);
    assert_true(line.line_low <= line.line && line.line <= line.line_high);
    for (size_t group = 0; group < GROUPS; group++) {
        assert_true(rates[group].is_determinable);
        assert_true(fabs(rates[group].estimate - exact_rate(&in, group, median)) < 1e-9);
        assert_true(rates[group].lower <= rates[group].estimate + 1e-12);
        assert_true(rates[group].upper >= rates[group].estimate - 1e-12);
        assert_true(rates[group].upper - rates[group].lower < 0.02);
    }
    gw_released_free(table);
}

// Who has exactly the line is not below it: integers decide, no fraction does.
static void the_line_itself_is_not_poor(void **state) {
    (void)state;
    static population in;
    seeded_random random = {.state = 7};
    gw_poverty_line line;
    gw_derived rates[GROUPS];
    population_make(&in, 100, &random);
    memset(in.counts, 0, sizeof(in.counts));
    for (size_t group = 0; group < GROUPS; group++) {
        in.counts[group * BINS + 100] = 600; // median 10000, line 6000
        in.counts[group * BINS + 60] = 200;  // on it
        in.counts[group * BINS + 59] = 100;  // below it
    }
    gw_released_table *table = trees_release(&in.shape, in.counts, trees_silent(&in.shape), &random);
    gw_poverty_rule rule = rule_of(&in);
    assert_int_equal(gw_poverty_rates(table, &in.shape, &rule, GW_LEVEL_95, &line, rates), GW_OK);
    assert_true(line.line == 6000);
    assert_int_equal(line.poor_bins, 60);
    assert_true(fabs(rates[0].estimate - 1.0 / 9) < 1e-9);
    gw_released_free(table);
}

static void rates_and_lines_stay_within_bounds(void **state) {
    (void)state;
    static population in;
    seeded_random random = {.state = 7};
    gw_poverty_line line;
    gw_derived rates[GROUPS];
    for (size_t people = 1; people <= 4000; people *= 8) {
        population_make(&in, people, &random);
        gw_released_table *table = trees_release(&in.shape, in.counts, (gw_noise){{100000}, 1}, &random);
        gw_poverty_rule rule = rule_of(&in);
        assert_int_equal(gw_poverty_rates(table, &in.shape, &rule, GW_LEVEL_95, &line, rates), GW_OK);
        assert_true(line.line_low <= line.line && line.line <= line.line_high);
        assert_true(line.line_low >= 0 && line.line_high <= 0.6 * 25500);
        for (size_t group = 0; group < GROUPS; group++) {
            assert_true(rates[group].lower >= 0 && rates[group].upper <= 1);
            assert_true(rates[group].lower <= rates[group].estimate && rates[group].estimate <= rates[group].upper);
            assert_true(isfinite(rates[group].se));
            if (people == 1)
                assert_false(rates[group].is_determinable);
        }
        assert_int_equal(gw_poverty_rates(table, &in.shape, &rule, 999999, &line, rates), GW_OK); // the highest level
        gw_released_free(table);
    }
}

static void bad_rules_are_refused(void **state) {
    (void)state;
    static population in;
    seeded_random random = {.state = 7};
    gw_poverty_line line;
    gw_derived rates[GROUPS];
    population_make(&in, 100, &random);
    gw_released_table *table = trees_release(&in.shape, in.counts, (gw_noise){{100000}, 1}, &random);
    gw_poverty_rule rule = rule_of(&in);
    rule.numerator = 0;
    assert_int_equal(gw_poverty_rates(table, &in.shape, &rule, GW_LEVEL_95, &line, rates), GW_INVALID);
    rule = rule_of(&in);
    rule.quantile.a = 2;
    assert_int_equal(gw_poverty_rates(table, &in.shape, &rule, GW_LEVEL_95, &line, rates), GW_INVALID);
    rule = rule_of(&in);
    assert_int_equal(gw_poverty_rates(table, &in.shape, &rule, 3, &line, rates), GW_INVALID);
    in.values[5] = in.values[4];
    assert_int_equal(gw_poverty_rates(table, &in.shape, &rule, GW_LEVEL_95, &line, rates), GW_INVALID);
    gw_tree *tree = trees_of(table, &in.shape, 0, 1);
    bool is_bounded;
    assert_int_equal(gw_gini(tree, in.values, GW_LEVEL_95, rates), GW_INVALID);
    in.values[5] = 500;
    in.values[0] = -1;
    assert_int_equal(gw_gini(tree, in.values, GW_LEVEL_95, rates), GW_INVALID);
    assert_int_equal(gw_quintile_ratio(tree, in.values, GW_LEVEL_95, rates, &is_bounded), GW_INVALID);
    gw_tree_free(tree);
    gw_released_free(table);
}

// ---- inequality

static void without_noise_gini_and_ratio_are_exact(void **state) {
    (void)state;
    static population in;
    seeded_random random = {.state = 7};
    population_make(&in, 5000, &random);
    for (size_t lowest = 0; lowest <= 50; lowest += 50) {
        in.values[0] = (int64_t)lowest;
        gw_released_table *table = trees_release(&in.shape, in.counts, trees_silent(&in.shape), &random);
        for (size_t group = 0; group < GROUPS; group++) {
            gw_tree *tree = trees_of(table, &in.shape, group, 1);
            gw_derived gini, ratio;
            bool is_bounded;
            assert_int_equal(gw_gini(tree, in.values, GW_LEVEL_95, &gini), GW_OK);
            assert_true(fabs(gini.estimate - exact_gini(in.counts + group * BINS, in.values)) < 1e-9);
            assert_true(gini.lower <= gini.estimate && gini.estimate <= gini.upper);
            assert_true(gini.upper - gini.lower < 1e-3);
            assert_int_equal(gw_quintile_ratio(tree, in.values, GW_LEVEL_95, &ratio, &is_bounded), GW_OK);
            assert_true(is_bounded && ratio.is_determinable);
            assert_true(fabs(ratio.estimate - exact_ratio(in.counts + group * BINS, in.values, 5000)) < 1e-6);
            assert_true(ratio.upper - ratio.lower < 0.01);
            gw_tree_free(tree);
        }
        gw_released_free(table);
    }
}

// No population within the band has a Gini or a ratio outside the range: random ones, and ones pushed to the ends.
static void no_population_within_the_band_is_outside_the_range(void **state) {
    (void)state;
    static population in;
    static double low[BINS + 1], high[BINS + 1], p[BINS + 1];
    seeded_random random = {.state = 17};
    gw_derived gini, ratio;
    bool is_bounded, is_determinable;
    population_make(&in, 20000, &random);
    gw_tree_shape shape = trees_shape(1, BINS, 16);
    gw_tree *tree = trees_measure(&shape, in.counts, (gw_noise){{300000}, 1}, &random);
    assert_int_equal(gw_gini(tree, in.values, GW_LEVEL_95, &gini), GW_OK);
    assert_int_equal(gw_quintile_ratio(tree, in.values, GW_LEVEL_95, &ratio, &is_bounded), GW_OK);
    assert_int_equal(gw_tree_tail_band(tree, GW_LEVEL_95, low, high, &is_determinable), GW_OK);
    double least = 1, most = 0, least_ratio = INFINITY, most_ratio = 0;
    for (int draw = 0; draw < 20000; draw++) {
        double bend = draw % 2 ? trees_uniform(&random) : trees_uniform(&random) * 0.1, top = 0, bottom = 0;
        double upper = 0, lower = 0;
        bool is_swapped = draw % 4 >= 2;
        for (size_t i = 0; i < BINS; i++) {
            double at = low[i] + (high[i] - low[i]) * trees_uniform(&random) * 0.2;
            p[i] = (low[i] + high[i] > 2 * bend) != is_swapped ? high[i] : at;
            p[i] = i == 0 ? 1 : fmin(p[i], p[i - 1]);
            double weight = i == 0 ? (double)in.values[0] : (double)(in.values[i] - in.values[i - 1]);
            top += weight * p[i] * p[i];
            bottom += weight * p[i];
            upper += weight * fmin(p[i], 0.2);
            lower += weight * fmax(0, p[i] - 0.8);
        }
        least = fmin(least, 1 - top / bottom);
        most = fmax(most, 1 - top / bottom);
        least_ratio = fmin(least_ratio, upper / lower);
        most_ratio = fmax(most_ratio, upper / lower);
    }
    print_message("gini %.4f .. %.4f, found %.4f .. %.4f; ratio %.3f .. %.3f, found %.3f .. %.3f\n", gini.lower,
                  gini.upper, least, most, ratio.lower, ratio.upper, least_ratio, most_ratio);
    assert_true(least >= gini.lower && most <= gini.upper);
    assert_true(least - gini.lower < 0.25 * (gini.upper - gini.lower)); // and the range isn't idle
    assert_true(gini.upper - most < 0.25 * (gini.upper - gini.lower));
    assert_true(least_ratio >= ratio.lower && most_ratio <= ratio.upper);
    gw_tree_free(tree);
}

static void inequality_of_nobody_is_not_determinable(void **state) {
    (void)state;
    static population in;
    seeded_random random = {.state = 7};
    gw_derived gini, ratio;
    bool is_bounded;
    population_make(&in, 100, &random);
    memset(in.counts, 0, sizeof(in.counts));
    gw_tree_shape shape = trees_shape(1, BINS, 16);
    for (int draw = 0; draw < 40; draw++) {
        gw_tree *tree =
            trees_measure(&shape, in.counts, draw == 0 ? trees_silent(&shape) : (gw_noise){{50000}, 1}, &random);
        in.values[0] = draw % 2 ? 50 : 0;
        assert_int_equal(gw_gini(tree, in.values, GW_LEVEL_95, &gini), GW_OK);
        assert_int_equal(gw_quintile_ratio(tree, in.values, GW_LEVEL_95, &ratio, &is_bounded), GW_OK);
        assert_true(gini.lower >= 0 && gini.lower <= gini.estimate && gini.estimate <= gini.upper && gini.upper <= 1);
        assert_true(ratio.lower >= 1 && ratio.lower <= ratio.estimate && ratio.estimate <= ratio.upper);
        assert_true(isfinite(ratio.upper));
        assert_true(in.values[0] == 0 || (is_bounded && ratio.upper <= 25500.0 / 50));
        if (draw == 0) {
            assert_false(gini.is_determinable);
            assert_false(ratio.is_determinable);
            assert_false(is_bounded);
            assert_true(gini.lower == 0 && gini.upper == 1);
        }
        gw_tree_free(tree);
    }
}

// ---- prices

static void prices_fall_with_epsilon_and_people(void **state) {
    (void)state;
    gw_tree_cost cost = {trees_shape(5, 1024, 16), 1, 10000}, more = cost;
    more.group_size *= 4;
    double last[3] = {INFINITY, INFINITY, INFINITY};
    for (uint64_t micro = 1000; micro < 100000000; micro += micro / 2) {
        gw_epsilon epsilon = {micro};
        double here[3] = {gw_poverty_half_width(&cost, epsilon, GW_LEVEL_95),
                          gw_gini_half_width(&cost, epsilon, GW_LEVEL_95),
                          gw_quintile_ratio_half_width(&cost, epsilon, GW_LEVEL_95)};
        double larger[3] = {gw_poverty_half_width(&more, epsilon, GW_LEVEL_95),
                            gw_gini_half_width(&more, epsilon, GW_LEVEL_95),
                            gw_quintile_ratio_half_width(&more, epsilon, GW_LEVEL_95)};
        for (int i = 0; i < 3; i++) {
            assert_true(isfinite(here[i]) && here[i] <= last[i] && larger[i] <= here[i]);
            last[i] = here[i];
        }
    }
    assert_true(last[0] < 0.001 && last[1] < 0.01 && last[2] < 0.2);
}

static void prices_are_what_ranges_are_wide(void **state) {
    (void)state;
    static population in;
    seeded_random random = {.state = 7};
    population_make(&in, 20000, &random);
    for (uint64_t micro = 100000; micro <= 1000000; micro *= 10) {
        gw_epsilon epsilon = {micro};
        gw_tree_cost cost = {in.shape, 1, 20000};
        gw_poverty_line line;
        gw_derived rates[GROUPS], gini, ratio;
        bool is_bounded;
        gw_poverty_rule rule = rule_of(&in);
        gw_released_table *table = trees_release(&in.shape, in.counts, (gw_noise){epsilon, 1}, &random);
        assert_int_equal(gw_poverty_rates(table, &in.shape, &rule, GW_LEVEL_95, &line, rates), GW_OK);
        gw_tree *tree = trees_of(table, &in.shape, 1, 1);
        assert_int_equal(gw_gini(tree, in.values, GW_LEVEL_95, &gini), GW_OK);
        assert_int_equal(gw_quintile_ratio(tree, in.values, GW_LEVEL_95, &ratio, &is_bounded), GW_OK);
        double widths[3] = {(rates[1].upper - rates[1].lower) / 2, (gini.upper - gini.lower) / 2,
                            (ratio.upper - ratio.lower) / 2};
        double prices[3] = {gw_poverty_half_width(&cost, epsilon, GW_LEVEL_95),
                            gw_gini_half_width(&cost, epsilon, GW_LEVEL_95),
                            gw_quintile_ratio_half_width(&cost, epsilon, GW_LEVEL_95)};
        for (int i = 0; i < 3; i++) {
            print_message("epsilon %.1f: %s %.4f, price %.4f\n", (double)micro / 1e6,
                          (const char *[]){"rate", "gini", "ratio"}[i], widths[i], prices[i]);
            assert_true(prices[i] > 0.3 * widths[i] && prices[i] < 6 * widths[i]);
        }
        gw_tree_free(tree);
        gw_released_free(table);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_noise_rates_are_exact),
        cmocka_unit_test(the_line_itself_is_not_poor),
        cmocka_unit_test(rates_and_lines_stay_within_bounds),
        cmocka_unit_test(bad_rules_are_refused),
        cmocka_unit_test(without_noise_gini_and_ratio_are_exact),
        cmocka_unit_test(no_population_within_the_band_is_outside_the_range),
        cmocka_unit_test(inequality_of_nobody_is_not_determinable),
        cmocka_unit_test(prices_fall_with_epsilon_and_people),
        cmocka_unit_test(prices_are_what_ranges_are_wide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
