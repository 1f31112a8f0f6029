// SPDX-License-Identifier: Apache-2.0
// Marginals under one price. (1) H0: their release loses at most the price between neighbours. The best event there is,
// "each cell the person is in is at most its smaller value", over 100,000 persons' worth of cells a side; an alarm is a
// lower bound of the loss above the claim, wrong with probability at most 1e-6 (two Clopper-Pearson bounds). (2) H0:
// ranges of estimates cover as often as they say: N draws, an alarm below level - 5 sqrt(level (1 - level) / N), a
// false alarm below 3e-7 a case, and no more than 1.5 points above (they are near the smallest). Planted: noise of one
// marginal too small, a marginal that was not paid for, ranges of a law with less noise.
#include "privacy/derive/marginals_estimate.h"
#include "privacy/interval.h"
#include "privacy/marginals_split.h"
#include "privacy/mechanism/marginals.h"
#include "tests/support/seeded_random.h"
#include "tests/support/statistics.h"
#include "tests/support/unit.h"

#define PLACES 100000u // categories of the first attribute: each is a draw
#define ALPHA 1e-6
#define DRAWS 4000

static seeded_random randomness = {.state = 20261122};

static int seed_read(void **state) {
    const char *text = getenv("GW_TEST_SEED");
    (void)state;
    if (text != NULL)
        randomness.state = strtoull(text, NULL, 10);
    return 0;
}

// Places by two kinds, and places: a person is in one cell of each.
static const gw_marginals_base PLACES_BY_KIND = {2, {PLACES, 2}};

// In how many places both the cell of kind 0 and the place's sum are at most 1000, where both hold `value`.
static uint64_t count_at_most(const gw_marginals_law *law, int64_t value) {
    gw_exact_table *exact = NULL;
    gw_released_table *table = NULL;
    assert_int_equal(gw_exact_table_new((size_t)PLACES * 2, 1, &exact), GW_OK);
    for (size_t i = 0; i < PLACES; i++)
        exact->values[2 * i] = value;
    assert_int_equal(gw_marginals_release(exact, law, seeded_source(&randomness), &table), GW_OK);
    uint64_t count = 0;
    for (size_t i = 0; i < PLACES; i++)
        count += gw_released_value(table, 2 * i, 0) <= 1000 && gw_released_value(table, 2 * PLACES + i, 0) <= 1000;
    gw_exact_table_free(exact);
    gw_released_free(table);
    return count;
}

static double loss_lower_bound(const gw_marginals_law *law) {
    const uint64_t without = count_at_most(law, 1000), with = count_at_most(law, 1001);
    return log(statistics_binomial_lower(without, PLACES, ALPHA / 2) /
               statistics_binomial_upper(with, PLACES, ALPHA / 2));
}

static gw_marginals_law split_of(uint64_t micro) {
    gw_marginals_wish wish = {
        .base = PLACES_BY_KIND, .asked = 1ull << 3 | 1ull << 1, .measurable = 1ull << 3 | 1ull << 1};
    gw_marginals_law law;
    // Weights that measure both: alone, the smaller one would be the sum of two cells.
    wish.weights[1] = 30;
    wish.weights[3] = 1;
    assert_int_equal(gw_marginals_split(&wish, (gw_epsilon){micro}, 1, &law), GW_OK);
    assert_int_equal(law.count, 2);
    if (law.masks[0] == 1) { // the places by kind first
        const gw_noise noise = law.noises[0];
        law.masks[0] = 3, law.masks[1] = 1;
        law.noises[0] = law.noises[1], law.noises[1] = noise;
    }
    return law;
}

static void a_release_of_marginals_loses_no_more_than_the_price(void **state) {
    (void)state;
    const uint64_t micros[] = {500000, 1000000, 2000000};
    for (size_t i = 0; i < sizeof(micros) / sizeof(micros[0]); i++) {
        const gw_marginals_law law = split_of(micros[i]);
        const double bound = loss_lower_bound(&law);
        print_message("price %.1f: at least %.3f lost\n", (double)micros[i] / 1e6, bound);
        assert_true(bound <= (double)micros[i] / 1e6);
        assert_true(bound > 0.85 * (double)micros[i] / 1e6); // it sees most of the loss there is
    }
}

static void a_marginal_with_too_little_noise_is_caught(void **state) {
    (void)state;
    gw_marginals_law law = split_of(1000000);
    law.noises[1].epsilon.micro += 200000;
    assert_true(loss_lower_bound(&law) > 1);
}

