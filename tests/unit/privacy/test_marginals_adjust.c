// SPDX-License-Identifier: Apache-2.0
// Whole numbers of marginals: none negative, every sum right to the digit, the total the rounded one, and near the
// estimates where these are far from 0.
#include "privacy/derive/marginals_adjust.h"
#include "privacy/mechanism/marginals.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"
#include <math.h>

typedef struct {
    gw_marginals_law law;
    gw_exact_table *exact;
    gw_released_table *table;
    gw_marginals_estimate *estimate;
    gw_marginals_adjusted *adjusted;
    gw_marginals_set wanted;
} adjusting;

// Marginals of two attributes at most of a base table that holds `persons`, skewed.
static adjusting adjust(const gw_marginals_base *base, uint64_t persons, uint64_t micro, uint64_t seed) {
    adjusting a = {.law = {.base = *base}};
    seeded_random random = {.state = seed};
    for (unsigned mask = 0; mask < 1u << base->attribute_count; mask++)
        if (__builtin_popcount(mask) <= 2) {
            a.law.masks[a.law.count] = mask;
            a.law.noises[a.law.count++] = (gw_noise){{micro}, 1};
            a.wanted |= 1ull << mask;
        }
    assert_int_equal(gw_exact_table_new(gw_marginals_cell_count(base, ~0u), 1, &a.exact), GW_OK);
    for (uint64_t i = 0; i < persons; i++) {
        const double u = (double)(seeded_next(&random) >> 11) * 0x1p-53;
        a.exact->values[(size_t)(u * u * u * (double)a.exact->cell_count)]++;
    }
    assert_int_equal(gw_marginals_release(a.exact, &a.law, seeded_source(&random), &a.table), GW_OK);
    assert_int_equal(gw_marginals_estimate_new(&a.law, a.table, a.wanted, &a.estimate), GW_OK);
    assert_int_equal(gw_marginals_adjust(&a.law, a.estimate, a.wanted, &a.adjusted), GW_OK);
    return a;
}

static void adjusting_done(adjusting *a) {
    gw_exact_table_free(a->exact);
    gw_released_free(a->table);
    gw_marginals_estimate_free(a->estimate);
    gw_marginals_adjusted_free(a->adjusted);
}

static void assert_consistent(const adjusting *a) {
    const gw_marginals_base *base = &a->law.base;
    for (unsigned mask = 0; mask < 1u << base->attribute_count; mask++) {
        const int64_t *above = gw_marginals_adjusted_cells(a->adjusted, mask);
        assert_true((above != NULL) == gw_marginals_has(a->wanted, mask));
        for (size_t k = 0; above != NULL && k < gw_marginals_cell_count(base, mask); k++)
            assert_true(above[k] >= 0);
        for (unsigned i = 0; i < base->attribute_count && above != NULL; i++) {
            if ((mask >> i & 1) == 0)
                continue;
            const gw_marginals_axis axis = gw_marginals_axis_of(base, mask, i);
            const int64_t *below = gw_marginals_adjusted_cells(a->adjusted, mask & ~(1u << i));
            for (size_t cell = 0; cell < axis.outer * axis.inner; cell++) {
                int64_t sum = 0;
                for (size_t c = 0; c < axis.size; c++)
                    sum += above[(cell / axis.inner * axis.size + c) * axis.inner + cell % axis.inner];
                assert_true(sum == below[cell]);
            }
        }
    }
    const double total = gw_marginals_estimate_cells(a->estimate, 0)[0];
    assert_true(gw_marginals_adjusted_cells(a->adjusted, 0)[0] == (int64_t)fmax(0, round(total)));
}

// Root mean square between columns over all cells: whole numbers and estimates, each against the exact.
typedef struct {
    double apart, estimated, adjusted;
} column_errors;

static column_errors errors_of(const adjusting *a) {
    column_errors sum = {0};
    size_t cells = 0;
    // With no noise to speak of the estimates are the exact values.
    gw_marginals_law quiet = a->law;
    gw_released_table *table = NULL;
    gw_marginals_estimate *exact = NULL;
    seeded_random random = {.state = 1};
    for (size_t i = 0; i < quiet.count; i++)
        quiet.noises[i].epsilon.micro = 100000000;
    assert_int_equal(gw_marginals_release(a->exact, &quiet, seeded_source(&random), &table), GW_OK);
    assert_int_equal(gw_marginals_estimate_new(&quiet, table, a->wanted, &exact), GW_OK);
    for (unsigned mask = 0; mask < 64; mask++)
        for (size_t k = 0; gw_marginals_has(a->wanted, mask) && k < gw_marginals_cell_count(&a->law.base, mask); k++) {
            const double estimate = gw_marginals_estimate_cells(a->estimate, mask)[k];
            const double truth = gw_marginals_estimate_cells(exact, mask)[k];
            const double adjusted = (double)gw_marginals_adjusted_cells(a->adjusted, mask)[k];
            sum.apart += pow(adjusted - estimate, 2);
            sum.estimated += pow(estimate - truth, 2);
            sum.adjusted += pow(adjusted - truth, 2);
            cells++;
        }
    gw_marginals_estimate_free(exact);
    gw_released_free(table);
    return (column_errors){sqrt(sum.apart / (double)cells), sqrt(sum.estimated / (double)cells),
                           sqrt(sum.adjusted / (double)cells)};
}

