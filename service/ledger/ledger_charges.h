// SPDX-License-Identifier: Apache-2.0
// Rows of charges and releases, held against the entries while these are replayed. An edited one would charge a request
// twice, draw an answer again, show it too early or to the wrong question. Inside this room only.
// Thread safety: one thread.   Depends on: store/store.h.
#pragma once
#include "service/store/store.h"

typedef struct ledger_charges ledger_charges;
ledger_charges *ledger_charges_new(void); // NULL: no memory
void ledger_charges_free(ledger_charges *all);

// The next entry, which the fold has taken; `row`: that of a charge with its number, NULL where there is none.
// GW_CORRUPT, code ledger_tampered: names the entry, and what its row says otherwise.
GW_MUST_CHECK gw_status ledger_charges_follow(ledger_charges *all, const gw_entry *entry,
                                              const gw_store_charge_row *row, gw_problem *ret_problem);
// After the last entry: what has no outcome in the log has none in its row.
GW_MUST_CHECK gw_status ledger_charges_end(const ledger_charges *all, gw_problem *ret_problem);
