// SPDX-License-Identifier: Apache-2.0
// Quantiles of a tree: exact without noise, monotone, within the grid. Permute-and-flip: its law against enumeration of
// all coins, its randomness and time by shape, its published rank errors.
#include "privacy/derive/quantile.h"
#include "tests/support/statistics.h"
#include "tests/support/trees.h"

static const gw_quantile_level LEVELS[] = {{1, 100}, {1, 10}, {1, 4}, {1, 3}, {1, 2}, {2, 3}, {9, 10}, {999, 1000}};
#define LEVEL_COUNT (sizeof(LEVELS) / sizeof(LEVELS[0]))

static size_t exact_quantile(const int64_t *counts, size_t bins, gw_quantile_level level) {
    int64_t total = 0, below = 0;
    for (size_t i = 0; i < bins; i++)
        total += counts[i];
    for (size_t i = 0; i < bins; i++) {
        below += counts[i];
        if (below * (int64_t)level.b >= total * (int64_t)level.a)
            return i;
    }
    return bins - 1;
}

// ---- from a tree

static void without_noise_quantiles_are_exact(void **state) {
    (void)state;
    static int64_t counts[700];
    gw_quantile quantiles[LEVEL_COUNT];
    seeded_random random = {.state = 6};
    for (size_t bins = 1; bins <= 700; bins += 1 + bins * 2) {
        gw_tree_shape shape = trees_shape(1, bins, 16);
        trees_incomes(10007, bins, (double)bins / 4, 0.5, &random, counts);
        gw_tree *tree = trees_measure(&shape, counts, trees_silent(&shape), &random);
        assert_int_equal(gw_quantiles_of(tree, LEVELS, LEVEL_COUNT, GW_LEVEL_95, quantiles), GW_OK);
        for (size_t i = 0; i < LEVEL_COUNT; i++) {
            size_t exact = exact_quantile(counts, bins, LEVELS[i]);
            assert_int_equal(quantiles[i].bin, exact);
            assert_true(quantiles[i].low <= exact && exact <= quantiles[i].high);
            assert_true(quantiles[i].high - quantiles[i].low <= 1); // the moment bound knows no integers
            assert_true(quantiles[i].is_determinable);
        }
        gw_tree_free(tree);
    }
}

static void estimates_and_ranges_never_cross(void **state) {
    (void)state;
    static int64_t counts[512];
    gw_quantile quantiles[LEVEL_COUNT];
    seeded_random random = {.state = 6};
    gw_tree_shape shape = trees_shape(1, 512, 16);
    for (size_t people = 100; people < 100000; people *= 4)
        for (int draw = 0; draw < 5; draw++) {
            trees_incomes(people, 512, 128, 0.5, &random, counts);
            gw_tree *tree = trees_measure(&shape, counts, (gw_noise){{100000}, 1}, &random);
            assert_int_equal(gw_quantiles_of(tree, LEVELS, LEVEL_COUNT, GW_LEVEL_95, quantiles), GW_OK);
            for (size_t i = 0; i < LEVEL_COUNT; i++) {
                assert_true(quantiles[i].low <= quantiles[i].bin && quantiles[i].bin <= quantiles[i].high);
                assert_true(quantiles[i].high < 512);
                if (i == 0)
                    continue;
                assert_true(quantiles[i].bin >= quantiles[i - 1].bin);
                assert_true(!quantiles[i].is_determinable || !quantiles[i - 1].is_determinable ||
                            (quantiles[i].low >= quantiles[i - 1].low && quantiles[i].high >= quantiles[i - 1].high));
            }
            gw_tree_free(tree);
        }
}

static void quantiles_of_nobody_are_not_determinable(void **state) {
    (void)state;
    static int64_t counts[512];
    gw_quantile quantile;
    seeded_random random = {.state = 6};
    gw_tree_shape shape = trees_shape(1, 512, 16);
    int said = 0;
    for (int draw = 0; draw < 50; draw++) {
        gw_tree *tree = trees_measure(&shape, counts, (gw_noise){{10000}, 1}, &random);
        assert_int_equal(gw_quantiles_of(tree, &LEVELS[4], 1, GW_LEVEL_95, &quantile), GW_OK);
        said += !quantile.is_determinable;
        assert_true(quantile.bin < 512);
        gw_tree_free(tree);
    }
    assert_true(said > 25);
}

