// SPDX-License-Identifier: Apache-2.0
// The call that turns exact values into released ones: it releases under the plan's noise and shape or not at all, what
// it draws follows from the plan alone, and a source that fails releases nothing.
#include "service/query/protect.h"

#include "tests/support/recorded_random.h"
#include "tests/support/unit.h"

#define CELLS 3

typedef struct {
    gw_plan plan;
    gw_laws_cache *cache;
    const gw_laws *laws;
    gw_exact_table *exact;
} fixture;

static int setup(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->plan = (gw_plan){.measured_cells = CELLS, .measured_parts = 1, .sensitivity = 2, .epsilon = {500000}};
    f->cache = gw_laws_cache_new();
    *state = f;
    return gw_laws_hold(f->cache, (gw_noise){.epsilon = {500000}, .sensitivity = 2}, 0, &f->laws) != GW_OK ||
           gw_exact_table_new(CELLS, 1, &f->exact) != GW_OK;
}

static int teardown(void **state) {
    fixture *f = *state;
    gw_exact_table_free(f->exact);
    gw_laws_drop(f->cache, f->laws);
    gw_laws_cache_free(f->cache);
    free(f);
    return 0;
}

static gw_status protect(const fixture *f, recorded_random *random, gw_released_table **ret) {
    *ret = NULL;
    return gw_query_protect(&f->plan, f->laws, f->exact, recorded_source(random), ret);
}

static void the_same_bytes_give_the_same_release(void **state) {
    fixture *f = *state;
    recorded_random random[2] = {{.random = {.state = 4}}, {.random = {.state = 4}}};
    gw_released_table *tables[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(protect(f, &random[i], &tables[i]), GW_OK);
    assert_true(recorded_alike(&random[0], &random[1]));
    assert_true(random[0].random.bytes_given > 0);
    for (size_t i = 0; i < CELLS; i++)
        assert_true(gw_released_value(tables[0], i, 0) == gw_released_value(tables[1], i, 0));
    assert_int_equal(gw_released_noise(tables[0]).sensitivity, 2);
    gw_released_free(tables[0]);
    gw_released_free(tables[1]);
}

static void noise_or_shape_that_is_not_the_plans_releases_nothing(void **state) {
    fixture *f = *state;
    const gw_plan planned = f->plan;
    recorded_random random = {.random = {.state = 4}};
    gw_released_table *table;
    f->plan.sensitivity = 3;
    assert_int_equal(protect(f, &random, &table), GW_INTERNAL);
    f->plan = planned;
    f->plan.epsilon.micro = 499999;
    assert_int_equal(protect(f, &random, &table), GW_INTERNAL);
    f->plan = planned;
    f->plan.measured_cells = CELLS - 1;
    assert_int_equal(protect(f, &random, &table), GW_INTERNAL);
    f->plan = planned;
    f->plan.measured_parts = 2;
    assert_int_equal(protect(f, &random, &table), GW_INTERNAL);
    assert_null(table);
    assert_int_equal(random.call_count, 0); // and draws nothing
    f->plan = planned;
}

static void a_source_that_fails_releases_nothing(void **state) {
    fixture *f = *state;
    recorded_random random = {.random = {.state = 4, .bytes_max = 1}};
    gw_released_table *table;
    assert_int_equal(protect(f, &random, &table), GW_UNAVAILABLE);
    assert_null(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bytes_give_the_same_release),
        cmocka_unit_test(noise_or_shape_that_is_not_the_plans_releases_nothing),
        cmocka_unit_test(a_source_that_fails_releases_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
