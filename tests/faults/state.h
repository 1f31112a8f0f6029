// SPDX-License-Identifier: Apache-2.0
// A state folder of the campaign: a small ledger with an owner, a few researchers and large budgets, which is made once
// and copied for every run. Opened by the very call that the daemon makes: recovery has no other path.
// Thread safety: none.   Depends on: ledger/ledger.h, tests/unit/store/ledger_fixture.h.
#pragma once
#include "service/ledger/ledger.h"
#include "tests/unit/store/ledger_fixture.h"

#define FAULT_PATH_MAX 160
typedef struct {
    ledger_fixture fixture;
    char log[FAULT_PATH_MAX], questions[FAULT_PATH_MAX], mark[FAULT_PATH_MAX], keys[FAULT_PATH_MAX];
    const char *signer; // the program that holds the key; NULL: this process does
} fault_state;

// In memory where there is some (`is_on_disk` false): a kill doesn't reach the page cache. NULL: large budgets.
void fault_state_new(fault_state *ret, const fixture_budget *budget, bool is_on_disk);
void fault_state_at(const fault_state *from, const char *folder, fault_state *ret); // the same ledger, elsewhere
void fault_state_copy(const fault_state *from, fault_state *to);   // `to` is made or emptied; `to` has its folder set
void fault_state_clone(const fault_state *from, fault_state *ret); // a copy in a new folder beside
void fault_state_empty(fault_state *state);
void fault_state_remove(fault_state *state);
void fault_folder_copy(const char *from, const char *to);
void fault_file_copy(const char *from, const char *to); // removes `to` where there is no `from`

// The only place where this campaign opens a ledger.
GW_MUST_CHECK gw_status fault_ledger_open(const fault_state *state, uint64_t free_bytes_min, gw_ledger **ret,
                                          gw_problem *ret_problem);