static void bad_levels_are_refused(void **state) {
    (void)state;
    int64_t counts[20] = {5};
    gw_quantile quantile;
    seeded_random random = {.state = 6};
    gw_tree_shape shape = trees_shape(1, 20, 16);
    gw_tree *tree = trees_measure(&shape, counts, (gw_noise){{10000}, 1}, &random);
    const gw_quantile_level bad[] = {{0, 1}, {1, 1}, {2, 1}, {1, 0}, {1, 1000001}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(gw_quantiles_of(tree, &bad[i], 1, GW_LEVEL_95, &quantile), GW_INVALID);
    assert_int_equal(gw_quantiles_of(tree, LEVELS, 0, GW_LEVEL_95, &quantile), GW_INVALID);
    assert_int_equal(gw_quantiles_of(tree, LEVELS, 1, 1000000, &quantile), GW_INVALID);
    gw_tree_free(tree);
}

// ---- permute-and-flip

#define CHOICE_BINS_MAX 8

static gw_released_table *choose(const int64_t *counts, const gw_quantile_shape *shape, gw_noise unit,
                                 seeded_random *random) {
    gw_exact_table *bins = NULL;
    gw_released_table *table = NULL;
    assert_int_equal(gw_exact_table_new(shape->group_count * shape->bin_count, 1, &bins), GW_OK);
    for (size_t i = 0; i < bins->cell_count; i++)
        bins->values[i] = counts[i % shape->bin_count]; // every group alike
    assert_int_equal(gw_quantile_release(bins, shape, unit, seeded_source(random), &table), GW_OK);
    gw_exact_table_free(bins);
    return table;
}

// How far bin i misses b F = a n.
static double exact_distance(const int64_t *counts, size_t bins, gw_quantile_level level, size_t bin) {
    double total = 0, below = 0;
    for (size_t i = 0; i < bins; i++) {
        total += (double)counts[i];
        below += i < bin ? (double)counts[i] : 0;
    }
    double a = (double)level.a, b = (double)level.b;
    return fmax(0, fmax(b * below - a * total, a * total - b * (below + (double)counts[bin])));
}

// The law by walking through the candidates in every order is that of a uniform head among all coins: enumerated here.
static void exact_law(const int64_t *counts, size_t bins, gw_quantile_level level, double rate, double *law) {
    double heads[CHOICE_BINS_MAX], nearest = INFINITY;
    for (size_t i = 0; i < bins; i++)
        nearest = fmin(nearest, exact_distance(counts, bins, level, i));
    for (size_t i = 0; i < bins; i++) {
        heads[i] = exp(-rate * (exact_distance(counts, bins, level, i) - nearest));
        law[i] = 0;
    }
    for (size_t coins = 1; coins < (size_t)1 << bins; coins++) {
        double chance = 1, count = 0;
        for (size_t i = 0; i < bins; i++) {
            chance *= coins >> i & 1 ? heads[i] : 1 - heads[i];
            count += coins >> i & 1 ? 1 : 0;
        }
        for (size_t i = 0; i < bins; i++)
            law[i] += coins >> i & 1 ? chance / count : 0;
    }
}

// The same by going through every order and stopping at the first head, as permute-and-flip is written down.
static double law_by_orders(const double *heads, size_t bins, unsigned left, double chance, size_t wanted) {
    double sum = 0, count = 0;
    for (size_t i = 0; i < bins; i++)
        count += left >> i & 1 ? 1 : 0;
    for (size_t i = 0; i < bins; i++) {
        if ((left >> i & 1) == 0)
            continue;
        sum += i == wanted ? chance / count * heads[i] : 0;
        sum += law_by_orders(heads, bins, left & ~(1u << i), chance / count * (1 - heads[i]), wanted);
    }
    return sum;
}

static void a_uniform_head_is_permute_and_flip(void **state) {
    (void)state;
    int64_t counts[5] = {3, 0, 4, 2, 6};
    double law[CHOICE_BINS_MAX], heads[5], nearest = INFINITY;
    gw_quantile_level level = {1, 3};
    for (size_t i = 0; i < 5; i++)
        nearest = fmin(nearest, exact_distance(counts, 5, level, i));
    for (size_t i = 0; i < 5; i++)
        heads[i] = exp(-0.1 * (exact_distance(counts, 5, level, i) - nearest));
    exact_law(counts, 5, level, 0.1, law);
    for (size_t i = 0; i < 5; i++)
        assert_true(fabs(law_by_orders(heads, 5, 31, 1, i) - law[i]) < 1e-12);
}

// H0: the chosen bin has the enumerated law. Chi-square over 60,000 groups, alarm below 1e-6 a case.
static void choices_have_the_enumerated_law(void **state) {
    (void)state;
    const struct {
        int64_t counts[CHOICE_BINS_MAX];
        size_t bins;
        gw_quantile_level level;
        gw_noise unit;
    } cases[] = {{{1, 2, 3, 2, 1}, 5, {1, 2}, {{1000000}, 1}},
                 {{0, 0, 0, 0}, 4, {1, 2}, {{1000000}, 1}},
                 {{5, 0, 0, 1, 7, 2, 2, 1}, 8, {9, 10}, {{2000000}, 3}},
                 {{1, 1}, 2, {1, 3}, {{333333}, 1}},
                 {{40, 3, 0, 2, 35}, 5, {1, 4}, {{100000}, 1}}};
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        const size_t draws = 60000;
        gw_quantile_shape shape = {draws, cases[k].bins, cases[k].level};
        seeded_random random = {.state = 77 + k};
        gw_released_table *table = choose(cases[k].counts, &shape, cases[k].unit, &random);
        double law[CHOICE_BINS_MAX], seen[CHOICE_BINS_MAX] = {0}, chi = 0, freedom = -1;
        double a = (double)cases[k].level.a, b = (double)cases[k].level.b;
        double rate =
            (double)cases[k].unit.epsilon.micro / 1e6 / (2 * fmax(a, b - a)) / (double)cases[k].unit.sensitivity;
        exact_law(cases[k].counts, cases[k].bins, cases[k].level, rate, law);
        for (size_t i = 0; i < draws; i++)
            seen[(size_t)gw_released_value(table, i, 0)]++;
        for (size_t i = 0; i < cases[k].bins; i++) {
            double expected = law[i] * (double)draws;
            if (expected < 5)
                continue;
            chi += (seen[i] - expected) * (seen[i] - expected) / expected;
            freedom++;
        }
        assert_true(statistics_chi_square_above(chi, fmax(1, freedom)) > 1e-6);
        gw_released_free(table);
    }
}