// Each marginal under the full price: what a release that forgets composition would do.
static void marginals_that_are_not_paid_for_are_caught(void **state) {
    (void)state;
    gw_marginals_law law = split_of(1000000);
    law.noises[0].epsilon.micro = law.noises[1].epsilon.micro = 1000000;
    assert_true(loss_lower_bound(&law) > 1);
}

typedef struct {
    gw_marginals_base base;
    gw_marginals_set asked;
    uint64_t micro;
    uint64_t sensitivity;
} coverage_case;

static gw_marginals_law law_of(const coverage_case *c) {
    const gw_marginals_wish wish = {.base = c->base, .asked = c->asked, .measurable = c->asked | 1ull << 7};
    gw_marginals_law law;
    assert_int_equal(gw_marginals_split(&wish, (gw_epsilon){c->micro}, c->sensitivity, &law), GW_OK);
    return law;
}

// How often the range of one cell of `mask` covers, over draws of everything measured.
static double coverage(const gw_marginals_law *law, unsigned mask, double half_width) {
    gw_exact_table *exact = NULL;
    assert_int_equal(gw_exact_table_new(gw_marginals_cell_count(&law->base, ~0u), 1, &exact), GW_OK);
    int covered = 0;
    for (int i = 0; i < DRAWS; i++) { // the exact table is empty: every estimate is its error
        gw_released_table *table = NULL;
        gw_marginals_estimate *estimate = NULL;
        assert_int_equal(gw_marginals_release(exact, law, seeded_source(&randomness), &table), GW_OK);
        assert_int_equal(gw_marginals_estimate_new(law, table, 1ull << mask, &estimate), GW_OK);
        const size_t cell = (size_t)i % gw_marginals_cell_count(&law->base, mask);
        covered += fabs(gw_marginals_estimate_cells(estimate, mask)[cell]) <= half_width;
        gw_marginals_estimate_free(estimate);
        gw_released_free(table);
    }
    gw_exact_table_free(exact);
    return (double)covered / DRAWS;
}

static void ranges_of_estimates_cover(void **state) {
    (void)state;
    const coverage_case cases[] = {
        {{3, {2, 3, 4}}, 1ull << 3 | 1ull << 6 | 1ull << 1, 1000000, 1}, // few values: nearly a lattice
        {{3, {2, 10, 20}}, 1ull << 3 | 1ull << 5 | 1ull << 7, 300000, 1},
        {{3, {3, 4, 5}}, 1ull << 1 | 1ull << 2 | 1ull << 4, 100000, 3}};
    const uint32_t levels[] = {900000, 950000, 990000};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const gw_marginals_law law = law_of(&cases[i]);
        for (unsigned mask = 0; mask < 8; mask++) {
            if (!gw_marginals_has(cases[i].asked | 1, mask))
                continue;
            const uint32_t level_ppm = levels[(mask + i) % 3];
            const double level = level_ppm / 1e6, error = 5 * sqrt(level * (1 - level) / DRAWS);
            double half_width = 0;
            assert_int_equal(gw_marginals_half_width(&law, mask, level_ppm, &half_width), GW_OK);
            const double share = coverage(&law, mask, half_width);
            print_message("case %zu, mask %u: %.4f of %.2f, half width %.2f of sd %.2f\n", i, mask, share, level,
                          half_width, sqrt(gw_marginals_variance(&law, mask)));
            assert_true(share >= level - error);
            assert_true(share <= level + 0.015 + error);
        }
    }
}

static void ranges_of_less_noise_do_not_cover(void **state) {
    (void)state;
    const coverage_case c = {{3, {2, 10, 20}}, 1ull << 3 | 1ull << 5, 300000, 1};
    const gw_marginals_law law = law_of(&c);
    gw_marginals_law planted = law;
    for (size_t i = 0; i < law.count; i++)
        planted.noises[i].epsilon.micro = planted.noises[i].epsilon.micro * 13 / 10;
    double half_width = 0;
    assert_int_equal(gw_marginals_half_width(&planted, 3, GW_LEVEL_95, &half_width), GW_OK);
    assert_true(coverage(&law, 3, half_width) < 0.95 - 5 * sqrt(0.95 * 0.05 / DRAWS));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_release_of_marginals_loses_no_more_than_the_price),
        cmocka_unit_test(a_marginal_with_too_little_noise_is_caught),
        cmocka_unit_test(marginals_that_are_not_paid_for_are_caught),
        cmocka_unit_test(ranges_of_estimates_cover),
        cmocka_unit_test(ranges_of_less_noise_do_not_cover),
    };
    return cmocka_run_group_tests(tests, seed_read, NULL);
}
