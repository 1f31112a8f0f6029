// SPDX-License-Identifier: Apache-2.0
// The tree mechanism by record and replay: which nodes one unit moves, under which law, with which randomness.
#include "privacy/mechanism/tree.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"

static const gw_noise UNIT = {.epsilon = {500000}, .sensitivity = 1};

static gw_tree_shape shape_of(size_t groups, size_t bins, size_t fan) {
    gw_tree_shape shape;
    assert_int_equal(gw_tree_shape_make(groups, bins, fan, &shape), GW_OK);
    return shape;
}

static gw_exact_table *leaves_of(const gw_tree_shape *shape) {
    gw_exact_table *table = NULL;
    assert_int_equal(gw_exact_table_new(shape->group_count * shape->bin_count, 1, &table), GW_OK);
    for (size_t i = 0; i < table->cell_count; i++)
        table->values[i] = (gw_int128)(i * i % 97);
    return table;
}

static gw_released_table *release(const gw_exact_table *leaves, const gw_tree_shape *shape, gw_noise unit,
                                  seeded_random *random) {
    gw_released_table *table = NULL;
    assert_int_equal(gw_tree_release(leaves, shape, unit, seeded_source(random), &table), GW_OK);
    return table;
}

static void levels_end_before_the_root(void **state) {
    (void)state;
    const struct {
        size_t bins, fan, levels, nodes;
    } cases[] = {{4096, 16, 3, 4096 + 256 + 16},
                 {1, 16, 1, 1},
                 {16, 16, 1, 16},
                 {17, 16, 2, 19},
                 {36, 36, 1, 36},
                 {3, 2, 2, 5},
                 {1200, 16, 3, 1280},
                 {1000, 10, 3, 1110}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        gw_tree_shape shape = shape_of(3, cases[i].bins, cases[i].fan);
        gw_tree_levels levels;
        assert_true(gw_tree_levels_of(&shape, &levels));
        assert_int_equal(shape.level_count, cases[i].levels);
        assert_int_equal(levels.node_count, cases[i].nodes);
    }
}

static void shapes_out_of_bounds_are_refused(void **state) {
    (void)state;
    gw_tree_shape shape;
    gw_tree_levels levels;
    gw_noise noise;
    assert_int_equal(gw_tree_shape_make(0, 10, 16, &shape), GW_INVALID);
    assert_int_equal(gw_tree_shape_make(1, 0, 16, &shape), GW_INVALID);
    assert_int_equal(gw_tree_shape_make(1, 10, 1, &shape), GW_INVALID);
    assert_int_equal(gw_tree_shape_make(1, 10, 65, &shape), GW_INVALID);
    assert_int_equal(gw_tree_shape_make(1, 2000000, 16, &shape), GW_LIMIT);
    assert_int_equal(gw_tree_shape_make(SIZE_MAX, 2, 16, &shape), GW_LIMIT);
    assert_int_equal(gw_tree_shape_make(1000, 1000, 16, &shape), GW_LIMIT); // the levels above pass the maximum
    gw_tree_shape high = {.group_count = 1, .bin_count = 10, .fan = 16, .level_count = 3};
    assert_false(gw_tree_levels_of(&high, &levels));
    high.level_count = 2; // the root as one level more
    assert_true(gw_tree_levels_of(&high, &levels));
    assert_int_equal(levels.node_count, 11);
    assert_int_equal(gw_tree_noise(&high, (gw_noise){{1}, 1ULL << 40}, &noise), GW_LIMIT);
    assert_int_equal(gw_tree_noise(&high, (gw_noise){{1}, UINT64_MAX}, &noise), GW_LIMIT);
}

static void the_noise_is_charged_for_every_level(void **state) {
    (void)state;
    gw_tree_shape shape = shape_of(2, 1200, 16);
    gw_exact_table *leaves = leaves_of(&shape);
    seeded_random random = {.state = 1};
    gw_released_table *table = release(leaves, &shape, (gw_noise){{500000}, 7}, &random);
    assert_int_equal(gw_released_noise(table).epsilon.micro, 500000);
    assert_int_equal(gw_released_noise(table).sensitivity, 21);
    assert_int_equal(gw_released_cell_count(table), 2 * 1280);
    assert_int_equal(gw_released_part_count(table), 1);
    gw_released_free(table);
    gw_exact_table_free(leaves);
}

