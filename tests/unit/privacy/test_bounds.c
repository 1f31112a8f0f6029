// SPDX-License-Identifier: Apache-2.0
// What one person may add: the choice of a bound, and the reference that statements are held against. The reference is
// itself held against the promise: whatever rows a person has, the sum over all cells stays within the sensitivity.
#include "privacy/bounds.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"

#define CELLS 4
#define PARTS 2
#define ROWS_MAX 9

static gw_bound chosen(gw_bound_shape shape) {
    gw_bound bound = {0};
    assert_int_equal(gw_bound_choose(&shape, &bound), GW_OK);
    return bound;
}

static void assert_bound(gw_bound_shape shape, gw_bound_kind kind, uint64_t amount, uint64_t sensitivity) {
    gw_bound bound = chosen(shape);
    assert_string_equal(gw_bound_kind_name(bound.kind), gw_bound_kind_name(kind));
    assert_int_equal(kind == GW_BOUND_CLAMP_TOTAL ? bound.total : bound.units, amount);
    assert_int_equal(bound.sensitivity, sensitivity);
}

static void rows_are_kept_only_where_the_load_lets_more_in(void **state) {
    (void)state;
    gw_bound_shape shape = {.rows_max = 1, .rows_kept = 1, .unit_max = 1, .weight_max = 1};
    assert_bound(shape, GW_BOUND_NONE, 1, 1);
    shape = (gw_bound_shape){.rows_max = 12, .rows_kept = 12, .unit_max = 5, .weight_max = 1};
    assert_bound(shape, GW_BOUND_NONE, 12, 60);
    shape.rows_kept = 3;
    assert_bound(shape, GW_BOUND_KEEP_ROWS, 3, 15);
    shape.weight_max = 200;
    assert_bound(shape, GW_BOUND_KEEP_ROWS, 3, 3000);
}

static void a_total_is_taken_where_it_is_smaller_or_drops_less(void **state) {
    (void)state;
    gw_bound_shape shape = {.rows_max = 12, .rows_kept = 3, .unit_max = 100, .total_max = 250, .weight_max = 7};
    assert_bound(shape, GW_BOUND_CLAMP_TOTAL, 250, 1750);
    shape.total_max = 300; // as good as three rows, and keeps them all
    assert_bound(shape, GW_BOUND_CLAMP_TOTAL, 300, 2100);
    shape.total_max = 301;
    assert_bound(shape, GW_BOUND_KEEP_ROWS, 3, 2100);
    shape.rows_kept = 12;
    shape.total_max = 1200; // no better than dropping nothing
    assert_bound(shape, GW_BOUND_NONE, 12, 8400);
    shape.total_max = 1199;
    assert_bound(shape, GW_BOUND_CLAMP_TOTAL, 1199, 8393);
}

static void person_cells_are_as_many_as_rows_at_most(void **state) {
    (void)state;
    gw_bound_shape shape = {.rows_max = 12, .rows_kept = 3, .unit_max = 1, .weight_max = 1, .is_per_person = true};
    assert_bound(shape, GW_BOUND_KEEP_CELLS, 3, 3);
    shape.rows_kept = 12;
    assert_bound(shape, GW_BOUND_NONE, 12, 12);
    shape.is_one_cell = true;
    assert_bound(shape, GW_BOUND_NONE, 1, 1);
    shape.rows_kept = 3;
    assert_bound(shape, GW_BOUND_NONE, 1, 1);
    shape.total_max = 1; // of rows, not of person-cells
    assert_bound(shape, GW_BOUND_NONE, 1, 1);
    shape.is_per_person = false; // the rows of a person in one cell still add up
    shape.total_max = 0;
    assert_bound(shape, GW_BOUND_KEEP_ROWS, 3, 3);
}

static void figures_that_bound_nothing_are_refused(void **state) {
    (void)state;
    const gw_bound_shape good = {.rows_max = 4, .rows_kept = 2, .unit_max = 3, .weight_max = 1};
    gw_bound_shape bad[5] = {good, good, good, good, good};
    bad[0].rows_max = 0;
    bad[1].rows_kept = 0;
    bad[2].rows_kept = 5;
    bad[3].unit_max = 0;
    bad[4].weight_max = 0;
    gw_bound kept = {.units = 77};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(gw_bound_choose(&bad[i], &kept), GW_INVALID);
    assert_int_equal(kept.units, 77);
}

