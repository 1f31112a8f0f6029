// SPDX-License-Identifier: Apache-2.0
// Charges accounted with a delta: what is admitted, what is kept beside epsilon, what a restart finds.
#include "privacy/accounting/zcdp.h"
#include "tests/unit/store/store_case.h"
#include "tests/support/unit.h"

#define DELTA 1000000000 // 1e-9

static uint64_t tenths_until_refused(store_case *made, uint64_t first, gw_store_op *ret_refused) {
    uint64_t count = 0;
    while ((*ret_refused = store_case_reserve(made, first + count, 100000)).result == GW_OK)
        count++;
    return count;
}

static void with_a_delta_more_questions_fit_and_the_end_is_final(void **state) {
    store_case *made = *state;
    gw_store_op op;
    fixture_budget budget = {.total = 5 * FIXTURE_EPSILON, .population_total = 5 * FIXTURE_EPSILON};
    store_case_settle(made, &budget);
    assert_int_equal(tenths_until_refused(made, 0, &op), 50);
    budget.delta = DELTA; // the people's own budget still counts epsilon alone
    fixture_rebudget(&made->ledger, &budget, store_case_submit, made);
    assert_int_equal(tenths_until_refused(made, 100, &op), 0);
    store_case_refused(op, GW_BUDGET, "budget_population");
    budget.population_delta = DELTA;
    fixture_rebudget(&made->ledger, &budget, store_case_submit, made);
    assert_int_equal(tenths_until_refused(made, 200, &op), 12); // 62 in all: the fifty before were counted
    store_case_refused(op, GW_BUDGET, "budget_dataset");
    gw_store_balance dataset = store_case_balance(made, 0);
    assert_int_equal(dataset.spent, 6200000);
    assert_int_equal(dataset.rho, 62 * gw_rho_of((gw_epsilon){100000}));
    assert_int_equal(dataset.delta, DELTA);
    assert_int_equal(dataset.rho_total, gw_rho_total((gw_epsilon){budget.total}, (gw_delta){DELTA}));
    // What is said to be left is admitted, and one unit more is not.
    uint64_t left = op.remaining;
    assert_true(left > 0 && left < 100000);
    store_case_refused(store_case_reserve(made, 300, left + 1), GW_BUDGET, "budget_dataset");
    assert_int_equal(store_case_reserve(made, 301, left).result, GW_OK);
    // A restart finds the same sums.
    gw_store_reader_close(made->reader);
    gw_store_close(made->store);
    assert_int_equal(gw_store_open(made->ledger.database, &made->store, NULL), GW_OK);
    assert_int_equal(gw_store_reader_open(made->ledger.database, &made->reader, NULL), GW_OK);
    assert_int_equal(tenths_until_refused(made, 400, &op), 0);
    store_case_refused(op, GW_BUDGET, "budget_dataset");
    assert_true(op.remaining < 1000);
}

static gw_store_op reserve_selection(store_case *made, uint64_t idem, uint64_t delta) {
    gw_store_op op = fixture_reserve(&made->ledger, FIXTURE_RESEARCHER, idem, 1000);
    op.entry.charge.delta = delta;
    return store_case_run(made, op);
}

static void deltas_of_selections_add_up_to_what_is_granted(void **state) {
    store_case *made = *state;
    fixture_budget budget = fixture_budget_large;
    store_case_settle(made, &budget);
    store_case_refused(reserve_selection(made, 1, 1), GW_BUDGET, "budget_selection"); // nothing is granted
    budget.selection_delta = 10;
    fixture_rebudget(&made->ledger, &budget, store_case_submit, made);
    store_case_refused(reserve_selection(made, 2, 1), GW_BUDGET, "budget_selection"); // not for these people
    budget.population_selection_delta = 12;
    fixture_rebudget(&made->ledger, &budget, store_case_submit, made);
    assert_int_equal(reserve_selection(made, 3, 6).result, GW_OK);
    gw_store_op op = reserve_selection(made, 4, 5);
    store_case_refused(op, GW_BUDGET, "budget_selection");
    assert_int_equal(op.budget, GW_BUDGET_SELECTION);
    assert_int_equal(op.remaining, 4); // the dataset's, which is less
    assert_int_equal(reserve_selection(made, 5, 4).result, GW_OK);
    store_case_refused(reserve_selection(made, 6, UINT64_MAX), GW_BUDGET, "budget_selection");
    assert_int_equal(store_case_balance(made, 0).selection, 10);
    assert_int_equal(store_case_balance(made, 1).selection, 10);
    assert_int_equal(store_case_balance(made, 1).selection_total, 12);
    assert_int_equal(store_case_reserve(made, 7, 1000).result, GW_OK); // without a delta nothing has changed
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(with_a_delta_more_questions_fit_and_the_end_is_final, store_case_setup,
                                        store_case_teardown),
        cmocka_unit_test_setup_teardown(deltas_of_selections_add_up_to_what_is_granted, store_case_setup,
                                        store_case_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