// One unit more, the same randomness: one node of each level moves by one, those above the leaf.
static void a_unit_moves_one_node_of_each_level(void **state) {
    (void)state;
    const gw_tree_shape shapes[] = {shape_of(2, 1200, 16), shape_of(1, 37, 3), shape_of(3, 65, 64), shape_of(2, 5, 2)};
    for (size_t s = 0; s < 4; s++) {
        const gw_tree_shape *shape = &shapes[s];
        gw_tree_levels levels;
        assert_true(gw_tree_levels_of(shape, &levels));
        gw_exact_table *leaves = leaves_of(shape);
        for (size_t leaf = 0; leaf < leaves->cell_count; leaf += 1 + leaf / 3) {
            seeded_random first = {.state = 42}, second = {.state = 42};
            gw_released_table *a = release(leaves, shape, UNIT, &first);
            leaves->values[leaf]++;
            gw_released_table *b = release(leaves, shape, UNIT, &second);
            leaves->values[leaf]--;
            assert_int_equal(first.bytes_given, second.bytes_given);
            assert_int_equal(first.call_count, second.call_count);
            size_t group = leaf / shape->bin_count, node = leaf % shape->bin_count, moved = 0;
            for (size_t i = 0; i < gw_released_cell_count(a); i++)
                moved += gw_released_value(a, i, 0) != gw_released_value(b, i, 0);
            assert_int_equal(moved, shape->level_count);
            for (size_t level = 0; level < shape->level_count; level++, node /= shape->fan) {
                size_t cell = group * levels.node_count + levels.starts[level] + node;
                assert_true(gw_released_value(b, cell, 0) - gw_released_value(a, cell, 0) == 1);
            }
            gw_released_free(a);
            gw_released_free(b);
        }
        gw_exact_table_free(leaves);
    }
}

// The noise of an empty tree, taken off: every node is the sum of its leaves, ragged ends too.
static void nodes_are_sums_of_their_leaves(void **state) {
    (void)state;
    gw_tree_shape shape = shape_of(2, 77, 4);
    gw_tree_levels levels;
    assert_true(gw_tree_levels_of(&shape, &levels));
    gw_exact_table *leaves = leaves_of(&shape), *empty = NULL;
    assert_int_equal(gw_exact_table_new(leaves->cell_count, 1, &empty), GW_OK);
    seeded_random first = {.state = 9}, second = {.state = 9};
    gw_released_table *full = release(leaves, &shape, UNIT, &first), *noise = release(empty, &shape, UNIT, &second);
    for (size_t group = 0; group < 2; group++)
        for (size_t level = 0, width = 1; level < shape.level_count; level++, width *= 4)
            for (size_t node = 0; node < levels.counts[level]; node++) {
                gw_int128 sum = 0;
                for (size_t bin = node * width; bin < (node + 1) * width && bin < 77; bin++)
                    sum += leaves->values[group * 77 + bin];
                size_t cell = group * levels.node_count + levels.starts[level] + node;
                assert_true(gw_released_value(full, cell, 0) - gw_released_value(noise, cell, 0) == sum);
            }
    gw_released_free(full);
    gw_released_free(noise);
    gw_exact_table_free(leaves);
    gw_exact_table_free(empty);
}

static void what_does_not_fit_releases_nothing(void **state) {
    (void)state;
    gw_tree_shape shape = shape_of(1, 37, 3), other = shape_of(1, 38, 3);
    gw_exact_table *leaves = leaves_of(&shape), *pairs = NULL;
    assert_int_equal(gw_exact_table_new(37, 2, &pairs), GW_OK);
    gw_released_table *table = NULL;
    seeded_random random = {.state = 1, .bytes_max = 64};
    gw_random_source source = seeded_source(&random);
    assert_int_equal(gw_tree_release(leaves, &other, UNIT, source, &table), GW_INVALID);
    assert_int_equal(gw_tree_release(pairs, &shape, UNIT, source, &table), GW_INVALID);
    assert_int_equal(gw_tree_release(leaves, &shape, (gw_noise){{0}, 1}, source, &table), GW_INVALID);
    assert_int_equal(gw_tree_release(leaves, &shape, (gw_noise){{1}, 0}, source, &table), GW_INVALID);
    assert_int_equal(gw_tree_release(leaves, &shape, UNIT, source, &table), GW_UNAVAILABLE);
    random.bytes_max = 0;
    leaves->values[0] = leaves->values[1] = (gw_int128)1 << 126; // each fits, their sum doesn't
    assert_int_equal(gw_tree_release(leaves, &shape, UNIT, source, &table), GW_INTERNAL);
    assert_null(table);
    gw_exact_table_free(leaves);
    gw_exact_table_free(pairs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_end_before_the_root),           cmocka_unit_test(shapes_out_of_bounds_are_refused),
        cmocka_unit_test(the_noise_is_charged_for_every_level), cmocka_unit_test(a_unit_moves_one_node_of_each_level),
        cmocka_unit_test(nodes_are_sums_of_their_leaves),       cmocka_unit_test(what_does_not_fit_releases_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
