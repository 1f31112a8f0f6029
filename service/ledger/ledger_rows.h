// SPDX-License-Identifier: Apache-2.0
// How rows are found: the tree's nodes, and charges by their request. A damaged node would publish a wrong tile, a
// damaged index let a request be charged again. What stands in the rows is ledger_replay's. Inside this room only.
// Thread safety: one thread.   Depends on: store/store.h.
#pragma once
#include "service/store/store.h"

// A whole look at so many entries costs under a second. Of a larger ledger the newest charges are looked at, and
// `godwitd doctor` sees the rest.
#define LEDGER_ROWS_WHOLE_MAX 50000u

// GW_CORRUPT, code store_corrupt or ledger_tampered: a row is missing, or not found; names it.
GW_MUST_CHECK gw_status ledger_rows_check(gw_store_reader *reader, uint64_t size, gw_problem *ret_problem);