static void a_sensitivity_past_its_limit_is_refused_not_wrapped(void **state) {
    (void)state;
    gw_bound_shape shape = {.rows_max = 4, .rows_kept = 4, .unit_max = UINT64_C(1) << 40, .weight_max = 1 << 20};
    assert_bound(shape, GW_BOUND_NONE, 4, UINT64_C(1) << 62);
    shape.weight_max++;
    gw_bound bound = {0};
    assert_int_equal(gw_bound_choose(&shape, &bound), GW_LIMIT);
    shape.unit_max = UINT64_MAX; // every product wraps
    shape.weight_max = UINT64_MAX;
    assert_int_equal(gw_bound_choose(&shape, &bound), GW_LIMIT);
    shape.weight_max = 9;
    shape.total_max = 10; // a total saves it
    assert_bound(shape, GW_BOUND_CLAMP_TOTAL, 10, 90);
}

// ---- the reference

#define ROW(o, c, v, t, w) ((gw_bound_row){.order = (o), .cell = (c), .value = (v), .other = (t), .weight = (w)})

static void assert_cells(const gw_bound_rule *rule, gw_bound_row *rows, size_t count, const int64_t *wanted) {
    gw_int128 cells[CELLS * PARTS] = {0};
    gw_bound_person(rule, rows, count, cells);
    for (size_t i = 0; i < CELLS * rule->part_count; i++)
        if (cells[i] != wanted[i])
            fail_msg("value %zu is %lld, not %lld", i, (long long)cells[i], (long long)wanted[i]);
}

static void the_first_rows_in_keyed_order_are_kept(void **state) {
    (void)state;
    gw_bound_rule rule = {.bound = {.kind = GW_BOUND_KEEP_ROWS, .units = 2}, .part_count = 2};
    gw_bound_row rows[] = {ROW(30, 0, 9, 1, 1), ROW(10, 3, 4, 6, 2), ROW(20, 1, 10, 0, 3)};
    assert_cells(&rule, rows, 3, (int64_t[]){0, 0, 30, 0, 0, 0, 8, 12});
}

static void a_total_is_used_up_in_keyed_order(void **state) {
    (void)state;
    gw_bound_rule rule = {.bound = {.kind = GW_BOUND_CLAMP_TOTAL, .total = 10}, .part_count = 1};
    gw_bound_row rows[] = {ROW(3, 2, 100, 0, 1), ROW(1, 0, -7, 0, 2), ROW(2, 1, 5, 0, 3), ROW(0, 3, 0, 0, 1)};
    assert_cells(&rule, rows, 4, (int64_t[]){-14, 9, 0, 0});
    gw_bound_row lowest[] = {ROW(1, 0, INT64_MIN, 0, 1)};
    assert_cells(&rule, lowest, 1, (int64_t[]){-10, 0, 0, 0});
}

static void a_person_counts_once_in_a_cell(void **state) {
    (void)state;
    gw_bound_rule rule = {.bound = {.kind = GW_BOUND_KEEP_CELLS, .units = 2}, .join = GW_JOIN_ANY, .part_count = 2};
    // Cell 2 is first by its row of order 1, cell 0 second by 4; cell 1 comes too late.
    gw_bound_row rows[] = {ROW(9, 2, 0, 1, 2), ROW(5, 1, 1, 0, 1), ROW(4, 0, 0, 1, 3), ROW(1, 2, 1, 0, 5),
                           ROW(8, 0, 0, 1, 1)};
    assert_cells(&rule, rows, 5, (int64_t[]){0, 3, 0, 0, 5, 0, 0, 0});
}

