// SPDX-License-Identifier: Apache-2.0
// The mechanism by record and replay: with the same randomness two neighbouring tables give the same noise, drawn by
// the same calls; what changes in the answer is what changed in the table.
#include "privacy/mechanism/parts.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"

#define CELLS 137
#define PARTS 2

static const gw_noise HALF = {.epsilon = {500000}, .sensitivity = 1};

static gw_exact_table *table_new(void) {
    gw_exact_table *table = NULL;
    assert_int_equal(gw_exact_table_new(CELLS, PARTS, &table), GW_OK);
    return table;
}

static void noise_does_not_depend_on_the_values(void **state) {
    (void)state;
    gw_exact_table *empty = table_new(), *full = table_new();
    for (size_t i = 0; i < CELLS * PARTS; i++)
        full->values[i] = (gw_int128)1 << (i % 100);
    seeded_random first = {.state = 42}, second = {.state = 42};
    gw_released_table *a = NULL, *b = NULL;
    assert_int_equal(gw_parts_release(empty, HALF, seeded_source(&first), &a), GW_OK);
    assert_int_equal(gw_parts_release(full, HALF, seeded_source(&second), &b), GW_OK);
    assert_int_equal(first.bytes_given, second.bytes_given);
    assert_int_equal(first.call_count, second.call_count);
    size_t moved = 0;
    for (size_t cell = 0; cell < CELLS; cell++)
        for (size_t part = 0; part < PARTS; part++) {
            gw_int128 noise = gw_released_value(a, cell, part);
            assert_true(gw_released_value(b, cell, part) == full->values[cell * PARTS + part] + noise);
            moved += noise != 0;
        }
    assert_true(moved > CELLS); // P(Z = 0) is a quarter: noise was added
    gw_exact_table_free(empty);
    gw_exact_table_free(full);
    gw_released_free(a);
    gw_released_free(b);
}

static void the_released_table_tells_its_shape_and_law(void **state) {
    (void)state;
    gw_exact_table *table = table_new();
    seeded_random random = {.state = 1};
    gw_released_table *released = NULL;
    gw_noise noise = {.epsilon = {123456}, .sensitivity = 1000000007};
    assert_int_equal(gw_parts_release(table, noise, seeded_source(&random), &released), GW_OK);
    assert_int_equal(gw_released_cell_count(released), CELLS);
    assert_int_equal(gw_released_part_count(released), PARTS);
    assert_int_equal(gw_released_noise(released).epsilon.micro, 123456);
    assert_int_equal(gw_released_noise(released).sensitivity, 1000000007);
    gw_exact_table_free(table);
    gw_released_free(released);
    gw_released_free(NULL);
}

static void cells_have_their_own_noise(void **state) {
    (void)state;
    gw_exact_table *table = table_new();
    seeded_random random = {.state = 5};
    gw_noise wide = {.epsilon = {1}, .sensitivity = 1000}; // repeats are then rare: below 1e-4 for all pairs
    gw_released_table *released = NULL;
    assert_int_equal(gw_parts_release(table, wide, seeded_source(&random), &released), GW_OK);
    for (size_t i = 0; i < CELLS * PARTS; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(gw_released_value(released, i / PARTS, i % PARTS) !=
                        gw_released_value(released, j / PARTS, j % PARTS));
    gw_exact_table_free(table);
    gw_released_free(released);
}

static void bad_laws_and_failing_sources_release_nothing(void **state) {
    (void)state;
    gw_exact_table *table = table_new();
    gw_released_table *released = NULL;
    seeded_random random = {.state = 1};
    gw_random_source source = seeded_source(&random);
    assert_int_equal(gw_parts_release(table, (gw_noise){{0}, 1}, source, &released), GW_INVALID);
    assert_int_equal(gw_parts_release(table, (gw_noise){{1000000}, 0}, source, &released), GW_INVALID);
    assert_int_equal(gw_parts_release(table, (gw_noise){{1}, 1ull << 40}, source, &released), GW_INVALID);
    assert_int_equal(random.bytes_given, 0);
    random.bytes_max = 100;
    assert_int_equal(gw_parts_release(table, HALF, source, &released), GW_UNAVAILABLE);
    assert_null(released);
    gw_exact_table_free(table);
}

static void a_sum_that_would_wrap_is_refused(void **state) {
    (void)state;
    gw_exact_table *table = table_new();
    gw_int128 largest = (gw_int128)(~(gw_uint128)0 >> 1);
    for (size_t i = 0; i < CELLS * PARTS; i++)
        table->values[i] = i % 2 == 0 ? largest : -largest - 1;
    seeded_random random = {.state = 1};
    gw_released_table *released = NULL;
    assert_int_equal(gw_parts_release(table, HALF, seeded_source(&random), &released), GW_INTERNAL);
    assert_null(released);
    gw_exact_table_free(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_does_not_depend_on_the_values),
        cmocka_unit_test(the_released_table_tells_its_shape_and_law),
        cmocka_unit_test(cells_have_their_own_noise),
        cmocka_unit_test(bad_laws_and_failing_sources_release_nothing),
        cmocka_unit_test(a_sum_that_would_wrap_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