static void whole_numbers_agree_to_the_digit(void **state) {
    (void)state;
    const struct {
        gw_marginals_base base;
        uint64_t persons, micro;
    } cases[] = {{{3, {2, 10, 20}}, 5000, 100000},
                 {{4, {6, 7, 8, 9}}, 500, 100000},
                 {{4, {6, 7, 8, 9}}, 0, 100000},
                 {{2, {1, 5}}, 100, 1000000},
                 {{1, {1}}, 3, 100000},
                 {{5, {9, 1, 8, 2, 7}}, 3, 20000},
                 {{3, {40, 50, 2}}, 100, 1000},
                 {{2, {3, 100000}}, 20000, 1000000},
                 {{3, {30, 40, 50}}, 2000000, 500000}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        adjusting a = adjust(&cases[i].base, cases[i].persons, cases[i].micro, 20 + i);
        assert_consistent(&a);
        adjusting_done(&a);
    }
}

// Far from 0, only rounding keeps the columns apart: below a person on average, though the base table has fewer persons
// than cells in the second case and is all fractions. Largest remainders would be off by some tens in the margins.
static void where_cells_are_full_whole_numbers_stay_near(void **state) {
    (void)state;
    adjusting full = adjust(&(gw_marginals_base){3, {2, 10, 20}}, 400000, 300000, 7);
    column_errors errors = errors_of(&full);
    print_message("400,000 persons, 400 cells: estimates off by %.2f, whole numbers by %.2f, apart %.2f\n",
                  errors.estimated, errors.adjusted, errors.apart);
    assert_true(errors.apart < 1.5);
    assert_true(errors.adjusted < errors.estimated * 1.02 + 0.5);
    adjusting_done(&full);
    adjusting sparse = adjust(&(gw_marginals_base){4, {30, 20, 20, 50}}, 200000, 2000000, 8);
    errors = errors_of(&sparse);
    print_message("200,000 persons, 600,000 cells: estimates off by %.2f, whole numbers by %.2f, apart %.2f\n",
                  errors.estimated, errors.adjusted, errors.apart);
    assert_true(errors.apart < 2);
    assert_true(errors.adjusted < errors.estimated * 1.05 + 0.5);
    adjusting_done(&sparse);
}

// Hardly anybody in many cells: not worse than the estimates, where cutting at 0 and scaling would be by far.
static void where_cells_are_empty_whole_numbers_are_nearer_the_truth(void **state) {
    (void)state;
    adjusting a = adjust(&(gw_marginals_base){4, {30, 20, 20, 50}}, 3000, 200000, 9);
    const column_errors errors = errors_of(&a);
    print_message("3,000 persons: estimates off by %.2f, whole numbers by %.2f\n", errors.estimated, errors.adjusted);
    assert_true(errors.adjusted < errors.estimated * 0.6);
    adjusting_done(&a);
}

static void the_same_estimates_give_the_same_whole_numbers(void **state) {
    (void)state;
    adjusting a = adjust(&(gw_marginals_base){3, {4, 10, 20}}, 3000, 200000, 9);
    gw_marginals_adjusted *again = NULL;
    assert_int_equal(gw_marginals_adjust(&a.law, a.estimate, a.wanted, &again), GW_OK);
    for (unsigned mask = 0; mask < 64; mask++)
        if (gw_marginals_has(a.wanted, mask))
            assert_memory_equal(gw_marginals_adjusted_cells(again, mask), gw_marginals_adjusted_cells(a.adjusted, mask),
                                gw_marginals_cell_count(&a.law.base, mask) * sizeof(int64_t));
    gw_marginals_adjusted_free(again);
    adjusting_done(&a);
}

static void what_was_not_estimated_is_not_adjusted(void **state) {
    (void)state;
    adjusting a = adjust(&(gw_marginals_base){3, {4, 10, 20}}, 3000, 200000, 9);
    gw_marginals_adjusted *again = NULL;
    assert_int_equal(gw_marginals_adjust(&a.law, a.estimate, 1ull << 7, &again), GW_INVALID);
    gw_marginals_estimate *part = NULL;
    assert_int_equal(gw_marginals_estimate_new(&a.law, a.table, 1, &part), GW_OK);
    assert_int_equal(gw_marginals_adjust(&a.law, part, 1, &again), GW_INVALID); // the measured ones are missing
    assert_null(again);
    gw_marginals_estimate_free(part);
    adjusting_done(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_agree_to_the_digit),
        cmocka_unit_test(where_cells_are_full_whole_numbers_stay_near),
        cmocka_unit_test(where_cells_are_empty_whole_numbers_are_nearer_the_truth),
        cmocka_unit_test(the_same_estimates_give_the_same_whole_numbers),
        cmocka_unit_test(what_was_not_estimated_is_not_adjusted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