static void a_persons_total_in_a_cell_is_clamped_to_the_range(void **state) {
    (void)state;
    gw_bound_rule rule = {
        .bound = {.kind = GW_BOUND_NONE, .units = 3}, .join = GW_JOIN_TOTAL, .unit_max = 20, .part_count = 2};
    gw_bound_row rows[] = {ROW(1, 0, 15, 0, 1), ROW(2, 0, 15, 0, 1), ROW(3, 1, -4, 0, 1), ROW(4, 3, 7, 0, 2)};
    assert_cells(&rule, rows, 4, (int64_t[]){20, 0, 0, 20, 0, 0, 14, 26});
    gw_bound_row huge[] = {ROW(1, 0, INT64_MAX, 0, 1), ROW(2, 0, INT64_MAX, 0, 1)};
    assert_cells(&rule, huge, 2, (int64_t[]){20, 0, 0, 0, 0, 0, 0, 0});
}

// ---- the promise

static uint64_t random_below(seeded_random *seed, uint64_t end) {
    return seeded_next(seed) % end;
}

typedef struct {
    gw_bound_shape shape;
    gw_bound_rule rule;
    gw_bound_row rows[ROWS_MAX];
    size_t row_count;
} promise_case;

// A shape, and a person whose rows keep to it; values at the ends of their range more often than inside.
static promise_case case_draw(seeded_random *seed) {
    promise_case one = {
        .shape = {.rows_max = 1 + random_below(seed, ROWS_MAX), .weight_max = 1 + random_below(seed, 3)}};
    one.shape.rows_kept = 1 + random_below(seed, one.shape.rows_max);
    one.rule.join = (gw_bound_join)random_below(seed, 3);
    one.shape.is_per_person = one.rule.join != GW_JOIN_ROWS;
    one.shape.is_one_cell = random_below(seed, 3) == 0;
    one.shape.unit_max = one.rule.join == GW_JOIN_ANY ? 1 : 1 + random_below(seed, 20);
    bool is_sum = one.rule.join == GW_JOIN_ROWS && random_below(seed, 2) == 0;
    one.shape.total_max = is_sum ? random_below(seed, 60) : 0;
    one.rule.part_count = is_sum ? 1 : 2;
    one.rule.unit_max = (int64_t)one.shape.unit_max;
    one.rule.bound = chosen(one.shape);
    one.row_count = random_below(seed, one.shape.rows_max + 1);
    size_t cell = random_below(seed, CELLS);
    for (size_t i = 0; i < one.row_count; i++) {
        int64_t unit = (int64_t)one.shape.unit_max;
        int64_t part =
            (int64_t[]){0, unit, unit, (int64_t)random_below(seed, one.shape.unit_max + 1)}[seeded_next(seed) % 4];
        one.rows[i] = (gw_bound_row){.order = random_below(seed, 5),
                                     .cell = one.shape.is_one_cell ? cell : random_below(seed, CELLS),
                                     .value = is_sum && random_below(seed, 2) ? -part : part,
                                     .other = is_sum ? 0 : unit - part,
                                     .weight = random_below(seed, one.shape.weight_max + 1)};
    }
    return one;
}

static uint64_t moved(const gw_int128 *cells, size_t count) {
    gw_int128 sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += cells[i] < 0 ? -cells[i] : cells[i];
    return (uint64_t)sum;
}

static void rows_shuffle(gw_bound_row *rows, size_t count, seeded_random *seed) {
    for (size_t i = count; i > 1; i--) {
        size_t j = random_below(seed, i);
        gw_bound_row row = rows[i - 1];
        rows[i - 1] = rows[j];
        rows[j] = row;
    }
}

static void nobody_moves_the_cells_by_more_than_the_sensitivity(void **state) {
    (void)state;
    seeded_random seed = {.state = 20260301};
    size_t reached[4] = {0};
    for (int i = 0; i < 100000; i++) {
        promise_case one = case_draw(&seed);
        gw_int128 cells[CELLS * PARTS] = {0};
        gw_int128 again[CELLS * PARTS] = {0};
        gw_bound_row rows[ROWS_MAX];
        memcpy(rows, one.rows, sizeof(rows));
        rows_shuffle(rows, one.row_count, &seed);
        gw_bound_person(&one.rule, one.rows, one.row_count, cells);
        gw_bound_person(&one.rule, rows, one.row_count, again);
        assert_memory_equal(cells, again, sizeof(cells)); // whatever order the rows came in
        uint64_t size = moved(cells, CELLS * one.rule.part_count);
        if (size > one.rule.bound.sensitivity)
            fail_msg("case %d, %s: moves %llu, promised %llu", i, gw_bound_kind_name(one.rule.bound.kind),
                     (unsigned long long)size, (unsigned long long)one.rule.bound.sensitivity);
        reached[one.rule.bound.kind] += size == one.rule.bound.sensitivity;
    }
    for (int kind = 0; kind < 4; kind++)
        assert_true(reached[kind] > 50); // no smaller figure would do
}

