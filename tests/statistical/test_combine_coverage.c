// SPDX-License-Identifier: Apache-2.0
// Ranges of sums, quotients, pooled ratios and differences cover the exact figure as often as they say, over draws of
// real noise. H0 of each case: coverage >= 95 %. With N draws the alarm is below 0.95 - 5 sqrt(0.95 x 0.05 / N): a
// false alarm has a chance below 3e-7 a case, 5e-6 in all. The same rule catches a range made of bars: planted below.
// Where no difference is there, "higher" is said in at most 5 % of draws, by the same rule.
#include "privacy/combine.h"
#include "privacy/sampling/discrete_laplace.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"
#include <math.h>

#define DRAWS 4000
#define DRAWS_OF_GAPS 800 // each is some milliseconds

static seeded_random randomness = {.state = 20260817};

static int seed_read(void **state) {
    const char *text = getenv("GW_TEST_SEED");
    (void)state;
    if (text != NULL)
        randomness.state = strtoull(text, NULL, 10);
    return 0;
}

// `exact` with the sum of `count` noise values.
static gw_combine_part drawn(int64_t exact, uint64_t micro, uint64_t sensitivity, size_t count, double step) {
    gw_combine_part part = {.value = exact, .noise = {{micro}, sensitivity}, .count = count, .step = step};
    gw_discrete_laplace *law = NULL;
    int64_t values[64];
    assert_true(count <= 64);
    assert_int_equal(gw_discrete_laplace_new(part.noise, &law), GW_OK);
    assert_int_equal(gw_discrete_laplace_fill(law, seeded_source(&randomness), values, count), GW_OK);
    for (size_t i = 0; i < count; i++)
        part.value += values[i];
    gw_discrete_laplace_free(law);
    return part;
}

typedef struct {
    int draws, covered, higher;
} coverage_tally;

static void tally_add(coverage_tally *tally, const gw_combined *result, double exact) {
    tally->draws++;
    tally->covered += result->lower <= exact && exact <= result->upper;
    tally->higher += result->verdict == GW_VERDICT_YES;
}

static double five_errors(int draws) {
    return 5 * sqrt(0.95 * 0.05 / draws);
}

static bool tally_covers(const coverage_tally *tally) {
    return (double)tally->covered / tally->draws >= 0.95 - five_errors(tally->draws);
}

static void assert_covers(const char *what, const coverage_tally *tally) {
    print_message("%s: %.4f of %d draws\n", what, (double)tally->covered / tally->draws, tally->draws);
    if (!tally_covers(tally))
        fail_msg("%s: covered %.4f", what, (double)tally->covered / tally->draws);
}

static void assert_seldom_higher(const char *what, const coverage_tally *tally) {
    double part = (double)tally->higher / tally->draws;
    if (part > 0.05 + five_errors(tally->draws))
        fail_msg("%s: called higher in %.4f of draws where it is not", what, part);
}

static void sums_and_differences_of_two_releases_cover(void **state) {
    (void)state;
    coverage_tally sum = {0}, same = {0}, scaled = {0}, bars = {0};
    for (int i = 0; i < DRAWS; i++) {
        gw_combine_part a = drawn(500, 100000, 1, 4, 1), b = drawn(500, 500000, 3, 2, 1);
        gw_combine_part c = drawn(50000, 100000, 300, 1, 0.01), d = drawn(500, 100000, 1, 4, 1);
        gw_combine_part pair[2] = {a, b};
        gw_combined result, one, other;
        assert_int_equal(gw_combine_sum(pair, 2, GW_LEVEL_95, &result), GW_OK);
        tally_add(&sum, &result, 1000);
        assert_int_equal(gw_combine_difference(&a, &b, GW_LEVEL_95, &result), GW_OK);
        tally_add(&same, &result, 0);
        assert_int_equal(gw_combine_difference(&a, &c, GW_LEVEL_95, &result), GW_OK);
        tally_add(&scaled, &result, 0);
        assert_int_equal(gw_combine_sum(&a, 1, GW_LEVEL_95, &one), GW_OK);
        assert_int_equal(gw_combine_sum(&d, 1, GW_LEVEL_95, &other), GW_OK);
        assert_int_equal(gw_combine_difference(&a, &d, GW_LEVEL_95, &result), GW_OK);
        // Planted: the wider of the two bars taken for the range of the difference.
        double half_width = fmax(one.upper - one.lower, other.upper - other.lower) / 2;
        result.lower = result.estimate - half_width;
        result.upper = result.estimate + half_width;
        tally_add(&bars, &result, 0);
    }
    assert_covers("a sum over two releases", &sum);
    assert_covers("a difference of counts", &same);
    assert_covers("a difference on two grids", &scaled);
    assert_seldom_higher("a difference of counts", &same);
    assert_seldom_higher("a difference on two grids", &scaled);
    print_message("planted, a bar for a difference: %.4f\n", (double)bars.covered / bars.draws);
    assert_false(tally_covers(&bars));
}