// Exact laws of both, over made-up populations: the expected miss of permute-and-flip is at most the exponential
// mechanism's.
static void a_choice_misses_no_more_than_the_exponential_mechanism(void **state) {
    (void)state;
    seeded_random random = {.state = 31};
    double gained = 0;
    for (int draw = 0; draw < 200; draw++) {
        int64_t counts[CHOICE_BINS_MAX];
        double law[CHOICE_BINS_MAX], weights = 0, exponential = 0, flipped = 0, rate = draw % 2 ? 0.05 : 0.5;
        gw_quantile_level level = LEVELS[(size_t)draw % LEVEL_COUNT];
        for (size_t i = 0; i < CHOICE_BINS_MAX; i++)
            counts[i] = (int64_t)(seeded_next(&random) % 12);
        rate /= (double)level.b;
        exact_law(counts, CHOICE_BINS_MAX, level, rate, law);
        for (size_t i = 0; i < CHOICE_BINS_MAX; i++) {
            double distance = exact_distance(counts, CHOICE_BINS_MAX, level, i), weight = exp(-rate * distance);
            weights += weight;
            exponential += weight * distance;
            flipped += law[i] * distance;
        }
        assert_true(flipped <= exponential / weights * (1 + 1e-12));
        gained += 1 - flipped / (exponential / weights);
    }
    assert_true(gained / 200 > 0.02);
}