// The bounds that look right and are not, each on the person that shows it.
static void a_clamp_per_cell_or_one_row_more_breaks_the_promise(void **state) {
    (void)state;
    gw_bound bound =
        chosen((gw_bound_shape){.rows_max = 4, .rows_kept = 4, .unit_max = 9, .total_max = 9, .weight_max = 1});
    gw_int128 cells[CELLS] = {0};
    for (size_t cell = 0; cell < CELLS; cell++) { // each cell clamped by itself
        gw_bound_row row = ROW(cell, cell, 9, 0, 1);
        gw_bound_person(&(gw_bound_rule){.bound = bound, .part_count = 1}, &row, 1, cells);
    }
    assert_int_equal(moved(cells, CELLS), CELLS * bound.sensitivity);
    gw_bound_shape shape = {.rows_max = 4, .rows_kept = 2, .unit_max = 1, .weight_max = 3};
    gw_bound more = chosen(shape);
    more.units++;
    gw_int128 kept[CELLS] = {0};
    gw_bound_row rows[] = {ROW(1, 0, 1, 0, 3), ROW(2, 1, 1, 0, 3), ROW(3, 2, 1, 0, 3)};
    gw_bound_person(&(gw_bound_rule){.bound = more, .part_count = 1}, rows, 3, kept);
    assert_true(moved(kept, CELLS) > more.sensitivity);
    shape.weight_max = 1; // the weights forgotten
    gw_bound light = chosen(shape);
    gw_int128 heavy[CELLS] = {0};
    gw_bound_person(&(gw_bound_rule){.bound = light, .part_count = 1}, rows, 3, heavy);
    assert_true(moved(heavy, CELLS) > light.sensitivity);
}

static void a_million_rows_of_one_person_add_no_more_than_three(void **state) {
    (void)state;
    size_t count = 1000000;
    gw_bound_row *rows = calloc(count, sizeof(*rows));
    assert_non_null(rows);
    for (size_t i = 0; i < count; i++)
        rows[i] = ROW((i * 7919) % 1000003, i % CELLS, 1, 0, 1);
    gw_bound_rule rule = {.part_count = 1};
    rule.bound = chosen((gw_bound_shape){.rows_max = count, .rows_kept = 3, .unit_max = 1, .weight_max = 1});
    gw_int128 cells[CELLS] = {0};
    gw_bound_person(&rule, rows, count, cells);
    free(rows);
    assert_int_equal(moved(cells, CELLS), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_kept_only_where_the_load_lets_more_in),
        cmocka_unit_test(a_total_is_taken_where_it_is_smaller_or_drops_less),
        cmocka_unit_test(person_cells_are_as_many_as_rows_at_most),
        cmocka_unit_test(figures_that_bound_nothing_are_refused),
        cmocka_unit_test(a_sensitivity_past_its_limit_is_refused_not_wrapped),
        cmocka_unit_test(the_first_rows_in_keyed_order_are_kept),
        cmocka_unit_test(a_total_is_used_up_in_keyed_order),
        cmocka_unit_test(a_person_counts_once_in_a_cell),
        cmocka_unit_test(a_persons_total_in_a_cell_is_clamped_to_the_range),
        cmocka_unit_test(nobody_moves_the_cells_by_more_than_the_sensitivity),
        cmocka_unit_test(a_clamp_per_cell_or_one_row_more_breaks_the_promise),
        cmocka_unit_test(a_million_rows_of_one_person_add_no_more_than_three),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
