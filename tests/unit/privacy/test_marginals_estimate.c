// SPDX-License-Identifier: Apache-2.0
// Estimates from marginals are the generalised least squares, with their variances and their law: against published
// figures, against dense elimination, and against each other.
#include "privacy/derive/marginals_estimate.h"
#include "privacy/interval.h"
#include "privacy/mechanism/marginals.h"
#include "privacy/released_make.h"
#include "privacy/tail.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"
#include <math.h>
#include <time.h>

static const gw_marginals_base SMALL = {.attribute_count = 3, .sizes = {2, 3, 4}};
#define SMALL_CELLS 24u

static void the_variances_are_those_published(void **state) {
    (void)state;
    double precisions[GW_MARGINALS_MASKS] = {0}, information[GW_MARGINALS_MASKS];
    precisions[3] = 1.0 / 3, precisions[6] = 1.0 / 5, precisions[5] = 1.0 / 2, precisions[4] = 1 / 1.5;
    precisions[0] = 1.0 / 4;
    gw_marginals_information(&SMALL, precisions, information);
    const struct {
        unsigned mask;
        double variance;
    } expected[] = {{3, 2.05490272}, {2, 3.27843441}, {5, 1.10136844}, {6, 2.78964791}, {4, .87606199}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_true(fabs(gw_marginals_variance_from(&SMALL, information, expected[i].mask) - expected[i].variance) <
                    5.1e-9);
    assert_true(isinf(gw_marginals_variance_from(&SMALL, information, 7)));
}

static size_t cell_in(unsigned mask, size_t base_cell) {
    const size_t at[3] = {base_cell / 12, base_cell / 4 % 3, base_cell % 4};
    size_t cell = 0;
    for (unsigned i = 0; i < 3; i++)
        if ((mask >> i & 1) != 0)
            cell = cell * SMALL.sizes[i] + at[i];
    return cell;
}

// Normal equations of the base table, with as much of a ridge as their rank needs, by elimination.
static void solve(double matrix[SMALL_CELLS][SMALL_CELLS], double *right) {
    for (size_t i = 0; i < SMALL_CELLS; i++) {
        for (size_t row = 0; row < SMALL_CELLS; row++) {
            if (row == i)
                continue;
            const double factor = matrix[row][i] / matrix[i][i];
            for (size_t k = i; k < SMALL_CELLS; k++)
                matrix[row][k] -= factor * matrix[i][k];
            right[row] -= factor * right[i];
        }
    }
    for (size_t i = 0; i < SMALL_CELLS; i++)
        right[i] /= matrix[i][i];
}

static gw_released_table *noised(const gw_marginals_law *law, uint64_t seed) {
    gw_exact_table *base = NULL;
    gw_released_table *table = NULL;
    seeded_random random = {.state = seed};
    assert_int_equal(gw_exact_table_new(gw_marginals_cell_count(&law->base, ~0u), 1, &base), GW_OK);
    for (size_t i = 0; i < base->cell_count; i++)
        base->values[i] = (gw_int128)(i * i % 97);
    assert_int_equal(gw_marginals_release(base, law, seeded_source(&random), &table), GW_OK);
    gw_exact_table_free(base);
    return table;
}

static void dense_estimate(const gw_marginals_law *law, const gw_released_table *table, double *ret) {
    double matrix[SMALL_CELLS][SMALL_CELLS] = {{0}};
    memset(ret, 0, SMALL_CELLS * sizeof(*ret));
    for (size_t b = 0; b < law->count; b++) {
        const double sd = gw_tail_sd(law->noises[b]);
        const size_t first = gw_released_block(table, b).first_cell;
        for (size_t i = 0; i < SMALL_CELLS; i++) {
            const size_t cell = cell_in(law->masks[b], i);
            ret[i] += (double)gw_released_value(table, first + cell, 0) / (sd * sd);
            for (size_t k = 0; k < SMALL_CELLS; k++)
                matrix[i][k] += cell_in(law->masks[b], k) == cell ? 1 / (sd * sd) : 0;
        }
    }
    for (size_t i = 0; i < SMALL_CELLS; i++)
        matrix[i][i] += 1e-9;
    solve(matrix, ret);
}

static void assert_equals_dense(const gw_marginals_law *law, gw_marginals_set wanted) {
    double dense[SMALL_CELLS];
    gw_released_table *table = noised(law, 11);
    gw_marginals_estimate *estimate = NULL;
    dense_estimate(law, table, dense);
    assert_int_equal(gw_marginals_estimate_new(law, table, wanted, &estimate), GW_OK);
    for (unsigned mask = 0; mask < 8; mask++) {
        const double *cells = gw_marginals_estimate_cells(estimate, mask);
        assert_true((cells != NULL) == gw_marginals_has(wanted, mask));
        double sums[SMALL_CELLS] = {0};
        for (size_t i = 0; i < SMALL_CELLS; i++)
            sums[cell_in(mask, i)] += dense[i];
        for (size_t k = 0; cells != NULL && k < gw_marginals_cell_count(&SMALL, mask); k++)
            assert_true(fabs(cells[k] - sums[k]) < 1e-4 * (1 + fabs(sums[k])) * 1e-2);
    }
    gw_marginals_estimate_free(estimate);
    gw_released_free(table);
}

static void estimates_equal_dense_least_squares(void **state) {
    (void)state;
    // Not every residual is measured, and no two marginals have the same noise.
    const gw_marginals_law mixed = {
        .base = SMALL,
        .count = 5,
        .masks = {3, 6, 5, 4, 0},
        .noises = {{{700000}, 1}, {{500000}, 1}, {{900000}, 1}, {{300000}, 1}, {{1000000}, 2}}};
    assert_equals_dense(&mixed, 0x7f);
    const gw_marginals_law with_base = {
        .base = SMALL, .count = 3, .masks = {7, 2, 5}, .noises = {{{400000}, 1}, {{200000}, 1}, {{100000}, 1}}};
    assert_equals_dense(&with_base, 0xff);
    const gw_marginals_law alone = {.base = SMALL, .count = 1, .masks = {6}, .noises = {{{400000}, 1}}};
    assert_equals_dense(&alone, 0x55);
}

static void every_marginal_of_an_estimate_is_the_sum_of_those_above(void **state) {
    (void)state;
    const gw_marginals_law law = {.base = {.attribute_count = 4, .sizes = {3, 1, 5, 2}},
                                  .count = 3,
                                  .masks = {7, 14, 9},
                                  .noises = {{{400000}, 1}, {{200000}, 1}, {{100000}, 3}}};
    gw_released_table *table = noised(&law, 5);
    gw_marginals_estimate *estimate = NULL;
    const gw_marginals_set wanted = gw_marginals_closure(1ull << 7 | 1ull << 14 | 1ull << 9);
    assert_int_equal(gw_marginals_estimate_new(&law, table, wanted, &estimate), GW_OK);
    for (unsigned mask = 0; mask < 16; mask++)
        for (unsigned i = 0; i < 4; i++) {
            if (!gw_marginals_has(wanted, mask) || (mask >> i & 1) == 0)
                continue;
            const gw_marginals_axis axis = gw_marginals_axis_of(&law.base, mask, i);
            const double *above = gw_marginals_estimate_cells(estimate, mask);
            const double *below = gw_marginals_estimate_cells(estimate, mask & ~(1u << i));
            for (size_t o = 0; o < axis.outer; o++)
                for (size_t k = 0; k < axis.inner; k++) {
                    double sum = 0;
                    for (size_t c = 0; c < axis.size; c++)
                        sum += above[(o * axis.size + c) * axis.inner + k];
                    assert_true(fabs(sum - below[o * axis.inner + k]) < 1e-9);
                }
        }
    gw_marginals_estimate_free(estimate);
    gw_released_free(table);
}

// The widths come from the weights of single noise values, the variances from a closed form over residuals: where the
// law is nearly normal or Laplace, one tells the other.
// Where a filter leaves one category, a table by it tells what the table without it tells; it needs no measurement.
static void an_attribute_of_one_category_adds_nothing_and_lacks_nothing(void **state) {
    (void)state;
    const gw_marginals_law law = {.base = {.attribute_count = 3, .sizes = {2, 1, 3}},
                                  .count = 2,
                                  .masks = {5, 4},
                                  .noises = {{{100000}, 1}, {{200000}, 1}}};
    gw_released_table *table = noised(&law, 5);
    gw_marginals_estimate *estimate = NULL;
    assert_int_equal(
        gw_marginals_estimate_new(&law, table, 1ull << 7 | 1ull << 5 | 1ull << 3 | 1ull << 1 | 1, &estimate), GW_OK);
    const double *with = gw_marginals_estimate_cells(estimate, 7), *without = gw_marginals_estimate_cells(estimate, 5);
    for (size_t i = 0; i < 6; i++)
        assert_true(with[i] == without[i] && isfinite(with[i]));
    const double *first = gw_marginals_estimate_cells(estimate, 3);
    for (size_t i = 0; i < 2; i++)
        assert_true(fabs(first[i] - (with[3 * i] + with[3 * i + 1] + with[3 * i + 2])) < 1e-6);
    double total = gw_marginals_estimate_cells(estimate, 0)[0];
    assert_null(gw_marginals_estimate_cells(estimate, 2)); // was not wanted
    assert_true(
        fabs(gw_marginals_estimate_cells(estimate, 1)[0] + gw_marginals_estimate_cells(estimate, 1)[1] - total) < 1e-6);
    double half_width = 0;
    assert_int_equal(gw_marginals_half_width(&law, 7, GW_LEVEL_95, &half_width), GW_OK);
    assert_true(half_width > 0 && isfinite(half_width));
    gw_marginals_estimate_free(estimate);
    gw_released_free(table);
}

static void half_widths_fit_the_variances(void **state) {
    (void)state;
    gw_marginals_law law = {.base = {.attribute_count = 4, .sizes = {8, 10, 20, 12}}, .count = 6};
    for (unsigned i = 0, mask = 0; mask < 16; mask++)
        if (__builtin_popcount(mask) == 2) {
            law.masks[i] = mask;
            law.noises[i++] = (gw_noise){{100000}, 1};
        }
    double width = 0, wider = 0;
    assert_int_equal(gw_marginals_half_width(&law, 1, GW_LEVEL_95, &width), GW_OK);
    const double sd = sqrt(gw_marginals_variance(&law, 1));
    assert_true(width > 1.94 * sd &&
                width < 2.0 * sd); // hundreds of noise values of like weight: 1.96 for a normal law
    assert_int_equal(gw_marginals_half_width(&law, 1, 990000, &wider), GW_OK);
    assert_true(wider > 2.55 * sd && wider < 2.66 * sd);
    // One marginal alone: its own exact range.
    const gw_marginals_law alone = {.base = SMALL, .count = 1, .masks = {6}, .noises = {{{100000}, 1}}};
    assert_int_equal(gw_marginals_half_width(&alone, 6, GW_LEVEL_95, &width), GW_OK);
    assert_true(fabs(width - 30) < 1e-4);
    assert_true(fabs(gw_marginals_variance(&alone, 6) - 199.83341663) < 1e-7);
}

// Prices far above any policy's: noise is nearly always 0, and standard deviations are far below one step. Whoever asks
// for an error that no price reaches makes the service try them.
static void narrow_noise_costs_no_more_time_than_other(void **state) {
    (void)state;
    const clock_t before = clock();
    double last = INFINITY;
    for (uint64_t micro = 1000000; micro <= 600000000; micro += micro / 2) {
        const gw_marginals_law law = {
            .base = SMALL, .count = 3, .masks = {3, 5, 6}, .noises = {{{micro}, 1}, {{micro}, 1}, {{micro}, 1}}};
        double width = 0;
        assert_int_equal(gw_marginals_half_width(&law, 0, 999999, &width), GW_OK);
        // At least one value in a million is not 0 up to this price, and moves the total by a third of a step.
        assert_true(width < last && (micro > 14000000 || width > 1.0 / 3));
        last = width;
    }
    assert_true(clock() - before < CLOCKS_PER_SEC);
}

static void what_cannot_be_estimated_is_refused(void **state) {
    (void)state;
    const gw_marginals_law law = {.base = SMALL, .count = 1, .masks = {6}, .noises = {{{100000}, 1}}};
    gw_marginals_law other = law;
    gw_released_table *table = noised(&law, 5);
    gw_marginals_estimate *estimate = NULL;
    double width = 0;
    assert_int_equal(gw_marginals_estimate_new(&law, table, 1ull << 7, &estimate), GW_INVALID);
    assert_int_equal(gw_marginals_half_width(&law, 7, GW_LEVEL_95, &width), GW_INVALID);
    assert_int_equal(gw_marginals_half_width(&law, 8, GW_LEVEL_95, &width), GW_INVALID);
    assert_int_equal(gw_marginals_half_width(&law, 6, 1000000, &width), GW_INVALID);
    other.masks[0] = 5; // 8 cells, not 12
    assert_int_equal(gw_marginals_estimate_new(&other, table, 1ull << 4, &estimate), GW_INVALID);
    other = law;
    other.count = 2;
    other.masks[1] = 6; // twice
    other.noises[1] = other.noises[0];
    assert_int_equal(gw_marginals_estimate_new(&other, table, 1ull << 4, &estimate), GW_INVALID);
    other = law;
    other.noises[0].epsilon.micro = 0;
    assert_int_equal(gw_marginals_estimate_new(&other, table, 1ull << 4, &estimate), GW_INVALID);
    assert_null(estimate);
    gw_released_free(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_variances_are_those_published),
        cmocka_unit_test(estimates_equal_dense_least_squares),
        cmocka_unit_test(every_marginal_of_an_estimate_is_the_sum_of_those_above),
        cmocka_unit_test(an_attribute_of_one_category_adds_nothing_and_lacks_nothing),
        cmocka_unit_test(half_widths_fit_the_variances),
        cmocka_unit_test(narrow_noise_costs_no_more_time_than_other),
        cmocka_unit_test(what_cannot_be_estimated_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
