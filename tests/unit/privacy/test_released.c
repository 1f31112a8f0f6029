// SPDX-License-Identifier: Apache-2.0
// Released tables: what was made is told, block by block; shapes that cannot be are refused.
#include "privacy/released.h"
#include "privacy/released_make.h"
#include "tests/support/unit.h"

static void one_law_is_one_block(void **state) {
    (void)state;
    gw_released_table *table = NULL;
    assert_int_equal(gw_released_make(7, 2, (gw_noise){{500000}, 3}, &table), GW_OK);
    assert_int_equal(gw_released_block_count(table), 1);
    gw_released_block_facts block = gw_released_block(table, 0);
    assert_int_equal(block.first_cell, 0);
    assert_int_equal(block.cell_count, 7);
    assert_int_equal(block.noise.epsilon.micro, 500000);
    assert_int_equal(gw_released_noise(table).sensitivity, 3);
    gw_released_free(table);
}

static void blocks_follow_each_other_and_cover_the_table(void **state) {
    (void)state;
    gw_released_block_shape shapes[GW_RELEASED_BLOCKS_MAX];
    for (size_t i = 0; i < GW_RELEASED_BLOCKS_MAX; i++)
        shapes[i] = (gw_released_block_shape){.cell_count = i + 1, .noise = {{1000 + i}, 1}};
    gw_released_table *table = NULL;
    assert_int_equal(gw_released_make_blocks(shapes, GW_RELEASED_BLOCKS_MAX, 1, &table), GW_OK);
    assert_int_equal(gw_released_block_count(table), GW_RELEASED_BLOCKS_MAX);
    size_t next = 0;
    for (size_t i = 0; i < GW_RELEASED_BLOCKS_MAX; i++) {
        gw_released_block_facts block = gw_released_block(table, i);
        assert_int_equal(block.first_cell, next);
        assert_int_equal(block.cell_count, i + 1);
        assert_int_equal(block.noise.epsilon.micro, 1000 + i);
        next += block.cell_count;
    }
    assert_int_equal(gw_released_cell_count(table), next);
    gw_released_values(table)[next - 1] = 42;
    assert_true(gw_released_value(table, next - 1, 0) == 42);
    gw_released_free(table);
}

// A reader who takes the table for one of a single law must not compute with the first block's.
static void several_laws_are_no_single_law(void **state) {
    (void)state;
    const gw_released_block_shape shapes[2] = {{2, {{1000}, 1}}, {3, {{2000}, 1}}};
    gw_released_table *table = NULL;
    assert_int_equal(gw_released_make_blocks(shapes, 2, 1, &table), GW_OK);
    assert_int_equal(gw_released_noise(table).epsilon.micro, 0);
    assert_int_equal(gw_released_noise(table).sensitivity, 0);
    gw_released_free(table);
}

static void blocks_that_cannot_be_are_refused(void **state) {
    (void)state;
    gw_released_block_shape shapes[GW_RELEASED_BLOCKS_MAX + 1];
    for (size_t i = 0; i <= GW_RELEASED_BLOCKS_MAX; i++)
        shapes[i] = (gw_released_block_shape){.cell_count = 1, .noise = {{1000}, 1}};
    gw_released_table *table = NULL;
    assert_int_equal(gw_released_make_blocks(shapes, 0, 1, &table), GW_INVALID);
    assert_int_equal(gw_released_make_blocks(shapes, GW_RELEASED_BLOCKS_MAX + 1, 1, &table), GW_INVALID);
    shapes[3].cell_count = 0;
    assert_int_equal(gw_released_make_blocks(shapes, 5, 1, &table), GW_INVALID);
    shapes[3].cell_count = SIZE_MAX;
    assert_int_equal(gw_released_make_blocks(shapes, 5, 1, &table), GW_INVALID);
    shapes[3].cell_count = SIZE_MAX / 16;
    assert_int_equal(gw_released_make_blocks(shapes, 5, 1, &table), GW_NO_MEMORY);
    assert_null(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_law_is_one_block),
        cmocka_unit_test(blocks_follow_each_other_and_cover_the_table),
        cmocka_unit_test(several_laws_are_no_single_law),
        cmocka_unit_test(blocks_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