static void randomness_depends_on_the_shape_only(void **state) {
    (void)state;
    int64_t empty[64] = {0}, full[64];
    gw_quantile_shape shape = {7, 64, {3, 4}};
    for (size_t i = 0; i < 64; i++)
        full[i] = (int64_t)(i * i * 1000);
    seeded_random first = {.state = 1}, second = {.state = 1};
    gw_released_table *a = choose(empty, &shape, (gw_noise){{100000}, 2}, &first);
    gw_released_table *b = choose(full, &shape, (gw_noise){{100000}, 2}, &second);
    assert_int_equal(first.bytes_given, second.bytes_given);
    assert_int_equal(first.call_count, second.call_count);
    assert_int_equal(gw_released_cell_count(a), 7);
    assert_int_equal(gw_released_part_count(a), 1);
    assert_int_equal(gw_released_noise(a).sensitivity, 6); // max(3, 1) x 2
    assert_int_equal(gw_released_noise(a).epsilon.micro, 100000);
    for (size_t i = 0; i < 7; i++)
        assert_true(gw_released_value(b, i, 0) == (gw_int128)exact_quantile(full, 64, shape.level)); // others are far
    gw_released_free(a);
    gw_released_free(b);
}

static void what_does_not_fit_chooses_nothing(void **state) {
    (void)state;
    gw_exact_table *bins = NULL;
    gw_released_table *table = NULL;
    seeded_random random = {.state = 1, .bytes_max = 8};
    gw_random_source source = seeded_source(&random);
    gw_quantile_shape shape = {2, 10, {1, 2}}, other = {2, 11, {1, 2}}, bad = {2, 10, {2, 2}}, none = {0, 0, {1, 2}};
    gw_noise unit = {{100000}, 1};
    assert_int_equal(gw_exact_table_new(20, 1, &bins), GW_OK);
    assert_int_equal(gw_quantile_release(bins, &other, unit, source, &table), GW_INVALID);
    assert_int_equal(gw_quantile_release(bins, &bad, unit, source, &table), GW_INVALID);
    assert_int_equal(gw_quantile_release(bins, &none, unit, source, &table), GW_INVALID);
    assert_int_equal(gw_quantile_release(bins, &shape, (gw_noise){{0}, 1}, source, &table), GW_INVALID);
    assert_int_equal(gw_quantile_release(bins, &shape, (gw_noise){{1}, 0}, source, &table), GW_INVALID);
    assert_int_equal(gw_quantile_release(bins, &shape, unit, source, &table), GW_UNAVAILABLE);
    random.bytes_max = 0;
    bins->values[3] = (gw_int128)1 << 84;
    assert_int_equal(gw_quantile_release(bins, &shape, unit, source, &table), GW_INTERNAL);
    bins->values[3] = (gw_int128)1 << 126;
    assert_int_equal(gw_quantile_release(bins, &shape, unit, source, &table), GW_INTERNAL);
    bins->values[3] = ((gw_int128)1 << 84) - 1; // the largest count there may be
    assert_int_equal(gw_quantile_release(bins, &shape, unit, source, &table), GW_OK);
    gw_released_free(table);
    table = NULL;
    bins->values[3] = -1;
    assert_int_equal(gw_quantile_release(bins, &shape, unit, source, &table), GW_INTERNAL);
    assert_null(table);
    gw_exact_table_free(bins);
}

// Weights of a large country: totals far past what distances hold in 63 bits. Whether an answer comes may not depend on
// them, and the far bins are as good as impossible.
static void counts_of_any_size_are_chosen_from(void **state) {
    (void)state;
    const gw_quantile_level levels[] = {{1, 2}, {1, 3}, {999999, 1000000}};
    gw_noise unit = {{1000000}, (uint64_t)1 << 20};
    for (unsigned bits = 40; bits < 84; bits += 4)
        for (size_t k = 0; k < 3; k++) {
            gw_exact_table *bins = NULL;
            gw_released_table *table = NULL;
            gw_quantile_shape shape = {1, 8, levels[k]};
            seeded_random random = {.state = bits};
            assert_int_equal(gw_exact_table_new(8, 1, &bins), GW_OK);
            bins->values[1] = bins->values[4] = bins->values[6] = ((gw_int128)1 << bits) - 1;
            assert_int_equal(gw_quantile_release(bins, &shape, unit, seeded_source(&random), &table), GW_OK);
            gw_int128 chosen = gw_released_value(table, 0, 0);
            // A third may be the end of the first full bin or the start of the second, or any empty one between.
            assert_true(k == 0 ? chosen == 4 : k == 1 ? chosen >= 1 && chosen <= 4 : chosen == 6);
            gw_released_free(table);
            gw_exact_table_free(bins);
        }
}