static void pooled_ratios_cover(void **state) {
    (void)state;
    static const struct {
        int64_t with, without;
        uint64_t micro;
        size_t count;
    } cases[] = {
        {5, 595, 100000, 4}, {300, 300, 100000, 4}, {40, 20, 1000000, 3}, {3, 0, 500000, 9}, {150, 350, 30000, 2}};
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        coverage_tally tally = {0};
        for (int i = 0; i < DRAWS / 4; i++) {
            gw_combine_ratio ratio = {.with = drawn(cases[k].with, cases[k].micro, 1, cases[k].count, 1),
                                      .without = drawn(cases[k].without, cases[k].micro, 1, cases[k].count, 1),
                                      .range = 100};
            gw_combined result;
            assert_int_equal(gw_combine_pooled(&ratio, GW_LEVEL_95, &result), GW_OK);
            tally_add(&tally, &result, 100 * (double)cases[k].with / (double)(cases[k].with + cases[k].without));
        }
        assert_covers("a pooled rate", &tally);
    }
}

static void quotients_and_shares_cover(void **state) {
    (void)state;
    coverage_tally quotient = {0}, small = {0}, share = {0};
    for (int i = 0; i < DRAWS / 4; i++) {
        gw_combine_part a = drawn(900, 100000, 1, 1, 1), b = drawn(400, 60000, 1, 2, 1), c = drawn(60, 60000, 1, 1, 1);
        gw_combine_shares shares = {drawn(200, 100000, 1, 1, 1), drawn(200, 100000, 1, 2, 1),
                                    drawn(350, 100000, 1, 5, 1), 100};
        gw_combined result;
        assert_int_equal(gw_combine_quotient(&a, &b, GW_LEVEL_95, &result), GW_OK);
        tally_add(&quotient, &result, 2.25);
        assert_int_equal(gw_combine_quotient(&a, &c, GW_LEVEL_95, &result), GW_OK);
        tally_add(&small, &result, 15);
        assert_int_equal(gw_combine_share_difference(&shares, GW_LEVEL_95, &result), GW_OK);
        tally_add(&share, &result, 0);
    }
    assert_covers("a quotient", &quotient);
    assert_covers("a quotient by little", &small);
    assert_covers("a difference of shares", &share);
    assert_seldom_higher("a difference of shares", &share);
}

static void differences_of_ratios_cover(void **state) {
    (void)state;
    static const struct {
        int64_t with[2], without[2];
        uint64_t micro[2];
        size_t count[2];
    } cases[] = {{{1500, 1200}, {1500, 1200}, {100000, 100000}, {1, 1}}, // no difference
                 {{200, 540}, {200, 60}, {100000, 200000}, {1, 2}},
                 {{10, 990}, {2990, 10}, {200000, 200000}, {1, 1}}};
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        coverage_tally gap = {0}, bars = {0};
        double exact = 0;
        for (int i = 0; i < DRAWS_OF_GAPS; i++) {
            gw_combine_ratio sides[2];
            gw_combined result, one;
            double value[2];
            for (int j = 0; j < 2; j++) {
                sides[j] = (gw_combine_ratio){
                    .with = drawn(cases[k].with[j], cases[k].micro[j], 1, cases[k].count[j], 1),
                    .without = drawn(cases[k].without[j], cases[k].micro[j], 1, cases[k].count[j], 1),
                    .range = 100};
                value[j] = 100 * (double)cases[k].with[j] / (double)(cases[k].with[j] + cases[k].without[j]);
            }
            exact = value[0] - value[1];
            assert_int_equal(gw_combine_ratio_difference(&sides[0], &sides[1], GW_LEVEL_95, &result), GW_OK);
            tally_add(&gap, &result, exact);
            assert_int_equal(gw_combine_pooled(&sides[0], GW_LEVEL_95, &one), GW_OK);
            result.lower = result.estimate - (one.upper - one.lower) / 2; // planted: one bar for the difference
            result.upper = result.estimate + (one.upper - one.lower) / 2;
            tally_add(&bars, &result, exact);
        }
        assert_covers("a difference of rates", &gap);
        if (exact == 0)
            assert_seldom_higher("a difference of rates", &gap);
        if (k == 0) {
            print_message("planted, a bar for a difference: %.4f\n", (double)bars.covered / bars.draws);
            assert_false(tally_covers(&bars));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_differences_of_two_releases_cover),
        cmocka_unit_test(pooled_ratios_cover),
        cmocka_unit_test(quotients_and_shares_cover),
        cmocka_unit_test(differences_of_ratios_cover),
    };
    return cmocka_run_group_tests(tests, seed_read, NULL);
}
