// SPDX-License-Identifier: Apache-2.0
// A store with a ledger of its own for each test; when the test is over, the auditor's fold agrees with the store.
// Thread safety: a case per thread.   Depends on: ledger_fixture.h, cmocka.
#pragma once
#include "tests/unit/store/ledger_fixture.h"

typedef struct {
    ledger_fixture ledger;
    gw_store *store;
    gw_store_reader *reader;
    int64_t now;
} store_case;

// For cmocka: *state is a store_case.
int store_case_setup(void **state);
int store_case_teardown(void **state);

gw_status store_case_submit(void *state, gw_store_op *op); // a fixture_submit
void store_case_settle(store_case *made, const fixture_budget *budget);
// The operation as it came back; a reservation of the researcher's.
gw_store_op store_case_run(store_case *made, gw_store_op op);
gw_store_op store_case_reserve(store_case *made, uint64_t idem, uint64_t cost);
void store_case_refused(gw_store_op op, gw_status result, const char *code);
// One of the four balances that the researcher has.
gw_store_balance store_case_balance(store_case *made, size_t kind);