// (2 Delta / epsilon) (ln m + ln 1/beta) with a sensitivity of 1 per rank and beta 5 %, as printed; the exact worst
// case lies below. A level next to 1 has Delta b / b = 1 - 1/b.
static void published_rank_errors_are_reproduced(void **state) {
    (void)state;
    const struct {
        size_t bins;
        const char *printed[2];
    } rows[] = {{1024, {"19.9", "198.5"}}, {65536, {"28.2", "281.7"}}, {1000000, {"33.6", "336.2"}}};
    for (size_t i = 0; i < 3; i++)
        for (int k = 0; k < 2; k++) {
            char text[32];
            gw_quantile_choice choice = {rows[i].bins, {999999, 1000000}, 1};
            gw_epsilon epsilon = {k == 0 ? 1000000 : 100000};
            double bound = gw_quantile_choice_bound(&choice, epsilon, GW_LEVEL_95);
            double exact = gw_quantile_choice_half_width(&choice, epsilon, GW_LEVEL_95);
            snprintf(text, sizeof(text), "%.1f", bound);
            assert_string_equal(text, rows[i].printed[k]);
            print_message("%zu bins, epsilon %.1f: formula %.1f, exact worst case %.1f\n", rows[i].bins,
                          (double)epsilon.micro / 1e6, bound, exact);
            assert_true(exact < bound && exact > 0.8 * bound);
        }
}

// The worst case is attained: one bin at the rank, all others missing it by just so much.
static void the_exact_rank_error_is_that_of_the_worst_population(void **state) {
    (void)state;
    for (size_t bins = 2; bins <= CHOICE_BINS_MAX; bins++) {
        gw_quantile_choice choice = {bins, {1, 2}, 1};
        double rank = gw_quantile_choice_half_width(&choice, (gw_epsilon){1000000}, GW_LEVEL_95);
        double p = exp(-rank), miss = 0; // rate 1 at the median: epsilon b / (2 max(a, b - a)) = 1
        for (size_t heads = 0; heads < (size_t)1 << (bins - 1); heads++) {
            double chance = 1, count = 0;
            for (size_t i = 0; i + 1 < bins; i++) {
                chance *= heads >> i & 1 ? p : 1 - p;
                count += heads >> i & 1 ? 1 : 0;
            }
            miss += chance * count / (count + 1);
        }
        assert_true(fabs(miss - 0.05) < 1e-9);
    }
    gw_quantile_choice choice = {1024, {1, 2}, 1};
    double last = INFINITY;
    assert_true(isinf(gw_quantile_choice_half_width(&choice, (gw_epsilon){0}, GW_LEVEL_95)));
    for (uint64_t micro = 1; micro < 100000000; micro += 1 + micro / 3) {
        double here = gw_quantile_choice_half_width(&choice, (gw_epsilon){micro}, GW_LEVEL_95);
        assert_true(here < last && here <= gw_quantile_choice_bound(&choice, (gw_epsilon){micro}, GW_LEVEL_95));
        last = here;
    }
}

static void prices_of_quantiles_fall_with_epsilon(void **state) {
    (void)state;
    gw_tree_cost cost = {trees_shape(5, 4096, 16), 2, 1000};
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        double last = gw_quantile_half_width(&cost, LEVELS[i], (gw_epsilon){0}, GW_LEVEL_95);
        for (uint64_t micro = 1; micro < 1000000000; micro += 1 + micro / 3) {
            double here = gw_quantile_half_width(&cost, LEVELS[i], (gw_epsilon){micro}, GW_LEVEL_95);
            assert_true(here < last);
            last = here;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_noise_quantiles_are_exact),
        cmocka_unit_test(estimates_and_ranges_never_cross),
        cmocka_unit_test(quantiles_of_nobody_are_not_determinable),
        cmocka_unit_test(bad_levels_are_refused),
        cmocka_unit_test(a_uniform_head_is_permute_and_flip),
        cmocka_unit_test(choices_have_the_enumerated_law),
        cmocka_unit_test(a_choice_misses_no_more_than_the_exponential_mechanism),
        cmocka_unit_test(randomness_depends_on_the_shape_only),
        cmocka_unit_test(what_does_not_fit_chooses_nothing),
        cmocka_unit_test(counts_of_any_size_are_chosen_from),
        cmocka_unit_test(published_rank_errors_are_reproduced),
        cmocka_unit_test(the_exact_rank_error_is_that_of_the_worst_population),
        cmocka_unit_test(prices_of_quantiles_fall_with_epsilon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
