// SPDX-License-Identifier: Apache-2.0
// Charges accounted with a delta: what is admitted, what is kept beside epsilon, what a restart finds.
#include "privacy/accounting/zcdp.h"
#include "service/audit/verify.h"
#include "tests/unit/store/ledger_fixture.h"
#include "tests/support/unit.h"

typedef struct {
    ledger_fixture ledger;
    gw_store *store;
    gw_store_reader *reader;
    int64_t now;
} world;

static int setup(void **state) {
    world *made = calloc(1, sizeof(*made));
    fixture_create(&made->ledger);
    made->now = FIXTURE_NOW;
    *state = made;
    if (gw_store_open(made->ledger.database, &made->store, NULL) != GW_OK)
        return -1;
    return gw_store_reader_open(made->ledger.database, &made->reader, NULL) == GW_OK ? 0 : -1;
}

static gw_status audit_one(void *state, uint64_t seq, gw_bytes bytes) {
    (void)seq;
    gw_entry entry;
    gw_problem problem = {0};
    gw_status status = gw_entry_decode(bytes, &entry, &problem);
    if (status == GW_OK)
        status = gw_audit_apply(state, &entry, &problem);
    if (status != GW_OK)
        print_error("entry %llu: %s %s\n", (unsigned long long)seq, problem.code, problem.what);
    return status;
}

// After every test the auditor's fold agrees with the store.
static int teardown(void **state) {
    world *made = *state;
    gw_audit_state *folded = gw_audit_state_new();
    gw_status status =
        made->store == NULL ? GW_OK : gw_store_scan(made->reader, 0, gw_store_size(made->store), audit_one, folded);
    gw_audit_state_free(folded);
    gw_store_reader_close(made->reader);
    gw_store_close(made->store);
    fixture_remove(&made->ledger);
    free(made);
    return status == GW_OK ? 0 : -1;
}

static gw_status submit(void *state, gw_store_op *op) {
    world *made = state;
    return gw_store_commit(made->store, &op, 1, made->now);
}

static void settle(world *made, const fixture_budget *budget) {
    fixture_settle(&made->ledger, budget, submit, made);
}

static gw_store_op run(world *made, gw_store_op op) {
    assert_int_equal(submit(made, &op), GW_OK);
    return op;
}

static gw_store_op reserve(world *made, uint64_t idem, uint64_t cost) {
    return run(made, fixture_reserve(&made->ledger, FIXTURE_RESEARCHER, idem, cost));
}

static void assert_refused(gw_store_op op, gw_status result, const char *code) {
    assert_string_equal(op.code, code);
    assert_int_equal(op.result, result);
}

static gw_store_balance balance(world *made, size_t kind) {
    gw_store_balance balances[4];
    char id[GW_ID_HEX];
    fixture_id(FIXTURE_RESEARCHER, id);
    assert_int_equal(gw_store_balances(made->reader, FIXTURE_DATASET, id, made->now, balances), GW_OK);
    return balances[kind];
}

#define DELTA 1000000000 // 1e-9

static uint64_t tenths_until_refused(world *made, uint64_t first, gw_store_op *ret_refused) {
    uint64_t count = 0;
    while ((*ret_refused = reserve(made, first + count, 100000)).result == GW_OK)
        count++;
    return count;
}

static void with_a_delta_more_questions_fit_and_the_end_is_final(void **state) {
    world *made = *state;
    gw_store_op op;
    fixture_budget budget = {.total = 5 * FIXTURE_EPSILON, .population_total = 5 * FIXTURE_EPSILON};
    settle(made, &budget);
    assert_int_equal(tenths_until_refused(made, 0, &op), 50);
    budget.delta = DELTA; // the people's own budget still counts epsilon alone
    fixture_rebudget(&made->ledger, &budget, submit, made);
    assert_int_equal(tenths_until_refused(made, 100, &op), 0);
    assert_refused(op, GW_BUDGET, "budget_population");
    budget.population_delta = DELTA;
    fixture_rebudget(&made->ledger, &budget, submit, made);
    assert_int_equal(tenths_until_refused(made, 200, &op), 12); // 62 in all: the fifty before were counted
    assert_refused(op, GW_BUDGET, "budget_dataset");
    gw_store_balance dataset = balance(made, 0);
    assert_int_equal(dataset.spent, 6200000);
    assert_int_equal(dataset.rho, 62 * gw_rho_of((gw_epsilon){100000}));
    assert_int_equal(dataset.delta, DELTA);
    assert_int_equal(dataset.rho_total, gw_rho_total((gw_epsilon){budget.total}, (gw_delta){DELTA}));
    // What is said to be left is admitted, and one unit more is not.
    uint64_t left = op.remaining;
    assert_true(left > 0 && left < 100000);
    assert_refused(reserve(made, 300, left + 1), GW_BUDGET, "budget_dataset");
    assert_int_equal(reserve(made, 301, left).result, GW_OK);
    // A restart finds the same sums.
    gw_store_reader_close(made->reader);
    gw_store_close(made->store);
    assert_int_equal(gw_store_open(made->ledger.database, &made->store, NULL), GW_OK);
    assert_int_equal(gw_store_reader_open(made->ledger.database, &made->reader, NULL), GW_OK);
    assert_int_equal(tenths_until_refused(made, 400, &op), 0);
    assert_refused(op, GW_BUDGET, "budget_dataset");
    assert_true(op.remaining < 1000);
}

static gw_store_op reserve_selection(world *made, uint64_t idem, uint64_t delta) {
    gw_store_op op = fixture_reserve(&made->ledger, FIXTURE_RESEARCHER, idem, 1000);
    op.entry.charge.delta = delta;
    return run(made, op);
}

static void deltas_of_selections_add_up_to_what_is_granted(void **state) {
    world *made = *state;
    fixture_budget budget = fixture_budget_large;
    settle(made, &budget);
    assert_refused(reserve_selection(made, 1, 1), GW_BUDGET, "budget_selection"); // nothing is granted
    budget.selection_delta = 10;
    fixture_rebudget(&made->ledger, &budget, submit, made);
    assert_refused(reserve_selection(made, 2, 1), GW_BUDGET, "budget_selection"); // not for these people
    budget.population_selection_delta = 12;
    fixture_rebudget(&made->ledger, &budget, submit, made);
    assert_int_equal(reserve_selection(made, 3, 6).result, GW_OK);
    gw_store_op op = reserve_selection(made, 4, 5);
    assert_refused(op, GW_BUDGET, "budget_selection");
    assert_int_equal(op.budget, GW_BUDGET_SELECTION);
    assert_int_equal(op.remaining, 4); // the dataset's, which is less
    assert_int_equal(reserve_selection(made, 5, 4).result, GW_OK);
    assert_refused(reserve_selection(made, 6, UINT64_MAX), GW_BUDGET, "budget_selection");
    assert_int_equal(balance(made, 0).selection, 10);
    assert_int_equal(balance(made, 1).selection, 10);
    assert_int_equal(balance(made, 1).selection_total, 12);
    assert_int_equal(reserve(made, 7, 1000).result, GW_OK); // without a delta nothing has changed
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(with_a_delta_more_questions_fit_and_the_end_is_final, setup, teardown),
        cmocka_unit_test_setup_teardown(deltas_of_selections_add_up_to_what_is_granted, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
