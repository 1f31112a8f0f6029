// SPDX-License-Identifier: Apache-2.0
// Null hypothesis: a tree, and a quantile chosen by permute-and-flip, lose at most their epsilon between neighbours.
// From N outputs on each of two neighbouring populations and an event that tells them apart well, a lower bound on the
// loss that is wrong with probability at most ALPHA = 1e-6 (two Clopper-Pearson bounds at half of it each); an alarm is
// a bound above the claim. Six bounds are made: false alarms below 6e-6 for a fresh seed. The same bounds must pass
// the claim for a tree charged for one level of its two, and for a choice with half of its sensitivity.
#include "privacy/mechanism/quantile.h"
#include "privacy/mechanism/tree.h"
#include "tests/support/seeded_random.h"
#include "tests/support/statistics.h"
#include "tests/support/unit.h"

#define ALPHA 1e-6
#define TREES 100000u
#define CHOICES 15000u

static uint64_t seed(uint64_t salt) {
    const char *text = getenv("GW_TEST_SEED");
    return (text == NULL ? 20 : strtoull(text, NULL, 10)) * 1000003 + salt;
}

static double loss_bound(uint64_t often, uint64_t seldom, uint64_t draws) {
    return log(statistics_binomial_lower(often, draws, ALPHA / 2) /
               statistics_binomial_upper(seldom, draws, ALPHA / 2));
}

// ---- trees: 4 bins, 2 above them. The event: no node on the path of the first bin is above what it is without the
// person. Each node tells exp(e) of it, all together exp(epsilon).

static uint64_t paths_at_most(gw_noise unit, bool is_charged_once, int64_t persons, uint64_t salt) {
    const int64_t others = 50;
    gw_tree_shape shape;
    gw_noise noise;
    gw_exact_table *leaves = NULL;
    gw_released_table *table = NULL;
    gw_discrete_laplace *sampler = NULL;
    seeded_random random = {.state = seed(salt)};
    assert_int_equal(gw_tree_shape_make(TREES, 4, 2, &shape), GW_OK);
    assert_int_equal(gw_tree_noise(&shape, unit, &noise), GW_OK);
    noise.sensitivity = is_charged_once ? unit.sensitivity : noise.sensitivity;
    assert_int_equal(gw_discrete_laplace_new(noise, &sampler), GW_OK);
    assert_int_equal(gw_exact_table_new(4 * TREES, 1, &leaves), GW_OK);
    for (size_t i = 0; i < 4 * TREES; i++)
        leaves->values[i] = others + (i % 4 == 0 ? persons : 0);
    assert_int_equal(gw_tree_release_under(leaves, &shape, sampler, noise, seeded_source(&random), &table), GW_OK);
    uint64_t count = 0;
    for (size_t i = 0; i < TREES; i++)
        count += gw_released_value(table, 6 * i, 0) <= others && gw_released_value(table, 6 * i + 4, 0) <= 2 * others;
    gw_discrete_laplace_free(sampler);
    gw_exact_table_free(leaves);
    gw_released_free(table);
    return count;
}

static double tree_bound(gw_noise unit, bool is_charged_once, uint64_t salt) {
    uint64_t without = paths_at_most(unit, is_charged_once, 0, salt);
    uint64_t with = paths_at_most(unit, is_charged_once, (int64_t)unit.sensitivity, salt + 1);
    double bound = loss_bound(without, with, TREES);
    print_message("tree%s, epsilon %.2f: at least %.3f\n", is_charged_once ? " charged for one level" : "",
                  (double)unit.epsilon.micro / 1e6, bound);
    return bound;
}

static void a_tree_loses_no_more_than_it_says(void **state) {
    (void)state;
    assert_true(tree_bound((gw_noise){{500000}, 1}, false, 1) <= 0.5);
    assert_true(tree_bound((gw_noise){{1000000}, 1}, false, 3) <= 1);
    assert_true(tree_bound((gw_noise){{2000000}, 3}, false, 5) <= 2);
    assert_true(tree_bound((gw_noise){{1000000}, 1}, false, 7) > 0.9); // it isn't quiet because it is blind
}

static void a_tree_charged_for_one_level_is_caught(void **state) {
    (void)state;
    assert_true(tree_bound((gw_noise){{1000000}, 1}, true, 9) > 1);
}

// ---- choices: MANY empty bins below the median's bin and as many above, so that many coins show heads. One person at
// the top makes each bin below rarer and each bin above more frequent. The event: a bin below is chosen.

#define MANY 30u
#define BINS (2 * MANY + 3)

// As many people in the first bin as in the last and `middle` between them: bins below and above both miss the median's
// rank by middle / 2. With as many units more at the top, those above no longer miss it and those below miss it twice.
static uint64_t below_chosen(gw_noise unit, int64_t middle, int64_t units, uint64_t salt) {
    const int64_t ends = 100;
    gw_quantile_shape shape = {CHOICES, BINS, {1, 2}};
    gw_exact_table *bins = NULL;
    gw_released_table *table = NULL;
    seeded_random random = {.state = seed(salt)};
    assert_int_equal(gw_exact_table_new(CHOICES * BINS, 1, &bins), GW_OK);
    for (size_t i = 0; i < CHOICES; i++) {
        gw_int128 *group = bins->values + i * BINS;
        group[0] = ends;
        group[MANY + 1] = middle;
        group[BINS - 1] = ends + units;
    }
    assert_int_equal(gw_quantile_release(bins, &shape, unit, seeded_source(&random), &table), GW_OK);
    uint64_t count = 0;
    for (size_t i = 0; i < CHOICES; i++)
        count += gw_released_value(table, i, 0) <= (gw_int128)MANY;
    gw_exact_table_free(bins);
    gw_released_free(table);
    return count;
}

// `units` is what one person adds; the law is drawn for `unit`.
static double choice_bound(gw_noise unit, int64_t units, uint64_t salt) {
    uint64_t without = below_chosen(unit, units, 0, salt), with = below_chosen(unit, units, units, salt + 1);
    double bound = loss_bound(without, with, CHOICES);
    print_message("choice, sensitivity %d for %d: at least %.3f (%.4f and %.4f)\n", (int)unit.sensitivity, (int)units,
                  bound, (double)without / CHOICES, (double)with / CHOICES);
    return bound;
}

static void a_choice_loses_no_more_than_it_says(void **state) {
    (void)state;
    double bound = choice_bound((gw_noise){{1000000}, 1}, 1, 11);
    assert_true(bound <= 1);
    assert_true(bound > 0.45); // the exact loss of this event is 0.62
    assert_true(choice_bound((gw_noise){{1000000}, 2}, 2, 13) <= 1);
}

// Two units' worth of change under the law of one: half of the true sensitivity.
static void half_the_sensitivity_is_caught(void **state) {
    (void)state;
    assert_true(choice_bound((gw_noise){{1000000}, 1}, 2, 17) > 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_loses_no_more_than_it_says),
        cmocka_unit_test(a_tree_charged_for_one_level_is_caught),
        cmocka_unit_test(a_choice_loses_no_more_than_it_says),
        cmocka_unit_test(half_the_sensitivity_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
