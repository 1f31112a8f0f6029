// SPDX-License-Identifier: Apache-2.0
// What the tests of the store do before, between and after their claims.
#include "tests/unit/store/store_case.h"
#include "service/audit/verify.h"
#include "tests/support/unit.h"

int store_case_setup(void **state) {
    store_case *made = calloc(1, sizeof(*made));
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

int store_case_teardown(void **state) {
    store_case *made = *state;
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

gw_status store_case_submit(void *state, gw_store_op *op) {
    store_case *made = state;
    return gw_store_commit(made->store, &op, 1, made->now);
}

void store_case_settle(store_case *made, const fixture_budget *budget) {
    fixture_settle(&made->ledger, budget, store_case_submit, made);
}

gw_store_op store_case_run(store_case *made, gw_store_op op) {
    assert_int_equal(store_case_submit(made, &op), GW_OK);
    return op;
}

gw_store_op store_case_reserve(store_case *made, uint64_t idem, uint64_t cost) {
    return store_case_run(made, fixture_reserve(&made->ledger, FIXTURE_RESEARCHER, idem, cost));
}

void store_case_refused(gw_store_op op, gw_status result, const char *code) {
    assert_string_equal(op.code, code);
    assert_int_equal(op.result, result);
}

gw_store_balance store_case_balance(store_case *made, size_t kind) {
    gw_store_balance balances[4];
    char id[GW_ID_HEX];
    fixture_id(FIXTURE_RESEARCHER, id);
    assert_int_equal(gw_store_balances(made->reader, FIXTURE_DATASET, id, made->now, balances), GW_OK);
    return balances[kind];
}
