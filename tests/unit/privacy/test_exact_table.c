// SPDX-License-Identifier: Apache-2.0
// Exact tables are bounded and start as zeros.
#include "privacy/exact_table.h"
#include "tests/support/unit.h"

static void a_table_has_a_zero_for_every_declared_value(void **state) {
    (void)state;
    gw_exact_table *table = NULL;
    assert_int_equal(gw_exact_table_new(1000, 3, &table), GW_OK);
    assert_int_equal(table->cell_count, 1000);
    assert_int_equal(table->part_count, 3);
    for (size_t i = 0; i < 3000; i++)
        assert_true(table->values[i] == 0);
    gw_exact_table_free(table);
    gw_exact_table_free(NULL);
}

static void sizes_out_of_bounds_are_refused(void **state) {
    (void)state;
    gw_exact_table *table = NULL;
    assert_int_equal(gw_exact_table_new(0, 1, &table), GW_LIMIT);
    assert_int_equal(gw_exact_table_new(1, 0, &table), GW_LIMIT);
    assert_int_equal(gw_exact_table_new(GW_CELLS_MAX + 1, 1, &table), GW_LIMIT);
    assert_int_equal(gw_exact_table_new(1, GW_PARTS_MAX + 1, &table), GW_LIMIT);
    assert_int_equal(gw_exact_table_new(SIZE_MAX, 2, &table), GW_LIMIT);
    assert_null(table);
    assert_int_equal(gw_exact_table_new(GW_CELLS_MAX, GW_PARTS_MAX, &table), GW_OK);
    gw_exact_table_free(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_has_a_zero_for_every_declared_value),
        cmocka_unit_test(sizes_out_of_bounds_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
