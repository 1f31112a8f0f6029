// SPDX-License-Identifier: Apache-2.0
// A budget as people spend it: questions that nobody asked before, each at its price, and balances as somebody sees
// them.
// Thread safety: one owner.   Depends on: daemon.h, cmocka.
#pragma once
#include "tests/support/daemon.h"

typedef struct {
    unsigned asked;    // questions, each a new one
    gw_json *document; // the budget reply that was read last
} spending;

void spending_done(spending *it);
// A count of persons at this price, of the people of people.h; no code where it was answered.
gw_problem spending_ask(spending *it, const gw_profile *who, const char *dataset, const char *epsilon);
// One balance of the budget reply as `who` sees it; it lasts until the next. Fails the test where there is none.
const gw_json_node *spending_balance(spending *it, const gw_profile *who, const char *dataset, const char *kind);
